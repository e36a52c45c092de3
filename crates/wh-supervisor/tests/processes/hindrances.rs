//! What keeps an attempt from beginning, and who pays for it: a worker only for its own faults.
//!
//! What a process runs short of is taken from this test binary, run again as a process of its own.

use crate::rig::{Done, LONG, Rig, listener, sh};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::Write;
use std::process::Command;
use tokio::sync::mpsc;
use wh_domain::attempt::{Outcome, OutcomeName};
use wh_domain::ending::Exit;
use wh_domain::failure::FailureClass;
use wh_domain::id::StreamNo;
use wh_domain::task::{InputFile, Payload};
use wh_domain::worker::{Protocol, Worker, Workspace};
use wh_ports::blobs::Stored;
use wh_ports::runner::{Assignment, Finished, Order, Runner};

const GOOD: &str = r#"cat >/dev/null; echo '{"success":true}'"#;

fn with_workspace(worker: Worker) -> Worker {
    Worker { workspace: Workspace::Full, ..worker }
}

#[track_caller]
fn assert_tasks_fault(done: &Done, why: &str) {
    let verdict = &done.finished.verdict;
    let expected = Outcome::Failed { class: FailureClass::Logic, retriable: false };
    assert_eq!(verdict.outcome, expected, "{}", done.summary());
    assert!(verdict.sentence.starts_with("The task cannot be given to its worker: "), "{}", verdict.sentence);
    assert!(verdict.sentence.contains(why), "{}", verdict.sentence);
    assert!(matches!(done.finished.ending.exit, Exit::NotStarted(_)), "{}", done.summary());
}

#[tokio::test]
async fn params_that_are_no_json_fail_the_task_and_not_its_worker() {
    let rig = Rig::new();
    let path = rig.file("blob", "[1, 2]");
    let bytes = || Stored::Inline(Payload::Bytes(Box::new([b'1'])));
    let blob = || Stored::Blob { path: path.clone(), sha256: "".into(), size: 6, json: false };
    for worker in [sh(GOOD), with_workspace(sh(GOOD))] {
        for params in [bytes(), blob()] {
            let mut assignment = rig.assignment(&worker, "");
            assignment.claim.params = params;
            let done = rig.carry(assignment).await;
            assert_tasks_fault(&done, "its params are bytes, which only `protocol: raw` takes");
        }
        for text in ["", "{", "nul", "1 2"] {
            assert_tasks_fault(&rig.run(&worker, text).await, "params are no JSON");
        }
        assert_eq!(rig.run(&worker, "[]").await.finished.verdict.outcome, Outcome::Succeeded);
    }
    let raw = Worker { protocol: Protocol::Raw, ..sh("cat") };
    for params in [bytes(), blob()] {
        let mut assignment = rig.assignment(&raw, "");
        assignment.claim.params = params;
        assert_eq!(rig.carry(assignment).await.finished.verdict.outcome, Outcome::Succeeded);
    }
}

#[tokio::test]
async fn inputs_that_cannot_be_laid_out_fail_the_task_and_not_its_worker() {
    let rig = Rig::new();
    let path = rig.file("blob", "content");
    let worker = with_workspace(sh(GOOD));
    let input = |name: &str, path: &str| {
        (InputFile { name: name.into(), sha256: "".into(), size: 7 }, rig.dir.path().join(path))
    };
    let rows = [
        (vec![input("../escape", "blob")], "cannot be the name of an input"),
        (vec![input("config.yaml", "blob")], "cannot be the name of an input"),
        (vec![input("twice", "blob"), input("twice", "blob")], "its input twice cannot be staged"),
        (vec![input("gone", "no-such-blob")], "its input gone cannot be staged"),
    ];
    for (inputs, why) in rows {
        let mut assignment = rig.assignment(&worker, "{}");
        assignment.claim.inputs = inputs;
        assert_tasks_fault(&rig.carry(assignment).await, why);
    }
    let mut gone = rig.assignment(&worker, "");
    let path_of_none = path.with_file_name("no-such-blob");
    gone.claim.params = Stored::Blob { path: path_of_none, sha256: "".into(), size: 7, json: true };
    assert_tasks_fault(&rig.carry(gone).await, "its params cannot be staged");
    let mut whole = rig.assignment(&worker, "{}");
    whole.claim.inputs = vec![input("one", "blob"), input("other", "blob")];
    let done = rig.carry(whole).await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "nothing was left: {}", done.summary());
}

/// Runs an ignored test of this binary behind `prefix`; on `small_disk` its temporary directory is one of few
/// kibibytes. Says so and proves nothing where the machine does not allow that.
fn alone(test: &str, small_disk: bool) {
    let exe = std::env::current_exe().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = if small_disk {
        let may =
            Command::new("unshare").args(["-Urm", "true"]).status().is_ok_and(|status| status.success());
        if !may {
            std::io::stderr().write_all(b"SKIP: this machine allows no mount namespaces\n").unwrap();
            return;
        }
        let script = r#"mount -t tmpfs -o size=1m none "$TMPDIR" && exec "$0" "$@""#;
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", script]).arg(exe);
        command
    } else {
        Command::new(exe)
    };
    let done = command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("TMPDIR", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let told = format!("{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("1 passed"), "{told}");
}

/// Carries an attempt that does not wait for room, because its host is going down.
async fn hurried(rig: &Rig, assignment: Assignment) -> Finished {
    let (orders, given) = mpsc::channel(1);
    orders.send(Order::Drain).await.unwrap();
    let run = rig.runner.run(assignment, given, listener().0);
    tokio::time::timeout(LONG, run).await.expect("an order ends the waiting")
}

#[track_caller]
fn assert_hosts_fault(finished: &Finished, parts: &[&str]) {
    let verdict = &finished.verdict;
    assert_eq!(verdict.outcome, Outcome::Interrupted, "{}", verdict.sentence);
    assert!(verdict.sentence.starts_with("The host could not begin the attempt: "), "{}", verdict.sentence);
    for part in parts {
        assert!(verdict.sentence.contains(part), "{part}: {}", verdict.sentence);
    }
}

#[test]
fn a_host_without_descriptors_waits_for_them_and_blames_neither_worker_nor_task() {
    alone("hindrances::runs_out_of_descriptors", false);
}

#[tokio::test]
#[ignore = "takes every descriptor of its process"]
async fn runs_out_of_descriptors() {
    let rig = Rig::new();
    let good = sh(GOOD);
    assert_eq!(rig.run(&good, "{}").await.finished.verdict.outcome, Outcome::Succeeded);
    let limit = rustix::process::Rlimit { current: Some(256), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let hoard = || std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect::<Vec<_>>();
    let hoarded = hoard();
    let on_stream = |number: u32| Assignment { stream: StreamNo(number), ..rig.assignment(&good, "{}") };
    // The first stream has a guardian that waits, the second one none.
    let finished = hurried(&rig, on_stream(1)).await;
    assert_hosts_fault(&finished, &["its pipes could not be made", "EMFILE"]);
    let finished = hurried(&rig, on_stream(2)).await;
    assert_hosts_fault(&finished, &["the process that is to watch it", "EMFILE"]);
    let tree = Worker { workspace: Workspace::Full, ..good.clone() };
    let finished = hurried(&rig, rig.assignment(&tree, "{}")).await;
    assert_hosts_fault(&finished, &["its workspace could not be made", "EMFILE"]);
    drop(hoarded);
    for number in [1, 2] {
        let hoarded = hoard();
        let (orders, given) = mpsc::channel(1);
        let mut run = rig.runner.run(on_stream(number), given, listener().0);
        // One look is enough to find no room and to begin to wait.
        tokio::select! {
            biased;
            finished = &mut run => panic!("{}", finished.verdict.sentence),
            () = std::future::ready(()) => {}
        }
        drop(hoarded);
        assert_eq!(run.await.verdict.outcome, Outcome::Succeeded, "there is room again");
        drop(orders);
    }
}

#[test]
fn a_worker_that_fills_the_disk_costs_its_own_files_and_the_next_attempt_nothing() {
    alone("hindrances::has_its_disk_filled_by_a_worker", true);
}

#[tokio::test]
#[ignore = "runs on a small disk of its own"]
async fn has_its_disk_filled_by_a_worker() {
    let rig = Rig::new();
    let greedy = with_workspace(sh(r#"cat /dev/zero > "$WORKERHOST_WORKING_DIR/big" 2>/dev/null
        echo '{"success":false,"error":{"class":"resource"}}'; exit 1"#));
    let good = with_workspace(sh(GOOD));
    for _ in 0..2 {
        let done = rig.run(&greedy, "{}").await;
        let expected = Outcome::Failed { class: FailureClass::Resource, retriable: true };
        assert_eq!(done.finished.verdict.outcome, expected, "{}", done.summary());
        let warnings = format!("{:?}", done.finished.warnings);
        assert!(warnings.contains("could not all be kept"), "{warnings}");
        let done = rig.run(&good, "{}").await;
        assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    }
}

#[test]
fn a_full_disk_interrupts_and_the_next_attempt_goes_well_when_there_is_room() {
    alone("hindrances::fills_its_disk", true);
}

#[tokio::test]
#[ignore = "runs on a small disk of its own"]
async fn fills_its_disk() {
    let rig = Rig::new();
    let tree = with_workspace(sh(GOOD));
    let ballast = rig.dir.path().join("ballast");
    let fill = |spare: usize| {
        let mut file = std::fs::File::create(&ballast).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(spare as u64)).unwrap();
    };
    fill(0);
    let finished = hurried(&rig, rig.assignment(&tree, "{}")).await;
    assert_hosts_fault(&finished, &["its workspace could not be made", "ENOSPC"]);
    // Room for the tree, but not for what the task brings.
    fill(128 << 10);
    let mut large = Worker { ..tree.clone() };
    large.bounds.params = 10;
    let params = format!("\"{}\"", "x".repeat(512 << 10));
    let finished = hurried(&rig, rig.assignment(&large, &params)).await;
    assert_hosts_fault(&finished, &["its params cannot be staged", "ENOSPC"]);
    std::fs::remove_file(&ballast).unwrap();
    for (worker, params) in [(&tree, "{}"), (&large, params.as_str())] {
        let done = rig.run(worker, params).await;
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    }
}
