//! A store under test, with the few words that the sentences are made of.

use crate::clock::FakeClock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::id::{Fence, HostId, LaneId, Seq, StreamNo, TaskId, TaskType, UniqueKey, WorkerName};
use wh_domain::lifecycle::{Decision, Next};
use wh_domain::task::{Counters, NewTask, Payload, PoisonReason, StateName, Task};
use wh_domain::time::Timestamp;
use wh_ports::answer::{BoxFuture, StoreError};
use wh_ports::claims::{
    Claim, Claimed, Cursor, Introduction, Membership, Orphan, Produced, Settled, Settlement, Want,
};
use wh_ports::clock::Clock;
use wh_ports::intake::Enqueued;
use wh_ports::reader::{Dossier, Fact};
use wh_ports::store::Store;
use wh_ports::wishes::Cancelled;

/// Every store under test allows so many pending tasks.
pub const MAX_PENDING: u64 = 2_000;
/// Longer than any answer takes, shorter than a person waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Often enough that no host looks dead, though not a divisor of anything.
const RENEWAL: Duration = Duration::from_secs(7);

/// What a store has to bring along to be tested.
pub trait StoreUnderTest: Send + Sync {
    /// The store as it is open now. It allows [`MAX_PENDING`] pending tasks.
    fn store(&self) -> Arc<dyn Store>;

    /// The clock that the store was given.
    fn clock(&self) -> &FakeClock;

    /// Crashes the process and opens what it left: nothing that it only remembered is there any more, and every
    /// host that had joined is dead.
    fn reopen(&self) -> BoxFuture<'_, ()>;

    /// Makes a host look dead, as if its process and all of its workers were gone.
    fn kill_host(&self, host: &HostId);
}

/// A store under test and the hosts on it.
pub(crate) struct Harness {
    under_test: Box<dyn StoreUnderTest>,
    members: Mutex<BTreeMap<HostId, Membership>>,
    tasks: AtomicU32,
}

impl Harness {
    pub(super) fn new(under_test: impl StoreUnderTest + 'static) -> Self {
        Self { under_test: Box::new(under_test), members: Mutex::default(), tasks: AtomicU32::new(0) }
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.under_test.store()
    }

    pub(super) fn clock(&self) -> &FakeClock {
        self.under_test.clock()
    }

    // --- producers ---

    /// A task that differs from all others by its id alone.
    pub(super) fn task_of(&self, task_type: &str) -> NewTask {
        let no = self.tasks.fetch_add(1, Ordering::SeqCst) + 1;
        NewTask::new(id(&format!("task-{no}")), of_type(task_type), Payload::null())
    }

    pub(super) async fn offer(&self, task: NewTask) -> Enqueued {
        one(self.offer_all(vec![task]).await)
    }

    pub(super) async fn offer_all(&self, tasks: Vec<NewTask>) -> Vec<Enqueued> {
        self.store().enqueue(tasks).await.expect("the store answers")
    }

    /// Adds a task that must be new.
    pub(super) async fn add(&self, task: NewTask) -> TaskId {
        let id = task.id.clone();
        let answer = self.offer(task).await;
        assert!(matches!(answer, Enqueued::Created(_)), "{id} is new, but the answer is {answer:?}");
        id
    }

    pub(super) async fn enqueue(&self, task_type: &str) -> TaskId {
        self.add(self.task_of(task_type)).await
    }

    // --- hosts ---

    pub(super) async fn join(&self, name: &str) -> HostId {
        let host = HostId::new(name).expect("a name");
        let introduction =
            Introduction { host: host.clone(), name: name.into(), pid: 1, version: "1".into() };
        let membership = self.store().join(introduction).await.expect("the store answers");
        self.members.lock().expect("no holder of this lock panics").insert(host.clone(), membership);
        host
    }

    pub(super) fn slot(&self, host: &HostId) -> u32 {
        self.members.lock().expect("no holder of this lock panics").get(host).expect("it joined").slot
    }

    pub(super) async fn leave(&self, host: &HostId) {
        self.store().leave(host.clone()).await.expect("the store answers");
        self.forget(host);
    }

    /// The host's process and all of its workers are gone.
    pub(super) fn kill(&self, host: &HostId) {
        self.forget(host);
        self.under_test.kill_host(host);
    }

    fn forget(&self, host: &HostId) {
        self.members.lock().expect("no holder of this lock panics").remove(host);
    }

    /// The process that all hosts share is gone, and another has opened the store.
    pub(super) async fn crash(&self) {
        self.members.lock().expect("no holder of this lock panics").clear();
        self.under_test.reopen().await;
    }

    pub(super) async fn renew(&self, host: &HostId) -> Result<(), StoreError> {
        self.store().renew(host.clone()).await
    }

    pub(super) async fn take_over(&self, host: &HostId) -> Vec<Orphan> {
        self.store().take_over(host.clone(), 100).await.expect("the store answers")
    }

    // --- time ---

    /// Lets time pass without anybody doing anything.
    pub(super) fn pass(&self, time: Duration) {
        self.clock().advance(time);
    }

    /// Lets time pass while these hosts do as living hosts do.
    pub(super) async fn pass_alive(&self, mut time: Duration, hosts: &[&HostId]) {
        while !time.is_zero() {
            let step = time.min(RENEWAL);
            self.pass(step);
            time -= step;
            for host in hosts {
                self.renew(host).await.expect("a living host renews");
            }
        }
    }

    // --- claims ---

    pub(super) async fn lane(&self, task_type: &str) -> LaneId {
        let (_, lanes) = self.store().lanes().await.expect("the store answers");
        lanes.iter().find(|lane| lane.task_type.as_str() == task_type).expect("there is such a lane").id
    }

    /// A want of one worker for everything.
    pub(super) async fn want_all(&self, most: u32) -> Want {
        let (_, lanes) = self.store().lanes().await.expect("the store answers");
        want("worker", lanes.into_iter().map(|lane| lane.id).collect(), most)
    }

    pub(super) async fn claim_for(&self, host: &HostId, wants: Vec<Want>, most: u32) -> Claimed {
        self.store().claim(host.clone(), wants, most).await.expect("the store answers")
    }

    pub(super) async fn claim(&self, host: &HostId, most: u32) -> Vec<Claim> {
        self.claim_for(host, vec![self.want_all(most).await], most).await.claims
    }

    /// Claims the next task; there must be one.
    pub(super) async fn claim_one(&self, host: &HostId) -> Claim {
        one(self.claim(host, 1).await)
    }

    /// The ids of all that can be claimed, in order.
    pub(super) async fn claim_ids(&self, host: &HostId, most: u32) -> Vec<TaskId> {
        self.claim(host, most).await.into_iter().map(|claim| claim.id).collect()
    }

    // --- ends ---

    pub(super) async fn settle(&self, settlement: Settlement) -> Settled {
        one(self.store().settle(vec![settlement]).await.expect("the store answers"))
    }

    pub(super) async fn end(&self, claim: &Claim, next: Next) {
        let answer = self.settle(ending(claim, next)).await;
        assert_eq!(answer, Settled::Done, "{} is settled", claim.attempt_id());
    }

    pub(super) async fn settle_ok(&self, claim: &Claim) {
        self.end(claim, Next::Completed).await;
    }

    pub(super) async fn poison(&self, claim: &Claim) {
        self.end(claim, Next::Poisoned(PoisonReason::Attempts)).await;
    }

    /// Adds a task of that type and brings it to that end.
    pub(super) async fn ended(&self, host: &HostId, task_type: &str, next: Next) -> TaskId {
        let id = self.enqueue(task_type).await;
        let want = want("worker", vec![self.lane(task_type).await], 1);
        let claim = one(self.claim_for(host, vec![want], 1).await.claims);
        assert_eq!(claim.id, id, "nothing else of this type is pending");
        self.end(&claim, next).await;
        id
    }

    pub(super) async fn cancel(&self, id: &TaskId) -> Cancelled {
        one(self.store().cancel(vec![id.clone()]).await.expect("the store answers"))
    }

    // --- readers ---

    pub(super) async fn find(&self, id: &TaskId) -> Option<Task> {
        one(self.store().tasks(vec![id.clone()]).await.expect("the store answers"))
    }

    pub(super) async fn task(&self, id: &TaskId) -> Task {
        self.find(id).await.expect("the task is there")
    }

    pub(super) async fn state(&self, id: &TaskId) -> StateName {
        self.task(id).await.state.name()
    }

    pub(super) async fn dossier(&self, id: &TaskId) -> Dossier {
        self.store().dossier(id.clone()).await.expect("the store answers").expect("the task is there")
    }

    pub(super) async fn latest(&self) -> Cursor {
        self.store().latest().await.expect("the store answers")
    }

    /// All facts after `after`, read in pages of `page`.
    pub(super) async fn facts_by(&self, mut after: Cursor, page: u32) -> Vec<Fact> {
        let mut facts = Vec::new();
        loop {
            let (more, next) = self.store().facts(after, page).await.expect("the store answers");
            assert!(
                more.len() <= usize::try_from(page).expect("a small page"),
                "a page is no longer than asked"
            );
            assert!(next >= after, "the cursor never goes back");
            if next == after {
                assert_eq!(more, [], "whoever gives facts moves the cursor");
                return facts;
            }
            facts.extend(more);
            after = next;
        }
    }

    pub(super) async fn facts(&self, after: Cursor) -> Vec<Fact> {
        self.facts_by(after, 100).await
    }
}

/// The only one.
pub(super) fn one<T: std::fmt::Debug>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "one is expected: {all:?}");
    all.remove(0)
}

pub(super) fn id(text: &str) -> TaskId {
    TaskId::new(text).expect("an id")
}

pub(super) fn of_type(text: &str) -> TaskType {
    TaskType::new(text).expect("a type")
}

pub(super) fn json(text: &str) -> Payload {
    Payload::Json(text.into())
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn want(worker: &str, lanes: Vec<LaneId>, most: u32) -> Want {
    let worker = WorkerName::new(worker).expect("a name");
    Want { worker, lanes, most, lost_is_final: false }
}

/// The same task under an id that its producer chose.
pub(super) fn given(id_text: &str, task: NewTask) -> NewTask {
    NewTask { id: id(id_text), id_is_given: true, ..task }
}

pub(super) fn unique(key: &str, task: NewTask) -> NewTask {
    NewTask { unique: Some(UniqueKey::new(key).expect("a key")), ..task }
}

/// The end of a claim as a host would write it.
pub(super) fn ending(claim: &Claim, next: Next) -> Settlement {
    let counters = claim.history.counters;
    let (outcome, attempts) = match next {
        Next::Completed => (OutcomeName::Succeeded, counters.attempts),
        Next::Cancelled => (OutcomeName::Cancelled, counters.attempts),
        Next::Pending { .. } | Next::Poisoned(_) => (OutcomeName::Failed, counters.attempts + 1),
    };
    Settlement {
        seq: claim.seq,
        fence: claim.fence,
        decision: Decision { next, counters: Counters { attempts, ..counters } },
        saw_cancel: false,
        record: Some(record(claim, outcome)),
        result: matches!(next, Next::Completed)
            .then(|| Produced { payload: json("\"done\""), partial: false }),
        follow_ups: Vec::new(),
    }
}

fn record(claim: &Claim, outcome: OutcomeName) -> AttemptRecord {
    AttemptRecord {
        fence: claim.fence,
        attempt: claim.history.counters.attempts + 1,
        host: HostId::new("some-host").expect("a name"),
        worker: claim.worker.clone(),
        stream: StreamNo(1),
        started_at: claim.claimed_at,
        ended_at: claim.claimed_at.after(secs(1)),
        outcome,
        class: None,
        exit: None,
        stop: None,
        breach: None,
        sentence: "It ended.".into(),
        warnings: Vec::new(),
        leaked: Vec::new(),
        log_tail: "".into(),
        usage: Usage::default(),
        workspace: None,
        review: None,
        isolation: None,
    }
}

/// A claim that is to be given back without having been started.
pub(super) fn unstarted(seq: Seq, fence: Fence, next: Next) -> Settlement {
    Settlement {
        seq,
        fence,
        decision: Decision { next, counters: Counters::default() },
        saw_cancel: false,
        record: None,
        result: None,
        follow_ups: Vec::new(),
    }
}

/// The tasks that enqueue facts speak of.
pub(super) fn enqueued(facts: &[Fact]) -> Vec<Seq> {
    let ranges = facts.iter().filter_map(|fact| match fact {
        Fact::Enqueued { from, to } => Some(from.0..=to.0),
        Fact::Settled { .. } | Fact::Wished { .. } => None,
    });
    ranges.flatten().map(Seq).collect()
}

/// What the calendar says.
pub(super) fn wall(harness: &Harness) -> Timestamp {
    harness.clock().wall()
}
