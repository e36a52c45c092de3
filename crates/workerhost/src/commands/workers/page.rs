//! One worker as a page for people.

use super::survey::Seen;
use crate::moment::rfc3339;
use crate::words::some;
use std::fmt::Write;
use wh_domain::worker::Worker;
use wh_ports::claims::WorkerReport;
use wh_ports::reader::HostView;
use wh_telemetry::plain::plain;

/// The page.
pub(super) fn of(seen: &Seen<'_>, is_configured: Option<bool>) -> String {
    let mut page = String::new();
    let mut entry = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        writeln!(page, "{name:<15} {value}").ok();
    };
    match seen {
        Seen::On(at, report) => {
            entry("name", report.worker.as_str());
            entry("host", &format!("{}, version {}, since {}", host(at), at.version, rfc3339(at.joined_at)));
            entry("health", report.health);
            let standing = standing(report, is_configured);
            if !standing.is_empty() {
                entry("", &standing);
            }
            entry("streams", &format!("{} of {} at work", report.busy, report.streams));
            entry("types", &report.task_types.join(", "));
            entry("succeeded", &report.succeeded.to_string());
            entry("failed", &failed(report));
            if report.total_recoveries > 0 {
                let times = some(report.total_recoveries, "time");
                entry("came back", &format!("{times} after it had been put aside"));
            }
            if let Some(error) = &report.last_error {
                entry("last error", &plain(error));
            }
        }
        Seen::Idle(worker) => {
            entry("name", worker.name.as_str());
            entry("host", "none is running that has it");
            entry("streams", &worker.streams.to_string());
            entry("types", &types(worker));
        }
    }
    page.truncate(page.trim_end().len());
    page
}

/// How many attempts failed, and how many of them since the last success.
fn failed(report: &WorkerReport) -> String {
    match (report.failed, report.consecutive_failures) {
        (failed, 0) => failed.to_string(),
        (failed, last) if u64::from(last) == failed => format!("{failed}, without a success since"),
        (failed, last) => format!("{failed}, the last {last} without a success since"),
    }
}

/// A host, so that two on one machine can be told apart.
pub(super) fn host(host: &HostView) -> String {
    format!("{} ({})", host.name, host.pid)
}

/// What a configured worker takes.
pub(super) fn types(worker: &Worker) -> String {
    worker.task_types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What is worth knowing at a glance; mostly nothing.
pub(super) fn standing(report: &WorkerReport, is_configured: Option<bool>) -> String {
    match (&report.quarantine, is_configured) {
        (Some(why), _) => format!("put aside: {}", plain(why)),
        (None, Some(false)) => "not in this configuration".to_owned(),
        (None, Some(true) | None) => String::new(),
    }
}
