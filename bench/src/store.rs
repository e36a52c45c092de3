//! The store alone, used as a host and a producer use it.

use crate::raw::Cost;
use crate::trouble::Trouble;
use crate::usage;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::ending::Exit;
use wh_domain::id::{HostId, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::{Decision, Next};
use wh_domain::task::{Counters, NewTask, Payload};
use wh_ports::claims::{Claim, Claims, Introduction, Membership, Produced, Settlement, Want};
use wh_ports::intake::Intake;
use wh_sqlite::{Mode, Options, SqliteStore, Writing};

/// Callers of one process that enqueue at once.
const CALLERS: u32 = 256;

/// Opens or makes a store.
pub(crate) fn open(dir: &Path, writing: Writing) -> Result<Arc<SqliteStore>, Trouble> {
    Ok(SqliteStore::open(Options { mode: Mode::Migrate, writing, ..Options::new(dir) })?)
}

/// A task that nobody has enqueued yet.
pub(crate) fn task(no: u64) -> Result<NewTask, Trouble> {
    let id = TaskId::new(format!("0190c0de-0001-7000-8000-{no:012}"))?;
    Ok(NewTask::new(id, TaskType::new("echo")?, Payload::Json("{\"text\":\"hello\"}".into())))
}

/// Enqueues so many tasks in calls of a thousand.
pub(crate) async fn bring_in(store: &SqliteStore, from: u64, count: u64) -> Result<(), Trouble> {
    for first in (from..from + count).step_by(1_000) {
        let some = (first..(first + 1_000).min(from + count)).map(task).collect::<Result<Vec<_>, _>>()?;
        store.enqueue(some).await?;
    }
    Ok(())
}

/// Each of many callers enqueues a few tasks, one after the other. Answers how many that were.
pub(crate) async fn many_callers(store: &Arc<SqliteStore>, from: u64) -> Result<u32, Trouble> {
    const EACH: u32 = 8;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (store, from) = (Arc::clone(store), from + u64::from(caller * EACH));
        callers.spawn(async move {
            for no in from..from + u64::from(EACH) {
                store.enqueue(vec![task(no)?]).await?;
            }
            Ok::<(), Trouble>(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(CALLERS * EACH)
}

/// A host without processes: what it claims has succeeded at once.
pub(crate) struct Pretender {
    store: Arc<SqliteStore>,
    host: HostId,
    wants: Vec<Want>,
    most: u32,
    held: Vec<Claim>,
    next: u64,
    _membership: Membership,
}

impl Pretender {
    /// One that claims so many at once. No other on that store may have its number.
    pub(crate) async fn new(store: &Arc<SqliteStore>, number: u32, most: u32) -> Result<Self, Trouble> {
        let host = HostId::new(format!("host-{number}"))?;
        let introduction =
            Introduction { host: host.clone(), name: "bench".into(), pid: 1, version: "1".into() };
        let membership = store.join(introduction).await?;
        let lanes = store.lanes().await?.1.into_iter().map(|lane| lane.id).collect();
        let wants = vec![Want { worker: WorkerName::new("echo")?, lanes, most, lost_is_final: false }];
        let held = store.claim(host.clone(), wants.clone(), most).await?.claims;
        let next = u64::from(number) << 24;
        Ok(Self { store: Arc::clone(store), host, wants, most, held, next, _membership: membership })
    }

    /// Settles and claims for so long, and leaves as many tasks pending as it found; answers how many tasks a second. As a host does: what has ended is settled and
    /// what comes next is claimed in one breath, so that the two share a commit. What was taken is put back at times,
    /// which is not counted.
    pub(crate) async fn rate(&mut self, time: Duration) -> Result<Cost, Trouble> {
        let own = [std::process::id()];
        let (mut spent, mut cpu, mut count) = (Duration::ZERO, Duration::ZERO, 0);
        while spent < time {
            let (begun, before, mut taken) = (Instant::now(), usage::life(&own).cpu, 0);
            while taken < 500 && begun.elapsed() < time {
                taken += self.settle_and_claim().await?;
            }
            spent += begun.elapsed();
            cpu += usage::life(&own).cpu.saturating_sub(before);
            count += taken;
            bring_in(&self.store, self.next, u64::from(taken)).await?;
            self.next += u64::from(taken);
        }
        let left = self.held.len() as u64;
        self.settle_all().await?;
        bring_in(&self.store, self.next, left).await?;
        Ok(Cost::of(count, spent.as_secs_f64(), cpu))
    }

    /// Settles what it holds, and claims nothing more.
    pub(crate) async fn settle_all(&mut self) -> Result<(), Trouble> {
        let settlements = self.held.drain(..).map(|claim| success(claim, &self.host)).collect();
        self.store.settle(settlements).await?;
        Ok(())
    }

    async fn settle_and_claim(&mut self) -> Result<u32, Trouble> {
        let done = self.held.len();
        let settlements = self.held.drain(..).map(|claim| success(claim, &self.host)).collect();
        let claim = self.store.claim(self.host.clone(), self.wants.clone(), self.most);
        let (settled, claimed) = tokio::join!(self.store.settle(settlements), claim);
        settled?;
        self.held = claimed?.claims;
        if self.held.is_empty() {
            return Err("the store has run dry".into());
        }
        Ok(u32::try_from(done)?)
    }
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
            breach: None,
            sentence: "The worker finished the task.".into(),
            warnings: Vec::new(),
            leaked: Vec::new(),
            log_tail: Box::default(),
            usage: Usage::default(),
            workspace: None,
            review: None,
            isolation: None,
        }),
        result: Some(Produced { payload: Payload::Json("{\"text\":\"hello\"}".into()), partial: false }),
        follow_ups: Vec::new(),
    }
}
