//! A lock between processes that is given out in the order of asking.

use crate::place::private_file;
use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;
use std::fs::File;
use std::io;
use std::path::Path;

/// `writer.lock`. SQLite's own waiting sleeps and asks again, so that a busy writer starves the others.
#[derive(Debug)]
pub(crate) struct WriterLock(File);

impl WriterLock {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        private_file(path).map(Self)
    }

    /// Waits for its turn, and holds the lock until the guard is dropped.
    pub(crate) fn wait(&self) -> io::Result<Turn<'_>> {
        retry_on_intr(|| flock(&self.0, FlockOperation::LockExclusive))?;
        Ok(Turn(&self.0))
    }
}

/// The right to write.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a File);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Unlocking an open file cannot fail in a way that somebody could act on; closing it would unlock it too.
        flock(self.0, FlockOperation::Unlock).unwrap_or_default();
    }
}
