//! Faults of PostgreSQL, and of the connection to it.

use std::time::Duration;

use eventide::postgres::{Statement, connect::Target, embedded::StopMode};
use futures_util::future::LocalBoxFuture;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use super::{Extent, Fault, SELDOM, processes::quick_heartbeats, stage::Stage};
use crate::support::until;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::new("PostgreSQL restarted (fast)", |stage, _| {
            Box::pin(restarted(stage, StopMode::Fast))
        }),
        Fault::new("PostgreSQL restarted (immediate)", |stage, _| {
            Box::pin(restarted(stage, StopMode::Immediate))
        }),
        Fault::new("PostgreSQL killed, away for 2 s", |stage, _| {
            Box::pin(async move {
                kill(Pid::from_raw(stage.scene.postgres.pid()), Signal::SIGKILL).expect("a signal");
                sleep(Duration::from_secs(2)).await;
                restarted(stage, StopMode::Immediate).await;
            })
        }),
        Fault::new("all connections of the bot terminated", |stage, _| {
            Box::pin(async move {
                assert!(terminate(stage).await > 0, "the bot has connections");
            })
        }),
        Fault::new("connection cut before, in and after COMMIT", |stage, _| {
            Box::pin(async move {
                for _ in 0..3 {
                    stage.proxy.cut_next();
                    until("a COMMIT is cut", async || {
                        (stage.proxy.outstanding() == 0).then_some(())
                    })
                    .await;
                }
            })
        }),
        Fault {
            tries: SELDOM,
            ..Fault::new(
                "PostgreSQL's connections swallow everything (defaults)",
                |stage, _| Box::pin(swallowed(stage)),
            )
        },
        Fault {
            settings: impatient,
            ..Fault::new(
                "PostgreSQL's connections swallow everything (500 ms a statement)",
                |stage, _| Box::pin(swallowed(stage)),
            )
        },
        Fault {
            tries: SELDOM,
            settings: impatient,
            ..Fault::new(
                "PostgreSQL's host is gone without a word, new connections too",
                |stage, extent| {
                    Box::pin(async move {
                        let before = stage.proxy.swallowed();
                        stage.proxy.swallow(true);
                        sleep(extent.while_).await;
                        assert!(stage.proxy.swallowed() > before, "a connection is swallowed");
                        stage.proxy.let_new_ones_pass();
                    })
                },
            )
        },
        Fault {
            tries: SELDOM,
            world: quick_heartbeats,
            ..Fault::new("member_xp locked", locked)
        },
        Fault {
            tries: SELDOM,
            world: quick_heartbeats,
            settings: |_| vec![("EVENTIDE__DATABASE__STATEMENT_TIMEOUT_MS", "200".to_owned())],
            ..Fault::new("member_xp locked, statements time out", locked)
        },
        Fault {
            settings: |_| {
                vec![
                    ("EVENTIDE__LEDGER__WRITERS", "1".to_owned()),
                    ("EVENTIDE__DATABASE__POOL_SIZE", "2".to_owned()),
                    ("EVENTIDE__DATABASE__CONNECTION_TIMEOUT_MS", "500".to_owned()),
                ]
            },
            tries: SELDOM,
            ..Fault::new("pool of 2 exhausted: each statement takes 1 s", slow_statements)
        },
        Fault::new("PostgreSQL refuses more connections", no_more_connections),
    ]
}

/// Statements end soon, so that silence is noticed soon.
fn impatient(_directory: &std::path::Path) -> Vec<(&'static str, String)> {
    vec![
        ("EVENTIDE__DATABASE__STATEMENT_TIMEOUT_MS", "500".to_owned()),
        ("EVENTIDE__DATABASE__CONNECTION_TIMEOUT_MS", "500".to_owned()),
    ]
}

pub(super) async fn restarted(stage: &mut Stage, mode: StopMode) {
    stage.scene.postgres.restart(mode).await.expect("restarted");
}

/// End the bot's sessions; returns how many they were.
async fn terminate(stage: &Stage) -> usize {
    let terminate = Statement::new("terminate", &[], "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE application_name LIKE 'eventide %' AND pid <> pg_backend_pid() AND application_name LIKE '% shards %'");
    stage.store.query(terminate, &[]).await.expect("ended").len()
}

/// Open connections lead nowhere from now on, without an error.
async fn swallowed(stage: &mut Stage) {
    let before = stage.proxy.swallowed();
    stage.proxy.swallow(false);
    until("the connections are swallowed", async || {
        (stage.proxy.swallowed() > before).then_some(())
    })
    .await;
}

/// Keep flushes waiting for a lock, and heartbeats for flushes: these cannot wait as long, and it is seen that they did not.
fn locked(stage: &mut Stage, extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let session = stage.session().await;
        session
            .execute("BEGIN; LOCK TABLE member_xp IN EXCLUSIVE MODE")
            .await;
        sleep(extent.while_).await;
        until("heartbeats ahead of the checkpoint are counted", async || {
            let ahead = stage.metric("eventide_gateway_heartbeats_ahead_total").await;
            (ahead > 0.0).then_some(())
        })
        .await;
        session.execute("COMMIT").await;
        session.close().await;
    })
}

/// Every flush takes longer than anybody waits for a connection.
fn slow_statements(stage: &mut Stage, extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let session = stage.session().await;
        session
            .execute(
                "CREATE OR REPLACE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS
                     'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
                 CREATE TRIGGER take_long BEFORE INSERT ON member_xp EXECUTE FUNCTION take_long()",
            )
            .await;
        sleep(extent.while_).await;
        session.execute("DROP TRIGGER take_long ON member_xp").await;
        session.close().await;
    })
}

/// Others have every connection that the server gives while the bot needs new ones.
fn no_more_connections(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let target = Target::from(stage.scene.postgres.connection());
        let mut sessions = vec![stage.session().await];
        terminate(stage).await;
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            // Connections that the bot closes are taken as well.
            match target.connect().await {
                Ok((client, driver)) => sessions.push(crate::support::session::Session::of(client, driver)),
                Err(_full) => sleep(Duration::from_millis(10)).await,
            }
        }
        for session in sessions {
            session.close().await;
        }
    })
}
