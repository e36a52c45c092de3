//! Secrets are never shown: not in errors, not in warnings, not in `show`.

use crate::nothing;
use std::path::Path;
use wh_config::{Problems, parse, show, show_json};

const CANARY: &str = "c4n4ry-7f3";

/// Everything that a reading of `text` makes visible.
fn visible(name: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let told = |problems: &Problems| {
        let each = problems.iter().map(|problem| format!("{problem:?}"));
        format!("{}{}{problems}{}", problems.render(false), problems.render(true), each.collect::<String>())
    };
    match parse(name, text, Path::new("/nowhere"), env) {
        Ok(loaded) => format!(
            "{}{}{}{}{}{:?}",
            told(&loaded.warnings),
            show(&loaded.config, true),
            show(&loaded.config, false),
            show_json(&loaded.config, true),
            show_json(&loaded.config, false),
            loaded.config
        ),
        Err(problems) => told(&problems),
    }
}

#[test]
fn a_secret_written_in_the_file_is_masked_wherever_its_line_is_quoted() {
    let texts = [
        "task_manager: {api_key: CANARY, bogus: 1}",
        "task_manager:\n  api_key: CANARY\n  api_key: CANARY2",
        "task_manager:\n  api_key: [CANARY, x]",
        "task_manager:\n  api_key: {a: CANARY}",
        "task_manager: {\"api_key\": \"CANARY\", url: [1]}",
        "task_manager:\n  api_key: \"CANARY",
        "task_manager:\n  api_key: |\n    CANARY\n   bad",
        "task_manager:\n  api_key: \"CANARY\n  CANARY\"\n : [",
        "task_manager: {api_key: CANARY, x: [}",
        "api_key: CANARY",
        "passwords: [CANARY]",
        "store: postgres://user:CANARY@host/db",
        "store: {url: \"postgres://user:CANARY@host/db\"}",
        "token: &x CANARY",
        "token: !!str CANARY",
        "secret: ${CANARY",
        "secret: ${CANARY-x}",
        "? {api_key: CANARY}\n: 1",
        "workers: [{name: w, bogus: 1, env: {DB_PASSWORD: CANARY}, command: [x], task_types: [T]}]",
        "workers: [{name: w, env: [\"DB_PASSWORD=CANARY\"], command: [x], task_types: [T]}]",
        "workers: [{name: w, command: \"x --token=CANARY y\", task_types: [T]}]",
        "workers: [{name: w, command: [x, --token=CANARY], task_types: [T], metadata: {key: CANARY, k: [1]}}]",
        "workers: [{name: w, command: [x], task_types: [T], metadata: {url: \"a://b:CANARY@c\"}}]",
        "workers: [{name: w, command: [x], task_types: [T], exit_codes: {secret: CANARY}}]",
        "logging: {level: \"token=CANARY\"}",
    ];
    for text in texts {
        let text = text.replace("CANARY", CANARY);
        let seen = visible("w.yaml", &text, &nothing);
        assert!(!seen.contains(CANARY), "{text}\n{seen}");
        let seen = visible("w.json", &text, &nothing);
        assert!(!seen.contains(CANARY), "{text}\n{seen}");
    }
}

#[test]
fn what_a_variable_holds_is_never_shown() {
    let env = |name: &str| name.starts_with("MY").then(|| format!("{CANARY}/x"));
    let keys = [
        "store: V",
        "data_dir: V",
        "version: V",
        "host: {name: V}",
        "host: {labels: {a: V}}",
        "host: {labels: [V]}",
        "host: {streams: V}",
        "host: {drain: V}",
        "host: V",
        "queue: {max_size: V, ageing: V}",
        "logging: {level: V}",
        "logging: {file: V}",
        "logging: {structured: V}",
        "retention: {store_size: V}",
        "lease: {length: V}",
        "workers: V",
        "workers: [V]",
        "monitoring: {metrics: [V]}",
        "task_manager: {url: V}",
        "V: 1",
        "worker: {type: V}",
    ];
    for key in keys {
        let text = key.replace('V', "\"a${MY}b\"");
        let seen = visible("w.yaml", &text, &env);
        assert!(!seen.contains(CANARY), "{text}\n{seen}");
    }
    let lines = [
        "name: V",
        "description: V",
        "command: [V]",
        "command: [V/x]",
        "command: V",
        "venv_python: V",
        "module: V",
        "project_path: V",
        "task_types: [V, V]",
        "task_types: V",
        "streams: V",
        "mode: V",
        "soft: V",
        "soft_signal: V",
        "timeout: V",
        "isolation: V",
        "isolation: {level: V}",
        "env: {A: V}",
        "env: V",
        "exit_codes: {1: V}",
        "metadata: {a: [V]}",
        "metadata: V",
        "bounds: {line: V}",
        "retry: {base: V, attempts: V}",
        "stall_after: V",
    ];
    for line in lines {
        let line = line.replace('V', "\"${MY_V}\"");
        let others = [("name", "name: w"), ("command", "command: [x]"), ("task_types", "task_types: [T]")];
        let rest = others.into_iter().filter(|(key, _)| !line.starts_with(key)).map(|(_, pair)| pair);
        let rest: Vec<_> =
            rest.filter(|pair| !(line.starts_with("venv") && pair.starts_with("command"))).collect();
        let text = format!("workers: [{{{line}, {}}}]", rest.join(", "));
        let seen = visible("w.yaml", &text, &env);
        assert!(!seen.contains(CANARY), "{text}\n{seen}");
    }
    let twice = "workers: [{name: \"${MY}\", command: [x], task_types: [T]}, {name: \"${MY}\", command: [x], task_types: [T]}]";
    assert!(!visible("w.yaml", twice, &env).contains(CANARY));
}

#[test]
fn no_slip_of_a_finger_beside_a_secret_brings_it_to_light() {
    const TEXT: &str = "host: {name: h, drain: 5s}\ntask_manager:\n  url: \"http://u:CANARY@h/api\"\n  \
                        api_key: \"CANARY\"\n  timeout: 30\nworkers:\n  - name: w\n    command: [x]\n    \
                        env: {A: b, TOKEN: 'CANARY', C: d}\n    task_types: [T]\n    metadata:\n      \
                        password: |\n        CANARY\n      last: 1\n";
    // Names that are spelt otherwise promise no secret any more; nor does `?`, which makes a value a key.
    let untouched: Vec<_> = ["://u:", "@h", "api_key: ", "TOKEN: ", "password: ", "CANARY"]
        .iter()
        .flat_map(|part| TEXT.match_indices(part).map(|(at, part)| at..at + part.len()))
        .collect();
    for at in (0..TEXT.len()).filter(|at| !untouched.iter().any(|part| part.contains(at))) {
        let (before, after) = TEXT.split_at(at);
        let rest = after.get(1..).unwrap_or_default();
        for slip in ["", ":", "{", "]", "\"", "'", "\n", "- ", "*", "&", "!", "|", "\t", "${", "="] {
            for text in [format!("{before}{slip}{rest}"), format!("{before}{slip}{after}")] {
                let text = text.replace("CANARY", CANARY);
                let seen = visible("w.yaml", &text, &nothing);
                assert!(!seen.contains(CANARY), "{text}\n{seen}");
            }
        }
    }
}

#[test]
fn a_secret_in_an_override_is_masked() {
    let env = |name: &str| match name {
        "WORKERHOST_TASKMANAGER_API_KEY" => Some(CANARY.to_owned()),
        "WORKERHOST_STORE" => Some(format!("postgres://u:{CANARY}@h/d")),
        _ => None,
    };
    for text in ["", "task_manager: 5", "task_manager: {api_key: [x]}"] {
        let seen = visible("w.yaml", text, &env);
        assert!(!seen.contains(CANARY), "{text}\n{seen}");
    }
}

#[test]
fn show_redacts_and_says_where_each_value_is_from() {
    let env = |name: &str| (name == "NAME").then(|| CANARY.to_owned());
    let text = "host: {name: \"${NAME}\"}\ntask_manager: {api_key: abc}\n\
                workers: [{name: w, command: [/bin/sh, \"--token=abc\", \"$${X}\"], task_types: [\"A.*\"]}]\n";
    let config = parse("w.yaml", text, Path::new("/"), &env).unwrap().config;
    insta::assert_snapshot!(show(&config, true));
}

#[test]
fn a_workers_secrets_are_what_came_from_outside_and_what_has_a_name_for_it() {
    let text = "workers:\n  - name: w\n    command: [cat]\n    task_types: [t]\n    env: {PLAIN: seen, MODE: 'pre-${OUTSIDE}', \
                API_TOKEN: written, ELSE: '${UNSET:-fallback-value}'}\n";
    let env = |name: &str| (name == "OUTSIDE").then(|| "from-outside".to_owned());
    let loaded =
        parse("w.yaml", text, Path::new("/nowhere"), &env).unwrap_or_else(|problems| panic!("{problems}"));
    let mut secrets: Vec<&str> =
        loaded.config.workers[0].program.secrets.iter().map(|secret| &**secret).collect();
    secrets.sort_unstable();
    assert_eq!(secrets, ["fallback-value", "pre-from-outside", "written"]);
}

#[test]
fn values_that_came_from_outside_are_listed_for_those_who_print_what_was_made_of_them() {
    let text = "data_dir: kept/${DIR}\nworkers:\n  - {name: w, command: [sh, \"${SCRIPT}\", plain], task_types: [t], env: {API_TOKEN: \
                written, SHORT: \"${SHORT}\"}}\n";
    let env = |name: &str| match name {
        "DIR" => Some("canary-dir".to_owned()),
        "SCRIPT" => Some("canary.sh".to_owned()),
        "SHORT" => Some("abc".to_owned()),
        _ => None,
    };
    let loaded = parse("w.yaml", text, Path::new("/p"), &env).unwrap();
    assert_eq!(loaded.config.hidden_values(), ["kept/canary-dir", "canary.sh", "written"]);
}
