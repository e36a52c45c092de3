//! A host that was given up for dead writes nothing, starts nothing, and goes.

use super::{Rig, SECOND};
use crate::line::{Trouble, pass};
use std::sync::Arc;
use wh_domain::event::Event;
use wh_domain::task::StateName;
use wh_host::{Command, Farewell, Why};
use wh_ports::store::StoreError;
use wh_testkit::memory::Verb;

fn expelled(killed: usize) -> Farewell {
    Farewell { why: Why::Expelled, killed }
}

/// Its next renewal is refused.
fn expel(rig: &Rig) {
    rig.shared.judge().left(&rig.seat().host);
    rig.line().trouble(Verb::Renew, Trouble::Answers(StoreError::Expelled));
}

#[tokio::test(start_paused = true)]
async fn it_kills_what_it_carries_at_once_and_settles_none_of_it() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("slow").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    expel(&rig);
    rig.until("it has heard of it", |rig| rig.told(|it| matches!(it, Event::Fenced { .. })) == 1).await;
    assert_eq!(rig.shared.witness.alive(), 0);
    rig.line().asked();
    let line = Arc::clone(&rig.seat().line);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, expelled(1));
    assert!(took <= SECOND, "{took:?}");
    assert!(!line.asked().contains(&Verb::Settle));
    assert!(rig.is_claimed(&id), "it is for others to settle");
}

#[tokio::test(start_paused = true)]
async fn what_it_was_given_before_it_heard_of_it_is_not_started() {
    let mut rig = Rig::new(2);
    rig.until("it listens", |rig| rig.line().asked().contains(&Verb::Claim)).await;
    rig.line().trouble(Verb::Claim, Trouble::AnsweredLate(SECOND * 10));
    let id = rig.enqueue("ok").await;
    rig.until("it is claimed", |rig| rig.is_claimed(&id)).await;
    expel(&rig);
    assert_eq!(rig.farewell().await.0, expelled(0));
    assert_eq!(rig.attempts(), 0);
    assert!(rig.is_claimed(&id), "nor is it given back");
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_no_tree_that_cannot_be_ended() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("stuck").await;
    rig.until("it is stuck", |rig| rig.told(|it| matches!(it, Event::StreamStuck { .. })) == 1).await;
    expel(&rig);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, expelled(1));
    assert!(took <= SECOND * 8, "the next heartbeat ends it: {took:?}");
    assert!(rig.is_claimed(&id), "whoever took over ends the tree and settles");
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_the_store_answers_so_counts_as_told() {
    let mut rig = Rig::new(2);
    rig.line().trouble(Verb::Settle, Trouble::Answers(StoreError::Expelled));
    rig.enqueue("ok").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    rig.shared.judge().left(&rig.seat().host);
    assert_eq!(rig.farewell().await.0.why, Why::Expelled);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_goes_down_anyway_says_that_it_did() {
    let mut rig = Rig::new(2);
    rig.enqueue("slow").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    rig.tell(Command::Drain);
    expel(&rig);
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, Farewell { why: Why::Drained, killed: 1 });
    assert!(took <= SECOND * 8, "the next heartbeat ends it: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_only_fails_ends_nothing() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("slow").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    rig.line().trouble(Verb::Renew, Trouble::Refused);
    pass(SECOND * 600).await;
    assert_eq!(rig.shared.witness.alive(), 1);
    rig.line().no_more_trouble();
    pass(SECOND * 3_000).await;
    assert!(rig.has_ended_as(&id, StateName::Completed));
    assert_eq!(rig.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_lease_nothing_is_started_and_what_was_claimed_is_given_back() {
    let mut rig = Rig::new(2);
    let before = rig.enqueue("ok").await;
    rig.until("its type is known", |rig| rig.has_ended_as(&before, StateName::Completed)).await;
    rig.line().trouble(Verb::Renew, Trouble::Refused);
    rig.line().trouble(Verb::Claim, Trouble::AnsweredLate(SECOND * 40));
    let id = rig.enqueue("ok").await;
    rig.until("it is claimed", |rig| rig.is_claimed(&id)).await;
    rig.until("it is given back", |rig| rig.is_pending(&id)).await;
    pass(SECOND * 600).await;
    assert_eq!(rig.attempts(), 1, "others may have had it meanwhile");
    rig.line().no_more_trouble();
    let took = rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    assert!(took <= SECOND * 3, "with its next renewal it goes on: {took:?}");
}
