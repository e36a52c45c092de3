//! How a worker's endings count for the worker.

use super::{Rig, SECOND, rest};
use crate::line::pass;
use wh_domain::event::Event;
use wh_domain::task::StateName;
use wh_host::Command;
use wh_ports::claims::WorkerReport;
use wh_ports::reader::Reader;
use wh_ports::wishes::Wishes;

async fn report(rig: &Rig) -> WorkerReport {
    pass(SECOND * 3).await;
    let mut hosts = rig.shared.store.hosts().await.unwrap();
    hosts.remove(0).workers.remove(0)
}

#[tokio::test(start_paused = true)]
async fn every_ending_counts_once() {
    let mut rig = Rig::new(1);
    for of_type in ["ok", "ok", "fails", "ok"] {
        rig.enqueue(of_type).await;
    }
    rig.until("all have ended", |rig| rig.shared.judge().unfinished().is_empty()).await;
    let report = report(&rig).await;
    assert_eq!((report.succeeded, report.failed, report.busy), (3, 3, 0));
    assert_eq!((report.consecutive_failures, report.health), (2, "yellow"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cannot_be_started_is_put_aside_at_once_and_told_once() {
    let mut rig = Rig::new(4);
    let id = rig.enqueue("sick").await;
    rig.until("it is put aside", |rig| rig.told(|it| matches!(it, Event::WorkerQuarantined { .. })) == 1)
        .await;
    assert_eq!(report(&rig).await.health, "red");
    super::cancel(&rig, &id).await;
    let well = rig.enqueue("ok").await;
    rig.until("it does the next", |rig| rig.has_ended_as(&well, StateName::Completed)).await;
    assert_eq!(rig.told(|it| matches!(it, Event::WorkerRecovered { .. })), 1);
    assert_eq!(report(&rig).await.total_recoveries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cannot_be_given_to_any_worker_says_nothing_of_its_worker() {
    let mut rig = Rig::new(1);
    let sick = rig.enqueue("sick").await;
    rig.until("it is put aside", |rig| rig.told(|it| matches!(it, Event::WorkerQuarantined { .. })) == 1)
        .await;
    super::cancel(&rig, &sick).await;
    let hindered = rig.enqueue("hindered").await;
    rig.until("the task is given up", |rig| rig.has_ended_as(&hindered, StateName::Poisoned)).await;
    assert_eq!(rig.told(|it| matches!(it, Event::WorkerRecovered { .. })), 0, "it has not been started");
    let report = report(&rig).await;
    assert_eq!((report.failed, report.health), (1, "red"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_in_quarantine_is_tried_with_one_task_at_a_time() {
    let mut rig = Rig::new(4);
    for _ in 0..8 {
        rig.enqueue("sick").await;
    }
    rig.until("it is put aside", |rig| rig.told(|it| matches!(it, Event::WorkerQuarantined { .. })) > 0)
        .await;
    let before = rig.attempts();
    assert!(before <= 4);
    for nth in 1..4 {
        rig.until("it is tried", |rig| rig.attempts() >= before + nth).await;
        assert_eq!(rig.attempts(), before + nth);
        pass(SECOND / 2).await;
        assert_eq!(rig.attempts(), before + nth, "and not again before another wait");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_after_a_new_configuration_says_nothing_about_it() {
    let mut rig = Rig::new(2);
    let id = rig.enqueue("slow-then-sick").await;
    rig.until("it runs", |rig| rig.attempts() == 1).await;
    rig.tell(Command::Reload(vec![rest(&rig.shared.plan, 3)]));
    rig.until("it has ended", |rig| rig.is_pending(&id)).await;
    super::cancel(&rig, &id).await;
    assert_eq!(rig.told(|it| matches!(it, Event::WorkerQuarantined { .. })), 0);
    assert_eq!(report(&rig).await.failed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_mended_worker_is_tried_at_once() {
    let mut rig = Rig::new(1);
    for _ in 0..10 {
        rig.enqueue("sick").await;
    }
    let for_good = |event: &Event| matches!(event, Event::WorkerQuarantined { retry_in: None, .. });
    rig.until("it is put aside for good", |rig| rig.told(for_good) == 1).await;
    let before = rig.attempts();
    pass(SECOND * 100).await;
    assert_eq!(rig.attempts(), before);
    rig.tell(Command::Mended(vec![crate::workers::name("rest")]));
    let took = rig.until("it is tried", |rig| rig.attempts() > before).await;
    assert!(took < SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_resume_a_worker_is_heard_once() {
    let mut rig = Rig::new(1);
    for _ in 0..20 {
        rig.enqueue("sick").await;
    }
    let for_good = |event: &Event| matches!(event, Event::WorkerQuarantined { retry_in: None, .. });
    rig.until("it is put aside for good", |rig| rig.told(for_good) == 1).await;
    rig.people.resume_worker(crate::workers::name("rest")).await.unwrap();
    rig.until("it is put aside for good again", |rig| rig.told(for_good) == 2).await;
    let attempts = rig.attempts();
    pass(SECOND * 100).await;
    assert_eq!((rig.attempts(), rig.told(for_good)), (attempts, 2));
}
