//! What keeps an attempt from beginning, and who pays for it: a worker only for its own faults.
//!
//! What a process runs short of is taken from this test binary, run again as a process of its own.

use crate::rig::{Done, LONG, Rig, listener, sh, skip};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::Write;
use std::process::Command;
use tokio::sync::mpsc;
use wh_domain::attempt::{Outcome, OutcomeName};
use wh_domain::ending::Exit;
use wh_domain::failure::FailureClass;
use wh_domain::id::{Fence, Seq, StreamNo};
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

/// What a test runs on.
#[derive(Clone, Copy)]
enum Disk {
    Usual,
    /// It holds one mebibyte.
    Small,
    /// It holds a hundred files and directories.
    FewFiles,
}

impl Disk {
    fn size(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Small => Some("size=1m"),
            Self::FewFiles => Some("size=1m,nr_inodes=100"),
        }
    }
}

/// Runs an ignored test of this binary as a process of its own, its temporary directory on a disk of that kind. Says so
/// and proves nothing where the machine does not allow that.
fn alone(test: &str, disk: Disk) {
    let exe = std::env::current_exe().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = if let Some(size) = disk.size() {
        let may =
            Command::new("unshare").args(["-Urm", "true"]).status().is_ok_and(|status| status.success());
        if !may {
            return skip("this machine allows no mount namespaces");
        }
        let script = format!(r#"mount -t tmpfs -o {size} none "$TMPDIR" && exec "$0" "$@""#);
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", &script]).arg(exe);
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
    alone("hindrances::runs_out_of_descriptors", Disk::Usual);
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
    alone("hindrances::has_its_disk_filled_by_a_worker", Disk::Small);
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
        assert!(warnings.contains("its files could not be kept: there is no space left"), "{warnings}");
        let done = rig.run(&good, "{}").await;
        assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    }
}

#[test]
fn a_full_disk_interrupts_and_the_next_attempt_goes_well_when_there_is_room() {
    alone("hindrances::fills_its_disk", Disk::Small);
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

/// What the attempt with that fence wrote to its output.
fn kept_output(rig: &Rig, done: &Finished, name: &str) -> String {
    let kept = rig.dir.path().join(done.workspace.as_deref().expect("it is kept")).join("output").join(name);
    std::fs::read_to_string(&kept).unwrap_or_else(|error| panic!("{}: {error}", kept.display()))
}

#[test]
fn the_output_of_a_success_is_kept_though_its_disk_is_full() {
    alone("hindrances::succeeds_on_a_disk_that_it_has_filled", Disk::Small);
}

#[tokio::test]
#[ignore = "runs on a small disk of its own"]
async fn succeeds_on_a_disk_that_it_has_filled() {
    let rig = Rig::new();
    let filling = with_workspace(sh(r#"echo precious > "$WORKERHOST_OUTPUT_DIR/out.txt"
        cat /dev/zero > "$WORKERHOST_WORKING_DIR/big" 2>/dev/null; echo '{"success":true}'"#));
    let done = rig.run(&filling, "{}").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    assert_eq!(kept_output(&rig, &done.finished, "out.txt"), "precious\n");
    let warnings = format!("{:?}", done.finished.warnings);
    assert!(warnings.contains("its records could not all be written: there is no space left"), "{warnings}");
    std::fs::remove_dir_all(rig.dir.path().join("finished")).unwrap();
    let done = rig.run(&with_workspace(sh(GOOD)), "{}").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
}

#[test]
fn the_output_of_a_success_is_kept_though_there_is_room_for_no_directory() {
    alone("hindrances::succeeds_where_no_more_files_can_be", Disk::FewFiles);
}

#[tokio::test]
#[ignore = "runs on a small disk of its own"]
async fn succeeds_where_no_more_files_can_be() {
    let rig = Rig::new();
    let filling = with_workspace(sh(r#"echo precious > "$WORKERHOST_OUTPUT_DIR/out.txt"
        cd "$WORKERHOST_WORKING_DIR"; number=0; while (: > $number) 2>/dev/null; do number=$((number + 1)); done
        echo '{"success":true}'"#));
    let done = rig.run(&filling, "{}").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    assert_eq!(kept_output(&rig, &done.finished, "out.txt"), "precious\n");
    std::fs::remove_dir_all(rig.dir.path().join("finished/7-1")).unwrap();
    let done = rig.run(&with_workspace(sh(GOOD)), "{}").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
}

/// A worker that succeeds once nothing can be put away any more; also the file that is in the way.
fn in_vain(rig: &Rig) -> (Worker, std::path::PathBuf) {
    let finished = rig.dir.path().join("finished");
    let script = r#"echo precious > "$WORKERHOST_OUTPUT_DIR/out.txt"; rmdir FINISHED; : > FINISHED
        echo '{"success":true}'"#;
    let script = script.replace("FINISHED", finished.to_str().unwrap());
    (with_workspace(sh(&script)), finished)
}

#[tokio::test]
async fn a_success_whose_files_cannot_be_put_away_is_interrupted_and_loses_nothing() {
    let rig = Rig::new();
    let (worker, _) = in_vain(&rig);
    let finished = hurried(&rig, rig.assignment(&worker, "{}")).await;
    assert_eq!(finished.verdict.outcome, Outcome::Interrupted, "{}", finished.verdict.sentence);
    assert!(
        finished.verdict.sentence.contains("could not put its files away"),
        "{}",
        finished.verdict.sentence
    );
    assert!(finished.produced.is_none() && finished.workspace.is_none());
    let left = rig.dir.path().join("work/0/w/stream-1/output/out.txt");
    assert_eq!(std::fs::read_to_string(left).unwrap(), "precious\n");
}

#[tokio::test]
async fn what_cannot_be_put_away_is_waited_for_and_put_away_later() {
    let rig = Rig::new();
    let (worker, in_the_way) = in_vain(&rig);
    let heartbeat = rig.dir.path().join("work/0/w/stream-1/output/progress.md");
    let written = || {
        let is_complete =
            std::fs::read_to_string(&heartbeat).is_ok_and(|text| text.contains("Status: Complete"));
        let inode = || std::os::unix::fs::MetadataExt::ino(&heartbeat.metadata().unwrap());
        is_complete.then(inode)
    };
    // The last heartbeat is written anew with each try.
    let second_try = async {
        let mut first = None;
        while first.is_none() || written().is_none_or(|now| Some(now) == first) {
            first = first.or_else(written);
            tokio::task::yield_now().await;
        }
        std::fs::remove_file(&in_the_way).unwrap();
    };
    let second_try = tokio::time::timeout(LONG, second_try);
    let (done, tried) = tokio::join!(rig.run(&worker, "{}"), second_try);
    tried.expect("it is tried again");
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    assert_eq!(kept_output(&rig, &done.finished, "out.txt"), "precious\n");
}

#[tokio::test]
async fn a_name_that_is_taken_costs_neither_of_the_two_its_files() {
    let rig = Rig::new();
    let earlier = rig.dir.path().join("finished/7-1/output");
    std::fs::create_dir_all(&earlier).unwrap();
    std::fs::write(earlier.join("out.txt"), "earlier").unwrap();
    let worker = with_workspace(sh(r#"echo precious > "$WORKERHOST_OUTPUT_DIR/out.txt"
        echo to the log >&2; echo '{"success":true}'"#));
    let done = rig.run(&worker, "{}").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    assert_eq!(done.finished.workspace.as_deref(), Some("finished/7-1.2"));
    assert_eq!(kept_output(&rig, &done.finished, "out.txt"), "precious\n");
    assert_eq!(std::fs::read_to_string(earlier.join("out.txt")).unwrap(), "earlier");
    let mut log = wh_supervisor::AttemptLog::new(rig.dir.path(), Seq(7), Fence(1));
    let mut said = Vec::new();
    log.read(&mut said).unwrap();
    assert_eq!(said, b"to the log\n");
}

#[test]
fn what_the_system_refuses_to_hand_to_the_spawner_ends_no_attempt() {
    // Only a process without a certain capability is refused anything, so it is taken away along with the usual disk.
    alone("hindrances::has_too_many_descriptors_on_their_way", Disk::Small);
}

/// Sends descriptors to nobody until the kernel refuses to take more; they come back when this is dropped.
fn clog() -> (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream) {
    use rustix::fd::AsFd;
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let (to, from) = std::os::unix::net::UnixStream::pair().unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let many = [null.as_fd(); 64];
    loop {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        assert!(beside.push(SendAncillaryMessage::ScmRights(&many)));
        match sendmsg(&to, &[std::io::IoSlice::new(b".")], &mut beside, SendFlags::DONTWAIT) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, rustix::io::Errno::TOOMANYREFS);
                return (to, from);
            }
        }
    }
}

#[tokio::test]
#[ignore = "clogs the sockets of its user"]
async fn has_too_many_descriptors_on_their_way() {
    let rig = Rig::new();
    let limit = rustix::process::Rlimit { current: Some(256), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let (begun, go) = (rig.dir.path().join("begun"), rig.dir.path().join("go"));
    let script = r#": > BEGUN; until [ -e GO ]; do sleep 0.01; done; echo '{"success":true}'"#;
    let script = script.replace("BEGUN", begun.to_str().unwrap()).replace("GO", go.to_str().unwrap());
    let (running, other) = (sh(&script), sh(GOOD));
    let on_another_stream = || Assignment { stream: StreamNo(2), ..rig.assignment(&other, "{}") };
    let refused = async {
        while !begun.exists() {
            tokio::task::yield_now().await;
        }
        let clogged = clog();
        let finished = hurried(&rig, on_another_stream()).await;
        assert_hosts_fault(&finished, &["the process that is to watch it", "ETOOMANYREFS"]);
        drop(clogged);
        std::fs::write(&go, "").unwrap();
    };
    let (done, ()) = tokio::join!(rig.run(&running, "{}"), refused);
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    let done = rig.carry(on_another_stream()).await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
}
