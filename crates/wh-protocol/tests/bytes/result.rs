//! Result objects, well and badly shaped.

use std::time::Duration;
use wh_protocol::result::{BadResult, Class, ErrorReport, FollowUp, LogEntry, Report, When, log_level, read};

fn failure(text: &str) -> (ErrorReport, Vec<String>) {
    let result = read(text).unwrap();
    let Report::Failure(error) = result.report else { panic!("{text}") };
    (error, result.warnings)
}

fn error(members: &str) -> ErrorReport {
    let (error, warnings) = failure(&format!(r#"{{"success":false,"error":{{{members}}}}}"#));
    assert_eq!(warnings, Vec::<String>::new(), "{members}");
    error
}

#[test]
fn a_success_keeps_its_result_as_written() {
    for value in ["null", "0", r#"{"b":1,"a":1.10,"b":2}"#, "12345678901234567890123", "1e999", r#""\ud800""#]
    {
        let result = read(&format!(r#"{{"success":true,"result":{value}}}"#)).unwrap();
        assert_eq!(result.report, Report::Success(value.into()));
        assert_eq!(result.warnings, Vec::<String>::new());
    }
}

#[test]
fn a_success_without_a_result_is_null_with_a_warning() {
    let result = read(r#"{"success":true}"#).unwrap();
    assert_eq!(result.report, Report::Success("null".into()));
    assert_eq!(result.warnings, ["`result` is missing beside success: true; null is kept"]);
}

#[test]
fn a_failure_says_all_it_knows() {
    let full = error(
        r#""type":"NetworkError","message":"no route","traceback":"line 1\nline 2","retry_possible":true,
           "retry_after":30,"class":"quota","status":429"#,
    );
    assert_eq!(
        full,
        ErrorReport {
            kind: "NetworkError".into(),
            message: "no route".into(),
            traceback: Some("line 1\nline 2".into()),
            retry_possible: Some(true),
            retry_after: Some(When::In(Duration::from_secs(30))),
            class: Some(Class::Quota),
            status: Some(429),
        }
    );
}

#[test]
fn retry_after_is_seconds_or_a_moment() {
    let rows = [
        ("30", When::In(Duration::from_secs(30))),
        ("0", When::In(Duration::ZERO)),
        ("1.5", When::In(Duration::from_millis(1_500))),
        (r#""45""#, When::In(Duration::from_secs(45))),
        (r#""2026-11-21T12:34:56Z""#, When::At(1_795_264_496_000)),
    ];
    for (value, when) in rows {
        assert_eq!(error(&format!(r#""retry_after":{value}"#)).retry_after, Some(when), "{value}");
    }
}

#[test]
fn a_field_of_the_wrong_shape_is_named_and_the_rest_is_kept() {
    let rows = [
        ("retry_possible", r#""yes""#, "true or false"),
        ("retry_after", "-1", "seconds or an RFC 3339 time"),
        ("retry_after", "1e999", "seconds or an RFC 3339 time"),
        ("retry_after", r#""soon""#, "seconds or an RFC 3339 time"),
        ("class", r#""cosmic""#, "transient, resource, logic or quota"),
        ("status", "70000", "an HTTP status"),
        ("status", r#""busy""#, "an HTTP status"),
    ];
    for (name, value, wanted) in rows {
        let (error, warnings) =
            failure(&format!(r#"{{"success":false,"error":{{"message":"kept","{name}":{value}}}}}"#));
        assert_eq!(error, ErrorReport { message: "kept".into(), ..ErrorReport::default() });
        assert_eq!(warnings, [format!("`error.{name}` must be {wanted}, not {value}; it is ignored")]);
    }
}

#[test]
fn sloppy_failures_keep_their_words() {
    let (plain, warnings) = failure(r#"{"success":false,"error":"it broke"}"#);
    assert_eq!((plain.message.as_str(), warnings.len()), ("it broke", 1));
    let (none, warnings) = failure(r#"{"success":false}"#);
    assert_eq!((none, warnings.len()), (ErrorReport::default(), 1));
    assert_eq!(error(r#""type":"E","message":{"code":7}"#).message, r#"{"code":7}"#);
    assert_eq!(error(r#""message":"file \udcff.txt""#).message, "file \u{fffd}\u{fffd}\u{fffd}.txt");
    assert_eq!(error(r#""message":"m","traceback":null,"retry_possible":null"#).traceback, None);
}

#[test]
fn logs_are_read_as_far_as_they_can_be() {
    let result = read(
        r#"{"success":true,"result":1,"logs":[{"level":"warn","message":"w"},{"message":"m"},"bare",{"level":"x"},7]}"#,
    )
    .unwrap();
    let entry = |level, message: &str| LogEntry { level, message: message.into() };
    assert_eq!(
        result.logs,
        [
            entry("WARNING", "w"),
            entry("INFO", "m"),
            entry("INFO", "bare"),
            entry("INFO", r#"{"level":"x"}"#),
            entry("INFO", "7")
        ]
    );
    let odd = read(r#"{"success":true,"result":1,"logs":"text"}"#).unwrap();
    assert_eq!(odd.warnings, [r#"`logs` must be an array, not "text"; it is ignored"#]);
}

#[test]
fn levels_of_any_logger_are_five() {
    let rows =
        [("debug", "DEBUG"), ("Info", "INFO"), ("WARN", "WARNING"), ("fatal", "CRITICAL"), ("", "INFO")];
    for (word, level) in rows {
        assert_eq!(log_level(word), level, "{word}");
    }
}

#[test]
fn follow_up_tasks_are_read_in_their_order() {
    let result = read(
        r#"{"success":true,"result":1,"tasks":[{"type":"a"},
            {"type":"b","params":{"n":1.10},"id":"x","priority":-3,"unique":"k","run_at":"2026-11-21T12:34:56Z"},
            {"type":"c","delay":1.5,"id":null,"later":"unknown fields are ignored"}]}"#,
    )
    .unwrap();
    let plain = |task_type: &str| FollowUp {
        id: None,
        task_type: task_type.into(),
        params: "{}".into(),
        priority: 0,
        unique: None,
        run_at: None,
    };
    assert_eq!(
        result.tasks,
        [
            plain("a"),
            FollowUp {
                id: Some("x".into()),
                params: r#"{"n":1.10}"#.into(),
                priority: -3,
                unique: Some("k".into()),
                run_at: Some(When::At(1_795_264_496_000)),
                ..plain("b")
            },
            FollowUp { run_at: Some(When::In(Duration::from_millis(1_500))), ..plain("c") },
        ]
    );
}

#[test]
fn follow_up_tasks_that_cannot_be_enqueued_as_written_are_an_error_with_its_path() {
    let rows = [
        (r#"{"a":1}"#, "`tasks` must be an array, not {\"a\":1}"),
        ("[1]", "`tasks[0]` must be an object, not 1"),
        (r#"[{"type":"a"},{}]"#, "`tasks[1].type` is missing"),
        (r#"[{"type":""}]"#, "`tasks[0].type` must be a text that is not empty, not \"\""),
        (r#"[{"type":7}]"#, "`tasks[0].type` must be a text that is not empty, not 7"),
        (r#"[{"type":"a","id":7}]"#, "`tasks[0].id` must be a text that is not empty, not 7"),
        (r#"[{"type":"a","priority":1.5}]"#, "`tasks[0].priority` must be a 32-bit integer, not 1.5"),
        (r#"[{"type":"a","run_at":5}]"#, "`tasks[0].run_at` must be an RFC 3339 time, not 5"),
        (r#"[{"type":"a","delay":"x"}]"#, "`tasks[0].delay` must be seconds, not \"x\""),
        (
            r#"[{"type":"a","delay":1,"run_at":"2026-11-21T12:34:56Z"}]"#,
            "`tasks[0].delay` and run_at exclude each other",
        ),
    ];
    for (tasks, message) in rows {
        let error = read(&format!(r#"{{"success":true,"result":1,"tasks":{tasks}}}"#)).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_failure_enqueues_nothing() {
    let result =
        read(r#"{"success":false,"error":{"message":"m"},"tasks":[{"type":"a"}],"partial":[1]}"#).unwrap();
    assert_eq!((result.tasks.len(), result.warnings.len()), (0, 1));
    assert_eq!(result.partial.as_deref(), Some("[1]"));
}

#[test]
fn success_must_be_a_boolean_and_of_repeated_keys_the_last_counts() {
    for (text, path) in [(r#"{"success":1}"#, "success"), ("{}", "success")] {
        assert!(matches!(read(text), Err(BadResult::Field { path: at, .. }) if at == path), "{text}");
    }
    assert!(matches!(read("[]"), Err(BadResult::NotAnObject(_))));
    let twice = read(r#"{"success":false,"success":true,"result":1,"result":2}"#).unwrap();
    assert_eq!(twice.report, Report::Success("2".into()));
}
