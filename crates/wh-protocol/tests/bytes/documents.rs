//! The page for authors, the schemas and the code say the same.

use crate::schema::{check, root};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;
use wh_protocol::control::Control;
use wh_protocol::env;
use wh_protocol::task::{Metadata, Params, TaskObject};
use wh_protocol::verify::CASES;
use wh_protocol::{channel, result};

fn page() -> String {
    fs::read_to_string(root().join("docs/protocol.md")).unwrap()
}

/// The page's examples of one kind: the blocks that open with three backticks and `json KIND`.
fn examples(kind: &str) -> Vec<String> {
    let page = page();
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(&format!("json {kind}\n"))).map(str::to_owned).collect()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_example_of_the_page_fits_its_schema() {
    let rows = [
        ("task", "task", 2),
        ("result", "result", 3),
        ("event", "channel-event", 9),
        ("control", "control", 5),
    ];
    for (kind, schema, count) in rows {
        let examples = examples(kind);
        assert_eq!(examples.len(), count, "examples of {kind}");
        for example in examples {
            check(schema, &value(&example)).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
}

#[test]
fn every_example_is_read_without_a_warning() {
    for example in examples("result") {
        assert_eq!(result::read(&example).unwrap().warnings, Vec::<String>::new(), "{example}");
    }
    for example in examples("event") {
        channel::read(example.as_bytes(), 128).unwrap();
    }
}

#[test]
fn what_the_host_writes_fits_its_schema() {
    let metadata = Metadata {
        priority: 0,
        created_at: "2026-11-21T12:34:56Z",
        worker_id: "host-1",
        attempt: 1,
        attempt_id: "t:1",
        max_attempts: 3,
        deadline: Some("2026-11-21T12:34:56Z"),
        soft_deadline: None,
        traceparent: None,
        workspace: Some("/w"),
        checkpoint: Some("[]"),
        added: &[r#"{"tenant":"a"}"#],
    };
    for params in [Params::Inline("[1]"), Params::File { path: "input/params.json", size: 9, sha256: "ab" }] {
        let mut line = Vec::new();
        TaskObject { id: "t", task_type: "a", params, metadata }.write(&mut line).unwrap();
        check("task", &serde_json::from_slice(&line).unwrap()).unwrap();
    }
    let controls = [
        Control::SoftTimeout { remaining: Duration::from_secs(1) },
        Control::MemoryHigh { used_mb: 1, limit_mb: 2 },
        Control::Cancel { reason: "" },
        Control::Drain,
        Control::Credential { members: r#"{"key":"k"}"# },
    ];
    for control in controls {
        let mut line = Vec::new();
        control.write(&mut line);
        check("control", &serde_json::from_slice(&line).unwrap()).unwrap();
    }
}

#[test]
fn the_schemas_refuse_what_the_page_forbids() {
    let rows = [
        ("task", json!({"type": "a", "params": {}, "metadata": {}})),
        ("task", json!({"id": 7, "type": "a", "params": {}, "metadata": {}})),
        ("result", json!({"success": 1, "result": null})),
        ("result", json!({"success": true})),
        ("result", json!({"success": false, "error": {"type": "E"}})),
        ("result", json!({"success": false, "error": {"type": "E", "message": "m", "class": "cosmic"}})),
        ("result", json!({"success": true, "result": 1, "tasks": [{"params": {}}]})),
        ("channel-event", json!({"event": "dance"})),
        ("channel-event", json!({"event": "progress"})),
        ("channel-event", json!({"event": "metric", "name": "n"})),
        ("control", json!({"control": "soft_timeout"})),
    ];
    for (schema, value) in rows {
        assert!(check(schema, &value).is_err(), "{schema}: {value}");
    }
}

#[test]
fn the_page_names_every_case_of_verify_and_every_variable() {
    let page = page();
    for case in CASES {
        assert!(page.contains(&format!("`{}`", case.id)), "the case {} is not on the page", case.id);
    }
    for name in
        [env::PROTOCOL, env::TASK_ID, env::ATTEMPT_ID, env::DEADLINE_MS, env::CHANNEL_FD, env::TRACEPARENT]
    {
        assert!(page.contains(&format!("`{name}`")), "the variable {name} is not on the page");
    }
}

#[test]
fn every_rule_is_checked_and_every_test_that_the_page_names_exists() {
    let page = page();
    let (rules, checks) = page.split_once("## 9.").unwrap();
    let stated: BTreeSet<&str> =
        rules.split("**").filter(|word| is_rule(word.trim_matches(['(', ')']))).collect();
    assert_eq!(stated.len(), 36, "W1 to W12 and H1 to H24: {stated:?}");
    let sources: String = fs::read_dir(root().join("crates/wh-protocol/tests/bytes"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for row in checks.lines().filter(|line| line.starts_with("| H")) {
        for name in row.split('`').skip(1).step_by(2) {
            assert!(
                sources.contains(&format!("fn {name}(")),
                "the page names a test {name}, and there is none"
            );
        }
    }
}

fn is_rule(word: &str) -> bool {
    word.strip_prefix(['W', 'H'])
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
