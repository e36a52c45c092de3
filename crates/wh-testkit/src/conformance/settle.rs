//! The end of an attempt: who may write it, and what is written with it.

use super::harness::{Harness, ending, json, of_type, one, secs, unique, unstarted, wall};
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::ending::{Exit, Stop};
use wh_domain::failure::FailureClass;
use wh_domain::id::{Fence, Seq, StreamNo};
use wh_domain::isolation::{Enforcement, Gap, Level, Restriction};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::limits::{Breach, Resource};
use wh_domain::outputs::{Check, FailedCheck, Review};
use wh_domain::task::{Counters, NewTask, PoisonReason, StateName, TaskState, WaitingFor};
use wh_ports::blobs::Stored;
use wh_ports::claims::{Claim, Produced, Settled, Settlement};
use wh_ports::reader::Fact;

const AGAIN: Next = Next::Pending { wait: Wait::Now, waiting_for: None };

/// A claim that its host has lost to another one, and the claim that this one has.
async fn lost_claim(h: &Harness) -> (Claim, Claim) {
    let (old, new) = (h.join("old").await, h.join("new").await);
    h.enqueue("a").await;
    let lost = h.claim_one(&old).await;
    h.kill(&old);
    let orphan = one(h.take_over(&new).await);
    let held = Claim { fence: orphan.fence, ..lost.clone() };
    (lost, held)
}

pub(super) async fn a_success_is_kept_with_its_result(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.pass(secs(2));
    h.settle_ok(&claim).await;
    let dossier = h.dossier(&id).await;
    assert_eq!((dossier.task.state, dossier.task.changed_at), (TaskState::Completed, wall(h)));
    assert_eq!(dossier.result, Some((Stored::Inline(json("\"done\"")), false)));
}

pub(super) async fn an_old_fence_writes_nothing(h: &Harness) {
    let (lost, _) = lost_claim(h).await;
    let (before, latest) = (h.dossier(&lost.id).await, h.latest().await);
    let follow_up = h.task_of("a");
    let late = Settlement { follow_ups: vec![follow_up.clone()], ..ending(&lost, Next::Completed) };
    assert_eq!(h.settle(late).await, Settled::Fenced);
    let after = h.dossier(&lost.id).await;
    assert_eq!(after.task, before.task);
    assert_eq!((after.attempts, after.result), (Vec::new(), None));
    assert_eq!(h.find(&follow_up.id).await, None);
    assert_eq!(h.facts(latest).await, []);
}

pub(super) async fn an_old_fence_writes_nothing_however_the_task_stands(h: &Harness) {
    let (lost, held) = lost_claim(h).await;
    for next in [AGAIN, Next::Poisoned(PoisonReason::Lost)] {
        h.end(&Claim { fence: h.task(&lost.id).await.fence, ..held.clone() }, next).await;
        let before = h.task(&lost.id).await;
        assert_eq!(h.settle(ending(&lost, Next::Completed)).await, Settled::Fenced);
        assert_eq!(h.task(&lost.id).await, before);
        if next == AGAIN {
            let host = h.join("third").await;
            h.claim_one(&host).await;
        }
    }
}

pub(super) async fn a_fence_to_come_writes_nothing(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let forged = Claim { fence: Fence(claim.fence.0 + 1), ..claim };
    assert_eq!(h.settle(ending(&forged, Next::Completed)).await, Settled::Fenced);
}

pub(super) async fn a_spent_fence_writes_nothing(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.settle_ok(&claim).await;
    let latest = h.latest().await;
    let other = ending(&claim, Next::Poisoned(PoisonReason::Attempts));
    h.settle(other).await;
    let dossier = h.dossier(&id).await;
    assert_eq!((dossier.task.state, dossier.attempts.len()), (TaskState::Completed, 1));
    assert_eq!(h.facts(latest).await, []);
}

pub(super) async fn a_task_that_nobody_holds_cannot_be_settled(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let never_claimed = unstarted(h.task(&id).await.seq, Fence(0), Next::Completed);
    h.settle(never_claimed).await;
    assert_eq!(h.state(&id).await, StateName::Pending);
    let claim = h.claim_one(&host).await;
    let unknown = Claim { seq: Seq(claim.seq.0 + 1_000), ..claim };
    assert_eq!(h.settle(ending(&unknown, Next::Completed)).await, Settled::Fenced);
}

pub(super) async fn the_same_settlement_again_is_done_and_writes_nothing(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let follow_up = h.task_of("a");
    let settlement = Settlement { follow_ups: vec![follow_up.clone()], ..ending(&claim, Next::Completed) };
    assert_eq!(h.settle(settlement.clone()).await, Settled::Done);
    let (before, latest) = (h.task(&id).await, h.latest().await);
    h.pass(secs(1));
    assert_eq!(h.settle(settlement).await, Settled::Done);
    assert_eq!(h.task(&id).await, before);
    assert_eq!(h.dossier(&id).await.attempts.len(), 1);
    assert_eq!(h.facts(latest).await, []);
}

pub(super) async fn the_same_settlement_again_does_not_disturb_the_next_attempt(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.end(&claim, AGAIN).await;
    let next = h.claim_one(&host).await;
    assert_eq!(h.settle(ending(&claim, AGAIN)).await, Settled::Done, "it had been made durable");
    let task = h.task(&id).await;
    assert_eq!((task.state.name(), task.fence), (StateName::Claimed, next.fence));
    h.settle_ok(&next).await;
}

pub(super) async fn a_settlement_is_known_again_after_a_crash(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.settle_ok(&claim).await;
    h.crash().await;
    assert_eq!(h.state(&id).await, StateName::Completed);
    assert_eq!(h.settle(ending(&claim, Next::Completed)).await, Settled::Done);
    assert_eq!(h.dossier(&id).await.attempts.len(), 1);
}

pub(super) async fn settlements_of_one_call_stand_each_on_its_own(h: &Harness) {
    let (lost, _) = lost_claim(h).await;
    let host = h.join("h").await;
    h.enqueue("a").await;
    let good = h.claim_one(&host).await;
    let both = vec![ending(&lost, Next::Completed), ending(&good, Next::Completed)];
    let answers = h.store().settle(both).await.expect("the store answers");
    assert_eq!(answers, [Settled::Fenced, Settled::Done]);
    assert_eq!(h.state(&good.id).await, StateName::Completed);
}

pub(super) async fn an_attempt_comes_back_as_it_was_recorded(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let failed = |check| FailedCheck { check, path: "a/b.md".into(), why: "is \"not\" there".into() };
    let record = AttemptRecord {
        fence: claim.fence,
        attempt: 1,
        host,
        worker: claim.worker.clone(),
        stream: StreamNo(7),
        started_at: claim.claimed_at,
        ended_at: claim.claimed_at.after(Duration::from_millis(1_234)),
        outcome: OutcomeName::TimedOut,
        class: Some(FailureClass::Resource),
        exit: Some(Exit::Signal(15)),
        stop: Some(Stop::Timeout),
        breach: Some(Breach { resource: Resource::Inodes, limit: 10, used: 11 }),
        sentence: "It took too long: \u{e9}\u{1f600}.".into(),
        warnings: vec!["one".into(), "t\"w\no".into()],
        leaked: vec!["sleep 100".into()],
        log_tail: "last\nlines\n".into(),
        usage: Usage {
            user: Duration::from_millis(5),
            system: Duration::from_micros(3_000),
            max_rss_kib: 77,
            disk_read_kib: 78,
            disk_written_kib: 79,
            oom_kills: 3,
        },
        workspace: Some("finished/1-1".into()),
        review: Some(Review {
            passed: 3,
            failed: 20,
            failures: Check::ALL.map(failed).to_vec(),
            claimed: Some(70),
        }),
        isolation: Some(Enforcement {
            level: Level::Strict,
            landlock: Some(3),
            cgroup: Some(1),
            enforced: vec![Restriction::Files],
            missing: vec![Gap { restriction: Restriction::Signals, why: "it takes Landlock 6".into() }],
        }),
    };
    let settlement = Settlement { record: Some(record.clone()), ..ending(&claim, AGAIN) };
    assert_eq!(h.settle(settlement).await, Settled::Done);
    assert_eq!(h.dossier(&id).await.attempts, [record]);
}

pub(super) async fn every_way_to_end_is_kept_apart(h: &Harness) {
    let host = h.join("h").await;
    let exits = [
        Some(Exit::Code(0)),
        Some(Exit::Code(255)),
        Some(Exit::NotStarted("no such file".into())),
        Some(Exit::Unseen),
        None,
    ];
    for (outcome, exit) in OutcomeName::ALL.into_iter().zip(exits.into_iter().cycle()) {
        let id = h.enqueue("a").await;
        let claim = h.claim_one(&host).await;
        let mut settlement = ending(&claim, Next::Completed);
        let record = settlement.record.take().expect("it has one");
        settlement.record = Some(AttemptRecord { outcome, exit: exit.clone(), ..record });
        h.settle(settlement).await;
        let kept = h.dossier(&id).await.attempts.remove(0);
        assert_eq!((kept.outcome, kept.exit), (outcome, exit));
    }
    for reason in PoisonReason::ALL {
        let id = h.ended(&host, "a", Next::Poisoned(reason)).await;
        assert_eq!(h.task(&id).await.state, TaskState::Poisoned(reason));
    }
}

pub(super) async fn all_counters_are_kept_as_they_were_decided(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let counters = Counters {
        attempts: 1,
        crashes: 2,
        timeouts: 3,
        lost: 4,
        worker_broken: 5,
        deferrals: 6,
        interruptions: 7,
    };
    let mut settlement = ending(&claim, AGAIN);
    settlement.decision.counters = counters;
    h.settle(settlement).await;
    assert_eq!(h.task(&id).await.counters, counters);
    assert_eq!(h.claim_one(&host).await.history.counters, counters);
}

pub(super) async fn a_partial_result_is_kept_until_there_is_a_better_one(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let partial = Some(Produced { payload: json("[1]"), partial: true });
    h.settle(Settlement { result: partial, ..ending(&claim, AGAIN) }).await;
    assert_eq!(h.dossier(&id).await.result, Some((Stored::Inline(json("[1]")), true)));
    let claim = h.claim_one(&host).await;
    h.end(&claim, AGAIN).await;
    assert_eq!(h.dossier(&id).await.result, Some((Stored::Inline(json("[1]")), true)));
    let claim = h.claim_one(&host).await;
    h.settle_ok(&claim).await;
    assert_eq!(h.dossier(&id).await.result, Some((Stored::Inline(json("\"done\"")), false)));
}

pub(super) async fn a_success_without_a_result_leaves_no_partial_one(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let partial = Some(Produced { payload: json("[1]"), partial: true });
    h.settle(Settlement { result: partial, ..ending(&claim, AGAIN) }).await;
    let claim = h.claim_one(&host).await;
    h.settle(Settlement { result: None, ..ending(&claim, Next::Completed) }).await;
    assert_eq!(h.dossier(&id).await.result, None);
}

pub(super) async fn follow_ups_come_with_their_settlement_and_name_their_parent(h: &Harness) {
    let host = h.join("h").await;
    let parent = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let follow_ups = vec![h.task_of("b"), h.task_of("c")];
    let stand_in =
        follow_ups.iter().map(|it| NewTask { parent: Some(parent.clone()), ..it.clone() }).collect();
    let settlement = Settlement { follow_ups: stand_in, ..ending(&claim, Next::Completed) };
    assert_eq!(h.settle(settlement).await, Settled::Done);
    for follow_up in follow_ups {
        let task = h.task(&follow_up.id).await;
        assert_eq!((task.state.name(), task.parent), (StateName::Pending, Some(parent.clone())));
    }
    assert_eq!(h.claim(&host, 9).await.len(), 2);
}

/// A claim whose settlement brings forth a good follow-up, then those.
async fn bringing(h: &Harness, others: Vec<NewTask>) -> (Settlement, NewTask) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let good = h.task_of("a");
    let follow_ups = [vec![good.clone()], others].concat();
    (Settlement { follow_ups, ..ending(&claim, Next::Completed) }, good)
}

pub(super) async fn a_conflicting_follow_up_stops_the_whole_settlement(h: &Harness) {
    let known = h.task_of("x");
    h.add(known.clone()).await;
    let host = h.join("x-host").await;
    h.claim_one(&host).await;
    let (settlement, good) = bringing(h, vec![NewTask { params: json("1"), ..known }]).await;
    let latest = h.latest().await;
    assert_eq!(h.settle(settlement.clone()).await, Settled::FollowUpConflict(1));
    assert_eq!(h.find(&good.id).await, None);
    let task = &h.store().tasks_by_seq(vec![settlement.seq]).await.expect("the store answers")[0];
    assert_eq!(task.as_ref().map(|task| task.state.name()), Some(StateName::Claimed));
    assert_eq!(h.facts(latest).await, []);
    let without = Settlement { follow_ups: Vec::new(), ..settlement };
    assert_eq!(h.settle(without).await, Settled::Done, "the claim still holds");
}

pub(super) async fn two_follow_ups_of_one_id_are_in_conflict(h: &Harness) {
    let twin = h.task_of("b");
    let other = NewTask { task_type: of_type("c"), ..twin.clone() };
    let (settlement, good) = bringing(h, vec![twin.clone(), other]).await;
    assert_eq!(h.settle(settlement).await, Settled::FollowUpConflict(2));
    assert_eq!((h.find(&good.id).await, h.find(&twin.id).await), (None, None));
}

pub(super) async fn a_follow_up_that_is_there_already_is_no_conflict(h: &Harness) {
    let known = h.task_of("x");
    h.add(known.clone()).await;
    let host = h.join("x-host").await;
    h.claim_one(&host).await;
    let (settlement, good) = bringing(h, vec![known]).await;
    assert_eq!(h.settle(settlement).await, Settled::Done);
    assert_eq!(h.state(&good.id).await, StateName::Pending);
}

pub(super) async fn a_follow_up_may_take_the_unique_key_that_its_parent_frees(h: &Harness) {
    let host = h.join("h").await;
    h.add(unique("k", h.task_of("a"))).await;
    let claim = h.claim_one(&host).await;
    let heir = unique("k", h.task_of("a"));
    let settlement = Settlement { follow_ups: vec![heir.clone()], ..ending(&claim, Next::Completed) };
    assert_eq!(h.settle(settlement).await, Settled::Done);
    assert_eq!(h.state(&heir.id).await, StateName::Pending);
}

pub(super) async fn follow_ups_survive_a_crash_with_their_settlement(h: &Harness) {
    let (settlement, good) = bringing(h, Vec::new()).await;
    h.settle(settlement).await;
    h.crash().await;
    assert_eq!(h.state(&good.id).await, StateName::Pending);
}

pub(super) async fn a_claim_given_back_unstarted_leaves_no_attempt(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    assert_eq!(h.settle(unstarted(claim.seq, claim.fence, AGAIN)).await, Settled::Done);
    assert_eq!(h.dossier(&id).await.attempts, []);
    assert_eq!(h.claim_one(&host).await.fence.0, 2);
}

pub(super) async fn an_end_without_an_attempt_is_a_fact_too(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.cancel(&id).await;
    let latest = h.latest().await;
    let settlement = Settlement { saw_cancel: true, ..unstarted(claim.seq, claim.fence, Next::Cancelled) };
    assert_eq!(h.settle(settlement).await, Settled::Done);
    let told = |fact: &Fact| match fact {
        Fact::Settled { seq, state, .. } | Fact::Wished { seq, state } => {
            (*seq, *state) == (claim.seq, StateName::Cancelled)
        }
        Fact::Enqueued { .. } => false,
    };
    let facts = h.facts(latest).await;
    assert_eq!(facts.iter().filter(|fact| told(fact)).count(), 1, "{facts:?}");
}

pub(super) async fn a_wait_that_was_decided_begins_with_the_settlement(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.pass(secs(100));
    let wait = Next::Pending { wait: Wait::For(secs(10)), waiting_for: Some(WaitingFor::Worker) };
    h.end(&claim, wait).await;
    let state = h.task(&id).await.state;
    let TaskState::Pending { due, waiting_for } = state else { unreachable!("it is pending: {state:?}") };
    assert_eq!((due.at, waiting_for), (wall(h).after(secs(10)), Some(WaitingFor::Worker)));
}
