//! What keeps the store healthy and small.

use crate::backup_dir::Unfinished;
use crate::blob_sweep::sweep_blobs;
use crate::calendar::believed_now;
use crate::check;
use crate::steps::Verb;
use crate::store::SqliteStore;
use crate::tasks::sweep::sweep;
use std::path::PathBuf;
use std::sync::Arc;
use wh_ports::store::Answer;
use wh_ports::upkeep::{Retention, Swept, Upkeep};

impl Upkeep for SqliteStore {
    fn sweep(&self, retention: Retention) -> Answer<'_, Swept> {
        let (blobs, shelf) = (self.blobs.clone(), Arc::clone(&self.shelf));
        Box::pin(self.write(Verb::Sweep, move |tx| {
            let now = believed_now(tx)?;
            // What the tasks of this round leave behind goes in the next one, once they are gone for good.
            let (gone, more_blobs) = sweep_blobs(tx, &blobs, &shelf, tx.wall.since(now))?;
            let (tasks, more_tasks) = sweep(tx, &retention, now)?;
            Ok(Swept { tasks, blobs: gone, more: tasks > 0 || more_tasks || more_blobs })
        }))
    }

    fn check(&self) -> Answer<'_, Vec<String>> {
        let blobs = self.blobs.clone();
        Box::pin(self.survey(None, move |connection| check::check(connection, &blobs)))
    }

    fn backup(&self, to: PathBuf) -> Answer<'_, ()> {
        Box::pin(async move {
            let unfinished = self.files.ask(move |blobs| Unfinished::begin(blobs, to)).await?;
            self.writer.backup(unfinished.database()).await?;
            self.files.ask(move |blobs| unfinished.finish(blobs)).await
        })
    }
}
