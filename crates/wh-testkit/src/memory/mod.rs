//! The reference store: a store's promises as the simplest code that keeps them.
//!
//! Everything is in one ledger under one lock. A call that meets no fault is done the first time it is polled, so
//! whatever runs on top is as deterministic as its own order of calls. Nothing here is fast: a claim looks at
//! every task.

mod blobs;
mod claims;
mod doorbell;
mod faults;
mod guards;
mod intake;
mod ledger;
mod members;
mod reader;
mod row;
mod settling;
mod shelf;
mod takeover;
mod upkeep;
mod wishes;

pub use faults::{Faults, Verb};
pub use guards::Guard;

use doorbell::Listeners;
use faults::Fates;
use guards::Guards;
use ledger::{Ledger, Now};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::{Instant, sleep_until};
use wh_domain::id::HostId;
use wh_domain::priority::Ageing;
use wh_ports::answer::{Answer, StoreError};
use wh_ports::clock::Clock;

/// As many tasks may be pending, unless a test says otherwise.
pub const DEFAULT_MAX_PENDING: u64 = 10_000_000;

/// A store in memory.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    ledger: Mutex<Ledger>,
    fates: Mutex<Option<Fates>>,
    listeners: Listeners,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_max_pending(clock, DEFAULT_MAX_PENDING)
    }

    /// An empty store in which at most `max_pending` tasks may be pending.
    pub fn with_max_pending(clock: Arc<dyn Clock>, max_pending: u64) -> Self {
        Self::made_of(clock, max_pending, Guards::default())
    }

    /// An empty store that lacks one of its guards: whatever tests stores must find it out.
    pub fn without(guard: Guard, clock: Arc<dyn Clock>, max_pending: u64) -> Self {
        Self::made_of(clock, max_pending, Guards::without(guard))
    }

    fn made_of(clock: Arc<dyn Clock>, max_pending: u64, guards: Guards) -> Self {
        let ledger = Ledger::new(guards, max_pending, Ageing::default());
        Self { clock, ledger: Mutex::new(ledger), fates: Mutex::new(None), listeners: Listeners::default() }
    }

    /// From now on, calls go wrong as `faults` say; `None` ends it.
    pub fn faults(&self, faults: Option<Faults>) {
        *self.fates.lock().expect("no holder of this lock panics") = faults.map(Fates::new);
    }

    /// How many changes have been committed that others may want to see.
    pub fn changes(&self) -> u64 {
        self.ledger().changes
    }

    /// Makes a host look dead: the lock of its slot is free, so anyone may take over at once.
    pub fn kill_host(&self, host: &HostId) {
        self.ledger().members.free_lock(host);
    }

    /// The same for all hosts: what is left when the only process dies.
    pub fn kill_all_hosts(&self) {
        self.ledger().members.free_all_locks();
    }

    /// Does `work` under the lock, unless a fault was drawn, and rings the bell if it has changed anything.
    fn answer<'a, T, W>(&'a self, verb: Verb, work: W) -> Answer<'a, T>
    where
        T: Send + 'a,
        W: FnOnce(&mut Ledger, Now) -> Result<T, StoreError> + Send + 'a,
    {
        Box::pin(async move {
            let fate = self.draw(verb);
            if let Some(wait) = fate.wait {
                sleep_until(Instant::now() + wait).await;
            }
            if fate.refused {
                return Err(StoreError::Unavailable("a fault was drawn".to_owned()));
            }
            let answer = self.work(work);
            if fate.unanswered {
                return Err(StoreError::Unavailable("a fault was drawn, after the commit".to_owned()));
            }
            answer
        })
    }

    fn draw(&self, verb: Verb) -> faults::Fate {
        let mut fates = self.fates.lock().expect("no holder of this lock panics");
        fates.as_mut().map(|fates| fates.draw(verb)).unwrap_or_default()
    }

    fn work<T>(&self, work: impl FnOnce(&mut Ledger, Now) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let now = Now { wall: self.clock.wall(), instant: self.clock.instant() };
        let mut ledger = self.ledger();
        let before = ledger.changes;
        let answer = work(&mut ledger, now);
        let changed = ledger.changes != before;
        drop(ledger);
        if changed {
            self.listeners.ring();
        }
        answer
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no holder of this lock panics")
    }
}
