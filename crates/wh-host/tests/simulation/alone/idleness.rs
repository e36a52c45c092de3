//! A host that goes when nothing is left to do goes neither too early nor never.

use super::{Rig, SECOND, by_type, cancel};
use crate::line::{Trouble, pass};
use crate::plan::Plan;
use crate::workers::task_type;
use std::time::Duration;
use wh_domain::event::Event;
use wh_domain::id::TaskId;
use wh_domain::task::{NewTask, Payload, StateName};
use wh_host::{Command, Farewell, Why};
use wh_ports::clock::Clock;
use wh_testkit::memory::Verb;

fn rig() -> Rig {
    let plan = Plan { until_idle: true, ..Plan::alone(2, by_type) };
    Rig::with(plan, 2)
}

/// The host goes by itself; answers how long that took.
async fn goes(rig: &mut Rig) -> Duration {
    let (farewell, took) = rig.farewell().await;
    assert_eq!(farewell, Farewell { why: Why::Idle, killed: 0 });
    took
}

#[tokio::test(start_paused = true)]
async fn with_nothing_to_do_it_goes_at_once() {
    assert!(goes(&mut rig()).await < SECOND);
}

#[tokio::test(start_paused = true)]
async fn it_goes_only_when_all_that_waits_to_be_tried_again_has_ended() {
    for (of_type, end) in [
        ("ok", StateName::Completed),
        ("fails-once", StateName::Completed),
        ("fails", StateName::Poisoned),
        ("defers", StateName::Poisoned),
        ("unseen", StateName::Poisoned),
    ] {
        let mut rig = rig();
        let id = rig.enqueue(of_type).await;
        goes(&mut rig).await;
        assert!(rig.has_ended_as(&id, end), "{of_type}: {:?}", rig.standing(&id));
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_what_its_producer_wants_later() {
    let mut rig = rig();
    let run_at = Some(rig.shared.clock.wall().after(SECOND * 600));
    let id = TaskId::new("later").unwrap();
    let task = NewTask { run_at, ..NewTask::new(id, task_type("ok"), Payload::null()) };
    let id = rig.hand_over(task).await;
    assert!(goes(&mut rig).await < SECOND);
    assert!(rig.is_pending(&id));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_what_no_worker_takes() {
    let mut rig = rig();
    rig.tell(Command::Reload(vec![crate::workers::worker(0, 1, rig.shared.plan.policy)]));
    let id = rig.enqueue("nobodys").await;
    assert!(goes(&mut rig).await < SECOND);
    assert!(rig.is_pending(&id));
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_worker_that_may_recover_and_has_something_to_do() {
    let mut rig = rig();
    let sick = rig.enqueue("sick").await;
    rig.until("it is put aside", |rig| rig.told(|it| matches!(it, Event::WorkerQuarantined { .. })) > 0)
        .await;
    let well = rig.enqueue("ok").await;
    // Now nothing waits by itself: what is left is due, and waits for its worker.
    cancel(&rig, &sick).await;
    goes(&mut rig).await;
    assert!(rig.has_ended_as(&well, StateName::Completed), "{:?}", rig.standing(&well));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_a_worker_that_is_put_aside_for_good() {
    let mut rig = rig();
    for _ in 0..10 {
        rig.enqueue("sick").await;
    }
    let aside = |event: &Event| matches!(event, Event::WorkerQuarantined { retry_in: None, .. });
    rig.until("it is put aside for good", |rig| rig.told(aside) > 0).await;
    assert!(goes(&mut rig).await < SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_miss_what_becomes_due_while_it_asks_what_waits() {
    let mut rig = rig();
    // The question comes when the task is due already and waits for nothing any more.
    rig.line().trouble(Verb::Read, Trouble::Late(SECOND * 3));
    let id = rig.enqueue("fails-once").await;
    goes(&mut rig).await;
    assert!(rig.has_ended_as(&id, StateName::Completed), "{:?}", rig.standing(&id));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_miss_what_became_due_while_a_claim_was_answered() {
    let mut rig = rig();
    // The last claim is looked at before the task is due and answered afterwards, and then nothing waits any more.
    rig.line().trouble(Verb::Claim, Trouble::AnsweredLate(Duration::from_millis(700)));
    let id = rig.enqueue("fails-once").await;
    goes(&mut rig).await;
    assert!(rig.has_ended_as(&id, StateName::Completed), "{:?}", rig.standing(&id));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_believe_an_answer_that_was_overtaken() {
    let mut rig = rig();
    let first = rig.enqueue("ok").await;
    // When it asks, nothing waits; when it hears so, this one has been tried and waits.
    rig.line().trouble(Verb::Read, Trouble::AnsweredLate(Duration::from_millis(2_500)));
    rig.until("it has asked", |rig| {
        rig.has_ended_as(&first, StateName::Completed) && rig.line().asked().contains(&Verb::Read)
    })
    .await;
    let second = rig.enqueue("slow-then-fails").await;
    goes(&mut rig).await;
    assert!(rig.has_ended_as(&second, StateName::Poisoned), "{:?}", rig.standing(&second));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_go_while_the_store_is_away() {
    let mut rig = rig();
    rig.line().trouble(Verb::Claim, Trouble::Refused);
    let id = rig.enqueue("ok").await;
    pass(SECOND * 60).await;
    assert!(!rig.seat().has_ended());
    rig.line().no_more_trouble();
    goes(&mut rig).await;
    assert!(rig.has_ended_as(&id, StateName::Completed));
}
