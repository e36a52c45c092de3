//! Tasks that are not to be claimed yet, and the bell that ends waiting.

use super::harness::{Harness, PATIENCE, ending, one, wall};
use std::time::Duration;
use wh_domain::id::{HostId, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, TaskState, WaitingFor};
use wh_domain::time::Timestamp;
use wh_ports::claims::Settlement;

const HOUR: Duration = Duration::from_secs(3_600);
const ALMOST_AN_HOUR: Duration = Duration::from_millis(3_599_999);
const HOUR_MILLIS: i64 = 3_600_000;

async fn in_an_hour(h: &Harness) -> TaskId {
    let run_at = Some(wall(h).after(HOUR));
    h.add(NewTask { run_at, ..h.task_of("a") }).await
}

/// A task that failed and is to wait for an hour.
async fn backing_off(h: &Harness, host: &HostId) -> TaskId {
    let wait = Next::Pending { wait: Wait::For(HOUR), waiting_for: Some(WaitingFor::Backoff) };
    h.ended(host, "a", wait).await
}

async fn claimable(h: &Harness, host: &HostId) -> usize {
    h.claim(host, 10).await.len()
}

pub(super) async fn a_future_task_waits_for_its_moment(h: &Harness) {
    let (host, id) = (h.join("h").await, in_an_hour(h).await);
    h.pass(ALMOST_AN_HOUR);
    assert_eq!(claimable(h, &host).await, 0);
    h.pass(Duration::from_millis(1));
    assert_eq!(h.claim_ids(&host, 1).await, [id]);
}

pub(super) async fn a_moment_that_the_producer_chose_goes_by_the_calendar_alone(h: &Harness) {
    let host = h.join("h").await;
    in_an_hour(h).await;
    h.clock().advance_instant(HOUR * 2);
    assert_eq!(claimable(h, &host).await, 0);
    h.clock().jump_wall(HOUR_MILLIS);
    assert_eq!(claimable(h, &host).await, 1);
}

pub(super) async fn a_wait_ends_by_the_running_clock_though_the_calendar_went_back(h: &Harness) {
    let host = h.join("h").await;
    backing_off(h, &host).await;
    h.clock().jump_wall(-100 * HOUR_MILLIS);
    h.pass(ALMOST_AN_HOUR);
    assert_eq!(claimable(h, &host).await, 0);
    h.pass(Duration::from_millis(1));
    assert_eq!(claimable(h, &host).await, 1);
}

pub(super) async fn a_wait_ends_by_the_calendar_if_that_is_sooner(h: &Harness) {
    let host = h.join("h").await;
    backing_off(h, &host).await;
    h.clock().jump_wall(HOUR_MILLIS);
    assert_eq!(claimable(h, &host).await, 1);
}

pub(super) async fn a_wait_of_another_boot_goes_by_the_calendar_alone(h: &Harness) {
    let host = h.join("h").await;
    backing_off(h, &host).await;
    // This boot has run far longer than the other had.
    h.clock().reboot(HOUR * 1_000);
    let host = h.join("after-boot").await;
    assert_eq!(claimable(h, &host).await, 0);
    h.clock().jump_wall(HOUR_MILLIS);
    assert_eq!(claimable(h, &host).await, 1);
}

pub(super) async fn a_deferral_to_a_moment_waits_for_it(h: &Harness) {
    let host = h.join("h").await;
    let until = Wait::Until(wall(h).after(HOUR));
    let wait = Next::Pending { wait: until, waiting_for: Some(WaitingFor::Deferral) };
    h.ended(&host, "a", wait).await;
    h.clock().advance_instant(HOUR * 2);
    assert_eq!(claimable(h, &host).await, 0);
    h.clock().jump_wall(HOUR_MILLIS);
    assert_eq!(claimable(h, &host).await, 1);
}

pub(super) async fn a_waiting_task_says_what_for(h: &Harness) {
    let host = h.join("h").await;
    let id = backing_off(h, &host).await;
    let state = h.task(&id).await.state;
    let TaskState::Pending { due, waiting_for } = state else { unreachable!("it is pending: {state:?}") };
    assert_eq!((waiting_for, due.at), (Some(WaitingFor::Backoff), wall(h).after(HOUR)));
}

pub(super) async fn retries_of_asked_lanes_are_counted(h: &Harness) {
    let host = h.join("h").await;
    backing_off(h, &host).await;
    let lane = h.lane("a").await;
    h.add(NewTask { run_at: Some(wall(h).after(HOUR)), ..h.task_of("b") }).await;
    let other = h.lane("b").await;
    let retrying = async |lanes| h.store().retrying(lanes).await.expect("the store answers");
    assert_eq!(retrying(vec![lane, other]).await, 1, "a producer's own moment is no retry");
    assert_eq!(retrying(vec![other]).await, 0);
    h.pass(HOUR);
    let claim = h.claim(&host, 9).await.into_iter().find(|claim| claim.task_type.as_str() == "a");
    h.settle_ok(&claim.expect("its wait is over")).await;
    assert_eq!(retrying(vec![lane, other]).await, 0);
}

pub(super) async fn the_next_wait_is_told(h: &Harness) {
    let host = h.join("h").await;
    in_an_hour(h).await;
    let want = vec![h.want_all(1).await];
    let next = h.claim_for(&host, want.clone(), 1).await.next_due.expect("one is to come");
    assert!(next > Duration::ZERO && next <= HOUR, "{next:?}");
    h.pass(HOUR);
    assert_eq!(one(h.claim_for(&host, want.clone(), 1).await.claims).fence.0, 1);
    assert_eq!(h.claim_for(&host, want, 1).await.next_due, None);
}

pub(super) async fn a_task_that_waited_goes_by_the_moment_it_became_due(h: &Harness) {
    let late = in_an_hour(h).await;
    h.pass(HOUR / 2);
    let soon = h.enqueue("a").await;
    h.pass(HOUR);
    let host = h.join("h").await;
    assert_eq!(h.claim_ids(&host, 9).await, [soon, late]);
}

pub(super) async fn a_moment_in_the_past_is_now(h: &Harness) {
    let first = h.enqueue("a").await;
    h.pass(Duration::from_secs(1));
    let pushy = h.add(NewTask { run_at: Some(Timestamp::from_millis(0)), ..h.task_of("a") }).await;
    let host = h.join("h").await;
    assert_eq!(h.claim_ids(&host, 9).await, [first, pushy]);
}

pub(super) async fn many_waits_that_end_at_once_are_all_claimable(h: &Harness) {
    let run_at = Some(wall(h).after(HOUR));
    h.offer_all((0..1_500).map(|_| NewTask { run_at, ..h.task_of("a") }).collect()).await;
    h.pass(HOUR);
    let (host, mut claimed) = (h.join("h").await, 0);
    while claimed < 1_500 {
        let more = h.claim(&host, 100).await.len();
        assert!(more > 0, "{claimed} were claimed");
        claimed += more;
    }
}

pub(super) async fn a_wait_survives_a_crash(h: &Harness) {
    in_an_hour(h).await;
    h.crash().await;
    let host = h.join("h").await;
    assert_eq!(claimable(h, &host).await, 0);
    h.pass(HOUR);
    assert_eq!(claimable(h, &host).await, 1);
}

/// Checks that a bell rings after a change; one that has heard nothing before.
async fn rings_after(h: &Harness, what: &str, change: impl Future<Output = ()>) {
    let mut bell = h.store().listen().await.expect("the store answers");
    change.await;
    let rung = tokio::time::timeout(PATIENCE, bell.rung()).await;
    assert!(rung.is_ok(), "the bell rings after {what}");
}

pub(super) async fn the_bell_rings_after_every_change_that_others_may_wait_for(h: &Harness) {
    let host = h.join("h").await;
    rings_after(h, "an enqueue", async {
        h.enqueue("a").await;
    })
    .await;
    let claim = h.claim_one(&host).await;
    rings_after(h, "a wish", async {
        h.cancel(&claim.id).await;
    })
    .await;
    let cancelled = Settlement { saw_cancel: true, ..ending(&claim, Next::Cancelled) };
    rings_after(h, "a settlement", async {
        h.settle(cancelled).await;
    })
    .await;
    rings_after(h, "a retry", async {
        h.store().retry(vec![claim.id.clone()]).await.expect("the store answers");
    })
    .await;
    rings_after(h, "a mended worker", async {
        h.store().resume_worker(claim.worker.clone()).await.expect("the store answers");
    })
    .await;
    rings_after(h, "a host's leaving", h.leave(&host)).await;
}

pub(super) async fn rings_while_nobody_waits_are_remembered(h: &Harness) {
    rings_after(h, "both of two enqueues", async {
        h.enqueue("a").await;
        h.enqueue("a").await;
    })
    .await;
}
