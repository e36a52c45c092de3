//! What keeps a store small, without losing what is owed.

use super::harness::{Harness, ending, given, secs};
use std::time::Duration;
use wh_domain::id::{Fence, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, PoisonReason, StateName};
use wh_ports::intake::Enqueued;
use wh_ports::upkeep::Retention;

const DAY: Duration = Duration::from_secs(86_400);
const ALMOST_A_DAY: Duration = Duration::from_secs(86_340);
const POISONED: Next = Next::Poisoned(PoisonReason::Attempts);

/// Keeps nothing that has ended for longer than a second.
fn nothing() -> Retention {
    Retention { completed: secs(1), poisoned: secs(1), cancelled: secs(1), ..Retention::default() }
}

/// Sweeps until there is nothing more to sweep; answers how many tasks went.
async fn sweep(h: &Harness, retention: Retention) -> u64 {
    let mut tasks = 0;
    for _ in 0..100 {
        let swept = h.store().sweep(retention).await.expect("the store answers");
        tasks += swept.tasks;
        if !swept.more {
            return tasks;
        }
    }
    unreachable!("sweeping ends");
}

async fn left(h: &Harness, ids: &[TaskId]) -> Vec<bool> {
    let tasks = h.store().tasks(ids.to_vec()).await.expect("the store answers");
    tasks.iter().map(Option::is_some).collect()
}

pub(super) async fn what_is_old_goes_with_all_that_belonged_to_it(h: &Harness) {
    let host = h.join("h").await;
    let id = h.ended(&host, "a", Next::Completed).await;
    h.pass(DAY);
    assert_eq!(sweep(h, nothing()).await, 1);
    assert!(h.store().dossier(id.clone()).await.expect("the store answers").is_none());
    assert_eq!(left(h, &[id]).await, [false]);
    let counts = h.store().counts().await.expect("the store answers");
    assert_eq!(counts.iter().map(|count| count.tasks).sum::<u64>(), 0);
}

pub(super) async fn each_end_is_kept_for_its_own_time(h: &Harness) {
    let host = h.join("h").await;
    let mut ids = Vec::new();
    for next in [Next::Completed, POISONED, Next::Cancelled] {
        ids.push(h.ended(&host, "a", next).await);
    }
    let retention =
        Retention { completed: DAY * 2, poisoned: DAY * 6, cancelled: DAY * 4, ..Retention::default() };
    for expected in [[true, true, true], [false, true, true], [false, true, false], [false, false, false]] {
        h.pass(secs(1));
        sweep(h, retention).await;
        assert_eq!(left(h, &ids).await, expected);
        h.pass(DAY * 2);
    }
}

pub(super) async fn of_too_many_the_oldest_go_first(h: &Harness) {
    let host = h.join("h").await;
    let mut ids = Vec::new();
    for next in [POISONED, Next::Completed, Next::Cancelled, Next::Completed, POISONED] {
        ids.push(h.ended(&host, "a", next).await);
        h.pass(secs(10));
    }
    assert_eq!(sweep(h, Retention { finished: 2, ..Retention::default() }).await, 3);
    assert_eq!(left(h, &ids).await, [false, false, false, true, true]);
}

pub(super) async fn what_has_not_ended_stays_however_old(h: &Harness) {
    let host = h.join("h").await;
    let wait = Next::Pending { wait: Wait::For(DAY * 1_000), waiting_for: None };
    let waiting = h.ended(&host, "a", wait).await;
    let claimed = h.enqueue("a").await;
    h.claim_one(&host).await;
    let pending = h.enqueue("a").await;
    h.pass(DAY * 400);
    assert_eq!(sweep(h, Retention { finished: 0, ..nothing() }).await, 0);
    assert_eq!(left(h, &[waiting, claimed, pending]).await, [true, true, true]);
}

pub(super) async fn a_retried_task_is_not_old(h: &Harness) {
    let host = h.join("h").await;
    let id = h.ended(&host, "a", POISONED).await;
    h.pass(DAY);
    h.store().retry(vec![id.clone()]).await.expect("the store answers");
    assert_eq!(sweep(h, nothing()).await, 0);
    let claim = h.claim_one(&host).await;
    h.poison(&claim).await;
    assert_eq!(sweep(h, nothing()).await, 0, "its time begins with its last end");
    assert_eq!(h.state(&id).await, StateName::Poisoned);
}

pub(super) async fn a_given_id_is_known_for_a_day_after_the_end(h: &Harness) {
    let host = h.join("h").await;
    let task = given("order-7", h.task_of("a"));
    h.add(task.clone()).await;
    let claim = h.claim_one(&host).await;
    h.settle_ok(&claim).await;
    h.pass(ALMOST_A_DAY);
    sweep(h, Retention { finished: 0, ..nothing() }).await;
    let again = h.offer(task.clone()).await;
    assert!(matches!(again, Enqueued::Existing { state: StateName::Completed, .. }), "{again:?}");
    let other = NewTask { metadata: Some("{}".into()), ..task };
    assert_eq!(h.offer(other).await, Enqueued::Conflict);
}

pub(super) async fn sweeping_goes_in_batches_and_ends(h: &Harness) {
    let host = h.join("h").await;
    h.offer_all((0..1_100).map(|_| h.task_of("a")).collect()).await;
    let claims = h.claim(&host, 1_100).await;
    let ends = claims.iter().map(|claim| ending(claim, Next::Completed)).collect();
    h.store().settle(ends).await.expect("the store answers");
    h.pass(DAY);
    assert_eq!(sweep(h, nothing()).await, 1_100);
}

pub(super) async fn numbers_of_tasks_that_are_gone_are_not_given_again(h: &Harness) {
    let host = h.join("h").await;
    let id = h.ended(&host, "a", Next::Completed).await;
    let seq = h.task(&id).await.seq;
    h.pass(DAY * 2);
    sweep(h, nothing()).await;
    h.crash().await;
    let id = h.enqueue("a").await;
    assert!(h.task(&id).await.seq > seq);
}

pub(super) async fn fences_of_a_task_that_is_gone_are_not_given_again_with_its_id(h: &Harness) {
    let host = h.join("h").await;
    let task = given("order-7", h.task_of("a"));
    let mut last = Fence(0);
    for _ in 0..3 {
        h.add(task.clone()).await;
        let claim = h.claim_one(&host).await;
        assert!(claim.fence > last, "{:?} after {last:?}", claim.fence);
        h.settle_ok(&claim).await;
        last = claim.fence;
        h.pass(DAY * 2);
        assert_eq!(sweep(h, nothing()).await, 1);
        h.crash().await;
    }
}

pub(super) async fn a_store_in_use_finds_itself_sound(h: &Harness) {
    let host = h.join("h").await;
    h.ended(&host, "a", Next::Completed).await;
    h.enqueue("a").await;
    h.claim_one(&host).await;
    h.enqueue("a").await;
    assert_eq!(h.store().check().await.expect("the store answers"), Vec::<String>::new());
}

pub(super) async fn a_backup_is_there_when_it_is_said_to_be(h: &Harness) {
    let host = h.join("h").await;
    h.ended(&host, "a", Next::Completed).await;
    let folder = tempfile::tempdir().expect("a place for files");
    let to = folder.path().join("copy");
    h.store().backup(to.clone()).await.expect("the store answers");
    assert!(std::fs::metadata(to).expect("it is there").len() > 0);
    h.enqueue("a").await;
}
