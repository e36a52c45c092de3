//! What everybody in a simulated world shares.

use crate::judge::Judge;
use crate::marks::Mark;
use crate::plan::Plan;
use crate::sabotage::Sabotage;
use crate::trace::Trace;
use std::collections::BTreeSet;
use std::fmt::Arguments;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::WorkerName;
use wh_ports::clock::Clock;
use wh_testkit::clock::FakeClock;
use wh_testkit::machine::FakeMachine;
use wh_testkit::memory::{Guard, MemoryStore};
use wh_testkit::witness::Witness;

/// What is missing from a world, to see whether anybody notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Nothing,
    Guard(Guard),
    Duty(Sabotage),
}

/// The world itself.
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    begun: Instant,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: MemoryStore,
    pub(crate) machine: Arc<FakeMachine>,
    pub(crate) witness: Witness,
    pub(crate) trace: Trace,
    /// Workers that cannot be started for now, by seat.
    pub(crate) sick: Mutex<BTreeSet<(usize, WorkerName)>>,
    pub(crate) missing: Missing,
    judge: Mutex<Judge>,
}

impl Shared {
    pub(crate) fn new(plan: Plan, missing: Missing, prints: bool) -> Arc<Self> {
        let clock = Arc::new(FakeClock::driven());
        let time = || Arc::<FakeClock>::clone(&clock);
        let store = match missing {
            Missing::Guard(guard) => MemoryStore::without(guard, time(), plan.max_pending),
            Missing::Nothing | Missing::Duty(_) => MemoryStore::with_max_pending(time(), plan.max_pending),
        };
        let judge = Judge::new(&plan);
        Arc::new(Self {
            witness: Witness::new(time()),
            trace: Trace::new(prints),
            sick: Mutex::default(),
            judge: Mutex::new(judge),
            begun: Instant::now(),
            machine: Arc::default(),
            plan,
            clock,
            store,
            missing,
        })
    }

    /// How long this life has lasted.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn judge(&self) -> MutexGuard<'_, Judge> {
        let mut judge = self.judge.lock().unwrap();
        judge.looks_up(self.now(), self.clock.wall(), self.clock.instant());
        judge
    }

    pub(crate) fn mark(&self, mark: Mark) {
        self.judge().marks.note(mark);
    }

    pub(crate) fn trace(&self, what: Arguments<'_>) {
        self.trace.line(self.now(), what);
    }

    pub(crate) fn lacks(&self, duty: Sabotage) -> bool {
        self.missing == Missing::Duty(duty)
    }
}
