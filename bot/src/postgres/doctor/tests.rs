//! Findings for given states of a server.

use std::{collections::HashMap, time::Duration};

use super::{
    finding::{Finding, Verdict, size},
    server, tables,
};
use crate::{
    config::Config,
    postgres::catalog::{Index, Server, Sessions, Table},
};

fn healthy() -> Server {
    Server {
        version: 170_002,
        local: true,
        ..Server::default()
    }
}

fn told(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn worst(findings: &[Finding]) -> Verdict {
    findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .expect("something was found")
}

#[test]
fn an_old_server_and_a_standby_are_refused() {
    assert_eq!(server::version(&healthy()).verdict, Verdict::Good);
    for server in [
        Server {
            version: 140_010,
            ..healthy()
        },
        Server {
            in_recovery: true,
            ..healthy()
        },
    ] {
        let finding = server::version(&server);
        assert_eq!(finding.verdict, Verdict::Bad);
        assert!(!finding.advice.is_empty());
    }
}

#[test]
fn each_harmful_setting_is_named() {
    assert_eq!(worst(&server::settings(&healthy(), &told(&[]))), Verdict::Good);
    for (name, value, verdict) in [
        ("fsync", "off", Verdict::Bad),
        ("full_page_writes", "off", Verdict::Bad),
        ("autovacuum", "off", Verdict::Bad),
        ("track_counts", "off", Verdict::Bad),
        ("synchronous_commit", "off", Verdict::Warning),
        ("jit", "on", Verdict::Warning),
        ("plan_cache_mode", "force_custom_plan", Verdict::Warning),
        ("default_transaction_read_only", "on", Verdict::Warning),
        ("log_statement", "all", Verdict::Warning),
        ("shared_buffers", "128", Verdict::Warning),
        ("max_wal_size", "80", Verdict::Warning),
        ("maintenance_work_mem", "1024", Verdict::Warning),
        ("autovacuum_naptime", "86400", Verdict::Warning),
    ] {
        let findings = server::settings(&healthy(), &told(&[(name, value)]));
        assert_eq!(worst(&findings), verdict, "{name}");
        assert_eq!(findings.len(), 1, "{name}");
        assert!(findings[0].found.starts_with(name), "{}", findings[0].found);
    }
}

#[test]
fn clocks_and_distance() {
    let near = server::connection(&healthy(), false);
    assert_eq!(worst(&near), Verdict::Good);
    let skewed = Server {
        clock_ahead_s: -3.0,
        ..healthy()
    };
    assert!(
        server::connection(&skewed, false)
            .iter()
            .any(|f| f.about == "clock" && f.verdict == Verdict::Warning)
    );
    // A difference that can be explained by the round trip is not reported.
    let far = Server {
        clock_ahead_s: 0.9,
        round_trip: Duration::from_secs(1),
        ..healthy()
    };
    let far = server::connection(&far, false);
    assert!(
        far.iter()
            .any(|f| f.about == "clock" && f.verdict == Verdict::Good)
    );
    assert!(
        far.iter()
            .any(|f| f.about == "connection" && f.verdict == Verdict::Warning)
    );
    let superuser = Server {
        superuser: true,
        ..healthy()
    };
    assert_eq!(
        worst(&server::connection(&superuser, true)),
        Verdict::Good,
        "the private one is its own"
    );
    assert_eq!(worst(&server::connection(&superuser, false)), Verdict::Warning);
}

#[test]
fn connections_are_counted_with_those_to_come() {
    let database = Config::defaults().database;
    let settings = told(&[("max_connections", "20"), ("superuser_reserved_connections", "3")]);
    let with = |all, eventide| {
        let sessions = Sessions {
            all,
            eventide,
            ..Sessions::default()
        };
        worst(&server::sessions(&sessions, &settings, &database, 1))
    };
    assert_eq!(with(5, 5), Verdict::Good);
    assert_eq!(with(15, 5), Verdict::Warning);
    assert_eq!(with(15, 1), Verdict::Bad);
    let stuck = Sessions {
        oldest_transaction: Some((1_000.0, "psql".to_owned())),
        idle_slots: vec![("old".to_owned(), 1 << 30)],
        ..Sessions::default()
    };
    let findings = server::sessions(&stuck, &settings, &database, 1);
    assert!(findings.iter().any(|f| f.found.contains("psql")));
    assert!(findings.iter().any(|f| f.found.contains("1 GB")));
}

#[test]
fn connections_of_the_whole_fleet_and_what_limits_them() {
    let database = Config::defaults().database;
    let settings = told(&[
        ("max_connections", "100"),
        ("superuser_reserved_connections", "3"),
    ]);
    let with = |processes, connection_limit| {
        let sessions = Sessions {
            all: 10,
            eventide: 5,
            connection_limit,
            ..Sessions::default()
        };
        worst(&server::sessions(&sessions, &settings, &database, processes))
    };
    // Each process has a pool of 5 and a connection that listens.
    assert_eq!(with(1, None), Verdict::Good);
    assert_eq!(with(15, None), Verdict::Good);
    assert_eq!(with(16, None), Verdict::Bad);
    assert_eq!(with(1, Some(6)), Verdict::Good);
    assert_eq!(with(1, Some(5)), Verdict::Bad);
    assert_eq!(with(2, Some(6)), Verdict::Bad);
}

#[test]
fn a_synchronous_standby_that_is_not_there() {
    let database = Config::defaults().database;
    let with = |names, standbys| {
        let settings = told(&[("max_connections", "100"), ("synchronous_standby_names", names)]);
        let sessions = Sessions {
            standbys,
            ..Sessions::default()
        };
        worst(&server::sessions(&sessions, &settings, &database, 1))
    };
    assert_eq!(with("", 0), Verdict::Good);
    assert_eq!(with("one", 1), Verdict::Good);
    assert_eq!(with("one", 0), Verdict::Bad);
}

#[test]
fn bloat_and_broken_indexes() {
    let table = Table {
        name: "member_xp".to_owned(),
        live: 1_000_000,
        bytes: 100 << 20,
        expected_bytes: 90 << 20,
        updates: 1_000_000,
        hot_updates: 990_000,
        ..Table::default()
    };
    assert_eq!(
        worst(&tables::tables(std::slice::from_ref(&table))),
        Verdict::Good
    );
    for sick in [
        Table {
            hot_updates: 100_000,
            ..table.clone()
        },
        Table {
            dead: 900_000,
            ..table.clone()
        },
        Table {
            bytes: 300 << 20,
            ..table.clone()
        },
    ] {
        assert_eq!(
            worst(&tables::tables(std::slice::from_ref(&sick))),
            Verdict::Warning,
            "{sick:?}"
        );
    }
    let index = Index {
        name: "i".to_owned(),
        valid: true,
        bytes: 50 << 20,
        expected_bytes: 40 << 20,
        ..Index::default()
    };
    assert_eq!(
        worst(&tables::indexes(std::slice::from_ref(&index))),
        Verdict::Good
    );
    let broken = Index {
        valid: false,
        ..index.clone()
    };
    assert_eq!(worst(&tables::indexes(&[broken])), Verdict::Bad);
    let bloated = Index {
        bytes: 150 << 20,
        ..index
    };
    assert_eq!(worst(&tables::indexes(&[bloated])), Verdict::Warning);
}

#[test]
fn sizes_read_well() {
    for (bytes, text) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 kB"),
        (1536, "1.5 kB"),
        (128 << 20, "128 MB"),
        (5 << 40, "5 TB"),
    ] {
        assert_eq!(size(bytes), text);
    }
}
