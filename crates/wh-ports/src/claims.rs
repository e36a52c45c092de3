//! What a host does with tasks: join, claim, renew, note, settle, take over, leave.

use crate::answer::Answer;
use crate::blobs::Stored;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, Progress};
use wh_domain::id::{AttemptId, Fence, HostId, LaneId, Seq, TaskId, TaskType, WorkerName};
use wh_domain::lifecycle::{Decision, History};
use wh_domain::task::{InputFile, NewTask, Payload};
use wh_domain::time::Timestamp;

/// Who a host is.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// New at every start.
    pub host: HostId,
    /// A label for people.
    pub name: Box<str>,
    /// Its process id.
    pub pid: u32,
    /// The program's version.
    pub version: Box<str>,
}

/// What a host gets when it joins.
#[derive(Debug)]
pub struct Membership {
    /// A small number that no other living host of this store holds; names the host's workspaces.
    pub slot: u32,
    /// Keeps the slot taken for as long as any process holds it; to be shared with whatever watches the host's
    /// process trees, never with a worker.
    pub token: Option<Arc<OwnedFd>>,
}

/// A place in line for tasks of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Its number.
    pub id: LaneId,
    /// The type of all its tasks.
    pub task_type: TaskType,
}

/// What one worker could take now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The worker.
    pub worker: WorkerName,
    /// The lanes routed to it.
    pub lanes: Vec<LaneId>,
    /// How many of its streams are free.
    pub most: u32,
    /// Whether an unknown fate of what it claims is final (`on_lost: fail`): kept with the claim, because whoever
    /// finds the host dead may not know the worker.
    pub lost_is_final: bool,
}

/// A claimed task, with all that its attempt needs.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Internal key.
    pub seq: Seq,
    /// The producer's id.
    pub id: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// The right to write: every write to the task carries it.
    pub fence: Fence,
    /// The worker it was claimed for.
    pub worker: WorkerName,
    /// As enqueued.
    pub priority: i32,
    /// What the rules need to know.
    pub history: History,
    /// Goes into the worker.
    pub params: Stored,
    /// The producer's additions to the metadata: a JSON object.
    pub metadata: Option<Box<str>>,
    /// Attached files and where they lie.
    pub inputs: Vec<(InputFile, PathBuf)>,
    /// W3C trace context.
    pub traceparent: Option<Box<str>>,
    /// What an earlier attempt left for this one: a JSON value.
    pub checkpoint: Option<Box<str>>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was claimed.
    pub claimed_at: Timestamp,
}

impl Claim {
    /// Names this attempt for ever.
    pub fn attempt_id(&self) -> AttemptId {
        AttemptId { task: self.id.clone(), fence: self.fence }
    }
}

/// What a claim brought.
#[derive(Debug, Default)]
pub struct Claimed {
    /// The tasks, best rank first.
    pub claims: Vec<Claim>,
    /// How long until the next task that is not due yet may become due; `None` if there is none.
    pub next_due: Option<Duration>,
    /// Grows when a lane is added or removed: then the host asks for the lanes again.
    pub lanes_version: u64,
}

/// A dead host's claim, now under this host's own fence. It is to be settled, not carried.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// Internal key.
    pub seq: Seq,
    /// The producer's id.
    pub id: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// This host's right to settle it.
    pub fence: Fence,
    /// The claim that was lost.
    pub lost_fence: Fence,
    /// The host that died.
    pub lost_host: HostId,
    /// The worker it was claimed for.
    pub worker: WorkerName,
    /// When the dead host claimed it.
    pub claimed_at: Timestamp,
    /// Whether the dead host may have started the attempt; if not, nothing is counted.
    pub started: bool,
    /// Whether an unknown fate is final.
    pub lost_is_final: bool,
    /// What the rules need to know.
    pub history: History,
}

/// Something worth keeping while the attempt runs. May be lost with the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The task.
    pub seq: Seq,
    /// The right to write.
    pub fence: Fence,
    /// How far it is.
    pub progress: Option<Progress>,
    /// What the next attempt is to be given: a JSON value. This one is durable before the answer.
    pub checkpoint: Option<Box<str>>,
}

/// The end of an attempt, in one commit: next state, record, result, follow-up tasks.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The task.
    pub seq: Seq,
    /// The right to write.
    pub fence: Fence,
    /// What the rules decided.
    pub decision: Decision,
    /// Whether the decision knew of a wish to cancel; if one has come since, the store refuses.
    pub saw_cancel: bool,
    /// What is kept of the attempt; `None` for a claim that was never started.
    pub record: Option<AttemptRecord>,
    /// What the worker produced.
    pub result: Option<Produced>,
    /// Tasks that the result brings forth; added with this commit or not at all.
    pub follow_ups: Vec<NewTask>,
}

/// What a worker produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Produced {
    /// The result, or as much of it as there was.
    pub payload: Payload,
    /// Whether it was cut short by the attempt's end.
    pub partial: bool,
}

/// What became of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is durable. (Also when the same settlement had been made durable before and the answer got lost.)
    Done,
    /// Somebody else holds the task: nothing was written.
    Fenced,
    /// A wish to cancel came in between: nothing was written; decide again, knowing it.
    CancelWished,
    /// A follow-up's id stands for another task: nothing was written. Holds its place in the list.
    FollowUpConflict(usize),
}

/// A place in the sequence of committed facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor(pub i64);

/// What people asked of this host since it last looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heeded {
    /// Claims of this host that are to be cancelled; named again until they are settled.
    pub cancel: Vec<(Seq, Fence)>,
    /// Workers that a person has mended.
    pub resume: Vec<WorkerName>,
    /// Where to go on.
    pub cursor: Cursor,
}

/// How a worker on a host is doing, for other processes to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerReport {
    /// The worker.
    pub worker: WorkerName,
    /// Streams in all.
    pub streams: u32,
    /// Streams at work.
    pub busy: u32,
    /// `green`, `yellow` or `red`.
    pub health: &'static str,
    /// Attempts in a row that did not succeed.
    pub consecutive_failures: u32,
    /// Attempts that succeeded.
    pub succeeded: u64,
    /// Attempts that ended otherwise.
    pub failed: u64,
    /// Recoveries from quarantine.
    pub total_recoveries: u64,
    /// The sentence of the last ending that was no success.
    pub last_error: Option<Box<str>>,
    /// Why it is quarantined, if it is.
    pub quarantine: Option<Box<str>>,
    /// What it takes: patterns as configured.
    pub task_types: Vec<Box<str>>,
}

/// For hosts.
pub trait Claims: Send + Sync {
    /// Makes the host known and gives it a slot; its lease begins.
    fn join(&self, introduction: Introduction) -> Answer<'_, Membership>;

    /// Every lane there is, with the version that [`Claimed::lanes_version`] speaks of.
    fn lanes(&self) -> Answer<'_, (u64, Vec<Lane>)>;

    /// Takes due tasks, best rank first over all wants: at most as many as each want says, and at most `most` in
    /// all, and no fewer than there are within these limits: nobody asks again for what was left behind, but for what
    /// [`Claimed::next_due`] announces. Durable before the answer.
    fn claim(&self, host: HostId, wants: Vec<Want>, most: u32) -> Answer<'_, Claimed>;

    /// Pushes the host's lease forward: one small write, whatever it holds.
    fn renew(&self, host: HostId) -> Answer<'_, ()>;

    /// What people asked since `after`. Reads only.
    fn heed(&self, host: HostId, after: Cursor) -> Answer<'_, Heeded>;

    /// Keeps notes, each under its fence; answers whether each was still welcome.
    fn note(&self, notes: Vec<Note>) -> Answer<'_, Vec<bool>>;

    /// Ends attempts, each on its own, all in one commit.
    fn settle(&self, settlements: Vec<Settlement>) -> Answer<'_, Vec<Settled>>;

    /// Moves at most `most` claims of dead hosts to this one, each under a new fence. Call until it is empty.
    fn take_over(&self, host: HostId, most: u32) -> Answer<'_, Vec<Orphan>>;

    /// Publishes how this host's workers are doing. May be lost.
    fn report(&self, host: HostId, workers: Vec<WorkerReport>) -> Answer<'_, ()>;

    /// Ends the membership. Claims that are still held go to whoever takes over next.
    fn leave(&self, host: HostId) -> Answer<'_, ()>;
}
