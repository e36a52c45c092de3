//! The host: one loop that owns all state, and everything slow beside it.

use crate::arrival::{Arrival, Beat, Ear};
use crate::carrying::{self, ORDERS};
use crate::draining::Stage;
use crate::duties;
use crate::notes::{KEEP_EVERY, Notebook};
use crate::roster::Roster;
use crate::settling::{self, Key};
use crate::tools::{Parts, Tools};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wh_domain::attempt::Outcome;
use wh_domain::ending::Exit;
use wh_domain::event::Event;
use wh_domain::health::FaultKind;
use wh_domain::id::{HostId, WorkerName};
use wh_domain::lease::LeasePolicy;
use wh_domain::worker::Worker;
use wh_ports::claims::{Claim, Claimed, Heeded, Orphan};
use wh_ports::runner::{Assignment, Finished, Order};
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
    /// Attempts that did not finish by themselves.
    pub killed: usize,
}

struct Running {
    orders: mpsc::Sender<Order>,
    cancel_wished: Arc<AtomicBool>,
}

/// The state of claiming.
struct Claiming {
    in_flight: bool,
    /// Something may have become claimable since the last claim.
    wanted: bool,
    /// The last claim left nothing behind that could be had now.
    found_nothing: bool,
    /// When a task becomes due, or a store that was away is asked again.
    again_at: Option<Instant>,
    failures: u32,
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
    ear: Ear,
    stage: Stage,
    next_beat: Instant,
    beating: bool,
    next_sweep: Instant,
    publish_at: Option<Instant>,
    /// Orphans whose processes are still to be ended.
    burying: bool,
    store_away: bool,
    killed: usize,
    idle_asked: bool,
    end: Option<Why>,
}

impl Host {
    /// A host that has joined the store as `host` and was given `slot`.
    pub fn new(parts: Parts, host: HostId, slot: u32, workers: Vec<Worker>, settings: Settings) -> Self {
        let now = Instant::now();
        Self {
            tools: Tools::new(parts, host, slot),
            roster: Roster::new(workers, settings.streams),
            running: BTreeMap::new(),
            settling: 0,
            beside: JoinSet::new(),
            notes: Arc::default(),
            claiming: Claiming { in_flight: false, wanted: true, found_nothing: false, again_at: None, failures: 0 },
            ear: Ear::default(),
            stage: Stage::Working,
            next_beat: now,
            beating: false,
            next_sweep: now + settings.sweep_every.min(Duration::from_secs(60)),
            publish_at: Some(now),
            burying: false,
            store_away: false,
            killed: 0,
            idle_asked: false,
            end: None,
            settings,
        }
    }

    /// Lives until it is drained, idle (where that is asked for), expelled, or without a store. Dropping the future
    /// kills every process tree.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Farewell {
        let mut bell = match self.tools.store.listen().await {
            Ok(bell) => bell,
            Err(error) => return Farewell { why: Why::Failed(error), killed: 0 },
        };
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
                () = bell.rung() => self.look(),
                () = self.notes.changed() => self.publish_soon(),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    // ---- time -----------------------------------------------------------------------------------------------

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let recovery = self.running_clock().and_then(|clock| {
            self.roster.next_recovery(clock).map(|until| now + until.saturating_sub(clock))
        });
        let times = [
            (!self.beating).then_some(self.next_beat),
            Some(self.next_sweep),
            self.publish_at,
            self.stage.due(),
            self.claiming.again_at.filter(|_| self.stage.claims() && !self.claiming.in_flight),
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
        if !self.beating && self.next_beat <= now {
            self.beating = true;
            self.beside.spawn(duties::beat(Arc::clone(&self.tools), self.ear.cursor));
        }
        if self.next_sweep <= now {
            self.next_sweep = now + self.settings.sweep_every;
            self.beside.spawn(duties::sweep(Arc::clone(&self.tools), self.settings.retention));
        }
        if self.publish_at.is_some_and(|at| at <= now) {
            self.publish_at = None;
            let report = Some(self.roster.report());
            self.beside.spawn(duties::publish(Arc::clone(&self.tools), self.notes.take(), report));
        }
        if self.claiming.again_at.is_some_and(|at| at <= now) {
            self.claiming.again_at = None;
            self.claiming.wanted = true;
        }
        let (stage, order) = self.stage.passed(now);
        self.go_down(stage, order);
    }

    fn publish_soon(&mut self) {
        self.publish_at.get_or_insert(Instant::now() + KEEP_EVERY);
    }

    // ---- claiming -------------------------------------------------------------------------------------------

    /// The bell rang: look for tasks, and for what people asked.
    fn look(&mut self) {
        self.claiming.wanted = true;
        if self.ear.listening {
            self.ear.again = true;
            return;
        }
        self.ear.listening = true;
        let (tools, cursor) = (Arc::clone(&self.tools), self.ear.cursor);
        self.beside.spawn(async move { Arrival::Heeded(tools.store.heed(tools.host.clone(), cursor).await) });
    }

    fn claim_if_possible(&mut self) {
        let recovered = self.roster.recovered(self.tools.clock.running());
        self.claiming.wanted |= recovered;
        if !self.stage.claims() || self.claiming.in_flight || !self.claiming.wanted || self.end.is_some() {
            return;
        }
        let tools = Arc::clone(&self.tools);
        if self.roster.lanes_version.is_none() {
            self.claiming.in_flight = true;
            self.beside.spawn(async move { Arrival::Lanes(tools.store.lanes().await) });
            return;
        }
        let (wants, most) = self.roster.wants(tools.clock.running());
        if most == 0 {
            return;
        }
        self.claiming.in_flight = true;
        self.claiming.wanted = false;
        self.beside.spawn(async move { Arrival::Claimed(tools.store.claim(tools.host.clone(), wants, most).await) });
    }

    fn claimed(&mut self, claimed: Claimed) {
        self.claiming.found_nothing = claimed.claims.is_empty();
        self.claiming.again_at = claimed.next_due.map(|wait| Instant::now() + wait);
        // Something was there, so there may be more for streams that were free but not asked for.
        self.claiming.wanted |= !claimed.claims.is_empty();
        if self.roster.lanes_version != Some(claimed.lanes_version) {
            self.roster.lanes_version = None;
            self.claiming.wanted = true;
        }
        let mut released = Vec::new();
        for claim in claimed.claims {
            match self.roster.occupy(&claim.worker).filter(|_| self.stage.claims()) {
                Some((worker, stream)) => self.start(Assignment {
                    host: self.tools.host.clone(),
                    slot: self.tools.slot,
                    attempt: claim.history.attempt(&worker.retry),
                    max_attempts: claim.history.max_attempts(&worker.retry),
                    worker,
                    stream,
                    claim,
                }),
                None => released.push(claim),
            }
        }
        self.release(released);
    }

    fn start(&mut self, assignment: Assignment) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let key = (assignment.claim.seq, assignment.claim.fence);
        let cancel_wished = Arc::new(AtomicBool::new(assignment.claim.history.cancel_wished));
        self.running.insert(key, Running { orders, cancel_wished });
        let (tools, notes) = (Arc::clone(&self.tools), Arc::clone(&self.notes));
        self.beside.spawn(carrying::carry(tools, assignment, receiver, notes));
        self.publish_soon();
    }

    /// Gives back what was claimed for a worker that is gone, or while the host began to go down.
    fn release(&mut self, claims: Vec<Claim>) {
        if claims.is_empty() {
            return;
        }
        self.settling += 1;
        let tools = Arc::clone(&self.tools);
        let settlements: Vec<_> = claims.iter().map(settling::release).collect();
        self.beside.spawn(async move {
            Arrival::Settled(settling::settle_all(&tools, settlements).await)
        });
    }

    // ---- arrivals -------------------------------------------------------------------------------------------

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
            Arrival::Lanes(answer) => {
                self.claiming.in_flight = false;
                if let Some((version, lanes)) = self.unless_failed(answer) {
                    for task_type in self.roster.learn(version, lanes) {
                        self.tools.bus.tell(&Event::NoWorker { task_type });
                    }
                }
            }
            Arrival::Claimed(answer) => {
                self.claiming.in_flight = false;
                match self.unless_failed(answer) {
                    Some(claimed) => {
                        self.claiming.failures = 0;
                        self.claimed(claimed);
                    }
                    None => self.claim_later(),
                }
            }
            Arrival::Beat(answer) => self.beaten(answer),
            Arrival::Heeded(answer) => {
                self.ear.listening = false;
                if let Some(heeded) = self.unless_failed(answer) {
                    self.heed(heeded);
                }
                if std::mem::take(&mut self.ear.again) {
                    self.look();
                }
            }
            Arrival::Buried { orphans, result } => self.buried(orphans, result),
            Arrival::Retrying(answer) => self.asked_idle(answer),
            Arrival::Swept | Arrival::Chore => {}
        }
    }

    fn claim_later(&mut self) {
        self.claiming.again_at = Some(Instant::now() + settling::pause(self.claiming.failures));
        self.claiming.failures = self.claiming.failures.saturating_add(1);
    }

    /// An attempt's tree is empty: free its stream at once, settle beside. The settlement is sent before the next
    /// claim, so both usually share one commit.
    fn ended(&mut self, assignment: Assignment, mut finished: Finished) {
        let key = (assignment.claim.seq, assignment.claim.fence);
        let cancel_wished = self.running.remove(&key).map(|running| running.cancel_wished).unwrap_or_default();
        let (worker, stream) = (assignment.worker.name.clone(), assignment.stream);
        if self.stage != Stage::Working && finished.verdict.outcome == Outcome::Interrupted {
            self.killed += 1;
        }
        self.note_health(&assignment, &finished);
        match finished.stuck.take() {
            None => self.roster.free(&worker, stream),
            Some(stuck) => {
                self.roster.retire(&worker, stream);
                self.tools.bus.tell(&Event::StreamStuck { carried: carrying::carried(&assignment) });
                finished.stuck = Some(self.watch(stuck, worker, stream));
            }
        }
        self.settling += 1;
        self.claiming.wanted = true;
        let (tools, notes) = (Arc::clone(&self.tools), Arc::clone(&self.notes));
        self.beside.spawn(settling::settle(tools, assignment, finished, cancel_wished, notes));
        self.publish_soon();
    }

    /// One wait for a stuck tree serves both: its stream, which comes back, and its settlement, which goes on.
    fn watch(
        &mut self,
        stuck: wh_ports::store::BoxFuture<'static, ()>,
        worker: WorkerName,
        stream: wh_domain::id::StreamNo,
    ) -> wh_ports::store::BoxFuture<'static, ()> {
        let (over, wait) = tokio::sync::oneshot::channel();
        self.beside.spawn(async move {
            stuck.await;
            // The settlement may be gone with an expelled host; the stream is free all the same.
            drop(over.send(()));
            Arrival::Unstuck { worker, stream }
        });
        Box::pin(async move { drop(wait.await) })
    }

    fn note_health(&mut self, assignment: &Assignment, finished: &Finished) {
        let (now, dice) = (self.tools.clock.running(), self.tools.chance.dice());
        let Some(health) = self.roster.health(&assignment.worker.name) else { return };
        let was_aside = health.quarantine().is_some();
        let sentence = &finished.verdict.sentence;
        if finished.verdict.outcome == Outcome::WorkerBroken {
            let kind = match finished.ending.exit {
                Exit::NotStarted(_) => FaultKind::NotStarted,
                _ => FaultKind::LeftUnread,
            };
            health.saw_fault(kind, &assignment.claim.id, sentence, now, &assignment.worker.retry.backoff, dice);
        } else {
            health.saw(&finished.verdict.outcome, sentence);
        }
        let worker = assignment.worker.name.clone();
        let event = match (was_aside, health.quarantine()) {
            (_, Some(quarantine)) => Event::WorkerQuarantined {
                worker,
                retry_in: quarantine.until.map(|until| until.saturating_sub(now)),
                why: quarantine.why.clone(),
            },
            (true, None) => Event::WorkerRecovered { worker },
            (false, None) => return,
        };
        self.tools.bus.tell(&event);
    }

    fn beaten(&mut self, answer: Result<Beat, StoreError>) {
        self.beating = false;
        let rhythm = self.settings.lease.renew_every;
        let Some(beat) = self.unless_failed(answer) else {
            self.next_beat = Instant::now() + rhythm.min(settling::pause(3));
            return;
        };
        let late = self.tools.clock.running().saturating_sub(beat.sent_at);
        self.next_beat = Instant::now() + rhythm.saturating_sub(late);
        self.claiming.wanted |= beat.changed;
        self.heed(beat.heeded);
        if !beat.orphans.is_empty() {
            self.bury(beat.orphans);
        }
    }

    fn bury(&mut self, orphans: Vec<Orphan>) {
        self.burying = true;
        self.beside.spawn(duties::bury(Arc::clone(&self.tools), orphans));
    }

    fn buried(&mut self, orphans: Vec<Orphan>, result: Result<(), String>) {
        self.burying = false;
        if let Err(why) = result {
            // Their tasks stay with us, unsettled, until their processes are gone.
            self.tools.bus.tell(&Event::StoreUnavailable { why: why.into() });
            self.bury(orphans);
            return;
        }
        self.settling += 1;
        let orphans = orphans
            .into_iter()
            .map(|orphan| {
                let policy = self.roster.policy(&orphan.worker);
                (orphan, policy)
            })
            .collect();
        let tools = Arc::clone(&self.tools);
        // There may be more where these came from.
        self.next_beat = Instant::now();
        self.beside.spawn(async move { Arrival::Settled(duties::settle_lost(tools, orphans).await) });
    }

    fn heed(&mut self, heeded: Heeded) {
        self.ear.cursor = self.ear.cursor.max(heeded.cursor);
        for key in heeded.cancel {
            if let Some(running) = self.running.get(&key)
                && !running.cancel_wished.swap(true, Ordering::Relaxed)
            {
                // A full queue holds a stronger order already.
                drop(running.orders.try_send(Order::Cancel));
            }
        }
        self.mended(heeded.resume);
    }

    fn mended(&mut self, workers: Vec<WorkerName>) {
        for worker in workers {
            let Some(health) = self.roster.health(&worker) else { continue };
            if health.quarantine().is_some() {
                health.resume();
                self.tools.bus.tell(&Event::WorkerRecovered { worker });
                self.claiming.wanted = true;
                self.publish_soon();
            }
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
                self.end.get_or_insert(Why::Expelled);
                self.order_all(Order::Kill);
                None
            }
            Err(error @ (StoreError::Untrusted(_) | StoreError::Broken(_))) => {
                self.end = Some(Why::Failed(error));
                None
            }
        }
    }

    // ---- going down -----------------------------------------------------------------------------------------

    fn obey(&mut self, command: Command) {
        match command {
            Command::Drain => {
                let (stage, order) = self.stage.asked(Instant::now(), self.settings.drain);
                self.go_down(stage, order);
            }
            Command::Reload(workers) => {
                let changes = self.roster.reload(workers);
                self.claiming.wanted = true;
                // Types that nobody took may have a worker now, and the other way round.
                self.roster.lanes_version = None;
                self.tools.bus.tell(&Event::ConfigReloaded {
                    added: changes.added,
                    changed: changes.changed,
                    removed: changes.removed,
                });
                self.publish_soon();
            }
            Command::Refused(why) => self.tools.bus.tell(&Event::ConfigRefused { why }),
            Command::Mended(workers) => self.mended(workers),
        }
    }

    fn go_down(&mut self, stage: Stage, order: Option<Order>) {
        if self.stage == Stage::Working && stage != Stage::Working {
            self.tools.bus.tell(&Event::HostDraining { running: self.running.len() });
            self.end.get_or_insert(Why::Drained);
        }
        self.stage = stage;
        if let Some(order) = order {
            self.order_all(order);
        }
    }

    fn order_all(&self, order: Order) {
        for running in self.running.values() {
            // A full queue holds orders that come to the same.
            drop(running.orders.try_send(order));
        }
    }

    /// Whether nothing is left to wait for, and why the host ends.
    fn is_over(&mut self) -> Option<Why> {
        match &self.end {
            Some(why @ Why::Failed(_)) => return Some(why.clone()),
            Some(why) if self.nothing_beside() => return Some(why.clone()),
            Some(_) => return None,
            None => {}
        }
        let looks_idle = self.settings.until_idle
            && self.nothing_beside()
            && self.claiming.found_nothing
            && !self.claiming.wanted
            && !self.store_away;
        if looks_idle && !self.idle_asked {
            self.idle_asked = true;
            let lanes = self.roster.lanes_that_may_move();
            let tools = Arc::clone(&self.tools);
            self.beside.spawn(async move { Arrival::Retrying(tools.store.retrying(lanes).await) });
        }
        None
    }

    fn nothing_beside(&self) -> bool {
        self.running.is_empty() && self.settling == 0 && !self.claiming.in_flight && !self.burying && !self.beating
    }

    fn asked_idle(&mut self, answer: Result<u64, StoreError>) {
        match self.unless_failed(answer) {
            Some(0) if self.nothing_beside() && !self.claiming.wanted => self.end = Some(Why::Idle),
            // Something waits for its time, or has come meanwhile: look again when it moves.
            Some(_) => self.claiming.found_nothing = false,
            None => self.claim_later(),
        }
        self.idle_asked = false;
    }

    async fn leave(mut self, why: Why) -> Farewell {
        self.beside.shutdown().await;
        if !matches!(why, Why::Failed(_)) {
            // A store that is away finds out by the lock that this host is gone.
            drop(self.tools.store.leave(self.tools.host.clone()).await);
        }
        self.tools.bus.tell(&Event::HostStopped { killed: self.killed });
        Farewell { why, killed: self.killed }
    }
}
