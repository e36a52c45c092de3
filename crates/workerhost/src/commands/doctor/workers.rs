//! Whether the workers can be started here, and what would be kept from them.

use super::finding::{Check, Findings, Mend};
use super::{Subject, directory, service};
use crate::words::some;
use std::collections::BTreeSet;
use std::mem::discriminant;
use wh_domain::isolation::{self, Enforcement, Gap, Network, Restriction};
use wh_domain::worker::Worker;
use wh_supervisor::Fitness;

/// Where control groups are of version 2, and where they are of version 1.
const DELEGATION: [&str; 2] = [
    "run the host as a service with `Delegate=yes` and `DelegateSubgroup=host`",
    "let this user make directories in the host's control groups, or use control groups of version 2",
];
const KERNEL: &str = "run a kernel from 6.12 on, with `landlock` in its list of security modules (`lsm=`)";

pub(super) async fn look(subject: &Subject<'_>, fitness: &Fitness, findings: &mut Findings) {
    let workers = &subject.configuration.config.workers;
    let mut startable = Vec::new();
    for worker in workers {
        match fitness.obstacle(worker) {
            None => startable.push(worker),
            Some(obstacle) => {
                let mend = match &obstacle.not_executable {
                    Some(file) => Mend::Run(format!("chmod +x {}", directory::quoted(file))),
                    None => Mend::Do(format!(
                        "bring what is missing, or correct worker {} in {}",
                        worker.name,
                        subject
                            .configuration
                            .file
                            .as_deref()
                            .map_or("the configuration".into(), |file| file.to_string_lossy())
                    )),
                };
                let words = format!("worker {} cannot be started: {}", worker.name, obstacle.why);
                findings.error(Check::Program, words, mend);
            }
        }
    }
    if findings.is_fine(Check::Program) && !workers.is_empty() {
        findings.ok(
            Check::Program,
            format!("the programs of {} are there", some(workers.len() as u64, "worker")),
        );
    }
    isolation(subject, (fitness, &startable), findings).await;
}

/// Workers of which the same is to hold, so that one of them answers for all.
struct Alike<'a> {
    workers: Vec<&'a Worker>,
}

async fn isolation(
    subject: &Subject<'_>,
    (fitness, workers): (&Fitness, &[&Worker]),
    findings: &mut Findings,
) {
    let mut groups: Vec<Alike<'_>> = Vec::new();
    for worker in workers {
        let network = |worker: &Worker| discriminant::<Network>(&worker.isolation.network);
        let is_like = |other: &Worker| {
            other.isolation.level == worker.isolation.level && network(other) == network(worker)
        };
        match groups.iter_mut().find(|group| group.workers.first().is_some_and(|first| is_like(first))) {
            Some(group) => group.workers.push(worker),
            None => groups.push(Alike { workers: vec![worker] }),
        }
    }
    let (mut versions, mut without_groups) = (BTreeSet::new(), BTreeSet::new());
    for group in &groups {
        let Some(first) = group.workers.first() else { continue };
        let enforcement = match fitness.enforcement(first).await {
            Ok(enforcement) => enforcement,
            Err(error) => {
                let words = format!("nothing can be started as worker {} would be: {error}", first.name);
                let mend =
                    Mend::Do("see what this user may start and how much of everything is left".to_owned());
                findings.error(Check::Isolation, words, mend);
                continue;
            }
        };
        versions.extend(enforcement.cgroup);
        gaps(subject, (group, &enforcement), findings);
        let cpu = enforcement.missing.iter().find(|gap| gap.restriction == Restriction::Cpu);
        without_groups.extend(cpu.map(|gap| gap.why.clone()));
    }
    if findings.is_fine(Check::Isolation) && !workers.is_empty() {
        findings.ok(
            Check::Isolation,
            format!("what the workers are to be kept from holds here ({})", levels(workers)),
        );
    }
    match without_groups.first() {
        Some(why) => findings.warning(
            Check::Limits,
            format!(
                "no control groups hold limits of memory and processes; they are measured instead: {why}"
            ),
            Mend::Do(delegation().to_owned()),
        ),
        None => {
            for version in versions {
                findings.ok(Check::Limits, format!("control groups of version {version} hold the limits"));
            }
        }
    }
}

/// What does not hold, for each worker that it was to hold for.
fn gaps(subject: &Subject<'_>, (group, enforcement): (&Alike<'_>, &Enforcement), findings: &mut Findings) {
    for Gap { restriction, why } in &enforcement.missing {
        let (is_of_cpu, what) = (*restriction == Restriction::Cpu, restriction.as_str());
        let concerned = |worker: &&&Worker| !is_of_cpu || worker.limits.cpu_percent.is_some();
        for worker in group.workers.iter().filter(concerned) {
            let name = worker.name.as_str();
            if worker.isolation.required {
                let words =
                    format!("worker {name} requires all of its isolation, and `{what}` cannot be had: {why}");
                let (key, value) = if is_of_cpu {
                    ("limits.cpu_percent", "unlimited")
                } else {
                    ("isolation.required", "false")
                };
                findings.error(Check::Isolation, words, subject.set(Some(name), key, value.to_owned()));
            } else {
                let mend = if is_of_cpu { delegation() } else { KERNEL };
                let words = format!("`{what}` does not hold for worker {name}: {why}");
                findings.warning(Check::Isolation, words, Mend::Do(mend.to_owned()));
            }
        }
    }
}

fn delegation() -> &'static str {
    DELEGATION[usize::from(!service::has_groups_of_version_2())]
}

fn levels(workers: &[&Worker]) -> String {
    let count = |level| workers.iter().filter(|worker| worker.isolation.level == level).count() as u64;
    let levels = [isolation::Level::Strict, isolation::Level::None];
    let told = levels.into_iter().filter(|level| count(*level) > 0);
    told.map(|level| format!("{} `{}`", count(level), level.as_str())).collect::<Vec<_>>().join(", ")
}
