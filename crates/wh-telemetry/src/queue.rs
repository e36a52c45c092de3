//! The bounded line between the host's thread, which never waits, and the thread that writes.

use crate::record::Record;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes may wait to be written.
pub const QUEUE_BYTES: usize = 8 << 20;

/// What the writing thread is to do next.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    /// What the records take, in bytes.
    pub(crate) bytes: usize,
    /// How many records were dropped since the last batch.
    pub(crate) dropped: u64,
    /// Whether files are to be opened anew first.
    pub(crate) reopen: bool,
    /// Whether nothing comes after this.
    pub(crate) last: bool,
}

#[derive(Debug, Default)]
struct State {
    next: Batch,
    /// Records that wait or are being written, and their bytes.
    waiting: u64,
    bytes: usize,
    /// Batches that the writer has taken, and those it is done with.
    taken: u64,
    done: u64,
    dropped: u64,
    finished: bool,
}

/// The queue. Its lock is held for moments only, never while something is written.
#[derive(Debug)]
pub(crate) struct Queue {
    bound: u64,
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// A queue for at most `bound` records and [`QUEUE_BYTES`] bytes, those being written included.
    pub(crate) fn new(bound: u64) -> Self {
        Self { bound, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes a record in, or drops and counts it where the queue is full. Never waits for the writer.
    pub(crate) fn push(&self, record: Record) {
        let bytes = record.bytes();
        let mut state = self.lock();
        if state.waiting >= self.bound || state.bytes + bytes > QUEUE_BYTES {
            state.next.dropped += 1;
            state.dropped += 1;
            return;
        }
        state.waiting += 1;
        state.bytes += bytes;
        state.next.bytes += bytes;
        state.next.records.push(record);
        self.changed.notify_all();
    }

    /// How many records were dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Asks the writer to open its files anew.
    pub(crate) fn reopen(&self) {
        self.lock().next.reopen = true;
        self.changed.notify_all();
    }

    /// Waits until everything taken in so far is written; `false` when `patience` ran out first.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let state = self.lock();
        let until = state.taken + u64::from(state.next.is_work());
        self.wait(state, patience, |state| state.done >= until)
    }

    /// Ends the writer once it has written everything; `false` when `patience` ran out first.
    pub(crate) fn close(&self, patience: Duration) -> bool {
        let mut state = self.lock();
        state.next.last = true;
        self.changed.notify_all();
        self.wait(state, patience, |state| state.finished)
    }

    /// For the writing thread: waits for work.
    pub(crate) fn take(&self) -> Batch {
        let mut state = self.lock();
        while !state.next.is_work() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.taken += 1;
        std::mem::take(&mut state.next)
    }

    /// For the writing thread: a batch is dealt with.
    pub(crate) fn done(&self, batch: &Batch) {
        let mut state = self.lock();
        state.waiting -= batch.records.len() as u64;
        state.bytes -= batch.bytes;
        state.done += 1;
        state.finished = batch.last;
        self.changed.notify_all();
    }

    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        patience: Duration,
        met: impl Fn(&State) -> bool,
    ) -> bool {
        let began = Instant::now();
        while !met(&state) {
            let Some(left) = patience.checked_sub(began.elapsed()) else { return false };
            (state, _) = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, so a panic elsewhere has not harmed it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_work(&self) -> bool {
        !self.records.is_empty() || self.dropped > 0 || self.reopen || self.last
    }
}
