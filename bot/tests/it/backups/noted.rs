//! What bots know about backups, which are made by another process.

use eventide::postgres::backup::last_backup;
use tempfile::TempDir;

use super::{Session, backup};
use crate::support::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bots_know_when_the_last_backup_was_begun() {
    let scene = Scene::new().await;
    let directory = TempDir::new().expect("a directory");
    let (store, session) = (scene.store(), Session::open(&scene.postgres, "public").await);
    let since = async || {
        let since = last_backup::nothing_since(&store).await.expect("read");
        since.expect("known")
    };
    // While there is none, the schema's age says since when nothing is backed up.
    let age = "SELECT extract(epoch FROM now())::bigint";
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let now = session.number(age).await as f64;
    let without = since().await;
    assert!((now - 3_600.0..=now + 1.0).contains(&without), "{without}, {now}");

    for name in ["first.dump", "second.dump"] {
        let manifest = backup(&scene.postgres, "public", &directory.path().join(name)).await;
        let same = format!(
            "SELECT count(*) FROM last_backup WHERE started_at = '{}'",
            manifest.started_at
        );
        assert_eq!(session.number(&same).await, 1, "{name}");
    }
    let newest = since().await;
    assert!(newest >= without.floor(), "{newest}, {without}");
    // One that took so long that a later one was recorded first.
    last_backup::note(&store, "2020-01-01T00:00:00Z")
        .await
        .expect("noted");
    assert!((since().await - newest).abs() < 1e-6);
    session.close().await;
    store.close();
    scene.stop().await;
}
