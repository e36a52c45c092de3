//! The table of endings, played by real processes.

use crate::rig::{Rig, sh, worker};
use wh_domain::attempt::OutcomeName;
use wh_domain::ending::Exit;

const SUCCESS: &str = r#"cat >/dev/null; echo '{"success":true,"result":{"n":1}}'; "#;
const FAILURE: &str = r#"cat >/dev/null; echo '{"success":false,"error":{"type":"E","message":"m"}}'; "#;

#[tokio::test]
async fn every_ending_of_a_process_has_its_outcome() {
    use OutcomeName::{Crashed, Deferred, Failed, ProtocolError, Succeeded, TimedOut, WorkerBroken};
    let rig = Rig::new();
    let rows: &[(&str, &str, OutcomeName, Exit)] = &[
        (SUCCESS, "exit 0", Succeeded, Exit::Code(0)),
        (SUCCESS, "exit 1", ProtocolError, Exit::Code(1)),
        (FAILURE, "exit 0", Failed, Exit::Code(0)),
        (FAILURE, "exit 1", Failed, Exit::Code(1)),
        (FAILURE, "exit 2", Failed, Exit::Code(2)),
        ("", "cat >/dev/null; exit 0", ProtocolError, Exit::Code(0)),
        ("", "exit 1", Failed, Exit::Code(1)),
        ("", "exit 3", TimedOut, Exit::Code(3)),
        ("", "exit 64", Failed, Exit::Code(64)),
        ("", "exit 75", Deferred, Exit::Code(75)),
        ("", "exit 78", WorkerBroken, Exit::Code(78)),
        ("", "exit 126", WorkerBroken, Exit::Code(126)),
        ("", "exit 127", WorkerBroken, Exit::Code(127)),
        ("cat >/dev/null;", "exit 78", Failed, Exit::Code(78)),
        ("cat >/dev/null;", "exit 127", Failed, Exit::Code(127)),
        ("", "exit 124", TimedOut, Exit::Code(124)),
        ("", "exit 130", Failed, Exit::Code(130)),
        ("", "exit 143", Failed, Exit::Code(143)),
        ("", "exit 255", Failed, Exit::Code(255)),
        ("", "kill -SEGV $$", Crashed, Exit::Signal(11)),
        ("", "kill -KILL $$", Crashed, Exit::Signal(9)),
        ("", "kill -TERM $$", Crashed, Exit::Signal(15)),
        (SUCCESS, "kill -ABRT $$", Crashed, Exit::Signal(6)),
    ];
    for (first, then, outcome, exit) in rows {
        let done = rig.run(&sh(&format!("{first}{then}")), "{}").await;
        let told = format!("{first}{then}: {}", done.summary());
        assert_eq!(done.finished.verdict.outcome.name(), *outcome, "{told}");
        assert_eq!(done.finished.ending.exit, *exit, "{told}");
    }
}

#[tokio::test]
async fn every_signal_that_can_end_a_worker_is_a_crash() {
    // Those that do nothing, stop or continue: CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH; 32 and 33 are the C
    // library's own.
    const HARMLESS: [i32; 10] = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33];
    let rig = Rig::new();
    for signal in (1..=64).filter(|signal| !HARMLESS.contains(signal)) {
        let done = rig.run(&sh(&format!("ulimit -c 0; cat >/dev/null; kill -{signal} $$")), "{}").await;
        assert_eq!(done.finished.ending.exit, Exit::Signal(signal), "{}", done.summary());
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Crashed, "{}", done.summary());
    }
}

#[tokio::test]
async fn a_worker_reads_its_task_and_its_result_comes_back_as_written() {
    let rig = Rig::new();
    let script = r#"import json,sys
line = sys.stdin.readline()
assert sys.stdin.read() == "", "one line, then the end"
task = json.loads(line)
params = line[line.index('"params":') + 9 : line.index(',"metadata"')]
print("a banner")
print('{"success": true, "result": ["%s", "%s", %s]}' % (task["id"], task["type"], params))"#;
    let params = r#"{"a": 1e400, "a":1.10, "b": "\u00e9"}"#;
    let done = rig.run(&worker(["python3", "-c", script]), params).await;
    let expected = format!(r#"["{}", "test", {params}]"#, rig.task());
    assert_eq!(done.result().as_deref(), Some(expected.as_str()), "{}", done.summary());
    assert_eq!(&*done.finished.log_tail, "a banner\n");
}
