//! Who waits for changes.

use crate::failure::unavailable;
use crate::store::SqliteStore;
use std::sync::atomic::Ordering;
use wh_ports::doorbell::{Bell, Doorbell};
use wh_ports::store::Answer;

impl Doorbell for SqliteStore {
    fn listen(&self) -> Answer<'_, Box<dyn Bell>> {
        Box::pin(async move {
            let bell = self.ringer.listen().map_err(|error| unavailable("listen for changes", &error))?;
            Ok(Box::new(bell) as Box<dyn Bell>)
        })
    }

    fn has_changed(&self) -> Answer<'_, bool> {
        Box::pin(async move {
            // The writing connection tells others' commits from its own; a process that only reads has none.
            let by_writer = self.writer.has_started();
            let now = if by_writer {
                self.writer.version().await?
            } else {
                self.read(|connection| {
                    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))?)
                })
                .await?
            };
            let before = self.seen[usize::from(by_writer)].swap(now, Ordering::Relaxed);
            Ok(before != now)
        })
    }
}
