//! The variables a worker gets.

use std::num::NonZeroU32;
use wh_protocol::env::{Environment, Places};

fn full() -> Environment<'static> {
    Environment {
        task_id: "t-1",
        task_type: "video",
        host_id: "h-1",
        attempt: 2,
        attempt_id: "t-1:7",
        max_attempts: 3,
        worker: "scrape",
        stream: 4,
        places: Some(Places {
            workspace: "/w",
            input: "/w/input",
            working: "/w/working",
            output: "/w/output",
            logs: "/w/logs",
        }),
        deadline_ms: 1_795_264_496_000,
        soft_deadline_ms: 1_795_264_436_000,
        channel_fd: NonZeroU32::new(3),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    }
}

#[test]
fn every_variable_of_the_protocol_is_set() {
    let shown: Vec<String> =
        full().variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        [
            "WORKERHOST_PROTOCOL=1",
            "WORKERHOST_TASK_ID=t-1",
            "WORKERHOST_TASK_TYPE=video",
            "WORKERHOST_HOST_ID=h-1",
            "WORKERHOST_ATTEMPT=2",
            "WORKERHOST_ATTEMPT_ID=t-1:7",
            "WORKERHOST_MAX_ATTEMPTS=3",
            "WORKERHOST_WORKER=scrape",
            "WORKERHOST_STREAM=4",
            "WORKERHOST_DEADLINE_MS=1795264496000",
            "WORKERHOST_SOFT_DEADLINE_MS=1795264436000",
            "WORKERHOST_WORKSPACE=/w",
            "WORKERHOST_INPUT_DIR=/w/input",
            "WORKERHOST_WORKING_DIR=/w/working",
            "WORKERHOST_OUTPUT_DIR=/w/output",
            "WORKERHOST_LOGS_DIR=/w/logs",
            "WORKERHOST_CHANNEL_FD=3",
            "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ]
    );
}

#[test]
fn what_an_attempt_does_not_have_is_not_named() {
    let bare = Environment { places: None, channel_fd: None, traceparent: None, ..full() };
    assert_eq!(bare.variables().len(), 11);
}
