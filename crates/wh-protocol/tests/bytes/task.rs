//! The task object: one line, the producer's values as written, the host's fields its own.

use proptest::prelude::*;
use serde_json::value::RawValue;
use wh_protocol::task::{BadTask, Metadata, PARAMS_FILE, Params, RESERVED, TaskObject};

fn task<'a>(params: &'a str, added: &'a [&'a str]) -> TaskObject<'a> {
    TaskObject {
        id: "task-1",
        task_type: "Video.Scrape",
        params: Params::Inline(params),
        metadata: Metadata {
            priority: -5,
            created_at: "2026-11-21T12:34:56Z",
            worker_id: "host-1",
            attempt: 1,
            attempt_id: "task-1:9",
            max_attempts: 3,
            deadline: None,
            soft_deadline: None,
            traceparent: None,
            workspace: None,
            checkpoint: None,
            added,
        },
    }
}

fn written(task: &TaskObject<'_>) -> String {
    let mut out = Vec::new();
    task.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const META: &str = r#""priority":-5,"created_at":"2026-11-21T12:34:56Z","worker_id":"host-1","attempt":1,"attempt_id":"task-1:9","max_attempts":3"#;

#[test]
fn a_task_is_one_line_with_four_members() {
    assert_eq!(
        written(&task(r#"{"video":"abc"}"#, &[])),
        format!(
            r#"{{"id":"task-1","type":"Video.Scrape","params":{{"video":"abc"}},"metadata":{{{META}}}}}"#
        ) + "\n"
    );
}

#[test]
fn every_optional_member_has_its_place() {
    let mut task = task("{}", &[r#"{"tenant":"a","n":1e999}"#]);
    task.metadata.deadline = Some("2026-11-21T12:39:56Z");
    task.metadata.soft_deadline = Some("2026-11-21T12:38:56Z");
    task.metadata.traceparent = Some("00-a-b-01");
    task.metadata.workspace = Some("/w");
    task.metadata.checkpoint = Some(r#"{"page": 7}"#);
    let rest = r#","deadline":"2026-11-21T12:39:56Z","soft_deadline":"2026-11-21T12:38:56Z","traceparent":"00-a-b-01","workspace":"/w","checkpoint":{"page": 7},"tenant":"a","n":1e999"#;
    assert!(written(&task).ends_with(&format!("\"metadata\":{{{META}{rest}}}}}\n")));
}

#[test]
fn params_keep_every_byte_but_line_ends_between_tokens() {
    for params in [
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"n":12345678901234567890123,"x":1.10,"y":1E+2}"#,
        r#"{"s":"\u00e9\/\ud800","é":"🐎"}"#,
        "[1, 2,\t3]",
        "null",
        "\"text\"",
    ] {
        assert!(
            written(&task(params, &[])).contains(&format!("\"params\":{params},\"metadata\"")),
            "{params}"
        );
    }
    assert!(written(&task("{\r\n  \"a\": \"\\n\"\n}\n", &[])).contains("\"params\":{    \"a\": \"\\n\" },"));
}

#[test]
fn large_params_leave_their_place_size_and_digest() {
    let mut task = task("", &[]);
    task.params = Params::File { path: PARAMS_FILE, size: 2_000_000, sha256: "ab12" };
    assert!(
        written(&task).contains(r#""params":{"$file":"input/params.json","size":2000000,"sha256":"ab12"}"#)
    );
}

#[test]
fn nobody_but_the_host_sets_the_hosts_fields() {
    for name in RESERVED {
        let added = format!(r#"{{"{name}":"forged","kept":[1,  2]}}"#);
        let line = written(&task("{}", &[&added]));
        assert!(!line.contains("forged"), "{line}");
        assert!(line.contains(r#","kept":[1,  2]"#), "{line}");
    }
    assert!(!written(&task("{}", &[r#"{"\u0064eadline":"forged"}"#])).contains("forged"));
}

#[test]
fn of_two_objects_that_add_a_field_the_earlier_one_counts() {
    let line = written(&task("{}", &[r#"{"a":1,"a":2}"#, r#"{"a":3,"b":4}"#]));
    assert!(line.ends_with("\"max_attempts\":3,\"a\":1,\"a\":2,\"b\":4}}\n"), "{line}");
}

#[test]
fn what_is_no_json_is_refused_and_nothing_is_written() {
    let mut out = b"before".to_vec();
    assert!(matches!(task("{", &[]).write(&mut out), Err(BadTask::Params(_))));
    assert!(matches!(task("{}", &["[]"]).write(&mut out), Err(BadTask::Metadata(_))));
    let mut broken = task("{}", &[]);
    broken.metadata.checkpoint = Some("{\"a\":");
    assert!(matches!(broken.write(&mut out), Err(BadTask::Checkpoint(_))));
    assert_eq!(out, b"before");
}

#[derive(serde::Deserialize)]
struct Read<'a> {
    id: String,
    r#type: String,
    #[serde(borrow)]
    params: &'a RawValue,
}

proptest! {
    #[test]
    fn any_id_and_type_come_back_as_they_were(id in any::<String>(), task_type in any::<String>(), params in any::<String>()) {
        let params = serde_json::to_string(&params).unwrap();
        let line = written(&TaskObject { id: &id, task_type: &task_type, ..task(&params, &[]) });
        prop_assert_eq!(line.bytes().filter(|byte| *byte == b'\n').count(), 1);
        let read: Read<'_> = serde_json::from_str(&line).unwrap();
        prop_assert_eq!((read.id, read.r#type, read.params.get()), (id, task_type, &*params));
    }
}
