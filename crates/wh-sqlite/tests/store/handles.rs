//! Two handles on one store, as two processes would have.

use crate::kit::{Home, claim, enqueue_one, host, join, run, success, task};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use wh_ports::claims::{Claims, Cursor, Settled};
use wh_ports::doorbell::Doorbell;
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::{Fact, Reader};
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{Options, SqliteStore, Writing, describe};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn writers_of_two_handles_take_turns_and_facts_keep_the_order_of_commits() {
    let home = Home::new();
    let stores = [home.open(), home.open()];
    std::thread::scope(|scope| {
        for (no, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                run(async {
                    for each in 0..100 {
                        enqueue_one(store, task(&format!("{no}-{each}"))).await;
                    }
                });
            });
        }
        let (mut cursor, mut seen) = (Cursor::default(), Vec::new());
        run(async {
            // Read while they write: what a follower has passed must never be filled in behind it.
            while seen.len() < 200 {
                let (facts, next) = stores[0].facts(cursor, 7).await.unwrap();
                cursor = next;
                for fact in facts {
                    let Fact::Enqueued { from, to } = fact else { panic!("{fact:?}") };
                    seen.extend(from.0..=to.0);
                }
            }
        });
        assert_eq!(seen, (1..=200).collect::<Vec<_>>(), "every task once, in order");
    });
    assert_eq!(run(stores[1].check()).unwrap(), Vec::<String>::new());
}

#[test]
fn many_callers_share_commits_and_each_gets_its_own_answer() {
    for writing in [Writing::Apart, Writing::InPlace] {
        let home = Home::new();
        let store = SqliteStore::open(Options { writing, ..home.options() }).unwrap();
        let seqs: BTreeSet<_> = run(async {
            let mut callers = tokio::task::JoinSet::new();
            // More than one transaction takes, and more than the queue to the writer holds.
            for no in 0..2_000 {
                let store = Arc::clone(&store);
                callers.spawn(async move { enqueue_one(&store, task(&format!("t-{no}"))).await });
            }
            callers.join_all().await.into_iter().map(|answer| format!("{answer:?}")).collect()
        });
        assert_eq!(seqs.len(), 2_000);
        let commits = run(store.facts(Cursor::default(), 10_000)).unwrap().0.len();
        assert!((4..200).contains(&commits), "{writing:?}: 2,000 callers shared {commits} commits");
    }
}

#[test]
fn what_was_asked_is_done_though_nobody_waits_for_the_answer_any_more() {
    for writing in [Writing::Apart, Writing::InPlace] {
        let home = Home::new();
        let store = SqliteStore::open(Options { writing, ..home.options() }).unwrap();
        run(async {
            let asked = std::pin::pin!(store.enqueue(vec![task("t")]));
            let mut once = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(asked.poll(&mut once).is_pending(), "an answer takes another turn");
        });
        drop(store);
        assert_eq!(describe(&home.options().database).unwrap().pending, 1, "{writing:?}");
    }
}

#[test]
fn the_bell_of_one_handle_is_rung_by_the_other() {
    let home = Home::new();
    let (listener, writer) = (home.open(), home.open());
    run(async {
        let mut bell = listener.listen().await.unwrap();
        enqueue_one(&writer, task("t")).await;
        tokio::time::timeout(PATIENCE, bell.rung()).await.expect("it rings");
        // A listener that died without a word is forgotten by whoever rings next.
        let dead = home.path().join("data/bells/1-1-1");
        drop(std::os::unix::net::UnixDatagram::bind(&dead).unwrap());
        enqueue_one(&writer, task("u")).await;
        tokio::time::timeout(PATIENCE, bell.rung()).await.expect("it rings again");
        assert!(!dead.exists());
        drop(bell);
        assert_eq!(std::fs::read_dir(home.path().join("data/bells")).unwrap().count(), 0);
    });
}

#[test]
fn a_directory_deeper_than_a_socket_address_has_bells_too() {
    let mut home = Home::new();
    home.nest("deep/".repeat(40));
    let (listener, writer) = (home.open(), home.open());
    run(async {
        let mut bell = listener.listen().await.unwrap();
        enqueue_one(&writer, task("t")).await;
        tokio::time::timeout(PATIENCE, bell.rung()).await.expect("it rings");
    });
}

#[test]
fn a_lost_ring_is_found_by_asking_and_own_writes_are_no_news() {
    let home = Home::new();
    let (host_side, other) = (home.open(), home.open());
    run(async {
        join(&host_side, "a").await;
        host_side.has_changed().await.unwrap();
        enqueue_one(&host_side, task("own")).await;
        assert!(!host_side.has_changed().await.unwrap());
        enqueue_one(&other, task("t")).await;
        assert!(host_side.has_changed().await.unwrap());
        assert!(!host_side.has_changed().await.unwrap());
        let watcher = home.open();
        watcher.has_changed().await.unwrap();
        assert!(!watcher.has_changed().await.unwrap());
        enqueue_one(&other, task("u")).await;
        assert!(watcher.has_changed().await.unwrap(), "also for one that only reads");
    });
}

#[test]
fn a_successor_in_the_same_slot_takes_over_at_once_what_the_dead_host_held() {
    let home = Home::new();
    run(async {
        let dead = home.open();
        let membership = join(&dead, "dead").await;
        assert_eq!(membership.slot, 1);
        enqueue_one(&dead, task("t")).await;
        let claims = claim(&dead, "dead", 1).await;
        drop((membership, dead));
        let successor = home.open();
        let membership = join(&successor, "successor").await;
        assert_eq!(membership.slot, 1, "the slot is used again");
        let orphans = successor.take_over(host("successor"), 100).await.unwrap();
        assert_eq!((orphans.len(), orphans[0].lost_fence), (1, claims[0].fence));
        let late = successor.settle(vec![success(&claims[0], "dead")]).await.unwrap();
        assert_eq!(late, [Settled::Fenced]);
    });
}

#[test]
fn a_slot_stays_taken_while_anybody_shares_its_lock() {
    let home = Home::new();
    run(async {
        let (one, other) = (home.open(), home.open());
        let membership = join(&one, "a").await;
        enqueue_one(&one, task("t")).await;
        claim(&one, "a", 1).await;
        join(&other, "b").await;
        let shared = membership.token.clone();
        drop((membership, one));
        assert_eq!(other.take_over(host("b"), 9).await.unwrap().len(), 0, "its spawner lives");
        drop(shared);
        assert_eq!(other.take_over(host("b"), 9).await.unwrap().len(), 1);
    });
}

#[test]
fn a_reader_does_not_start_a_writer_and_sees_what_others_commit() {
    let home = Home::new();
    let (reader, writer) = (home.open(), home.open());
    run(async {
        assert_eq!(reader.tasks(vec![crate::kit::id("t")]).await.unwrap(), [None]);
        assert!(matches!(enqueue_one(&writer, task("t")).await, Enqueued::Created(_)));
        assert!(reader.tasks(vec![crate::kit::id("t")]).await.unwrap()[0].is_some());
        assert!(format!("{reader:?}").contains("has_started: false"));
        assert_eq!(reader.enqueue(Vec::new()).await.unwrap(), []);
        assert!(format!("{reader:?}").contains("has_started: false"));
    });
}

#[test]
fn hosts_that_claim_at_the_same_time_never_get_the_same_task() {
    let home = Home::new();
    let stores = [home.open(), home.open(), home.open()];
    run(stores[0].enqueue((0..600).map(|no| task(&format!("t-{no}"))).collect())).unwrap();
    let claimed: Vec<i64> = std::thread::scope(|scope| {
        let hosts: Vec<_> = stores
            .iter()
            .enumerate()
            .map(|(no, store)| {
                scope.spawn(move || {
                    run(async {
                        let name = format!("host-{no}");
                        let _membership = join(store, &name).await;
                        let mut mine = Vec::new();
                        loop {
                            let claims = claim(store, &name, 3).await;
                            if claims.is_empty() {
                                return mine;
                            }
                            mine.extend(claims.iter().map(|claim| claim.seq.0));
                            let ends = claims.iter().map(|claim| success(claim, &name)).collect();
                            assert!(store.settle(ends).await.unwrap().iter().all(|it| *it == Settled::Done));
                        }
                    })
                })
            })
            .collect();
        hosts.into_iter().flat_map(|host| host.join().unwrap()).collect()
    });
    let distinct: BTreeSet<i64> = claimed.iter().copied().collect();
    assert_eq!((claimed.len(), distinct.len()), (600, 600));
    assert_eq!(run(stores[0].check()).unwrap(), Vec::<String>::new());
}
