//! The host: one loop that owns all state, and everything slow beside it.

mod beating;
mod claiming;
mod ending;
mod hearing;
mod leaving;

use crate::arrival::Arrival;
use crate::draining::Stage;
use crate::drift::Drift;
use crate::duties;
use crate::ear::Ear;
use crate::heartbeat::Heartbeat;
use crate::notes::Notebook;
use crate::publishing::Publishing;
use crate::roster::Roster;
use crate::settling::Key;
use crate::tools::{Parts, Tools};
use claiming::Claiming;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wh_domain::event::Event;
use wh_domain::id::{HostId, WorkerName};
use wh_domain::lease::LeasePolicy;
use wh_domain::watermark::Watermarks;
use wh_domain::worker::Worker;
use wh_ports::claims::Note;
use wh_ports::runner::Order;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Retention;

/// A moment that never comes, for timers with nothing to wait for.
const NEVER: Duration = Duration::from_secs(86_400 * 365);

/// How a host behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many attempts it carries at once.
    pub streams: u32,
    /// How long a drain waits for workers to finish.
    pub drain: Duration,
    /// How it keeps what it claimed.
    pub lease: LeasePolicy,
    /// How full its machine may be for it to claim.
    pub watermarks: Watermarks,
    /// What it sweeps.
    pub retention: Retention,
    /// How often it sweeps.
    pub sweep_every: Duration,
    /// Whether it ends when nothing is left to claim or to retry.
    pub until_idle: bool,
}

/// What the roof asks of a host.
#[derive(Debug)]
pub enum Command {
    /// Go down; said again, go down faster.
    Drain,
    /// Take this configuration.
    Reload(Vec<Worker>),
    /// A configuration could not be taken.
    Refused(Box<str>),
    /// Files of these workers have changed.
    Mended(Vec<WorkerName>),
}

/// Why a host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It was asked to.
    Drained,
    /// Nothing was left to do.
    Idle,
    /// Others had given it up for dead.
    Expelled,
    /// The store cannot be used any more.
    Failed(StoreError),
}

/// A host's last words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// Why it ended.
    pub why: Why,
    /// Attempts that did not finish by themselves, or whose end was not made durable any more.
    pub killed: usize,
}

struct Running {
    orders: mpsc::Sender<Order>,
    cancel_wished: bool,
}

/// How sure a host is that nothing is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idle {
    No,
    /// The store is asked whether a task waits to be tried again.
    Asking,
    /// Something came while it was asked, so the answer counts for nothing.
    Overtaken,
    /// None did. What was due by then is still to be claimed.
    NothingWaits,
    /// And there was nothing to claim.
    Sure,
}

/// A host. Made by [`Host::new`], lived by [`Host::run`].
#[expect(missing_debug_implementations, reason = "running futures have nothing to show")]
pub struct Host {
    tools: Arc<Tools>,
    settings: Settings,
    roster: Roster,
    running: BTreeMap<Key, Running>,
    /// Attempts that have ended and are not settled yet.
    settling: usize,
    beside: JoinSet<Arrival>,
    notes: Arc<Notebook>,
    claiming: Claiming,
    idle: Idle,
    ear: Ear,
    drift: Drift,
    stage: Stage,
    heartbeat: Heartbeat,
    /// `None` while it sweeps.
    next_sweep: Option<Instant>,
    publishing: Publishing,
    /// Rounds of taking over that are not settled yet.
    burying: usize,
    store_away: bool,
    /// Whether others have taken over, so that nothing may be written any more.
    expelled: bool,
    killed: usize,
    end: Option<Why>,
}

impl Host {
    /// A host that has joined the store as `host` and was given `slot`.
    pub fn new(parts: Parts, host: HostId, slot: u32, workers: Vec<Worker>, settings: Settings) -> Self {
        let now = Instant::now();
        let (drift, heartbeat) = (Drift::new(&*parts.clock), Heartbeat::new(parts.clock.running()));
        Self {
            tools: Tools::new(parts, host, slot),
            roster: Roster::new(workers, settings.streams),
            running: BTreeMap::new(),
            settling: 0,
            beside: JoinSet::new(),
            notes: Arc::default(),
            claiming: Claiming::new(),
            idle: Idle::No,
            ear: Ear::default(),
            drift,
            stage: Stage::Working,
            heartbeat,
            next_sweep: Some(now + settings.sweep_every.min(Duration::from_secs(60))),
            publishing: Publishing::new(),
            burying: 0,
            store_away: false,
            expelled: false,
            killed: 0,
            end: None,
            settings,
        }
    }

    /// Lives until it is drained, idle (where that is asked for), expelled, or without a store. Dropping the future
    /// kills every process tree.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Farewell {
        self.tools.bus.tell(&Event::HostStarted {
            host: self.tools.host.clone(),
            workers: self.roster.configured(),
            streams: self.settings.streams,
        });
        loop {
            self.on_time();
            self.claim_if_possible();
            if let Some(why) = self.is_over() {
                return self.leave(why).await;
            }
            let wake = self.next_wake();
            tokio::select! {
                biased;
                Some(command) = commands.recv() => self.obey(command),
                Some(arrived) = self.beside.join_next() => match arrived {
                    Ok(arrival) => self.arrived(arrival),
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
                () = self.ear.rung() => self.stirred(),
                () = self.notes.changed() => self.publishing.soon(),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let recovery = self.running_clock().and_then(|clock| {
            self.roster.next_recovery(clock).map(|until| now + until.saturating_sub(clock))
        });
        let times = [
            self.heartbeat.due(),
            self.next_sweep,
            self.publishing.due(),
            self.stage.due(),
            self.ear.due(),
            self.claiming.again_at.filter(|_| self.stage.claims() && !self.claiming.in_flight),
            self.claiming.rest_until,
            self.claiming.strained_until,
            recovery,
        ];
        times.into_iter().flatten().min().unwrap_or(now + NEVER)
    }

    /// The running clock, while the host claims: only then does anybody wait for a recovery.
    fn running_clock(&self) -> Option<Duration> {
        self.stage.claims().then(|| self.tools.clock.running())
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        if self.heartbeat.begin(now) {
            self.beside.spawn(duties::beat(Arc::clone(&self.tools), self.ear.cursor));
        }
        if self.next_sweep.is_some_and(|at| at <= now) {
            self.next_sweep = None;
            self.beside.spawn(duties::sweep(Arc::clone(&self.tools), self.settings.retention));
        }
        if self.ear.begin(now) {
            self.beside.spawn(duties::heed(Arc::clone(&self.tools), self.ear.cursor));
        }
        if self.publishing.begin(now) {
            let report = self.roster.report();
            self.beside.spawn(duties::publish(Arc::clone(&self.tools), self.notes.take(), report));
        }
        if self.claiming.again_at.is_some_and(|at| at <= now) {
            self.claiming.again_at = None;
            self.claiming.wanted = true;
        }
        if self.claiming.rest_until.is_some_and(|until| until <= now) {
            self.claiming.rest_until = None;
            self.claiming.wanted = true;
        }
        if self.claiming.strained_until.is_some_and(|until| until <= now) {
            self.claiming.strained_until = None;
        }
        let (stage, order) = self.stage.passed(now, self.roster.longest_grace());
        self.go_down(stage, order);
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Ended(ended) => self.ended(ended.0, ended.1),
            Arrival::Settled(result) => {
                self.settling -= 1;
                self.claiming.wanted = true;
                self.unless_failed(result);
            }
            Arrival::Unstuck { worker, stream } => {
                self.roster.free(&worker, stream);
                self.claiming.wanted = true;
            }
            Arrival::Lanes(answer) => self.learned(answer),
            Arrival::Claimed(answer) => {
                self.claiming.in_flight = false;
                match self.unless_failed(answer) {
                    Some(claimed) => self.claimed(claimed),
                    None => self.claim_later(),
                }
            }
            Arrival::Listening(answer) => self.hears(answer),
            Arrival::Beat { changed, renewed, answer } => {
                self.claiming.wanted |= changed;
                self.beaten(renewed, answer);
            }
            Arrival::Heeded(answer) => self.heeded(answer),
            Arrival::Buried(answer) => {
                self.burying -= 1;
                self.claiming.wanted = true;
                self.unless_failed(answer);
            }
            Arrival::Retrying(answer) => self.asked_idle(answer),
            Arrival::Swept => self.next_sweep = Some(Instant::now() + self.settings.sweep_every),
            Arrival::Published(unsent) => self.published(unsent),
        }
    }

    fn published(&mut self, unsent: Option<Vec<Note>>) {
        self.publishing.ended(unsent.is_none());
        if let Some(notes) = unsent {
            self.notes.put_back(notes);
        }
    }

    /// Sorts an answer of the store: `None` means that it failed and that what follows from that has been done.
    fn unless_failed<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(value) => {
                if std::mem::take(&mut self.store_away) {
                    self.tools.bus.tell(&Event::StoreBack);
                }
                Some(value)
            }
            Err(StoreError::Unavailable(why)) => {
                if !std::mem::replace(&mut self.store_away, true) {
                    self.tools.bus.tell(&Event::StoreUnavailable { why: why.into() });
                }
                None
            }
            Err(StoreError::Expelled) => {
                self.expel();
                None
            }
            Err(error @ (StoreError::Untrusted(_) | StoreError::Broken(_))) => {
                self.end = Some(Why::Failed(error));
                None
            }
        }
    }
}
