//! Whether what waits is done by anybody, and if not, why no worker claims it.

use super::finding::{Check, Findings, Mend};
use super::subject::Subject;
use super::{MOST_COUNTED, Remembered};
use crate::hosting;
use crate::words::{lasting, some};
use std::time::Duration;
use wh_domain::id::TaskType;
use wh_domain::routing::{Route, TypePattern, candidates, route};
use wh_ports::claims::WorkerReport;
use wh_ports::reader::{Backlog, HostView};

/// Tasks may be in line for so long before anybody wonders.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many types are named, and so many a mend takes in.
const MOST_NAMED: usize = 3;

pub(super) fn look(subject: &Subject<'_>, memory: &Remembered, findings: &mut Findings) {
    let living: Vec<&HostView> = memory.hosts.iter().filter(|host| host.alive).collect();
    let mut nobodys = Vec::new();
    for waiting in memory.backlog.iter().filter(|waiting| waiting.due > 0) {
        match taken(subject, &living, &waiting.task_type) {
            Taken::By(host, report) => slow(subject, (host, report, &living), (memory, waiting), findings),
            Taken::Aside => {}
            Taken::Elsewhere => elsewhere(&living, waiting, findings),
            Taken::ByNobody => nobodys.push(waiting),
        }
    }
    nobodys_types(subject, &nobodys, findings);
    if findings.is_fine(Check::Backlog) {
        let sum = |of: fn(&Backlog) -> u64| memory.backlog.iter().map(of).sum();
        let (due, later) = (sum(|waiting| waiting.due), sum(|waiting| waiting.later));
        findings.ok(Check::Backlog, format!("{} due, {} to be tried later", count(due), count(later)));
    }
}

/// Who takes a type.
enum Taken<'a> {
    /// A worker of a living host.
    By(&'a HostView, &'a WorkerReport),
    /// One that is put aside; that is told already.
    Aside,
    /// One that is configured, and no living host has it.
    Elsewhere,
    ByNobody,
}

fn taken<'a>(subject: &Subject<'_>, living: &[&'a HostView], task_type: &TaskType) -> Taken<'a> {
    let configured = subject.configuration.config.workers.iter().map(|worker| worker.task_types.as_slice());
    let reports: Vec<(&HostView, &WorkerReport)> =
        living.iter().flat_map(|host| host.workers.iter().map(move |report| (*host, report))).collect();
    let patterns: Vec<Vec<TypePattern>> = reports.iter().map(|(_, report)| patterns(report)).collect();
    let takers = patterns.iter().zip(&reports);
    let takers = takers.map(|(patterns, (_, report))| (patterns.as_slice(), report.quarantine.is_none()));
    match route(task_type, takers) {
        Route::To(at) => reports.get(at).map_or(Taken::ByNobody, |(host, report)| Taken::By(host, report)),
        Route::Waiting => Taken::Aside,
        Route::Nobody if !candidates(task_type, configured).is_empty() => Taken::Elsewhere,
        Route::Nobody => Taken::ByNobody,
    }
}

/// Where no host is running at all, that is told once.
fn elsewhere(living: &[&HostView], waiting: &Backlog, findings: &mut Findings) {
    let Some(host) = living.first() else { return };
    let tasks = wait(waiting.due, &format!(" of type {}", waiting.task_type));
    let words = format!("{tasks}, and the worker that is configured for it is on no running host");
    let mend = format!(
        "start a host with this configuration, or see in the log of host {} ({}) why it did not take it",
        host.name, host.pid
    );
    findings.error(Check::Backlog, words, Mend::Do(mend));
}

/// Types that no worker takes, all together. Where there is one worker, it may be the one that should.
fn nobodys_types(subject: &Subject<'_>, nobodys: &[&Backlog], findings: &mut Findings) {
    if nobodys.is_empty() {
        return;
    }
    let due = nobodys.iter().map(|waiting| waiting.due).sum();
    let names: Vec<&str> = nobodys.iter().map(|waiting| waiting.task_type.as_str()).collect();
    let named = names.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    let of = match names.len() {
        1 => format!(" of type {named}"),
        2 | 3 => format!(" of types {named}"),
        more => format!(" of types {named} and {} more", more - MOST_NAMED),
    };
    let list = format!("{} list --type {}", subject.program, names.first().copied().unwrap_or_default());
    let it = if names.len() == 1 { "it" } else { "them" };
    let words =
        format!("{}, and no worker takes {it} (should it be misspelt: `{list}` names them)", wait(due, &of));
    let mend = match subject.configuration.config.workers.as_slice() {
        [worker] if names.len() <= MOST_NAMED => {
            let types = worker.task_types.iter().map(ToString::to_string);
            // A pattern has characters that mean something else in YAML.
            let types = types.chain(names.iter().map(ToString::to_string)).map(|name| format!("\"{name}\""));
            let types = types.collect::<Vec<_>>().join(", ");
            subject.set(Some(worker.name.as_str()), "task_types", format!("[{types}]"))
        }
        _ => Mend::Do(format!(
            "add them to `task_types` of the worker that is to do them in {}, or cancel them",
            subject.file()
        )),
    };
    findings.error(Check::Backlog, words, mend);
}

/// Why tasks wait long though a running worker takes them.
fn slow(
    subject: &Subject<'_>,
    (host, report, living): (&HostView, &WorkerReport, &[&HostView]),
    (memory, waiting): (&Remembered, &Backlog),
    findings: &mut Findings,
) {
    let waited = waiting.since.map_or(Duration::ZERO, |since| memory.now.since(since));
    if waited <= PATIENCE {
        return;
    }
    let config = &subject.configuration.config;
    let most = config.host.streams_on(hosting::cores());
    let (name, waited) = (&report.worker, lasting(waited));
    let tasks = wait(waiting.due, &format!(" of type {}", waiting.task_type));
    let all = living.iter().flat_map(|host| &host.workers).filter(|other| other.worker == *name);
    let (busy, streams) =
        all.fold((0, 0), |(busy, streams), other| (busy + other.busy, streams + other.streams));
    let at_work: u32 = host.workers.iter().map(|report| report.busy).sum();
    if busy >= streams {
        let words = format!("{tasks}, the first for {waited}: {}", every(streams, &format!("worker {name}")));
        let mend = subject.set(Some(name.as_str()), "streams", (report.streams * 2).to_string());
        findings.warning(Check::Backlog, words, mend);
    } else if at_work >= most {
        let words =
            format!("{tasks}, the first for {waited}: {}", every(most, &format!("host {}", host.name)));
        findings.warning(Check::Backlog, words, subject.set(None, "host.streams", (most * 2).to_string()));
    } else if findings.is_fine(Check::Machine) && findings.is_fine(Check::Host) {
        let words = format!("{tasks}, the first for {waited}, and worker {name} has free streams");
        let mend =
            format!("read the log of host {} ({}): it says when it claims nothing", host.name, host.pid);
        findings.warning(Check::Backlog, words, Mend::Do(mend));
    }
}

fn every(streams: u32, of: &str) -> String {
    if streams == 1 {
        format!("the only stream of {of} is at work")
    } else {
        format!("all {streams} streams of {of} are at work")
    }
}

/// What a host reports came from a configuration, so it is right.
fn patterns(report: &WorkerReport) -> Vec<TypePattern> {
    report.task_types.iter().filter_map(|text| TypePattern::parse(text).ok()).collect()
}

/// "2 tasks of type x wait".
pub(super) fn wait(tasks: u64, of: &str) -> String {
    let verb = if tasks == 1 { "waits" } else { "wait" };
    format!("{}{of} {verb}", count(tasks))
}

/// Nothing is counted further than to a bound.
fn count(tasks: u64) -> String {
    let least = if tasks >= u64::from(MOST_COUNTED) { "at least " } else { "" };
    format!("{least}{}", some(tasks, "task"))
}
