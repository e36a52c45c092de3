//! What people ask of tasks and workers.

use super::harness::{Harness, ending, id, of_type, one, unique};
use std::collections::BTreeSet;
use wh_domain::id::{HostId, Seq, TaskId, WorkerName};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{Counters, PoisonReason, StateName};
use wh_ports::claims::{Cursor, Heeded, Settled, Settlement};
use wh_ports::wishes::{Cancelled, Retried};

const POISONED: Next = Next::Poisoned(PoisonReason::Attempts);

async fn heed(h: &Harness, host: &HostId, after: Cursor) -> Heeded {
    h.store().heed(host.clone(), after).await.expect("the store answers")
}

async fn retry(h: &Harness, id: &TaskId) -> Retried {
    one(h.store().retry(vec![id.clone()]).await.expect("the store answers"))
}

pub(super) async fn a_pending_task_is_cancelled_at_once(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    assert_eq!(h.cancel(&id).await, Cancelled::Done);
    assert_eq!(h.state(&id).await, StateName::Cancelled);
    assert_eq!(h.claim(&host, 5).await.len(), 0);
    assert_eq!(h.cancel(&id).await, Cancelled::Ended(StateName::Cancelled));
}

pub(super) async fn a_claimed_task_is_cancelled_by_its_host(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    assert_eq!(h.cancel(&id).await, Cancelled::Wished);
    assert_eq!(h.cancel(&id).await, Cancelled::Wished);
    let task = h.task(&id).await;
    assert_eq!((task.state.name(), task.cancel_wished), (StateName::Claimed, true));
    let settlement = Settlement { saw_cancel: true, ..ending(&claim, Next::Cancelled) };
    assert_eq!(h.settle(settlement).await, Settled::Done);
    let task = h.task(&id).await;
    assert_eq!((task.state.name(), task.cancel_wished), (StateName::Cancelled, false));
}

pub(super) async fn what_has_ended_or_never_was_cannot_be_cancelled(h: &Harness) {
    let host = h.join("h").await;
    let completed = h.ended(&host, "a", Next::Completed).await;
    let poisoned = h.ended(&host, "a", POISONED).await;
    let ids = vec![completed.clone(), id("never-was"), poisoned];
    let answers = h.store().cancel(ids).await.expect("the store answers");
    let expected =
        [Cancelled::Ended(StateName::Completed), Cancelled::Unknown, Cancelled::Ended(StateName::Poisoned)];
    assert_eq!(answers, expected);
    assert_eq!(h.state(&completed).await, StateName::Completed);
}

pub(super) async fn a_settlement_that_missed_a_wish_is_sent_back(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.cancel(&id).await;
    let (before, latest) = (h.task(&id).await, h.latest().await);
    for next in [Next::Completed, POISONED, Next::Pending { wait: Wait::Now, waiting_for: None }] {
        assert_eq!(h.settle(ending(&claim, next)).await, Settled::CancelWished);
    }
    assert_eq!(h.task(&id).await, before);
    assert_eq!((h.dossier(&id).await.attempts, h.facts(latest).await), (Vec::new(), Vec::new()));
    let knowing = Settlement { saw_cancel: true, ..ending(&claim, Next::Cancelled) };
    assert_eq!(h.settle(knowing).await, Settled::Done);
    assert_eq!(h.state(&id).await, StateName::Cancelled);
}

pub(super) async fn a_success_that_was_settled_before_the_wish_stands(h: &Harness) {
    let host = h.join("h").await;
    let id = h.ended(&host, "a", Next::Completed).await;
    h.cancel(&id).await;
    let task = h.task(&id).await;
    assert_eq!((task.state.name(), task.cancel_wished), (StateName::Completed, false));
}

pub(super) async fn a_wish_to_cancel_is_told_to_its_holder_until_it_is_settled(h: &Harness) {
    let (holder, other) = (h.join("holder").await, h.join("other").await);
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&holder).await;
    h.cancel(&id).await;
    let mut cursor = Cursor::default();
    for _ in 0..3 {
        let heeded = heed(h, &holder, cursor).await;
        assert_eq!(heeded.cancel, [(claim.seq, claim.fence)]);
        cursor = heeded.cursor;
    }
    assert_eq!(heed(h, &other, Cursor::default()).await.cancel, []);
    h.settle(Settlement { saw_cancel: true, ..ending(&claim, Next::Cancelled) }).await;
    assert_eq!(heed(h, &holder, cursor).await.cancel, []);
}

pub(super) async fn a_wish_to_cancel_survives_a_crash(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    h.claim_one(&host).await;
    h.cancel(&id).await;
    h.crash().await;
    assert!(h.task(&id).await.cancel_wished);
    let next = h.join("next").await;
    assert!(one(h.take_over(&next).await).history.cancel_wished);
    assert_eq!(heed(h, &next, Cursor::default()).await.cancel.len(), 1);
}

pub(super) async fn every_host_hears_once_that_a_worker_was_mended(h: &Harness) {
    let hosts = [h.join("h1").await, h.join("h2").await];
    let start = h.latest().await;
    let worker = WorkerName::new("video").expect("a name");
    h.store().resume_worker(worker.clone()).await.expect("the store answers");
    for host in &hosts {
        let heeded = heed(h, host, start).await;
        assert_eq!(one(heeded.resume), worker);
        assert_eq!(heed(h, host, heeded.cursor).await.resume, []);
    }
    h.enqueue("a").await;
    let latest = h.latest().await;
    assert_eq!(heed(h, &hosts[0], latest).await.resume, [], "whoever comes later was never put off");
}

pub(super) async fn a_retry_sets_all_counters_to_zero(h: &Harness) {
    let host = h.join("h").await;
    for next in [POISONED, Next::Cancelled] {
        let id = h.enqueue("a").await;
        let claim = h.claim_one(&host).await;
        let mut settlement = ending(&claim, next);
        settlement.decision.counters = Counters { attempts: 3, crashes: 2, lost: 1, ..Counters::default() };
        h.settle(settlement).await;
        assert_eq!(retry(h, &id).await, Retried::Done);
        let task = h.task(&id).await;
        assert_eq!((task.state.name(), task.counters), (StateName::Pending, Counters::default()));
        let next = h.claim_one(&host).await;
        assert_eq!(next.id, id);
        h.settle_ok(&next).await;
    }
}

pub(super) async fn a_retry_never_sets_back_the_fence(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let first = h.claim_one(&host).await;
    h.poison(&first).await;
    retry(h, &id).await;
    let second = h.claim_one(&host).await;
    assert!(second.fence > first.fence);
    assert_eq!(h.dossier(&id).await.attempts.len(), 1, "what was is kept");
}

pub(super) async fn only_the_poisoned_and_the_cancelled_can_be_retried(h: &Harness) {
    let host = h.join("h").await;
    let completed = h.ended(&host, "a", Next::Completed).await;
    let claimed = h.enqueue("a").await;
    h.claim_one(&host).await;
    let pending = h.enqueue("a").await;
    let ids = vec![completed, claimed, pending, id("never-was")];
    let expected = [
        Retried::NotEnded(StateName::Completed),
        Retried::NotEnded(StateName::Claimed),
        Retried::NotEnded(StateName::Pending),
        Retried::Unknown,
    ];
    assert_eq!(h.store().retry(ids).await.expect("the store answers"), expected);
}

pub(super) async fn a_retry_respects_the_unique_key_of_another_task(h: &Harness) {
    let host = h.join("h").await;
    let old = h.add(unique("k", h.task_of("a"))).await;
    let claim = h.claim_one(&host).await;
    h.poison(&claim).await;
    let holder = h.add(unique("k", h.task_of("a"))).await;
    assert_eq!(retry(h, &old).await, Retried::Duplicate { of: holder.clone() });
    assert_eq!(h.state(&old).await, StateName::Poisoned);
    h.cancel(&holder).await;
    assert_eq!(retry(h, &old).await, Retried::Done);
    assert_eq!(retry(h, &holder).await, Retried::Duplicate { of: old });
}

pub(super) async fn a_retried_task_is_not_cancelled_any_more(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.cancel(&id).await;
    h.settle(Settlement { saw_cancel: true, ..ending(&claim, Next::Cancelled) }).await;
    retry(h, &id).await;
    let claim = h.claim_one(&host).await;
    assert!(!claim.history.cancel_wished);
    h.settle_ok(&claim).await;
}

/// Retries page by page; answers how many each page retried.
async fn retry_all(h: &Harness, task_type: Option<&str>, page: u32) -> Vec<u64> {
    let (mut after, mut pages) = (None::<Seq>, Vec::new());
    loop {
        let answer = h.store().retry_poisoned(task_type.map(of_type), after, page).await;
        let (retried, next) = answer.expect("the store answers");
        pages.push(retried);
        assert!(pages.len() < 100, "it ends");
        match next {
            Some(next) => after = Some(next),
            None => return pages,
        }
    }
}

pub(super) async fn all_poisoned_tasks_can_be_retried_in_pages(h: &Harness) {
    let host = h.join("h").await;
    let mut poisoned = BTreeSet::new();
    for _ in 0..7 {
        poisoned.insert(h.ended(&host, "a", POISONED).await);
        h.ended(&host, "a", Next::Completed).await;
    }
    let pages = retry_all(h, None, 3).await;
    assert!(pages.iter().all(|retried| *retried <= 3), "{pages:?}");
    assert_eq!(pages.iter().sum::<u64>(), 7);
    assert_eq!(h.claim_ids(&host, 100).await.into_iter().collect::<BTreeSet<_>>(), poisoned);
}

pub(super) async fn a_retry_of_one_type_leaves_the_others(h: &Harness) {
    let host = h.join("h").await;
    let other = h.ended(&host, "b", POISONED).await;
    let asked = h.ended(&host, "a", POISONED).await;
    let cancelled = h.ended(&host, "a", Next::Cancelled).await;
    assert_eq!(retry_all(h, Some("a"), 10).await.iter().sum::<u64>(), 1);
    assert_eq!(h.state(&asked).await, StateName::Pending);
    assert_eq!(h.state(&other).await, StateName::Poisoned);
    assert_eq!(h.state(&cancelled).await, StateName::Cancelled);
}

pub(super) async fn a_retry_of_many_passes_over_those_whose_key_is_taken(h: &Harness) {
    let host = h.join("h").await;
    for _ in 0..3 {
        h.add(unique("k", h.task_of("a"))).await;
        let claim = h.claim_one(&host).await;
        h.poison(&claim).await;
    }
    assert_eq!(retry_all(h, None, 2).await.iter().sum::<u64>(), 1);
    assert_eq!(h.claim(&host, 9).await.len(), 1);
}
