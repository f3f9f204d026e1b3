//! The limits of IDENTIFY.

use std::time::Duration;

use discord_simulator::{
    GatewayRules,
    IdentifyOutcome::{self, Ready, TooSoon},
    SimulatorConfig,
};

use super::{
    client::{Client, MESSAGES},
    http::call,
    small, start,
};

#[tokio::test]
async fn one_identify_a_bucket_and_window() {
    let gateway = GatewayRules {
        max_concurrency: 2,
        identify_window: Duration::from_millis(400),
        ..GatewayRules::default()
    };
    let simulator = start(SimulatorConfig {
        shards: 4,
        gateway,
        ..small()
    })
    .await;
    Client::login(&simulator, MESSAGES, [0, 4]).await;
    // The other bucket is free.
    Client::login(&simulator, MESSAGES, [1, 4]).await;
    // The same connection may try again until the window is over.
    let mut early = Client::connect(&simulator).await;
    let mut refused = 0;
    loop {
        early.identify(MESSAGES, [2, 4]).await;
        let answer = early.json().await;
        if answer["t"] == "READY" {
            break;
        }
        assert_eq!((&answer["op"], &answer["d"]), (&9.into(), &false.into()));
        refused += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(refused > 0);
    let stats = simulator.control().stats();
    let of_bucket: Vec<_> = stats.identifies.iter().filter(|it| it.shard % 2 == 0).collect();
    assert_eq!((of_bucket[0].outcome, of_bucket[1].outcome), (Ready, TooSoon));
    let last = of_bucket.last().unwrap();
    assert_eq!(last.outcome, Ready);
    assert!(last.at_ms - of_bucket[0].at_ms >= 399);
    assert_eq!(
        (stats.identify_violations(), stats.sessions_started()),
        (refused, 3)
    );
    simulator.stop().await;
}

#[tokio::test]
async fn the_daily_budget_runs_out() {
    let gateway = GatewayRules {
        identify_total: 2,
        ..GatewayRules::default()
    };
    let simulator = start(SimulatorConfig {
        shards: 3,
        gateway,
        ..small()
    })
    .await;
    for shard in 0..2 {
        Client::login(&simulator, MESSAGES, [shard, 3]).await;
    }
    let answer = call(&simulator.rest_url(), "GET", "/api/v10/gateway/bot", None)
        .await
        .json();
    let limit = &answer["session_start_limit"];
    assert_eq!(
        (limit["total"].as_u64(), limit["remaining"].as_u64()),
        (Some(2), Some(0))
    );
    assert!(limit["reset_after"].as_u64().unwrap() > 86_000_000);
    let mut third = Client::connect(&simulator).await;
    third.identify(MESSAGES, [2, 3]).await;
    assert_eq!(third.op(9).await["d"], false);
    assert_eq!(
        simulator.control().stats().identifies[2].outcome,
        IdentifyOutcome::BudgetUsedUp
    );
    simulator.stop().await;
}
