//! Who watches everything that reaches the store and everything that workers do, and holds the promises against it.
//!
//! It believes no answer: it keeps its own account of every task, written from nothing but what was committed, and
//! compares.

mod case;
mod claims;
mod hosts;
mod intake;
mod liveness;
mod settling;
mod wishes;

pub(crate) use case::{Case, Standing};
pub(crate) use settling::expected_result;

use crate::marks::Marks;
use crate::people::Act;
use crate::plan::Plan;
use hosts::HostWatch;
use std::collections::BTreeMap;
use std::time::Duration;
use wh_domain::id::{HostId, Seq, TaskId};
use wh_domain::retry::RetryPolicy;
use wh_domain::task::{Due, NewTask};
use wh_domain::time::{StoreInstant, Timestamp};

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    /// Something acknowledged is gone, or was never there.
    Lost,
    /// A task that had ended changed, or ended again.
    EndedTwice,
    /// A fence did not grow.
    Fence,
    /// A write was accepted that did not come from the holder under its fence.
    Usurped,
    /// A holder's own write was refused.
    Refused,
    /// An attempt was started without a claim that is committed and current.
    StartedUnclaimed,
    /// Two attempts at one task were alive at once.
    Overlap,
    /// A task was settled while processes of its attempt were alive.
    SettledAlive,
    /// More was claimed than asked for, or by whom or when it must not be.
    Claim,
    /// More was carried than there are streams.
    OverCommitted,
    /// A counter is not what the endings make it, or beyond its cap.
    Counters,
    /// A wish to cancel was not obeyed, or not in time.
    CancelIgnored,
    /// An unknown fate that is final was tried again.
    LostRetried,
    /// A host told of something that was not so.
    FalseFact,
    /// A result or a checkpoint is not the one of its attempt.
    WrongResult,
    /// Something was taken from a host that lived and renewed, or that could not be judged.
    Stolen,
    /// One id or one key stands for two tasks, or more is pending than may be.
    Double,
    /// A free stream was left idle while there was work for it.
    Idle,
    /// A task did not come to its end though all trouble was over.
    NotDrained,
    /// A host ended as it must not.
    HostEnded,
    /// A host asked again and again without any time passing.
    HotLoop,
}

/// The judge.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) marks: Marks,
    charges: Vec<(Charge, String)>,
    policy: RetryPolicy,
    max_pending: u64,
    sweeps: bool,
    /// How long what should happen at once may take, with all that may be late.
    patience: Duration,
    /// How long this life has lasted.
    now: Duration,
    wall: Timestamp,
    instant: StoreInstant,
    /// Whether the calendar has jumped, so that nothing can be said about it any more.
    jumped: bool,
    cases: BTreeMap<Seq, Case>,
    seqs: BTreeMap<TaskId, Seq>,
    hosts: BTreeMap<HostId, HostWatch>,
    /// Since when a host could take a task and does not.
    waits: BTreeMap<(HostId, Seq), Duration>,
}

impl Judge {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            marks: Marks::default(),
            charges: Vec::new(),
            policy: plan.policy,
            max_pending: plan.max_pending,
            sweeps: plan.retention.is_some() || plan.acts.iter().any(|(act, _)| *act == Act::JumpCalendar),
            patience: if plan.weather.is_fair() {
                Duration::from_secs(2)
            } else {
                Duration::from_secs(20) + plan.weather.longest * 4
            },
            now: Duration::ZERO,
            wall: Timestamp::from_millis(0),
            instant: StoreInstant { boot: 0, millis: 0 },
            jumped: false,
            cases: BTreeMap::new(),
            seqs: BTreeMap::new(),
            hosts: BTreeMap::new(),
            waits: BTreeMap::new(),
        }
    }

    /// Looks at the clocks.
    pub(crate) fn looks_up(&mut self, now: Duration, wall: Timestamp, instant: StoreInstant) {
        (self.now, self.wall, self.instant) = (now, wall, instant);
    }

    pub(crate) fn charge(&mut self, charge: Charge, why: String) {
        self.charges.push((charge, why));
    }

    /// The first broken promise, which is the one to look at.
    pub(crate) fn verdict(&self) -> Option<(Charge, String)> {
        self.charges.first().cloned()
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn has_come(&self, due: Due) -> bool {
        due.has_come(self.wall, self.instant)
    }

    pub(crate) fn known(&self, id: &TaskId) -> Option<&Case> {
        self.case(id)
    }

    fn case(&self, id: &TaskId) -> Option<&Case> {
        self.seqs.get(id).and_then(|seq| self.cases.get(seq))
    }

    /// Ids of tasks, oldest first.
    pub(crate) fn ids(&self) -> Vec<TaskId> {
        self.cases.values().map(|case| case.task.id.clone()).collect()
    }

    /// Tasks that have not ended.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().filter(|case| !case.has_ended())
    }

    pub(crate) fn unfinished(&self) -> Vec<TaskId> {
        self.open().map(|case| case.task.id.clone()).collect()
    }

    pub(crate) fn id_of(&self, seq: Seq) -> Option<TaskId> {
        self.cases.get(&seq).map(|case| case.task.id.clone())
    }

    /// A task as it was handed over.
    pub(crate) fn as_enqueued(&self, id: &TaskId) -> Option<NewTask> {
        self.case(id).map(|case| case.task.clone())
    }

    /// Whether a host carries anything.
    pub(crate) fn carries(&self, host: &HostId) -> bool {
        self.hosts.get(host).is_some_and(|watch| !watch.running.is_empty())
    }

    pub(crate) fn instant_now(&self) -> StoreInstant {
        self.instant
    }

    pub(crate) fn wall_now(&self) -> Timestamp {
        self.wall
    }
}
