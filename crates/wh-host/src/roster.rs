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

    fn busy(&self) -> u32 {
        count(self.streams.iter().filter(|stream| **stream == Stream::Busy))
    }

    /// How many more attempts it may be given now; a worker in quarantine gets one at a time.
    fn room(&self, now: Duration) -> u32 {
        if self.leaving || !self.health.may_run(now) {
            return 0;
        }
        let configured = self.worker.streams as usize;
        let free = count(self.streams.iter().take(configured).filter(|stream| **stream == Stream::Free));
        match self.health.quarantine() {
            Some(_) => free.min(1u32.saturating_sub(self.busy())),
            None => free,
        }
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

    /// What could be claimed now, and how much of it in all. Empty when no stream is free.
    pub(crate) fn wants(&self, now: Duration) -> (Vec<Want>, u32) {
        let most = self.streams.saturating_sub(self.busy());
        if most == 0 {
            return (Vec::new(), 0);
        }
        let wants = self.served(now).into_iter().filter_map(|(place, lanes)| {
            let room = place.room(now);
            (room > 0 && !lanes.is_empty()).then(|| Want {
                worker: place.worker.name.clone(),
                lanes,
                most: room,
                lost_is_final: place.worker.retry.on_lost == OnLost::Fail,
            })
        });
        (wants.collect(), most)
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

    /// Whether some quarantined worker may be tried now and is not being tried.
    pub(crate) fn recovered(&self, now: Duration) -> bool {
        self.places.iter().any(|place| place.health.quarantine().is_some() && place.room(now) > 0)
    }

    /// When the next quarantined worker may be tried again, on the running clock.
    pub(crate) fn next_recovery(&self, now: Duration) -> Option<Duration> {
        let waits =
            self.places.iter().filter(|place| !place.leaving).filter_map(|p| p.health.quarantine()?.until);
        waits.filter(|until| *until > now).min()
    }

    /// Takes a free stream of `worker`; `None` when it has none or is gone.
    pub(crate) fn occupy(&mut self, worker: &WorkerName) -> Option<(Arc<Worker>, StreamNo)> {
        let place = self.places.iter_mut().find(|place| !place.leaving && place.worker.name == *worker)?;
        let configured = place.worker.streams as usize;
        let at = place.streams.iter().take(configured).position(|stream| *stream == Stream::Free)?;
        *place.streams.get_mut(at)? = Stream::Busy;
        Some((Arc::clone(&place.worker), StreamNo(u32::try_from(at + 1).ok()?)))
    }

    /// Gives a stream back.
    pub(crate) fn free(&mut self, worker: &WorkerName, stream: StreamNo) {
        self.set(worker, stream, Stream::Free);
        self.places.retain(|place| !place.leaving || place.streams.iter().any(|s| *s != Stream::Free));
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

    /// Takes a new configuration. What runs goes on as it was started.
    pub(crate) fn reload(&mut self, workers: Vec<Worker>) -> Changes {
        let mut changes = Changes::default();
        for place in &mut self.places {
            if !place.leaving && !workers.iter().any(|worker| worker.name == place.worker.name) {
                place.leaving = true;
                changes.removed.push(place.worker.name.clone());
            }
        }
        for worker in workers {
            match self.places.iter_mut().find(|place| place.worker.name == worker.name) {
                Some(place) if *place.worker == worker && !place.leaving => {}
                Some(place) => {
                    changes.changed.push(worker.name.clone());
                    let streams = place.streams.len().max(worker.streams as usize);
                    place.streams.resize(streams, Stream::Free);
                    place.worker = Arc::new(worker);
                    place.leaving = false;
                    place.health.resume();
                }
                None => {
                    changes.added.push(worker.name.clone());
                    self.places.push(Place::new(worker));
                }
            }
        }
        self.places.retain(|place| !place.leaving || place.streams.iter().any(|s| *s != Stream::Free));
        self.told_nobody.clear();
        changes
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
