//! A worker on trial is seen in all it does, and does not get away.

use crate::rig::{options, sh, worker};
use crate::witness::{Witness, escapist};
use std::time::{Duration, Instant};
use wh_domain::worker::{Worker, Workspace};
use wh_protocol::verify::{Act, Ended, Observation};
use wh_supervisor::{Trial, Trials};

/// Longer than anything takes that ends by itself.
const LONG: Duration = Duration::from_secs(20);

fn trial(stdin: &[u8]) -> Trial {
    Trial { task_type: "t".to_owned(), stdin: Some(stdin.to_vec()), act: Act::Wait, limit: LONG }
}

async fn tried(worker: Worker, trial: Trial) -> Observation {
    let dir = tempfile::tempdir().unwrap();
    Trials::new(options(dir.path()), worker).unwrap().run(trial).await.unwrap()
}

#[tokio::test]
async fn everything_that_a_worker_writes_is_seen_as_bytes_and_its_input_is_what_was_sent() {
    let script = r#"cat; printf '\377' ; echo oh >&2; echo "{\"event\":\"heartbeat\"}" >&3; exit 7"#;
    let seen = tried(sh(script), trial(b"{half \xfe")).await;
    assert_eq!(seen.stdout, b"{half \xfe\xff");
    assert_eq!((seen.stderr.as_slice(), seen.ended), (&b"oh\n"[..], Ended::Code(7)));
    assert_eq!(seen.channel, b"{\"event\":\"heartbeat\"}\n");
    assert_eq!((seen.stdin_unread, seen.leaked.len()), (0, 0));
}

#[tokio::test]
async fn a_worker_on_trial_has_the_surroundings_of_an_attempt() {
    let mut worker = sh("cat >/dev/null; env; pwd; ls $WORKERHOST_WORKSPACE");
    worker.workspace = Workspace::Full;
    let dir = tempfile::tempdir().unwrap();
    let trials = Trials::new(options(dir.path()), worker).unwrap();
    let workspace = trials.workspace().unwrap().unwrap();
    let seen = trials.run(trial(b"")).await.unwrap();
    let text = String::from_utf8(seen.stdout).unwrap();
    for line in [
        &format!("WORKERHOST_WORKSPACE={workspace}"),
        &format!("TMPDIR={workspace}/working"),
        "WORKERHOST_TASK_ID=verify-1",
        "WORKERHOST_TASK_TYPE=t",
        "WORKERHOST_CHANNEL_FD=3",
        "LANG=C.UTF-8",
        "input",
        "output",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(!text.contains("HOST_SECRET"), "{text}");
}

#[tokio::test]
async fn unread_input_is_counted_however_long() {
    let seen = tried(sh("head -c 5 >/dev/null"), trial(&vec![b'x'; 3 << 20])).await;
    assert_eq!(seen.ended, Ended::Code(0));
    // `head` may have read ahead.
    assert!(seen.stdin_unread > 2 << 20, "{}", seen.stdin_unread);
    assert_eq!(tried(sh("exit 0"), trial(b"12345")).await.stdin_unread, 5);
}

#[tokio::test]
async fn a_signal_ends_a_worker_that_waits_for_its_input_and_the_time_runs_from_there() {
    let after = Duration::from_millis(300);
    let waiting = Trial { stdin: None, act: Act::Terminate { after }, ..trial(b"") };
    let seen = tried(sh("cat"), waiting.clone()).await;
    assert_eq!(seen.ended, Ended::Signal(15));
    let seen = tried(sh("trap 'exit 143' TERM; while :; do sleep 0.05; done"), waiting.clone()).await;
    assert_eq!(seen.ended, Ended::Code(143));
    let limit = Duration::from_millis(300);
    let begun = Instant::now();
    let deaf = tried(sh("trap '' TERM; while :; do sleep 0.05; done"), Trial { limit, ..waiting }).await;
    assert_eq!(deaf.ended, Ended::Never);
    assert!(deaf.elapsed >= limit && begun.elapsed() >= after + deaf.elapsed, "{:?}", deaf.elapsed);
}

#[tokio::test]
async fn a_worker_that_does_not_end_is_killed_with_all_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let mut witness = Witness::new(dir.path());
    let hanging = worker(["python3", "-c", &escapist(&witness, "time.sleep(1000)")]);
    let seen = tried(hanging, Trial { limit: Duration::from_secs(1), ..trial(b"") }).await;
    witness.assert_deserted();
    assert_eq!(seen.ended, Ended::Never);
    assert!(seen.leaked.is_empty(), "what was killed has not leaked");
}

#[tokio::test]
async fn what_outlives_a_worker_on_trial_is_named() {
    let seen = tried(sh("sleep 100 & exit 0"), trial(b"")).await;
    assert_eq!((seen.leaked, seen.ended), (vec!["sleep 100".to_owned()], Ended::Code(0)));
}

#[tokio::test]
async fn a_control_line_stands_on_the_channel_before_the_input_is_there() {
    let told = Trial { stdin: Some(b"".to_vec()), act: Act::SoftTimeout, ..trial(b"") };
    let seen = tried(sh("head -n 1 <&3"), told).await;
    assert_eq!(seen.stdout, b"{\"control\":\"soft_timeout\",\"remaining_ms\":20000}\n");
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_says_why() {
    for (missing, words) in [
        ("no-such-program", "there is no `no-such-program` in the host's PATH"),
        ("/no/such/program", "is not there"),
    ] {
        let Ended::NotStarted(why) = tried(worker([missing]), trial(b"")).await.ended else {
            panic!("{missing} was started");
        };
        assert!(why.contains(words), "{why}");
    }
}
