//! Large contents and the sweeper: none goes that a task has, or is about to have.

use crate::kit::{Home, age, claim, enqueue_one, files, id, join, json, run, success, task};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use wh_domain::task::{NewTask, StateName};
use wh_ports::blobs::Stored;
use wh_ports::claims::{Claims, Produced, Settled, Settlement};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::{Retention, Upkeep};
use wh_sqlite::{OnStep, Options, SqliteStore};

fn large(letter: &str) -> wh_domain::task::Payload {
    json(&format!("\"{}\"", letter.repeat(100)))
}

/// A store in which everything of more than a few bytes is a blob.
fn open(home: &Home, on_step: OnStep) -> Arc<SqliteStore> {
    let options = home.options();
    SqliteStore::open(Options { inline_params: 8, inline_result: 32, on_step: Some(on_step), ..options })
        .unwrap()
}

fn blobs(home: &Home) -> Vec<PathBuf> {
    files(&home.path().join("data/blobs"))
}

/// Sweeps once, in the moment between the writing of a blob and the turn to refer to it, with all blobs old.
fn sweeps_in_between(home: &Home) -> (OnStep, Arc<AtomicU32>) {
    let (sweeper, dir) = (home.open(), home.path().join("data/blobs"));
    let armed = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&armed);
    let on_step: OnStep = Arc::new(move |step| {
        if step == "blob.after_rename" && counted.load(Ordering::SeqCst) > 0 {
            counted.fetch_sub(1, Ordering::SeqCst);
            for path in files(&dir) {
                age(&path);
            }
            run(sweeper.sweep(Retention::default())).unwrap();
        }
    });
    (on_step, armed)
}

#[test]
fn a_settlement_whose_large_contents_were_swept_away_is_refused_and_goes_well_when_it_comes_again() {
    let home = Home::new();
    let (on_step, armed) = sweeps_in_between(&home);
    let store = open(&home, on_step);
    run(async {
        let _membership = join(&store, "a").await;
        let result = Some(Produced { payload: large("r"), partial: false });
        let with_result = |it: Settlement| Settlement { result: result.clone(), ..it };
        let child = NewTask { params: large("c"), ..task("child") };
        let with_child = |it: Settlement| Settlement { follow_ups: vec![child.clone()], ..it };
        let ways: [(&str, &dyn Fn(Settlement) -> Settlement); 2] =
            [("result", &with_result), ("follow-up", &with_child)];
        for (name, way) in ways {
            enqueue_one(&store, task(name)).await;
            let settlement = way(success(&claim(&store, "a", 1).await[0], "a"));
            armed.store(1, Ordering::SeqCst);
            let refused = store.settle(vec![settlement.clone()]).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{name}: {refused:?}");
            assert_eq!(armed.load(Ordering::SeqCst), 0, "{name}: it was swept");
            let before = store.tasks(vec![id(name)]).await.unwrap().remove(0).unwrap();
            assert_eq!(before.state.name(), StateName::Claimed, "{name}: nothing was written");
            assert_eq!(store.settle(vec![settlement]).await.unwrap(), [Settled::Done]);
            assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        }
        let Some((Stored::Blob { path, .. }, false)) =
            store.dossier(id("result")).await.unwrap().unwrap().result
        else {
            panic!("it is large")
        };
        assert_eq!(std::fs::read(path).unwrap(), large("r").bytes());
    });
}

#[test]
fn a_task_whose_large_params_were_swept_away_is_refused_and_goes_well_when_it_comes_again() {
    let home = Home::new();
    let (on_step, armed) = sweeps_in_between(&home);
    let store = open(&home, on_step);
    run(async {
        let new = NewTask { params: large("p"), ..task("t") };
        armed.store(1, Ordering::SeqCst);
        let refused = store.enqueue(vec![new.clone()]).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        enqueue_one(&store, new).await;
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_calendar_that_is_set_forward_by_mistake_deletes_nothing_before_it_has_stood_for_an_hour() {
    const EIGHT_DAYS: i64 = 8 * 86_400_000;
    for boots_anew in [false, true] {
        let home = Home::new();
        let store = home.open();
        run(async {
            let _membership = join(&store, "a").await;
            enqueue_one(&store, task("order-7")).await;
            store.settle(vec![success(&claim(&store, "a", 1).await[0], "a")]).await.unwrap();
            let sweep = async || store.sweep(Retention::default()).await.unwrap().tasks;
            assert_eq!(sweep().await, 0);
            if boots_anew {
                home.clock.reboot(Duration::from_secs(20));
            }
            home.clock.jump_wall(EIGHT_DAYS);
            assert_eq!(sweep().await, 0, "not even in another process");
            assert_eq!(home.open().sweep(Retention::default()).await.unwrap().tasks, 0);
            home.clock.jump_wall(-EIGHT_DAYS);
            assert_eq!(sweep().await, 0);
            let again = enqueue_one(&store, task("order-7")).await;
            assert!(matches!(again, Enqueued::Existing { state: StateName::Completed, .. }), "{again:?}");
            home.clock.jump_wall(EIGHT_DAYS);
            for _ in 0..6 {
                assert_eq!(sweep().await, 0);
                home.clock.advance(Duration::from_secs(600));
            }
            assert_eq!(sweep().await, 1, "it was no mistake");
            assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        });
    }
}

#[test]
fn a_content_goes_only_when_its_task_is_gone_for_good() {
    let home = Home::new();
    let onlooker = home.open();
    // Whatever dies at this moment leaves what is committed, and the files as they are now.
    let on_step: OnStep = Arc::new(move |step| {
        if step == "sweep.before_commit" {
            assert_eq!(run(onlooker.check()).unwrap(), Vec::<String>::new());
        }
    });
    let store = open(&home, on_step);
    let turn = File::open(home.path().join("data/writer.lock")).unwrap();
    run(async {
        let _membership = join(&store, "a").await;
        enqueue_one(&store, NewTask { params: large("p"), id_is_given: false, ..task("t") }).await;
        let result = Some(Produced { payload: large("r"), partial: false });
        let claims = claim(&store, "a", 1).await;
        store.settle(vec![Settlement { result, ..success(&claims[0], "a") }]).await.unwrap();
        for path in blobs(&home) {
            age(&path);
        }
        home.clock.advance(Duration::from_secs(2));
        let nothing = Retention { completed: Duration::ZERO, ..Retention::default() };
        // Two that share a commit: for the second one the task is gone, though not yet for good.
        flock(&turn, FlockOperation::LockExclusive).unwrap();
        let unlock = async { flock(&turn, FlockOperation::Unlock).unwrap() };
        let (one, other, ()) = tokio::join!(store.sweep(nothing), store.sweep(nothing), unlock);
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!((one.tasks, one.blobs, other.tasks, other.blobs, other.more), (1, 0, 0, 0, true));
        assert_eq!(blobs(&home).len(), 2);
        assert_eq!(store.sweep(nothing).await.unwrap().blobs, 2);
        assert_eq!(blobs(&home).len(), 0);
    });
}
