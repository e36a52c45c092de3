//! How often a host asks, when there is nothing to ask for.

use super::{Rig, SECOND};
use crate::line::{Trouble, pass};
use std::time::Duration;
use wh_domain::event::Event;
use wh_testkit::memory::Verb;

/// One heartbeat.
const BEAT: Duration = Duration::from_millis(7_500);

/// How often the host asks in a heartbeat, over a hundred of them.
async fn calls_per_beat(rig: &Rig) -> usize {
    pass(BEAT).await;
    rig.line().asked();
    pass(BEAT * 100).await;
    let asked = rig.line().asked();
    let sweeps = asked.iter().filter(|verb| **verb == Verb::Sweep).count();
    (asked.len() - sweeps).div_ceil(100)
}

#[tokio::test(start_paused = true)]
async fn an_idle_host_asks_no_more_than_five_times_a_heartbeat() {
    let rig = Rig::new(4);
    assert!(calls_per_beat(&rig).await <= 5);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_waits_for_its_attempts_is_as_quiet() {
    let mut rig = Rig::new(1);
    let (running, waiting) = (rig.enqueue("slow").await, rig.enqueue("slow").await);
    rig.until("one runs", |rig| rig.attempts() == 1).await;
    assert!(calls_per_beat(&rig).await <= 5);
    assert!(rig.is_claimed(&running) && rig.is_pending(&waiting));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_back_and_has_nothing_to_do_makes_no_noise() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("sick").await;
    rig.until("it is put aside", |rig| rig.told(|it| matches!(it, Event::WorkerQuarantined { .. })) > 0)
        .await;
    super::cancel(&rig, &id).await;
    rig.until("nothing runs", |rig| rig.has_ended_as(&id, wh_domain::task::StateName::Cancelled)).await;
    pass(SECOND * 120).await;
    assert!(calls_per_beat(&rig).await <= 5);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_put_aside_for_good_makes_no_noise_however_much_waits() {
    let mut rig = Rig::new(2);
    for _ in 0..20 {
        rig.enqueue("sick").await;
    }
    let for_good = |event: &Event| matches!(event, Event::WorkerQuarantined { retry_in: None, .. });
    rig.until("it is put aside for good", |rig| rig.told(for_good) > 0).await;
    pass(SECOND * 120).await;
    assert!(calls_per_beat(&rig).await <= 5);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_asked_at_most_three_times_a_second() {
    for verbs in [
        &[Verb::Renew][..],
        &[Verb::Claim],
        &[Verb::Lanes],
        &[Verb::Heed],
        &[Verb::TakeOver],
        &[Verb::Renew, Verb::Claim, Verb::Lanes, Verb::Heed, Verb::TakeOver, Verb::Report, Verb::HasChanged],
    ] {
        let mut rig = Rig::new(2);
        for verb in verbs {
            rig.line().trouble(*verb, Trouble::Refused);
        }
        rig.enqueue("ok").await;
        pass(SECOND * 60).await;
        rig.line().asked();
        pass(SECOND * 60).await;
        let asked = rig.line().asked();
        assert!(asked.len() <= 60 * 3, "without {verbs:?}: {} calls a minute", asked.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_carry_anything_leaves_tasks_alone_for_a_while() {
    let mut rig = Rig::new(4);
    for _ in 0..100 {
        rig.enqueue("unseen").await;
    }
    pass(SECOND * 10).await;
    assert!(rig.attempts() <= 40, "{} attempts within ten seconds", rig.attempts());
    let after = rig.attempts();
    pass(SECOND * 60).await;
    assert!(rig.attempts() - after <= 4 * 13, "then four every five seconds, not {}", rig.attempts() - after);
    assert!(rig.attempts() > after, "but it goes on trying");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_defers_at_once_is_tried_ten_times_a_second_at_most() {
    for of_type in ["defers", "defers-until"] {
        let mut rig = Rig::new(1);
        rig.enqueue(of_type).await;
        pass(SECOND * 5).await;
        assert!((40..=51).contains(&rig.attempts()), "{of_type}: {} attempts", rig.attempts());
    }
}

#[tokio::test(start_paused = true)]
async fn one_attempt_that_comes_to_its_end_makes_a_host_bold_again() {
    let mut rig = Rig::new(1);
    for _ in 0..8 {
        rig.enqueue("unseen").await;
    }
    pass(SECOND * 20).await;
    let well = rig.enqueue("ok").await;
    let done = |rig: &Rig| rig.has_ended_as(&well, wh_domain::task::StateName::Completed);
    rig.until("it has carried something to its end", done).await;
    let before = rig.attempts();
    rig.enqueue("unseen").await;
    let took = rig.until("it goes on", |rig| rig.attempts() >= before + 2).await;
    assert!(took < SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_anybody_listened_waits_for_no_heartbeat() {
    let mut rig = Rig::new(1);
    rig.line().trouble(Verb::Listen, Trouble::Late(SECOND * 3));
    pass(SECOND).await;
    rig.enqueue("ok").await;
    let took = rig.until("it is started", |rig| rig.attempts() == 1).await;
    assert!(took < SECOND * 3, "{took:?}");
}
