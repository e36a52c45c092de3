//! Copies of the store, and putting them back.

use crate::kit::{Home, claim, enqueue_one, host, id, join, run, success, task};
use std::fs;
use std::sync::Arc;
use wh_domain::id::Seq;
use wh_ports::claims::{Claims, Settled};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{OpenError, describe, restore};

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
