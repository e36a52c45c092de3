//! Listens to the host: results as they are produced, and the moment at which each is durable.

use super::ended::Ended;
use super::input::index_of;
use super::voice::Speaker;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use wh_domain::attempt::AttemptRecord;
use wh_domain::event::{Carried, Event};
use wh_domain::id::{AttemptId, HostId, TaskId};
use wh_domain::lifecycle::Next;
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_ports::observe::Observer;
use wh_ports::runner::{Assignment, Finished, Listener, Order, Runner};
use wh_ports::store::BoxFuture;

/// A larger result is not kept in memory until it is durable, but read from the store.
const LARGEST: usize = 64 << 10;

/// What the map learns of its host.
#[derive(Debug)]
pub(super) enum News {
    /// A task's end is durable. Without what is known of it, the store has it.
    Ended(TaskId, Option<Box<Ended>>),
    /// A task may have ended unseen.
    Reclaimed,
    /// The command cannot be run; holds why, and when it is tried again.
    Broken(Box<str>, Option<Duration>),
}

/// Results that are not known to be durable, at most one for each attempt that runs or is being settled.
#[derive(Default)]
struct Results(Mutex<BTreeMap<String, Payload>>);

impl Results {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Payload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, attempt: &AttemptId, finished: &Finished) {
        let whole = finished.produced.as_ref().filter(|produced| !produced.partial);
        if let Some(produced) = whole.filter(|produced| produced.payload.bytes().len() <= LARGEST) {
            self.lock().insert(attempt.to_string(), produced.payload.clone());
        }
    }

    fn take(&self, attempt: &AttemptId) -> Option<Payload> {
        self.lock().remove(&attempt.to_string())
    }
}

/// Both ends of the listening.
pub(super) struct Ear {
    results: Arc<Results>,
    news: mpsc::UnboundedSender<News>,
    speaker: Speaker,
}

impl Ear {
    /// An ear, and where its news arrive: at most a few for each input under way.
    pub(super) fn new(speaker: Speaker) -> (Self, mpsc::UnboundedReceiver<News>) {
        let (news, receiver) = mpsc::unbounded_channel();
        (Self { results: Arc::default(), news, speaker }, receiver)
    }

    /// Something that listens to the host's events.
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Settlements {
            results: Arc::clone(&self.results),
            news: self.news.clone(),
            speaker: self.speaker.clone(),
        })
    }

    /// The runner, overheard.
    pub(super) fn around(&self, runner: impl Runner + 'static) -> Arc<dyn Runner> {
        Arc::new(Overheard { inner: runner, results: Arc::clone(&self.results) })
    }
}

struct Overheard<R> {
    inner: R,
    results: Arc<Results>,
}

impl<R: Runner> Runner for Overheard<R> {
    fn run(
        &self,
        assignment: Assignment,
        orders: mpsc::Receiver<Order>,
        listener: Listener,
    ) -> BoxFuture<'_, Finished> {
        let attempt = assignment.claim.attempt_id();
        let running = self.inner.run(assignment, orders, listener);
        Box::pin(async move {
            let finished = running.await;
            self.results.keep(&attempt, &finished);
            finished
        })
    }

    fn bury(&self, dead: HostId, attempts: Vec<AttemptId>) -> BoxFuture<'_, Result<(), String>> {
        self.inner.bury(dead, attempts)
    }

    fn sweep(&self, keep: Duration, most_bytes: u64) -> BoxFuture<'_, u64> {
        self.inner.sweep(keep, most_bytes)
    }
}

struct Settlements {
    results: Arc<Results>,
    news: mpsc::UnboundedSender<News>,
    speaker: Speaker,
}

impl Settlements {
    fn tell(&self, news: News) {
        // Nobody listens any more once the map is over.
        self.news.send(news).ok();
    }

    /// Only of a task that was completed, what was produced is known to be what the store keeps.
    fn settled(&self, id: &TaskId, record: &AttemptRecord, next: Next, result: Option<Payload>) {
        match next {
            Next::Completed => {
                let ended = result.map(|result| Box::new(Ended::completed(record, result)));
                self.tell(News::Ended(id.clone(), ended));
            }
            Next::Poisoned(_) | Next::Cancelled => self.tell(News::Ended(id.clone(), None)),
            Next::Pending { .. } => {
                let index = index_of(id).unwrap_or(0);
                self.speaker.detail(format!("line {index}: {} It is tried again.", record.sentence));
            }
        }
    }

    fn log(&self, carried: &Carried, level: Option<&str>, message: &str) {
        // What the command writes to standard error is for the person who called it; what a worker tells of itself is
        // for those who asked.
        match level {
            None => self.speaker.log(message.to_owned()),
            Some(level) => {
                let index = index_of(&carried.attempt_id.task).unwrap_or(0);
                self.speaker.detail(format!("line {index}: {level}: {message}"));
            }
        }
    }
}

impl Observer for Settlements {
    fn observe(&self, _at: Timestamp, event: &Event) {
        match event {
            Event::Settled { carried, record, next } => {
                let result = self.results.take(&carried.attempt_id);
                self.settled(&carried.attempt_id.task, record, *next, result);
            }
            Event::Fenced { carried } => drop(self.results.take(&carried.attempt_id)),
            Event::Reclaimed { .. } => self.tell(News::Reclaimed),
            Event::Logged { carried, line } => self.log(carried, line.level.as_deref(), &line.message),
            Event::WorkerQuarantined { retry_in, why, .. } => {
                self.tell(News::Broken(why.clone(), *retry_in));
            }
            Event::StoreUnavailable { why } => {
                self.speaker.warn(format!("the map waits, because the store cannot be used: {why}"));
            }
            Event::StoreBack => self.speaker.warn("the store can be used again".to_owned()),
            Event::HostStrained { strain } => self.speaker.warn(format!("the map waits, because {strain}")),
            Event::HostRelieved => self.speaker.warn("the map goes on".to_owned()),
            Event::ProcessesRemain { why, .. } => {
                self.speaker.warn(format!("processes of an earlier run cannot be ended: {why}"));
            }
            Event::StreamStuck { carried } => {
                let index = index_of(&carried.attempt_id.task).unwrap_or(0);
                self.speaker.warn(format!("line {index}: its processes cannot be ended"));
            }
            Event::HostStarted { .. }
            | Event::HostDraining { .. }
            | Event::HostStopped { .. }
            | Event::ConfigReloaded { .. }
            | Event::ConfigRefused { .. }
            | Event::AttemptStarted { .. }
            | Event::Progressed { .. }
            | Event::SoftTimeout { .. }
            | Event::WorkerRecovered { .. }
            | Event::NoWorker { .. }
            | Event::Swept { .. } => {}
        }
    }
}
