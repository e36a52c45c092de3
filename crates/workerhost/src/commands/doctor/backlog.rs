//! Whether what waits is done by anybody, and if not, why no worker claims it.

use super::Subject;
use super::finding::{Check, Findings, Mend};
use crate::hosting;
use crate::words::{lasting, some};
use std::fs;
use std::time::Duration;
use wh_domain::routing::{Route, TypePattern, candidates, route};
use wh_domain::time::Timestamp;
use wh_domain::worker::Worker;
use wh_ports::claims::WorkerReport;
use wh_ports::reader::{Backlog, HostView};

/// Tasks may be in line for so long before anybody wonders.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a process of ours is called by the kernel.
const OWN_NAME: &str = "workerhost";

pub(super) fn look(
    subject: &Subject<'_>,
    hosts: &[HostView],
    (backlog, now): (&[Backlog], Timestamp),
    findings: &mut Findings,
) {
    let living: Vec<&HostView> = hosts.iter().filter(|host| host.alive).collect();
    let due: u64 = backlog.iter().map(|waiting| waiting.due).sum();
    for host in &living {
        look_at_host(subject, host, findings);
    }
    if living.is_empty() && due > 0 {
        let words = format!("{} and no host is running", wait(due, ""));
        findings.error(Check::Host, words, subject.run("run"));
    } else if living.is_empty() {
        findings.ok(Check::Host, "no host is running, and no task waits for one");
    } else if findings.is_fine(Check::Host) {
        findings.ok(Check::Host, format!("{} running", some(living.len() as u64, "host")));
    }
    for waiting in backlog.iter().filter(|waiting| waiting.due > 0) {
        look_at_line(subject, &living, (waiting, now), findings);
    }
    if findings.is_fine(Check::Backlog) {
        let later: u64 = backlog.iter().map(|waiting| waiting.later).sum();
        let words = format!("{} due, {} to be tried later", count(due), count(later));
        findings.ok(Check::Backlog, words);
    }
}

/// Whether it stands still, and which of its workers are put aside.
fn look_at_host(subject: &Subject<'_>, host: &HostView, findings: &mut Findings) {
    if is_stopped(host.pid) {
        let words =
            format!("host {} ({}) has been stopped by a signal and does nothing", host.name, host.pid);
        findings.error(Check::Host, words, Mend::Run(format!("kill -CONT {}", host.pid)));
    }
    for report in &host.workers {
        if let Some(why) = &report.quarantine {
            let words = format!("worker {} is put aside on host {}: {why}", report.worker, host.name);
            findings.error(Check::Host, words, subject.run(&format!("workers resume {}", report.worker)));
        }
    }
}

/// Whether a process of this machine, and of ours, is stopped.
fn is_stopped(pid: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let name = text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    name.is_some_and(|(name, rest)| name == OWN_NAME && rest.trim_start().starts_with('T'))
}

/// Why tasks of a type are not done, where that is so.
fn look_at_line(
    subject: &Subject<'_>,
    living: &[&HostView],
    (waiting, now): (&Backlog, Timestamp),
    findings: &mut Findings,
) {
    let configured = &subject.configuration.config.workers;
    let is_taken =
        !candidates(&waiting.task_type, configured.iter().map(|worker| worker.task_types.as_slice()))
            .is_empty();
    let reports: Vec<(&HostView, &WorkerReport)> =
        living.iter().flat_map(|host| host.workers.iter().map(move |report| (*host, report))).collect();
    let patterns: Vec<Vec<TypePattern>> = reports.iter().map(|(_, report)| patterns(report)).collect();
    let takers = patterns.iter().zip(&reports);
    let routed = route(
        &waiting.task_type,
        takers.map(|(patterns, (_, report))| (patterns.as_slice(), report.quarantine.is_none())),
    );
    let tasks = wait(waiting.due, &format!(" of type {}", waiting.task_type));
    match routed {
        Route::Waiting => {}
        Route::Nobody if is_taken => {
            // Of one that has just begun nothing is known yet.
            if let Some(host) = living.iter().find(|host| !host.workers.is_empty()) {
                let words = format!("{tasks}, and a worker that is configured for it is on no running host");
                findings.error(Check::Backlog, words, Mend::Run(format!("kill -HUP {}", host.pid)));
            }
        }
        Route::Nobody => {
            let words = format!("{tasks}, and no worker takes it");
            findings.error(Check::Backlog, words, taking(subject, configured, waiting));
        }
        Route::To(at) => {
            let waited = waiting.since.map_or(Duration::ZERO, |since| now.since(since));
            if let Some((host, report)) = reports.get(at).filter(|_| waited > PATIENCE) {
                let all = reports.iter().filter(|(_, other)| other.worker == report.worker);
                let streams = all
                    .fold((0, 0), |(busy, streams), (_, other)| (busy + other.busy, streams + other.streams));
                slow(subject, (host, report), (&tasks, waited, streams), findings);
            }
        }
    }
}

/// Why tasks wait long though a running worker takes them.
fn slow(
    subject: &Subject<'_>,
    (host, report): (&HostView, &WorkerReport),
    (tasks, waited, (busy, streams)): (&str, Duration, (u32, u32)),
    findings: &mut Findings,
) {
    let config = &subject.configuration.config;
    let most = config.host.streams_on(hosting::cores());
    let (name, waited) = (&report.worker, lasting(waited));
    let at_work: u32 = host.workers.iter().map(|report| report.busy).sum();
    if busy >= streams {
        let words = format!(
            "{tasks}, the first for {waited}: {} of worker {name} {} at work",
            all(streams),
            are(streams)
        );
        let mend = subject.set(Some(name.as_str()), "streams", (report.streams * 2).to_string());
        findings.warning(Check::Backlog, words, mend);
    } else if at_work >= most {
        let words = format!(
            "{tasks}, the first for {waited}: {} of host {} {} at work",
            all(most),
            host.name,
            are(most)
        );
        findings.warning(Check::Backlog, words, subject.set(None, "host.streams", (most * 2).to_string()));
    } else if findings.is_fine(Check::Machine) && findings.is_fine(Check::Host) {
        let words = format!("{tasks}, the first for {waited}, and worker {name} has free streams");
        findings.warning(
            Check::Backlog,
            words,
            Mend::Do("read the host's log: it says when it claims nothing".to_owned()),
        );
    }
}

/// The setting with which a type is taken, where it is plain which worker should.
fn taking(subject: &Subject<'_>, configured: &[Worker], waiting: &Backlog) -> Mend {
    let [worker] = configured else {
        return Mend::Do(format!(
            "add `{}` to the `task_types` of the worker that is to do it, or cancel the tasks",
            waiting.task_type
        ));
    };
    let types = worker.task_types.iter().map(ToString::to_string).chain([waiting.task_type.to_string()]);
    // A pattern has characters that mean something else in YAML.
    let types: Vec<String> = types.map(|pattern| format!("\"{pattern}\"")).collect();
    subject.set(Some(worker.name.as_str()), "task_types", format!("[{}]", types.join(", ")))
}

/// What a host reports came from a configuration, so it is right.
fn patterns(report: &WorkerReport) -> Vec<TypePattern> {
    report.task_types.iter().filter_map(|text| TypePattern::parse(text).ok()).collect()
}

fn all(streams: u32) -> String {
    if streams == 1 { "the only stream".to_owned() } else { format!("all {streams} streams") }
}

const fn are(streams: u32) -> &'static str {
    if streams == 1 { "is" } else { "are" }
}

fn wait(tasks: u64, of: &str) -> String {
    let verb = if tasks == 1 { "waits" } else { "wait" };
    format!("{}{of} {verb}", count(tasks))
}

/// Nothing is counted further than to a bound.
fn count(tasks: u64) -> String {
    let least = if tasks >= u64::from(super::MOST_COUNTED) { "at least " } else { "" };
    format!("{least}{}", some(tasks, "task"))
}
