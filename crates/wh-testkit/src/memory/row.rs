//! A task with all that is kept of it, and what makes two tasks the same.

use crate::digest::sha256;
use std::collections::BTreeMap;
use wh_domain::attempt::{AttemptRecord, Progress};
use wh_domain::id::{Fence, HostId, LaneId};
use wh_domain::lifecycle::History;
use wh_domain::priority::Rank;
use wh_domain::task::{InputFile, NewTask, StateName, Task};
use wh_domain::time::Timestamp;
use wh_ports::blobs::Stored;

/// One run of a host as the store counts them: never given twice, not even to the same host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MemberNo(pub(super) u64);

impl MemberNo {
    /// Stands for a host that is none, where the guard against such hosts is missing.
    pub(super) const NOBODY: Self = Self(0);
}

/// What a claim adds to a task.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) by: MemberNo,
    pub(super) claimed_at: Timestamp,
    pub(super) lost_is_final: bool,
    /// The loss for which it is to be settled, once it was taken over.
    pub(super) lost: Option<Lost>,
}

/// A claim that its host took to the grave.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) fence: Fence,
    pub(super) host: HostId,
}

/// A task.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) task: Task,
    pub(super) lane: LaneId,
    pub(super) rank: Rank,
    /// Whether its moment has come. Once true it stays so until the next claim, whatever the clocks do.
    pub(super) ready: bool,
    pub(super) held: Option<Held>,
    pub(super) params: Stored,
    pub(super) metadata: Option<Box<str>>,
    pub(super) inputs: Vec<InputFile>,
    pub(super) traceparent: Option<Box<str>>,
    pub(super) id_is_given: bool,
    pub(super) digest: Box<str>,
    pub(super) result: Option<(Stored, bool)>,
    pub(super) checkpoint: Option<Box<str>>,
    pub(super) progress: Option<Progress>,
    pub(super) attempts: Vec<AttemptRecord>,
    /// The settlements that were made durable, each as its digest.
    pub(super) settled: BTreeMap<Fence, Box<str>>,
}

impl Row {
    pub(super) fn state(&self) -> StateName {
        self.task.state.name()
    }

    pub(super) fn is_held_under(&self, fence: Fence) -> bool {
        self.held.is_some() && self.task.fence == fence
    }

    pub(super) fn history(&self) -> History {
        History {
            counters: self.task.counters,
            max_attempts: self.task.max_attempts,
            cancel_wished: self.task.cancel_wished,
        }
    }

    /// The digests of all blobs it needs.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &str> {
        let stored = [Some(&self.params), self.result.as_ref().map(|(result, _)| result)];
        let large = stored.into_iter().flatten().filter_map(|stored| match stored {
            Stored::Blob { sha256, .. } => Some(&**sha256),
            Stored::Inline(_) => None,
        });
        large.chain(self.inputs.iter().map(|input| &*input.sha256))
    }
}

/// What two tasks of one id must share to be the same: the work, not its time, its urgency or its trace.
pub(super) fn content(task: &NewTask) -> Box<str> {
    sha256(format!("{:?}", (&task.task_type, &task.params, &task.metadata, &task.inputs)).as_bytes())
}
