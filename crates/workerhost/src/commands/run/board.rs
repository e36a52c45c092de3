//! What a run looks like at a moment: its streams, its counts, how fast it goes. Events go in, lines come out.

mod face;
mod pace;

pub(super) use face::{Drawn, Size, render};

use pace::Pace;
use std::collections::{BTreeMap, BTreeSet};
use wh_domain::attempt::Progress;
use wh_domain::event::{Carried, Event};
use wh_domain::id::{StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::Next;
use wh_domain::task::StateName;
use wh_domain::time::Timestamp;
use wh_ports::reader::Count;

/// All that is shown. Small: it is copied for each drawing.
#[derive(Debug, Clone, Default)]
pub(super) struct Board {
    begun: Option<Timestamp>,
    /// Every stream that has carried something in this run.
    streams: BTreeMap<(WorkerName, StreamNo), Stream>,
    completed: u64,
    poisoned: u64,
    cancelled: u64,
    tried_again: u64,
    /// Tasks that wait, once that is known; carried on from event to event until it is counted anew.
    pending: Option<u64>,
    /// Types that no worker takes: nobody waits for their tasks.
    nobody: BTreeSet<TaskType>,
    aside: BTreeSet<WorkerName>,
    /// Whether no more is claimed.
    is_draining: bool,
    /// Whether the store does not answer.
    is_cut_off: bool,
    pace: Pace,
}

#[derive(Debug, Clone)]
enum Stream {
    Idle,
    Busy(Box<Work>),
    /// Its processes cannot be ended.
    Stuck,
}

/// An attempt under way.
#[derive(Debug, Clone)]
struct Work {
    task: TaskId,
    attempt: u32,
    since: Timestamp,
    progress: Option<Progress>,
}

impl Board {
    /// Takes an event in. Called on the host's own thread, so it does no more than remember.
    pub(super) fn apply(&mut self, at: Timestamp, event: &Event) {
        self.begun.get_or_insert(at);
        match event {
            Event::HostStarted { .. } | Event::HostStopped { .. } => {
                self.streams.clear();
                (self.is_draining, self.is_cut_off) = (false, false);
            }
            Event::HostDraining { .. } => self.is_draining = true,
            // Who takes what may have changed; what still has nobody is told again.
            Event::ConfigReloaded { .. } => self.nobody.clear(),
            Event::AttemptStarted { carried } => self.started(at, carried),
            Event::Progressed { carried, progress } => {
                if let Some(Stream::Busy(work)) = self.streams.get_mut(&key(carried)) {
                    work.progress = Some(progress.clone());
                }
            }
            Event::Settled { carried, next, .. } => {
                self.streams.insert(key(carried), Stream::Idle);
                self.settled(at, next);
            }
            Event::Fenced { carried } => {
                self.streams.insert(key(carried), Stream::Idle);
            }
            Event::StreamStuck { carried } => {
                self.streams.insert(key(carried), Stream::Stuck);
            }
            Event::WorkerQuarantined { worker, .. } => {
                self.aside.insert(worker.clone());
            }
            Event::WorkerRecovered { worker } => {
                self.aside.remove(worker);
            }
            Event::NoWorker { task_type } => {
                self.nobody.insert(task_type.clone());
            }
            Event::StoreUnavailable { .. } => self.is_cut_off = true,
            Event::StoreBack => self.is_cut_off = false,
            Event::HostStrained { .. }
            | Event::HostRelieved
            | Event::ConfigRefused { .. }
            | Event::Logged { .. }
            | Event::SoftTimeout { .. }
            | Event::Reclaimed { .. }
            | Event::ProcessesRemain { .. }
            | Event::Swept { .. } => {}
        }
    }

    /// Takes in how many tasks there are.
    pub(super) fn count(&mut self, counts: &[Count]) {
        let waits =
            |count: &&Count| count.state == StateName::Pending && !self.nobody.contains(&count.task_type);
        self.pending = Some(counts.iter().filter(waits).map(|count| count.tasks).sum());
    }

    fn started(&mut self, at: Timestamp, carried: &Carried) {
        let task = carried.attempt_id.task.clone();
        let work = Work { task, attempt: carried.attempt, since: at, progress: None };
        self.streams.insert(key(carried), Stream::Busy(Box::new(work)));
        self.pending = self.pending.map(|pending| pending.saturating_sub(1));
    }

    fn settled(&mut self, at: Timestamp, next: &Next) {
        match next {
            Next::Completed => self.completed += 1,
            Next::Poisoned(_) => self.poisoned += 1,
            Next::Cancelled => self.cancelled += 1,
            Next::Pending { .. } => {
                self.tried_again += 1;
                self.pending = self.pending.map(|pending| pending + 1);
                return;
            }
        }
        self.pace.step(at);
    }

    /// Tasks that ended in this run.
    fn ended(&self) -> u64 {
        self.completed + self.poisoned + self.cancelled
    }

    fn busy(&self) -> impl Iterator<Item = (&(WorkerName, StreamNo), &Work)> {
        self.streams.iter().filter_map(|(key, stream)| match stream {
            Stream::Busy(work) => Some((key, &**work)),
            Stream::Idle | Stream::Stuck => None,
        })
    }
}

fn key(carried: &Carried) -> (WorkerName, StreamNo) {
    (carried.worker.clone(), carried.stream)
}

#[cfg(test)]
mod tests;
