//! RESUME: exactly what came after, nothing else.

use std::time::Duration;

use discord_simulator::{Duplicate, GatewayRules, PrunedResume, Refusal, Simulator, SimulatorConfig};
use serde_json::json;

use super::{
    PATIENCE,
    client::{Came, Client, Dispatch, MESSAGES},
    rules, small, start,
};

async fn generate(simulator: &Simulator, events: u64) {
    let control = simulator.control();
    let before = control.stats().generated;
    control.generate(events);
    assert!(
        control
            .wait_until(|stats| stats.generated >= before + events, PATIENCE)
            .await
    );
}

fn without_seq(events: &[Dispatch]) -> Vec<(&str, &serde_json::Value)> {
    events
        .iter()
        .filter(|event| event.event != "RESUMED")
        .map(|event| (event.event.as_str(), &event.data))
        .collect()
}

#[tokio::test]
async fn a_resume_replays_exactly_what_came_after() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut witness = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    generate(&simulator, 2_000).await;
    let mut got = client.dispatches(700).await;
    assert_eq!(control.drop_connections(Some(0)), 2);
    generate(&simulator, 1_500).await;

    // Twice from the same point: a replay is as often as one asks.
    let mut first = Client::resume(&simulator, &client.session_id, client.seq).await;
    first.dispatches(300).await;
    assert!(first.session_id == client.session_id);
    let mut again = Client::resume(&simulator, &client.session_id, client.seq).await;
    assert!(control.wait_until(|stats| stats.resumes == 2, PATIENCE).await);
    let last = control.sessions()[1].last_seq;
    let events = again.dispatches(last - client.seq).await;
    assert_eq!(events.iter().filter(|event| event.event == "RESUMED").count(), 2);
    assert_eq!(events.last().unwrap().event, "RESUMED");
    got.extend(events);

    let mut resumed = Client::resume(&simulator, &witness.session_id, witness.seq).await;
    assert!(control.wait_until(|stats| stats.resumes == 3, PATIENCE).await);
    let last = control.sessions()[0].last_seq;
    let seen = resumed.dispatches(last - witness.seq).await;
    assert_eq!(without_seq(&got), without_seq(&seen));
    witness.seq = resumed.seq;
    assert_eq!(
        (control.stats().resumes, control.stats().identifies.len()),
        (3, 2)
    );
    simulator.stop().await;
}

#[tokio::test]
async fn each_resume_tells_how_long_the_session_was_without_a_connection() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    // From a connection that is open.
    let mut taken = Client::resume(&simulator, &client.session_id, client.seq).await;
    taken.dispatches(1).await;
    control.drop_connections(None);
    let gone = |stats: &discord_simulator::Stats| stats.connections_open == 0;
    assert!(control.wait_until(gone, PATIENCE).await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut resumed = Client::resume(&simulator, &client.session_id, taken.seq).await;
    resumed.dispatches(1).await;
    let all = control.resumes();
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].shard, all[0].shards, all[0].away_ms), (0, 1, 0));
    assert!(all[1].away_ms >= 50, "{all:?}");
    assert!(all[1].at_ms >= all[0].at_ms, "{all:?}");
    simulator.stop().await;
}

#[tokio::test]
async fn a_resume_ahead_of_the_session_is_4007() {
    let simulator = start(small()).await;
    let client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let mut ahead = Client::resume(&simulator, &client.session_id, client.seq + 1).await;
    assert_eq!(ahead.closed().await, 4007);
    simulator.stop().await;
}

#[tokio::test]
async fn what_ends_a_session_and_what_keeps_it() {
    let gateway = GatewayRules {
        session_ttl: Duration::from_millis(300),
        ..rules()
    };
    let simulator = start(SimulatorConfig { gateway, ..small() }).await;
    let control = simulator.control();
    for (code, alive) in [(1000, false), (1001, false), (4000, true), (3000, true)] {
        let client = Client::login(&simulator, MESSAGES, [0, 1]).await;
        let (session, seq) = (client.session_id.clone(), client.seq);
        client.close(code).await;
        assert!(
            control
                .wait_until(|stats| stats.connections_open == 0, PATIENCE)
                .await
        );
        assert_eq!(control.stats().client_closes[&code], 1);
        let mut resumed = Client::resume(&simulator, &session, seq).await;
        if alive {
            assert_eq!(resumed.dispatch().await.event, "RESUMED");
        } else {
            assert_eq!(resumed.op(9).await["d"], false);
        }
        drop(resumed);
        assert!(
            control
                .wait_until(|stats| stats.connections_open == 0, PATIENCE)
                .await
        );
    }
    // The kept ones end as well when nobody comes back in time.
    assert!(
        control
            .wait_until(|stats| stats.sessions_live == 0, PATIENCE)
            .await
    );
    let last = control.sessions().pop().unwrap();
    control.change_gateway(|rules| rules.lost_session = Refusal::Close(4009));
    let mut late = Client::resume(&simulator, &last.id, last.last_seq).await;
    assert_eq!(late.closed().await, 4009);
    simulator.stop().await;
}

#[tokio::test]
async fn a_lost_session_has_missed_events_and_a_kept_one_has_not() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    drop(client);
    assert!(
        control
            .wait_until(|stats| stats.connections_open == 0, PATIENCE)
            .await
    );
    generate(&simulator, 100).await;
    assert_eq!(control.stats().missed, 0);
    assert_eq!(control.kill_sessions(None), 1);
    generate(&simulator, 100).await;
    assert_eq!(control.stats().missed, 100);
    simulator.stop().await;
}

#[tokio::test]
async fn op_7_and_op_9() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    assert_eq!(control.reconnect(Some(1)), 0);
    assert_eq!(control.reconnect(Some(0)), 1);
    client.op(7).await;
    control.invalidate(None, true);
    assert_eq!(client.op(9).await["d"], true);
    let mut resumed = Client::resume(&simulator, &client.session_id, client.seq).await;
    assert_eq!(resumed.dispatch().await.event, "RESUMED");
    control.invalidate(None, false);
    assert_eq!(resumed.op(9).await["d"], false);
    let mut refused = Client::resume(&simulator, &client.session_id, client.seq).await;
    assert_eq!(refused.op(9).await["d"], false);
    simulator.stop().await;
}

#[tokio::test]
async fn a_resume_below_the_buffer_is_refused() {
    let gateway = GatewayRules {
        replay_limit: 500,
        ..rules()
    };
    let simulator = start(SimulatorConfig { gateway, ..small() }).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let start_seq = client.seq;
    generate(&simulator, 1_000).await;
    let last = control.sessions()[0].last_seq;
    client.dispatches(last - start_seq).await;
    let mut refused = Client::resume(&simulator, &client.session_id, last - 501).await;
    assert_eq!(refused.op(9).await["d"], false);
    control.change_gateway(|rules| rules.below_buffer = Refusal::Close(4007));
    let mut refused = Client::resume(&simulator, &client.session_id, last - 501).await;
    assert_eq!(refused.closed().await, 4007);
    let mut resumed = Client::resume(&simulator, &client.session_id, last - 500).await;
    assert_eq!(resumed.dispatches(501).await[500].event, "RESUMED");
    simulator.stop().await;
}

#[tokio::test]
async fn a_heartbeat_can_make_the_session_forget() {
    let gateway = GatewayRules {
        heartbeat_prunes: true,
        ..rules()
    };
    let simulator = start(SimulatorConfig { gateway, ..small() }).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let checkpoint = client.seq;
    generate(&simulator, 400).await;
    client.dispatches(200).await;
    client.send(&json!({"op": 1, "d": client.seq})).await;
    assert!(control.wait_until(|stats| stats.heartbeats == 1, PATIENCE).await);

    let mut resumed = Client::resume(&simulator, &client.session_id, checkpoint).await;
    let first = resumed.json().await;
    assert_eq!(
        first["s"].as_u64(),
        Some(client.seq + 1),
        "what was acknowledged is left out"
    );
    assert_eq!(control.stats().pruned_and_lost, 200);

    control.change_gateway(|rules| rules.pruned_resume = PrunedResume::InvalidSession);
    let mut refused = Client::resume(&simulator, &client.session_id, checkpoint).await;
    assert_eq!(refused.op(9).await["d"], false);
    simulator.stop().await;
}

#[tokio::test]
async fn a_second_connection_takes_the_session_over() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut old = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let mut new = Client::resume(&simulator, &old.session_id, old.seq).await;
    assert_eq!(new.dispatch().await.event, "RESUMED");
    assert_eq!(old.closed().await, 4000);

    control.change_gateway(|rules| rules.duplicate = Duplicate::LeaveOpen);
    let mut third = Client::resume(&simulator, &new.session_id, new.seq).await;
    assert_eq!(third.dispatch().await.event, "RESUMED");
    generate(&simulator, 50).await;
    let last = control.sessions()[0].last_seq;
    third.dispatches(last - third.seq).await;
    // The old one is still served, but gets no events.
    new.send(&json!({"op": 1, "d": new.seq})).await;
    let Came::Text(text) = new.came().await else {
        panic!("an answer should have come")
    };
    assert!(text.contains("\"op\":11"), "{text}");
    simulator.stop().await;
}
