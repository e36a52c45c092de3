//! Measures the store on this machine: `cargo run --release -p wh-sqlite --example rates [DIR [PENDING…]]`.
//!
//! One JSON line per scenario. Everything is durable (WAL, `synchronous=FULL`) before it counts. `raw` is what plain
//! SQLite does with the same settings: one narrow row per commit. The store's files go under DIR, by default a
//! temporary directory; a directory in memory measures no disk. With PENDING only claims are measured, at those depths.
#![expect(clippy::expect_used, reason = "a measurement that cannot go on stops")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::ending::Exit;
use wh_domain::id::{HostId, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::{Decision, Next};
use wh_domain::task::{Counters, NewTask, Payload};
use wh_ports::claims::{Claim, Claims, Introduction, Produced, Settlement, Want};
use wh_ports::intake::Intake;
use wh_sqlite::{Mode, Options, SqliteStore};

/// How long each scenario runs.
const TIME: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let dir = std::env::args().nth(1).map_or_else(|| temporary.path().to_owned(), Into::into);
    let depths: Vec<u64> = std::env::args().skip(2).filter_map(|depth| depth.parse().ok()).collect();
    runtime.block_on(async {
        if depths.is_empty() {
            raw(&dir.join("raw.db"));
            let store = open(&dir.join("intake"));
            one_by_one(&store).await;
            many_callers(&store).await;
            in_bulk(&store).await;
        }
        let depths = if depths.is_empty() { vec![1_000, 1_000_000] } else { depths };
        for pending in depths {
            let store = open(&dir.join(format!("claims-{pending}")));
            fill(&store, pending).await;
            for most in [1, 2, 4, 100] {
                pairs(&store, pending, most).await;
            }
            drop(store);
            start(&dir.join(format!("claims-{pending}")), pending).await;
        }
    });
}

fn open(dir: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(Options { mode: Mode::Migrate, ..Options::new(dir) }).expect("a store")
}

/// Runs `round`, which answers how many things it did, for [`TIME`].
async fn measure(scenario: &str, detail: &str, mut round: impl AsyncFnMut() -> u64) {
    for _ in 0..20 {
        round().await;
    }
    let (began, cpu, mut n) = (Instant::now(), cpu(), 0);
    while began.elapsed() < TIME {
        n += round().await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_since(cpu);
    let count = f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    writeln!(
        std::io::stdout(),
        "{{\"scenario\":\"{scenario}\",\"detail\":\"{detail}\",\"n\":{n},\"seconds\":{seconds:.2},\"per_s\":{:.0},\
         \"cpu_us_each\":{:.1},\"durability\":\"full\"}}",
        count / seconds,
        cpu / count * 1e6
    )
    .expect("standard output");
}

fn cpu() -> Duration {
    let mut total = Duration::ZERO;
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let own: u64 = text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
    total += Duration::from_nanos(own);
    for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let is_main = entry.file_name().to_string_lossy() == std::process::id().to_string();
        let text = std::fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
        let nanos: u64 = text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
        total += Duration::from_nanos(if is_main { 0 } else { nanos });
    }
    total
}

fn cpu_since(then: Duration) -> f64 {
    cpu().saturating_sub(then).as_secs_f64()
}

fn raw(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    connection.pragma_update(None, "synchronous", "FULL").expect("FULL");
    connection
        .execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c TEXT); CREATE INDEX i ON t (b)")
        .expect("a table");
    let (began, then, mut n) = (Instant::now(), cpu(), 0_u32);
    while began.elapsed() < TIME {
        connection
            .prepare_cached("INSERT INTO t (b, c) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute((format!("id-{n}"), "{\"n\":1}")))
            .expect("an insert");
        n += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{{\"scenario\":\"raw\",\"n\":{n},\"seconds\":{seconds:.2},\"per_s\":{:.0},\"cpu_us_each\":{:.1},\
         \"durability\":\"full\"}}",
        f64::from(n) / seconds,
        cpu_since(then) / f64::from(n) * 1e6
    )
    .expect("standard output");
}

fn task(no: u64) -> NewTask {
    let id = TaskId::new(format!("0190c0de-0000-7000-8000-{no:012}")).expect("an id");
    NewTask::new(id, TaskType::new("echo").expect("a type"), Payload::Json("{\"text\":\"hello\"}".into()))
}

async fn one_by_one(store: &Arc<SqliteStore>) {
    let mut no = 0;
    measure("enqueue", "one by one", async || {
        no += 1;
        store.enqueue(vec![task(no)]).await.expect("an answer");
        1
    })
    .await;
}

async fn many_callers(store: &Arc<SqliteStore>) {
    const CALLERS: u64 = 256;
    let mut no = 1_000_000_000;
    measure("enqueue", "256 callers, one task each", async || {
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let (store, no) = (Arc::clone(store), no + caller * 8);
            callers.spawn(async move {
                for each in 0..8 {
                    store.enqueue(vec![task(no + each)]).await.expect("an answer");
                }
            });
        }
        callers.join_all().await;
        no += CALLERS * 8;
        CALLERS * 8
    })
    .await;
}

async fn in_bulk(store: &Arc<SqliteStore>) {
    let mut no = 2_000_000_000;
    measure("enqueue", "1000 tasks a call", async || {
        store.enqueue((no..no + 1_000).map(task).collect()).await.expect("an answer");
        no += 1_000;
        1_000
    })
    .await;
}

async fn fill(store: &Arc<SqliteStore>, pending: u64) {
    for from in (0..pending).step_by(1_000) {
        store.enqueue((from..from + 1_000).map(task).collect()).await.expect("an answer");
    }
}

async fn pairs(store: &Arc<SqliteStore>, pending: u64, most: u32) {
    let host = HostId::new(format!("host-{pending}-{most}")).expect("an id");
    let introduction = Introduction { host: host.clone(), name: "rates".into(), pid: 1, version: "1".into() };
    let membership = store.join(introduction).await.expect("a slot");
    let lanes = store.lanes().await.expect("lanes").1.into_iter().map(|lane| lane.id).collect();
    let worker = WorkerName::new("echo").expect("a name");
    let wants = vec![Want { worker, lanes, most, lost_is_final: false }];
    let mut no = 3_000_000_000 + u64::from(most) * 100_000_000;
    let detail = format!("{most} at a time, {pending} pending");
    // As a host does: what has ended is settled and what comes next is claimed in one breath, so that the two share
    // a commit.
    let mut held = store.claim(host.clone(), wants.clone(), most).await.expect("an answer").claims;
    let mut round = async || {
        let n = held.len() as u64;
        let settlements = held.drain(..).map(|claim| success(claim, &host)).collect();
        let both = tokio::join!(store.settle(settlements), store.claim(host.clone(), wants.clone(), most));
        both.0.expect("an answer");
        held = both.1.expect("an answer").claims;
        n
    };
    // The queue stays about as deep as it is: what was taken is put back, which costs little in bulk.
    let mut taken = 0;
    measure("claim+settle", &detail, async || {
        let n = round().await;
        taken += n;
        if taken >= 500 {
            store.enqueue((no..no + taken).map(task).collect()).await.expect("an answer");
            no += taken;
            taken = 0;
        }
        n
    })
    .await;
    store.enqueue((no..no + taken).map(task).collect()).await.expect("an answer");
    drop(membership);
}

/// From opening the store to the first claimed task, and what a producer pays that adds one task and goes.
async fn start(dir: &Path, pending: u64) {
    let mut no = 0;
    measure("start, claim one", &format!("{pending} pending"), async || {
        no += 1;
        let store = open(dir);
        let host = HostId::new(format!("start-{no}")).expect("an id");
        let introduction = Introduction { host: host.clone(), name: "s".into(), pid: 1, version: "1".into() };
        let membership = store.join(introduction).await.expect("a slot");
        let lanes = store.lanes().await.expect("lanes").1.into_iter().map(|lane| lane.id).collect();
        let worker = WorkerName::new("echo").expect("a name");
        let wants = vec![Want { worker, lanes, most: 1, lost_is_final: false }];
        store.claim(host.clone(), wants, 1).await.expect("an answer");
        store.leave(host).await.expect("an answer");
        drop(membership);
        1
    })
    .await;
    let mut no = 4_000_000_000;
    measure("start, enqueue one", &format!("{pending} pending"), async || {
        no += 1;
        open(dir).enqueue(vec![task(no)]).await.expect("an answer");
        1
    })
    .await;
}

fn success(claim: Claim, host: &HostId) -> Settlement {
    Settlement {
        seq: claim.seq,
        fence: claim.fence,
        decision: Decision { next: Next::Completed, counters: Counters::default() },
        saw_cancel: false,
        record: Some(AttemptRecord {
            fence: claim.fence,
            attempt: 1,
            host: host.clone(),
            worker: claim.worker,
            stream: StreamNo(1),
            started_at: claim.claimed_at,
            ended_at: claim.claimed_at,
            outcome: OutcomeName::Succeeded,
            class: None,
            exit: Some(Exit::Code(0)),
            stop: None,
            sentence: "The worker finished the task.".into(),
            warnings: Vec::new(),
            leaked: Vec::new(),
            log_tail: Box::default(),
            usage: Usage::default(),
            workspace: None,
        }),
        result: Some(Produced { payload: Payload::Json("{\"text\":\"hello\"}".into()), partial: false }),
        follow_ups: Vec::new(),
    }
}
