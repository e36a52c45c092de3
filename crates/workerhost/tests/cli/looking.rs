//! Commands that only look, or change what there is: they need the store, and make none.

use crate::place::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

const FINE: &str = "workers:\n  - {name: w, command: [cat], task_types: [t], protocol: raw}\n";
const BROKEN: &str = "workers:\n  - {nam: w, command: [], task_types: [t], timeout: soon}\nhosts: {}\n";
const STORE: &str = "sqlite:.workerhost/tasks.db";

/// Each looks at task `a`, and has this exit code where it is pending.
const LOOKING: [(&[&str], i32); 7] = [
    (&["list"], 0),
    (&["show", "a"], 0),
    (&["logs", "a"], 0),
    (&["wait", "a", "--timeout", "0.1s"], 6),
    (&["retry", "a"], 4),
    (&["workers"], 0),
    (&["cancel", "a"], 0),
];

#[test]
fn a_configuration_that_is_wrong_elsewhere_keeps_nobody_from_looking() {
    for named in [false, true] {
        let place = Place::with(FINE);
        place.ok(&["enqueue", "t", "--id", "a"]);
        place.write("workerhost.yaml", BROKEN);
        for (verb, code) in LOOKING {
            let option: &[&str] = if named { &["--store", STORE] } else { &[] };
            let said = place.run(&[verb, option].concat());
            assert_eq!(said.code, Some(code), "{verb:?}: {said:?}");
            let warning = "warning: workerhost.yaml has 5 errors; `workerhost config check` tells them\n";
            assert_eq!(said.err.contains(warning), !named, "{verb:?}: {said:?}");
        }
    }
}

#[test]
fn a_store_that_the_configuration_names_is_found_though_the_rest_is_wrong() {
    let place = Place::with(&format!("data_dir: ./here\n{FINE}"));
    place.ok(&["enqueue", "t", "--id", "a"]);
    place.write("workerhost.yaml", format!("data_dir: ./here\n{BROKEN}"));
    assert!(place.ok(&["list"]).out.contains("pending"));
    place.write("workerhost.yaml", format!("data_dir: ${{NOWHERE}}\n{BROKEN}"));
    let said = place.run(&["list"]);
    assert_eq!(said.code, Some(9), "{said:?}");
    assert!(said.err.contains("NOWHERE") && said.err.contains("--store sqlite:PATH"), "{said:?}");
}

#[test]
fn whoever_only_looks_makes_no_store() {
    let place = Place::with(FINE);
    for option in [&[][..], &["--store", "sqlite:typo/tasks.db"]] {
        for (verb, _) in LOOKING {
            let said = place.run(&[verb, option].concat());
            assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{verb:?}: {said:?}");
            assert!(said.err.contains("there is no store yet at "), "{verb:?}: {said:?}");
        }
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "only the configuration is there");
}

#[test]
fn a_store_of_another_user_is_refused_in_plain_words() {
    let place = Place::with(FINE);
    place.ok(&["enqueue", "t", "--id", "a"]);
    let mode =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (data_dir, nobody) = (place.path().join(".workerhost"), 65_534);
    let is_superuser = rustix::process::geteuid().is_root();
    mode(place.path(), 0o755);
    for hidden in [0o500, 0o555] {
        mode(&data_dir, hidden);
        for verb in [&["list"][..], &["enqueue", "t"]] {
            let mut command = place.command(verb);
            // Nothing is forbidden to the superuser, so it is somebody else.
            let said = Place::said(if is_superuser { command.uid(nobody) } else { &mut command });
            assert_eq!(said.code, Some(7), "{said:?}");
            assert!(
                said.err.starts_with("error: you may not write in ") && said.err.contains("/.workerhost"),
                "{said:?}"
            );
            assert_eq!(said.err.contains("it belongs to another user (0)"), is_superuser, "{said:?}");
        }
    }
    mode(&data_dir, 0o700);
}

#[test]
fn what_is_wrong_is_said_to_be_where_it_is() {
    let place = Place::with(FINE);
    for verb in ["list", "run"] {
        let said = place.run(&["--store", "postgres://x", verb]);
        assert_eq!(said.code, Some(2), "{said:?}");
        for words in ["command line:1:9", "--store=postgres://x", "error: the command line has 1 error\n"] {
            assert!(said.err.contains(words), "{words}: {said:?}");
        }
    }
    let said = Place::said(place.command(&["run"]).env("WORKERHOST_HOST_STREAMS", "many"));
    assert_eq!(said.code, Some(9), "{said:?}");
    assert!(said.err.contains("error: the environment has 1 error\n"), "{said:?}");
    place.write("workerhost.yaml", BROKEN);
    let said = Place::said(place.command(&["run"]).env("WORKERHOST_HOST_STREAMS", "many"));
    assert!(said.err.contains("workerhost.yaml has 5 errors, and the environment has 1 error\n"), "{said:?}");
}
