//! With paused time, a wait lasts exactly as long as the limits say.

mod refused;

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Turn, Turns};
use crate::{
    discord::rest::{
        Priority::{self, Background, Command, Effect, Interaction},
        limits::{Limited, Scope, Seen, Standing},
        route::Route,
        schedule::{Refusal, Rules},
    },
    telemetry::task::Task,
};

const RULES: Rules = Rules {
    per_second: 50,
    invalid: 5_000,
    proxied: false,
};

/// Much shorter than any wait in these tests.
const NOW: Duration = Duration::from_millis(1);

fn turns(rules: Rules) -> (std::sync::Arc<Turns>, Task<()>) {
    Turns::start(rules)
}

fn channel(id: u32) -> Route {
    Route::of("POST", &format!("channels/{id}/messages"))
}

fn callback(id: u32) -> Route {
    Route::of("POST", &format!("interactions/{id}/token/callback"))
}

fn ok(remaining: u32, reset_after_ms: u64) -> Seen {
    Seen {
        status: Some(200),
        bucket: Some(Standing {
            bucket: 9,
            remaining,
            reset_after: Duration::from_millis(reset_after_ms),
        }),
        ..Seen::default()
    }
}

fn limited(scope: Scope, retry_after_ms: u64) -> Seen {
    Seen {
        status: Some(429),
        limited: Some(Limited {
            scope,
            retry_after: Duration::from_millis(retry_after_ms),
        }),
        ..Seen::default()
    }
}

fn status(status: u16) -> Seen {
    Seen {
        status: Some(status),
        ..Seen::default()
    }
}

/// The turn, if it is issued without a wait.
async fn at_once(turns: &std::sync::Arc<Turns>, route: &Route, priority: Priority) -> Option<Turn> {
    timeout(NOW, turns.wait(route, priority))
        .await
        .ok()
        .map(|turn| turn.expect("not refused"))
}

/// A turn, and how long it took.
async fn waited(turns: &std::sync::Arc<Turns>, route: &Route, priority: Priority) -> (Turn, Duration) {
    let since = Instant::now();
    let turn = turns.wait(route, priority).await.expect("not refused");
    (turn, since.elapsed())
}

/// Make the bucket of the route known, with an unused limit.
async fn learn(turns: &std::sync::Arc<Turns>, route: &Route) {
    let (turn, _) = waited(turns, route, Command).await;
    turn.finish(&ok(100, 0));
    sleep(Duration::from_secs(3)).await;
}

fn assert_about(found: Duration, expected_ms: u64) {
    let expected = Duration::from_millis(expected_ms);
    // Timers have a resolution of milliseconds and round up.
    let late = found.checked_sub(expected).expect("never too early");
    assert!(
        late <= Duration::from_millis(2),
        "{found:?} instead of {expected:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_route_has_one_request_under_way() {
    let (turns, _task) = turns(RULES);
    let first = at_once(&turns, &channel(1), Command).await.expect("a turn");
    assert!(at_once(&turns, &channel(2), Command).await.is_none());
    assert!(
        at_once(&turns, &Route::of("GET", "users/@me"), Command)
            .await
            .is_some(),
        "another route"
    );
    // A failure teaches nothing about the bucket.
    first.finish(&Seen::default());
    let second = at_once(&turns, &channel(2), Command).await.expect("a turn");
    assert!(at_once(&turns, &channel(3), Command).await.is_none());
    // The waiting requests are now issued per channel.
    let waiting: JoinSet<_> = [1, 1, 3, 4]
        .map(|id| {
            let turns = std::sync::Arc::clone(&turns);
            async move { turns.wait(&channel(id), Command).await.expect("a turn") }
        })
        .into_iter()
        .collect();
    sleep(NOW).await;
    second.finish(&ok(4, 1_000));
    let mut waiting = waiting;
    let mut given = Vec::new();
    while let Ok(Some(turn)) = timeout(NOW, waiting.join_next()).await {
        given.push(turn.expect("no panic"));
    }
    assert_eq!(given.len(), 3, "one each for the channels 1, 3 and 4");
}

#[tokio::test(start_paused = true)]
async fn an_empty_bucket_waits_for_its_reset_and_others_do_not() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    waited(&turns, &channel(1), Command).await.0.finish(&ok(0, 1_500));
    assert!(at_once(&turns, &channel(2), Command).await.is_some());
    let (turn, wait) = waited(&turns, &channel(1), Command).await;
    assert_about(wait + NOW, 1_500);
    // This one has no response, but counts: of the remaining one, none is left.
    turn.finish(&ok(1, 1_000));
    drop(at_once(&turns, &channel(1), Command).await.expect("the last one"));
    let (_, wait) = waited(&turns, &channel(1), Command).await;
    assert_about(wait, 1_000);
}

#[tokio::test(start_paused = true)]
async fn routes_that_share_a_bucket_share_its_standing() {
    let (turns, _task) = turns(RULES);
    let other = Route::of("PATCH", "channels/1/messages/5");
    learn(&turns, &channel(1)).await;
    learn(&turns, &other).await;
    waited(&turns, &channel(1), Command).await.0.finish(&ok(0, 700));
    let (_, wait) = waited(&turns, &other, Command).await;
    assert_about(wait, 700);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_first_come_first_served_and_the_urgent_pass() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    let held = at_once(&turns, &channel(1), Effect).await.expect("a turn");
    let (sender, mut order) = tokio::sync::mpsc::channel(10);
    let mut tasks = JoinSet::new();
    for (name, priority) in [
        ("a", Effect),
        ("b", Effect),
        ("c", Background),
        ("d", Effect),
        ("e", Command),
    ] {
        let (turns, sender) = (std::sync::Arc::clone(&turns), sender.clone());
        tasks.spawn(async move {
            let turn = turns.wait(&channel(1), priority).await.expect("a turn");
            sender.send(name).await.expect("room");
            turn.finish(&ok(100, 0));
        });
        sleep(NOW).await;
    }
    drop(sender);
    held.finish(&ok(100, 0));
    let mut served = String::new();
    while let Some(name) = order.recv().await {
        served.push_str(name);
    }
    assert_eq!(served, "eabdc");
}

#[tokio::test(start_paused = true)]
async fn a_429_keeps_its_place_and_waits_as_told() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    for scope in [Scope::User, Scope::Shared] {
        let turn = at_once(&turns, &channel(1), Command).await.expect("a turn");
        let route = channel(1);
        let mut next = Box::pin(turns.wait(&route, Command));
        assert!(timeout(NOW, &mut next).await.is_err(), "it waits in line");
        let since = Instant::now();
        let seen = limited(scope, 900);
        let again = turn.again(&seen);
        let (again_at, next_at) = tokio::join!(
            async {
                let turn = again.await.expect("a turn");
                let at = since.elapsed();
                sleep(Duration::from_millis(10)).await;
                turn.finish(&ok(100, 0));
                at
            },
            async {
                next.await.expect("a turn").finish(&ok(100, 0));
                since.elapsed()
            }
        );
        assert_about(again_at, 900);
        assert!(next_at >= again_at + Duration::from_millis(10));
    }
}

/// The worker that delivers an effect can serve another lane meanwhile.
#[tokio::test(start_paused = true)]
async fn an_effect_does_not_wait_for_a_closed_bucket() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    let turn = at_once(&turns, &channel(1), Effect).await.expect("a turn");
    let route = channel(1);
    let closed = Some(Refusal::After(Duration::from_secs(5)));
    let (effect, command, ()) = tokio::join!(
        turns.wait(&route, Effect),
        waited(&turns, &route, Command),
        async {
            sleep(NOW).await;
            turn.finish(&ok(0, 5_000));
        }
    );
    assert_eq!(effect.err(), closed, "told when the bucket closes");
    assert!(command.1 >= Duration::from_secs(5), "others wait for it");
    command.0.finish(&ok(0, 5_000));
    assert_eq!(turns.wait(&route, Effect).await.err(), closed, "and told at once");
}

#[tokio::test(start_paused = true)]
async fn a_global_429_holds_everything_but_interactions() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    waited(&turns, &channel(1), Command)
        .await
        .0
        .finish(&limited(Scope::Global, 2_000));
    assert!(at_once(&turns, &callback(1), Interaction).await.is_some());
    let (_, wait) = waited(&turns, &channel(2), Interaction).await;
    assert_about(wait, 2_000);
}

#[tokio::test(start_paused = true)]
async fn cloudflare_holds_everything() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    waited(&turns, &channel(1), Command)
        .await
        .0
        .finish(&limited(Scope::Cloudflare, 3_000));
    let (_, wait) = waited(&turns, &callback(1), Interaction).await;
    assert_about(wait, 3_000);
}

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_than_the_limit() {
    let (turns, _task) = turns(Rules {
        per_second: 10,
        ..RULES
    });
    learn(&turns, &channel(0)).await;
    let mut tasks = JoinSet::new();
    for at in 0..100_u32 {
        let turns = std::sync::Arc::clone(&turns);
        tasks.spawn(async move {
            let turn = turns.wait(&channel(at % 40), Command).await.expect("a turn");
            let sent = Instant::now();
            // Discord counts the request at any time before the response arrives.
            sleep(Duration::from_millis(u64::from(at * 37 % 200))).await;
            let counted = Instant::now();
            sleep(Duration::from_millis(u64::from(at * 53 % 100))).await;
            turn.finish(&ok(100, 0));
            (sent, counted)
        });
    }
    let mut counted: Vec<Instant> = tasks
        .join_all()
        .await
        .into_iter()
        .map(|(_, counted)| counted)
        .collect();
    counted.sort_unstable();
    for window in counted.windows(11) {
        assert!(
            window[10] - window[0] >= Duration::from_secs(1),
            "eleven in a second"
        );
    }
    let took = *counted.last().expect("100") - counted[0];
    assert!(took < Duration::from_secs(15), "{took:?} for 100 at 10 a second");
}

#[tokio::test(start_paused = true)]
async fn a_share_is_a_part_of_the_limit() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(0)).await;
    turns.share(1, 10);
    let mut given = Vec::new();
    for id in 1..=20 {
        given.extend(at_once(&turns, &channel(id), Command).await);
    }
    assert_eq!(given.len(), 5);
    turns.share(1, 5);
    for id in 21..=40 {
        given.extend(at_once(&turns, &channel(id), Command).await);
    }
    assert_eq!(given.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn effects_hold_up_neither_interactions_nor_commands() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(0)).await;
    let mut effects = JoinSet::new();
    for id in 1..=500 {
        let turns = std::sync::Arc::clone(&turns);
        effects.spawn(async move { turns.wait(&channel(id), Effect).await.map(Turn::finish_ok) });
    }
    sleep(Duration::from_millis(10)).await;
    assert!(!effects.is_empty());
    for id in 1..=100 {
        assert!(
            at_once(&turns, &callback(id), Interaction).await.is_some(),
            "callback {id}"
        );
    }
    for id in 1_001..=1_005 {
        assert!(
            at_once(&turns, &channel(id), Command).await.is_some(),
            "command {id}"
        );
    }
    effects.shutdown().await;
}

impl Turn {
    fn finish_ok(self) {
        self.finish(&ok(100, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn buckets_take_turns() {
    let (turns, _task) = turns(Rules {
        per_second: 1,
        ..RULES
    });
    learn(&turns, &channel(0)).await;
    let (sender, mut order) = tokio::sync::mpsc::channel(100);
    let mut tasks = JoinSet::new();
    for id in [1, 1, 1, 1, 2, 3] {
        let (turns, sender) = (std::sync::Arc::clone(&turns), sender.clone());
        tasks.spawn(async move {
            let turn = turns.wait(&channel(id), Effect).await.expect("a turn");
            sender.send(id).await.expect("room");
            turn.finish_ok();
        });
        sleep(NOW).await;
    }
    drop(sender);
    let mut served = Vec::new();
    while let Some(id) = order.recv().await {
        served.push(id);
    }
    // The first is sent immediately, and the second of its bucket is next in the queue before the others are added.
    assert_eq!(served, [1, 1, 2, 3, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn behind_a_proxy_only_a_429_makes_anything_wait() {
    let (turns, _task) = turns(Rules {
        per_second: 1,
        proxied: true,
        ..RULES
    });
    let mut given = Vec::new();
    for id in 0..100 {
        given.push(at_once(&turns, &channel(id), Background).await.expect("a turn"));
    }
    let first = given.remove(0);
    assert!(
        at_once(&turns, &channel(0), Command).await.is_none(),
        "a channel's order is kept"
    );
    first.finish(&ok(0, 60_000));
    let turn = at_once(&turns, &channel(0), Command)
        .await
        .expect("its standing is the proxy's matter");
    turn.finish(&limited(Scope::User, 700));
    let (_, wait) = waited(&turns, &channel(0), Command).await;
    assert_about(wait, 700);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_a_bucket_whose_limit_is_over() {
    let (turns, _task) = turns(RULES);
    for id in 0..100 {
        waited(&turns, &channel(id), Command)
            .await
            .0
            .finish(&ok(3, 5_000));
        waited(&turns, &callback(id), Interaction)
            .await
            .0
            .finish(&status(204));
    }
    assert!(turns.lock().lanes() >= 50);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(turns.lock().lanes(), 0);
}
