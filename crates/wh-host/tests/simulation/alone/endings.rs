//! What follows an attempt: one settlement, however often it is sent, and room for the next.

use super::{HOUR, Rig, SECOND, cancel};
use crate::line::{Trouble, pass};
use crate::plan::{Plan, Weather};
use wh_domain::event::Event;
use wh_domain::retry::Jitter;
use wh_domain::task::StateName;
use wh_testkit::memory::Verb;

#[tokio::test(start_paused = true)]
async fn a_settlement_whose_answers_get_lost_is_told_once_and_as_it_is() {
    let weather = Weather { unanswered: 700, ..Weather::default() };
    // With chance in its waits, no two decisions are the same.
    let mut plan = Plan { weather, ..Plan::alone(1, super::by_type) };
    plan.policy.backoff.jitter = Jitter::Full;
    let mut rig = Rig::with(plan, 1);
    let id = rig.enqueue("fails").await;
    let told = |rig: &Rig| rig.told(|it| matches!(it, Event::Settled { .. }));
    rig.until("all is told", |rig| told(rig) == 3).await;
    assert!(rig.has_ended_as(&id, StateName::Poisoned));
    pass(SECOND * 60).await;
    assert_eq!(told(&rig), 3);
    assert_eq!(rig.told(|it| matches!(it, Event::Fenced { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_no_settlements_is_owed_no_more_than_twice_the_streams() {
    let mut rig = Rig::new(3);
    rig.line().trouble(Verb::Settle, Trouble::Refused);
    for _ in 0..50 {
        rig.enqueue("ok").await;
    }
    pass(SECOND * 120).await;
    assert_eq!(rig.attempts(), 6, "all that is not durable lies in memory");
    rig.line().no_more_trouble();
    rig.until("all is done", |rig| rig.shared.judge().unfinished().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn trees_that_cannot_be_ended_take_their_streams_and_nothing_else() {
    let mut rig = Rig::with(Plan::alone(2, super::by_type), 4);
    for _ in 0..3 {
        rig.enqueue("stuck").await;
    }
    rig.until("all are stuck", |rig| rig.told(|it| matches!(it, Event::StreamStuck { .. })) == 3).await;
    let ids = [rig.enqueue("ok").await, rig.enqueue("ok").await];
    let took = rig
        .until("both are done", |rig| ids.iter().all(|id| rig.has_ended_as(id, StateName::Completed)))
        .await;
    assert_eq!(took.as_secs(), 2, "one after the other, on the stream that is left");
    let took = rig.until("the stuck are settled", |rig| rig.shared.judge().unfinished().is_empty()).await;
    assert!(took <= HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_cancel_is_heard_at_once_and_ends_the_attempt() {
    let mut rig = Rig::new(1);
    let id = rig.enqueue("slow").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    cancel(&rig, &id).await;
    let took = rig.until("it is cancelled", |rig| rig.has_ended_as(&id, StateName::Cancelled)).await;
    assert_eq!(took.as_secs(), 2, "as long as the worker takes to obey");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_comes_while_the_host_asks_for_wishes_waits_for_no_heartbeat() {
    let mut rig = Rig::new(2);
    let ids = [rig.enqueue("slow").await, rig.enqueue("slow").await];
    rig.until("both run", |rig| rig.attempts() == 2).await;
    pass(SECOND).await;
    rig.line().trouble(Verb::Heed, Trouble::AnsweredLate(SECOND));
    for id in &ids {
        cancel(&rig, id).await;
        pass(SECOND / 2).await;
    }
    let took = rig
        .until("both are cancelled", |rig| ids.iter().all(|id| rig.has_ended_as(id, StateName::Cancelled)))
        .await;
    assert!(took <= SECOND * 4, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_comes_before_the_host_knows_of_its_claim_is_heard_with_the_next_heartbeat() {
    let mut rig = Rig::new(1);
    rig.until("it listens", |rig| rig.line().asked().contains(&Verb::Claim)).await;
    rig.line().trouble(Verb::Claim, Trouble::AnsweredLate(SECOND));
    let id = rig.enqueue("slow").await;
    rig.until("it is claimed", |rig| rig.is_claimed(&id)).await;
    cancel(&rig, &id).await;
    let took = rig.until("it is cancelled", |rig| rig.has_ended_as(&id, StateName::Cancelled)).await;
    assert!(took <= SECOND * 10, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_success_that_a_wish_overtook_is_cancelled_and_leaves_no_result() {
    let mut rig = Rig::new(1);
    let id = rig.enqueue("ok").await;
    rig.line().trouble(Verb::Settle, Trouble::Late(SECOND * 2));
    rig.line().trouble(Verb::Heed, Trouble::Refused);
    rig.until("it has ended", |rig| rig.attempts() == 1 && rig.shared.witness.alive() == 0).await;
    cancel(&rig, &id).await;
    rig.until("it is cancelled", |rig| rig.has_ended_as(&id, StateName::Cancelled)).await;
    let dossier = wh_ports::reader::Reader::dossier(&rig.shared.store, id).await.unwrap().unwrap();
    assert_eq!((dossier.result, dossier.attempts.len()), (None, 1));
}
