//! How a host goes: in time, whatever hangs, and without a word that is not so.

use super::{HOUR, Rig, SECOND};
use crate::line::{Line, Trouble, pass};
use crate::plan::Plan;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::task::StateName;
use wh_host::{Command, Farewell, Why};
use wh_ports::store::StoreError;
use wh_testkit::memory::Verb;

fn drained(killed: usize) -> Farewell {
    Farewell { why: Why::Drained, killed }
}

#[tokio::test(start_paused = true)]
async fn a_drain_lets_attempts_finish_and_starts_no_other() {
    let mut rig = Rig::new(1);
    let (first, second) = (rig.enqueue("ok").await, rig.enqueue("ok").await);
    rig.until("one runs", |rig| rig.attempts() == 1).await;
    rig.tell(Command::Drain);
    let line = Arc::clone(&rig.seat().line);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(0));
    assert!(took <= SECOND * 2, "{took:?}");
    assert!(rig.has_ended_as(&first, StateName::Completed) && rig.is_pending(&second));
    assert!(line.asked().contains(&Verb::Leave), "it has said goodbye");
}

#[tokio::test(start_paused = true)]
async fn a_drain_stops_what_does_not_finish_and_says_so() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("slow").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(1));
    assert_eq!(took.as_secs(), 32, "thirty seconds of patience, two until it obeys");
    assert!(rig.is_pending(&id), "it counts for nothing");
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_everything_within_three_seconds() {
    let mut rig = Rig::with(Plan::alone(2, |_| wh_testkit::script::Script::hangs().obeying_after(HOUR)), 2);
    let id = rig.enqueue("hangs").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    rig.tell(Command::Drain);
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(1));
    assert!(took <= SECOND * 4, "{took:?}");
    assert!(rig.is_pending(&id));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_comes_back_while_it_goes_down_is_given_back() {
    let mut rig = Rig::new(2);
    rig.until("it listens", |rig| rig.line().asked().contains(&Verb::Claim)).await;
    rig.line().trouble(Verb::Claim, Trouble::AnsweredLate(SECOND * 5));
    let id = rig.enqueue("ok").await;
    rig.until("it is claimed", |rig| rig.is_claimed(&id)).await;
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(0));
    assert!(took <= SECOND * 6, "{took:?}");
    assert!(rig.is_pending(&id) && rig.attempts() == 0, "as if it had never been claimed");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_holds_up_a_drain_for_eighty_seconds_at_most() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("ok").await;
    rig.line().trouble(Verb::Settle, Trouble::Refused);
    rig.until("it has ended", |rig| rig.attempts() == 1 && rig.shared.witness.alive() == 0).await;
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(1), "its end is not durable");
    assert!(took <= SECOND * 80, "{took:?}");
    assert!(rig.is_claimed(&id), "whoever comes next takes it over");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_hear_goodbye_holds_up_nobody() {
    let mut rig = Rig::new(2);
    rig.line().trouble(Verb::Leave, Trouble::Late(HOUR));
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(0));
    assert!(took <= SECOND * 4, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_that_hangs_holds_up_no_drain() {
    let mut rig = Rig::new(2);
    rig.line().trouble(Verb::TakeOver, Trouble::Late(HOUR));
    pass(SECOND * 10).await;
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(0));
    assert!(took <= SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_cannot_be_ended_holds_up_a_drain_but_not_for_ever() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("stuck").await;
    rig.until("it is stuck", |rig| {
        rig.told(|it| matches!(it, wh_domain::event::Event::StreamStuck { .. })) == 1
    })
    .await;
    rig.tell(Command::Drain);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, drained(1));
    assert!(took <= SECOND * 80, "{took:?}");
    assert!(rig.is_claimed(&id), "nothing may be settled while it is alive");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_trusted_ends_the_host_at_once_with_all_its_attempts() {
    let broken = [StoreError::Untrusted("fsync failed".to_owned()), StoreError::Broken("torn".to_owned())];
    for (verb, error) in
        [Verb::Renew, Verb::Claim, Verb::Settle, Verb::Heed].into_iter().zip(broken.iter().cycle())
    {
        let mut rig = Rig::new(4);
        rig.enqueue("slow").await;
        rig.until("it runs", |rig| rig.attempts() == 1).await;
        rig.line().trouble(verb, Trouble::Answers(error.clone()));
        rig.enqueue("ok").await;
        let seat = rig.seat.take().unwrap();
        let farewell = tokio::time::timeout(SECOND * 10, seat.end()).await.expect("it goes").unwrap();
        assert_eq!(farewell.why, Why::Failed(error.clone()), "{verb:?}");
        assert!(farewell.killed >= 1);
        assert_eq!(rig.shared.witness.alive(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_beside_the_loop_ends_the_host() {
    let mut rig = Rig::with(Plan::alone(2, |_| panic!("a worker's script that is broken")), 2);
    rig.enqueue("any").await;
    let ended = tokio::time::timeout(Duration::from_secs(60), rig.seat.take().unwrap().end()).await;
    assert!(ended.expect("it does not hang").unwrap_err().contains("panic"));
}

#[tokio::test(start_paused = true)]
async fn a_host_lives_on_when_nobody_can_tell_it_anything() {
    let mut rig = Rig::new(2);
    let line: Arc<Line> = Arc::clone(&rig.seat().line);
    rig.seat.as_mut().unwrap().forget_commands();
    let id = rig.enqueue("ok").await;
    rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    pass(SECOND * 75).await;
    assert!(line.asked().len() < 100, "and it does not spin");
}
