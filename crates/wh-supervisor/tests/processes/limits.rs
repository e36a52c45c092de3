//! What becomes of workers that use up what they may, where control groups can be had and where they cannot.

use crate::rig::{Done, Rig, options, sh, skip, worker};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_domain::attempt::Outcome;
use wh_domain::ending::Stop;
use wh_domain::failure::FailureClass;
use wh_domain::isolation::{Isolation, Level, Restriction};
use wh_domain::limits::{Breach, Limits, Resource};
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Protocol, Worker, Workspace};
use wh_supervisor::{ProcessRunner, RunnerOptions, SpawnerProgram};

const MIB: u64 = 1 << 20;

/// Takes so many MiB in each of so many processes, holds them until the host has seen it, and prints `done`.
const TAKER: &str = r"
import os, sys, time
count, mib, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
def take():
    taken = bytearray(os.urandom(1 << 20)) * mib
    time.sleep(seconds)
children = []
for _ in range(count - 1):
    child = os.fork()
    if child == 0:
        take()
        os._exit(0)
    children.append(child)
take()
bad = [child for child in children if os.waitpid(child, 0)[1] != 0]
print('done' if not bad else 'lost %d' % len(bad))
";

fn limited(plain: Worker, limits: Limits) -> Worker {
    Worker { limits, protocol: Protocol::Raw, ..plain }
}

fn taker(count: u32, mib: u32, seconds: &str, limits: Limits) -> Worker {
    let (count, mib) = (count.to_string(), mib.to_string());
    limited(worker(["python3", "-c", TAKER, &count, &mib, seconds]), limits)
}

fn memory(mib: u64) -> Limits {
    Limits { memory: Some(mib * MIB), ..Limits::NONE }
}

/// The same for each way in which limits can hold.
async fn in_both_ways<F: Future<Output = ()>>(proof: impl Fn(Rig) -> F) {
    let rig = Rig::new();
    if !has_groups(&rig).await {
        skip("no control groups can be made here");
        return proof(rig).await;
    }
    proof(rig).await;
    let rig = without_groups();
    assert!(!has_groups(&rig).await);
    proof(rig).await;
}

async fn has_groups(rig: &Rig) -> bool {
    let done = rig.run(&limited(worker(["true"]), memory(64)), "null").await;
    done.finished.isolation.unwrap().cgroup.is_some()
}

/// One whose processes see no control groups.
fn without_groups() -> Rig {
    begun_with("umount -R -l /sys/fs/cgroup")
}

/// One whose spawner does this before it begins.
fn begun_with(act: &str) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let plain = options(dir.path());
    let words = ["-m", "sh", "-c", &format!("{act}; exec \"$0\"")].map(OsString::from);
    let spawner = SpawnerProgram {
        path: "/usr/bin/unshare".into(),
        arguments: words.into_iter().chain([plain.spawner.path.clone().into()]).collect(),
    };
    Rig::of(ProcessRunner::new(RunnerOptions { spawner, ..plain }).unwrap(), dir)
}

fn breach(done: &Done) -> Breach {
    let resource = Outcome::Failed { class: FailureClass::Resource, retriable: true };
    assert_eq!(done.finished.verdict.outcome, resource, "{}", done.summary());
    done.finished.ending.breach.unwrap_or_else(|| panic!("{}", done.summary()))
}

#[tokio::test]
async fn a_worker_that_takes_more_memory_than_it_may_ends_for_that_and_the_next_one_runs() {
    in_both_ways(async |rig| {
        let done = rig.run(&taker(1, 200, "60", memory(128)), "null").await;
        let breach = breach(&done);
        assert_eq!((breach.resource, breach.limit), (Resource::Memory, 128 * MIB));
        assert!(breach.used >= 128 * MIB, "{breach:?}");
        let sentence = &done.finished.verdict.sentence;
        assert!(sentence.contains("128 MiB"), "{sentence}");
        let next = rig.run(&taker(1, 10, "0", memory(128)), "null").await;
        assert_eq!(next.result().as_deref(), Some("done\n"), "{}", next.summary());
    })
    .await;
}

#[tokio::test]
async fn the_memory_of_all_processes_counts_together_and_the_whole_tree_ends() {
    in_both_ways(async |rig| {
        let done = rig.run(&taker(4, 60, "60", memory(128)), "null").await;
        let breach = breach(&done);
        assert!(breach.used >= 128 * MIB, "{breach:?}");
        assert!(done.finished.usage.max_rss_kib >= 128 << 10, "{:?}", done.finished.usage);
        let more = rig.run(&taker(4, 60, "0.5", memory(512)), "null").await;
        assert_eq!(more.result().as_deref(), Some("done\n"), "{}", more.summary());
    })
    .await;
}

#[tokio::test]
async fn memory_that_grows_with_each_attempt_lets_a_retry_through() {
    let rig = Rig::new();
    let worker = taker(4, 60, "0.5", Limits { grow_memory: 4, ..memory(128) });
    breach(&rig.run(&worker, "null").await);
    let mut retry = rig.assignment(&worker, "null");
    retry.claim.history.counters.attempts = 1;
    let done = rig.carry(retry).await;
    assert_eq!(done.result().as_deref(), Some("done\n"), "{}", done.summary());
}

#[tokio::test]
async fn a_worker_hears_that_most_of_its_memory_is_used_before_all_of_it_is() {
    const LISTENER: &str = r"
import json, os
taken = bytearray(os.urandom(1 << 20)) * 110
said = json.loads(os.fdopen(3, 'r').readline())
print(said['control'], said['limit_mb'], 102 <= said['used_mb'] < 128)
";
    in_both_ways(async |rig| {
        let done = rig.run(&limited(worker(["python3", "-c", LISTENER]), memory(128)), "null").await;
        assert_eq!(done.result().as_deref(), Some("memory_high 128 True\n"), "{}", done.summary());
    })
    .await;
}

#[tokio::test]
async fn a_worker_with_too_many_processes_is_kept_from_more_or_ended() {
    in_both_ways(async |rig| {
        let limits = Limits { processes: Some(20), ..Limits::NONE };
        let script = "for i in $(seq 100); do sleep 60 & done; wait";
        let done = rig.run(&limited(sh(script), limits), "null").await;
        let summary = done.summary();
        assert_ne!(done.finished.verdict.outcome, Outcome::Succeeded, "{summary}");
        let is_ended = done.finished.ending.breach.is_some_and(|breach| {
            breach.resource == Resource::Processes && breach.limit == 20 && breach.used > 20
        });
        let is_kept =
            done.finished.warnings.iter().any(|words| words.contains("could not make more processes"));
        assert!(is_ended || is_kept, "{summary}");
    })
    .await;
}

#[tokio::test]
async fn each_process_may_open_so_many_files_and_write_files_so_large() {
    let rig = Rig::new();
    let limits = Limits { open_files: Some(20), file_size: Some(MIB), ..Limits::NONE };
    let done = rig.run(&limited(sh("ulimit -n; ulimit -Hn"), limits), "null").await;
    assert_eq!(done.result().as_deref(), Some("20\n20\n"));
    let enforced = done.finished.isolation.unwrap().enforced;
    assert_eq!(enforced, [Restriction::OpenFiles, Restriction::FileSize]);
    let path = rig.dir.path().join("large");
    let script = format!("dd if=/dev/zero of={} bs=1M count=2 status=none", path.display());
    let done = rig.run(&limited(sh(&script), limits), "null").await;
    assert_eq!(breach(&done), Breach { resource: Resource::FileSize, limit: MIB, used: MIB });
    assert_eq!(std::fs::metadata(path).unwrap().len(), MIB);
}

#[tokio::test]
async fn processor_time_is_kept_within_its_share_or_the_worker_does_not_run_where_it_must() {
    const BURNER: &str = r"
import time
while time.process_time() < 0.3: pass
print('done')
";
    let required = Isolation { level: Level::Strict, required: true, ..Isolation::default() };
    let burner = |isolation| Worker {
        isolation,
        ..limited(worker(["python3", "-c", BURNER]), Limits { cpu_percent: Some(25), ..Limits::NONE })
    };
    in_both_ways(async |rig| {
        let done = rig.run(&burner(required.clone()), "null").await;
        if has_groups(&rig).await {
            assert_eq!(done.result().as_deref(), Some("done\n"), "{}", done.summary());
            let took = done.finished.ended_at.since(done.finished.started_at);
            assert!(took.as_millis() > 800, "0.3 s at a quarter of one processor took {took:?}");
        } else {
            assert_eq!(done.finished.verdict.outcome, Outcome::WorkerBroken, "{}", done.summary());
            assert!(done.finished.verdict.sentence.contains("cpu: "), "{}", done.summary());
        }
    })
    .await;
}

#[tokio::test]
async fn a_guardian_that_leaves_takes_its_groups_with_it() {
    let rig = Rig::new();
    let done = rig.run(&limited(sh("grep memory: /proc/self/cgroup || true"), memory(64)), "null").await;
    let line = done.result().unwrap();
    let Some(path) = line.trim().splitn(3, ':').nth(2).filter(|_| line.contains("workerhost-")) else {
        return skip("no control groups of version 1 can be made here");
    };
    let group = Path::new("/sys/fs/cgroup/memory").join(path.trim_start_matches('/'));
    assert!(group.is_dir(), "{}", group.display());
    let Rig { runner, dir, .. } = rig;
    drop(runner);
    assert!(!group.exists(), "{}", group.display());
    drop(dir);
}

#[tokio::test]
async fn a_worker_whose_files_take_more_than_they_may_is_ended_while_it_runs() {
    let full = |limits, script: &str| Worker { workspace: Workspace::Full, ..limited(sh(script), limits) };
    let rows = [
        (Limits { inodes: Some(50), ..Limits::NONE }, Resource::Inodes),
        (Limits { workspace: Some(4 * MIB), ..Limits::NONE }, Resource::Workspace),
        (Limits { output: Some(4 * MIB), ..Limits::NONE }, Resource::Output),
    ];
    let script = "cd $WORKERHOST_OUTPUT_DIR; head -c 8000000 /dev/zero > large; \
                  for i in $(seq 100); do echo > $i; done; sleep 60";
    for (limits, resource) in rows {
        let rig = Rig::new();
        let done = rig.run(&full(limits, script), "null").await;
        assert_eq!(breach(&done).resource, resource, "{}", done.summary());
        assert_eq!(done.finished.ending.stop, Some(Stop::Limit));
    }
}

#[tokio::test]
async fn a_tree_that_is_held_to_little_processor_time_ends_at_its_limit_all_the_same() {
    const BURNERS: &str =
        "trap '' TERM; for i in $(seq 60); do (trap '' TERM; while :; do :; done) & done; wait";
    let rig = Rig::new();
    let burners = Worker {
        timeout: TimeoutPolicy::new(Duration::from_secs(2), None, Duration::from_millis(100)).unwrap(),
        ..limited(sh(BURNERS), Limits { cpu_percent: Some(5), ..Limits::NONE })
    };
    let done = rig.run(&burners, "null").await;
    assert_eq!(done.finished.ending.stop, Some(Stop::Timeout), "{}", done.summary());
    // A guardian that starved with its tree would be given up on.
    assert!(done.finished.stuck.is_none(), "{}", done.summary());
}

#[tokio::test]
async fn memory_that_a_task_leaves_behind_is_told_and_counts_against_nobody_else() {
    let rig = Rig::new();
    if !has_groups(&rig).await {
        return skip("no control groups can be made here");
    }
    let name = format!("/dev/shm/workerhost-test-{}", std::process::id());
    let leaver = limited(sh(&format!("head -c 90000000 /dev/zero > {name}")), memory(128));
    let left = rig.run(&leaver, "null").await;
    let warning =
        left.finished.warnings.iter().any(|words| words.contains("it left 86 MiB of memory behind"));
    assert!(warning, "{}", left.summary());
    let next = rig.run(&taker(1, 80, "0", memory(128)), "null").await;
    std::fs::remove_file(name).unwrap();
    assert_eq!(next.result().as_deref(), Some("done\n"), "{}", next.summary());
}

/// A group of version 1 that limits memory for everything in it.
struct Container(PathBuf);

impl Container {
    fn of(mib: u64) -> Option<Self> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let own =
            groups.lines().find_map(|line| line.split_once(":memory:"))?.1.trim_start_matches('/').to_owned();
        let path =
            Path::new("/sys/fs/cgroup/memory").join(own).join(format!("container-{}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        std::fs::write(path.join("memory.limit_in_bytes"), (mib * MIB).to_string()).ok()?;
        Some(Self(path))
    }
}

#[tokio::test]
async fn memory_that_runs_out_for_a_whole_container_is_not_told_as_the_workers_own_limit() {
    let Some(container) = Container::of(200) else {
        return skip("no control groups of version 1 can be made here");
    };
    let rig = begun_with(&format!("echo $$ > {}/cgroup.procs", container.0.display()));
    let done = rig.run(&taker(1, 300, "60", memory(2_048)), "null").await;
    assert_eq!(breach(&done).resource, Resource::MachineMemory, "{}", done.summary());
    let sentence = &done.finished.verdict.sentence;
    assert!(
        sentence.contains("on the machine or in the host's container") && !sentence.contains("MiB"),
        "{sentence}"
    );
    assert!(done.finished.usage.max_rss_kib < 300 << 10, "{:?}", done.finished.usage);
    drop(rig);
    std::fs::remove_dir(container.0).unwrap();
}
