//! Stores in a directory of their own, and the few words that tests are made of.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::ending::Exit;
use wh_domain::id::{HostId, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::{Decision, Next};
use wh_domain::task::{Counters, NewTask, Payload};
use wh_ports::claims::{Claim, Claims, Introduction, Membership, Produced, Settlement, Want};
use wh_ports::intake::{Enqueued, Intake};
use wh_sqlite::{Mode, Options, SqliteStore};
use wh_testkit::clock::FakeClock;

/// A directory with a store in it.
pub(crate) struct Home {
    dir: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    below: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), clock: Arc::new(FakeClock::new()), below: String::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts the store deeper.
    pub(crate) fn nest(&mut self, below: String) {
        self.below = below;
    }

    pub(crate) fn options(&self) -> Options {
        let clock: Arc<FakeClock> = Arc::clone(&self.clock);
        Options { clock, mode: Mode::Migrate, ..Options::new(self.path().join(&self.below).join("data")) }
    }

    /// A handle of its own, as another process would have.
    pub(crate) fn open(&self) -> Arc<SqliteStore> {
        SqliteStore::open(self.options()).unwrap()
    }
}

/// Lets a blob lie there for longer than an hour.
pub(crate) fn age(path: &Path) {
    let then = SystemTime::now() - Duration::from_secs(3_700);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
}

/// Every file below a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(crate) fn of_type(text: &str) -> TaskType {
    TaskType::new(text).unwrap()
}

pub(crate) fn task(name: &str) -> NewTask {
    NewTask { id_is_given: true, ..NewTask::new(id(name), of_type("echo"), json("{\"n\": 1}")) }
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::Json(text.into())
}

pub(crate) fn host(name: &str) -> HostId {
    HostId::new(name).unwrap()
}

pub(crate) async fn join(store: &SqliteStore, name: &str) -> Membership {
    let introduction = Introduction { host: host(name), name: name.into(), pid: 1, version: "1".into() };
    store.join(introduction).await.unwrap()
}

pub(crate) async fn enqueue_one(store: &SqliteStore, task: NewTask) -> Enqueued {
    store.enqueue(vec![task]).await.unwrap().remove(0)
}

/// One want for every lane there is.
pub(crate) async fn want_all(store: &SqliteStore, most: u32) -> Vec<Want> {
    let lanes = store.lanes().await.unwrap().1.into_iter().map(|lane| lane.id).collect();
    vec![Want { worker: WorkerName::new("worker").unwrap(), lanes, most, lost_is_final: false }]
}

pub(crate) async fn claim(store: &SqliteStore, host_name: &str, most: u32) -> Vec<Claim> {
    let wants = want_all(store, most).await;
    store.claim(host(host_name), wants, most).await.unwrap().claims
}

pub(crate) fn record(claim: &Claim, host_name: &str, outcome: OutcomeName) -> AttemptRecord {
    AttemptRecord {
        fence: claim.fence,
        attempt: 1,
        host: host(host_name),
        worker: claim.worker.clone(),
        stream: StreamNo(1),
        started_at: claim.claimed_at,
        ended_at: claim.claimed_at,
        outcome,
        class: None,
        exit: Some(Exit::Code(0)),
        stop: None,
        breach: None,
        sentence: "The worker finished the task.".into(),
        warnings: vec!["a warning".into()],
        leaked: Vec::new(),
        log_tail: "last words".into(),
        usage: Usage { max_rss_kib: 12, ..Usage::default() },
        workspace: None,
        review: None,
        isolation: None,
    }
}

/// A settlement that completes a task.
pub(crate) fn success(claim: &Claim, host_name: &str) -> Settlement {
    Settlement {
        seq: claim.seq,
        fence: claim.fence,
        decision: Decision { next: Next::Completed, counters: Counters::default() },
        saw_cancel: false,
        record: Some(record(claim, host_name, OutcomeName::Succeeded)),
        result: Some(Produced { payload: json("{\"ok\":true}"), partial: false }),
        follow_ups: Vec::new(),
    }
}
