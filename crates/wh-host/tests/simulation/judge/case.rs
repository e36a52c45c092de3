//! A task as the judge knows it.

use std::time::Duration;
use wh_domain::attempt::AttemptRecord;
use wh_domain::id::{Fence, HostId, Seq};
use wh_domain::lifecycle::{Decision, Next};
use wh_domain::task::{Counters, Due, NewTask, StateName, WaitingFor};
use wh_ports::claims::{Produced, Settlement};

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Pending {
        due: Due,
        waiting_for: Option<WaitingFor>,
    },
    Claimed {
        by: HostId,
    },
    Ended(StateName),
    /// Ended, and deleted since.
    Swept,
}

/// What makes a settlement the same as another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Print {
    fence: Fence,
    decision: Decision,
    record: Option<AttemptRecord>,
    result: Option<Produced>,
}

impl Print {
    /// Whether a host that tells this tells of this settlement.
    pub(super) fn tells(&self, fence: Fence, next: Next, record: &AttemptRecord) -> bool {
        (self.fence, self.decision.next, self.record.as_ref()) == (fence, next, Some(record))
    }

    pub(super) fn of(settlement: &Settlement) -> Self {
        Self {
            fence: settlement.fence,
            decision: settlement.decision,
            record: settlement.record.clone(),
            result: settlement.result.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) seq: Seq,
    pub(crate) task: NewTask,
    pub(crate) standing: Standing,
    /// When it last changed.
    pub(super) changed_at: Duration,
    pub(super) fence: Fence,
    /// The last fence of a deleted task that had the same id.
    pub(super) spent: Fence,
    pub(super) counters: Counters,
    /// Ends that were accepted since it was handed over or a person retried it.
    pub(super) endings: u32,
    /// Since when a person wishes its end, while it is claimed.
    pub(super) cancel_wished: Option<Duration>,
    /// The claim that was lost, as long as nobody has settled it: its host and its fence.
    pub(super) lost: Option<(HostId, Fence)>,
    /// Whether an unknown fate of the present claim is final.
    pub(super) lost_is_final: bool,
    /// Settlements that were accepted.
    pub(super) settled: Vec<Print>,
    pub(super) checkpoint: Option<Box<str>>,
    /// Whether it waited while no worker took its type.
    pub(super) unknown: bool,
}

impl Case {
    pub(super) fn new(seq: Seq, task: NewTask, due: Due, now: Duration) -> Self {
        Self {
            seq,
            task,
            changed_at: now,
            standing: Standing::Pending { due, waiting_for: None },
            fence: Fence(0),
            spent: Fence(0),
            counters: Counters::default(),
            endings: 0,
            cancel_wished: None,
            lost: None,
            lost_is_final: false,
            settled: Vec::new(),
            checkpoint: None,
            unknown: false,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.standing, Standing::Ended(_) | Standing::Swept)
    }

    pub(super) fn is_held(&self, by: &HostId, fence: Fence) -> bool {
        self.fence == fence && self.standing == Standing::Claimed { by: by.clone() }
    }

    pub(super) fn state(&self) -> Option<StateName> {
        match &self.standing {
            Standing::Pending { .. } => Some(StateName::Pending),
            Standing::Claimed { .. } => Some(StateName::Claimed),
            Standing::Ended(state) => Some(*state),
            Standing::Swept => None,
        }
    }
}
