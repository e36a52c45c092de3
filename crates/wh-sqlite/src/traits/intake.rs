//! How tasks come in.

use crate::failure::Tried;
use crate::steps::Verb;
use crate::store::SqliteStore;
use crate::tasks::enqueue::{Arrival, Origin, enqueue};
use wh_domain::task::NewTask;
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::store::{Answer, StoreError};

impl Intake for SqliteStore {
    fn enqueue(&self, tasks: Vec<NewTask>) -> Answer<'_, Vec<Enqueued>> {
        Box::pin(async move {
            if tasks.is_empty() {
                return Ok(Vec::new());
            }
            let arrivals = self.arrivals(tasks).await?;
            let (policy, blobs) = (self.policy, self.blobs.clone());
            self.write(Verb::Enqueue, move |tx| {
                let origin = Origin::Producer(policy.max_pending);
                arrivals
                    .iter()
                    .map(|arrival| enqueue(tx, arrival, origin, &policy, &blobs))
                    .collect::<Tried<Vec<_>>>()
            })
            .await
        })
    }
}

impl SqliteStore {
    /// Moves large params into blobs, on the thread for files.
    async fn arrivals(&self, tasks: Vec<NewTask>) -> Result<Vec<Arrival>, StoreError> {
        let policy = self.policy;
        let prepare = move |tasks: Vec<NewTask>, blobs: &_| {
            tasks.into_iter().map(|task| Arrival::prepare(task, &policy, blobs)).collect()
        };
        if tasks.iter().any(|task| Arrival::is_large(task, &self.policy)) {
            self.files.ask(move |blobs| prepare(tasks, blobs)).await
        } else {
            prepare(tasks, &self.blobs)
        }
    }
}
