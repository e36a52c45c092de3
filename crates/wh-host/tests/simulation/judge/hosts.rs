//! What hosts do: live, carry, tell, and go.

use super::case::{Case, Standing};
use super::{Charge, Judge};
use crate::marks::Mark;
use std::collections::BTreeMap;
use std::time::Duration;
use wh_domain::event::Event;
use wh_domain::id::{Fence, HostId, Seq, StreamNo, WorkerName};
use wh_domain::worker::Worker;
use wh_host::{Farewell, Why};
use wh_ports::runner::{Assignment, Order};

/// An attempt that runs.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) worker: WorkerName,
    pub(super) stream: StreamNo,
    pub(super) cancel_ordered: bool,
    /// Whether its processes could not be ended: its stream is out of use, and counts for nobody.
    pub(super) stuck: bool,
}

/// A host as the judge sees it.
#[derive(Debug)]
pub(crate) struct HostWatch {
    pub(super) streams: u32,
    pub(super) workers: Vec<Worker>,
    pub(super) running: BTreeMap<(Seq, Fence), Run>,
    /// Whether it has begun to work.
    pub(super) works: bool,
    pub(super) asked_to_drain: bool,
    /// Whether it says that it goes down.
    pub(super) drains: bool,
    pub(super) is_dead: bool,
    /// Whether it has left or others have begun to take over from it.
    pub(super) is_out: bool,
    pub(super) paused_at: Option<Duration>,
    /// When it last was paused, cut off, or had to rest.
    pub(super) trouble_at: Duration,
    /// When the last renewal was sent that it was told of.
    pub(super) renewed_at: Duration,
    /// When the last renewal came to the store.
    pub(super) came_at: Duration,
    /// When a gap in its renewals ended.
    pub(super) gap_at: Option<Duration>,
    pub(super) renewal_refused: bool,
    /// Quarantined workers and until when.
    pub(super) aside: BTreeMap<WorkerName, Option<Duration>>,
    calls_at: (Duration, u32),
}

/// A host may ask so often without any time passing: what it asks in a row when much happens at once.
const MOST_CALLS_AT_ONCE: u32 = 1_500;

impl Judge {
    /// A host is about to join.
    pub(crate) fn joins(&mut self, host: &HostId, streams: u32, workers: &[Worker]) {
        let now = self.now();
        let watch = HostWatch {
            streams,
            workers: workers.to_vec(),
            running: BTreeMap::new(),
            works: false,
            asked_to_drain: false,
            drains: false,
            is_dead: false,
            is_out: false,
            paused_at: None,
            trouble_at: now,
            renewed_at: now,
            came_at: now,
            gap_at: None,
            renewal_refused: false,
            aside: BTreeMap::new(),
            calls_at: (now, 0),
        };
        self.hosts.insert(host.clone(), watch);
    }

    fn host(&mut self, host: &HostId) -> &mut HostWatch {
        self.hosts.get_mut(host).expect("whoever does something has joined")
    }

    /// A host's membership has begun.
    pub(crate) fn joined(&mut self, host: &HostId) {
        let now = self.now();
        let watch = self.host(host);
        (watch.renewed_at, watch.came_at, watch.trouble_at) = (now, now, now);
    }

    /// A host asks something of the store; answers whether it has asked too often without time passing.
    pub(crate) fn asks(&mut self, host: &HostId) -> bool {
        let now = self.now();
        let watch = self.host(host);
        let (at, calls) = &mut watch.calls_at;
        *calls = if *at == now { *calls + 1 } else { 1 };
        *at = now;
        let too_often = *calls > MOST_CALLS_AT_ONCE;
        if too_often {
            self.charge(Charge::HotLoop, format!("{host} asks again and again"));
        }
        too_often
    }

    pub(crate) fn reloaded(&mut self, host: &HostId, workers: &[Worker]) {
        let watch = self.host(host);
        watch.workers = workers.to_vec();
        if !watch.running.is_empty() {
            self.marks.note(Mark::ReloadedWhileCarrying);
        }
    }

    /// A host is asked to go down, or to go down faster.
    pub(crate) fn asked_to_drain(&mut self, host: &HostId) {
        if std::mem::replace(&mut self.host(host).asked_to_drain, true) {
            self.marks.note(Mark::DrainHurried);
        }
    }

    pub(crate) fn paused(&mut self, host: &HostId) {
        let now = self.now();
        self.host(host).paused_at.get_or_insert(now);
    }

    pub(crate) fn resumed(&mut self, host: &HostId) {
        let now = self.now();
        let watch = self.host(host);
        watch.trouble_at = watch.trouble_at.max(now);
        let paused_for = watch.paused_at.take().map(|at| now.saturating_sub(at));
        if paused_for.is_some_and(|it| it > Duration::from_secs(30)) {
            self.marks.note(Mark::PausedBeyondItsLease);
        }
    }

    /// Something keeps a host from doing its work, until then.
    pub(crate) fn troubled(&mut self, host: &HostId, until: Duration) {
        let watch = self.host(host);
        watch.trouble_at = watch.trouble_at.max(until);
    }

    pub(crate) fn renewal_refused(&mut self, host: &HostId) {
        self.host(host).renewal_refused = true;
    }

    /// A host's process is gone, with all that ran under it.
    pub(crate) fn died(&mut self, host: &HostId) {
        let watch = self.host(host);
        watch.is_dead = true;
        watch.works = false;
        if !watch.running.is_empty() {
            let why = format!("{host} is dead, but this runs: {:?}", watch.running);
            self.charge(Charge::Overlap, why);
        }
    }

    pub(crate) fn left(&mut self, host: &HostId) {
        self.host(host).is_out = true;
    }

    /// A host has ended by itself.
    pub(crate) fn said(&mut self, host: &HostId, farewell: &Farewell, until_idle: bool) {
        let now = self.now();
        let watch = self.host(host);
        watch.works = false;
        watch.is_dead = true;
        let (drained, was_silent) = (watch.asked_to_drain, now.saturating_sub(watch.came_at));
        let running = watch.running.values().filter(|run| !run.stuck).count();
        let mark = match &farewell.why {
            Why::Drained if drained && farewell.killed == 0 => Some(Mark::DrainFinishedByItself),
            Why::Drained if drained => Some(Mark::DrainKilled),
            Why::Idle if until_idle && farewell.killed == 0 => {
                self.judge_idleness(host);
                Some(Mark::HostIdle)
            }
            Why::Expelled if was_silent > Duration::from_secs(15) => Some(Mark::HostExpelled),
            Why::Drained | Why::Idle | Why::Expelled | Why::Failed(_) => None,
        };
        if let Some(mark) = mark {
            self.marks.note(mark);
        } else {
            let why = format!("{host}, silent for {was_silent:?}: {farewell:?}");
            self.charge(Charge::HostEnded, why);
        }
        if farewell.why == Why::Expelled && farewell.killed > 0 {
            self.marks.note(Mark::HostExpelledWhileCarrying);
        }
        if running > 0 {
            self.charge(Charge::Overlap, format!("{host} has gone, but {running} attempts run"));
        }
        // What it took over from others is for whoever comes next.
        let left =
            |case: &&Case| case.lost.is_none() && case.standing == Standing::Claimed { by: host.clone() };
        let left: Vec<String> =
            self.cases.values().filter(left).map(|case| case.task.id.to_string()).collect();
        if farewell.why != Why::Expelled && farewell.killed == 0 && !left.is_empty() {
            self.charge(Charge::HostEnded, format!("{host} has gone with {left:?}: {farewell:?}"));
        }
    }

    /// An attempt is started.
    pub(crate) fn began(&mut self, host: &HostId, assignment: &Assignment) {
        let (claim, worker) = (&assignment.claim, &assignment.worker);
        let key = (claim.seq, claim.fence);
        let what = format!("{} by {host}", claim.attempt_id());
        if !self.holds(host, claim.seq, claim.fence) {
            self.charge(Charge::StartedUnclaimed, format!("{what} was started without a claim"));
        }
        let watch = self.host(host);
        let carried = watch.running.values().filter(|run| !run.stuck);
        let of_worker = watch.running.values().filter(|run| run.worker == worker.name);
        let same_stream = of_worker.clone().any(|run| run.stream == assignment.stream);
        let (all, own) = (carried.count(), of_worker.filter(|run| !run.stuck).count());
        let within = |count: usize, most: u32| u32::try_from(count).unwrap() < most;
        let fits = within(all, watch.streams) && within(own, worker.streams) && !same_stream;
        let (drains, name) = (watch.drains, worker.name.clone());
        watch.running.insert(
            key,
            Run { worker: name, stream: assignment.stream, cancel_ordered: false, stuck: false },
        );
        if !fits || assignment.stream.0 > worker.streams || assignment.stream.0 == 0 {
            let why = format!("{what} on {}: {own} of {} run, {all} in all", worker.name, worker.streams);
            self.charge(Charge::OverCommitted, why);
        }
        if drains {
            self.charge(Charge::Claim, format!("{what} was started while it goes down"));
        }
    }

    pub(crate) fn ordered(&mut self, host: &HostId, key: (Seq, Fence), order: Order) {
        if let Some(run) = self.host(host).running.get_mut(&key) {
            run.cancel_ordered |= order == Order::Cancel;
        }
    }

    /// An attempt has ended; `stuck` is whether something of it is still alive.
    pub(crate) fn ended(&mut self, host: &HostId, key: (Seq, Fence), stuck: bool) {
        let watch = self.host(host);
        match watch.running.get_mut(&key) {
            Some(run) if stuck => {
                run.stuck = true;
                self.marks.note(Mark::StuckTreeHeldItsTask);
            }
            _ => drop(watch.running.remove(&key)),
        }
    }

    /// A host has told something.
    pub(crate) fn told(&mut self, host: &HostId, event: &Event) {
        let now = self.now();
        match event {
            Event::HostStarted { .. } => self.host(host).works = true,
            Event::HostDraining { .. } => self.host(host).drains = true,
            // Of a task that is deleted meanwhile, and its id given again.
            Event::Settled { carried, .. } | Event::Fenced { carried }
                if self
                    .case(&carried.attempt_id.task)
                    .is_some_and(|case| carried.attempt_id.fence <= case.spent) => {}
            Event::Settled { carried, record, next } => {
                let attempt = &carried.attempt_id;
                let case = self.case(&attempt.task);
                let mut prints = case.iter().flat_map(|case| &case.settled);
                if !prints.any(|print| print.tells(attempt.fence, *next, record)) {
                    self.charge(Charge::FalseFact, format!("{host} says {}: {next:?}", carried.attempt_id));
                }
            }
            Event::Fenced { carried } => {
                let attempt = &carried.attempt_id;
                let held = self.case(&attempt.task).is_some_and(|case| case.is_held(host, attempt.fence));
                let is_out = self.host(host).is_out;
                if held && !is_out {
                    self.charge(Charge::Refused, format!("{host} has given up {attempt}, which it holds"));
                }
            }
            Event::WorkerQuarantined { worker, retry_in, .. } => {
                let until = retry_in.map(|wait| now + wait);
                self.host(host).aside.insert(worker.clone(), until);
                self.marks.note(Mark::WorkerQuarantined);
            }
            Event::WorkerRecovered { worker } => {
                let mark = match self.host(host).aside.remove(worker) {
                    Some(None) => Mark::WorkerQuarantinedForGoodThenResumed,
                    _ => Mark::WorkerQuarantinedThenRecovered,
                };
                self.marks.note(mark);
            }
            Event::ConfigReloaded { changed, removed, .. } => {
                let watch = self.host(host);
                watch.aside.retain(|worker, _| !changed.contains(worker) && !removed.contains(worker));
            }
            Event::NoWorker { task_type } => {
                for case in self.cases.values_mut().filter(|case| !case.has_ended()) {
                    case.unknown |= case.task.task_type == *task_type;
                }
            }
            _ => {}
        }
    }
}
