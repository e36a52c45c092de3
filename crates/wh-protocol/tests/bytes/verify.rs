//! The cases of `workerhost verify`: each passes what it should, fails what it should, and says how to mend it.

use serde_json::Value;
use std::collections::BTreeSet;
use wh_protocol::verify::{CASES, Case, Ended, Expect, Finding, Level, Observation, Sample, check};

const SAMPLE: Sample<'static> = Sample {
    task_type: "Example.Echo",
    params: r#"{"text":"hello"}"#,
    created_at: "2026-11-21T12:34:56Z",
    workspace: Some("/w"),
};

const SUCCESS: &str = r#"{"success":true,"result":{}}"#;
const FAILURE: &str = r#"{"success":false,"error":{"type":"ValidationError","message":"no id"}}"#;

fn seen(stdout: &str, code: u8) -> Observation {
    Observation { stdout: stdout.into(), ended: Ended::Code(code), ..Observation::silent() }
}

fn judge(id: &str, seen: &Observation) -> Result<(), Finding> {
    check(Case::of(id).unwrap(), &SAMPLE, seen)
}

/// What a case of that id found in an answer; empty where it passed.
fn found(id: &str, stdout: &str, code: u8) -> String {
    judge(id, &seen(stdout, code)).map_or_else(|finding| finding.got, |()| String::new())
}

#[test]
fn the_first_four_cases_are_the_older_templates() {
    let titles: Vec<&str> = CASES.iter().take(4).map(|case| case.title).collect();
    assert_eq!(titles, ["Valid Task Processing", "Missing Task ID", "Unknown Task Type", "Empty Params"]);
    assert!(CASES.iter().take(4).all(|case| case.level == Level::Required));
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let ids: BTreeSet<&str> = CASES.iter().map(|case| case.id).collect();
    let titles: BTreeSet<&str> = CASES.iter().map(|case| case.title).collect();
    assert_eq!((ids.len(), titles.len()), (CASES.len(), CASES.len()));
    assert!(CASES.iter().all(|case| Case::of(case.id) == Some(case)));
    assert_eq!(Case::of("no such case"), None);
}

#[test]
fn what_is_sent_is_what_the_case_says() {
    let stdin = |id: &str| Case::of(id).unwrap().stdin(&SAMPLE).unwrap();
    let json = |id: &str| serde_json::from_slice::<Value>(&stdin(id)).unwrap();
    assert_eq!(json("valid")["id"], "verify-1");
    assert_eq!(json("valid")["params"]["text"], "hello");
    assert_eq!(
        (json("missing-id").get("id"), &json("missing-id")["type"]),
        (None, &Value::from("Example.Echo"))
    );
    assert_ne!(json("unknown-type")["type"], "Example.Echo");
    assert_eq!(json("empty-params")["params"], serde_json::json!({}));
    assert!(json("large-params")["params"]["workerhost_verify"].as_str().unwrap().len() > 700_000);
    assert_eq!(json("large-params")["params"]["text"], "hello");
    assert!(json("non-ascii")["params"]["workerhost_verify"].as_str().unwrap().contains('🐎'));
    assert!(serde_json::from_slice::<Value>(&stdin("invalid-json")).is_err());
    assert!(json("not-an-object").is_array());
    assert_eq!((stdin("empty-input"), stdin("sigterm")), (vec![], vec![]));
}

#[test]
fn params_that_are_no_object_or_empty_become_one_where_a_member_is_added() {
    for params in ["{}", "null", "[1]", "{ }"] {
        let stdin = Case::of("non-ascii").unwrap().stdin(&Sample { params, ..SAMPLE }).unwrap();
        let task: Value = serde_json::from_slice(&stdin).unwrap();
        assert!(task["params"]["workerhost_verify"].is_string(), "{params}");
    }
}

#[test]
fn a_valid_task_must_succeed_with_a_result_and_exit_code_0() {
    let rows = [
        (SUCCESS, 0, ""),
        (r#"noise {"success":true,"result":null} noise"#, 0, ""),
        (r#"{"success":true}"#, 0, "success: true without `result`"),
        (FAILURE, 2, "success: false, ValidationError: no id"),
        (SUCCESS, 1, "success: true with exit code 1, which the host takes for a failure"),
        (FAILURE, 0, "success: false with exit code 0"),
        ("", 0, "exit code 0 and no result; standard output was: nothing"),
        ("done", 3, "exit code 3 and no result; standard output was: done"),
        (
            r#"{"success":true,"result":1,"tasks":5}"#,
            0,
            "a result of a wrong shape, `tasks` must be an array, not 5: {\"success\":true,\"result\":1,\"tasks\":5}",
        ),
    ];
    for (stdout, code, got) in rows {
        assert_eq!(found("valid", stdout, code), got, "{stdout}");
    }
}

#[test]
fn a_task_without_id_must_be_refused_with_words_and_an_exit_code() {
    let rows = [
        (FAILURE, 1, ""),
        (FAILURE, 2, ""),
        (FAILURE, 0, "success: false with exit code 0"),
        (SUCCESS, 0, "success: true with exit code 0"),
        (r#"{"success":false,"error":"no id"}"#, 2, "a failure whose error lacks `type` or `message`"),
        ("", 2, "exit code 2 and no result; standard output was: nothing"),
    ];
    for (stdout, code, got) in rows {
        assert_eq!(found("missing-id", stdout, code), got, "{stdout}");
    }
}

#[test]
fn unknown_types_and_empty_params_may_go_either_way_but_need_an_answer() {
    for id in ["unknown-type", "empty-params", "large-params", "non-ascii", "soft-timeout"] {
        assert_eq!(found(id, SUCCESS, 0), "", "{id}");
        assert_eq!(found(id, FAILURE, 2), "", "{id}");
        assert_eq!(found(id, r#"{"success":true}"#, 0), "", "{id}");
        assert_ne!(found(id, FAILURE, 0), "", "{id}");
        assert_ne!(found(id, SUCCESS, 1), "", "{id}");
        assert_ne!(found(id, "", 1), "", "{id}");
    }
}

#[test]
fn input_that_is_no_task_must_not_succeed() {
    for id in ["invalid-json", "not-an-object", "empty-input"] {
        assert_eq!((found(id, "", 2), found(id, FAILURE, 1)), (String::new(), String::new()), "{id}");
        assert!(found(id, SUCCESS, 0).starts_with("exit code 0"), "{id}");
    }
}

#[test]
fn a_failure_that_will_not_pass_says_so_by_its_exit_code() {
    assert_eq!(
        (found("exit-code", FAILURE, 2), found("exit-code", FAILURE, 65)),
        (String::new(), String::new())
    );
    assert_eq!(found("exit-code", FAILURE, 1), "exit code 1, after which the host tries again");
    let failure = |retry: bool| {
        format!(r#"{{"success":false,"error":{{"type":"E","message":"m","retry_possible":{retry}}}}}"#)
    };
    assert_eq!(found("retry-agreement", &failure(false), 2), "");
    assert_eq!(found("retry-agreement", &failure(true), 1), "");
    assert_eq!(found("retry-agreement", FAILURE, 1), "");
    assert!(found("retry-agreement", &failure(true), 2).starts_with("exit code 2 says no retry"));
    assert!(found("retry-agreement", &failure(false), 1).starts_with("exit code 1 says retry"));
}

#[test]
fn what_stands_beside_the_result_is_counted_and_shown() {
    assert_eq!(found("stray-output", &format!("\n {SUCCESS} \r\n"), 0), "");
    assert_eq!(
        found("stray-output", &format!("\u{1b}[31mhi\n{SUCCESS}"), 0),
        format!("7 bytes on standard output that are not the result: \\u{{1b}}[31mhi\\n{SUCCESS}")
    );
}

#[test]
fn sigterm_must_end_the_worker() {
    for ended in [Ended::Signal(15), Ended::Code(143), Ended::Code(1)] {
        assert_eq!(judge("sigterm", &Observation { ended, ..Observation::silent() }), Ok(()));
    }
    for ended in [Ended::Never, Ended::Code(0), Ended::NotStarted("gone".into())] {
        assert!(judge("sigterm", &Observation { ended, ..Observation::silent() }).is_err());
    }
}

#[test]
fn a_worker_that_hangs_crashes_or_cannot_start_fails_every_case() {
    for case in CASES {
        let broken = [Ended::Never, Ended::NotStarted("No such file".into())];
        let crash = (case.expect != Expect::EndOnSignal).then_some(Ended::Signal(11));
        for ended in broken.into_iter().chain(crash) {
            let seen = Observation { stdout: SUCCESS.into(), ended, ..Observation::silent() };
            let finding = check(&case, &SAMPLE, &seen).unwrap_err();
            assert!(!finding.sent.is_empty() && !finding.mend.is_empty(), "{}", case.id);
            assert!(finding.sent.chars().count() < 500, "{}", finding.sent);
        }
    }
}

#[test]
fn what_is_left_behind_is_named() {
    let answered = seen(SUCCESS, 0);
    for id in ["input-read", "leak", "outside"] {
        assert_eq!(judge(id, &answered), Ok(()), "{id}");
    }
    let got = |id: &str, seen: Observation| judge(id, &seen).unwrap_err().got;
    assert_eq!(
        got("input-read", Observation { stdin_unread: 9, ..answered.clone() }),
        "9 bytes of standard input were left unread"
    );
    assert_eq!(
        got("leak", Observation { leaked: vec!["sleep 60".into()], ..answered.clone() }),
        "processes outlived it (1 in all): sleep 60"
    );
    assert_eq!(
        got("outside", Observation { written_outside: vec!["/tmp/x".into()], ..answered }),
        "it wrote outside its workspace (1 files in all): /tmp/x"
    );
}

#[test]
fn a_result_on_the_channel_counts_before_one_on_standard_output() {
    let mut seen = seen(FAILURE, 0);
    seen.channel = br#"{"event":"result","success":true,"result":1}"#.to_vec();
    assert_eq!(judge("valid", &seen), Ok(()));
    seen.stdout = b"hopeless \xff".to_vec();
    assert_eq!(judge("valid", &seen), Ok(()), "standard output does not matter then");
}

#[test]
fn the_last_words_of_a_worker_that_broke_are_shown() {
    let mut seen = seen("", 1);
    seen.stderr = b"Traceback:\n  ...\nModuleNotFoundError: No module named 'x'\n".to_vec();
    let got = judge("valid", &seen).unwrap_err().got;
    assert!(got.ends_with("its last words: ModuleNotFoundError: No module named 'x'"), "{got}");
}
