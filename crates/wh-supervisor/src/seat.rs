//! A stream's place in the runner: its guardian between two attempts, or what is left of the last one.

use crate::link::{Gone, Guardian, Leaving, Unsent};
use crate::nursery::Nursery;
use crate::program::Resolved;
use crate::register::{Line, Register};
use crate::timers::STUCK_AFTER;
use crate::wire::{Command, Notice, Program};
use crate::workspace::place::Place;
use crate::workspace::scratch::Scratch;
use rustix::fd::BorrowedFd;
use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wh_domain::id::{AttemptId, HostId, StreamNo, WorkerName};
use wh_domain::isolation::Enforcement;
use wh_domain::limits::Limits;
use wh_domain::worker::Worker;

/// The most guardians that are kept without work.
const MAX_IDLE: usize = 16;

/// A stream's place.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    idle: Option<Guardian>,
    /// Of an attempt that was dropped: the stream is free again when it is gone.
    leaving: Option<Leaving>,
    program: Option<(Arc<Worker>, Resolved)>,
    /// Where the stream's attempts are written down.
    line: Option<Line>,
    /// The clean tree.
    place: Option<Place>,
    /// What takes its part for isolated workers without a workspace. It may hold what the last attempt left.
    scratch: Option<Scratch>,
}

/// All places of a runner.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<HashMap<(WorkerName, StreamNo), Arc<Seat>>>);

impl Seats {
    /// The place of a stream.
    pub(crate) fn seat(&self, worker: &WorkerName, stream: StreamNo) -> Arc<Seat> {
        Arc::clone(self.all().entry((worker.clone(), stream)).or_default())
    }

    /// Gives up whatever streams without work keep for the sake of speed.
    pub(crate) async fn clear(&self, nursery: &Nursery, idle: &AtomicUsize) {
        let seats: Vec<Arc<Seat>> = self.all().values().map(Arc::clone).collect();
        for seat in seats {
            seat.clear(nursery, idle).await;
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(WorkerName, StreamNo), Arc<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guardian at work for a stream. Dropped before the attempt's end, it takes the attempt with it, and the stream
/// is not free before that is done.
#[derive(Debug)]
pub(crate) struct Lent {
    guardian: Option<Guardian>,
    seat: Arc<Seat>,
    idle: Arc<AtomicUsize>,
}

/// What is left of an attempt whose future was dropped. Until it is gone, the stream is not free.
#[derive(Debug)]
pub(crate) struct Predecessor {
    leaving: Option<Leaving>,
    seat: Arc<Seat>,
}

impl Predecessor {
    /// Waits for its end.
    pub(crate) async fn gone(&mut self, nursery: &Nursery) {
        if let Some(leaving) = &self.leaving {
            nursery.gone(leaving).await;
            self.leaving = None;
        }
    }
}

impl Drop for Predecessor {
    fn drop(&mut self) {
        if let Some(leaving) = self.leaving.take() {
            self.seat.held().leaving = Some(leaving);
        }
    }
}

impl Seat {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left of the last attempt, if that was dropped and may not be gone yet.
    pub(crate) fn predecessor(self: &Arc<Self>) -> Option<Predecessor> {
        let leaving = self.held().leaving.take()?;
        Some(Predecessor { leaving: Some(leaving), seat: Arc::clone(self) })
    }

    /// The worker's program, if it was resolved since the worker became what it is.
    pub(crate) fn program(&self, worker: &Arc<Worker>) -> Option<Resolved> {
        let held = self.held();
        let (known, resolved) = held.program.as_ref()?;
        (Arc::ptr_eq(known, worker) || known == worker).then(|| resolved.clone())
    }

    /// Keeps it for as long as the worker stays the same.
    pub(crate) fn keep_program(&self, worker: Arc<Worker>, resolved: Resolved) {
        self.held().program = Some((worker, resolved));
    }

    /// The stream's tree, if it is clean and the right one. Not putting it back has the next one cleaned.
    pub(crate) fn take_place(&self, slot: u32, worker: &Worker, stream: StreamNo) -> Option<Place> {
        let mut held = self.held();
        // Its directory is in the tree.
        held.scratch = None;
        held.place.take().filter(|place| place.suits(slot, worker, stream))
    }

    /// Puts back a tree that is clean.
    pub(crate) fn put_place(&self, place: Place) {
        self.held().place = Some(place);
    }

    /// The stream's scratch directory, unless the last attempt left something in it.
    pub(crate) fn take_scratch(&self) -> Option<Scratch> {
        let mut held = self.held();
        held.place = None;
        held.scratch.take().filter(|scratch| !scratch.is_used())
    }

    /// Puts it back.
    pub(crate) fn put_scratch(&self, scratch: Scratch) {
        self.held().scratch = Some(scratch);
    }

    /// Forgets the program, so that it is looked for again.
    pub(crate) fn forget_program(&self) {
        self.held().program = None;
    }

    /// Gives up what only saves time for the next attempt, so that what it holds is there for others.
    async fn clear(self: &Arc<Self>, nursery: &Nursery, idle: &AtomicUsize) {
        let dismissed = {
            let mut held = self.held();
            held.place = None;
            held.scratch = None;
            let guardian = held.idle.take();
            if guardian.is_some() {
                idle.fetch_sub(1, Ordering::Relaxed);
            }
            held.leaving = held.leaving.take().or(guardian.map(Guardian::let_go));
            held.leaving.is_some()
        };
        if dismissed && let Some(mut predecessor) = self.predecessor() {
            // One that does not go within its time is waited for by the stream's next attempt.
            tokio::time::timeout(STUCK_AFTER, predecessor.gone(nursery)).await.ok();
        }
    }

    /// The stream's guardian: the one that waits, or a new one.
    pub(crate) async fn lend(
        self: &Arc<Self>,
        nursery: &Nursery,
        register: &Arc<Register>,
        idle: &Arc<AtomicUsize>,
    ) -> io::Result<Lent> {
        let (waiting, line) = {
            let mut held = self.held();
            (held.idle.take(), held.line.get_or_insert_with(|| register.line()).clone())
        };
        let guardian = match waiting {
            Some(guardian) => {
                idle.fetch_sub(1, Ordering::Relaxed);
                guardian
            }
            None => nursery.hire(Some(&line)).await?,
        };
        Ok(Lent { guardian: Some(guardian), seat: Arc::clone(self), idle: Arc::clone(idle) })
    }
}

impl Lent {
    /// See [`Guardian::write_down`].
    pub(crate) fn write_down(&self, attempt: (&HostId, &AttemptId)) -> io::Result<()> {
        self.guardian.as_ref().map_or(Ok(()), |guardian| guardian.write_down(attempt))
    }

    /// See [`Guardian::start`].
    pub(crate) async fn start(
        &mut self,
        program: &Arc<Program>,
        within: (&[CString], &Limits),
        descriptors: [BorrowedFd<'_>; 4],
    ) -> Result<(), Unsent> {
        match &mut self.guardian {
            Some(guardian) => guardian.start(program, within, descriptors).await,
            None => Err(Unsent::Gone),
        }
    }

    /// See [`Guardian::tell`].
    pub(crate) fn tell(&self, command: &Command) {
        if let Some(guardian) = &self.guardian {
            guardian.tell(command);
        }
    }

    /// See [`Guardian::notice`].
    pub(crate) async fn notice(&mut self) -> Result<Notice, Gone> {
        match &mut self.guardian {
            Some(guardian) => guardian.notice().await,
            None => Err(Gone),
        }
    }

    /// See [`Guardian::entered`].
    pub(crate) fn entered(&self) -> Option<Enforcement> {
        self.guardian.as_ref().and_then(Guardian::entered).cloned()
    }

    /// Gives it back after the attempt's end, to wait for the next.
    pub(crate) fn give_back(mut self) {
        let Some(guardian) = self.guardian.take() else { return };
        if self.idle.fetch_add(1, Ordering::Relaxed) < MAX_IDLE {
            self.seat.held().idle = Some(guardian);
        } else {
            self.idle.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Takes it for good.
    pub(crate) fn keep(mut self) -> Option<Guardian> {
        self.guardian.take()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(guardian) = self.guardian.take() {
            self.seat.held().leaving = Some(guardian.let_go());
        }
    }
}
