//! What others can follow: every commit that they may care for, once, in order.

use super::harness::{Harness, ending, enqueued, given, one, want};
use wh_domain::attempt::OutcomeName;
use wh_domain::id::Seq;
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, PoisonReason, StateName};
use wh_ports::claims::{Cursor, Settlement};
use wh_ports::reader::Fact;

pub(super) async fn every_task_that_came_in_is_told_once(h: &Harness) {
    let start = h.latest().await;
    let mut ids = vec![h.enqueue("a").await];
    let batch: Vec<NewTask> = (0..20).map(|_| h.task_of("b")).collect();
    ids.extend(batch.iter().map(|task| task.id.clone()));
    h.offer_all(batch).await;
    ids.push(h.enqueue("a").await);
    let mut told = enqueued(&h.facts(start).await);
    told.sort_unstable();
    let tasks = h.store().tasks_by_seq(told).await.expect("the store answers");
    let told: Vec<_> = tasks.into_iter().map(|task| task.expect("it is there").id).collect();
    assert_eq!(told, ids);
}

pub(super) async fn what_was_there_already_is_not_told_again(h: &Harness) {
    let known = given("known", h.task_of("a"));
    h.add(known.clone()).await;
    let start = h.latest().await;
    let (fresh, last) = (h.task_of("a"), h.task_of("a"));
    h.offer_all(vec![fresh.clone(), known.clone(), last.clone(), known]).await;
    let told = enqueued(&h.facts(start).await);
    assert_eq!(told, [h.task(&fresh.id).await.seq, h.task(&last.id).await.seq]);
}

pub(super) async fn every_settlement_is_told_once(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let start = h.latest().await;
    let again = Next::Pending { wait: Wait::Now, waiting_for: None };
    let mut expected = Vec::new();
    for (next, outcome, state) in [
        (again, OutcomeName::Failed, StateName::Pending),
        (Next::Completed, OutcomeName::Succeeded, StateName::Completed),
    ] {
        let claim = h.claim_one(&host).await;
        h.end(&claim, next).await;
        expected.push(Fact::Settled { seq: claim.seq, fence: claim.fence, outcome, state });
    }
    assert_eq!(h.facts(start).await, expected);
    assert_eq!(h.dossier(&id).await.attempts.len(), expected.len());
}

pub(super) async fn follow_ups_are_told_as_having_come_in(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let start = h.latest().await;
    let follow_up = h.task_of("b");
    h.settle(Settlement { follow_ups: vec![follow_up.clone()], ..ending(&claim, Next::Completed) }).await;
    let facts = h.facts(start).await;
    assert_eq!(enqueued(&facts), [h.task(&follow_up.id).await.seq]);
    assert_eq!(facts.len(), 2, "and the settlement: {facts:?}");
}

pub(super) async fn every_wish_is_told_once(h: &Harness) {
    let host = h.join("h").await;
    let poisoned = h.ended(&host, "a", Next::Poisoned(PoisonReason::Attempts)).await;
    let claimed = h.enqueue("a").await;
    h.claim_one(&host).await;
    let pending = h.enqueue("a").await;
    let start = h.latest().await;
    h.cancel(&pending).await;
    h.cancel(&claimed).await;
    h.store().retry(vec![poisoned.clone()]).await.expect("the store answers");
    let mut expected = Vec::new();
    for (id, state) in
        [(&pending, StateName::Cancelled), (&claimed, StateName::Claimed), (&poisoned, StateName::Pending)]
    {
        expected.push(Fact::Wished { seq: h.task(id).await.seq, state });
    }
    assert_eq!(h.facts(start).await, expected);
}

pub(super) async fn every_retry_of_many_is_told(h: &Harness) {
    let host = h.join("h").await;
    for _ in 0..5 {
        h.ended(&host, "a", Next::Poisoned(PoisonReason::Attempts)).await;
    }
    let start = h.latest().await;
    h.store().retry_poisoned(None, None, 100).await.expect("the store answers");
    let facts = h.facts(start).await;
    let told = |fact: &&Fact| matches!(fact, Fact::Wished { state: StateName::Pending, .. });
    assert_eq!(facts.iter().filter(told).count(), 5, "{facts:?}");
}

pub(super) async fn a_wish_without_effect_is_no_fact(h: &Harness) {
    let host = h.join("h").await;
    let completed = h.ended(&host, "a", Next::Completed).await;
    let start = h.latest().await;
    h.cancel(&completed).await;
    h.store().retry(vec![completed]).await.expect("the store answers");
    assert_eq!(h.facts(start).await, []);
}

pub(super) async fn nothing_is_lost_between_pages(h: &Harness) {
    let host = h.join("h").await;
    for _ in 0..6 {
        h.ended(&host, "a", Next::Completed).await;
        let id = h.enqueue("b").await;
        h.cancel(&id).await;
        let worker = want("w", Vec::new(), 0).worker;
        h.store().resume_worker(worker).await.expect("the store answers");
    }
    let whole = h.facts_by(Cursor::default(), 1_000).await;
    assert_eq!(whole.len(), 6 * 4, "{whole:?}");
    for page in [1, 2, 3, 5] {
        assert_eq!(h.facts_by(Cursor::default(), page).await, whole, "{page} to a page");
    }
}

pub(super) async fn facts_grow_at_their_end_only(h: &Harness) {
    let mut known: Vec<Fact> = Vec::new();
    for _ in 0..10 {
        h.enqueue("a").await;
        let all = h.facts(Cursor::default()).await;
        assert_eq!(all[..known.len()], known[..], "what was told stays");
        assert_eq!(all.len(), known.len() + 1);
        known = all;
    }
    let seqs = enqueued(&known);
    assert!(seqs.is_sorted_by(|a: &Seq, b| a < b), "{seqs:?}");
}

pub(super) async fn the_latest_is_where_facts_end(h: &Harness) {
    h.enqueue("a").await;
    let latest = h.latest().await;
    assert_eq!(h.facts(latest).await, []);
    h.enqueue("a").await;
    assert!(h.latest().await > latest);
    one(h.facts(latest).await);
}

pub(super) async fn a_cursor_outlives_a_crash(h: &Harness) {
    h.enqueue("a").await;
    let cursor = h.latest().await;
    let id = h.enqueue("a").await;
    h.crash().await;
    assert_eq!(enqueued(&h.facts(cursor).await), [h.task(&id).await.seq]);
    let latest = h.latest().await;
    h.enqueue("a").await;
    assert_eq!(h.facts(latest).await.len(), 1, "numbers are not given twice");
}
