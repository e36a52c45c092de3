//! Disks that are full or read-only. They are made in a mount namespace of their own; where the machine allows none,
//! the tests say so and prove nothing.

use crate::kit::{Home, enqueue_one, id, json, run, task};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use wh_domain::task::NewTask;
use wh_ports::intake::Intake;
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{Mode, Options, SqliteStore};

const DIR: &str = "WH_SQLITE_TEST_MOUNT";

/// Runs an ignored test of this binary with a small file system in memory at its directory.
fn on_small_disk(test: &str) {
    let home = Home::new();
    let script = format!(
        "mount -t tmpfs -o size=3m none {dir} && exec {exe} --exact {test} --ignored --nocapture",
        dir = home.path().display(),
        exe = std::env::current_exe().unwrap().display()
    );
    let may = Command::new("unshare").args(["-Urm", "true"]).status().is_ok_and(|status| status.success());
    if !may {
        std::io::stderr().write_all(b"SKIP: this machine allows no mount namespaces\n").unwrap();
        return;
    }
    let done = Command::new("unshare").args(["-Urm", "sh", "-c", &script]).env(DIR, home.path()).output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn given() -> Option<Options> {
    let dir = std::env::var_os(DIR)?;
    Some(Options { mode: Mode::Migrate, ..Options::new(Path::new(&dir).join("data")) })
}

#[test]
fn a_full_disk_refuses_writes_and_all_goes_on_when_there_is_room() {
    on_small_disk("trouble::fills_the_disk");
}

#[test]
#[ignore = "runs on a small disk of its own"]
fn fills_the_disk() {
    let Some(options) = given() else { return };
    let ballast = options.data_dir.parent().unwrap().join("ballast");
    let store = SqliteStore::open(options).unwrap();
    run(async {
        enqueue_one(&store, task("before")).await;
        std::fs::write(&ballast, vec![0; 1 << 20]).unwrap();
        let mut refused = None;
        for no in 0..100 {
            let big =
                NewTask { params: json(&format!("\"{}\"", "x".repeat(100_000))), ..task(&format!("t-{no}")) };
            if let Err(error) = store.enqueue(vec![big]).await {
                refused = Some((no, error));
                break;
            }
        }
        let (no, error) = refused.unwrap();
        assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("full")), "{error:?}");
        assert_eq!(store.tasks(vec![id(&format!("t-{no}"))]).await.unwrap(), [None]);
        assert!(store.tasks(vec![id("before")]).await.unwrap()[0].is_some(), "reading goes on");
        std::fs::remove_file(&ballast).unwrap();
        enqueue_one(&store, task("after")).await;
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_disk_that_has_become_read_only_refuses_writes_and_loses_nothing() {
    on_small_disk("trouble::turns_read_only");
}

#[test]
#[ignore = "runs on a small disk of its own"]
fn turns_read_only() {
    let Some(options) = given() else { return };
    let mount = options.data_dir.parent().unwrap().to_owned();
    run(async {
        let store = SqliteStore::open(options.clone()).unwrap();
        enqueue_one(&store, task("before")).await;
        drop(store);
        let turn = |how: &str| {
            let remount = format!("remount,{how}");
            let status = Command::new("mount").args(["-o", remount.as_str()]).arg(&mount).status().unwrap();
            assert!(status.success());
        };
        turn("ro");
        if let Ok(store) = SqliteStore::open(options.clone()) {
            let answer = store.enqueue(vec![task("t")]).await;
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        }
        turn("rw");
        let store = SqliteStore::open(options).unwrap();
        enqueue_one(&store, task("after")).await;
        assert!(store.tasks(vec![id("before")]).await.unwrap()[0].is_some());
    });
}
