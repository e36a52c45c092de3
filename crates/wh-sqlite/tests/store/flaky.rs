//! A database that others lock, a disk whose calls fail, and bits that change by themselves.
//!
//! Failing calls are made by `strace`, which answers them in the kernel's place; where it is not installed or may
//! not trace, the tests say so and prove nothing.

use crate::kit::{Home, claim, enqueue_one, host, id, join, json, run, success, task};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use wh_domain::task::{NewTask, StateName};
use wh_ports::claims::{Claims, Introduction};
use wh_ports::intake::Intake;
use wh_ports::reader::{Filter, Reader};
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_ports::wishes::Wishes;
use wh_sqlite::{Mode, Options, SqliteStore};

const DIR: &str = "WH_SQLITE_TEST_FLAKY";

pub(crate) fn skip(why: &str) {
    std::io::stderr().write_all(format!("SKIP: {why}\n").as_bytes()).unwrap();
}

#[test]
fn a_program_that_keeps_the_database_locked_costs_an_answer_and_no_more() {
    let home = Home::new();
    run(async {
        let store = home.open();
        enqueue_one(&store, task("before")).await;
        let other = rusqlite::Connection::open(home.options().database).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = std::time::Instant::now();
        let refused = store.enqueue(vec![task("meanwhile")]).await;
        let locked = StoreError::Unavailable("another program keeps the database locked".to_owned());
        assert_eq!(refused, Err(locked));
        assert!((4..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        assert!(store.tasks(vec![id("before")]).await.unwrap()[0].is_some(), "reading goes on");
        other.execute_batch("ROLLBACK").unwrap();
        enqueue_one(&store, task("after")).await;
        assert_eq!(store.tasks(vec![id("meanwhile")]).await.unwrap(), [None]);
    });
}

/// Writes of every kind, in the process whose calls fail. Tells what was acknowledged, and whether a failure that
/// cannot be trusted was ever followed by an acknowledgement.
#[test]
#[ignore = "runs under strace"]
fn writes_on_a_failing_disk() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let options = Options { mode: Mode::Migrate, inline_params: 64, ..Options::new(Path::new(&dir)) };
    let told = |line: &str| std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
    // The harness has begun a line.
    told("");
    let Ok(store) = SqliteStore::open(options) else { return told("not opened") };
    run(async {
        let mut is_untrusted = false;
        let mut note = |what: String, answer: Result<(), StoreError>| match answer {
            Ok(()) if is_untrusted => told(&format!("lie {what}")),
            Ok(()) => told(&format!("ack {what}")),
            Err(StoreError::Untrusted(_)) => is_untrusted = true,
            Err(StoreError::Unavailable(_)) => {}
            Err(other) => told(&format!("odd {what}: {other:?}")),
        };
        for no in 0..6 {
            let name = format!("t-{no}");
            let params = json(&format!("\"{}\"", "x".repeat(no * 20)));
            let added = store.enqueue(vec![NewTask { params, ..task(&name) }]).await;
            note(name, added.map(drop));
        }
        let who = Introduction { host: host("a"), name: "a".into(), pid: 1, version: "1".into() };
        let membership = store.join(who).await;
        note("joined".to_owned(), membership.as_ref().map(drop).map_err(Clone::clone));
        let wants = crate::kit::want_all(&store, 1).await;
        if let Ok(claimed) = store.claim(host("a"), wants, 1).await {
            for claim in &claimed.claims {
                let settled = store.settle(vec![success(claim, "a")]).await;
                note(format!("settled {}", claim.id), settled.map(drop));
            }
        }
        note("cancelled t-5".to_owned(), store.cancel(vec![id("t-5")]).await.map(drop));
    });
    told("done");
}

/// Runs the test above with the `nth` of these calls of each thread failing, and checks what is left. Answers how much
/// was acknowledged.
fn fail_nth(calls: &str, error: &str, nth: u32) -> usize {
    let home = Home::new();
    let dir = home.path().join("data");
    // Made beforehand: what fails is the work of a store that is there.
    drop(home.open());
    let done = Command::new("strace")
        .args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"])
        .arg(format!("--trace={calls}"))
        .arg(format!("--inject={calls}:error={error}:when={nth}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "flaky::writes_on_a_failing_disk", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, &dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let shown = format!("{error} at call {nth} of {calls}:\n{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "it came to its own end: {shown}");
    assert!(!said.contains("\nlie ") && !said.contains("\nodd "), "{shown}");
    let acks: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ack ")).collect();
    run(async {
        let store = home.open();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "{shown}");
        for ack in acks.iter().copied() {
            let (state, name) = match ack.split_once(' ') {
                Some(("settled", name)) => (Some(StateName::Completed), name),
                Some((_, name)) => (Some(StateName::Cancelled), name),
                None if ack == "joined" => continue,
                None => (None, ack),
            };
            let task = store.tasks(vec![id(name)]).await.unwrap().remove(0);
            let found = task.unwrap_or_else(|| panic!("{ack} was lost: {shown}")).state.name();
            assert!(state.is_none_or(|state| state == found), "{ack} is {found:?}: {shown}");
        }
        enqueue_one(&store, task("afterwards")).await;
    });
    acks.len()
}

fn may_trace() -> bool {
    let may = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).status();
    may.is_ok_and(|status| status.success())
}

fn fail_each(calls: &str, error: &str, most: u32) {
    if !may_trace() {
        return skip("strace is not installed or may not trace");
    }
    let all = fail_nth(calls, error, 10_000);
    assert_eq!(all, 9, "six tasks, a host, a settlement and a wish, where no call fails");
    let acknowledged: Vec<usize> = (1..=most).map(|nth| fail_nth(calls, error, nth)).collect();
    assert!(acknowledged.iter().filter(|acks| **acks < all).count() > 4, "calls did fail: {acknowledged:?}");
}

#[test]
fn a_commit_that_the_disk_does_not_confirm_is_never_acknowledged_nor_anything_after_it() {
    fail_each("fsync,fdatasync", "EIO", 10);
}

#[test]
fn a_write_that_fails_at_any_place_loses_nothing_that_was_acknowledged() {
    fail_each("pwrite64", "EIO", 12);
}

#[test]
fn a_disk_that_is_full_at_any_write_loses_nothing_that_was_acknowledged() {
    fail_each("pwrite64", "ENOSPC", 12);
}

/// One commit that makes the log so large that it is copied after the answer, and one after that.
#[test]
#[ignore = "runs under strace"]
fn writes_beyond_a_copy_of_the_log() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let options = Options { mode: Mode::Migrate, inline_params: 1 << 30, ..Options::new(Path::new(&dir)) };
    let store = SqliteStore::open(options).unwrap();
    run(async {
        let params = wh_domain::task::Payload::Bytes(vec![7; 17 << 20].into());
        for (name, task) in [("large", NewTask { params, ..task("large") }), ("last", task("last"))] {
            let answer = store.enqueue(vec![task]).await.map(drop);
            std::io::stdout().write_all(format!("\n{name} {answer:?}\n").as_bytes()).unwrap();
        }
    });
}

#[test]
fn after_a_copy_of_the_log_that_the_disk_does_not_confirm_nothing_is_acknowledged() {
    if !may_trace() {
        return skip("strace is not installed or may not trace");
    }
    let mut in_a_copy = 0;
    for nth in 1..=8 {
        let home = Home::new();
        drop(home.open());
        let trace = home.path().join("trace");
        let done = Command::new("strace")
            .args(["-f", "-qq", "-y", "--seccomp-bpf", "--trace=fsync,fdatasync", "-o"])
            .arg(&trace)
            .arg(format!("--inject=fsync,fdatasync:error=EIO:when={nth}"))
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "flaky::writes_beyond_a_copy_of_the_log", "--ignored", "--nocapture"])
            .env(DIR, home.path().join("data"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said.contains("\nlast "), "call {nth}: {said}");
        // SQLite itself does not look at what the sync of a directory answers.
        let is_a_file = |line: &str| line.contains("/tasks.db");
        let trace = fs::read_to_string(trace).unwrap();
        let has_failed = trace.lines().any(|line| line.contains("INJECTED") && is_a_file(line));
        assert_eq!(said.contains("\nlast Ok"), !has_failed, "call {nth}: {said}");
        in_a_copy += u32::from(has_failed && said.contains("\nlarge Ok"));
    }
    assert!(in_a_copy >= 2, "the log and the database were to be confirmed after the answer: {in_a_copy}");
}

#[test]
fn the_names_above_a_large_content_are_made_durable_also_where_another_process_had_made_them() {
    if !may_trace() {
        return skip("strace is not installed or may not trace");
    }
    let home = Home::new();
    let trace = home.path().join("trace");
    let synced = || -> Vec<String> {
        let done = Command::new("strace")
            .args(["-f", "-qq", "-y", "--seccomp-bpf", "--trace=fsync", "-o"])
            .arg(&trace)
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "flaky::writes_on_a_failing_disk", "--ignored", "--nocapture"])
            .env(DIR, home.path().join("deep/er/data"))
            .output()
            .unwrap();
        assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains("ack t-5"));
        fs::read_to_string(&trace).unwrap().lines().map(str::to_owned).collect()
    };
    let holds = |lines: &[String], dir: &str| {
        let synced = format!("<{}{dir}>)", home.path().display());
        lines.iter().any(|line| line.contains(&synced))
    };
    let first = synced();
    for dir in ["", "/deep", "/deep/er", "/deep/er/data", "/deep/er/data/blobs"] {
        assert!(holds(&first, dir), "{dir}: {first:#?}");
    }
    let second = synced();
    for dir in ["/deep/er/data", "/deep/er/data/blobs"] {
        assert!(holds(&second, dir), "{dir}: {second:#?}");
    }
}

/// Names and states of all tasks.
async fn states(store: &SqliteStore) -> Result<BTreeMap<String, StateName>, StoreError> {
    let listed = store.list(Filter { most: 1_000, ..Filter::default() }).await?;
    Ok(listed.tasks.into_iter().map(|task| (task.id.to_string(), task.state.name())).collect())
}

#[test]
fn a_bit_that_flips_never_changes_the_state_of_a_task_unnoticed() {
    let home = Home::new();
    let path = home.options().database;
    let expected = run(async {
        let store = home.open();
        for no in 0..40 {
            enqueue_one(&store, task(&format!("t-{no}"))).await;
        }
        let _membership = join(&store, "a").await;
        let claims = claim(&store, "a", 20).await;
        store.settle(claims.iter().take(10).map(|claim| success(claim, "a")).collect()).await.unwrap();
        store.cancel((30..35).map(|no| id(&format!("t-{no}"))).collect()).await.unwrap();
        states(&store).await.unwrap()
    });
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(connection);
    let good = fs::read(&path).unwrap();
    let rounds = if std::env::var_os("WH_SLOW_TESTS").is_some() { 20_000 } else { 300 };
    let (mut refused, mut found, mut harmless) = (0, 0, 0);
    let mut dice = fastrand::Rng::with_seed(7);
    for _ in 0..rounds {
        let bit = dice.usize(..good.len() * 8);
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        for suffix in ["-wal", "-shm"] {
            let companion = format!("{}{suffix}", path.display());
            if fs::exists(&companion).unwrap() {
                fs::remove_file(companion).unwrap();
            }
        }
        fs::write(&path, bytes).unwrap();
        let Ok(store) = SqliteStore::open(home.options()) else {
            refused += 1;
            continue;
        };
        run(async {
            match store.check().await {
                Ok(findings) if findings.is_empty() => match states(&store).await {
                    Ok(states) => {
                        assert_eq!(states, expected, "bit {bit}");
                        harmless += 1;
                    }
                    // A text that is none any more, say; whoever reads it is told.
                    Err(error) => {
                        assert!(matches!(error, StoreError::Broken(_)), "bit {bit}: {error:?}");
                        found += 1;
                    }
                },
                Ok(_) | Err(StoreError::Broken(_)) => found += 1,
                Err(other) => panic!("bit {bit}: {other:?}"),
            }
            // Whatever is read, it is an answer or an error.
            for name in expected.keys().take(5) {
                drop(store.dossier(id(name)).await);
            }
            drop(store.enqueue(vec![task("new")]).await);
        });
    }
    assert!(found > rounds / 50 && harmless > 0, "{refused} refused, {found} found, {harmless} harmless");
}
