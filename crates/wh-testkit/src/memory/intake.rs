//! How tasks come in.

use super::MemoryStore;
use super::faults::Verb;
use super::guards::Guard;
use super::ledger::{Entry, Ledger, Now};
use super::row::{Row, content};
use std::collections::BTreeMap;
use wh_domain::id::{Fence, LaneId, Seq};
use wh_domain::priority::Rank;
use wh_domain::task::{Counters, Due, NewTask, Task, TaskState};
use wh_ports::answer::{Answer, StoreError};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::Fact;

impl Intake for MemoryStore {
    fn enqueue(&self, tasks: Vec<NewTask>) -> Answer<'_, Vec<Enqueued>> {
        self.answer(Verb::Enqueue, move |ledger, now| ledger.enqueue(tasks, now))
    }
}

impl Ledger {
    fn enqueue(&mut self, tasks: Vec<NewTask>, now: Now) -> Result<Vec<Enqueued>, StoreError> {
        let first = self.last_seq + 1;
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            let answer = match self.refusal(&task) {
                Some(refusal) => refusal,
                None => Enqueued::Created(self.insert(task, now)?),
            };
            answers.push(answer);
        }
        self.tell_enqueued(first);
        Ok(answers)
    }

    /// Leaves the fact that everything from `first` on has come in.
    pub(super) fn tell_enqueued(&mut self, first: i64) {
        if self.last_seq >= first {
            self.add(Entry::Fact(Fact::Enqueued { from: Seq(first), to: Seq(self.last_seq) }));
        }
    }

    /// Why a task is not to be added, if it is not.
    fn refusal(&self, task: &NewTask) -> Option<Enqueued> {
        if let Some(known) = self.known(task) {
            return Some(known);
        }
        if let Some(holder) = self.holder(task.unique.as_ref()) {
            return Some(Enqueued::Duplicate { of: holder.task.id.clone() });
        }
        if self.guards.hold(Guard::MaxPending) && self.pending() >= self.max_pending {
            return Some(Enqueued::Full { max: self.max_pending });
        }
        let missing = task.inputs.iter().find(|input| !self.shelf.holds(&input.sha256));
        missing.map(|input| Enqueued::MissingInput(input.name.clone()))
    }

    /// What the task's id stands for already, if for anything.
    pub(super) fn known(&self, task: &NewTask) -> Option<Enqueued> {
        let row = self.row_of(&task.id)?;
        let (seq, state) = (row.task.seq, row.state());
        let same = !self.guards.hold(Guard::IdDigest) || row.digest == content(task);
        Some(if same { Enqueued::Existing { seq, state } } else { Enqueued::Conflict })
    }

    fn lane(&mut self, task: &NewTask) -> LaneId {
        let fresh = LaneId(i64::try_from(self.lanes.len()).unwrap_or(i64::MAX).saturating_add(1));
        *self.lanes.entry(task.task_type.clone()).or_insert(fresh)
    }

    pub(super) fn insert(&mut self, new: NewTask, now: Now) -> Result<Seq, StoreError> {
        let (lane, digest) = (self.lane(&new), content(&new));
        let params = self.keep(new.params, now)?;
        self.last_seq += 1;
        let seq = Seq(self.last_seq);
        // A moment in the past is now: nobody gets ahead by it.
        let due = Due { at: new.run_at.unwrap_or(now.wall).max(now.wall), instant: None };
        let task = Task {
            seq,
            id: new.id.clone(),
            task_type: new.task_type,
            priority: new.priority,
            state: TaskState::Pending { due, waiting_for: None },
            fence: Fence(0),
            counters: Counters::default(),
            max_attempts: new.max_attempts,
            unique: new.unique,
            parent: new.parent,
            cancel_wished: false,
            created_at: now.wall,
            changed_at: now.wall,
        };
        let row = Row {
            task,
            lane,
            rank: Rank(0),
            ready: false,
            held: None,
            params,
            metadata: new.metadata,
            inputs: new.inputs,
            traceparent: new.traceparent,
            id_is_given: new.id_is_given,
            digest,
            result: None,
            checkpoint: None,
            progress: None,
            attempts: Vec::new(),
            settled: BTreeMap::new(),
        };
        self.ids.insert(new.id, seq);
        self.rows.insert(seq, row);
        self.make_pending(seq, due, None, now);
        Ok(seq)
    }
}
