use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

use super::SingleFlight;

type Answer = Result<u32, &'static str>;

fn question(asked: &Arc<AtomicUsize>, answer: Answer) -> impl Future<Output = Answer> + use<> {
    let asked = Arc::clone(asked);
    async move {
        asked.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        answer
    }
}

fn kept(flights: &SingleFlight<u8, Answer>) -> usize {
    flights.flights.lock().expect("no panic").by_key.len()
}

#[tokio::test(start_paused = true)]
async fn one_question_answers_all_who_ask_meanwhile_errors_too() {
    let flights = SingleFlight::default();
    for answer in [Ok(7), Err("no")] {
        let asked = Arc::new(AtomicUsize::new(0));
        let asks = (0..100).map(|_| flights.ask(1, || question(&asked, answer)));
        let answers = futures_util::future::join_all(asks).await;
        assert_eq!(answers, vec![answer; 100]);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(kept(&flights), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn other_keys_and_later_asks_are_other_questions() {
    let flights = SingleFlight::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let first = flights.ask(1, || question(&asked, Ok(1)));
    let other = flights.ask(2, || question(&asked, Ok(2)));
    assert_eq!(tokio::join!(first, other), (Ok(1), Ok(2)));
    assert_eq!(flights.ask(1, || question(&asked, Ok(3))).await, Ok(3));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn an_asker_who_goes_away_does_not_take_the_answer_along() {
    let flights = SingleFlight::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let first = flights.ask(1, || question(&asked, Ok(1)));
    let second = flights.ask(1, || question(&asked, Ok(2)));
    let first = tokio::time::timeout(Duration::from_millis(500), first);
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!(second, Ok(1));
    assert_eq!((asked.load(Ordering::Relaxed), kept(&flights)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_when_everybody_goes_away() {
    let flights = SingleFlight::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let asks = (0..3).map(|_| flights.ask(1, || question(&asked, Ok(1))));
    let all = futures_util::future::join_all(asks);
    let gone = tokio::time::timeout(Duration::from_millis(500), all).await;
    assert!(gone.is_err());
    assert_eq!(kept(&flights), 0);
    assert_eq!(flights.ask(1, || question(&asked, Ok(2))).await, Ok(2));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
