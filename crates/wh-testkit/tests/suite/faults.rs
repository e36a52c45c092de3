//! Faults on purpose: what was asked for goes wrong, nothing else, and the same every time.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::{TaskId, TaskType};
use wh_domain::task::{NewTask, Payload};
use wh_ports::answer::StoreError;
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::Reader;
use wh_testkit::clock::FakeClock;
use wh_testkit::memory::{Faults, MemoryStore, Verb};

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(FakeClock::new()))
}

fn task(no: u32) -> NewTask {
    let id = TaskId::new(format!("task-{no}")).unwrap();
    NewTask::new(id, TaskType::new("a").unwrap(), Payload::null())
}

async fn enqueue(store: &MemoryStore, no: u32) -> Result<Vec<Enqueued>, StoreError> {
    store.enqueue(vec![task(no)]).await
}

async fn is_there(store: &MemoryStore, no: u32) -> bool {
    store.tasks(vec![task(no).id]).await.unwrap()[0].is_some()
}

#[tokio::test]
async fn a_refused_call_does_nothing() {
    let store = store();
    store.faults(Some(Faults { verbs: vec![Verb::Enqueue], refused: 1_000, ..Faults::seeded(1) }));
    assert!(matches!(enqueue(&store, 1).await, Err(StoreError::Unavailable(_))));
    assert!(!is_there(&store, 1).await, "and reading is no fault");
    store.faults(None);
    assert!(enqueue(&store, 1).await.is_ok());
}

#[tokio::test]
async fn an_unanswered_call_is_done_all_the_same() {
    let store = store();
    store.faults(Some(Faults { verbs: vec![Verb::Enqueue], unanswered: 1_000, ..Faults::seeded(1) }));
    assert!(matches!(enqueue(&store, 1).await, Err(StoreError::Unavailable(_))));
    assert!(is_there(&store, 1).await);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_call_takes_its_time() {
    let store = store();
    let longest = Duration::from_secs(60);
    store.faults(Some(Faults { delayed: 1_000, longest, ..Faults::seeded(3) }));
    let begun = Instant::now();
    enqueue(&store, 1).await.unwrap();
    let took = begun.elapsed();
    assert!(took > Duration::ZERO && took <= longest + Duration::from_millis(1), "{took:?}");
}

#[tokio::test]
async fn the_same_seed_brings_the_same_faults() {
    let mut lives = Vec::new();
    for seed in [7, 7, 8] {
        let store = store();
        store.faults(Some(Faults { refused: 300, unanswered: 300, ..Faults::seeded(seed) }));
        let mut answers = Vec::new();
        for no in 0..100 {
            answers.push(enqueue(&store, no).await.is_ok());
        }
        lives.push(answers);
    }
    assert_eq!(lives[0], lives[1]);
    assert_ne!(lives[0], lives[2]);
    assert!(lives[0].contains(&true) && lives[0].contains(&false));
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_is_looked_at_does_nothing() {
    let store = store();
    drop(store.enqueue(vec![task(1)]));
    assert!(!is_there(&store, 1).await);
}
