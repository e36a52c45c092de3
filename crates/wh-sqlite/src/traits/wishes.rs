//! What a person asks.

use crate::failure::Tried;
use crate::steps::Verb;
use crate::store::SqliteStore;
use crate::tasks::cancel::cancel;
use crate::tasks::retry::{retry, retry_poisoned};
use wh_domain::id::{Seq, TaskId, TaskType, WorkerName};
use wh_ports::store::Answer;
use wh_ports::wishes::{Cancelled, Retried, Wishes};

impl Wishes for SqliteStore {
    fn cancel(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Cancelled>> {
        Box::pin(
            self.write(Verb::Wish, move |tx| ids.iter().map(|id| cancel(tx, id)).collect::<Tried<Vec<_>>>()),
        )
    }

    fn retry(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Retried>> {
        let policy = self.policy;
        Box::pin(self.write(Verb::Wish, move |tx| {
            ids.iter().map(|id| retry(tx, id, &policy)).collect::<Tried<Vec<_>>>()
        }))
    }

    fn retry_poisoned(
        &self,
        task_type: Option<TaskType>,
        after: Option<Seq>,
        most: u32,
    ) -> Answer<'_, (u64, Option<Seq>)> {
        let policy = self.policy;
        Box::pin(
            self.write(Verb::Wish, move |tx| retry_poisoned(tx, task_type.as_ref(), after, most, &policy)),
        )
    }

    fn resume_worker(&self, worker: WorkerName) -> Answer<'_, ()> {
        Box::pin(self.write(Verb::Wish, move |tx| {
            let no = tx.next_fact()?;
            tx.prepare("INSERT INTO fact (no, kind, worker) VALUES (?1, 2, ?2)")?
                .execute((no, worker.as_str()))?;
            Ok(())
        }))
    }
}
