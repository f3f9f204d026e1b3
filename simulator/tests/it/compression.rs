//! Transport compression, and that it changes nothing else.

use discord_simulator::{GatewayRules, SimulatorConfig};

use super::{
    client::{Client, Dispatch, MESSAGES},
    rules, small, start,
};

async fn events(query: &str, config: SimulatorConfig) -> (Vec<Dispatch>, u64) {
    let simulator = start(config).await;
    let mut client = Client::connect_with(&simulator, query).await;
    client.identify(MESSAGES, [0, 1]).await;
    let mut all = client.ready().await.split_off(1);
    let control = simulator.control();
    control.generate(3_000);
    assert!(
        control
            .wait_until(|stats| stats.generated == 3_000, super::PATIENCE)
            .await
    );
    let last = control.sessions()[0].last_seq;
    all.extend(client.dispatches(last - client.seq).await);
    let bytes = control.stats().bytes_sent;
    simulator.stop().await;
    (all, bytes)
}

#[tokio::test]
async fn all_transports_carry_the_same_events_and_a_seed_decides_them() {
    let (plain, plain_bytes) = events("?v=10&encoding=json", small()).await;
    for compression in ["zstd-stream", "zlib-stream"] {
        let query = format!("?v=10&encoding=json&compress={compression}");
        let (compressed, bytes) = events(&query, small()).await;
        // This also is the proof that the same seed gives the same world and the same traffic.
        assert!(compressed == plain, "{compression} carries other events");
        assert!(
            bytes < plain_bytes / 3,
            "{compression} took {bytes} of {plain_bytes} bytes"
        );
    }
    let (other, _) = events("?v=10&encoding=json", SimulatorConfig { seed: 43, ..small() }).await;
    assert!(other != plain);
}

#[tokio::test]
async fn plain_text_can_be_forced() {
    let gateway = GatewayRules {
        plain_text: true,
        ..rules()
    };
    let simulator = start(SimulatorConfig { gateway, ..small() }).await;
    // The client asks for compression and takes text frames as they are.
    let mut client = Client::connect_with(&simulator, "?v=10&encoding=json&compress=zstd-stream").await;
    client.identify(MESSAGES, [0, 1]).await;
    client.ready().await;
    simulator.stop().await;
}
