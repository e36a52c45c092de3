//! The runner that plays scripts does what a runner of processes would.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use wh_domain::attempt::{Outcome, Progress};
use wh_domain::ending::{Exit, ExitTable, Stop};
use wh_domain::id::{Fence, HostId, Seq, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::isolation::Isolation;
use wh_domain::lifecycle::History;
use wh_domain::limits::Limits;
use wh_domain::retry::RetryPolicy;
use wh_domain::task::{Counters, Payload};
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Bounds, Program, Protocol, Worker, Workspace};
use wh_ports::blobs::Stored;
use wh_ports::claims::Claim;
use wh_ports::clock::Clock;
use wh_ports::runner::{Assignment, Finished, Order, Runner, Said};
use wh_testkit::clock::{FakeClock, START};
use wh_testkit::script::{Script, ScriptedRunner};
use wh_testkit::witness::Witness;

const MINUTE: Duration = Duration::from_secs(60);

fn worker() -> Worker {
    Worker {
        name: WorkerName::new("w").unwrap(),
        task_types: Vec::new(),
        streams: 1,
        program: Program {
            argv: vec!["true".into()],
            directory: PathBuf::from("/"),
            env: Vec::new(),
            secrets: Vec::new(),
        },
        protocol: Protocol::Json,
        workspace: Workspace::None,
        isolation: Isolation::default(),
        limits: Limits::NONE,
        timeout: TimeoutPolicy::default(),
        retry: RetryPolicy::default(),
        outputs: Vec::new(),
        exit_codes: ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    }
}

fn assignment() -> Assignment {
    let history = History { counters: Counters::default(), max_attempts: None, cancel_wished: false };
    let claim = Claim {
        seq: Seq(1),
        id: TaskId::new("t").unwrap(),
        task_type: TaskType::new("a").unwrap(),
        fence: Fence(1),
        worker: WorkerName::new("w").unwrap(),
        priority: 0,
        history,
        params: Stored::Inline(Payload::null()),
        metadata: None,
        inputs: Vec::new(),
        traceparent: None,
        checkpoint: None,
        created_at: START,
        claimed_at: START,
    };
    let host = HostId::new("h").unwrap();
    let worker = Arc::new(worker());
    Assignment { host, slot: 0, worker, stream: StreamNo(1), claim, attempt: 1, max_attempts: 3 }
}

/// A runner for one script, and what it was heard to say.
struct Stage {
    clock: Arc<FakeClock>,
    witness: Witness,
    runner: ScriptedRunner,
    heard: Arc<Mutex<Vec<Said>>>,
    orders: mpsc::Sender<Order>,
    ordered: Option<mpsc::Receiver<Order>>,
}

impl Stage {
    fn new(script: Script) -> Self {
        let clock = Arc::new(FakeClock::driven());
        let witness = Witness::new(Arc::<FakeClock>::clone(&clock));
        let runner =
            ScriptedRunner::new(Arc::<FakeClock>::clone(&clock), witness.clone(), move |_| script.clone());
        let (orders, ordered) = mpsc::channel(8);
        Self { clock, witness, runner, heard: Arc::default(), orders, ordered: Some(ordered) }
    }

    async fn run(&mut self) -> Finished {
        let heard = Arc::clone(&self.heard);
        let listener = Arc::new(move |said| heard.lock().unwrap().push(said));
        self.runner.run(assignment(), self.ordered.take().unwrap(), listener).await
    }

    async fn order(&self, order: Order) {
        self.orders.send(order).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_works_for_its_time_speaks_and_succeeds() {
    let said = Said::Progress(Progress { percent: Some(50.0), ..Progress::default() });
    let mut stage = Stage::new(Script::succeeds(MINUTE).saying(MINUTE / 2, said.clone()));
    let finished = stage.run().await;
    assert_eq!(finished.verdict.outcome, Outcome::Succeeded);
    assert_eq!(finished.produced.map(|it| (it.payload, it.partial)), Some((Payload::null(), false)));
    assert_eq!(finished.ended_at.since(finished.started_at), MINUTE);
    assert_eq!(*stage.heard.lock().unwrap(), [said]);
    let seen = stage.witness.seen().remove(0);
    assert_eq!(seen.ended_at, Some(stage.clock.running()));
}

#[tokio::test(start_paused = true)]
async fn endings_are_judged_by_the_workers_own_table() {
    for (script, broken) in [
        (Script::exits(MINUTE, 1), false),
        (Script::crashes(MINUTE, 11), false),
        (Script::cannot_start("no such file"), true),
    ] {
        let outcome = Stage::new(script).run().await.verdict.outcome;
        assert_eq!(outcome == Outcome::WorkerBroken, broken, "{outcome:?}");
        assert_ne!(outcome, Outcome::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn orders_end_what_would_hang() {
    for (order, outcome, stop) in [
        (Order::Cancel, Outcome::Cancelled, Stop::Cancel),
        (Order::Stop, Outcome::Interrupted, Stop::Drain),
        (Order::Kill, Outcome::Interrupted, Stop::LeaseLost),
    ] {
        let mut stage = Stage::new(Script::hangs().obeying_after(MINUTE));
        stage.order(order).await;
        let finished = stage.run().await;
        assert_eq!((finished.verdict.outcome, finished.ending.stop), (outcome, Some(stop)));
        let took = finished.ended_at.since(finished.started_at);
        assert_eq!(took, if order == Order::Kill { Duration::ZERO } else { MINUTE });
    }
}

#[tokio::test(start_paused = true)]
async fn a_draining_host_lets_an_attempt_finish() {
    let mut stage = Stage::new(Script::succeeds(MINUTE));
    stage.order(Order::Drain).await;
    assert_eq!(stage.run().await.verdict.outcome, Outcome::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_attempt_is_alive_until_its_tree_is_empty() {
    let mut stage = Stage::new(Script::hangs().stuck_for(MINUTE));
    stage.order(Order::Kill).await;
    let finished = stage.run().await;
    assert_eq!(stage.witness.seen()[0].ended_at, None);
    finished.stuck.expect("it is stuck").await;
    assert_eq!(stage.witness.seen()[0].ended_at, Some(stage.clock.running()));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_is_over() {
    let mut stage = Stage::new(Script::hangs());
    assert!(tokio::time::timeout(MINUTE, stage.run()).await.is_err());
    assert!(stage.witness.seen()[0].ended_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn burying_ends_attempts_that_still_run() {
    let mut stage = Stage::new(Script::hangs());
    let other = ScriptedRunner::new(Arc::<FakeClock>::clone(&stage.clock), stage.witness.clone(), |_| {
        Script::hangs()
    });
    let burial = async {
        tokio::task::yield_now().await;
        other.bury(HostId::new("h").unwrap(), vec![assignment().claim.attempt_id()]).await
    };
    let (finished, buried) = tokio::join!(stage.run(), burial);
    assert_eq!((finished.ending.exit, buried), (Exit::Signal(9), Ok(())));
    assert!(stage.witness.seen()[0].ended_at.is_some());
}
