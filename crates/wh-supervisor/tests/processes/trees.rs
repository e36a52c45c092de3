//! What becomes of the processes that a worker starts.

use crate::rig::{Rig, listener, sh, skip, worker};
use crate::witness::{Witness, escapist};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wh_domain::attempt::OutcomeName;
use wh_domain::ending::{Exit, Stop};
use wh_domain::isolation::{Isolation, Level};
use wh_domain::time::{StoreInstant, Timestamp};
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::Worker;
use wh_ports::clock::Clock;
use wh_ports::runner::{Order, Runner, Said};

const GRACE: Duration = Duration::from_millis(300);

fn limits(hard: Duration) -> TimeoutPolicy {
    TimeoutPolicy::new(hard, None, GRACE).unwrap()
}

#[tokio::test]
async fn nothing_of_a_hanging_tree_survives_the_hard_limit_and_its_grace() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = escapist(&witness, "time.sleep(1000)");
    let mut hanging = worker(["python3", "-c", &script]);
    hanging.timeout = limits(Duration::from_secs(1));
    let begun = Instant::now();
    let done = rig.run(&hanging, "{}").await;
    witness.assert_deserted();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1_300), "ended after {took:?}, before the grace was over");
    assert!(took < Duration::from_millis(2_300), "ended only after {took:?}");
    assert_eq!(done.finished.ending.stop, Some(Stop::Timeout), "{}", done.summary());
    assert_eq!(done.finished.ending.exit, Exit::Signal(9));
    assert!(done.finished.leaked.is_empty(), "what the host ends has not leaked");
}

#[tokio::test]
async fn what_outlives_a_worker_is_ended_and_named() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = escapist(&witness, r#"print('{"success":true,"result":1}')"#);
    let done = rig.run(&worker(["python3", "-c", &script]), "{}").await;
    witness.assert_deserted();
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert_eq!(done.finished.leaked.len(), 3, "{:?}", done.finished.leaked);
    let leaked = &done.finished.leaked;
    assert!(leaked.iter().all(|line| line.contains("python3 -c")), "{leaked:?}");
}

#[tokio::test]
async fn at_most_sixteen_leaked_processes_are_named() {
    let rig = Rig::new();
    let script = r#"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 100 & done
        echo '{"success":true}'"#;
    let done = rig.run(&sh(script), "{}").await;
    assert_eq!(done.finished.leaked.len(), 16);
    assert!(done.finished.leaked.iter().all(|line| &**line == "sleep 100"), "{:?}", done.finished.leaked);
}

#[tokio::test]
async fn what_ends_soon_after_its_worker_has_not_leaked() {
    let rig = Rig::new();
    let done = rig.run(&sh(r#"sleep 0.1 & echo '{"success":true}'"#), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert!(done.finished.leaked.is_empty(), "{:?}", done.finished.leaked);
}

#[tokio::test]
async fn a_result_that_a_grandchild_writes_after_the_worker_is_none() {
    let rig = Rig::new();
    let script =
        r#"(sleep 0.2; echo '{"success":true}'; echo '{"event":"result","success":true}' >&3) & exit 0"#;
    let done = rig.run(&sh(script), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::ProtocolError, "{}", done.summary());
}

#[tokio::test]
async fn a_wrapper_that_dies_of_sigterm_leaves_its_child_the_whole_grace() {
    let rig = Rig::new();
    let inner = r"trap 'sleep 0.8; echo said goodbye >&2; exit 0' TERM; while :; do sleep 0.02; done";
    let mut wrapped = worker(["/bin/sh", "-c", "/bin/sh -c \"$1\" & wait", "wrapper", inner]);
    wrapped.timeout = TimeoutPolicy::new(Duration::from_millis(300), None, Duration::from_secs(10)).unwrap();
    let begun = Instant::now();
    let done = rig.run(&wrapped, "{}").await;
    assert!(done.finished.log_tail.contains("said goodbye"), "{}", done.summary());
    assert!(begun.elapsed() < Duration::from_secs(5), "it need not wait for the rest of the grace");
}

#[tokio::test]
async fn a_worker_that_has_stopped_itself_is_ended_too() {
    let rig = Rig::new();
    let mut stopped = sh("kill -STOP $$");
    stopped.timeout = limits(Duration::from_millis(200));
    let done = rig.run(&stopped, "{}").await;
    assert_eq!(done.finished.ending.stop, Some(Stop::Timeout), "{}", done.summary());
    assert_eq!(done.finished.ending.exit, Exit::Signal(15), "SIGCONT lets it take the SIGTERM");
}

/// A calendar that somebody sets ten years forward and back between any two looks.
struct Jumping(AtomicI64);

impl Clock for Jumping {
    fn wall(&self) -> Timestamp {
        const TEN_YEARS: i64 = 3_650 * 86_400_000;
        let sign = self.0.fetch_add(1, Ordering::Relaxed) % 2 * 2 - 1;
        Timestamp::from_millis(1_800_000_000_000 + sign * TEN_YEARS)
    }

    fn instant(&self) -> StoreInstant {
        StoreInstant { boot: 1, millis: 0 }
    }
}

#[tokio::test]
async fn no_step_of_the_calendar_ends_or_prolongs_an_attempt() {
    for first in [0, 1] {
        let rig = Rig::with_clock(Arc::new(Jumping(AtomicI64::new(first))));
        let done = rig.run(&sh(r#"sleep 0.3; echo '{"success":true}'"#), "{}").await;
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
        let mut hanging = sh("exec sleep 1000");
        hanging.timeout = limits(Duration::from_millis(500));
        let begun = Instant::now();
        let done = rig.run(&hanging, "{}").await;
        assert_eq!(done.finished.ending.stop, Some(Stop::Timeout), "{}", done.summary());
        assert!((Duration::from_millis(500)..Duration::from_secs(5)).contains(&begun.elapsed()));
    }
}

#[tokio::test]
async fn a_worker_that_sends_no_sign_of_life_stalls_and_one_that_does_goes_on() {
    let rig = Rig::new();
    let silent = |script: &str| {
        let mut worker = sh(script);
        worker.timeout.stall_after = Some(Duration::from_millis(500));
        worker
    };
    let done = rig.run(&silent("exec sleep 100"), "{}").await;
    assert_eq!(done.finished.ending.stop, Some(Stop::Stall), "{}", done.summary());
    let script = r#"for i in 1 2 3 4 5 6; do echo '{"event":"heartbeat"}' >&3; sleep 0.2; done
        echo '{"success":true}'"#;
    let done = rig.run(&silent(script), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn a_worker_that_the_soft_signal_ends_has_run_out_of_time_and_has_not_crashed() {
    let rig = Rig::new();
    let mut deaf = sh("exec sleep 100");
    deaf.timeout = TimeoutPolicy {
        soft: Duration::from_millis(300),
        soft_signal: Some(10),
        ..limits(Duration::from_secs(60))
    };
    let done = rig.run(&deaf, "{}").await;
    assert_eq!(done.finished.ending.stop, Some(Stop::Timeout), "{}", done.summary());
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::TimedOut, "{}", done.summary());
}

#[tokio::test]
async fn the_soft_limit_is_told_on_the_channel_in_the_log_to_the_host_and_by_the_workers_own_signal() {
    let rig = Rig::new();
    let script = r#"import os, signal, sys, time
heard = []
signal.signal(signal.SIGUSR1, lambda number, frame: heard.append("signalled"))
sys.stderr.write(os.fdopen(3).readline())
while not heard: time.sleep(0.01)
sys.stderr.write(heard[0])
print('{"success":true}')"#;
    let mut warned = worker(["python3", "-c", script]);
    warned.timeout = TimeoutPolicy {
        // Long enough for the interpreter to be up, however busy the machine is.
        soft: Duration::from_secs(2),
        hard: Duration::from_secs(60),
        soft_signal: Some(10),
        ..limits(Duration::from_secs(60))
    };
    let done = rig.run(&warned, "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    let log = &done.finished.log_tail;
    assert!(log.contains("WARNING: the soft limit was reached; 5"), "{log}");
    assert!(log.contains(r#"{"control":"soft_timeout","remaining_ms":5"#), "{log}");
    assert!(log.contains("signalled"), "{log}");
    assert!(done.said.iter().any(|said| matches!(said, Said::SoftTimeout(left) if left.as_secs() > 50)));
}

#[tokio::test]
async fn what_was_there_before_the_hard_limit_is_kept_as_partial() {
    let rig = Rig::new();
    let rows = [
        (r#"echo '{"success":true,"result":[1,2]}'; sleep 100"#, "[1,2]"),
        (
            r#"echo '{"event":"partial","result":[1]}' >&3; echo '{"event":"partial","result":[3]}' >&3; sleep 100"#,
            "[3]",
        ),
        (
            r#"trap 'echo "{\"success\":false,\"error\":{},\"partial\":[4]}"; exit 3' TERM; sleep 100 & wait"#,
            "[4]",
        ),
    ];
    for (script, kept) in rows {
        let mut slow = sh(script);
        slow.timeout = limits(Duration::from_millis(300));
        let done = rig.run(&slow, "{}").await;
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::TimedOut, "{}", done.summary());
        assert_eq!(done.result().as_deref(), Some(kept), "{script}");
        assert!(done.finished.produced.unwrap().partial);
    }
}

async fn ordered(script: &str, orders: &[Order]) -> crate::rig::Done {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = format!("exec 9>{}; {script}", witness.path.display());
    let mut obedient = sh(&script);
    obedient.timeout.grace = GRACE;
    let (send, given) = mpsc::channel(4);
    let give = async {
        assert_eq!(witness.word().await, "up");
        for order in orders {
            send.send(*order).await.unwrap();
        }
        // The channel stays open as long as the attempt runs.
        std::future::pending::<()>().await;
    };
    let run = rig.carry_with(rig.assignment(&obedient, "{}"), given);
    let done = tokio::select! { done = run => done, () = give => unreachable!() };
    witness.assert_deserted();
    done
}

#[tokio::test]
async fn orders_are_obeyed() {
    const DEAF: &str = "trap '' TERM; printf 'up ' >&9; while :; do sleep 0.02; done";
    const CHATTY: &str = "printf 'up ' >&9; read -r line <&3; echo \"$line\"; echo '{\"success\":true}'";
    /// A script, what it is ordered, how it ends, why, and what its log holds.
    type Row = (&'static str, &'static [Order], OutcomeName, Option<Stop>, &'static str);
    let rows: &[Row] = &[
        (DEAF, &[Order::Cancel], OutcomeName::Cancelled, Some(Stop::Cancel), ""),
        (DEAF, &[Order::Stop], OutcomeName::Interrupted, Some(Stop::Drain), ""),
        (DEAF, &[Order::Kill], OutcomeName::Interrupted, Some(Stop::LeaseLost), ""),
        (DEAF, &[Order::Drain, Order::Kill], OutcomeName::Interrupted, Some(Stop::Drain), ""),
        (CHATTY, &[Order::Drain], OutcomeName::Succeeded, None, r#"{"control":"drain"}"#),
        (CHATTY, &[Order::Drain, Order::Drain], OutcomeName::Succeeded, None, r#"{"control":"drain"}"#),
        (
            "trap '' TERM; printf 'up ' >&9; read -r line <&3; echo \"$line\" >&2; exit 1",
            &[Order::Cancel],
            OutcomeName::Cancelled,
            Some(Stop::Cancel),
            r#"{"control":"cancel","reason":"the task was cancelled"}"#,
        ),
    ];
    for (script, orders, outcome, stop, log) in rows {
        let done = ordered(script, orders).await;
        let told = format!("{script} {orders:?}: {}", done.summary());
        assert_eq!(done.finished.verdict.outcome.name(), *outcome, "{told}");
        assert_eq!(done.finished.ending.stop, *stop, "{told}");
        assert!(done.finished.log_tail.contains(log), "{told}");
    }
}

#[tokio::test]
async fn dropping_the_future_kills_the_tree_and_the_stream_waits_for_that() {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = escapist(&witness, "time.sleep(1000)");
    let hanging = worker(["python3", "-c", &script]);
    let (_orders, given) = mpsc::channel(1);
    {
        let run = rig.runner.run(rig.assignment(&hanging, "{}"), given, listener().0);
        tokio::select! {
            _ = run => panic!("it hangs"),
            _ = witness.word() => {}
        }
    }
    let next = rig.run(&sh(r#"echo '{"success":true}'"#), "{}").await;
    assert_eq!(next.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", next.summary());
    witness.assert_deserted();
}

/// A worker that hangs, and what it has started lives on by forking; ended by its hard limit.
async fn assert_felled(plant: &str) {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = format!(
        "import os, signal, time\n\
         signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
         witness = os.open('{}', os.O_WRONLY)\n{plant}\nwhile True: time.sleep(1000)",
        witness.path.display()
    );
    let mut hanging = worker(["python3", "-c", &script]);
    hanging.timeout = TimeoutPolicy { grace: Duration::from_millis(20), ..limits(Duration::from_secs(1)) };
    let done = rig.run(&hanging, "{}").await;
    witness.assert_deserted();
    assert_eq!(witness.word().await, "up", "it got so far: {}", done.summary());
    assert_eq!(done.finished.ending.stop, Some(Stop::Timeout), "{}", done.summary());
}

#[tokio::test]
async fn processes_that_run_away_by_forking_while_they_are_killed_are_all_ended() {
    // None of them is the same process for longer than one fork takes.
    let plant = r"
for _ in range(24):
    if os.fork() == 0:
        while True:
            if os.fork(): os._exit(0)
            os.setsid()
os.write(witness, b'up ')";
    assert_felled(plant).await;
}

#[tokio::test]
async fn a_fork_bomb_that_goes_off_while_it_is_killed_is_felled() {
    // Each fork takes a byte out of a pipe, so that the bomb has a largest size. SIGTERM fills the pipe.
    let plant = r"
tokens, more = os.pipe()
signal.signal(signal.SIGTERM, lambda number, frame: os.write(more, b'x' * 600))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        os.read(tokens, 1)
        if os.fork() == 0: os.setsid()
os.write(more, b'x' * 20)
os.write(witness, b'up ')";
    assert_felled(plant).await;
}

/// A worker that succeeds and leaves `daemon` behind, which is Python in a session of its own.
async fn assert_left_behind_and_ended(daemon: &str) {
    let rig = Rig::new();
    let mut witness = Witness::new(rig.dir.path());
    let script = format!(
        "import os, time\n\
         witness = os.open('{}', os.O_WRONLY)\n\
         os.set_inheritable(witness, True)\n\
         up, ready = os.pipe()\n\
         os.set_inheritable(ready, True)\n\
         if os.fork() == 0:\n    os.setsid()\n    {daemon}\n\
         os.read(up, 1)\n\
         os.write(witness, b'up ')\n\
         print('{{\"success\":true}}')",
        witness.path.display()
    );
    let done = rig.run(&worker(["python3", "-c", &script]), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert!(!done.finished.leaked.is_empty(), "{}", done.summary());
    assert_eq!(witness.word().await, "up");
    witness.assert_deserted();
}

#[tokio::test]
async fn a_process_that_has_become_another_user_is_ended_too() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can become another user");
    }
    assert_left_behind_and_ended("os.setuid(65534); os.write(ready, b'x'); time.sleep(1000)").await;
}

#[tokio::test]
async fn a_process_in_namespaces_of_its_own_is_ended_too() {
    let may = std::process::Command::new("unshare").args(["-Urpf", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        return skip("this machine allows no namespaces");
    }
    let inside = "echo x >&%d; sleep 1000 & exec sleep 1000";
    let daemon = format!("os.execvp('unshare', ['unshare', '-Urpf', 'sh', '-c', '{inside}' % ready])");
    assert_left_behind_and_ended(&daemon).await;
}

#[tokio::test]
async fn a_thousand_escapes_leave_no_survivor_at_any_level_of_isolation() {
    let rounds = if std::env::var_os("WH_SLOW_TESTS").is_some() { 334 } else { 10 };
    // Where the host keeps nothing: the worker is to write there.
    let outside = tempfile::tempdir().unwrap();
    let (rig, mut witness) = (Rig::new(), Witness::new(outside.path()));
    let script = escapist(&witness, "os._exit(1)");
    for level in [Level::None, Level::Strict] {
        let isolation = Isolation { level, write: vec![outside.path().to_owned()], ..Isolation::default() };
        let leaky = Worker { isolation, ..worker(["python3", "-c", &script]) };
        for _ in 0..rounds {
            let done = rig.run(&leaky, "{}").await;
            witness.assert_deserted();
            assert_eq!(done.finished.leaked.len(), 3, "{level:?}: {}", done.summary());
        }
    }
}
