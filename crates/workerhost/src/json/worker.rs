//! A worker as an object, once for each host that has it.

use serde::Serialize;
use wh_domain::worker::Worker;
use wh_ports::claims::WorkerReport;
use wh_ports::reader::HostView;

/// A worker on a host, or one that no living host has.
#[derive(Debug, Serialize)]
pub(crate) struct WorkerObject {
    schema: &'static str,
    worker: String,
    /// The host that told what follows; without one nothing is known but the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<HostObject>,
    /// Whether the configuration has it; absent without a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<bool>,
    streams: u32,
    busy: u32,
    /// `green`, `yellow` or `red`.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    /// Why it is put aside, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<String>,
    consecutive_failures: u32,
    succeeded: u64,
    failed: u64,
    recoveries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    task_types: Vec<String>,
    /// Tasks of all hosts that wait for a worker of this name; only where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<u64>,
}

#[derive(Debug, Serialize)]
struct HostObject {
    id: String,
    name: String,
    pid: u32,
    version: String,
}

impl WorkerObject {
    /// As a host reports it.
    pub(crate) fn reported(
        host: &HostView,
        report: &WorkerReport,
        configured: Option<bool>,
        pending: Option<u64>,
    ) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            schema: "workerhost.worker/v1",
            worker: report.worker.to_string(),
            host: Some(HostObject {
                id: host.host.to_string(),
                name: host.name.to_string(),
                pid: host.pid,
                version: host.version.to_string(),
            }),
            configured,
            streams: report.streams,
            busy: report.busy,
            health: Some(report.health),
            quarantine: report.quarantine.as_deref().map(text),
            consecutive_failures: report.consecutive_failures,
            succeeded: report.succeeded,
            failed: report.failed,
            recoveries: report.total_recoveries,
            last_error: report.last_error.as_deref().map(text),
            task_types: report.task_types.iter().map(|pattern| text(pattern)).collect(),
            pending,
        }
    }

    /// As it is configured, but on no living host.
    pub(crate) fn idle(worker: &Worker, pending: Option<u64>) -> Self {
        Self {
            schema: "workerhost.worker/v1",
            worker: worker.name.to_string(),
            host: None,
            configured: Some(true),
            streams: worker.streams,
            busy: 0,
            health: None,
            quarantine: None,
            consecutive_failures: 0,
            succeeded: 0,
            failed: 0,
            recoveries: 0,
            last_error: None,
            task_types: worker.task_types.iter().map(ToString::to_string).collect(),
            pending,
        }
    }
}
