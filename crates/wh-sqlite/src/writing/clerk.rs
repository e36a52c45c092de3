//! Does what the writer is asked, one message after the other.

use super::backup;
use super::batch::Bench;
use super::checkpoint::Log;
use super::request::Message;
use tokio::sync::mpsc;
use wh_ports::store::StoreError;

/// Owns what is written with.
pub(super) struct Clerk {
    bench: Bench,
    log: Log,
}

impl Clerk {
    /// Begins.
    pub(super) fn new(mut bench: Bench) -> rusqlite::Result<Self> {
        let log = Log::watch(&mut bench.connection)?;
        Ok(Self { bench, log })
    }

    /// Does what `message` asks, together with what waits in `queue` and can share its commit.
    pub(super) fn obey(&mut self, message: Message, queue: &mut mpsc::Receiver<Message>) {
        let mut next = Some(message);
        while let Some(message) = next.take() {
            match message {
                Message::Write(request) => {
                    next = self.bench.serve(request, queue);
                    if let Err(error) = self.log.copy_if_large(&self.bench.connection) {
                        // Nobody waits for this answer. What matters beyond this moment is what the disk is worth.
                        self.bench.trust.note(error);
                    }
                }
                Message::Version(reply) => drop(reply.send(self.version())),
                Message::Backup(to, reply) => drop(reply.send(backup::write(&self.bench, queue, &to))),
            }
        }
    }

    fn version(&self) -> Result<i64, StoreError> {
        self.bench
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut ask| ask.query_row((), |row| row.get(0)))
            .map_err(|error| crate::failure::classify(&error))
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        self.log.prepare_to_close(&self.bench.connection);
    }
}
