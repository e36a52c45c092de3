//! What keeps pending tasks from being tried, as far as the store's hosts and the configuration tell.

use crate::configuration::Configuration;
use crate::context::Context;
use crate::failure::Failure;
use crate::opened::Opened;
use wh_domain::id::TaskType;
use wh_domain::routing::{Route, TypePattern, candidates, route};
use wh_domain::time::Timestamp;
use wh_domain::worker::Worker;
use wh_ports::claims::WorkerReport;
use wh_ports::clock::Clock;
use wh_ports::reader::{HostView, Reader};
use wh_ports::store::StoreError;
use wh_sqlite::SystemClock;

/// Who could do tasks now, and who is configured to.
#[derive(Debug)]
pub(crate) struct Outlook {
    now: Timestamp,
    /// The living ones.
    hosts: Vec<HostView>,
    configured: Option<Configured>,
}

/// The workers of a configuration.
#[derive(Debug)]
pub(crate) struct Configured {
    /// The file.
    name: String,
    workers: Vec<Worker>,
}

impl Configured {
    /// The workers for a store, where a file is known that says so. A store that only the command line names may have
    /// others.
    pub(crate) fn of(configuration: &Configuration, context: &Context) -> Option<Self> {
        let file = configuration.file.as_ref()?;
        let is_its_store = context.globals.store.is_none() || context.globals.config.is_some();
        let workers = configuration.config.workers.clone();
        is_its_store.then(|| Self { name: file.display().to_string(), workers })
    }

    fn takes(&self, task_type: &TaskType) -> bool {
        let patterns = self.workers.iter().map(|worker| worker.task_types.as_slice());
        !candidates(task_type, patterns).is_empty()
    }
}

impl Outlook {
    /// As it is now.
    pub(crate) async fn of(opened: &Opened, context: &Context) -> Result<Self, Failure> {
        let configured = Configured::of(&opened.configuration, context);
        Ok(Self::with(&*opened.store, configured).await?)
    }

    /// The same, where the configured workers are known.
    pub(crate) async fn with(
        store: &(impl Reader + ?Sized),
        configured: Option<Configured>,
    ) -> Result<Self, StoreError> {
        let mut hosts = store.hosts().await?;
        hosts.retain(|host| host.alive);
        Ok(Self { now: SystemClock::new().wall(), hosts, configured })
    }

    /// Whether a moment is still to come.
    pub(crate) fn is_to_come(&self, moment: Timestamp) -> bool {
        moment > self.now
    }

    /// Why no task of this type is tried, whenever it is due: a sentence.
    pub(crate) fn hindrance(&self, task_type: &TaskType) -> Option<String> {
        let without = self.configured.as_ref().filter(|configured| !configured.takes(task_type));
        let nobody =
            without.map(|configured| format!("No worker in {} takes type {task_type}", configured.name));
        if self.hosts.is_empty() {
            return Some(nobody.map_or("No host is running.".to_owned(), |nobody| {
                format!("{nobody}, and no host is running.")
            }));
        }
        match self.routed(task_type) {
            Routed::To(_) => None,
            Routed::Aside(worker) => Some(format!(
                "Worker {worker} takes its type and is put aside; `workerhost workers show {worker}` says why."
            )),
            // A host that has just begun has not told of its workers.
            Routed::Nobody if self.hosts.iter().any(|host| host.workers.is_empty()) => {
                nobody.map(|nobody| format!("{nobody}."))
            }
            Routed::Nobody => Some(nobody.map_or_else(
                || format!("No running host has a worker that takes type {task_type}."),
                |nobody| format!("{nobody}."),
            )),
        }
    }

    /// Why no task of this type is known to be done by anybody: what a person who brings one in should know.
    pub(crate) fn is_for_nobody(&self, task_type: &TaskType) -> Option<String> {
        let configured = self.configured.as_ref().filter(|configured| !configured.takes(task_type))?;
        let is_nobody = matches!(self.routed(task_type), Routed::Nobody);
        is_nobody.then(|| format!("no worker in {} takes type {task_type}", configured.name))
    }

    /// What a task of this type waits for that is due, and that nothing hinders.
    pub(crate) fn expectation(&self, task_type: &TaskType) -> String {
        match self.routed(task_type) {
            Routed::To(worker) => format!("It waits for a free stream of worker {worker}."),
            Routed::Aside(_) | Routed::Nobody => {
                "It waits for a free stream of a worker that takes its type.".to_owned()
            }
        }
    }

    /// Where the living hosts send tasks of this type.
    fn routed(&self, task_type: &TaskType) -> Routed<'_> {
        let reports: Vec<&WorkerReport> = self.hosts.iter().flat_map(|host| &host.workers).collect();
        let patterns: Vec<Vec<TypePattern>> = reports.iter().map(|report| patterns(report)).collect();
        let workers = patterns.iter().zip(&reports);
        let name = |at: usize| reports.get(at).map(|report| report.worker.as_str());
        match route(
            task_type,
            workers.map(|(patterns, report)| (patterns.as_slice(), report.quarantine.is_none())),
        ) {
            Route::To(at) => name(at).map_or(Routed::Nobody, Routed::To),
            Route::Waiting => {
                let best = candidates(task_type, patterns.iter().map(Vec::as_slice)).first().copied();
                best.and_then(name).map_or(Routed::Nobody, Routed::Aside)
            }
            Route::Nobody => Routed::Nobody,
        }
    }
}

/// Where tasks go.
enum Routed<'a> {
    To(&'a str),
    /// To a worker that is put aside.
    Aside(&'a str),
    Nobody,
}

/// What a host reports came from a configuration, so it is right.
fn patterns(report: &WorkerReport) -> Vec<TypePattern> {
    report.task_types.iter().filter_map(|text| TypePattern::parse(text).ok()).collect()
}
