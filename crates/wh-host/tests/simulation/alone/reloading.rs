//! A new configuration, and what it does to what is under way.

use super::{Rig, SECOND, rest};
use crate::line::{Trouble, pass};
use crate::workers::worker;
use wh_domain::event::Event;
use wh_domain::task::StateName;
use wh_host::Command;
use wh_testkit::memory::Verb;

#[tokio::test(start_paused = true)]
async fn what_was_claimed_for_a_worker_that_is_gone_is_given_back() {
    let mut rig = Rig::new(2);
    rig.until("it listens", |rig| rig.line().asked().contains(&Verb::Claim)).await;
    rig.line().trouble(Verb::Claim, Trouble::AnsweredLate(SECOND * 2));
    let id = rig.enqueue("a").await;
    rig.until("it is claimed", |rig| rig.is_claimed(&id)).await;
    rig.tell(Command::Reload(Vec::new()));
    rig.until("it is given back", |rig| rig.is_pending(&id)).await;
    rig.line().no_more_trouble();
    assert_eq!(rig.attempts(), 0);
    rig.tell(Command::Reload(vec![worker(0, 1, rig.shared.plan.policy)]));
    rig.until("another worker does it", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_with_fewer_streams_gets_nothing_before_enough_has_ended() {
    let mut rig = Rig::new(4);
    for _ in 0..8 {
        rig.enqueue("ok").await;
    }
    rig.until("four run", |rig| rig.attempts() == 4).await;
    rig.tell(Command::Reload(vec![rest(&rig.shared.plan, 1)]));
    let took = rig.until("all is done", |rig| rig.shared.judge().unfinished().is_empty()).await;
    assert_eq!(took.as_secs(), 5, "the four, and then one after the other");
}

#[tokio::test(start_paused = true)]
async fn a_type_that_nobody_takes_is_told_once_per_configuration() {
    let mut rig = Rig::new(1);
    let told = |rig: &Rig| rig.told(|it| matches!(it, Event::NoWorker { .. }));
    let first = rig.enqueue("b").await;
    rig.until("it is done", |rig| rig.has_ended_as(&first, StateName::Completed)).await;
    assert_eq!(told(&rig), 0);
    for times in 1..4 {
        rig.tell(Command::Reload(vec![worker(0, times, rig.shared.plan.policy)]));
        pass(SECOND * 30).await;
        rig.enqueue("b").await;
        pass(SECOND * 30).await;
        assert_eq!(told(&rig), usize::try_from(times).unwrap());
    }
    rig.tell(Command::Reload(vec![rest(&rig.shared.plan, 1)]));
    rig.until("a worker came", |rig| rig.shared.judge().unfinished().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_was_refused_changes_nothing() {
    let mut rig = Rig::new(1);
    rig.tell(Command::Refused("workers: is not a list".into()));
    let id = rig.enqueue("ok").await;
    rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    assert_eq!(rig.told(|it| matches!(it, Event::ConfigRefused { .. })), 1);
}
