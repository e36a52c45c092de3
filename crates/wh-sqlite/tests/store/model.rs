//! This store and the reference store, given the same calls, give the same answers.

use crate::kit::{Home, host, id, json, of_type, record, run};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::attempt::OutcomeName;
use wh_domain::id::{UniqueKey, WorkerName};
use wh_domain::lifecycle::{Decision, Next, Wait};
use wh_domain::task::{Counters, NewTask, PoisonReason, WaitingFor};
use wh_ports::claims::{Claim, Cursor, Introduction, Settlement, Want};
use wh_ports::reader::Filter;
use wh_ports::store::Store;
use wh_ports::upkeep::Retention;
use wh_testkit::memory::MemoryStore;

const HOST: &str = "a";
const MAX_PENDING: u64 = 6;

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        name: u8,
        of: u8,
        params: u8,
        priority: i8,
        later: u8,
        key: u8,
        given: bool,
    },
    Claim {
        most: u32,
    },
    /// Ends the claim at that place among all that were ever made, even if it is long over.
    Settle {
        at: usize,
        next: u8,
        saw_cancel: bool,
        recorded: bool,
        follow_up: u8,
    },
    Cancel(u8),
    Retry(u8),
    RetryAll(u32),
    Pass(u16),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12_u8, 0..3_u8, 0..2_u8, -2..3_i8, 0..3_u8, 0..6_u8, any::<bool>()).prop_map(
            |(name, of, params, priority, later, key, given)| Step::Enqueue {
                name, of, params, priority, later, key, given
            }
        ),
        3 => (0..4_u32).prop_map(|most| Step::Claim { most }),
        4 => (0..8_usize, 0..6_u8, any::<bool>(), any::<bool>(), 0..24_u8).prop_map(
            |(at, next, saw_cancel, recorded, follow_up)| Step::Settle { at, next, saw_cancel, recorded, follow_up }
        ),
        1 => (0..12_u8).prop_map(Step::Cancel),
        1 => (0..12_u8).prop_map(Step::Retry),
        1 => (0..3_u32).prop_map(Step::RetryAll),
        2 => (0..200_u16).prop_map(Step::Pass),
        1 => Just(Step::Sweep),
    ]
}

fn new_task(name: u8, of: u8, params: u8) -> NewTask {
    NewTask::new(id(&format!("t-{name}")), of_type(&format!("type-{of}")), json(&params.to_string()))
}

fn next(choice: u8) -> Next {
    let wait = |wait, waiting_for| Next::Pending { wait, waiting_for };
    match choice {
        0 => wait(Wait::Now, None),
        1 => wait(Wait::For(Duration::from_secs(50)), Some(WaitingFor::Backoff)),
        2 => Next::Poisoned(PoisonReason::Attempts),
        3 => Next::Cancelled,
        _ => Next::Completed,
    }
}

/// Does one step and tells everything that was answered.
async fn perform(
    store: &dyn Store,
    step: &Step,
    claims: &mut Vec<Claim>,
    wall: wh_domain::time::Timestamp,
) -> String {
    match step {
        Step::Enqueue { name, of, params, priority, later, key, given } => {
            let task = NewTask {
                id_is_given: *given,
                priority: i32::from(*priority),
                run_at: (*later > 0).then(|| wall.after(Duration::from_secs(u64::from(*later) * 60))),
                unique: (*key < 3).then(|| UniqueKey::new(key.to_string()).unwrap()),
                ..new_task(*name, *of, *params)
            };
            format!("{:?}", store.enqueue(vec![task]).await)
        }
        Step::Claim { most } => {
            let lanes = store.lanes().await.unwrap().1.into_iter().map(|lane| lane.id).collect();
            let worker = WorkerName::new("w").unwrap();
            let wants = vec![Want { worker, lanes, most: *most, lost_is_final: false }];
            let claimed = store.claim(host(HOST), wants, *most).await.unwrap();
            let answer = format!("{claimed:?}");
            claims.extend(claimed.claims);
            answer
        }
        Step::Settle { at, next: choice, saw_cancel, recorded, follow_up } => {
            let Some(claim) = claims.iter().rev().nth(*at) else { return String::new() };
            let record = recorded.then(|| record(claim, HOST, OutcomeName::ALL[usize::from(*choice)]));
            let settlement = Settlement {
                seq: claim.seq,
                fence: claim.fence,
                decision: Decision {
                    next: next(*choice),
                    counters: Counters { lost: 1, ..Counters::default() },
                },
                saw_cancel: *saw_cancel,
                record,
                result: None,
                follow_ups: (*follow_up < 12).then(|| new_task(*follow_up, 0, 0)).into_iter().collect(),
            };
            format!("{:?}", store.settle(vec![settlement]).await)
        }
        Step::Cancel(name) => format!("{:?}", store.cancel(vec![id(&format!("t-{name}"))]).await),
        Step::Retry(name) => format!("{:?}", store.retry(vec![id(&format!("t-{name}"))]).await),
        Step::RetryAll(most) => format!("{:?}", store.retry_poisoned(None, None, *most).await),
        Step::Pass(_) => String::new(),
        Step::Sweep => {
            let second = Duration::from_secs(1);
            let retention = Retention { completed: second, poisoned: second * 300, ..Retention::default() };
            format!("{:?}", store.sweep(retention).await)
        }
    }
}

/// All that others can see, with the facts since they last looked: those of a task that was swept away go with it.
async fn seen(store: &dyn Store, cursor: &mut Cursor) -> String {
    let tasks = store.list(Filter::default()).await.unwrap().tasks;
    let facts;
    (facts, *cursor) = store.facts(*cursor, 10_000).await.unwrap();
    let (_, lanes) = store.lanes().await.unwrap();
    let retrying = store.retrying(lanes.iter().map(|lane| lane.id).collect()).await.unwrap();
    let mut attempts = Vec::new();
    for task in &tasks {
        attempts.push(store.dossier(task.id.clone()).await.unwrap().unwrap().attempts);
    }
    format!("{tasks:#?}\n{facts:#?}\n{lanes:?}\n{retrying}\n{attempts:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_calls_get_the_same_answers_from_the_reference_store(steps in prop::collection::vec(step(), 1..60)) {
        let home = Home::new();
        let clock: Arc<wh_testkit::clock::FakeClock> = Arc::clone(&home.clock);
        let options = wh_sqlite::Options { max_pending: MAX_PENDING, ..home.options() };
        let ours: Arc<dyn Store> = wh_sqlite::SqliteStore::open(options).unwrap();
        let reference: Arc<dyn Store> = Arc::new(MemoryStore::with_max_pending(clock, MAX_PENDING));
        run(async {
            let introduction = Introduction { host: host(HOST), name: "a".into(), pid: 1, version: "1".into() };
            let _membership = ours.join(introduction.clone()).await.unwrap();
            reference.join(introduction).await.unwrap();
            let (mut our_claims, mut its_claims) = (Vec::new(), Vec::new());
            let (mut our_cursor, mut its_cursor) = (Cursor::default(), Cursor::default());
            for step in &steps {
                if let Step::Pass(seconds) = step {
                    home.clock.advance(Duration::from_secs(u64::from(*seconds)));
                }
                let wall = wh_ports::clock::Clock::wall(&*home.clock);
                let answer = perform(&*ours, step, &mut our_claims, wall).await;
                prop_assert_eq!(answer, perform(&*reference, step, &mut its_claims, wall).await, "{:?}", step);
                let (ours, its) = (seen(&*ours, &mut our_cursor).await, seen(&*reference, &mut its_cursor).await);
                prop_assert_eq!(ours, its, "after {:?}", step);
            }
            prop_assert_eq!(ours.check().await.unwrap(), Vec::<String>::new());
            Ok(())
        })?;
    }
}
