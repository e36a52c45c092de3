//! What people get wrong, and what they are told.

use crate::place::{Place, Said};
use rustix::process::{Pid, Signal, kill_process};

const FINE: &str = "workers:\n  - {name: w, command: [cat], task_types: [t], protocol: raw}\n";

#[test]
fn a_reload_that_is_wrong_is_refused_with_its_line_and_the_old_configuration_goes_on() {
    let place = Place::with(FINE);
    let host = place.command(&["run"]).env("WORKERHOST_LOGGING_FILE", "log").spawn().unwrap();
    let pid = Pid::from_child(&host);
    place.ok(&["enqueue", "t", "--id", "before"]);
    place.until("before", |task| task["state"] == "completed");
    let wrong = [
        "workers:\n  - {name: w, command: [cat, task_types: [t]\n",
        "workers:\n  - {name: w, command: [cat], task_types: 7, streams: many}\n",
        "workers:\n  - {nam: w, command: [cat], task_types: [t]}\n",
    ];
    for (at, wrong) in wrong.iter().enumerate() {
        // The change is noticed by itself; the signal may come before or after that.
        place.write("workerhost.yaml", wrong);
        kill_process(pid, Signal::HUP).unwrap();
        place.until_told("log", "config_refused", at + 1);
        place.write("good.yaml", FINE);
        let id = format!("after-{at}");
        place.ok(&["-c", "good.yaml", "enqueue", "t", "--id", &id]);
        place.until_with("good.yaml", &id, |task| task["state"] == "completed");
    }
    kill_process(pid, Signal::TERM).unwrap();
    let said = Said::of(host);
    assert_eq!(said.code, Some(0), "{said:?}");
    for words in ["workerhost.yaml:2:", "did you mean `name`"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_with_the_mend_and_not_touched() {
    let place = Place::with(FINE);
    place.ok(&["enqueue", "t", "--id", "a"]);
    let file = place.path().join(".workerhost/tasks.db");
    let store = rusqlite::Connection::open(&file).unwrap();
    store.pragma_update(None, "user_version", 999).unwrap();
    store.execute("UPDATE meta SET value = 999 WHERE key = 'min_writer'", ()).unwrap();
    drop(store);
    for verb in [&["list"][..], &["run", "--drain"], &["enqueue", "t"]] {
        let said = place.run(verb);
        assert_eq!(said.code, Some(7), "{said:?}");
        assert!(said.err.contains("newer version") && said.err.contains("upgrade workerhost"), "{said:?}");
    }
    let store = rusqlite::Connection::open(&file).unwrap();
    let tasks: i64 = store.query_row("SELECT count(*) FROM task", (), |row| row.get(0)).unwrap();
    assert_eq!(tasks, 1);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let place = Place::with(FINE);
    std::fs::create_dir(place.path().join(".workerhost")).unwrap();
    place.write(
        ".workerhost/tasks.db",
        "my thesis, the only copy, and it is long enough to look like something",
    );
    let said = place.run(&["run", "--drain"]);
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(
        std::fs::read_to_string(place.path().join(".workerhost/tasks.db")).unwrap().starts_with("my thesis")
    );
}

#[test]
fn a_configuration_with_many_mistakes_tells_all_of_them_at_once() {
    let place =
        Place::with("workers:\n  - {nam: w, command: [], task_types: [t], timeout: soon}\nhosts: {}\n");
    let said = place.run(&["run"]);
    assert_eq!(said.code, Some(9), "{said:?}");
    for words in ["nam", "timeout", "hosts", "errors"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}
