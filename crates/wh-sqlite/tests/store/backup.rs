//! Copies of the store, and putting them back.

use crate::kit::{Home, claim, enqueue_one, host, id, join, run, success, task};
use std::fs;
use std::sync::Arc;
use wh_domain::id::Seq;
use wh_ports::claims::{Claims, Cursor, Settled};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{OpenError, SqliteStore, describe, restore};

#[test]
fn a_backup_is_one_moment_of_the_store_while_writes_go_on() {
    let home = Home::new();
    let (store, other) = (home.open(), home.open());
    let copy = home.path().join("copy");
    let written = run(async {
        for from in 0..20 {
            let batch = (0..1_000).map(|no| task(&format!("before-{}", from * 1_000 + no))).collect();
            store.enqueue(batch).await.unwrap();
        }
        let writer = Arc::clone(&store);
        let meanwhile = tokio::spawn(async move {
            for no in 0_u64.. {
                enqueue_one(&writer, task(&format!("meanwhile-{no}"))).await;
                if no == 20 {
                    enqueue_one(&other, task("other")).await;
                }
                if no == 400 {
                    return no;
                }
            }
            0
        });
        store.backup(copy.clone()).await.unwrap();
        meanwhile.await.unwrap()
    });
    assert_eq!(written, 400);
    let database = copy.join("tasks.db");
    let description = describe(&database).unwrap();
    assert!(description.pending >= 20_000, "{description:?}");
    let connection = rusqlite::Connection::open(&database).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    let counted: i64 = connection.query_row("SELECT count(*) FROM task", (), |row| row.get(0)).unwrap();
    assert_eq!((verdict.as_str(), counted.unsigned_abs()), ("ok", description.pending));
    let entries = fs::read_dir(home.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert_eq!(names.filter(|name| name.contains("unfinished")).count(), 0);
    let again = run(store.backup(copy));
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "nothing is written over: {again:?}");
}

#[test]
fn after_a_restore_nobody_from_before_is_believed() {
    let home = Home::new();
    let copy = home.path().join("copy");
    run(async {
        let store = home.open();
        let membership = join(&store, "a").await;
        enqueue_one(&store, task("t")).await;
        let old = claim(&store, "a", 1).await;
        store.backup(copy.clone()).await.unwrap();
        // Lost with the restore: a settlement, a claim under a higher fence, a task.
        store.settle(vec![success(&old[0], "a")]).await.unwrap();
        let Enqueued::Created(lost) = enqueue_one(&store, task("lost")).await else { panic!("it is new") };
        let in_use = restore(&copy, &home.options()).unwrap_err();
        assert!(matches!(in_use, OpenError::InUse { slot: 1, .. }), "{in_use:?}");
        drop(membership);
        restore(&copy, &home.options()).unwrap();
        // A handle that was open all the time sees the restored content.
        assert_eq!(store.tasks(vec![id("lost")]).await.unwrap(), [None]);
        assert_eq!(store.renew(host("a")).await, Err(StoreError::Expelled));
        join(&store, "b").await;
        let orphans = store.take_over(host("b"), 9).await.unwrap();
        assert!(orphans[0].fence.0 > old[0].fence.0 + (1 << 20) - 1, "{orphans:?}");
        assert_eq!(store.settle(vec![success(&old[0], "a")]).await.unwrap(), [Settled::Fenced]);
        let Enqueued::Created(Seq(seq)) = enqueue_one(&store, task("new")).await else { panic!("it is new") };
        assert!(seq > lost.0 + (1 << 20) - 10, "numbers are not given again: {seq}");
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}

/// Runs what is pending, and brings forth one more. Answers the fences, the task's number and the last fact's.
async fn give_out(store: &SqliteStore) -> (Vec<i64>, i64, Cursor) {
    let membership = join(store, "b").await;
    let orphans = store.take_over(host("b"), 9).await.unwrap();
    let claims = claim(store, "b", 9).await;
    let fences = orphans.iter().map(|orphan| orphan.fence.0).chain(claims.iter().map(|claim| claim.fence.0));
    let fences = fences.collect();
    let Enqueued::Created(Seq(seq)) = enqueue_one(store, task("new")).await else { panic!("it is new") };
    store.leave(host("b")).await.unwrap();
    drop(membership);
    (fences, seq, store.latest().await.unwrap())
}

#[test]
fn the_same_backup_brought_back_again_and_again_never_gives_out_the_same_numbers() {
    let home = Home::new();
    let (copy, path) = (home.path().join("copy"), home.options().database);
    run(async {
        let store = home.open();
        for name in ["claimed", "pending"] {
            enqueue_one(&store, task(name)).await;
        }
        let membership = join(&store, "a").await;
        claim(&store, "a", 1).await;
        store.backup(copy.clone()).await.unwrap();
        drop(membership);
        let mut last = give_out(&store).await;
        drop(store);
        let nothing_happens: &dyn Fn() = &|| ();
        let is_damaged: &dyn Fn() = &|| fs::write(&path, b"no database any more".repeat(200)).unwrap();
        let is_deleted: &dyn Fn() = &|| fs::remove_file(&path).unwrap();
        for between in [nothing_happens, nothing_happens, is_damaged, is_damaged, is_deleted, is_deleted] {
            between();
            restore(&copy, &home.options()).unwrap();
            let next = give_out(&home.open()).await;
            assert_eq!(next.0.len(), 2, "{next:?}");
            assert!(next.0.iter().min() > last.0.iter().max(), "{next:?} after {last:?}");
            assert!(next.1 > last.1 && next.2 > last.2, "{next:?} after {last:?}");
            last = next;
        }
    });
}

#[test]
fn what_was_given_out_since_the_backup_counts_however_much_it_was() {
    let home = Home::new();
    let copy = home.path().join("copy");
    run(async {
        let store = home.open();
        enqueue_one(&store, task("t")).await;
        store.backup(copy.clone()).await.unwrap();
        // As if there had been very many.
        let far = 1_i64 << 40;
        let connection = rusqlite::Connection::open(home.options().database).unwrap();
        let set = "UPDATE tally SET fence_floor = ?1, last_seq = ?1, last_fact = ?1";
        connection.execute(set, [far]).unwrap();
        drop((store, connection));
        restore(&copy, &home.options()).unwrap();
        let (fences, seq, facts) = give_out(&home.open()).await;
        assert!(fences[0] > far && seq > far && facts.0 > far, "{fences:?} {seq} {facts:?}");
    });
}

fn page_size(database: &std::path::Path) -> u16 {
    let bytes = fs::read(database).unwrap();
    u16::from_be_bytes([bytes[16], bytes[17]])
}

/// The size of a database's pages is chosen once; that of a backup may be another one.
#[test]
fn a_backup_is_brought_back_whatever_the_size_of_its_pages_and_of_the_stores() {
    let home = Home::new();
    let (copy, large) = (home.path().join("copy"), home.path().join("large.db"));
    let database = home.options().database;
    run(async {
        let store = home.open();
        for no in 0..100 {
            enqueue_one(&store, task(&format!("t-{no}"))).await;
        }
        store.backup(copy.clone()).await.unwrap();
    });
    let connection = rusqlite::Connection::open(copy.join("tasks.db")).unwrap();
    connection.execute_batch(&format!("PRAGMA page_size = 8192; VACUUM INTO '{}'", large.display())).unwrap();
    drop(connection);
    assert_eq!((page_size(&database), page_size(&large)), (2_048, 8_192));
    let bring_back = |from: &std::path::Path, pages| {
        restore(from, &home.options()).unwrap();
        assert_eq!(run(home.open().check()).unwrap(), Vec::<String>::new());
        assert_eq!((describe(&database).unwrap().pending, page_size(&database)), (100, pages));
        let left: Vec<_> = fs::read_dir(home.path().join("data"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("tasks.db."))
            .collect();
        assert_eq!(left, Vec::<String>::new());
    };
    bring_back(&large, 2_048);
    fs::remove_dir_all(home.path().join("data")).unwrap();
    bring_back(&large, 2_048);
    // A store from before keeps its pages.
    fs::copy(&large, &database).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", database.display())).ok();
    }
    bring_back(&copy, 8_192);
}

#[test]
fn a_damaged_store_is_moved_aside_and_a_damaged_backup_is_refused() {
    let home = Home::new();
    let copy = home.path().join("copy");
    run(async {
        let store = home.open();
        enqueue_one(&store, task("t")).await;
        store.backup(copy.clone()).await.unwrap();
    });
    let path = home.options().database;
    fs::write(&path, b"nothing of a database is left of this file".repeat(200)).unwrap();
    fs::remove_file(path.with_extension("db-wal")).unwrap();
    restore(&copy, &home.options()).unwrap();
    assert!(run(home.open().tasks(vec![id("t")])).unwrap()[0].is_some());
    let aside = fs::read_dir(path.parent().unwrap()).unwrap();
    let aside =
        aside.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".damaged-"));
    assert!(aside.count() >= 1);
    let bad = home.path().join("bad.db");
    fs::write(&bad, b"no backup").unwrap();
    assert!(restore(&bad, &home.options()).is_err());
    assert!(run(home.open().tasks(vec![id("t")])).unwrap()[0].is_some(), "nothing was lost");
}
