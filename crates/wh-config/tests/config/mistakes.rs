//! What does not load, and how it is told.

use crate::{loaded, messages, nothing, refused, worker};
use std::path::Path;
use wh_config::{Severity, parse};

#[test]
fn every_mistake_of_a_file_is_told_in_one_pass_with_its_line_and_its_mend() {
    let problems = refused(include_str!("files/mistakes.yaml"));
    insta::assert_snapshot!(problems.render(false));
    assert!(problems.render(true).contains("\u{1b}["));
}

/// A mistake within one worker's lines: its line and column, what is wrong, what to write.
#[track_caller]
fn check(lines: &str, line: usize, column: usize, message: &str, help: &str) {
    let problems = refused(&worker(lines));
    let told: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    let [problem] = told.as_slice() else { panic!("{}", problems.render(false)) };
    let place = problem.place.as_ref().unwrap();
    assert_eq!((problem.message.as_str(), place.line, place.column), (message, line, column));
    let said = problem.help.as_deref().unwrap();
    assert!(said.contains(help), "{said}");
}

#[test]
fn each_mistake_points_at_itself() {
    check("taskTypes: [A]", 5, 5, "a worker has no key `taskTypes`", "did you mean `task_types`?");
    check("drain: 5s", 5, 5, "a worker has no key `drain`", "it belongs under `host`");
    check("data_dir: x", 5, 5, "a worker has no key `data_dir`", "it belongs at the top of the file");
    check("timeout: ", 5, 5, "`timeout` has no value", "`timeout: 5m`");
    check("timeout: 0", 5, 14, "`timeout`: `0` is too short", "from 1ms to 365d");
    check("timeout: -5s", 5, 14, "`timeout`: `-5s` is below zero", "from 1ms to 365d");
    check("timeout: 400d", 5, 14, "`timeout`: `400d` is too long", "from 1ms to 365d");
    check("timeout: [5]", 5, 14, "`timeout` is a list, but has to be a duration from 1ms to 365d", "5m");
    check("timeout: 10\n    soft: 10s", 6, 11, "soft must be below timeout", "`soft: 80%`");
    check("max_retries: 0", 5, 18, "`max_retries`: `0` is too small", "`max_attempts: 1`");
    check(
        "max_attempts: 2\n    max_retries: 3",
        6,
        5,
        "`max_retries` says something else than `max_attempts` or its other name above",
        "keep one",
    );
    check("retry: {base: 2m}", 5, 19, "`retry.base` is longer than `retry.max`", "{base: 1s, max: 1m}");
    check("retry: {backoff: linear}", 5, 22, "`backoff`: `linear` is not available", "factor: 1");
    check("mode: fork", 5, 11, "`mode`: `fork` is not available", "`mode: oneshot`");
    check("isolation: {level: soft}", 5, 24, "`level`: `soft` is not available", "`isolation: strict`");
    check("isolation: {level: strict, network: [http]}", 5, 42, "`http` is no port", "network: [443]");
    check("isolation: {level: strict, network: [0]}", 5, 42, "`0` is no port", "network: [443]");
    check("outputs: [{format: json}]", 5, 15, "this output has no `path`", "`path: report.md`");
    check(
        "outputs: [{path: ../x}]",
        5,
        22,
        "the path `../x` has an empty part, `.` or `..`",
        "below `output/`",
    );
    check("outputs: [{path: a, min_count: 2}]", 5, 36, "one name stands for one file", "write a `*`");
    check(
        "outputs: [{path: a, format: json_schema}]",
        5,
        33,
        "`json_schema` needs a schema",
        "name its file",
    );
    check(
        "outputs: [{path: a, schema: s.json}]",
        5,
        33,
        "`schema` is for JSON, and the format is `any`",
        "`format: json_schema`",
    );
    check(
        "workspace: none\n    outputs: [{path: a}]",
        6,
        14,
        "a worker without a workspace can leave no outputs",
        "`workspace: full`",
    );
    check("exit_codes: {-1: failed}", 5, 18, "`-1` is no exit code", "0 to 255");
    check("env: {\"A=B\": x}", 5, 11, "`A=B` is no name of a variable", "letters");
    check(
        "env: {WORKERHOST_X: x}",
        5,
        11,
        "`WORKERHOST_X` belongs to the host, which sets it for every task",
        "",
    );
    check("env: {A: [x]}", 5, 14, "`A` under `env` is not a text", "env: {");
    check(
        "project_path: ~/x",
        5,
        19,
        "`project_path`: `~/x` begins with `~`, which only a shell understands",
        "${HOME}",
    );
    check(
        "venv_python: p",
        3,
        14,
        "`command` and `venv_python` with `module` are two ways to say what to run",
        "one",
    );
    check("description: ${A}", 5, 18, "the environment variable `A` is not set", "${A:-default}");
    check("description: x ${A", 5, 20, "`${` is never closed", "${NAME}");
    check("description: &a x", 5, 18, "an anchor marks a value for use elsewhere", "take it out");
    check("description: *a", 5, 18, "an alias points to another part of the file", "write the value");
    check("description: !!str x", 5, 18, "a tag gives a value a type", "take it out");
    check("? [a]\n    : b", 5, 7, "a key must be a text", "quotes");
    check("name: x", 5, 5, "the key `name` stands here a second time", "the first is in line 2");
}

#[test]
fn a_worker_says_what_it_lacks() {
    let problems = refused("workers:\n  - streams: 2\n  - {module: m}\n  - 5\n");
    assert_eq!(
        messages(&problems),
        [
            "this worker has no `name`",
            "this worker has no `task_types`, so it would never be given a task",
            "this worker has no `command`",
            "this worker has no `name`",
            "this worker has no `task_types`, so it would never be given a task",
            "this worker has no `venv_python`",
            "a worker wants keys with values here",
        ]
    );
}

#[test]
fn a_file_that_is_no_yaml_or_json_is_told_with_its_place() {
    let place = |name: &str, text: &str| {
        let problems = parse(name, text, Path::new("/"), &nothing).unwrap_err();
        let problem = problems.iter().next().unwrap();
        let place = problem.place.clone().unwrap();
        (place.line, place.column, problem.message.clone())
    };
    let (line, _, message) = place("w.yaml", "a: 1\nb: ]\n");
    assert_eq!(line, 2, "{message}");
    assert_eq!(place("w.json", "{\"ä\": 1,\n \"ö\": ü}").0, 2);
    assert_eq!(place("w.json", "{\"ä\": 1,\n \"ö\": x}").1, 7);
    assert!(place("w.json", "host: {}").2.starts_with("this is no JSON"));
    assert!(place("w.json", "{\"host\": {}} # no").2.starts_with("this is no JSON"));
    assert_eq!(place("w.yaml", "a: 1\n---\nb: 2\n").0, 2);
    assert_eq!(place("w.yaml", "%YAML 1.2\n---\na: 1\n").0, 1);
    assert_eq!(place("w.yaml", "- a\n").2, "the configuration wants keys with values here");
}

#[test]
fn an_override_that_is_wrong_is_shown_as_the_environment_has_it() {
    let env = |name: &str| (name == "WORKERHOST_LOGGING_LEVEL").then(|| "LOUD".to_owned());
    let problems = parse("w.yaml", "", Path::new("/"), &env).unwrap_err();
    let problem = problems.iter().find(|problem| problem.severity == Severity::Error).unwrap();
    let place = problem.place.as_ref().unwrap();
    assert_eq!((place.file.as_str(), place.line, place.column), ("environment", 1, 26));
    assert_eq!(place.text, "WORKERHOST_LOGGING_LEVEL=LOUD");
}

#[test]
fn an_empty_file_is_a_configuration_without_workers() {
    for text in ["", "\n", "# nothing\n", "---\n", "{}", "null", "workers: []"] {
        let told = loaded(text).warnings;
        let expected = usize::from(text != "workers: []");
        assert_eq!(told.len(), expected, "{text:?}: {}", told.render(false));
    }
}

#[test]
fn in_a_long_or_masked_line_the_column_is_still_that_of_the_file() {
    let text = format!(r#"{{"host":{{"name":"{}"}},"api_key":"hidden","wörkers":[]}}"#, "ä".repeat(300));
    let problems = parse("w.json", &text, Path::new("/"), &nothing).unwrap_err();
    let before = text.find("\"wörkers\"").and_then(|at| text.get(..at)).unwrap();
    let place = format!("w.json:1:{}\n", before.chars().count() + 1);
    for rendered in [problems.render(false), problems.render(true)] {
        assert!(rendered.contains(&place), "{place}{rendered}");
        assert!(rendered.contains("did you mean `workers`?") && !rendered.contains("hidden"), "{rendered}");
    }
}
