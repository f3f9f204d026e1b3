//! `eventide doctor`: examines PostgreSQL from the bot's point of view and gives advice. It changes nothing.

mod disk;
pub mod finding;
mod server;
mod tables;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::finding::Finding;
use crate::{
    config::Config,
    postgres::{
        Store, StoreError, catalog,
        database::{Database, DatabaseError},
        migrations::{self, Migrations, Status},
        replica::{Standing, in_words},
    },
    support::error_chain::in_one_line,
};

/// The number of expensive statements in the list.
const HEAVIEST: u32 = 5;

/// A running bot updates every checkpoint more often than this.
const CHECKPOINT_AGE: Duration = Duration::from_mins(1);

/// Run all checks.
///
/// # Errors
///
/// The database cannot be reached or queried.
pub async fn examine(database: &Database, config: &Config) -> Result<Vec<Finding>, DatabaseError> {
    let store = database.store(&config.database)?;
    let (mut findings, server) = of_server(&store, config).await?;
    let all = match migrations::status(&database.direct).await {
        Ok(all) => all,
        Err(error) => {
            findings.push(Finding::bad("schema", error.to_string(), ""));
            store.close();
            return Ok(findings);
        }
    };
    let names = |wanted: fn(&&Status) -> bool| -> Vec<&str> {
        let wanted = all.iter().filter(wanted);
        wanted.map(|status| status.name.as_str()).collect()
    };
    let pending = names(|status| status.applied_on.is_none());
    let newer = names(|status| status.newer);
    if pending.is_empty() {
        let schema = &config.database.schema;
        let found = if newer.is_empty() {
            format!("{schema} is up to date")
        } else {
            format!(
                "{schema} is ahead of this binary, which can work with it: {}",
                newer.join(", ")
            )
        };
        findings.push(Finding::good("schema", found));
        findings.extend(definitions(database).await);
        findings.extend(of_tables(&store).await?);
    } else {
        findings.push(Finding::warning(
            "schema",
            format!("{} lacks {}", config.database.schema, pending.join(", ")),
            "eventide migrate up, or start the bot",
        ));
    }
    findings.push(statements(&store, server.has_statement_statistics).await);
    findings.extend(replica(&store, config).await);
    store.close();
    Ok(findings)
}

/// The checks that need no other connection than the bot has: not of the schema's versions and definitions.
///
/// # Errors
///
/// The database cannot be queried.
pub(crate) async fn examine_store(store: &Store, config: &Config) -> Result<Vec<Finding>, StoreError> {
    let (mut findings, server) = of_server(store, config).await?;
    findings.extend(of_tables(store).await?);
    findings.push(statements(store, server.has_statement_statistics).await);
    findings.extend(replica(store, config).await);
    Ok(findings)
}

async fn of_server(store: &Store, config: &Config) -> Result<(Vec<Finding>, catalog::Server), StoreError> {
    let private = config.database.embedded();
    let server = catalog::server(store).await?;
    let mut findings = vec![server::version(&server)];
    findings.extend(server::connection(&server, private));
    let settings = catalog::settings(store).await?;
    findings.extend(server::settings(&server, &settings));
    let sessions = catalog::sessions(store).await?;
    // If the tables do not exist yet, there are no processes either.
    let processes = catalog::processes(store).await.unwrap_or_default();
    findings.extend(server::sessions(
        &sessions,
        &settings,
        &config.database,
        processes,
    ));
    if private {
        findings.push(disk::disk_of(&config.database.data_directory));
    }
    Ok((findings, server))
}

async fn of_tables(store: &Store) -> Result<Vec<Finding>, StoreError> {
    let mut findings = tables::tables(&catalog::tables(store).await?);
    findings.extend(tables::indexes(&catalog::indexes(store).await?));
    findings.push(checkpoints(&catalog::checkpoints(store).await?));
    Ok(findings)
}

/// Whether tables, indexes, triggers and functions match the migrations, as in `eventide migrate verify`.
async fn definitions(database: &Database) -> Vec<Finding> {
    let verdict = match Migrations::embedded().verify(&database.direct).await {
        Ok(verdict) => verdict,
        Err(error) => {
            return vec![Finding::warning(
                "definitions",
                format!("they could not be compared: {error}"),
                "eventide migrate verify",
            )];
        }
    };
    if !verdict.compared {
        let why = verdict.findings.into_iter().chain(verdict.notes).last();
        return vec![Finding::warning(
            "definitions",
            why.unwrap_or_default(),
            "eventide migrate verify, as the role that migrates",
        )];
    }
    if verdict.findings.is_empty() {
        return vec![Finding::good(
            "definitions",
            "tables, indexes, triggers and functions are as the migrations make them",
        )];
    }
    verdict
        .findings
        .into_iter()
        .map(|found| {
            // Additional objects are a warning; missing and different ones are an error.
            let more = found.contains("is one more than the migrations make");
            let advice =
                "eventide migrate verify lists all; recreate it as in the migrations, or restore a backup";
            if more {
                Finding::warning("definitions", found, "drop it unless it is wanted")
            } else {
                Finding::bad("definitions", found, advice)
            }
        })
        .collect()
}

fn checkpoints(all: &[catalog::CheckpointAge]) -> Finding {
    let oldest = all
        .iter()
        .filter(|checkpoint| checkpoint.has_session)
        .max_by(|a, b| a.age_s.total_cmp(&b.age_s));
    match oldest {
        None => Finding::good("checkpoints", "none yet: no shard has run on this database"),
        Some(oldest) if oldest.age_s > CHECKPOINT_AGE.as_secs_f64() => Finding::warning(
            "checkpoints",
            format!(
                "shard {} of {} was last committed {:.0} s ago",
                oldest.shard_id, oldest.shard_count, oldest.age_s
            ),
            "if the bot is running it does not commit (look at its log and /readyz); if it is stopped, start it before Discord \
             forgets the sessions",
        ),
        Some(oldest) => Finding::good(
            "checkpoints",
            format!(
                "{} shards, the oldest commit {:.1} s ago",
                all.len(),
                oldest.age_s
            ),
        ),
    }
}

async fn statements(store: &Store, installed: bool) -> Finding {
    let how = "add pg_stat_statements to shared_preload_libraries, restart the server, and CREATE EXTENSION \
               pg_stat_statements: the heaviest statements are listed here then, by their names in the source";
    if !installed {
        return Finding::good(
            "statements",
            format!("pg_stat_statements is not installed; to see more: {how}"),
        );
    }
    match catalog::heaviest(store, HEAVIEST).await {
        Ok(all) => {
            let lines = all.iter().map(|heavy| {
                format!(
                    "\n      {:<14}   {:<28} {:>10.0} ms in {} calls, {:.2} ms and {} rows a call",
                    "",
                    heavy.name,
                    heavy.total_ms,
                    heavy.calls,
                    heavy.mean_ms,
                    heavy.rows.checked_div(heavy.calls).unwrap_or_default(),
                )
            });
            Finding::good(
                "statements",
                format!("the heaviest:{}", lines.collect::<String>()),
            )
        }
        Err(error) => Finding::warning(
            "statements",
            format!("pg_stat_statements cannot be read: {error}"),
            how,
        ),
    }
}

async fn replica(store: &Store, config: &Config) -> Option<Finding> {
    let max_lag = config.database.routes.read_max_lag;
    let standing = match store.replica_standing().await {
        Ok(standing) => standing?,
        Err(error) => {
            return Some(Finding::warning(
                "replica",
                format!("database.read_url does not answer: {}", in_one_line(&error)),
                "reads go to the primary meanwhile",
            ));
        }
    };
    let found = in_words(standing, max_lag);
    let advice = match standing {
        Standing::Follows(lag) if lag <= max_lag => return Some(Finding::good("replica", found)),
        Standing::Follows(_) => {
            "reads go to the primary: look at pg_stat_replication there, and at the standby's log"
        }
        Standing::Unknown => {
            "reads go to the primary: it has replayed nothing since it was started; look at its log, and at pg_stat_replication on \
             the primary"
        }
        Standing::Promoted | Standing::Foreign | Standing::Diverged => {
            "reads go to the primary: give the address of a streaming standby of the same database in database.read_url"
        }
    };
    Some(Finding::warning("replica", found, advice))
}
