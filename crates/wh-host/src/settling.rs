//! The end of an attempt made durable: decided by the rules, guarded by the store, tried until it is answered.

use crate::arrival::Arrival;
use crate::carrying::carried;
use crate::notes::Notebook;
use crate::tools::Tools;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, Outcome, Usage};
use wh_domain::event::{Carried, Event};
use wh_domain::failure::FailureClass;
use wh_domain::id::{Fence, Seq, StreamNo};
use wh_domain::lifecycle::{History, Next, after_attempt, after_release, with_wish};
use wh_domain::retry::{OnLost, RetryPolicy};
use wh_domain::task::NewTask;
use wh_ports::claims::{Claim, Orphan, Settled, Settlement};
use wh_ports::runner::{Assignment, Finished, FollowUp};
use wh_ports::store::StoreError;

/// The longest pause between two tries to reach a store that is away.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pause before try number `tries` (from 0) at a store that is away: doubling from 50 ms.
pub(crate) fn pause(tries: u32) -> Duration {
    Duration::from_millis(50).saturating_mul(1 << tries.min(10)).min(LONGEST_PAUSE)
}

/// Settles a finished attempt. Comes back only when the store has answered for good. Decides anew only when the store
/// has said that nothing was written: a settlement whose answer was lost is sent again as it was, so that the store
/// knows it.
pub(crate) async fn settle(
    tools: Arc<Tools>,
    assignment: Assignment,
    mut finished: Finished,
    cancel_wished: bool,
    notes: Arc<Notebook>,
) -> Arrival {
    let seq = assignment.claim.seq;
    if let Some(stuck) = finished.stuck.take() {
        stuck.await;
    }
    let last_note = notes.take_of(seq, assignment.claim.fence);
    if let Some(note) = last_note.filter(|note| note.checkpoint.is_some()) {
        // Losing it would only make the next attempt start further back, so one try is enough.
        tools.store.note(vec![note]).await.ok();
    }
    let carried = carried(&assignment);
    let mut ending = Unsettled { assignment, finished };
    let mut settlement = ending.settlement(&tools, cancel_wished);
    let mut tries = 0;
    let result = loop {
        match tools.store.settle(vec![settlement.clone()]).await.map(|answers| answers.into_iter().next()) {
            Ok(Some(Settled::Done)) => {
                tell_settled(&tools, &carried, settlement);
                break Ok(());
            }
            Ok(Some(Settled::Fenced) | None) => {
                tools.bus.tell(&Event::Fenced { carried });
                break Ok(());
            }
            Ok(Some(Settled::CancelWished)) => settlement = ending.settlement(&tools, true),
            Ok(Some(Settled::FollowUpConflict(at))) => {
                ending.refuse_follow_up(at);
                settlement = ending.settlement(&tools, settlement.saw_cancel);
            }
            Err(StoreError::Unavailable(_)) => {
                tokio::time::sleep(pause(tries)).await;
                tries += 1;
            }
            Err(error) => {
                if error == StoreError::Expelled {
                    tools.bus.tell(&Event::Fenced { carried });
                }
                break Err(error);
            }
        }
    };
    Arrival::Settled(result)
}

fn tell_settled(tools: &Tools, carried: &Carried, settlement: Settlement) {
    if let Some(record) = settlement.record {
        tools.bus.tell(&Event::Settled {
            carried: carried.clone(),
            record: Box::new(record),
            next: settlement.decision.next,
        });
    }
}

struct Unsettled {
    assignment: Assignment,
    finished: Finished,
}

impl Unsettled {
    fn settlement(&self, tools: &Tools, cancel_wished: bool) -> Settlement {
        let claim = &self.assignment.claim;
        let outcome = self.finished.verdict.outcome.seen_at(tools.clock.wall());
        let history = History { cancel_wished, ..claim.history };
        let decision = after_attempt(&history, &self.assignment.worker.retry, outcome, tools.chance.dice());
        let completed = decision.next == Next::Completed;
        let overruled = outcome == Outcome::Succeeded && !completed;
        let brought = self.finished.follow_ups.iter().filter(|_| completed);
        Settlement {
            seq: claim.seq,
            fence: claim.fence,
            decision,
            saw_cancel: cancel_wished,
            record: Some(self.record(tools, overruled)),
            result: if overruled { None } else { self.finished.produced.clone() },
            follow_ups: brought.map(|follow_up| child(tools, claim, follow_up)).collect(),
        }
    }

    fn record(&self, tools: &Tools, overruled: bool) -> AttemptRecord {
        let (claim, finished) = (&self.assignment.claim, &self.finished);
        let (outcome, sentence) = if overruled {
            let sentence =
                "The worker finished the task after it had been cancelled; its result does not count.";
            (Outcome::Cancelled, sentence.into())
        } else {
            (finished.verdict.outcome, finished.verdict.sentence.clone().into_boxed_str())
        };
        AttemptRecord {
            fence: claim.fence,
            attempt: self.assignment.attempt,
            host: tools.host.clone(),
            worker: self.assignment.worker.name.clone(),
            stream: self.assignment.stream,
            started_at: finished.started_at,
            ended_at: finished.ended_at,
            outcome: outcome.name(),
            class: class_of(&outcome),
            exit: Some(finished.ending.exit.clone()),
            stop: finished.ending.stop,
            breach: finished.ending.breach,
            sentence,
            warnings: finished.warnings.clone(),
            leaked: finished.leaked.clone(),
            log_tail: finished.log_tail.clone(),
            usage: finished.usage,
            workspace: finished.workspace.clone(),
            review: finished.review.clone(),
            isolation: finished.isolation.clone(),
        }
    }

    fn refuse_follow_up(&mut self, at: usize) {
        self.finished.verdict.outcome = Outcome::ProtocolError;
        self.finished.verdict.sentence = format!(
            "The worker's result names a follow-up task (number {}) whose id stands for another task.",
            at + 1
        );
        self.finished.produced = None;
        self.finished.follow_ups.clear();
    }
}

fn class_of(outcome: &Outcome) -> Option<FailureClass> {
    match outcome {
        Outcome::Failed { class, .. } => Some(*class),
        _ => None,
    }
}

fn child(tools: &Tools, parent: &Claim, follow_up: &FollowUp) -> NewTask {
    let id = follow_up.id.clone().unwrap_or_else(|| tools.chance.task_id());
    NewTask {
        id_is_given: follow_up.id.is_some(),
        priority: follow_up.priority,
        run_at: follow_up.run_at,
        unique: follow_up.unique.clone(),
        traceparent: parent.traceparent.clone(),
        parent: Some(parent.id.clone()),
        ..NewTask::new(id, follow_up.task_type.clone(), follow_up.params.clone())
    }
}

/// What settles a claim that was never started: as if it had not been made.
pub(crate) fn release(claim: &Claim) -> Settlement {
    Settlement {
        seq: claim.seq,
        fence: claim.fence,
        decision: after_release(&claim.history),
        saw_cancel: claim.history.cancel_wished,
        record: None,
        result: None,
        follow_ups: Vec::new(),
    }
}

/// What settles a dead host's claim. `policy` is the worker's, where this host knows the worker.
pub(crate) fn lost(tools: &Tools, orphan: &Orphan, policy: Option<RetryPolicy>) -> Settlement {
    let mut policy = policy.unwrap_or_default();
    if orphan.lost_is_final {
        policy.on_lost = OnLost::Fail;
    }
    let (decision, record) = if orphan.started {
        let decision = after_attempt(&orphan.history, &policy, Outcome::Lost, tools.chance.dice());
        (decision, Some(lost_record(tools, orphan, &policy)))
    } else {
        (after_release(&orphan.history), None)
    };
    Settlement {
        seq: orphan.seq,
        fence: orphan.fence,
        decision,
        saw_cancel: orphan.history.cancel_wished,
        record,
        result: None,
        follow_ups: Vec::new(),
    }
}

fn lost_record(tools: &Tools, orphan: &Orphan, policy: &RetryPolicy) -> AttemptRecord {
    AttemptRecord {
        fence: orphan.lost_fence,
        attempt: orphan.history.attempt(policy),
        host: orphan.lost_host.clone(),
        worker: orphan.worker.clone(),
        stream: StreamNo(0),
        started_at: orphan.claimed_at,
        ended_at: tools.clock.wall(),
        outcome: Outcome::Lost.name(),
        class: None,
        exit: None,
        stop: None,
        breach: None,
        sentence: "The host that carried the task died, so nobody knows how far the worker came.".into(),
        warnings: Vec::new(),
        leaked: Vec::new(),
        log_tail: "".into(),
        usage: Usage::default(),
        workspace: None,
        review: None,
        isolation: None,
    }
}

/// Settles what needs no second thought, until the store has answered; answers what was written. A wish to cancel that
/// comes in between is obeyed.
pub(crate) async fn settle_all(
    tools: &Tools,
    mut settlements: Vec<Settlement>,
) -> Result<Vec<Key>, StoreError> {
    let (mut done, mut tries) = (Vec::new(), 0);
    while !settlements.is_empty() {
        match tools.store.settle(settlements.clone()).await {
            Ok(answers) => {
                let mut wished = Vec::new();
                for (answer, settlement) in answers.into_iter().zip(settlements) {
                    match answer {
                        Settled::Done => done.push((settlement.seq, settlement.fence)),
                        Settled::CancelWished => wished.push(knowing_the_wish(settlement)),
                        // Nothing of a claim that was not carried brings forth tasks.
                        Settled::Fenced | Settled::FollowUpConflict(_) => {}
                    }
                }
                settlements = wished;
            }
            Err(StoreError::Unavailable(_)) => {
                tokio::time::sleep(pause(tries)).await;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn knowing_the_wish(mut settlement: Settlement) -> Settlement {
    settlement.saw_cancel = true;
    settlement.decision = with_wish(settlement.decision);
    settlement
}

/// The key of an attempt while it runs.
pub(crate) type Key = (Seq, Fence);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Parts;
    use wh_domain::attempt::OutcomeName;
    use wh_domain::id::{HostId, TaskId, TaskType, WorkerName};
    use wh_domain::lifecycle::{Decision, Wait};
    use wh_domain::task::{Counters, Payload, PoisonReason};
    use wh_ports::blobs::Stored;
    use wh_testkit::chance::SeededChance;
    use wh_testkit::clock::{FakeClock, START};
    use wh_testkit::memory::MemoryStore;
    use wh_testkit::script::{Script, ScriptedRunner};
    use wh_testkit::witness::Witness;

    fn tools() -> Arc<Tools> {
        let clock: Arc<dyn wh_ports::clock::Clock> = Arc::new(FakeClock::new());
        let witness = Witness::new(Arc::clone(&clock));
        let parts = Parts {
            store: Arc::new(MemoryStore::new(Arc::clone(&clock))),
            runner: Arc::new(ScriptedRunner::new(Arc::clone(&clock), witness, |_| Script::hangs())),
            clock,
            machine: Arc::new(wh_ports::machine::Unknown),
            chance: Arc::new(SeededChance::new(1)),
            observers: Vec::new(),
        };
        Tools::new(parts, HostId::new("host").unwrap(), 0)
    }

    fn history(lost: u32, cancel_wished: bool) -> History {
        History { counters: Counters { lost, ..Counters::default() }, max_attempts: None, cancel_wished }
    }

    fn orphan(history: History, started: bool, lost_is_final: bool) -> Orphan {
        Orphan {
            seq: Seq(1),
            id: TaskId::new("task").unwrap(),
            task_type: TaskType::new("type").unwrap(),
            fence: Fence(5),
            lost_fence: Fence(3),
            lost_host: HostId::new("dead").unwrap(),
            worker: WorkerName::new("worker").unwrap(),
            claimed_at: START,
            started,
            lost_is_final,
            history,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_claim_is_tried_again_unless_its_worker_or_its_cap_says_otherwise() {
        const AGAIN: Next = Next::Pending { wait: Wait::Now, waiting_for: None };
        const GIVEN_UP: Next = Next::Poisoned(PoisonReason::Lost);
        let fails = Some(RetryPolicy { on_lost: OnLost::Fail, ..RetryPolicy::default() });
        let patient = Some(RetryPolicy { max_lost: 9, ..RetryPolicy::default() });
        for (lost, wished, started, is_final, policy, next, counted) in [
            (0, false, true, false, None, AGAIN, 1),
            (4, false, true, false, None, GIVEN_UP, 1),
            (4, false, true, false, patient, AGAIN, 1),
            (0, false, true, true, None, GIVEN_UP, 1),
            (0, false, true, true, patient, GIVEN_UP, 1),
            (0, false, true, false, fails, GIVEN_UP, 1),
            (0, true, true, true, None, Next::Cancelled, 1),
            (4, false, false, true, None, AGAIN, 0),
            (4, true, false, false, None, Next::Cancelled, 0),
        ] {
            let orphan = orphan(history(lost, wished), started, is_final);
            let settlement = super::lost(&tools(), &orphan, policy);
            let what = format!("{lost} {wished} {started} {is_final}");
            assert_eq!(settlement.decision.next, next, "{what}");
            assert_eq!(settlement.decision.counters.lost, lost + counted, "{what}");
            assert_eq!((settlement.fence, settlement.saw_cancel), (Fence(5), wished), "{what}");
            let record = settlement.record.map(|it| (it.outcome, it.fence, it.host.to_string()));
            assert_eq!(record, started.then(|| (OutcomeName::Lost, Fence(3), "dead".to_owned())), "{what}");
        }
    }

    #[test]
    fn a_claim_that_is_given_back_is_as_it_was() {
        for (wished, next) in
            [(false, Next::Pending { wait: Wait::Now, waiting_for: None }), (true, Next::Cancelled)]
        {
            let orphan = orphan(history(2, wished), false, false);
            let claim = Claim {
                seq: orphan.seq,
                id: orphan.id,
                task_type: orphan.task_type,
                fence: orphan.fence,
                worker: orphan.worker,
                priority: 0,
                history: orphan.history,
                params: Stored::Inline(Payload::null()),
                metadata: None,
                inputs: Vec::new(),
                traceparent: None,
                checkpoint: None,
                created_at: START,
                claimed_at: START,
            };
            let settlement = release(&claim);
            assert_eq!(settlement.decision, Decision { next, counters: orphan.history.counters });
            assert_eq!((settlement.record, settlement.saw_cancel), (None, wished));
        }
    }

    #[test]
    fn a_wish_that_is_learnt_late_changes_the_state_and_no_counter() {
        let counters = Counters { lost: 1, ..Counters::default() };
        let next = Next::Pending { wait: Wait::Now, waiting_for: None };
        let settlement = Settlement {
            seq: Seq(1),
            fence: Fence(1),
            decision: Decision { next, counters },
            saw_cancel: false,
            record: None,
            result: None,
            follow_ups: Vec::new(),
        };
        let knowing = knowing_the_wish(settlement);
        assert!(knowing.saw_cancel);
        assert_eq!(knowing.decision, Decision { next: Next::Cancelled, counters });
    }

    #[test]
    fn the_pause_before_a_store_is_asked_again_doubles_up_to_its_bound() {
        let pauses: Vec<u128> = (0..9).map(|tries| pause(tries).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
