//! A lock between processes that is given out in the order of asking.

use crate::connection::BUSY;
use crate::holder::holder;
use crate::place::private_file;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// `writer.lock`. SQLite's own waiting sleeps and asks again, so that a busy writer starves the others.
///
/// Asking the kernel for it has no time limit, and whoever holds it may be stopped for ever. So where the lock is not
/// free at once, a thread asks, and the writer waits for the thread as long as it wants to. A thread that nobody waits
/// for any more keeps its place in the line; when its turn comes, it gives it back.
#[derive(Debug)]
pub(crate) struct WriterLock {
    shared: Arc<Shared>,
    patience: Duration,
}

#[derive(Debug)]
struct Shared {
    file: File,
    line: Mutex<Line>,
    changed: Condvar,
}

/// What the writer and the thread that asks for it tell each other.
#[derive(Debug)]
struct Line {
    asking: Asking,
    /// Whether the thread has been started.
    has_asker: bool,
    /// The lock was dropped.
    is_closed: bool,
}

#[derive(Debug)]
enum Asking {
    /// Only now may the writer itself ask: the kernel tells threads of one open file apart no more than their turns.
    Nobody,
    /// The thread asks, or is about to.
    Asker { is_awaited: bool },
    /// The thread has an answer for the writer that waits.
    Answered(io::Result<()>),
}

impl WriterLock {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let line = Line { asking: Asking::Nobody, has_asker: false, is_closed: false };
        let shared = Shared { file: private_file(path)?, line: Mutex::new(line), changed: Condvar::new() };
        Ok(Self { shared: Arc::new(shared), patience: BUSY })
    }

    /// The same, for whoever waits longer or less long.
    #[cfg(test)]
    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Waits for its turn, and holds the lock until the guard is dropped. After [`BUSY`] that is an error which names
    /// the holder.
    pub(crate) fn wait(&self) -> io::Result<Turn<'_>> {
        let Shared { file, changed, .. } = &*self.shared;
        let mut line = self.shared.line();
        if let Asking::Nobody = line.asking {
            match flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Turn(file)),
                Err(Errno::WOULDBLOCK) => self.start_asker(&mut line)?,
                Err(error) => return Err(error.into()),
            }
        }
        line.asking = Asking::Asker { is_awaited: true };
        changed.notify_all();
        let is_unanswered = |line: &mut Line| !matches!(line.asking, Asking::Answered(_));
        let waited = changed.wait_timeout_while(line, self.patience, is_unanswered);
        let (mut line, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut line.asking, Asking::Nobody) {
            Asking::Answered(answer) => answer.map(|()| Turn(file)),
            Asking::Asker { .. } | Asking::Nobody => {
                line.asking = Asking::Asker { is_awaited: false };
                drop(line);
                Err(io::Error::new(io::ErrorKind::TimedOut, self.who_holds_it()))
            }
        }
    }

    fn start_asker(&self, line: &mut Line) -> io::Result<()> {
        if !line.has_asker {
            let shared = Arc::clone(&self.shared);
            // Nobody waits for its end: it may be the kernel's guest for as long as another process likes.
            thread::Builder::new()
                .name("store-turn".to_owned())
                .stack_size(128 * 1024)
                .spawn(move || shared.ask_for_the_writer())?;
            line.has_asker = true;
        }
        Ok(())
    }

    fn who_holds_it(&self) -> String {
        let seconds = self.patience.as_secs_f32();
        match holder(&self.shared.file) {
            Some(holder) => format!("{holder} has it and has not given it back for {seconds} s"),
            None => format!("another process has not given it back for {seconds} s"),
        }
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        self.shared.line().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        // Every change of it is one assignment, so a panic elsewhere cannot have left half of one.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask_for_the_writer(&self) {
        let mut line = self.line();
        loop {
            let has_nothing_to_do =
                |line: &mut Line| !line.is_closed && !matches!(line.asking, Asking::Asker { .. });
            line = self.changed.wait_while(line, has_nothing_to_do).unwrap_or_else(PoisonError::into_inner);
            if line.is_closed {
                // With the last one that has it open, the file is closed, and the lock is free.
                return;
            }
            drop(line);
            let answer = retry_on_intr(|| flock(&self.file, FlockOperation::LockExclusive));
            line = self.line();
            line.asking = if let Asking::Asker { is_awaited: true } = line.asking {
                Asking::Answered(answer.map_err(io::Error::from))
            } else {
                unlock(&self.file);
                Asking::Nobody
            };
            self.changed.notify_all();
        }
    }
}

/// The right to write.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a File);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        unlock(self.0);
    }
}

fn unlock(file: &File) {
    // Unlocking an open file cannot fail in a way that somebody could act on; closing it would unlock it too.
    flock(file, FlockOperation::Unlock).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tempfile::TempDir;

    const BRIEF: Duration = Duration::from_millis(20);

    fn place() -> (TempDir, PathBuf) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("writer.lock");
        (dir, path)
    }

    #[test]
    fn a_turn_that_does_not_come_is_an_error_that_names_the_holder_and_goes_on_when_it_comes_late() {
        let (_dir, path) = place();
        let (other, lock) = (WriterLock::open(&path).unwrap(), WriterLock::open(&path).unwrap());
        let lock = lock.with_patience(BRIEF);
        let held = other.wait().unwrap();
        for _ in 0..3 {
            let error = lock.wait().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            let own = format!("process {} (", std::process::id());
            assert!(error.to_string().starts_with(&own), "{error}");
        }
        drop(held);
        let is_asked_for = |line: &mut Line| !matches!(line.asking, Asking::Nobody);
        drop(lock.shared.changed.wait_while(lock.shared.line(), is_asked_for).unwrap());
        drop(other.wait().expect("what came too late was given back"));
        drop(lock.wait().expect("and the next one comes in time"));
    }

    #[test]
    fn one_who_has_gone_while_he_waited_holds_nobody_up() {
        let (_dir, path) = place();
        let other = WriterLock::open(&path).unwrap();
        let held = other.wait().unwrap();
        let gone = WriterLock::open(&path).unwrap().with_patience(BRIEF);
        gone.wait().unwrap_err();
        drop(gone);
        drop(held);
        drop(WriterLock::open(&path).unwrap().wait().unwrap());
    }

    #[test]
    fn two_never_have_a_turn_at_once_however_impatient_they_are() {
        let (_dir, path) = place();
        let (inside, turns, missed) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for patience in [BUSY, BUSY, Duration::from_micros(50), Duration::ZERO] {
                let (path, inside, turns, missed) = (&path, &inside, &turns, &missed);
                scope.spawn(move || {
                    let lock = WriterLock::open(path).unwrap().with_patience(patience);
                    for _ in 0..2_000 {
                        let Ok(_turn) = lock.wait() else {
                            missed.fetch_add(1, Ordering::Relaxed);
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        turns.fetch_add(1, Ordering::Relaxed);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let (turns, missed) = (turns.into_inner(), missed.into_inner());
        assert!(turns >= 4_000 && missed > 0, "{turns} turns, {missed} missed");
    }
}
