//! Faults and their alerts.

use std::{fs, time::Duration};

use discord_simulator::{Rate, RestFault, RestFaultKind};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Fault, NOTHING};
use crate::support::{bot::printed, until};

/// Levels are announced, the first with the first message.
const ANNOUNCING: &[(&str, &str)] = &[
    ("EVENTIDE__LEVELS__XP_PER_MESSAGE", "[100, 120]"),
    ("EVENTIDE__LEVELS__ANNOUNCE", "same_channel"),
];

/// Each alert is covered by at least one of them.
pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "the process is killed",
        tells: &["EventideDown"],
        cause: |stage| Box::pin(async { stage.signal_bot(Signal::SIGKILL) }),
        ..NOTHING
    },
    Fault {
        name: "Discord lets no shard in",
        tells: &["EventideShardDown"],
        cause: |stage| {
            Box::pin(async {
                stage.discord.control().refuse_connections(true);
                stage.discord.control().reset(None);
            })
        },
        mend: Some(|stage| Box::pin(async { stage.discord.control().refuse_connections(false) })),
        ..NOTHING
    },
    Fault {
        name: "PostgreSQL is killed under load, for over a minute",
        // Shards whose ledger is full close.
        tells: &[
            "EventideCheckpointLag",
            "EventideLedgerFilling",
            "EventideFlushFailing",
            "EventideShardDown",
        ],
        follows: &["EventidePoolWaiting"],
        world: |world| {
            world.members = 50_000;
            world.rate = Rate::PerSecond(4_000.0);
        },
        settings: &[("EVENTIDE__LEDGER__MAX_MEMORY_MIB", "1")],
        cause: |stage| {
            Box::pin(async {
                let file = fs::read_to_string(stage.postmaster()).expect("a server that runs");
                let pid = file.lines().next().expect("a line").parse().expect("a pid");
                kill(Pid::from_raw(pid), Signal::SIGQUIT).expect("a signal");
            })
        },
        ..NOTHING
    },
    Fault {
        name: "a table is locked for seconds, again and again",
        tells: &["EventideSlowQueries", "EventidePoolWaiting"],
        cause: |stage| {
            Box::pin(async {
                let session = stage.session().await;
                let lock = async {
                    loop {
                        session
                                .execute(
                                    "BEGIN; LOCK TABLE member_xp IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2.5); COMMIT;
                                     SELECT pg_sleep(0.2)",
                                )
                                .await;
                    }
                };
                let ask = async {
                    for number in 0.. {
                        stage.ask_for_a_rank(number);
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                };
                tokio::join!(lock, ask);
            })
        },
        ..NOTHING
    },
    Fault {
        name: "a session is lost",
        tells: &["EventideGap"],
        // To identify takes seconds, and 5 minutes are 2 s here.
        follows: &["EventideShardDown"],
        cause: |stage| {
            Box::pin(async {
                stage.discord.control().invalidate(None, false);
            })
        },
        ..NOTHING
    },
    Fault {
        name: "Discord takes no messages, and they are 11 minutes old",
        tells: &["EventideOutboxStuck"],
        settings: ANNOUNCING,
        cause: |stage| {
            Box::pin(async {
                stage.discord.control().add_fault(RestFault {
                    route: "POST /channels/{id}/messages".to_owned(),
                    count: None,
                    delay_ms: 0,
                    kind: RestFaultKind::Status(500),
                });
                let session = stage.session().await;
                until("announcements wait", async || {
                        let aged = "UPDATE outbox SET created_at = created_at - interval '11 minutes' WHERE failed_at IS NULL";
                        let aged = session.client.execute(aged, &[]).await.expect("aged");
                        (aged > 0).then_some(())
                    })
                    .await;
                session.close().await;
            })
        },
        ..NOTHING
    },
    Fault {
        name: "a timer that was due 11 minutes ago has failed",
        tells: &["EventideTimersLate"],
        cause: |stage| {
            Box::pin(async {
                let session = stage.session().await;
                session
                    .execute(
                        "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, attempts, failure)
                         VALUES (1, 'boost_removal', 1, now() - interval '11 minutes', now() + interval '1 hour', 9, 'on purpose')",
                    )
                    .await;
                session.close().await;
            })
        },
        ..NOTHING
    },
    Fault {
        name: "fewer than 100 identifies are left",
        tells: &["EventideIdentifyBudgetLow"],
        world: |world| world.gateway.identify_total = 60,
        from_the_start: true,
        ..NOTHING
    },
    Fault {
        name: "the replica does not answer",
        tells: &["EventideReplicaUnused"],
        settings: &[(
            "EVENTIDE__DATABASE__READ_URL",
            "postgresql://eventide@127.0.0.1:1/eventide?sslmode=disable",
        )],
        from_the_start: true,
        ..NOTHING
    },
    Fault {
        name: "the process is taken for dead",
        tells: &["EventideLeaseChurn"],
        follows: &["EventideShardDown"],
        cause: |stage| {
            Box::pin(async {
                let session = stage.session().await;
                session.execute("DELETE FROM fleet_process").await;
                session.close().await;
            })
        },
        ..NOTHING
    },
    Fault {
        name: "PostgreSQL refuses the role",
        tells: &["EventideRefused"],
        follows: &[
            "EventideFlushFailing",
            "EventidePoolWaiting",
            "EventideCheckpointLag",
        ],
        cause: |stage| {
            Box::pin(async {
                let session = stage.session().await;
                session
                    .execute(
                        "DO $$ BEGIN EXECUTE format('ALTER ROLE %I NOLOGIN', current_user); END $$;
                             SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                             WHERE usename = current_user AND pid <> pg_backend_pid()",
                    )
                    .await;
                session.close().await;
            })
        },
        ..NOTHING
    },
    Fault {
        name: "Discord refuses the token",
        tells: &["EventideRefused"],
        settings: ANNOUNCING,
        cause: |stage| {
            Box::pin(async {
                stage.discord.control().add_fault(RestFault {
                    // Of all routes, or the probe would find that the token is accepted.
                    route: "*".to_owned(),
                    count: None,
                    delay_ms: 0,
                    kind: RestFaultKind::Status(401),
                });
            })
        },
        ..NOTHING
    },
    Fault {
        name: "PostgreSQL refuses some members' rows",
        tells: &["EventideQuarantine"],
        cause: |stage| {
            Box::pin(async {
                let session = stage.session().await;
                session
                    .execute("ALTER TABLE member_xp ADD CONSTRAINT odd CHECK (user_id % 3 <> 0) NOT VALID")
                    .await;
                session.close().await;
            })
        },
        mend: Some(|stage| {
            Box::pin(async {
                let session = stage.session().await;
                session.execute("ALTER TABLE member_xp DROP CONSTRAINT odd").await;
                session.close().await;
                printed(&stage.scene, &["quarantine", "retry", "--all"]).await;
            })
        }),
        follows: &["EventideFlushFailing"],
        ..NOTHING
    },
    Fault {
        name: "Discord renames a field",
        tells: &["EventideUnreadable"],
        settings: &[
            ("EVENTIDE__LEVELS__XP_PER_MESSAGE", "[100, 120]"),
            ("EVENTIDE__LEVELS__ANNOUNCE", "direct"),
        ],
        cause: |stage| {
            Box::pin(async {
                stage.discord.control().add_fault(RestFault {
                    route: "POST /users/@me/channels".to_owned(),
                    count: None,
                    delay_ms: 0,
                    kind: RestFaultKind::WithoutField("id".to_owned()),
                });
            })
        },
        ..NOTHING
    },
    Fault {
        name: "the last backup is two days old",
        tells: &["EventideBackupTooOld"],
        cause: |stage| {
            Box::pin(async {
                let session = stage.session().await;
                session
                    .execute("INSERT INTO last_backup (started_at) VALUES (now() - interval '2 days')")
                    .await;
                session.close().await;
            })
        },
        mend: Some(|stage| {
            Box::pin(async {
                let out = format!("{}/backups/", stage.directory.path().display());
                fs::create_dir(&out).expect("a directory");
                printed(&stage.scene, &["backup", "--quiet", "--out", &out]).await;
            })
        }),
        ..NOTHING
    },
];
