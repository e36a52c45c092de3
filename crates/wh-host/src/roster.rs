//! The workers of a host: their streams, their health, and which lanes go to whom.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::health::WorkerHealth;
use wh_domain::id::{LaneId, StreamNo, TaskType, WorkerName};
use wh_domain::retry::{OnLost, RetryPolicy};
use wh_domain::routing::{Route, route};
use wh_domain::worker::Worker;
use wh_ports::claims::{Lane, Want, WorkerReport};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Free,
    Busy,
    /// Its last process tree cannot be ended; it carries nothing until that is over.
    Stuck,
}

/// One worker as this host has it.
pub(crate) struct Place {
    pub(crate) worker: Arc<Worker>,
    pub(crate) health: WorkerHealth,
    streams: Vec<Stream>,
    /// No longer configured: gets nothing new and goes when its last stream is free.
    leaving: bool,
}

impl Place {
    fn new(worker: Worker) -> Self {
        let streams = vec![Stream::Free; worker.streams as usize];
        Self { worker: Arc::new(worker), health: WorkerHealth::default(), streams, leaving: false }
    }

    /// Takes another configuration; streams that it does not have are not used again.
    fn becomes(&mut self, worker: Worker) {
        let streams = self.streams.len().max(worker.streams as usize);
        self.streams.resize(streams, Stream::Free);
        self.worker = Arc::new(worker);
        self.leaving = false;
        self.health.resume();
    }

    fn busy(&self) -> u32 {
        self.streams_that_are(Stream::Busy)
    }

    fn streams_that_are(&self, such: Stream) -> u32 {
        count(self.streams.iter().filter(|stream| **stream == such))
    }

    /// How many more attempts it may be given now; a worker in quarantine gets one at a time. What was started on
    /// streams that a new configuration took away counts until it has ended.
    fn room(&self, now: Duration) -> u32 {
        if self.leaving || !self.health.may_run(now) {
            return 0;
        }
        let most = if self.health.quarantine().is_some() { 1 } else { self.worker.streams };
        self.free_streams().min(most.saturating_sub(self.busy()))
    }

    fn free_streams(&self) -> u32 {
        let configured = self.worker.streams as usize;
        count(self.streams.iter().take(configured).filter(|stream| **stream == Stream::Free))
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// What changed with a new configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) added: Vec<WorkerName>,
    pub(crate) changed: Vec<WorkerName>,
    pub(crate) removed: Vec<WorkerName>,
}

/// All workers of a host.
pub(crate) struct Roster {
    places: Vec<Place>,
    /// How many attempts the host carries at most.
    streams: u32,
    lanes: Vec<Lane>,
    pub(crate) lanes_version: Option<u64>,
    told_nobody: HashSet<TaskType>,
}

impl Roster {
    pub(crate) fn new(workers: Vec<Worker>, streams: u32) -> Self {
        Self {
            places: workers.into_iter().map(Place::new).collect(),
            streams,
            lanes: Vec::new(),
            lanes_version: None,
            told_nobody: HashSet::new(),
        }
    }

    pub(crate) fn busy(&self) -> u32 {
        self.places.iter().map(Place::busy).sum()
    }

    /// How many streams are out of use because their last process tree cannot be ended.
    pub(crate) fn stuck(&self) -> usize {
        self.places.iter().map(|place| place.streams_that_are(Stream::Stuck) as usize).sum()
    }

    pub(crate) fn configured(&self) -> usize {
        self.places.iter().filter(|place| !place.leaving).count()
    }

    /// Takes the lanes there are; answers the types that no worker takes and that have not been told yet.
    pub(crate) fn learn(&mut self, version: u64, lanes: Vec<Lane>) -> Vec<TaskType> {
        self.lanes = lanes;
        self.lanes_version = Some(version);
        let places = &self.places;
        let nobody = self.lanes.iter().map(|lane| &lane.task_type).filter(|task_type| {
            route(task_type, places.iter().filter(|p| !p.leaving).map(|p| (&*p.worker.task_types, true)))
                == Route::Nobody
        });
        let fresh: Vec<TaskType> =
            nobody.filter(|task_type| !self.told_nobody.contains(task_type)).cloned().collect();
        self.told_nobody.extend(fresh.iter().cloned());
        fresh
    }

    /// How much could be claimed now in all: zero when the host is full or no worker has room.
    pub(crate) fn room(&self, now: Duration) -> u32 {
        let room: u32 = self.places.iter().map(|place| place.room(now)).sum();
        room.min(self.streams.saturating_sub(self.busy()))
    }

    /// What could be claimed now, worker by worker. Empty also while no lane goes to a worker with room.
    pub(crate) fn wants(&self, now: Duration) -> Vec<Want> {
        let wants = self.served(now).into_iter().filter_map(|(place, lanes)| {
            let room = place.room(now);
            (room > 0 && !lanes.is_empty()).then(|| Want {
                worker: place.worker.name.clone(),
                lanes,
                most: room,
                lost_is_final: place.worker.retry.on_lost == OnLost::Fail,
            })
        });
        wants.collect()
    }

    /// Every lane that some worker takes now or after a wait that ends by itself.
    pub(crate) fn lanes_that_may_move(&self) -> Vec<LaneId> {
        self.served(Duration::MAX).into_iter().flat_map(|(_, lanes)| lanes).collect()
    }

    /// Each worker with the lanes that go to it at `now`.
    fn served(&self, now: Duration) -> Vec<(&Place, Vec<LaneId>)> {
        let mut served: Vec<(&Place, Vec<LaneId>)> =
            self.places.iter().filter(|place| !place.leaving).map(|place| (place, Vec::new())).collect();
        for lane in &self.lanes {
            let workers = served.iter().map(|(p, _)| (&*p.worker.task_types, p.health.may_run(now)));
            if let Route::To(at) = route(&lane.task_type, workers)
                && let Some((_, lanes)) = served.get_mut(at)
            {
                lanes.push(lane.id);
            }
        }
        served
    }

    /// The worker's rules for trying again, where this host knows it.
    pub(crate) fn policy(&self, worker: &WorkerName) -> Option<RetryPolicy> {
        self.places.iter().find(|place| place.worker.name == *worker).map(|place| place.worker.retry)
    }

    /// Whether the moment to try a quarantined worker again has come after `since` and not after `now`.
    pub(crate) fn recovered(&self, since: Duration, now: Duration) -> bool {
        let mut untils = self.places.iter().filter_map(|place| place.health.quarantine()?.until);
        untils.any(|until| since < until && until <= now)
    }

    /// When the next quarantined worker may be tried again, on the running clock.
    pub(crate) fn next_recovery(&self, now: Duration) -> Option<Duration> {
        let waits =
            self.places.iter().filter(|place| !place.leaving).filter_map(|p| p.health.quarantine()?.until);
        waits.filter(|until| *until > now).min()
    }

    /// The longest that any worker has between SIGTERM and SIGKILL.
    pub(crate) fn longest_grace(&self) -> Duration {
        self.places.iter().map(|place| place.worker.timeout.grace).max().unwrap_or_default()
    }

    /// Takes a free stream of `worker`; `None` when it has none or is gone.
    pub(crate) fn occupy(&mut self, worker: &WorkerName) -> Option<(Arc<Worker>, StreamNo)> {
        let place = self.places.iter_mut().find(|place| !place.leaving && place.worker.name == *worker)?;
        if place.busy() >= place.worker.streams {
            return None;
        }
        let configured = place.worker.streams as usize;
        let at = place.streams.iter().take(configured).position(|stream| *stream == Stream::Free)?;
        *place.streams.get_mut(at)? = Stream::Busy;
        Some((Arc::clone(&place.worker), StreamNo(u32::try_from(at + 1).ok()?)))
    }

    /// Gives a stream back.
    pub(crate) fn free(&mut self, worker: &WorkerName, stream: StreamNo) {
        self.set(worker, stream, Stream::Free);
        self.forget_who_has_left();
    }

    /// Takes a stream out of use.
    pub(crate) fn retire(&mut self, worker: &WorkerName, stream: StreamNo) {
        self.set(worker, stream, Stream::Stuck);
    }

    fn set(&mut self, worker: &WorkerName, stream: StreamNo, to: Stream) {
        let place = self.places.iter_mut().find(|place| place.worker.name == *worker);
        let at = stream.0.checked_sub(1).map(|at| at as usize);
        if let (Some(place), Some(at)) = (place, at)
            && let Some(slot) = place.streams.get_mut(at)
        {
            *slot = to;
        }
    }

    pub(crate) fn health(&mut self, worker: &WorkerName) -> Option<&mut WorkerHealth> {
        self.places.iter_mut().find(|place| place.worker.name == *worker).map(|place| &mut place.health)
    }

    /// The health that an attempt of `worker` speaks of: none if another configuration has come since it began.
    pub(crate) fn health_of(&mut self, worker: &Worker) -> Option<&mut WorkerHealth> {
        self.places.iter_mut().find(|place| *place.worker == *worker).map(|place| &mut place.health)
    }

    /// Takes a new configuration, in its order, for among equals the first one counts. What runs goes on as it was
    /// started.
    pub(crate) fn reload(&mut self, workers: Vec<Worker>) -> Changes {
        let mut changes = Changes::default();
        let mut before = std::mem::take(&mut self.places);
        for worker in workers {
            let Some(at) = before.iter().position(|place| place.worker.name == worker.name) else {
                changes.added.push(worker.name.clone());
                self.places.push(Place::new(worker));
                continue;
            };
            let mut place = before.remove(at);
            if place.leaving || *place.worker != worker {
                changes.changed.push(worker.name.clone());
                place.becomes(worker);
            }
            self.places.push(place);
        }
        for mut place in before {
            if !std::mem::replace(&mut place.leaving, true) {
                changes.removed.push(place.worker.name.clone());
            }
            self.places.push(place);
        }
        self.forget_who_has_left();
        self.told_nobody.clear();
        changes
    }

    fn forget_who_has_left(&mut self) {
        self.places.retain(|place| !place.leaving || place.streams.iter().any(|it| *it != Stream::Free));
    }

    /// How every worker is doing, for others to read.
    pub(crate) fn report(&self) -> Vec<WorkerReport> {
        let reports = self.places.iter().filter(|place| !place.leaving).map(|place| WorkerReport {
            worker: place.worker.name.clone(),
            streams: place.worker.streams,
            busy: place.busy(),
            health: place.health.colour().as_str(),
            consecutive_failures: place.health.consecutive_failures,
            succeeded: place.health.succeeded,
            failed: place.health.failed,
            total_recoveries: place.health.total_recoveries,
            last_error: place.health.last_error.clone(),
            quarantine: place.health.quarantine().map(|quarantine| quarantine.why.clone()),
            task_types: place.worker.task_types.iter().map(|t| t.to_string().into()).collect(),
        });
        reports.collect()
    }
}

#[cfg(test)]
mod tests;
