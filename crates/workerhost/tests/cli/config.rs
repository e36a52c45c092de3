//! What is configured, and whether it is right.

use crate::place::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const TWO_WORKERS: &str = r#"
host: {streams: 4}
workers:
  - name: film
    command: [sh, -c, "exit 1", "--token=abc"]
    task_types: [Media.Film, "Media.*"]
    streams: 2
    timeout: 15m
  - name: rest
    command: [sh]
    task_types: ["*"]
"#;

#[test]
fn a_configuration_that_is_fine_is_told_with_what_was_found_and_nothing_is_made() {
    let place = Place::with(TWO_WORKERS);
    let said = place.ok(&["config", "check"]);
    let data = place.path().canonicalize().unwrap().join(".workerhost");
    for words in [
        "workerhost.yaml is fine: 2 workers, at most 4 streams at once.",
        &format!("store     sqlite:{}/tasks.db", data.display()),
        &format!("data_dir  {}", data.display()),
        "film    2        15m      Media.Film, Media.*",
    ] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    assert_eq!(said.err, "");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "only the file itself");
    let found = &place.ok(&["config", "check", "--json"]).objects()[0];
    assert_eq!((&found["streams"], &found["workers"][0]["timeout_ms"]), (&4.into(), &900_000.into()));
}

#[test]
fn every_mistake_is_told_in_one_pass_with_its_place_and_code_9() {
    let place = Place::with("workers:\n  - name: w\n    comand: [sh]\n    timeout: soon\n");
    let said = place.run(&["config", "check"]);
    assert_eq!((said.code, said.out.as_str()), (Some(9), ""), "{said:?}");
    for words in ["workerhost.yaml:3:5", "did you mean `command`?", "workerhost.yaml:4:14", "has 4 errors"] {
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    let said = place.run(&["config", "check", "--json"]);
    assert_eq!(said.code, Some(9));
    let told = said.objects();
    assert_eq!(told.len(), 4, "{said:?}");
    assert!(told.iter().all(|problem| problem["schema"] == "workerhost.config-problem/v1"));
    let place_of = |at: usize| (told[at]["line"].as_u64(), told[at]["column"].as_u64());
    assert!((0..4).any(|at| place_of(at) == (Some(4), Some(14)) && told[at]["severity"] == "error"));
}

#[test]
fn warnings_are_shown_and_do_no_harm() {
    let place = Place::with(&format!("{TWO_WORKERS}monitoring: {{enabled: true}}\n"));
    let said = Place::said(place.command(&["config", "check"]).env("WORKERHOST_LOGING_LEVEL", "debug"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("did you mean `WORKERHOST_LOGGING_LEVEL`?"), "{said:?}");
    assert!(said.err.contains("`monitoring`"), "{said:?}");
    assert!(said.out.contains("can be used, with 2 warnings"), "{said:?}");
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let place = Place::with("");
    let none = place.run(&["config", "check"]);
    assert_eq!(none.code, Some(9));
    assert!(none.err.contains("there is no configuration here") && none.err.contains("-c FILE"), "{none:?}");
    let missing = place.run(&["-c", "other.yaml", "config", "check"]);
    assert_eq!(missing.code, Some(9));
    assert!(missing.err.contains("other.yaml: the file cannot be read"), "{missing:?}");
    place.write("latin.yaml", b"host: {name: \xe4}\n");
    let latin = place.run(&["-c", "latin.yaml", "config", "show"]);
    assert_eq!(latin.code, Some(9));
    assert!(latin.err.contains("not UTF-8 at byte 13"), "{latin:?}");
    let folder = place.run(&["-c", ".", "config", "check", "--json"]);
    assert_eq!(folder.code, Some(9));
    assert_eq!(folder.objects()[0]["severity"], "error", "{folder:?}");
}

#[test]
fn a_file_that_may_not_be_read_is_told_so() {
    let place = Place::with(TWO_WORKERS);
    let file = place.path().join("workerhost.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        // Nothing is forbidden to the superuser.
        return;
    }
    let said = place.run(&["config", "check"]);
    assert_eq!(said.code, Some(9));
    assert!(said.err.contains("Permission denied"), "{said:?}");
}

#[test]
fn what_holds_is_shown_with_where_it_comes_from_and_without_secrets() {
    let place = Place::with(TWO_WORKERS);
    let said =
        Place::said(place.command(&["config", "show", "--origin"]).env("WORKERHOST_LOGGING_LEVEL", "debug"));
    assert_eq!(said.code, Some(0), "{said:?}");
    for words in [
        "streams: 4  # workerhost.yaml:2",
        "level: debug  # environment WORKERHOST_LOGGING_LEVEL",
        "drain: 30s  # default",
        "<redacted>",
    ] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    assert!(!said.out.contains("abc"), "{said:?}");
    let told = place.ok(&["config", "show", "--json"]);
    assert_eq!(told.objects()[0]["config"]["workers"][0]["timeout"], "15m");
    assert!(!told.out.contains("abc"), "{told:?}");
    place.write("again.yaml", place.ok(&["config", "show"]).out);
    let again = place.ok(&["-c", "again.yaml", "config", "show"]);
    assert_eq!(again.out, place.ok(&["config", "show"]).out, "the output is a configuration");
}

#[test]
fn without_a_file_the_defaults_are_shown_and_a_store_named_by_option_is_one_of_them() {
    let place = Place::with("");
    let said = place.ok(&["config", "show", "--store", "sqlite:data/tasks.db"]);
    assert!(said.out.contains("store: \"sqlite:data/tasks.db\"\n"), "{said:?}");
    assert!(said.out.contains("drain: 30s\n"), "{said:?}");
}

#[test]
fn the_schema_is_the_one_that_is_published() {
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/config.schema.json");
    assert_eq!(Place::with("").ok(&["config", "schema"]).out, fs::read_to_string(published).unwrap());
}
