//! The oracle against a slow and simple model that reads the events as a bot would.

use std::collections::{BTreeMap, HashMap};

use discord_simulator::{
    GatewayRules, LevelRules, MemberState, Members, OracleError, Report, Row, SimulatorConfig, Traffic,
};

use super::{
    PATIENCE,
    client::{Client, Dispatch, MESSAGES},
    rules, small, start,
};

/// The rules as the documentation tells them, on the JSON of the events.
fn model(rules: LevelRules, events: &[Dispatch]) -> Members {
    let mut members = BTreeMap::new();
    for Dispatch { event, data, .. } in events {
        let human = data["author"]["bot"] != true && data["webhook_id"].is_null();
        let counted = event == "MESSAGE_CREATE" && human && (data["type"] == 0 || data["type"] == 19);
        let (true, Some(guild)) = (counted, data["guild_id"].as_str()) else {
            continue;
        };
        let id: u64 = data["id"].as_str().unwrap().parse().unwrap();
        let key = (
            guild.parse().unwrap(),
            data["author"]["id"].as_str().unwrap().parse().unwrap(),
        );
        let state: &mut MemberState = members.entry(key).or_default();
        state.message_count += 1;
        let time = (id >> 22) + 1_420_070_400_000;
        let rested = match state.last_award_ms {
            None => true,
            Some(last) => rules.cooldown_ms == 0 || time >= last + rules.cooldown_ms,
        };
        if rested {
            let mut hash = id.wrapping_add(0x9E37_79B9_7F4A_7C15);
            hash = (hash ^ hash >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            hash = (hash ^ hash >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            hash ^= hash >> 31;
            let width = u128::from(rules.xp_max - rules.xp_min + 1);
            state.xp += rules.xp_min + u64::try_from((u128::from(hash) * width) >> 64).unwrap();
            state.last_award_ms = Some(time);
        }
    }
    members
}

fn rows(members: &Members) -> Vec<Row> {
    members
        .iter()
        .map(|(&(guild_id, user_id), &state)| Row {
            guild_id,
            user_id,
            state,
        })
        .collect()
}

#[tokio::test]
async fn the_oracle_is_the_model() {
    for cooldown_ms in [0, 60_000] {
        let levels = LevelRules {
            cooldown_ms,
            ..LevelRules::default()
        };
        let traffic = Traffic {
            same_millisecond: 0.1,
            webhooks: 0.05,
            direct: 0.05,
            ..Traffic::default()
        };
        let simulator = start(SimulatorConfig {
            shards: 2,
            levels,
            traffic,
            generate_gap_ms: 40.0,
            ..small()
        })
        .await;
        let control = simulator.control();
        let mut clients = [
            Client::login(&simulator, MESSAGES, [0, 2]).await,
            Client::login(&simulator, MESSAGES, [1, 2]).await,
        ];
        control.generate(10_000);
        assert!(
            control
                .wait_until(|stats| stats.generated == 10_000, PATIENCE)
                .await
        );
        let mut events = Vec::new();
        for (client, session) in clients.iter_mut().zip(control.sessions()) {
            events.extend(client.dispatches(session.last_seq - client.seq).await);
        }
        let expected = model(levels, &events);
        let report = simulator.oracle().compare(rows(&expected));
        assert!(report.is_exact(), "{report}");
        assert!(report.sent > 7_000);
        assert_eq!(
            (report.sent, report.counted),
            (simulator.oracle().sent(), report.sent)
        );
        let total: u64 = expected.values().map(|state| state.xp).sum();
        if cooldown_ms == 0 {
            assert!(total > report.sent * 19, "every message earns about 20 XP");
        } else {
            assert!(total < report.sent * 15, "the cooldown holds some back");
        }
        assert_eq!(simulator.oracle().expected_at(&HashMap::new()).unwrap(), expected);
        simulator.stop().await;
    }
}

#[tokio::test]
async fn a_sequence_limits_what_counts() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    control.generate(2_000);
    assert!(
        control
            .wait_until(|stats| stats.generated == 2_000, PATIENCE)
            .await
    );
    let last = control.sessions()[0].last_seq;
    let events = client.dispatches(last - client.seq).await;
    let limit = events[events.len() / 3].seq;
    let part: Vec<Dispatch> = events
        .iter()
        .filter(|event| event.seq <= limit)
        .cloned()
        .collect();
    let limits = HashMap::from([(client.session_id.clone(), limit)]);
    let expected = simulator.oracle().expected_at(&limits).unwrap();
    assert_eq!(expected, model(LevelRules::default(), &part));
    let report = simulator.oracle().compare(rows(&expected));
    assert!(report.lost > 0 && report.doubled == 0);
    assert_eq!(report.lost, report.sent - report.counted);

    // What nobody could get counts only for those who read it back.
    control.kill_sessions(None);
    control.generate(500);
    assert!(
        control
            .wait_until(|stats| stats.generated == 2_500, PATIENCE)
            .await
    );
    let oracle = simulator.oracle();
    let count = |members: Members| -> u64 { members.values().map(|state| state.message_count).sum() };
    let (without, with) = (
        count(oracle.expected_at(&HashMap::new()).unwrap()),
        count(oracle.expected_with_missed(&HashMap::new()).unwrap()),
    );
    assert_eq!(without, oracle.sent());
    assert!((300..500).contains(&(with - without)));
    let channel = simulator.world().guilds()[0].channels()[0].id;
    let but = count(
        oracle
            .expected_with_missed_in(&HashMap::new(), |id| id != channel)
            .unwrap(),
    );
    let only = count(
        oracle
            .expected_with_missed_in(&HashMap::new(), |id| id == channel)
            .unwrap(),
    );
    assert!(but < with && only > without);
    assert_eq!((with - but) + (with - only), with - without);
    simulator.stop().await;
}

#[tokio::test]
async fn an_event_in_two_sessions_counts_once() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let _one = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let _two = Client::login(&simulator, MESSAGES, [1, 2]).await;
    control.generate(1_000);
    assert!(
        control
            .wait_until(|stats| stats.generated == 1_000, PATIENCE)
            .await
    );
    let oracle = simulator.oracle();
    let whole = oracle.expected();
    let sum: u64 = whole.values().map(|state| state.message_count).sum();
    assert_eq!(sum, oracle.sent());
    assert!(oracle.sent() <= 1_000);
    let limits = HashMap::from([(control.sessions()[1].id.clone(), 0)]);
    assert_eq!(oracle.expected_at(&limits).unwrap(), whole);
    simulator.stop().await;
}

#[tokio::test]
async fn a_forgotten_history_is_said_and_not_guessed() {
    let gateway = GatewayRules {
        history_limit: 1_000,
        ..rules()
    };
    let simulator = start(SimulatorConfig { gateway, ..small() }).await;
    let control = simulator.control();
    let _client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    control.generate(60_000);
    assert!(
        control
            .wait_until(
                |stats| stats.generated == 60_000 && stats.history < 40_000,
                PATIENCE
            )
            .await
    );
    assert_eq!(
        simulator.oracle().expected_at(&HashMap::new()),
        Err(OracleError::HistoryForgotten)
    );
    let expected = simulator.oracle().expected();
    assert!(Report::new(&expected, rows(&expected)).is_exact());
    simulator.stop().await;
}
