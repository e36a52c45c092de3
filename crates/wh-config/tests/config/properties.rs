//! What holds for any file.

use crate::{nothing, refused};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use wh_config::{Loaded, Problems, Severity, parse, show, show_json};

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let read = parse("w.yaml", &text, Path::new("/nowhere"), &nothing);
        prop_assert!(is_sound(&read));
    }

    #[test]
    fn no_text_of_signs_makes_the_reader_panic(text in "[-?:,\\[\\]{}#&*!|>'\"%@`a-c0 \t\r\n$~<.\u{e4}\u{0}]{0,200}") {
        for name in ["w.yaml", "w.json"] {
            let read = parse(name, &text, Path::new("/nowhere"), &nothing);
            prop_assert!(is_sound(&read));
        }
    }

    #[test]
    fn no_bytes_in_a_file_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        prop_assert!(is_sound(&wh_config::load(file.path(), &nothing)));
    }

    #[test]
    fn no_damage_to_a_good_file_makes_the_reader_panic(
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        put in "[-?:,\\[\\]{}#&*!|>'\"%@`a0 \t\n$~]{0,8}",
    ) {
        let mut text: Vec<char> = include_str!("files/complete.yaml").chars().collect();
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        text.splice(start..end, put.chars());
        let text: String = text.into_iter().collect();
        let read = parse("w.yaml", &text, Path::new("/nowhere"), &nothing);
        prop_assert!(is_sound(&read));
    }

    #[test]
    fn any_json_is_read_exactly(value in json_value()) {
        let object = json!({"a": value});
        for metadata in [object.to_string(), format!("{object:#}"), format!("{object:#}").replace("\n  ", "\r\n\t")] {
            let text = format!(r#"{{"workers": [{{"name": "w", "command": ["/bin/sh"], "task_types": ["T"], "metadata": {metadata}}}]}}"#);
            let loaded = parse("w.json", &text, Path::new("/nowhere"), &nothing);
            let loaded = loaded.map_err(|problems| TestCaseError::fail(problems.render(false)))?;
            let read: Value = serde_json::from_str(loaded.config.workers[0].metadata.as_deref().unwrap()).unwrap();
            prop_assert_eq!(&read, &object);
        }
    }

    #[test]
    fn what_show_prints_reads_back_the_same(text in "\\PC{0,20}", seconds in 1_u64..100_000, bytes in 1_u64..=1 << 26) {
        let quoted = Value::String(text.replace("${", "$${"));
        let text = format!(
            "host: {{name: {quoted}, labels: [{quoted}]}}\nworkers: [{{name: w, command: [/bin/sh, {quoted}], \
             task_types: [T], timeout: {seconds}, retry: {{attempts: 7}}, bounds: {{params: {bytes}}}, \
             env: {{A: {quoted}}}, metadata: {{m: [{quoted}, null]}}, exit_codes: {{3: failed}}, soft_signal: 12}}]"
        );
        let first = parse("w.yaml", &text, Path::new("/nowhere"), &nothing).unwrap().config;
        let shown = show(&first, true);
        prop_assume!(!shown.contains("<redacted>"));
        let second = parse("w.yaml", &shown, Path::new("/nowhere"), &nothing);
        let second = second.map_err(|problems| TestCaseError::fail(format!("{shown}\n{}", problems.render(false))))?;
        prop_assert_eq!(&first.workers, &second.config.workers);
        prop_assert_eq!(&first.host, &second.config.host);
        prop_assert_eq!(show(&first, false), show(&second.config, false));
        let told = show_json(&first, false).to_string();
        let third = parse("w.json", &told, Path::new("/nowhere"), &nothing);
        let third = third.map_err(|problems| TestCaseError::fail(format!("{told}\n{}", problems.render(false))))?;
        prop_assert_eq!(show(&first, false), show(&third.config, false));
    }
}

/// What loads has warnings at most; what does not has an error. Both can be rendered.
fn is_sound(read: &Result<Loaded, Problems>) -> bool {
    match read {
        Ok(loaded) => !loaded.warnings.has_errors() && !show(&loaded.config, true).is_empty(),
        Err(problems) => problems.has_errors() && !problems.render(true).is_empty(),
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        // `${` would be filled in; it has its own tests.
        any::<String>().prop_map(|text| Value::String(text.replace("${", "$"))),
        "[-?:,#&*!|>'\"%@`~ \t\r\n\u{e4}\u{feff}\u{7f}\u{85}\u{2028}\u{0}]{0,12}".prop_map(Value::String),
        prop::sample::select(vec!["true", "null", "1", "~", "", "- a", "a: b", "<<", "0x1", "1e3"])
            .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::hash_map("[a-z \u{e4}:#\"-]{0,8}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every value of a good file, replaced by values that cannot be right there.
fn spoiled(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let key_only = key.trim_start_matches([' ', '-']);
        if key_only.is_empty() || key_only.starts_with('#') {
            continue;
        }
        let mut variant = |line: String| {
            let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            all[at] = line;
            out.push(all.join("\n"));
        };
        // An unknown key, a key without its colon, a variable that is not set, a bracket left open.
        variant(line.replacen(key_only, &format!("{key_only}_zzz"), 1));
        variant(format!("{key}: ${{NOT_SET_ANYWHERE}}"));
        variant(format!("{key}: [{value}"));
        variant(format!("{key}: *alias"));
        variant(format!("{key}: !tag{value}"));
        if !value.trim().is_empty() {
            variant(format!("{key}: {{zzz: [1]}}"));
            variant(format!(
                "{line}\n{}{key_only}:{value}",
                " ".repeat(line.len() - line.trim_start_matches([' ', '-']).len())
            ));
        }
    }
    out
}

#[test]
fn hundreds_of_spoiled_files_all_give_errors_with_a_position() {
    let spoiled = spoiled(include_str!("files/complete.yaml"));
    assert!(spoiled.len() >= 300, "{}", spoiled.len());
    for text in spoiled {
        // Metadata is the user's own; anything may stand there.
        if text.contains("metadata: {zzz") {
            continue;
        }
        let problems = refused(&text);
        for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
            let place = problem.place.as_ref().unwrap_or_else(|| panic!("{text}\n{problem:?}"));
            let line = text.lines().nth(place.line - 1).unwrap_or_default();
            assert!(place.column <= line.chars().count() + 1, "{text}\n{problem:?}");
            assert!(problem.help.is_some());
        }
    }
}
