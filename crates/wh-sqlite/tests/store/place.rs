//! One directory for one store, and one way to each store.

use crate::kit::{Home, enqueue_one, id, run, task};
use std::fs;
use wh_ports::reader::Reader;
use wh_sqlite::{Mode, OpenError, Options, SqliteStore, migrate, restore};

fn refusal(options: Options) -> OpenError {
    SqliteStore::open(options).map(|_| ()).unwrap_err()
}

/// Names of all that lies in the data directory.
fn listed(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path().join("data")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_directory_belongs_to_one_database_and_refuses_another() {
    let home = Home::new();
    run(async { enqueue_one(&home.open(), task("t")).await });
    let other = Options { database: home.path().join("data/other.db"), ..home.options() };
    let marker = home.path().join("data/database.name");
    assert_eq!(fs::read_to_string(&marker).unwrap(), "tasks.db\n");
    for refused in [
        refusal(other.clone()),
        migrate(&other).unwrap_err(),
        restore(&home.options().database, &other).unwrap_err(),
    ] {
        let (data_dir, holder, asked) = (home.path().join("data"), "tasks.db".into(), "other.db".into());
        assert_eq!(refused, OpenError::OtherStore { data_dir, holder, asked, marker: marker.clone() });
        assert!(refused.to_string().contains("delete"), "{refused}");
    }
    assert!(!other.database.exists(), "nothing was made of it");
    drop(home.open());
    // What the sentence says helps: here the store was renamed.
    let (from, to) = (home.path().join("data/tasks.db"), home.path().join("data/other.db"));
    fs::rename(home.path().join("data/tasks.db-wal"), home.path().join("data/other.db-wal")).unwrap();
    fs::rename(from, to).unwrap();
    fs::remove_file(marker).unwrap();
    let store = SqliteStore::open(other).unwrap();
    assert!(run(store.tasks(vec![id("t")])).unwrap()[0].is_some());
    assert!(
        matches!(refusal(home.options()), OpenError::OtherStore { .. }),
        "and now the old name is refused"
    );
}

#[test]
fn of_many_databases_that_want_one_directory_at_once_exactly_one_gets_it() {
    let home = Home::new();
    let open = |no: usize| {
        let database = home.path().join(format!("data/{}.db", no % 4));
        SqliteStore::open(Options { database, ..home.options() }).map(|_| no % 4)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..16).map(|no| scope.spawn(move || open(no))).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    let winners: std::collections::BTreeSet<_> = results.iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    assert_eq!(results.iter().flatten().count(), 4, "all handles on that one were opened: {results:?}");
    let lost = results.iter().filter_map(|result| result.as_ref().err());
    assert!(lost.clone().all(|error| matches!(error, OpenError::OtherStore { .. })), "{results:?}");
    let made = (0..4).filter(|no| home.path().join(format!("data/{no}.db")).exists());
    assert_eq!(made.count(), 1);
}

#[test]
fn a_database_outside_of_its_data_directory_is_refused_before_anything_is_made() {
    let home = Home::new();
    for database in ["elsewhere/tasks.db", "tasks.db", "data/deeper/tasks.db", ".."] {
        let options = Options { database: home.path().join(database), ..home.options() };
        let error = refusal(options);
        assert!(matches!(error, OpenError::Apart { .. }), "{database}: {error:?}");
        let shown = error.to_string();
        assert!(shown.contains(database) && shown.contains("/data,"), "both places are named: {shown}");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    std::os::unix::fs::symlink("data", home.path().join("link")).unwrap();
    drop(home.open());
    let options = Options { database: home.path().join("link/tasks.db"), ..home.options() };
    drop(SqliteStore::open(options).unwrap());
}

#[test]
fn a_database_that_two_directories_could_lead_to_is_refused() {
    let home = Home::new();
    drop(home.open());
    let other = home.path().join("other");
    let options = || Options { mode: Mode::Migrate, ..Options::new(&other) };
    fs::create_dir(&other).unwrap();
    let link = other.join("tasks.db");
    std::os::unix::fs::symlink(home.options().database, &link).unwrap();
    let refused = refusal(options());
    assert_eq!(refused, OpenError::Linked { path: link.clone(), what: "a symbolic link" });
    fs::remove_file(&link).unwrap();
    fs::hard_link(home.options().database, &link).unwrap();
    let refused = refusal(options());
    assert_eq!(refused, OpenError::Linked { path: link.clone(), what: "one of several names of a file" });
    assert!(matches!(refusal(home.options()), OpenError::Linked { .. }));
    fs::remove_file(&link).unwrap();
    drop(home.open());
}

#[test]
fn a_directory_that_was_marked_before_its_database_was_made_waits_for_that_database() {
    let home = Home::new();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("database.name.unfinished"), "somebody else's, and longer than ours").unwrap();
    drop(home.open());
    assert_eq!(fs::read_to_string(data.join("database.name")).unwrap(), "tasks.db\n");
    assert!(!listed(&home).iter().any(|name| name.ends_with(".unfinished")));
    // As if the power had failed right after the mark.
    for name in listed(&home).iter().filter(|name| name.starts_with("tasks.db")) {
        fs::remove_file(data.join(name)).unwrap();
    }
    let other = Options { database: data.join("other.db"), ..home.options() };
    assert!(matches!(SqliteStore::open(other), Err(OpenError::OtherStore { .. })));
    run(async { enqueue_one(&home.open(), task("t")).await });
}
