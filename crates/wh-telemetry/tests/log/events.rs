//! Every event has its line, and every line about an attempt says which.

use crate::helpers::{PATIENCE, Screen, carried, logged, now, to_screen};
use serde_json::Value;
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, Progress, Usage};
use wh_domain::event::{Event, LogLine};
use wh_domain::id::{Fence, HostId, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::outcome::OutcomeName;
use wh_domain::task::PoisonReason;
use wh_domain::time::Timestamp;
use wh_domain::watermark::Strain;
use wh_ports::observe::Observer;
use wh_telemetry::{Format, Level, LogFile, LogObserver, LogOptions, LogStream, Rotation};

fn settled(outcome: OutcomeName, next: Next, sentence: &str) -> Event {
    let record = AttemptRecord {
        fence: Fence(3),
        attempt: 1,
        host: HostId::new("host-1").unwrap(),
        worker: WorkerName::new("invoice").unwrap(),
        stream: StreamNo(2),
        started_at: Timestamp::from_millis(1_000),
        ended_at: Timestamp::from_millis(2_500),
        outcome,
        class: None,
        exit: None,
        stop: None,
        breach: None,
        sentence: sentence.into(),
        warnings: Vec::new(),
        leaked: Vec::new(),
        log_tail: "".into(),
        usage: Usage::default(),
        workspace: None,
        review: None,
        isolation: None,
    };
    Event::Settled { carried: carried(), record: Box::new(record), next }
}

fn every_event() -> Vec<Event> {
    let worker = WorkerName::new("invoice").unwrap();
    let host = HostId::new("host-1").unwrap();
    let again = |wait| Next::Pending { wait, waiting_for: None };
    let progress = Progress {
        current: Some(3.0),
        total: Some(10.0),
        percent: Some(30.0),
        message: Some("page 3".into()),
    };
    vec![
        Event::HostStarted { host: host.clone(), workers: 2, streams: 4 },
        Event::HostDraining { running: 3 },
        Event::HostStopped { killed: 0 },
        Event::HostStopped { killed: 1 },
        Event::ConfigReloaded { added: vec![worker.clone()], changed: vec![], removed: vec![] },
        Event::ConfigRefused { why: "line 3: no such key".into() },
        Event::AttemptStarted { carried: carried() },
        Event::Progressed { carried: carried(), progress },
        Event::Progressed {
            carried: carried(),
            progress: Progress { percent: Some(55.4), ..Progress::default() },
        },
        logged("a plain line"),
        Event::Logged {
            carried: carried(),
            line: LogLine { level: Some("CRITICAL".into()), message: "m".into() },
        },
        Event::SoftTimeout { carried: carried(), remaining: Duration::from_secs(60) },
        settled(OutcomeName::Succeeded, Next::Completed, "The worker finished the task."),
        settled(OutcomeName::Failed, again(Wait::For(Duration::from_millis(2_500))), "It failed."),
        settled(OutcomeName::Interrupted, again(Wait::Now), "It was interrupted."),
        settled(OutcomeName::Deferred, again(Wait::Until(now())), "It asked to be tried later."),
        settled(OutcomeName::Failed, Next::Poisoned(PoisonReason::Attempts), "It failed."),
        settled(OutcomeName::Cancelled, Next::Cancelled, "It was cancelled."),
        Event::Fenced { carried: carried() },
        Event::Reclaimed { task: TaskId::new("t-1").unwrap(), from: host.clone() },
        Event::ProcessesRemain { of: host, why: "process 7 does not end".into() },
        Event::WorkerQuarantined {
            worker: worker.clone(),
            retry_in: Some(Duration::from_secs(60)),
            why: "gone".into(),
        },
        Event::WorkerQuarantined { worker: worker.clone(), retry_in: None, why: "gone".into() },
        Event::WorkerRecovered { worker },
        Event::NoWorker { task_type: TaskType::new("Shop.Unknown").unwrap() },
        Event::StreamStuck { carried: carried() },
        Event::StoreUnavailable { why: "disk is full".into() },
        Event::StoreBack,
        Event::HostStrained { strain: Strain::Load(905, 800) },
        Event::HostRelieved,
        Event::Swept { tasks: 5, files: 6 },
    ]
}

fn lines_of(format: Format, events: &[Event]) -> Vec<String> {
    let (log, screen) = to_screen(format);
    for event in events {
        log.observe(now(), event);
    }
    assert!(log.flush(PATIENCE));
    screen.lines()
}

const ATTEMPT: &str = r#"task="order 4711" attempt_id="order 4711:3" attempt=1 type=Shop.Invoice worker=invoice stream=2 trace_id=0af7651916cd43dd8448eb211c80319c"#;

#[test]
fn every_event_is_one_line_of_text() {
    let lines = lines_of(Format::Text, &every_event());
    let expected = [
        "INFO    host_started host=host-1 - The host has started with 2 workers and 4 streams.",
        "INFO    host_draining - The host claims no more and waits for 3 attempts.",
        "INFO    host_stopped - The host has stopped.",
        "WARNING host_stopped - The host has stopped and killed 1 attempt.",
        "INFO    config_reloaded - New configuration: 1 worker added, 0 changed, 0 removed.",
        "ERROR   config_refused - The new configuration is refused, the old one goes on: line 3: no such key",
        "DEBUG   attempt_started ATTEMPT - An attempt begins.",
        "TRACE   progressed ATTEMPT - 3 of 10: page 3",
        "TRACE   progressed ATTEMPT - 55 %",
        "INFO    logged ATTEMPT - a plain line",
        "ERROR   logged ATTEMPT - m",
        "WARNING soft_timeout ATTEMPT - The soft limit is reached; 60.0 s remain.",
        "INFO    settled ATTEMPT outcome=succeeded took_ms=1500 - The worker finished the task.",
        "WARNING settled ATTEMPT outcome=failed took_ms=1500 - It failed. It is tried again in 2.5 s.",
        "WARNING settled ATTEMPT outcome=interrupted took_ms=1500 - It was interrupted. It is tried again at once.",
        "WARNING settled ATTEMPT outcome=deferred took_ms=1500 - It asked to be tried later. It is tried again at the time it asked for.",
        "ERROR   settled ATTEMPT outcome=failed took_ms=1500 - It failed. Given up: every attempt it was allowed has been used.",
        "INFO    settled ATTEMPT outcome=cancelled took_ms=1500 - It was cancelled.",
        "WARNING fenced ATTEMPT - The ending came too late, another host has the task; nothing was written.",
        "WARNING reclaimed task=t-1 host=host-1 - The task of a dead host is taken over.",
        "ERROR   processes_remain host=host-1 - Processes of a dead host remain, and its tasks wait until they are gone: process 7 does not end",
        "ERROR   worker_quarantined worker=invoice - The worker is put aside, tried again in 60 s: gone",
        "ERROR   worker_quarantined worker=invoice - The worker is put aside, until someone mends it: gone",
        "INFO    worker_recovered worker=invoice - The worker is back.",
        "WARNING no_worker type=Shop.Unknown - Tasks wait because no worker takes their type.",
        "ERROR   stream_stuck ATTEMPT - Its processes could not be ended, so the stream takes no more tasks.",
        "ERROR   store_unavailable - The store does not answer, the host tries on: disk is full",
        "INFO    store_back - The store answers again.",
        "WARNING host_strained - The host claims no tasks for now: the load is 9.05, and `host.max_load` is 8.00.",
        "INFO    host_relieved - The host claims tasks again.",
        "DEBUG   swept tasks=5 files=6 - Deleted 5 old tasks and 6 files.",
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(*line, format!("2026-11-21T12:34:56.789Z {}", expected.replace("ATTEMPT", ATTEMPT)));
    }
}

#[test]
fn every_event_is_one_json_object_and_names_its_attempt() {
    let events = every_event();
    for (line, event) in lines_of(Format::Json, &events).iter().zip(&events) {
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["at"], "2026-11-21T12:34:56.789Z");
        assert!(object["level"].is_string() && object["event"].is_string() && object["message"].is_string());
        if format!("{event:?}").contains("Carried {") {
            assert_eq!(
                (
                    &object["task"],
                    &object["attempt_id"],
                    &object["worker"],
                    &object["stream"],
                    &object["trace_id"]
                ),
                (
                    &Value::from("order 4711"),
                    &Value::from("order 4711:3"),
                    &Value::from("invoice"),
                    &Value::from(2),
                    &Value::from("0af7651916cd43dd8448eb211c80319c")
                ),
                "{line}"
            );
        }
    }
}

#[test]
fn only_lines_that_matter_enough_are_written() {
    let rows =
        [(Level::Error, 8), (Level::Warning, 17), (Level::Info, 27), (Level::Debug, 29), (Level::Trace, 31)];
    for (level, count) in rows {
        assert_eq!(written(level, true), count, "{level:?}");
    }
    assert_eq!(written(Level::Trace, false), 29, "without the lines of workers");
}

/// How many of all events are written.
fn written(level: Level, worker_lines: bool) -> usize {
    let screen = Screen::default();
    let stream = Some(LogStream { to: Box::new(screen.clone()), format: Format::Text, level });
    let log = LogObserver::start(LogOptions { worker_lines, file: None, stream, queue: 100 }).unwrap();
    for event in &every_event() {
        log.observe(now(), event);
    }
    assert!(log.flush(PATIENCE));
    screen.lines().len()
}

#[test]
fn a_file_and_a_stream_each_get_the_lines_that_matter_enough_for_them() {
    for (of_file, of_stream) in [(Level::Info, Level::Error), (Level::Error, Level::Info)] {
        let (screen, place) = (Screen::default(), tempfile::tempdir().unwrap());
        let path = place.path().join("log");
        let rotation = Rotation { max_bytes: 1 << 20, backups: 1 };
        let file = LogFile { path: path.clone(), format: Format::Text, rotation, level: of_file };
        let stream = LogStream { to: Box::new(screen.clone()), format: Format::Text, level: of_stream };
        let options = LogOptions { worker_lines: true, file: Some(file), stream: Some(stream), queue: 100 };
        let log = LogObserver::start(options).unwrap();
        for event in &every_event() {
            log.observe(now(), event);
        }
        assert!(log.flush(PATIENCE));
        let in_file = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(in_file, written(of_file, true), "{of_file:?}");
        assert_eq!(screen.lines().len(), written(of_stream, true), "{of_stream:?}");
    }
}

#[test]
fn a_note_of_the_host_is_a_line_like_any_other() {
    let (log, screen) = to_screen(Format::Text);
    log.note(now(), Level::Warning, "the store is on a network file system");
    assert!(log.flush(PATIENCE));
    assert_eq!(
        screen.text(),
        "2026-11-21T12:34:56.789Z WARNING note - the store is on a network file system\n"
    );
}
