//! Migrations up, down, interrupted, and with rows in the tables, on a real PostgreSQL.

mod commands;
mod down;
mod foreign;
mod locks;
mod samples;
mod two_versions;
mod verify;
mod walk;

use eventide::postgres::{
    connect::Target,
    embedded::{PrivatePostgres, StopMode},
    migrations::Migrations,
};
use tempfile::TempDir;

use crate::support::{session::Session, start_postgres};

/// A server with nothing in it, and a session in the schema of the test.
struct Place {
    directory: TempDir,
    postgres: PrivatePostgres,
    target: Target,
    session: Session,
}

impl Place {
    async fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let postgres = start_postgres(directory.path()).await;
        // Needs quotes, and is not public.
        let target = Target::from(postgres.connection()).in_schema("an \"instance\"");
        Self {
            directory,
            session: Session::open(&target).await,
            target,
            postgres,
        }
    }

    async fn up(&self, migrations: &Migrations) -> Vec<String> {
        migrations.up(&self.target, None).await.expect("migrated")
    }

    async fn down(&self, migrations: &Migrations, steps: usize) {
        let undoing = migrations.undoing(&self.target, steps).await.expect("ready");
        assert_eq!(undoing.names().len(), steps);
        undoing.run().await.expect("taken back");
    }

    /// Whether a query has rows.
    async fn has(&self, sql: &str) -> bool {
        let rows = self.session.client.query(sql, &[]).await;
        !rows.expect(sql).is_empty()
    }

    async fn stop(self) {
        self.session.close().await;
        self.postgres.stop(StopMode::Immediate).await.expect("stopped");
    }
}
