//! The store is looked after.

use crate::place::{Place, Said};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A worker that gives its task back, with a line of its own in a file of its workspace.
const ECHO: &str = r#"
workers:
  - name: echo
    command: [sh, -c, "cat; echo kept > $WORKERHOST_OUTPUT_DIR/note"]
    protocol: raw
    task_types: [echo]
  - name: slow
    command: [sh, -c, "exec sleep 600"]
    protocol: raw
    task_types: [slow]
"#;

/// JSON of more than what stays in a row.
fn large() -> String {
    format!("\"{}\"", "x".repeat(2 << 20))
}

/// With an ended task whose params and result are large.
fn filled() -> Place {
    let place = Place::with(ECHO);
    place.write("params.json", large());
    place.ok(&["enqueue", "echo", "--id", "film", "--params", "@params.json", "--input", "film=params.json"]);
    place.ok(&["run", "--drain", "-q"]);
    place
}

fn assert_film(place: &Place) {
    let film = place.show("film");
    assert_eq!(film["state"], "completed", "{film}");
    for (content, encoding) in [("params", "params_encoding"), ("result", "result_encoding")] {
        assert_eq!(film[encoding], "blob", "{film}");
        let path = film[content]["path"].as_str().unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), large(), "{content}");
    }
}

/// Damages the middle of a file.
fn spoil(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xA5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_backup_brings_back_everything_after_the_data_directory_is_lost() {
    let place = filled();
    let written = place.ok(&["db", "backup", "copy", "--json"]).objects().remove(0);
    assert_eq!((&written["ended"], &written["contents"]), (&1.into(), &1.into()), "one content, three times");
    let again = place.run(&["db", "backup", "copy"]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.starts_with("error: copy is there already; name another directory\n"), "{again:?}");
    fs::remove_dir_all(place.path().join(".workerhost")).unwrap();
    let restored = place.ok(&["db", "restore", "copy"]);
    assert!(restored.out.ends_with("/.workerhost/tasks.db holds 1 task again.\n"), "{restored:?}");
    assert_film(&place);
    assert!(place.ok(&["db", "check", "--contents"]).out.ends_with("tasks.db is sound.\n"));
}

#[test]
fn a_restore_is_refused_while_a_host_runs_and_a_backup_is_not() {
    let place = filled();
    let host = place.command(&["run", "-q"]).spawn().unwrap();
    let pid = Pid::from_child(&host);
    place.ok(&["enqueue", "slow", "--id", "at-work"]);
    place.until("at-work", |task| task["state"] == "claimed");
    let written = place.ok(&["db", "backup", "copy", "--json"]).objects().remove(0);
    assert_eq!(written["claimed"], 1, "{written}");
    let refused = place.run(&["db", "restore", "copy"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(7), ""), "{refused:?}");
    assert!(refused.err.contains("a host is running on") && refused.err.contains("stop it first"));
    assert_eq!(place.show("at-work")["state"], "claimed", "nothing was touched");
    for signal in [Signal::TERM, Signal::QUIT] {
        kill_process(pid, signal).unwrap();
    }
    Said::of(host);
    place.ok(&["enqueue", "echo", "--id", "after-the-backup"]);
    place.ok(&["db", "restore", "copy"]);
    assert_eq!(place.run(&["show", "after-the-backup"]).code, Some(3));
    assert_film(&place);
}

#[test]
fn a_backup_that_lacks_a_content_or_is_none_is_refused_and_the_store_stays_as_it_was() {
    let place = filled();
    place.ok(&["db", "backup", "copy"]);
    place.ok(&["enqueue", "echo", "--id", "later"]);
    fs::remove_dir_all(place.path().join("copy/blobs")).unwrap();
    fs::rename(place.path().join(".workerhost/blobs"), place.path().join("aside")).unwrap();
    let refused = place.run(&["db", "restore", "copy"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert!(refused.err.contains("1 large content") && refused.err.contains("db backup"), "{refused:?}");
    fs::rename(place.path().join("aside"), place.path().join(".workerhost/blobs")).unwrap();
    let none = place.run(&["db", "restore", "params.json"]);
    assert!(none.err.contains("is not a WorkerHost store"), "{none:?}");
    assert_eq!(place.run(&["db", "restore", "nowhere"]).code, Some(3));
    assert_eq!(place.show("later")["state"], "pending");
    assert_film(&place);
}

#[test]
fn damage_is_found_told_and_given_a_code() {
    let place = filled();
    place.ok(&["db", "backup", "copy"]);
    let film = place.show("film");
    let blob = Path::new(film["params"]["path"].as_str().unwrap());
    let content = fs::read(blob).unwrap();
    fs::remove_file(blob).unwrap();
    let found = place.run(&["db", "check", "--json"]);
    assert_eq!(found.code, Some(7));
    let findings = &found.objects()[0]["findings"];
    assert!(findings[0].as_str().unwrap().ends_with("is missing"), "{findings}");
    let mut spoilt = content;
    spoilt[7] = b'y';
    fs::write(blob, spoilt).unwrap();
    assert_eq!(place.run(&["db", "check"]).code, Some(0), "only reading it shows this");
    let found = place.run(&["db", "check", "--contents"]);
    assert_eq!(found.code, Some(7));
    assert!(found.err.contains("1 finding") && found.err.contains("db restore"), "{found:?}");
    let database = place.path().join(".workerhost/tasks.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(connection);
    spoil(&database);
    let broken = place.run(&["db", "check"]);
    assert_eq!(broken.code, Some(7));
    assert!(broken.err.contains("db restore"), "{broken:?}");
    place.ok(&["db", "restore", "copy"]);
    assert_film(&place);
}

#[test]
fn what_retention_allows_to_go_goes_and_the_rest_stays() {
    let place = filled();
    place.ok(&["enqueue", "echo", "--params", "1"]);
    place.ok(&["run", "--drain", "-q"]);
    place.ok(&["enqueue", "other", "--id", "waits"]);
    let untouched = place.ok(&["db", "gc"]);
    assert_eq!(untouched.out, "Deleted 0 ended tasks, 0 large contents and 0 workspaces.\n");
    // As if half a year had passed.
    let connection = rusqlite::Connection::open(place.path().join(".workerhost/tasks.db")).unwrap();
    connection.execute("UPDATE task SET changed_at = changed_at - 15552000000 WHERE stage >= 3", ()).unwrap();
    drop(connection);
    let long_ago = SystemTime::now() - Duration::from_secs(15_552_000);
    for folder in [".workerhost/finished", ".workerhost/blobs"] {
        age(&place.path().join(folder), long_ago);
    }
    let gone = place.ok(&["db", "gc", "--json"]).objects().remove(0);
    assert_eq!((&gone["tasks"], &gone["contents"], &gone["workspaces"]), (&2.into(), &1.into(), &2.into()));
    assert_eq!(fs::read_dir(place.path().join(".workerhost/finished")).unwrap().count(), 0);
    assert_eq!(place.run(&["show", "film"]).code, Some(3));
    assert_eq!(place.show("waits")["state"], "pending");
}

/// Makes all that lies below a folder older.
fn age(folder: &Path, to: SystemTime) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, to);
        }
        fs::File::open(&path).unwrap().set_modified(to).unwrap();
    }
}

#[test]
fn a_store_is_shown_and_migrated_whatever_its_version_and_opened_by_nothing_newer_than_it() {
    let place = filled();
    let shown = place.ok(&["db", "show", "--json"]).objects().remove(0);
    assert_eq!((&shown["ended"], &shown["contents"]), (&1.into(), &1.into()));
    assert_eq!(shown["version"], shown["newest_version"]);
    assert!(place.ok(&["db", "show"]).out.contains("1 large content"));
    assert!(place.ok(&["db", "migrate"]).out.ends_with("is up to date.\n"));
    let database = place.path().join(".workerhost/tasks.db");
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.execute_batch("PRAGMA user_version = 99; UPDATE meta SET value = 99").unwrap();
    drop(connection);
    assert!(place.ok(&["db", "show"]).out.contains("newer than this program: upgrade workerhost"));
    for verb in
        [&["db", "check"][..], &["db", "gc"], &["db", "backup", "copy"], &["db", "migrate"], &["list"]]
    {
        let said = place.run(verb);
        assert_eq!(said.code, Some(7), "{verb:?}: {said:?}");
        assert!(said.err.contains("upgrade workerhost"), "{verb:?}: {said:?}");
    }
}

#[test]
fn where_there_is_no_store_none_is_made() {
    let place = Place::with(ECHO);
    for verb in [&["db", "show"][..], &["db", "check"], &["db", "gc"], &["db", "backup", "copy"]] {
        let said = place.run(verb);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{verb:?}: {said:?}");
        assert!(said.err.contains("there is no store yet at"), "{verb:?}: {said:?}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    let nowhere = Place::with("");
    for verb in [&["db", "show"][..], &["db", "restore", "."], &["db", "migrate"]] {
        assert_eq!(nowhere.run(verb).code, Some(9), "{verb:?}");
    }
    assert!(place.ok(&["db", "migrate", "--json"]).objects()[0]["steps"][0] == "init");
}
