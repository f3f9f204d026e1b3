//! Whether the schema matches the migrations.

use tokio_postgres::Transaction;

use super::{
    apply::in_a_transaction,
    catalog::{Catalog, Object},
    error::{self, MigrateError},
    files::{Migrations, Step},
    history::History,
    session::Session,
};
use crate::postgres::connect::{self, quoted};

/// Longer definitions are truncated, so that a finding stays on one line.
const SHOWN_CHARACTERS: usize = 160;

/// The findings. Each line can be understood on its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Mismatches.
    pub findings: Vec<String>,
    /// Differences that are allowed.
    pub notes: Vec<String>,
    /// Whether the tables were compared, too.
    pub compared: bool,
}

impl Migrations {
    /// Compare the history with the files, and the schema with the result of applying the same files to an empty schema.
    ///
    /// That schema is created in a transaction that is never committed. It requires the privilege to create a schema.
    pub async fn verify(&self, target: impl Into<connect::Target>) -> Result<Verdict, MigrateError> {
        let mut session = Session::open(target.into()).await?;
        session.lock().await?;
        let history = session.history().await?;
        let faults = self.faults(&history);
        let newer = self.newer(&history);
        let missing = |fault: &MigrateError| {
            matches!(
                fault,
                MigrateError::Missing { .. } | MigrateError::ForeignSchema { .. }
            )
        };
        let mut verdict = Verdict {
            findings: faults.iter().map(ToString::to_string).collect(),
            notes: Vec::new(),
            compared: newer.is_empty() && !faults.iter().any(missing),
        };
        for step in self.steps.iter().filter(|step| step.undo().is_none()) {
            verdict.findings.push(format!(
                "migration {0} has no undo: there was no migrations/{0}.undo.sql when this binary was built",
                step.name()
            ));
        }
        for name in newer {
            let note = format!("migration {name} is of a newer version than this binary");
            verdict.notes.push(note);
        }
        for step in self.pending(&history, None)? {
            verdict
                .notes
                .push(format!("migration {} is pending", step.name()));
        }
        if verdict.compared {
            self.compare(&mut session, &history, &mut verdict).await?;
        } else {
            let note = "the tables were not compared: this binary does not know what they should be";
            verdict.notes.push(note.to_owned());
        }
        Ok(verdict)
    }

    async fn compare(
        &self,
        session: &mut Session,
        history: &History,
        verdict: &mut Verdict,
    ) -> Result<(), MigrateError> {
        if let Some(finding) = may_not_create(session).await? {
            verdict.findings.push(finding);
            verdict.compared = false;
            return Ok(());
        }
        let steps = self
            .steps
            .iter()
            .filter(|step| history.rows.iter().any(|row| row.version == step.version()));
        let tx = session.client.transaction().await?;
        // This comes first, while the search path is the session's own.
        let found = Catalog::read(&tx, &session.schema).await?;
        let wanted = made(&tx, steps).await?;
        tx.rollback().await?;
        for object in wanted.without(&found) {
            verdict.findings.push(format!("the {object} is missing"));
        }
        for (object, wanted, found) in wanted.differing(&found) {
            verdict.findings.push(format!(
                "the {object} is {}, and should be {}",
                shown(found),
                shown(wanted)
            ));
        }
        for object in found.without(&wanted) {
            if object.table.is_some() {
                verdict.findings.push(format!(
                    "the {object} is one more than the migrations make{}",
                    because(object)
                ));
            } else {
                verdict.notes.push(format!("the {object} is not Eventide's"));
            }
        }
        Ok(())
    }
}

/// The result of applying the files to an empty schema. The transaction must be rolled back.
async fn made<'a>(
    tx: &Transaction<'_>,
    steps: impl Iterator<Item = &'a Step>,
) -> Result<Catalog, MigrateError> {
    let row = tx
        .query_one(
            "-- migrate_verify_name\nSELECT 'eventide_verify_' || pg_backend_pid()",
            &[],
        )
        .await?;
    let schema: String = row.get(0);
    let name = quoted(&schema);
    let create = format!("-- migrate_verify_schema\nCREATE SCHEMA {name}; SET LOCAL search_path = {name}");
    tx.batch_execute(&create).await?;
    for step in steps {
        tx.batch_execute(&in_a_transaction(step))
            .await
            .map_err(|error| MigrateError::Failed {
                name: step.name(),
                reason: error::reason(&error, step.sql()),
            })?;
    }
    Ok(Catalog::read(tx, &schema).await?)
}

async fn may_not_create(session: &Session) -> Result<Option<String>, MigrateError> {
    let row = session
        .client
        .query_one(
            "-- migrate_may_create_schema
             SELECT has_database_privilege(current_database(), 'CREATE'), current_user::text, current_database()::text",
            &[],
        )
        .await?;
    let (role, database) = (quoted(row.get(1)), quoted(row.get(2)));
    Ok((!row.get::<_, bool>(0)).then(|| {
        format!(
            "the tables could not be compared: the role {role} lacks the privilege to create a schema for it; grant it with: GRANT CREATE ON DATABASE {database} TO {role};"
        )
    }))
}

const fn because(object: &Object) -> &'static str {
    match object.kind.as_bytes() {
        b"index" => ": every flush pays for it",
        _ => "",
    }
}

/// A definition on one line.
fn shown(definition: &str) -> String {
    let line = definition.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => line.get(..end).unwrap_or_default().to_owned() + "…",
        None => line,
    }
}
