//! What a store says of files it cannot use, and whom it lets see its own.

use crate::kit::{Home, enqueue_one, run, task};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use wh_ports::blobs::Blobs;
use wh_ports::doorbell::Doorbell;
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{Mode, OpenError, Options, SqliteStore, describe, migrate};

fn database(home: &Home) -> std::path::PathBuf {
    home.options().database
}

fn refusal(home: &Home) -> OpenError {
    SqliteStore::open(home.options()).map(|_| ()).unwrap_err()
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let home = Home::new();
    let path = database(&home);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = "this is no database, and it is long enough to hold what could be a header".repeat(20);
    fs::write(&path, &text).unwrap();
    assert!(matches!(refusal(&home), OpenError::Foreign { .. }));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(matches!(refusal(&home), OpenError::Foreign { .. }));
    let mode: String = other.query_row("PRAGMA journal_mode", (), |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete", "not even its journal mode was touched");
}

#[test]
fn a_newer_store_is_refused_with_what_to_do() {
    let home = Home::new();
    drop(home.open());
    let other = rusqlite::Connection::open(database(&home)).unwrap();
    other.execute_batch("PRAGMA user_version = 99; UPDATE meta SET value = 99").unwrap();
    let refusal = refusal(&home);
    assert!(matches!(refusal, OpenError::Newer { found: 99, .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("upgrade workerhost"));
}

#[test]
fn damage_in_the_middle_is_found_and_never_read_as_something_else() {
    let home = Home::new();
    let path = database(&home);
    run(async {
        let store = home.open();
        for no in 0..300 {
            enqueue_one(&store, task(&format!("t-{no}"))).await;
        }
    });
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(connection);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 8192].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    run(async {
        let Ok(store) = SqliteStore::open(home.options()) else { return };
        let findings = store.check().await;
        assert!(!matches!(&findings, Ok(findings) if findings.is_empty()), "{findings:?}");
        let broken = |error: &StoreError| matches!(error, StoreError::Broken(_));
        let listed = store.list(wh_ports::reader::Filter { most: 1_000, ..Default::default() }).await;
        assert!(listed.as_ref().err().is_none_or(broken), "{listed:?}");
    });
}

#[test]
fn a_truncated_store_is_damaged_and_says_how_to_mend_it() {
    let home = Home::new();
    let path = database(&home);
    run(async { enqueue_one(&home.open(), task("t")).await });
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(connection);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(2048 * 2).unwrap();
    let answer = match SqliteStore::open(home.options()) {
        Err(error) => StoreError::from(error),
        Ok(store) => run(store.counts()).unwrap_err(),
    };
    assert!(
        matches!(&answer, StoreError::Broken(text) if text.contains("workerhost db restore")),
        "{answer:?}"
    );
}

#[test]
fn nobody_but_the_owner_sees_the_data_whatever_the_umask() {
    let before = rustix::process::umask(rustix::fs::Mode::empty());
    let home = Home::new();
    let store = home.open();
    run(async {
        crate::kit::join(&store, "a").await;
        enqueue_one(&store, task("t")).await;
        let _bell = store.listen().await.unwrap();
        let file = home.path().join("file");
        fs::write(&file, b"content").unwrap();
        store.keep_file("file".into(), file).await.unwrap();
    });
    rustix::process::umask(before);
    check_rights(&home.path().join("data"));
}

fn check_rights(path: &Path) {
    let data = fs::symlink_metadata(path).unwrap();
    if data.is_dir() {
        assert_eq!(data.mode() & 0o777, 0o700, "{}", path.display());
        for entry in fs::read_dir(path).unwrap() {
            check_rights(&entry.unwrap().path());
        }
    } else if data.is_file() {
        assert_eq!(data.permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_store_is_described_without_being_changed() {
    let home = Home::new();
    let path = database(&home);
    assert!(describe(&path).is_err());
    assert!(!path.exists(), "looking makes nothing");
    run(async { enqueue_one(&home.open(), task("t")).await });
    let description = describe(&path).unwrap();
    assert_eq!((description.schema, description.pending, description.ended), (1, 1, 0));
    assert_eq!(description.newest, description.schema);
}

#[test]
fn a_store_that_is_up_to_date_needs_no_steps() {
    let home = Home::new();
    let options = Options { mode: Mode::AsIs, ..home.options() };
    assert_eq!(migrate(&options).unwrap(), ["init"]);
    assert_eq!(migrate(&options).unwrap(), [] as [&str; 0]);
}
