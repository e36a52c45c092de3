//! The end of an attempt: under its fence, once, with everything that follows from it.

use super::guards::Guard;
use super::ledger::{Entry, Ledger, Now};
use super::row::content;
use crate::digest::sha256;
use std::collections::BTreeMap;
use wh_domain::id::{Seq, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{Due, NewTask, StateName, TaskState};
use wh_ports::answer::StoreError;
use wh_ports::claims::{Settled, Settlement};
use wh_ports::intake::Enqueued;
use wh_ports::reader::Fact;

impl Ledger {
    pub(super) fn settle(&mut self, settlement: Settlement, now: Now) -> Result<Settled, StoreError> {
        if let Some(refusal) = self.refuses(&settlement) {
            return Ok(refusal);
        }
        let (seq, first) = (settlement.seq, self.last_seq + 1);
        let follow_ups = settlement.follow_ups.clone();
        self.write(settlement, now)?;
        for (at, task) in follow_ups.into_iter().enumerate() {
            match self.known(&task) {
                Some(Enqueued::Conflict) => return Ok(Settled::FollowUpConflict(at)),
                Some(_) => {}
                None if self.holder(task.unique.as_ref()).is_some() => {}
                None => drop(self.insert(with_parent(task, self.rows.get(&seq).map(|it| &it.task.id)), now)?),
            }
        }
        self.tell_enqueued(first);
        Ok(Settled::Done)
    }

    /// Why nothing is to be written, if so.
    fn refuses(&self, settlement: &Settlement) -> Option<Settled> {
        let Some(row) = self.rows.get(&settlement.seq) else { return Some(Settled::Fenced) };
        let again = row.settled.get(&settlement.fence) == Some(&fingerprint(settlement));
        if again && self.guards.hold(Guard::ReplayRecord) {
            return Some(Settled::Done);
        }
        let wrong_state = self.guards.hold(Guard::StateOnSettle) && row.held.is_none();
        let wrong_fence = self.guards.hold(Guard::FenceOnSettle) && row.task.fence != settlement.fence;
        if wrong_state || wrong_fence {
            return Some(Settled::Fenced);
        }
        if self.guards.hold(Guard::CancelOnSettle) && row.task.cancel_wished && !settlement.saw_cancel {
            return Some(Settled::CancelWished);
        }
        if !self.guards.hold(Guard::FollowUpsAtomic) {
            return None;
        }
        self.conflict(&settlement.follow_ups).map(Settled::FollowUpConflict)
    }

    /// The first follow-up whose id stands for another task, be it one of its own siblings.
    fn conflict(&self, follow_ups: &[NewTask]) -> Option<usize> {
        let mut siblings = BTreeMap::new();
        follow_ups.iter().position(|task| {
            let content = content(task);
            let sibling = siblings.entry(&task.id).or_insert_with(|| content.clone());
            *sibling != content || self.known(task) == Some(Enqueued::Conflict)
        })
    }

    fn write(&mut self, settlement: Settlement, now: Now) -> Result<(), StoreError> {
        let seq = settlement.seq;
        let fingerprint = fingerprint(&settlement);
        let result = match settlement.result {
            Some(produced) => Some((self.keep(produced.payload, now)?, produced.partial)),
            None => None,
        };
        let state = self.follow(seq, settlement.decision.next, now);
        let Some(row) = self.rows.get_mut(&seq) else { return Ok(()) };
        row.task.counters = settlement.decision.counters;
        row.settled.insert(settlement.fence, fingerprint);
        if result.is_some() || state == StateName::Completed {
            row.result = result;
        }
        let fact = match settlement.record {
            Some(record) => {
                let outcome = record.outcome;
                row.attempts.push(record);
                Some(Fact::Settled { seq, fence: settlement.fence, outcome, state })
            }
            // No attempt ended; if its claim ended the task all the same, that was a wish.
            None => state.has_ended().then_some(Fact::Wished { seq, state }),
        };
        if let Some(fact) = fact {
            self.add(Entry::Fact(fact));
        }
        Ok(())
    }

    /// Gives a task the state that was decided.
    fn follow(&mut self, seq: Seq, next: Next, now: Now) -> StateName {
        let state = match next {
            Next::Pending { wait, waiting_for } => {
                let due = match wait {
                    Wait::Now => Due { at: now.wall, instant: None },
                    Wait::For(wait) => {
                        Due { at: now.wall.after(wait), instant: Some(now.instant.after(wait)) }
                    }
                    Wait::Until(at) => Due { at, instant: None },
                };
                self.make_pending(seq, due, waiting_for, now);
                return StateName::Pending;
            }
            Next::Completed => TaskState::Completed,
            Next::Poisoned(reason) => TaskState::Poisoned(reason),
            Next::Cancelled => TaskState::Cancelled,
        };
        let name = state.name();
        self.change(seq, state, now);
        name
    }
}

fn with_parent(mut task: NewTask, parent: Option<&TaskId>) -> NewTask {
    task.parent = parent.cloned();
    task
}

/// Tells a settlement that is sent again from another one under the same fence. Not by `saw_cancel`: a host that
/// lost an answer may have heard of a wish since.
fn fingerprint(settlement: &Settlement) -> Box<str> {
    let Settlement { seq, fence, decision, saw_cancel: _, record, result, follow_ups } = settlement;
    sha256(format!("{:?}", (seq, fence, decision, record, result, follow_ups)).as_bytes())
}
