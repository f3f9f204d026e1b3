//! Requests that are refused instead of having to wait.

use std::time::Duration;

use tokio::{task::JoinSet, time::sleep};

use super::{NOW, RULES, at_once, callback, channel, learn, limited, status, turns, waited};
use crate::discord::rest::{
    Priority::{Command, Effect, Interaction},
    limits::{Scope, Seen},
    route::Route,
    schedule::{LONGEST_HOLD, MOST_WAITING, MOST_WAITING_IN_A_LANE, Refusal, Rules},
    turns::Turn,
};

#[tokio::test(start_paused = true)]
async fn a_long_hold_is_reported_and_not_waited_for() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    let hour = 3_600_000;
    // In one bucket, both waiting and new requests are refused.
    let turn = at_once(&turns, &channel(1), Effect).await.expect("a turn");
    let route = channel(1);
    let waiting = turns.wait(&route, Effect);
    let (told, again) = tokio::join!(waiting, async {
        sleep(NOW).await;
        turn.again(&limited(Scope::User, hour)).await
    });
    assert_eq!(told.err(), Some(Refusal::After(Duration::from_millis(hour))));
    assert_eq!(again.err(), Some(Refusal::After(Duration::from_millis(hour))));
    assert!(
        matches!(turns.wait(&channel(1), Effect).await, Err(Refusal::After(wait)) if wait > LONGEST_HOLD)
    );
    let turn = at_once(&turns, &channel(2), Effect)
        .await
        .expect("another bucket");
    // The same for all buckets.
    turn.finish(&limited(Scope::Cloudflare, hour));
    assert!(matches!(
        turns.wait(&callback(1), Interaction).await,
        Err(Refusal::After(_))
    ));
    sleep(Duration::from_millis(hour)).await;
    assert!(at_once(&turns, &channel(1), Effect).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_so_at_once_and_room_comes_back() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(1)).await;
    let held = at_once(&turns, &channel(1), Effect).await.expect("a turn");
    let mut waiting = JoinSet::new();
    let mut wait = |id: u32| {
        let turns = std::sync::Arc::clone(&turns);
        waiting.spawn(async move { turns.wait(&channel(id), Effect).await.map(Turn::finish_ok) });
    };
    for _ in 0..MOST_WAITING_IN_A_LANE {
        wait(1);
    }
    sleep(NOW).await;
    assert_eq!(turns.wait(&channel(1), Effect).await.err(), Some(Refusal::Full));
    assert!(
        at_once(&turns, &channel(2), Effect).await.is_some(),
        "another bucket"
    );
    held.finish(&limited(Scope::Global, 10_000));
    for id in 0..MOST_WAITING - MOST_WAITING_IN_A_LANE {
        wait(1_000 + u32::try_from(id).expect("small"));
    }
    sleep(NOW).await;
    assert_eq!(turns.wait(&channel(2), Effect).await.err(), Some(Refusal::Full));
    assert!(
        at_once(&turns, &channel(2), Command).await.is_none(),
        "room, but held"
    );
    // Tasks that stop waiting free their places.
    waiting.shutdown().await;
    assert!(
        at_once(&turns, &channel(2), Effect).await.is_none(),
        "room, but held"
    );
    sleep(Duration::from_secs(10)).await;
    assert!(at_once(&turns, &channel(2), Effect).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_brake_holds_all_but_interactions_until_the_window_moves() {
    let (turns, _task) = turns(Rules {
        invalid: 100,
        ..RULES
    });
    learn(&turns, &channel(0)).await;
    for at in 0..100 {
        let (turn, _) = waited(&turns, &channel(at), Effect).await;
        // A shared limit does not count as an invalid request.
        turn.finish(&limited(Scope::Shared, 100));
        let (turn, _) = waited(&turns, &channel(at), Effect).await;
        turn.finish(&status(403));
    }
    let Err(Refusal::Braked(wait)) = turns.wait(&channel(0), Command).await else {
        unreachable!("the brake holds")
    };
    assert!(wait > Duration::from_mins(9) && wait < Duration::from_mins(10));
    assert!(at_once(&turns, &callback(1), Interaction).await.is_some());
    sleep(wait).await;
    assert!(at_once(&turns, &channel(0), Command).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_blocks_what_carries_it_until_an_answer_proves_it() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(0)).await;
    let turn = at_once(&turns, &channel(1), Command).await.expect("a turn");
    let route = channel(1);
    let (waiting, ()) = tokio::join!(turns.wait(&route, Effect), async {
        sleep(NOW).await;
        turn.finish(&Seen {
            token_refused: true,
            ..status(401)
        });
    });
    assert_eq!(waiting.err(), Some(Refusal::TokenRefused));
    assert_eq!(
        turns.wait(&channel(2), Interaction).await.err(),
        Some(Refusal::TokenRefused)
    );
    let callback = at_once(&turns, &callback(1), Interaction).await;
    callback
        .expect("it carries a token of its own")
        .finish(&status(204));
    assert_eq!(
        turns.wait(&channel(2), Interaction).await.err(),
        Some(Refusal::TokenRefused),
        "what carries another token proves nothing"
    );
    let probe = Route::probe("GET", "users/@me");
    for answer in [status(503), status(200)] {
        assert!(*turns.token_refused().borrow());
        let turn = at_once(&turns, &probe, Command).await.expect("a probe is sent");
        turn.finish(&answer);
    }
    assert!(!*turns.token_refused().borrow());
    assert!(at_once(&turns, &channel(2), Command).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_leaves_interactions_their_places() {
    let (turns, _task) = turns(RULES);
    learn(&turns, &channel(0)).await;
    let turn = at_once(&turns, &channel(1), Command).await.expect("a turn");
    let route = callback(1);
    let first = at_once(&turns, &route, Interaction).await.expect("a turn");
    let (waiting, ()) = tokio::join!(turns.wait(&route, Interaction), async {
        sleep(NOW).await;
        turn.finish(&Seen {
            token_refused: true,
            ..status(401)
        });
        first.finish(&status(204));
    });
    assert!(waiting.is_ok());
}
