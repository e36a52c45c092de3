//! What is known of every worker: what the configuration says, and what the living hosts tell.

use std::collections::BTreeMap;
use wh_domain::id::{TaskType, WorkerName};
use wh_domain::routing::{Route, TypePattern, route};
use wh_domain::task::StateName;
use wh_domain::worker::Worker;
use wh_ports::claims::WorkerReport;
use wh_ports::reader::{Count, HostView};

/// A worker on a host, or one that no living host has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    /// A host tells of it.
    On(&'a HostView, &'a WorkerReport),
    /// Only the configuration has it.
    Idle(&'a Worker),
}

impl Seen<'_> {
    pub(super) fn name(&self) -> &WorkerName {
        match self {
            Self::On(_, report) => &report.worker,
            Self::Idle(worker) => &worker.name,
        }
    }
}

/// Every worker, by name and host. Hosts that are gone have nothing to say.
pub(super) fn seen<'a>(hosts: &'a [HostView], configured: &'a [Worker]) -> Vec<Seen<'a>> {
    let living = hosts.iter().filter(|host| host.alive);
    let mut seen: Vec<Seen<'a>> =
        living.flat_map(|host| host.workers.iter().map(move |report| Seen::On(host, report))).collect();
    let idle = configured.iter().filter(|worker| !seen.iter().any(|seen| *seen.name() == worker.name));
    seen.extend(idle.map(Seen::Idle).collect::<Vec<_>>());
    let key = |seen: &Seen<'_>| match seen {
        Seen::On(host, report) => (report.worker.clone(), host.name.clone(), host.pid),
        Seen::Idle(worker) => (worker.name.clone(), "".into(), 0),
    };
    seen.sort_by_key(key);
    seen
}

/// How many pending tasks wait for each worker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Depths {
    pub(super) waiting: BTreeMap<WorkerName, u64>,
    /// Types that no worker takes.
    pub(super) nobody: Vec<(TaskType, u64)>,
}

/// Whom the pending tasks wait for.
pub(super) fn depths(counts: Vec<Count>, seen: &[Seen<'_>]) -> Depths {
    let workers: Vec<(&WorkerName, Vec<TypePattern>)> =
        seen.iter().map(|seen| (seen.name(), patterns(seen))).collect();
    let mut depths = Depths::default();
    for Count { task_type, tasks, .. } in counts.into_iter().filter(|count| count.state == StateName::Pending)
    {
        let takers = workers.iter().map(|(_, patterns)| (patterns.as_slice(), true));
        match route(&task_type, takers) {
            Route::To(at) => {
                if let Some((name, _)) = workers.get(at) {
                    *depths.waiting.entry((*name).clone()).or_default() += tasks;
                }
            }
            Route::Waiting | Route::Nobody => depths.nobody.push((task_type, tasks)),
        }
    }
    depths
}

fn patterns(seen: &Seen<'_>) -> Vec<TypePattern> {
    match seen {
        // What a host reports came from a configuration, so it is right.
        Seen::On(_, report) => {
            report.task_types.iter().filter_map(|text| TypePattern::parse(text).ok()).collect()
        }
        Seen::Idle(worker) => worker.task_types.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wh_domain::id::HostId;
    use wh_domain::time::Timestamp;

    fn name(text: &str) -> WorkerName {
        WorkerName::new(text).unwrap()
    }

    fn host(label: &str, alive: bool, workers: &[(&str, &str)]) -> HostView {
        let report = |(worker, pattern): &(&str, &str)| WorkerReport {
            worker: name(worker),
            streams: 1,
            busy: 0,
            health: "green",
            consecutive_failures: 0,
            succeeded: 0,
            failed: 0,
            total_recoveries: 0,
            last_error: None,
            quarantine: None,
            task_types: vec![(*pattern).into()],
        };
        HostView {
            host: HostId::new(label).unwrap(),
            name: label.into(),
            pid: 1,
            version: "1".into(),
            joined_at: Timestamp::from_millis(0),
            alive,
            workers: workers.iter().map(report).collect(),
        }
    }

    fn configured(yaml: &str) -> Vec<Worker> {
        let loaded = wh_config::parse("t.yaml", yaml, std::path::Path::new("/"), &|_| None);
        loaded.unwrap().config.workers
    }

    #[test]
    fn a_worker_is_listed_once_for_each_living_host_and_without_one_as_configured() {
        let hosts = [
            host("b", true, &[("video", "video.*")]),
            host("a", true, &[("video", "video.*"), ("old", "old")]),
            host("dead", false, &[("gone", "gone")]),
        ];
        let workers = configured(
            "workers:\n  - {name: video, command: [x], task_types: [video.*]}\n  - {name: new, command: [x], \
             task_types: [new]}\n",
        );
        let seen = seen(&hosts, &workers);
        let told: Vec<(String, &str)> = seen
            .iter()
            .map(|seen| {
                (seen.name().to_string(), if let Seen::On(host, _) = seen { &*host.name } else { "-" })
            })
            .collect();
        let rows = [("new", "-"), ("old", "a"), ("video", "a"), ("video", "b")];
        assert_eq!(told, rows.map(|(worker, host)| (worker.to_owned(), host)));
    }

    #[test]
    fn pending_tasks_wait_for_the_most_specific_worker_once_however_many_hosts_have_it() {
        let hosts = [
            host("a", true, &[("all", "*"), ("video", "video.*")]),
            host("b", true, &[("video", "video.*")]),
        ];
        let count = |task_type: &str, state, tasks| Count {
            task_type: TaskType::new(task_type).unwrap(),
            state,
            tasks,
        };
        let counts = vec![
            count("video.short", StateName::Pending, 5),
            count("video.long", StateName::Pending, 2),
            count("video.long", StateName::Completed, 100),
            count("mail", StateName::Pending, 1),
        ];
        let depths = depths(counts.clone(), &seen(&hosts, &[]));
        assert_eq!(depths.waiting, BTreeMap::from([(name("all"), 1), (name("video"), 7)]));
        assert!(depths.nobody.is_empty());
        let hosts = [host("a", true, &[("video", "video.*")])];
        let nobody = super::depths(counts, &seen(&hosts, &[])).nobody;
        assert_eq!(nobody, [(TaskType::new("mail").unwrap(), 1)]);
    }
}
