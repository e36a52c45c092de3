//! Whether the workers can be started here, and what would be kept from them.

use super::finding::{Check, Findings, Level, Mend};
use super::machine::has_groups_of_version_2;
use super::shell::quoted;
use super::subject::Subject;
use crate::words::some;
use std::mem::discriminant;
use wh_domain::isolation::{self, Enforcement, Gap, Network, Restriction};
use wh_domain::worker::Worker;
use wh_ports::reader::RecentAttempt;
use wh_supervisor::Fitness;

/// What gives a host control groups of version 2, and of version 1.
const DELEGATION: &str = "run the host as a service with `Delegate=yes` and `DelegateSubgroup=host`";
const OLDER_GROUPS: &str =
    "let this user make directories in the host's control groups, or use control groups of version 2";
const KERNEL: &str = "run a kernel from 6.12 on, with `landlock` in its list of security modules (`lsm=`)";

/// What is known of what holds for a worker, and from where.
struct Known {
    enforcement: Enforcement,
    /// Its host has said so; otherwise it was tried from here, where other control groups may be.
    is_of_host: bool,
}

pub(super) async fn look(
    subject: &Subject<'_>,
    (fitness, attempts): (&Fitness, &[RecentAttempt]),
    findings: &mut Findings,
) {
    let workers = &subject.configuration.config.workers;
    let startable: Vec<&Worker> =
        workers.iter().filter(|worker| can_start(subject, (fitness, worker), findings)).collect();
    if findings.is_fine(Check::Program) && !workers.is_empty() {
        findings.ok(
            Check::Program,
            format!("the programs of {} are there", some(workers.len() as u64, "worker")),
        );
    }
    let mut tried: Vec<(&Worker, Enforcement)> = Vec::new();
    let mut all = Vec::new();
    for worker in &startable {
        if let Some(enforcement) = of_host(worker, attempts) {
            all.push((*worker, Known { enforcement, is_of_host: true }));
            continue;
        }
        let enforcement = match tried.iter().find(|(other, _)| is_alike(worker, other)) {
            Some((_, enforcement)) => enforcement.clone(),
            None => match fitness.enforcement(worker).await {
                Ok(enforcement) => enforcement,
                Err(error) => {
                    let words = format!("nothing can be started as worker {} would be: {error}", worker.name);
                    let mend = "see what this user may start, and how much of everything is left";
                    findings.error(Check::Isolation, words, Mend::Do(mend.to_owned()));
                    continue;
                }
            },
        };
        tried.push((worker, enforcement.clone()));
        all.push((*worker, Known { enforcement, is_of_host: false }));
    }
    for (worker, known) in &all {
        gaps(worker, known, findings);
    }
    if findings.is_fine(Check::Isolation) && !all.is_empty() {
        let words = format!("what the workers are to be kept from holds ({})", levels(&startable));
        findings.ok(Check::Isolation, words);
    }
    limits(&all, findings);
}

fn can_start(subject: &Subject<'_>, (fitness, worker): (&Fitness, &Worker), findings: &mut Findings) -> bool {
    if let Some(script) = fitness.missing_script(worker) {
        let words = format!(
            "worker {} names {}, which is not there or cannot be read",
            worker.name,
            script.display()
        );
        let mend = format!("bring it, or correct worker {} in {}", worker.name, subject.file());
        findings.error(Check::Program, words, Mend::Do(mend));
        return false;
    }
    let Some(obstacle) = fitness.obstacle(worker) else { return true };
    let mend = match &obstacle.not_executable {
        Some(file) => Mend::Run(format!("chmod +x {}", quoted(&file.to_string_lossy()))),
        None => Mend::Do(format!(
            "bring what is missing, or correct worker {} in {}",
            worker.name,
            subject.file()
        )),
    };
    let words = format!("worker {} cannot be started: {}", worker.name, obstacle.why);
    findings.error(Check::Program, words, mend);
    false
}

/// What held for the last attempt that its host has told of, where the same is to hold now.
fn of_host(worker: &Worker, attempts: &[RecentAttempt]) -> Option<Enforcement> {
    let of_it = attempts.iter().filter(|attempt| attempt.record.worker == worker.name);
    let mut known = of_it.filter_map(|attempt| attempt.record.isolation.as_ref());
    let wants_cpu = worker.limits.cpu_percent.is_some();
    let is_of_now = |enforcement: &&Enforcement| {
        let is_known = |restriction| {
            enforcement.enforced.contains(&restriction)
                || enforcement.missing.iter().any(|gap| gap.restriction == restriction)
        };
        enforcement.level == worker.isolation.level && wants_cpu == is_known(Restriction::Cpu)
    };
    known.next().filter(is_of_now).cloned()
}

/// Whether the same is to hold for both, so that one of them answers for the other.
fn is_alike(one: &Worker, other: &Worker) -> bool {
    let network = |worker: &Worker| discriminant::<Network>(&worker.isolation.network);
    one.isolation.level == other.isolation.level && network(one) == network(other)
}

/// What does not hold for a worker that it is to hold for.
fn gaps(worker: &Worker, known: &Known, findings: &mut Findings) {
    for Gap { restriction, why } in &known.enforcement.missing {
        let is_of_cpu = *restriction == Restriction::Cpu;
        if is_of_cpu && worker.limits.cpu_percent.is_none() {
            continue;
        }
        let (name, what) = (&worker.name, restriction.as_str());
        let mend = if is_of_cpu { delegation() } else { KERNEL };
        let from = if known.is_of_host { "" } else { ", started from here" };
        if worker.isolation.required {
            let words = format!(
                "worker {name} requires all of its isolation, and `{what}` cannot be had{from}: {why}"
            );
            // In the host's own control groups it may be to be had all the same.
            let level = if is_of_cpu && !known.is_of_host { Level::Warning } else { Level::Error };
            findings.found((Check::Isolation, level), words, Mend::Do(mend.to_owned()));
        } else {
            let words = format!("`{what}` does not hold for worker {name}{from}: {why}");
            findings.warning(Check::Isolation, words, Mend::Do(mend.to_owned()));
        }
    }
}

/// What holds the limits of memory and processes.
fn limits(all: &[(&Worker, Known)], findings: &mut Findings) {
    let is_limited = |worker: &Worker| worker.limits.memory.is_some() || worker.limits.processes.is_some();
    let mut limited = all.iter().filter(|(worker, _)| is_limited(worker)).map(|(_, known)| known);
    let Some(known) = limited.next() else { return };
    if let Some(version) = known.enforcement.cgroup {
        return findings.ok(Check::Limits, format!("control groups of version {version} hold the limits"));
    }
    let why = known.enforcement.missing.iter().find(|gap| gap.restriction == Restriction::Cpu);
    let why = why.map_or(String::new(), |gap| format!(": {}", gap.why));
    let from = if known.is_of_host { "" } else { ", started from here" };
    let words = format!(
        "no control groups hold limits of memory and processes{from}; they are measured instead{why}"
    );
    findings.warning(Check::Limits, words, Mend::Do(delegation().to_owned()));
}

fn delegation() -> &'static str {
    if has_groups_of_version_2() { DELEGATION } else { OLDER_GROUPS }
}

fn levels(workers: &[&Worker]) -> String {
    let count = |level| workers.iter().filter(|worker| worker.isolation.level == level).count() as u64;
    let levels = [isolation::Level::Strict, isolation::Level::None];
    let told = levels.into_iter().filter(|level| count(*level) > 0);
    told.map(|level| format!("{} `{}`", count(level), level.as_str())).collect::<Vec<_>>().join(", ")
}
