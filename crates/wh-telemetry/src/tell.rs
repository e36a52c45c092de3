//! Events as records: how much each matters, its name, its words and its keys.

use crate::level::Level;
use crate::record::Record;
use crate::words::words;
use wh_domain::event::Event;
use wh_domain::lifecycle::Next;
use wh_domain::time::Timestamp;

/// How much an event matters.
pub(crate) fn level(event: &Event) -> Level {
    match event {
        Event::HostStarted { .. } | Event::HostDraining { .. } | Event::ConfigReloaded { .. } => Level::Info,
        Event::HostStopped { killed: 0 } => Level::Info,
        Event::HostStopped { .. } => Level::Warning,
        Event::ConfigRefused { .. } => Level::Error,
        Event::AttemptStarted { .. } | Event::Swept { .. } => Level::Debug,
        Event::Progressed { .. } => Level::Trace,
        Event::Logged { line, .. } => Level::of_worker(line.level.as_deref()),
        Event::SoftTimeout { .. } | Event::Fenced { .. } | Event::Reclaimed { .. } => Level::Warning,
        Event::Settled { next: Next::Completed | Next::Cancelled, .. } => Level::Info,
        Event::Settled { next: Next::Pending { .. }, .. } => Level::Warning,
        Event::Settled { next: Next::Poisoned(_), .. } => Level::Error,
        Event::WorkerQuarantined { .. } | Event::StreamStuck { .. } | Event::ProcessesRemain { .. } => {
            Level::Error
        }
        Event::WorkerRecovered { .. } | Event::StoreBack | Event::HostRelieved => Level::Info,
        Event::NoWorker { .. } | Event::HostStrained { .. } => Level::Warning,
        Event::StoreUnavailable { .. } => Level::Error,
    }
}

/// The event as a record.
pub(crate) fn record(at: Timestamp, event: &Event) -> Record {
    keys(Record::new(at, level(event), name(event), words(event)), event)
}

/// The event's name in the log; a name never changes its meaning.
fn name(event: &Event) -> &'static str {
    match event {
        Event::HostStarted { .. } => "host_started",
        Event::HostDraining { .. } => "host_draining",
        Event::HostStopped { .. } => "host_stopped",
        Event::ConfigReloaded { .. } => "config_reloaded",
        Event::ConfigRefused { .. } => "config_refused",
        Event::AttemptStarted { .. } => "attempt_started",
        Event::Progressed { .. } => "progressed",
        Event::Logged { .. } => "logged",
        Event::SoftTimeout { .. } => "soft_timeout",
        Event::Settled { .. } => "settled",
        Event::Fenced { .. } => "fenced",
        Event::Reclaimed { .. } => "reclaimed",
        Event::WorkerQuarantined { .. } => "worker_quarantined",
        Event::WorkerRecovered { .. } => "worker_recovered",
        Event::NoWorker { .. } => "no_worker",
        Event::StreamStuck { .. } => "stream_stuck",
        Event::ProcessesRemain { .. } => "processes_remain",
        Event::StoreUnavailable { .. } => "store_unavailable",
        Event::StoreBack => "store_back",
        Event::HostStrained { .. } => "host_strained",
        Event::HostRelieved => "host_relieved",
        Event::Swept { .. } => "swept",
    }
}

fn keys(record: Record, event: &Event) -> Record {
    match event {
        Event::HostStarted { host, .. } => record.text("host", host.as_str()),
        Event::AttemptStarted { carried }
        | Event::Progressed { carried, .. }
        | Event::Logged { carried, .. }
        | Event::SoftTimeout { carried, .. }
        | Event::Fenced { carried }
        | Event::StreamStuck { carried } => record.about(carried),
        Event::Settled { carried, record: attempt, .. } => {
            let took = attempt.ended_at.since(attempt.started_at);
            record
                .about(carried)
                .text("outcome", attempt.outcome.as_str())
                .number("took_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
        }
        Event::Reclaimed { task, from } => record.text("task", task.as_str()).text("host", from.as_str()),
        Event::WorkerQuarantined { worker, .. } | Event::WorkerRecovered { worker } => {
            record.text("worker", worker.as_str())
        }
        Event::ProcessesRemain { of, .. } => record.text("host", of.as_str()),
        Event::NoWorker { task_type } => record.text("type", task_type.as_str()),
        Event::Swept { tasks, files } => record.number("tasks", *tasks).number("files", *files),
        Event::HostDraining { .. }
        | Event::HostStopped { .. }
        | Event::ConfigReloaded { .. }
        | Event::ConfigRefused { .. }
        | Event::StoreUnavailable { .. }
        | Event::HostStrained { .. }
        | Event::HostRelieved
        | Event::StoreBack => record,
    }
}
