//! Whoever is killed, no process of an attempt survives, and what lives goes on.

use crate::rig::{LONG, Rig, assignment, listener, options, sh, skip, worker};
use crate::witness::{Witness, escapist};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use wh_domain::attempt::OutcomeName;
use wh_domain::ending::{Exit, Stop};
use wh_domain::id::{AttemptId, Fence, HostId, TaskId};
use wh_ports::runner::{Order, Runner};
use wh_supervisor::ProcessRunner;

/// Longest time that a process of an attempt may live on after whoever watched it.
const SOON: Duration = Duration::from_secs(2);

/// The parent of a process.
fn parent(pid: Pid) -> Pid {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1;
    Pid::from_raw(fields.split_whitespace().nth(1).unwrap().parse().unwrap()).unwrap()
}

fn kill(pid: Pid) {
    kill_process(pid, Signal::KILL).unwrap();
}

async fn assert_stream_works(rig: &Rig) {
    let next = rig.run(&sh(r#"echo '{"success":true}'"#), "{}").await;
    assert_eq!(next.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", next.summary());
}

#[tokio::test]
async fn without_its_guardian_an_attempt_is_interrupted_and_the_spawner_ends_its_tree() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = escapist(&witness, "time.sleep(1000)");
    let hanging = worker(["python3", "-c", &script]);
    let murder = async { kill(witness.pid().await) };
    let (done, ()) = tokio::join!(rig.run(&hanging, "{}"), murder);
    witness.assert_deserted();
    assert_eq!(done.finished.ending.exit, Exit::Unseen);
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Interrupted, "{}", done.summary());
    assert_stream_works(&rig).await;
}

#[tokio::test]
async fn without_the_spawner_a_running_attempt_goes_on_and_the_next_one_gets_another_spawner() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let go = rig.dir.path().join("go");
    let script = format!(
        "exec 9>{}; printf \"$PPID \" >&9; until [ -e {} ]; do sleep 0.01; done; echo '{{\"success\":true}}'",
        witness.path.display(),
        go.display()
    );
    let murder = async {
        let guardian = witness.pid().await;
        kill(parent(guardian));
        std::fs::write(&go, "").unwrap();
    };
    let waiting = sh(&script);
    let (done, ()) = tokio::join!(rig.run(&waiting, "{}"), murder);
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert_stream_works(&rig).await;
    let mut elsewhere = rig.assignment(&sh(r#"echo '{"success":true}'"#), "{}");
    elsewhere.stream.0 = 2;
    let done = rig.carry(elsewhere).await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn a_spawner_that_does_not_answer_is_replaced_and_running_attempts_go_on() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let go = rig.dir.path().join("go");
    let script = format!(
        "exec 9>{}; printf \"$PPID \" >&9; until [ -e {} ]; do sleep 0.01; done; echo '{{\"success\":true}}'",
        witness.path.display(),
        go.display()
    );
    let elsewhere = async {
        let spawner = parent(witness.pid().await);
        kill_process(spawner, Signal::STOP).unwrap();
        let mut elsewhere = rig.assignment(&sh(r#"echo '{"success":true}'"#), "{}");
        elsewhere.stream.0 = 2;
        let done = rig.carry(elsewhere).await;
        std::fs::write(&go, "").unwrap();
        done
    };
    let waiting = sh(&script);
    let (first, second) = tokio::join!(rig.run(&waiting, "{}"), elsewhere);
    for done in [first, second] {
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    }
}

#[tokio::test]
async fn a_runner_that_is_given_up_leaves_no_dead_child() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = format!("printf \"$PPID \" >{}; echo '{{\"success\":true}}'", witness.path.display());
    rig.run(&sh(&script), "{}").await;
    let spawner = parent(witness.pid().await);
    let in_the_table = format!("/proc/{}", spawner.as_raw_pid());
    assert!(Path::new(&in_the_table).exists());
    drop(rig);
    assert!(!Path::new(&in_the_table).exists());
}

#[tokio::test]
async fn without_spawner_and_guardian_the_host_itself_ends_the_tree() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = escapist(&witness, "time.sleep(1000)");
    let hanging = worker(["python3", "-c", &script]);
    let murder = async {
        let guardian = witness.pid().await;
        kill(parent(guardian));
        kill(guardian);
    };
    let (done, ()) = tokio::join!(rig.run(&hanging, "{}"), murder);
    witness.assert_deserted();
    assert_eq!(done.finished.ending.exit, Exit::Unseen, "{}", done.summary());
    assert_stream_works(&rig).await;
}

/// In a container, whoever started the host from outside leads its session and cannot be seen.
#[test]
fn the_same_holds_where_the_session_of_the_host_cannot_be_seen() {
    let namespaces = ["-Urpf", "--mount-proc"];
    let may = Command::new("unshare").args(namespaces).arg("true").status();
    if !may.is_ok_and(|status| status.success()) {
        return skip("this machine allows no namespaces");
    }
    let done = Command::new("unshare")
        .args(namespaces)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "deaths::without_spawner_and_guardian_the_host_itself_ends_the_tree"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn a_guardian_that_dies_between_two_attempts_is_replaced() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = format!("printf \"$PPID \" >{}; echo '{{\"success\":true}}'", witness.path.display());
    rig.run(&sh(&script), "{}").await;
    let guardian = witness.pid().await;
    let held = pidfd_open(guardian, PidfdFlags::empty()).unwrap();
    kill(guardian);
    let most = Timespec::try_from(LONG).unwrap();
    let ended = poll(&mut [PollFd::new(&held, PollFlags::IN)], Some(&most));
    assert_eq!(ended, Ok(1), "SIGKILL ends it");
    assert_stream_works(&rig).await;
}

/// Started by other tests in a process of its own, which they kill. Otherwise it does nothing.
#[tokio::test]
async fn plays_the_host_in_a_process_of_its_own() {
    let Some(dir) = std::env::var_os("WH_TEST_HOST_DIR") else { return };
    let dir = Path::new(&dir);
    let script = std::fs::read_to_string(dir.join("script")).unwrap();
    let lock = std::fs::File::open(dir.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let mut options = options(dir);
    options.token = Some(Arc::new(lock.into()));
    let runner = ProcessRunner::new(options).unwrap();
    let (_orders, given) = mpsc::channel(1);
    let hanging = worker(["python3", "-c", &script]);
    let mut assignment = assignment(&hanging, "{}", 1);
    assignment.claim.id = TaskId::new(dir.to_str().unwrap()).unwrap();
    runner.run(assignment, given, listener().0).await;
}

/// A host in a process of its own that carries `script`; killed with the test.
struct Host {
    rig: Rig,
    witness: Witness,
    process: std::process::Child,
    guardian: Pid,
}

impl Host {
    async fn start() -> Self {
        Self::start_with(|witness| escapist(witness, "time.sleep(1000)")).await
    }

    async fn start_with(script: impl FnOnce(&Witness) -> String) -> Self {
        let rig = Rig::new();
        let mut witness = Witness::new(rig.dir.path());
        rig.file("script", &script(&witness));
        rig.file("lock", "");
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "deaths::plays_the_host_in_a_process_of_its_own"])
            .env("WH_TEST_HOST_DIR", rig.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let guardian = witness.pid().await;
        Self { rig, witness, process, guardian }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    fn slot(&self) -> std::fs::File {
        std::fs::File::open(self.rig.dir.path().join("lock")).unwrap()
    }

    /// Whether nobody holds the slot any more.
    fn slot_is_free(&self) -> bool {
        self.slot().try_lock().is_ok()
    }

    /// Ends what is left of its attempt, as another host does that has taken it over.
    async fn bury(&self) {
        let attempt = AttemptId { task: self.rig.task(), fence: Fence(1) };
        self.rig.runner.bury(HostId::new("host-1").unwrap(), vec![attempt]).await.unwrap();
    }

    /// Kills it with its spawner and its guardian, so that nobody ends what they watched.
    fn kill_with_its_watchers(&mut self) {
        let spawner = parent(self.guardian);
        kill_process(spawner, Signal::STOP).unwrap();
        kill_process(self.guardian, Signal::STOP).unwrap();
        kill(self.pid());
        kill(spawner);
        kill(self.guardian);
        self.process.wait().unwrap();
    }

    async fn deserted(&mut self) {
        self.process.wait().unwrap();
        let took = self.witness.deserted().await;
        assert!(took < SOON, "it took {took:?}");
    }

    async fn assert_slot_becomes_free(&self) {
        let (slot, (free, is_free)) = (self.slot(), tokio::sync::oneshot::channel());
        // A thread that nobody waits for: if the slot never becomes free, the test fails and does not hang.
        std::thread::spawn(move || free.send(slot.lock()));
        let locked = tokio::time::timeout(LONG, is_free).await.expect("somebody still holds the slot");
        locked.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_killed_hosts_workers_die_and_only_then_is_its_slot_free() {
    let mut host = Host::start().await;
    assert!(!host.slot_is_free());
    kill(host.pid());
    host.assert_slot_becomes_free().await;
    host.witness.assert_deserted();
    host.process.wait().unwrap();
}

#[tokio::test]
async fn workers_die_with_host_and_spawner_killed_at_once() {
    let mut host = Host::start().await;
    kill(parent(host.guardian));
    kill(host.pid());
    host.deserted().await;
    host.assert_slot_becomes_free().await;
}

#[tokio::test]
async fn workers_die_with_host_and_guardian_killed_at_once() {
    let mut host = Host::start().await;
    kill(host.pid());
    kill(host.guardian);
    host.deserted().await;
    host.assert_slot_becomes_free().await;
}

#[tokio::test]
async fn workers_die_with_a_killed_host_though_their_guardian_is_stopped() {
    let mut host = Host::start().await;
    kill_process(host.guardian, Signal::STOP).unwrap();
    kill(host.pid());
    host.deserted().await;
    host.assert_slot_becomes_free().await;
}

#[tokio::test]
async fn what_is_left_when_all_three_are_killed_is_found_and_buried() {
    let mut host = Host::start().await;
    host.kill_with_its_watchers();
    host.bury().await;
    host.witness.assert_deserted();
    assert!(host.slot_is_free());
}

/// A Python program that becomes a shell with a child, both with an empty environment.
fn nameless(witness: &Witness) -> String {
    let script = "exec 9>WITNESS; sleep 1000 & printf \"$PPID \" >&9; wait";
    let script = script.replace("WITNESS", witness.path.to_str().unwrap());
    format!("import os\nos.execve('/bin/sh', ['sh', '-c', '{script}'], {{}})")
}

#[tokio::test]
async fn a_worker_with_an_empty_environment_is_buried_under_a_host_that_is_stopped() {
    let mut host = Host::start_with(nameless).await;
    kill_process(host.pid(), Signal::STOP).unwrap();
    let guardian = pidfd_open(host.guardian, PidfdFlags::empty()).unwrap();
    host.bury().await;
    host.witness.assert_deserted();
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&guardian, PollFlags::IN)], Some(&at_once));
    assert_eq!(ended, Ok(1), "its guardian starts nothing more");
    kill(host.pid());
    host.deserted().await;
}

#[tokio::test]
async fn a_worker_with_an_empty_environment_is_buried_after_all_who_watched_it() {
    let mut host = Host::start_with(nameless).await;
    host.kill_with_its_watchers();
    host.bury().await;
    host.witness.assert_deserted();
    assert!(host.slot_is_free());
}

#[tokio::test]
async fn what_a_guardian_was_asked_to_start_and_has_not_started_is_buried_with_it() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = format!("printf \"$PPID \" >{}; echo '{{\"success\":true}}'", witness.path.display());
    rig.run(&sh(&script), "{}").await;
    kill_process(witness.pid().await, Signal::STOP).unwrap();
    let attempt = AttemptId { task: rig.task(), fence: Fence(2) };
    let is_written_down = || {
        let register = rig.dir.path().join("processes").read_dir().unwrap().next().unwrap().unwrap();
        String::from_utf8_lossy(&std::fs::read(register.path()).unwrap()).contains(&attempt.to_string())
    };
    let burial = async {
        while !is_written_down() {
            tokio::task::yield_now().await;
        }
        rig.runner.bury(HostId::new("host-1").unwrap(), vec![attempt.clone()]).await.unwrap();
    };
    let second = sh(&script);
    let burial = tokio::time::timeout(LONG, burial);
    let (done, buried) = tokio::join!(rig.run(&second, "{}"), burial);
    buried.expect("it is written down and buried");
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Interrupted, "{}", done.summary());
    witness.assert_deserted();
}

#[tokio::test]
async fn a_host_that_wakes_up_after_its_burial_begins_nothing_more() {
    let rig = Rig::new();
    assert_stream_works(&rig).await;
    // What it has claimed and was about to begin when it was stopped.
    let attempt = AttemptId { task: rig.task(), fence: Fence(2) };
    rig.runner.bury(HostId::new("host-1").unwrap(), vec![attempt]).await.unwrap();
    let begun = rig.dir.path().join("begun");
    let (orders, given) = mpsc::channel(1);
    orders.send(Order::Drain).await.unwrap();
    let beginning = sh(&format!(": > {}; echo '{{\"success\":true}}'", begun.display()));
    let done = rig.carry_with(rig.assignment(&beginning, "{}"), given).await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Interrupted, "{}", done.summary());
    assert!(done.finished.verdict.sentence.contains("others have taken over"), "{}", done.summary());
    assert!(!begun.exists());
}

#[tokio::test]
async fn what_sigkill_does_not_end_in_its_time_is_told_and_waited_for() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = escapist(&witness, "time.sleep(1000)");
    let hanging = worker(["python3", "-c", &script]);
    let (orders, given) = mpsc::channel(1);
    // A stopped guardian stands for a process that the kernel does not let go.
    let stop = async {
        let guardian = witness.pid().await;
        kill_process(guardian, Signal::STOP).unwrap();
        orders.send(Order::Kill).await.unwrap();
        tokio::time::pause();
        guardian
    };
    let carry = rig.runner.run(rig.assignment(&hanging, "{}"), given, listener().0);
    let (finished, guardian) = tokio::join!(carry, stop);
    tokio::time::resume();
    let stuck = finished.stuck.expect("something is alive");
    assert_eq!(finished.ending.exit, Exit::Unseen);
    assert_eq!(finished.ending.stop, Some(Stop::LeaseLost));
    kill_process(guardian, Signal::CONT).unwrap();
    tokio::time::timeout(LONG, stuck).await.expect("it ends when the tree does");
    witness.assert_deserted();
    assert_stream_works(&rig).await;
}

#[tokio::test]
async fn burying_touches_nobody_elses_attempts() {
    let another = TaskId::new("another-task").unwrap();
    // A task of the same id may be known to another store on this machine.
    for (host, task) in [("host-1", Some(another)), ("host-2", None)] {
        let rig = Rig::new();
        let task = task.unwrap_or_else(|| rig.task());
        let mut witness = Witness::new(rig.dir.path());
        let go = rig.dir.path().join("go");
        let running = sh(&format!(
            "echo \"$PPID \" >{}; until [ -e {} ]; do sleep 0.01; done; echo '{{\"success\":true}}'",
            witness.path.display(),
            go.display()
        ));
        let burial = async {
            witness.pid().await;
            let attempt = AttemptId { task, fence: Fence(1) };
            rig.runner.bury(HostId::new(host).unwrap(), vec![attempt]).await.unwrap();
            std::fs::write(&go, "").unwrap();
        };
        let (done, ()) = tokio::join!(rig.run(&running, "{}"), burial);
        let outcome = done.finished.verdict.outcome.name();
        assert_eq!(outcome, OutcomeName::Succeeded, "{host}: {}", done.summary());
    }
}
