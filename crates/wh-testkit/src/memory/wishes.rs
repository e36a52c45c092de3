//! What people ask of tasks and workers.

use super::MemoryStore;
use super::faults::Verb;
use super::guards::Guard;
use super::ledger::{Entry, Ledger, Now};
use wh_domain::id::{Seq, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::{OnCancel, may_retry, on_cancel};
use wh_domain::task::{Counters, Due, StateName, TaskState};
use wh_ports::answer::Answer;
use wh_ports::reader::Fact;
use wh_ports::wishes::{Cancelled, Retried, Wishes};

impl Wishes for MemoryStore {
    fn cancel(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Cancelled>> {
        self.answer(Verb::Cancel, move |ledger, now| {
            Ok(ids.iter().map(|id| ledger.cancel(id, now)).collect())
        })
    }

    fn retry(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Retried>> {
        self.answer(Verb::Retry, move |ledger, now| {
            let seqs: Vec<Option<Seq>> = ids.iter().map(|id| ledger.seq_of(id)).collect();
            Ok(seqs.into_iter().map(|seq| ledger.retry(seq, now)).collect())
        })
    }

    fn retry_poisoned(
        &self,
        task_type: Option<TaskType>,
        after: Option<Seq>,
        most: u32,
    ) -> Answer<'_, (u64, Option<Seq>)> {
        self.answer(Verb::Retry, move |ledger, now| {
            Ok(ledger.retry_poisoned(task_type.as_ref(), after, most, now))
        })
    }

    fn resume_worker(&self, worker: WorkerName) -> Answer<'_, ()> {
        self.answer(Verb::ResumeWorker, move |ledger, _| {
            ledger.add(Entry::Resume(worker));
            Ok(())
        })
    }
}

impl Ledger {
    fn cancel(&mut self, id: &TaskId, now: Now) -> Cancelled {
        let Some(seq) = self.seq_of(id) else { return Cancelled::Unknown };
        let Some(row) = self.rows.get_mut(&seq) else { return Cancelled::Unknown };
        match on_cancel(row.state()) {
            OnCancel::Ends => {
                self.change(seq, TaskState::Cancelled, now);
                self.add(Entry::Fact(Fact::Wished { seq, state: StateName::Cancelled }));
                Cancelled::Done
            }
            OnCancel::Asks => {
                if !std::mem::replace(&mut row.task.cancel_wished, true) {
                    self.add(Entry::Fact(Fact::Wished { seq, state: StateName::Claimed }));
                }
                Cancelled::Wished
            }
            OnCancel::Nothing => Cancelled::Ended(row.state()),
        }
    }

    fn retry(&mut self, seq: Option<Seq>, now: Now) -> Retried {
        let Some((seq, row)) = seq.and_then(|seq| self.rows.get(&seq).map(|row| (seq, row))) else {
            return Retried::Unknown;
        };
        if !may_retry(row.state()) {
            return Retried::NotEnded(row.state());
        }
        if let Some(holder) = self.holder(row.task.unique.as_ref()) {
            return Retried::Duplicate { of: holder.task.id.clone() };
        }
        self.make_pending(seq, Due { at: now.wall, instant: None }, None, now);
        if self.guards.hold(Guard::CountersOnRetry)
            && let Some(row) = self.rows.get_mut(&seq)
        {
            row.task.counters = Counters::default();
        }
        self.add(Entry::Fact(Fact::Wished { seq, state: StateName::Pending }));
        Retried::Done
    }

    fn retry_poisoned(
        &mut self,
        task_type: Option<&TaskType>,
        after: Option<Seq>,
        most: u32,
        now: Now,
    ) -> (u64, Option<Seq>) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut poisoned: Vec<Seq> = self
            .rows
            .values()
            .filter(|row| row.state() == StateName::Poisoned && Some(row.task.seq) > after)
            .filter(|row| task_type.is_none_or(|task_type| row.task.task_type == *task_type))
            .map(|row| row.task.seq)
            .collect();
        let more = poisoned.len() > most;
        poisoned.truncate(most);
        let next = poisoned.last().copied().filter(|_| more);
        let retried = poisoned.into_iter().filter(|seq| self.retry(Some(*seq), now) == Retried::Done).count();
        (u64::try_from(retried).unwrap_or(u64::MAX), next)
    }
}
