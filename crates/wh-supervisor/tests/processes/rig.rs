//! A runner with a directory of its own, and short ways to say what is to be run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use wh_domain::id::{Fence, HostId, Seq, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::isolation::{Isolation, Level};
use wh_domain::lifecycle::History;
use wh_domain::limits::Limits;
use wh_domain::task::{Counters, Payload};
use wh_domain::time::{StoreInstant, Timestamp};
use wh_domain::worker::{Bounds, Program, Protocol, Worker, Workspace};
use wh_ports::blobs::Stored;
use wh_ports::claims::Claim;
use wh_ports::clock::Clock;
use wh_ports::runner::{Assignment, Finished, Listener, Order, Runner, Said};
use wh_supervisor::{ProcessRunner, RunnerOptions, SpawnerProgram};

/// No test waits longer than this for anything.
pub(crate) const LONG: Duration = Duration::from_secs(20);

struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap())
    }

    fn instant(&self) -> StoreInstant {
        StoreInstant { boot: 1, millis: self.wall().as_millis() }
    }
}

/// A runner and its data directory.
pub(crate) struct Rig {
    pub(crate) runner: ProcessRunner,
    pub(crate) dir: tempfile::TempDir,
    fence: AtomicI64,
}

/// What came of an attempt.
pub(crate) struct Done {
    pub(crate) finished: Finished,
    pub(crate) said: Vec<Said>,
}

impl Done {
    /// The result as text.
    pub(crate) fn result(&self) -> Option<String> {
        let payload = &self.finished.produced.as_ref()?.payload;
        Some(String::from_utf8_lossy(payload.bytes()).into_owned())
    }

    /// The outcome, the exit and the sentence, for messages of failing tests.
    pub(crate) fn summary(&self) -> String {
        let Finished { ending, verdict, log_tail, warnings, .. } = &self.finished;
        format!("{:?}; {:?}; {}; {warnings:?}; log:\n{log_tail}", verdict.outcome, ending, verdict.sentence)
    }
}

pub(crate) fn options(dir: &Path) -> RunnerOptions {
    RunnerOptions {
        data_dir: dir.to_owned(),
        spawner: SpawnerProgram { path: env!("CARGO_BIN_EXE_wh-spawner").into(), arguments: Vec::new() },
        reviewer: env!("CARGO_BIN_EXE_wh-spawner").into(),
        token: None,
        clock: Arc::new(SystemClock),
        environment: vec![
            ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ("LANG".into(), "C.UTF-8".into()),
            ("HOST_SECRET".into(), OsString::from("hidden")),
        ],
        private: Vec::new(),
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    pub(crate) fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runner = ProcessRunner::new(RunnerOptions { clock, ..options(dir.path()) }).unwrap();
        Self { runner, dir, fence: AtomicI64::new(1) }
    }

    /// One whose runner keeps its data somewhere in `dir`.
    pub(crate) fn of(runner: ProcessRunner, dir: tempfile::TempDir) -> Self {
        Self { runner, dir, fence: AtomicI64::new(1) }
    }

    /// A file in the directory.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn assignment(&self, worker: &Worker, params: &str) -> Assignment {
        let mut assignment = assignment(worker, params, self.fence.fetch_add(1, Ordering::Relaxed));
        // Tests that run beside each other must not know each other's attempts.
        assignment.claim.id = self.task();
        assignment
    }

    /// The task of all this rig's attempts.
    pub(crate) fn task(&self) -> TaskId {
        TaskId::new(self.dir.path().to_str().unwrap()).unwrap()
    }

    /// Carries an attempt to its end.
    pub(crate) async fn run(&self, worker: &Worker, params: &str) -> Done {
        self.carry(self.assignment(worker, params)).await
    }

    pub(crate) async fn carry(&self, assignment: Assignment) -> Done {
        let (_orders, given) = mpsc::channel(4);
        self.carry_with(assignment, given).await
    }

    pub(crate) async fn carry_with(&self, assignment: Assignment, orders: mpsc::Receiver<Order>) -> Done {
        let (listener, said) = listener();
        let run = self.runner.run(assignment, orders, listener);
        let finished = tokio::time::timeout(LONG, run).await.expect("the attempt must end");
        let said = said.lock().unwrap().clone();
        Done { finished, said }
    }
}

/// A listener and what it heard.
pub(crate) fn listener() -> (Listener, Arc<Mutex<Vec<Said>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    (Arc::new(move |word| heard.lock().unwrap().push(word)), said)
}

pub(crate) fn assignment(worker: &Worker, params: &str, fence: i64) -> Assignment {
    let now = SystemClock.wall();
    Assignment {
        host: HostId::new("host-1").unwrap(),
        slot: 0,
        worker: Arc::new(worker.clone()),
        stream: StreamNo(1),
        claim: Claim {
            seq: Seq(7),
            id: TaskId::new("task-1").unwrap(),
            task_type: TaskType::new("test").unwrap(),
            fence: Fence(fence),
            worker: worker.name.clone(),
            priority: 0,
            history: History { counters: Counters::default(), max_attempts: None, cancel_wished: false },
            params: Stored::Inline(Payload::Json(params.into())),
            metadata: None,
            inputs: Vec::new(),
            traceparent: None,
            checkpoint: None,
            created_at: now,
            claimed_at: now,
        },
        attempt: 1,
        max_attempts: 3,
    }
}

/// A worker that runs `argv` without a workspace.
pub(crate) fn worker<const N: usize>(argv: [&str; N]) -> Worker {
    Worker {
        name: WorkerName::new("w").unwrap(),
        task_types: Vec::new(),
        streams: 1,
        program: Program {
            argv: argv.into_iter().map(str::to_owned).collect(),
            directory: "/".into(),
            env: Vec::new(),
            secrets: Vec::new(),
        },
        protocol: Protocol::Json,
        workspace: Workspace::None,
        isolation: Isolation { level: Level::None, ..Isolation::default() },
        limits: Limits::NONE,
        timeout: wh_domain::timeout::TimeoutPolicy::default(),
        retry: wh_domain::retry::RetryPolicy::default(),
        outputs: Vec::new(),
        exit_codes: wh_domain::ending::ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    }
}

/// A worker that runs a shell script without a workspace.
pub(crate) fn sh(script: &str) -> Worker {
    worker(["/bin/sh", "-c", script])
}

/// Says that a test proves nothing here.
pub(crate) fn skip(why: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("SKIP: {why}\n").as_bytes()).unwrap();
}
