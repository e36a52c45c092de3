//! What goes into a worker and what comes out of it, whatever a worker does with it.

use crate::rig::{Rig, sh, worker};
use std::time::{Duration, Instant};
use wh_domain::attempt::OutcomeName;
use wh_domain::ending::{Exit, Fault, Stop};
use wh_domain::task::Payload;
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::Protocol;
use wh_ports::blobs::Stored;
use wh_ports::runner::Said;

fn python(script: &str) -> wh_domain::worker::Worker {
    worker(["/usr/bin/env", "python3", "-c", script])
}

#[tokio::test]
async fn much_standard_error_before_the_result_blocks_nobody() {
    let rig = Rig::new();
    let script = r#"import sys
sys.stderr.write("x" * 70 + "\n"); sys.stderr.write(("y" * 99 + "\n") * 50_000)
print('{"success":true,"result":2}')"#;
    let done = rig.run(&python(script), "{}").await;
    assert_eq!(done.result().as_deref(), Some("2"), "{}", done.summary());
    assert!(done.finished.log_tail.len() <= 8 << 10);
}

#[tokio::test]
async fn a_mebibyte_that_nobody_reads_blocks_nobody() {
    let rig = Rig::new();
    let params = format!("\"{}\"", "x".repeat(1 << 20));
    let mut big = sh(r#"echo '{"success":true}'"#);
    big.bounds.params = 2 << 20;
    let done = rig.run(&big, &params).await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert!(done.finished.ending.stdin_untouched);
}

#[tokio::test]
async fn a_mebibyte_arrives_whole() {
    let rig = Rig::new();
    let params = format!("\"{}\"", "é".repeat(1 << 19));
    let mut big = python(
        "import sys, json; d = json.load(sys.stdin); print(json.dumps({'success': True, 'result': len(d['params'])}))",
    );
    big.bounds.params = 2 << 20;
    let done = rig.run(&big, &params).await;
    assert_eq!(done.result().as_deref(), Some("524288"), "{}", done.summary());
    assert!(!done.finished.ending.stdin_untouched);
}

#[tokio::test]
async fn whether_input_was_read_is_told_for_small_and_large_ones() {
    let rig = Rig::new();
    let small = "1".to_owned();
    let large = format!("\"{}\"", "x".repeat(300_000));
    let rows = [
        (&small, "exit 1", true),
        (&small, "head -c 1 >/dev/null; exit 1", false),
        (&small, "cat >/dev/null; exit 1", false),
        (&large, "exit 1", true),
        (&large, "head -c 1 >/dev/null; exit 1", false),
        (&large, "head -c 70000 >/dev/null; exit 1", false),
        (&large, "cat >/dev/null; exit 1", false),
        (&large, "exec <&-; exit 1", true),
    ];
    for protocol in [Protocol::Json, Protocol::Raw] {
        for (params, script, untouched) in rows {
            let mut reader = sh(script);
            reader.protocol = protocol;
            let done = rig.run(&reader, params).await;
            assert_eq!(
                done.finished.ending.stdin_untouched,
                untouched,
                "{script} with {} bytes",
                params.len()
            );
        }
    }
}

#[tokio::test]
async fn a_blob_is_a_raw_workers_standard_input_itself() {
    let rig = Rig::new();
    let path = rig.file("blob", "content");
    for (script, untouched, result) in [("cat", false, "content"), ("exit 0", true, "")] {
        let mut raw = sh(script);
        raw.protocol = Protocol::Raw;
        let mut assignment = rig.assignment(&raw, "");
        let path = path.clone();
        assignment.claim.params = Stored::Blob { path, sha256: "".into(), size: 7, json: false };
        let done = rig.carry(assignment).await;
        assert_eq!(done.finished.ending.stdin_untouched, untouched, "{}", done.summary());
        assert_eq!(done.finished.produced.unwrap().payload, Payload::Bytes(result.as_bytes().into()));
    }
}

#[tokio::test]
async fn a_result_written_byte_by_byte_between_stray_text_is_found() {
    let rig = Rig::new();
    let script = r#"import os
for byte in b'noise {\n{"success": true, "result": "\xc3\xa9"}\nmore {':
    os.write(1, bytes([byte]))"#;
    let done = rig.run(&python(script), "{}").await;
    assert_eq!(done.result().as_deref(), Some("\"é\""), "{}", done.summary());
    assert_eq!(done.finished.warnings.len(), 1, "{:?}", done.finished.warnings);
}

#[tokio::test]
async fn whatever_a_worker_writes_is_a_result_or_says_why_it_is_none() {
    use OutcomeName::{Failed, ProtocolError, Succeeded};
    let rig = Rig::new();
    let deep = |levels: usize| {
        format!("{{\"success\":true,\"result\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).into_bytes()
    };
    /// What is written, the outcome, and the result or a part of the sentence.
    type Row<'a> = (&'a [u8], OutcomeName, &'a str);
    let (deepest, too_deep) = (deep(127), deep(128));
    let nest = "[".repeat(127) + &"]".repeat(127);
    let rows: &[Row<'_>] = &[
        (b"", ProtocolError, "wrote no result"),
        (b"{", ProtocolError, "wrote no result"),
        (b"\n", ProtocolError, "wrote no result"),
        (b"{\"success\":true,\"result\":1}", Succeeded, "1"),
        (b"{\"success\":true,\"result\":1}\r\n", Succeeded, "1"),
        (b"\xef\xbb\xbf{\"success\":true,\"result\":1}\n", Succeeded, "1"),
        (b"\0\0\n{\"success\":true,\"result\":1}\n\0", Succeeded, "1"),
        (b"{\"success\":true,\"result\":\"a\0b\"}\n", ProtocolError, "wrote no result"),
        (b"\xff\n{\"success\":true,\"result\":1}\n", ProtocolError, "is not UTF-8 at byte 0"),
        (&deepest, Succeeded, &nest),
        (&too_deep, ProtocolError, "nested deeper than 128 levels"),
        (b"{\"success\":false,\"success\":true,\"result\":1,\"result\":2}", Succeeded, "2"),
        (b"{\"success\":true,\"success\":false,\"error\":{}}", Failed, "exit code 0"),
        (b"{\"success\":true,\"result\":1e999}", Succeeded, "1e999"),
        (b"{\"success\":true,\"result\":NaN}", ProtocolError, "wrote no result"),
        (b"{\"success\":true,\"result\":1}\n{\"success\":true,\"result\":2}\n", Succeeded, "2"),
        (b"{\"success\":true,\"result\":1}\n{\"success\":true,\"resu", Succeeded, "1"),
        (b"{\"success\":true,\"resu", ProtocolError, "wrote no result"),
        (b"{\"success\":\"true\",\"result\":1}", ProtocolError, "wrote no result"),
    ];
    for (bytes, outcome, told) in rows {
        let path = rig.dir.path().join("output");
        std::fs::write(&path, bytes).unwrap();
        let done = rig.run(&sh(&format!("cat >/dev/null; cat {}", path.display())), "{}").await;
        let shown = format!("{}: {}", String::from_utf8_lossy(bytes), done.summary());
        assert_eq!(done.finished.verdict.outcome.name(), *outcome, "{shown}");
        match outcome {
            Succeeded => assert_eq!(done.result().as_deref(), Some(*told), "{shown}"),
            _ => assert!(done.finished.verdict.sentence.contains(told), "{shown}"),
        }
    }
}

#[tokio::test]
async fn two_gibibytes_of_output_are_cut_at_the_bound_and_end_the_worker() {
    let rig = Rig::new();
    for protocol in [Protocol::Json, Protocol::Raw] {
        let mut chatty = sh("yes | head -c 2147483648; sleep 100");
        chatty.protocol = protocol;
        chatty.timeout.grace = Duration::from_millis(200);
        chatty.bounds.stdout = 1 << 20;
        let done = rig.run(&chatty, "{}").await;
        assert_eq!(done.finished.ending.stop, Some(Stop::Output), "{}", done.summary());
        assert_eq!(done.finished.ending.fault, Some(Fault::OutputTooLarge { limit: 1 << 20 }));
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::ProtocolError);
        if let Some(produced) = done.finished.produced {
            assert!(produced.payload.bytes().len() <= 1 << 20 && produced.partial);
        }
    }
}

#[tokio::test]
async fn output_of_exactly_the_bound_is_not_too_much() {
    let rig = Rig::new();
    for (bytes, stop) in [(100_000, None), (100_001, Some(Stop::Output))] {
        let mut raw = sh(&format!("head -c {bytes} /dev/zero; sleep 0.2"));
        raw.protocol = Protocol::Raw;
        raw.bounds.stdout = 100_000;
        let done = rig.run(&raw, "").await;
        assert_eq!(done.finished.ending.stop, stop, "{bytes}: {}", done.summary());
        assert_eq!(done.finished.produced.unwrap().payload.bytes().len(), 100_000);
    }
}

#[tokio::test]
async fn a_worker_that_closes_everything_early_is_still_waited_for() {
    let rig = Rig::new();
    let done =
        rig.run(&sh(r#"echo '{"success":true}'; exec <&- >&- 2>&- 3>&-; sleep 0.3; exit 0"#), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    let took = done.finished.ended_at.since(done.finished.started_at);
    assert!(took >= Duration::from_millis(300), "{took:?}");
}

#[tokio::test]
async fn a_result_on_the_channel_beats_the_one_on_standard_output() {
    let rig = Rig::new();
    let script = r#"echo '{"success":true,"result":"out"}'
        echo '{"event":"result","success":true,"result":"channel"}' >&3
        printf '\377'; echo '{"success":true,"result":"later"}'"#;
    let done = rig.run(&sh(script), "{}").await;
    assert_eq!(done.result().as_deref(), Some("\"channel\""), "{}", done.summary());
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn what_is_said_on_the_channel_is_told_at_once() {
    let rig = Rig::new();
    let script = r#"echo '{"event":"progress","current":3,"total":10,"message":"m"}' >&3
        echo '{"event":"checkpoint","data":{"at":3}}' >&3
        echo '{"event":"metric","name":"network_requests","value":1}' >&3
        echo '{"event":"rate_limited","status":429,"message":"slow"}' >&3
        echo '{"event":"log","level":"warn","message":"hm"}' >&3
        echo 'no json' >&3
        printf '{"event":"partial","result":7}' >&3
        exit 1"#;
    let done = rig.run(&sh(script), "{}").await;
    let said = format!("{:?}", done.said);
    for part in [
        r#"Progress(Progress { current: Some(3.0), total: Some(10.0), percent: Some(30.0), message: Some("m") })"#,
        r#"Checkpoint("{\"at\":3}")"#,
        r#"Metric { name: "network_requests", value: 1.0 }"#,
        r#"RateLimited { status: Some(429), message: "slow" }"#,
        r#"LogLine { level: Some("WARNING"), message: "hm" }"#,
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(done.result().as_deref(), Some("7"), "the last line needs no end");
    assert!(done.finished.warnings.iter().any(|w| w.starts_with("1 lines on the channel")));
}

#[tokio::test]
async fn a_flood_of_events_is_counted_and_dropped() {
    let rig = Rig::new();
    let script = r#"import os
for number in range(5_000):
    os.write(3, b'{"event":"progress","current":%d}\n' % number)
print('{"success":true}')"#;
    let done = rig.run(&python(script), "{}").await;
    let told = done.said.iter().filter(|said| matches!(said, Said::Progress(_))).count();
    assert!((1_000..5_000).contains(&told), "{told}");
    let dropped = format!("{} channel events came too fast and were dropped", 5_000 - told);
    assert!(done.finished.warnings.iter().any(|warning| **warning == *dropped), "{}", done.summary());
}

#[tokio::test]
async fn a_worker_that_never_reads_its_channel_blocks_nobody() {
    let rig = Rig::new();
    let mut deaf = sh(r#"sleep 0.5; echo '{"success":true}'"#);
    deaf.timeout = TimeoutPolicy { soft: Duration::from_millis(50), ..TimeoutPolicy::default() };
    let done = rig.run(&deaf, "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn under_strict_stray_text_is_a_fault() {
    let rig = Rig::new();
    let mut strict = sh(r#"echo banner; echo '{"success":true}'"#);
    strict.protocol = Protocol::Strict;
    let done = rig.run(&strict, "{}").await;
    assert_eq!(done.finished.ending.fault, Some(Fault::StrayOutput), "{}", done.summary());
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::ProtocolError);
}

#[tokio::test]
async fn follow_ups_come_with_success_only_and_whole_or_not_at_all() {
    let rig = Rig::new();
    let rows = [
        (
            r#"{"success":true,"tasks":[{"type":"a","params":{"x":1}},{"type":"b"}]}"#,
            OutcomeName::Succeeded,
            2,
        ),
        (r#"{"success":false,"error":{},"tasks":[{"type":"a"}]}"#, OutcomeName::Failed, 0),
        (r#"{"success":true,"tasks":[{"type":"a"},{"type":""}]}"#, OutcomeName::ProtocolError, 0),
    ];
    for (result, outcome, count) in rows {
        let done = rig.run(&sh(&format!("echo '{result}'")), "{}").await;
        assert_eq!(done.finished.verdict.outcome.name(), outcome, "{}", done.summary());
        assert_eq!(done.finished.follow_ups.len(), count, "{result}");
    }
}

#[tokio::test]
async fn what_cannot_be_executed_says_why() {
    let rig = Rig::new();
    let script = rig.file("script", "#!/no/such/interpreter -x\n");
    let plain = rig.file("plain", "no program\n");
    let none = rig.file("none", "no program\n");
    let executable = |path: &std::path::Path| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    executable(&script);
    executable(&plain);
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let rows = [
        ("/no/such/program".to_owned(), "/no/such/program is not there".to_owned()),
        ("no-such-program".to_owned(), "there is no `no-such-program` in the host's PATH".to_owned()),
        (text(&script), "the interpreter of".to_owned()),
        (text(&script), "/no/such/interpreter, is not there".to_owned()),
        (text(&plain), "neither a program for this machine nor a script with a #! line".to_owned()),
        (text(&none), "is not executable".to_owned()),
        ("/".to_owned(), "/ is not executable".to_owned()),
    ];
    for (program, why) in rows {
        let done = rig.run(&worker([&program]), "{}").await;
        let Exit::NotStarted(said) = &done.finished.ending.exit else { panic!("{}", done.summary()) };
        assert!(said.contains(&why), "{program}: {said}");
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::WorkerBroken);
    }
    let mut apart = worker(["sh", "-c", "exit 0"]);
    apart.program.env = vec![("PATH".into(), "/no/such/directory".into())];
    let done = rig.run(&apart, "{}").await;
    assert!(done.summary().contains("there is no `sh` in its own PATH"), "{}", done.summary());
    let mut lost = sh("exit 0");
    lost.program.directory = "/no/such/directory".into();
    let done = rig.run(&lost, "{}").await;
    assert!(done.summary().contains("its directory /no/such/directory is not there"), "{}", done.summary());
    let mut huge = sh("exit 0");
    huge.program.argv.push("x".repeat(5 << 20));
    let done = rig.run(&huge, "{}").await;
    assert!(done.summary().contains("its command line and environment are too long"), "{}", done.summary());
    let done = rig.run(&worker([]), "{}").await;
    assert!(done.summary().contains("its command is empty"), "{}", done.summary());
    let done = rig.run(&sh(r#"echo '{"success":true}'"#), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "the stream still works");
}

#[tokio::test]
async fn a_program_that_is_mended_is_found_at_once() {
    let rig = Rig::new();
    let path = rig.dir.path().join("late");
    let late = worker([path.to_str().unwrap()]);
    let done = rig.run(&late, "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::WorkerBroken);
    rig.file("late", "#!/bin/sh\necho '{\"success\":true}'\n");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let done = rig.run(&late, "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn a_worker_sees_four_descriptors_a_clean_slate_of_signals_and_exactly_its_variables() {
    let rig = Rig::new();
    let script = r#"import json, os, signal, sys
with open("/proc/self/status") as status:
    masks = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Sig")}
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
print(json.dumps({"success": True, "result": {
    "fds": [fd for fd in fds if os.path.exists("/proc/self/fd/%d" % fd)],
    "session": os.getsid(0) == os.getpid(),
    "blocked": masks["SigBlk"], "ignored": int(masks["SigIgn"], 16) & 0x7fffffff & ~(1 << 12 | 1 << 24),
    "env": dict(os.environ)}}))"#;
    let mut curious = worker(["/usr/bin/python3", "-c", script]);
    curious.program.env =
        vec![("MINE".to_owned(), "1".to_owned()), ("WORKERHOST_TASK_ID".to_owned(), "forged".to_owned())];
    let mut assignment = rig.assignment(&curious, "{}");
    assignment.claim.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into());
    let (id, fence) = (assignment.claim.id.clone(), assignment.claim.fence);
    let done = rig.carry(assignment).await;
    let seen: serde_json::Value =
        serde_json::from_str(&done.result().unwrap_or_else(|| panic!("{}", done.summary()))).unwrap();
    assert_eq!(seen["fds"], serde_json::json!([0, 1, 2, 3]));
    assert_eq!(seen["session"], true);
    assert_eq!(seen["blocked"], "0000000000000000");
    assert_eq!(seen["ignored"], 0, "but for those that Python and the C library ignore themselves");
    let env = seen["env"].as_object().unwrap();
    let mut names: Vec<&str> = env.keys().map(String::as_str).filter(|name| *name != "LC_CTYPE").collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "LANG",
            "MINE",
            "PATH",
            "TRACEPARENT",
            "WORKERHOST_ATTEMPT",
            "WORKERHOST_ATTEMPT_ID",
            "WORKERHOST_CHANNEL_FD",
            "WORKERHOST_DEADLINE_MS",
            "WORKERHOST_HOST_ID",
            "WORKERHOST_MAX_ATTEMPTS",
            "WORKERHOST_PROTOCOL",
            "WORKERHOST_SOFT_DEADLINE_MS",
            "WORKERHOST_STREAM",
            "WORKERHOST_TASK_ID",
            "WORKERHOST_TASK_TYPE",
            "WORKERHOST_WORKER",
        ]
    );
    assert_eq!(env["WORKERHOST_TASK_ID"], id.as_str());
    assert_eq!(env["WORKERHOST_ATTEMPT_ID"], format!("{id}:{fence}"));
    assert_eq!(env["WORKERHOST_CHANNEL_FD"], "3");
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test]
async fn descriptors_go_back_to_where_they_were() {
    // The count is of the whole process, so this test runs its attempts in one of its own.
    if std::env::var_os("WH_TEST_ALONE").is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "streams::descriptors_go_back_to_where_they_were"])
            .env("WH_TEST_ALONE", "1")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let rig = Rig::new();
    let workers = [sh("cat; echo x >&2"), sh("sleep 100 & exit 1"), worker(["/no/such/program"])];
    for worker in &workers {
        rig.run(worker, "{}").await;
    }
    let base = open_descriptors();
    for _ in 0..20 {
        for worker in &workers[..1] {
            rig.run(worker, "{}").await;
        }
    }
    for worker in &workers {
        rig.run(worker, "{}").await;
    }
    assert_eq!(open_descriptors(), base);
}

#[tokio::test]
async fn the_end_of_a_worker_is_seen_at_once() {
    let rig = Rig::new();
    rig.run(&sh("exit 0"), "{}").await;
    let begun = Instant::now();
    rig.run(&sh("sleep 0.2"), "{}").await;
    let late = begun.elapsed().checked_sub(Duration::from_millis(200)).unwrap();
    assert!(late < Duration::from_millis(100), "{late:?}");
}
