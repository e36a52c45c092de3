//! Every bound, met.

use crate::kit::{Home, age, claim, enqueue_one, id, join, json, run, success, task};
use std::fs;
use std::time::Duration;
use wh_domain::task::{NewTask, Payload};
use wh_ports::blobs::{Blobs, Stored};
use wh_ports::claims::Claims;
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::{Filter, Reader};
use wh_ports::upkeep::{Retention, Upkeep};
use wh_ports::wishes::Wishes;
use wh_sqlite::{Options, SqliteStore};

/// What the log may hold: 64 MiB, and what one commit adds.
const LOG: u64 = (64 << 20) + (2 << 20);

#[test]
fn the_log_stays_bounded_and_shrinks_when_a_slow_reader_has_gone() {
    let home = Home::new();
    let options = Options { inline_params: 8 << 20, ..home.options() };
    let store = SqliteStore::open(options).unwrap();
    let log = home.path().join("data/tasks.db-wal");
    let big =
        |no: u32| NewTask { params: Payload::Bytes(vec![7; 1 << 20].into()), ..task(&format!("t-{no}")) };
    run(async {
        for no in 0..80 {
            enqueue_one(&store, big(no)).await;
        }
        assert!(fs::metadata(&log).unwrap().len() < LOG / 2, "copied as it grows");
        let reader = rusqlite::Connection::open(home.options().database).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM task").unwrap();
        let _: i64 = reader.query_row("SELECT count(*) FROM task", (), |row| row.get(0)).unwrap();
        for no in 100..180 {
            enqueue_one(&store, big(no)).await;
        }
        assert!(fs::metadata(&log).unwrap().len() > LOG, "a reader holds it back");
        reader.execute_batch("ROLLBACK").unwrap();
        for no in 200..220 {
            enqueue_one(&store, big(no)).await;
        }
        assert!(fs::metadata(&log).unwrap().len() < LOG, "it is small again");
    });
}

#[test]
fn params_at_the_bound_stay_in_the_row_and_one_byte_more_is_a_blob() {
    let home = Home::new();
    let store = SqliteStore::open(Options { inline_params: 10, ..home.options() }).unwrap();
    run(async {
        for (name, text, is_blob) in [("at", "1234567890", false), ("above", "12345678901", true)] {
            enqueue_one(&store, NewTask { params: json(text), ..task(name) }).await;
            let params = store.dossier(id(name)).await.unwrap().unwrap().params;
            assert_eq!(matches!(params, Stored::Blob { .. }), is_blob, "{params:?}");
        }
    });
}

#[test]
fn blobs_that_nobody_needs_go_after_an_hour_and_half_written_ones_with_them() {
    let home = Home::new();
    let store = home.open();
    let (used, unused) = (home.path().join("used"), home.path().join("unused"));
    fs::write(&used, b"used").unwrap();
    fs::write(&unused, b"unused").unwrap();
    run(async {
        let used = store.keep_file("used".into(), used).await.unwrap();
        let unused = store.keep_file("unused".into(), unused.clone()).await.unwrap();
        enqueue_one(&store, NewTask { inputs: vec![used.clone()], id_is_given: false, ..task("t") }).await;
        let half = home.path().join("data/blobs/unfinished-x");
        fs::write(&half, b"hal").unwrap();
        assert_eq!(store.sweep(Retention::default()).await.unwrap().blobs, 0, "all are young");
        for path in [store.blob_path(&used.sha256), store.blob_path(&unused.sha256), half.clone()] {
            age(&path);
        }
        let swept = store.sweep(Retention::default()).await.unwrap();
        assert_eq!((swept.blobs, swept.more), (1, false));
        assert!(store.blob_path(&used.sha256).exists() && !half.exists());
        let gone = NewTask { inputs: vec![unused], ..task("u") };
        assert_eq!(enqueue_one(&store, gone).await, Enqueued::MissingInput("unused".into()));
        // A blob that is brought again is young again.
        let again = home.path().join("used");
        age(&store.blob_path(&used.sha256));
        store.keep_file("used".into(), again).await.unwrap();
        store.cancel(vec![id("t")]).await.unwrap();
        home.clock.advance(Duration::from_secs(2));
        let swept =
            store.sweep(Retention { cancelled: Duration::ZERO, ..Retention::default() }).await.unwrap();
        assert_eq!(swept.tasks, 1);
        assert_eq!(store.sweep(Retention::default()).await.unwrap().blobs, 0);
        age(&store.blob_path(&used.sha256));
        assert_eq!(store.sweep(Retention::default()).await.unwrap().blobs, 1);
    });
}

#[test]
fn a_file_larger_than_allowed_loses_its_oldest_ended_tasks_and_nothing_else() {
    let home = Home::new();
    let store = home.open();
    run(async {
        let _membership = join(&store, "a").await;
        let batch = |from: u32| {
            let bulky = json(&format!("\"{}\"", "x".repeat(2_000)));
            (from..from + 1_500)
                .map(|no| NewTask { id_is_given: false, params: bulky.clone(), ..task(&format!("t-{no}")) })
                .collect::<Vec<_>>()
        };
        store.enqueue(batch(0)).await.unwrap();
        let claims = claim(&store, "a", 1_500).await;
        store.settle(claims.iter().map(|claim| success(claim, "a")).collect()).await.unwrap();
        store.enqueue(batch(2_000)).await.unwrap();
        let retention = Retention { store_size: 1 << 20, ..Retention::default() };
        let first = store.sweep(retention).await.unwrap();
        assert_eq!((first.tasks, first.more), (1_000, true), "one round is bounded");
        let second = store.sweep(retention).await.unwrap();
        assert_eq!((second.tasks, second.more), (500, true), "their contents go in the next round");
        let third = store.sweep(retention).await.unwrap();
        assert_eq!((third.tasks, third.more), (0, false), "pending tasks stay");
        let filter = Filter { most: 10_000, ..Filter::default() };
        assert_eq!(store.list(filter).await.unwrap().tasks.len(), 1_500);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn no_page_and_no_take_over_is_larger_than_its_bound() {
    let home = Home::new();
    run(async {
        let dead = home.open();
        let membership = join(&dead, "dead").await;
        dead.enqueue((0..10_050).map(|no| task(&format!("t-{no}"))).collect()).await.unwrap();
        let page = dead.list(Filter { most: u32::MAX, ..Filter::default() }).await.unwrap();
        assert_eq!((page.tasks.len(), page.next.is_some()), (10_000, true));
        assert_eq!(claim(&dead, "dead", 600).await.len(), 600);
        drop((membership, dead));
        let store = home.open();
        let _membership = join(&store, "b").await;
        let orphans = store.take_over(crate::kit::host("b"), u32::MAX).await.unwrap();
        assert_eq!(orphans.len(), 500);
        assert_eq!(store.take_over(crate::kit::host("b"), u32::MAX).await.unwrap().len(), 100);
    });
}
