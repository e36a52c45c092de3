//! How fast attempts are carried, against starting the same program with pipes and nothing else, in one run.
//!
//! `cargo run --release -p wh-supervisor --example spawn_rate -- [STREAMS] [ATTEMPTS] [ROUNDS]`

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use wh_domain::attempt::Outcome;
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
use wh_ports::runner::{Assignment, Runner};
use wh_protocol::env::PASSED_ON;
use wh_supervisor::{ProcessRunner, RunnerOptions, SPAWNER_ARGUMENT};

const INPUT: &str =
    r#"{"url": "https://example.org/a/rather/long/path?with=a&query=too", "tries": 3, "tags": ["a", "b"]}"#;

type Trouble = Box<dyn std::error::Error + Send + Sync>;

struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or(0))
    }

    fn instant(&self) -> StoreInstant {
        StoreInstant { boot: 1, millis: self.wall().as_millis() }
    }
}

fn main() -> Result<(), Trouble> {
    if std::env::args().nth(1).is_some_and(|word| word == SPAWNER_ARGUMENT) {
        wh_supervisor::spawner_main();
        return Ok(());
    }
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u32>());
    let streams = numbers.next().transpose()?.unwrap_or(4);
    let attempts = numbers.next().transpose()?.unwrap_or(2_000);
    let rounds = numbers.next().transpose()?.unwrap_or(5);
    let dir = tempfile::tempdir()?;
    let options = RunnerOptions::new(dir.path().to_owned(), Arc::new(SystemClock));
    let runner = Arc::new(ProcessRunner::new(options)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut out = std::io::stdout().lock();
    let mut rows: [Vec<Row>; 4] = Default::default();
    for round in 0..=rounds {
        let raw = raw(streams, attempts)?;
        let row = |seconds: f64, host_ms: f64| Row {
            rate: f64::from(attempts) / seconds,
            ratio: raw / seconds,
            host_ms: host_ms / f64::from(attempts),
        };
        let kinds = [
            (Workspace::None, Level::None),
            (Workspace::Full, Level::None),
            (Workspace::Full, Level::Strict),
        ];
        let carried = kinds.map(|kind| {
            let worker = Arc::new(cat(kind, streams));
            let before = own_cpu_ms();
            let seconds = runtime.block_on(carried(&runner, &worker, streams, attempts));
            row(seconds, own_cpu_ms() - before)
        });
        // The first round only warms up.
        if round > 0 {
            let [none, full, strict] = carried;
            rows.iter_mut()
                .zip([row(raw, f64::NAN), none, full, strict])
                .for_each(|(rows, row)| rows.push(row));
        }
    }
    let names = ["posix_spawn", "workspace: none", "workspace: full", "and strict"];
    for (name, rows) in names.into_iter().zip(&rows) {
        let (least, most) =
            rows.iter().fold((f64::MAX, f64::MIN), |(l, m), r| (l.min(r.ratio), m.max(r.ratio)));
        let (rate, ratio) = (median(rows, |row| row.rate), median(rows, |row| row.ratio));
        let host_ms = median(rows, |row| row.host_ms);
        writeln!(
            out,
            "{name:<16} {streams} streams  {rate:>6.0}/s  ratio {ratio:.2} (from {least:.2} to {most:.2})  \
             host thread {host_ms:.3} ms",
        )?;
    }
    Ok(())
}

/// What one round of one kind brought.
struct Row {
    rate: f64,
    /// To the rate of posix_spawn in the same round.
    ratio: f64,
    /// Processor time of the host's thread for each attempt.
    host_ms: f64,
}

fn median(rows: &[Row], value: fn(&Row) -> f64) -> f64 {
    let mut values: Vec<f64> = rows.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Processor time of this thread so far, in milliseconds.
fn own_cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: f64 = stat.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN);
    nanos / 1e6
}

/// Seconds that it takes to start `cat` with three pipes so often, from as many threads as there are streams.
fn raw(streams: u32, attempts: u32) -> Result<f64, Trouble> {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..streams)
            .map(|_| {
                scope.spawn(move || -> Result<(), Trouble> {
                    for _ in 0..attempts / streams {
                        cat_once()?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread died")?)
    })?;
    Ok(begun.elapsed().as_secs_f64())
}

/// In the environment that a worker gets: what `cargo run` adds makes a start dearer.
fn cat_once() -> Result<(), Trouble> {
    let passed_on = PASSED_ON.iter().copied().chain(["TMPDIR"]);
    let mut child = Command::new("/bin/cat")
        .env_clear()
        .envs(passed_on.filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("no pipe")?.write_all(INPUT.as_bytes())?;
    let mut output = String::new();
    child.stdout.take().ok_or("no pipe")?.read_to_string(&mut output)?;
    child.stderr.take().ok_or("no pipe")?.read_to_string(&mut output)?;
    if child.wait()?.success() && output == INPUT { Ok(()) } else { Err("cat failed".into()) }
}

/// Seconds that it takes to carry so many attempts of `cat` on so many streams.
async fn carried(runner: &Arc<ProcessRunner>, worker: &Arc<Worker>, streams: u32, attempts: u32) -> f64 {
    let begun = Instant::now();
    let mut lanes = tokio::task::JoinSet::new();
    for stream in 1..=streams {
        let (runner, worker) = (Arc::clone(runner), Arc::clone(worker));
        lanes.spawn(async move {
            for number in 0..attempts / streams {
                let (_orders, given) = mpsc::channel(1);
                let claimed = assignment(&worker, stream, i64::from(number));
                let finished = runner.run(claimed, given, Arc::new(|_| {})).await;
                assert_eq!(finished.verdict.outcome, Outcome::Succeeded, "{}", finished.verdict.sentence);
            }
        });
    }
    lanes.join_all().await;
    begun.elapsed().as_secs_f64()
}

fn cat((workspace, level): (Workspace, Level), streams: u32) -> Worker {
    let name = match (workspace, level) {
        (_, Level::Strict) => "cat-strict",
        (Workspace::Full, Level::None) => "cat-full",
        (Workspace::None, Level::None) => "cat-none",
    };
    Worker {
        name: name_of(name),
        task_types: Vec::new(),
        streams,
        program: Program {
            argv: vec!["/bin/cat".to_owned()],
            directory: "/".into(),
            env: Vec::new(),
            secrets: Vec::new(),
        },
        protocol: Protocol::Raw,
        workspace,
        isolation: Isolation { level, required: true, ..Isolation::default() },
        limits: Limits::NONE,
        timeout: wh_domain::timeout::TimeoutPolicy {
            hard: Duration::from_secs(60),
            ..wh_domain::timeout::TimeoutPolicy::default()
        },
        retry: wh_domain::retry::RetryPolicy::default(),
        outputs: Vec::new(),
        exit_codes: wh_domain::ending::ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    }
}

#[expect(clippy::expect_used, reason = "the names of this example are short and printable")]
fn name_of(text: &str) -> WorkerName {
    WorkerName::new(text).expect("a good name")
}

#[expect(clippy::expect_used, reason = "the names of this example are short and printable")]
fn assignment(worker: &Arc<Worker>, stream: u32, number: i64) -> Assignment {
    let now = SystemClock.wall();
    Assignment {
        host: HostId::new("host").expect("a good name"),
        slot: 0,
        worker: Arc::clone(worker),
        stream: StreamNo(stream),
        claim: Claim {
            seq: Seq(i64::from(stream) * 1_000_000 + number),
            id: TaskId::new(format!("task-{stream}-{number}")).expect("a good name"),
            task_type: TaskType::new("cat").expect("a good name"),
            fence: Fence(1),
            worker: worker.name.clone(),
            priority: 0,
            history: History { counters: Counters::default(), max_attempts: None, cancel_wished: false },
            params: Stored::Inline(Payload::Bytes(INPUT.as_bytes().into())),
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
