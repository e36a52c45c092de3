//! What an ending means for the task.

use crate::failure::FailureClass;
use crate::retry::Backoff;
use crate::time::Timestamp;
use std::time::Duration;

/// When a worker wants to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long from now.
    In(Duration),
    /// At that moment.
    At(Timestamp),
}

impl RetryAfter {
    /// No worker is tried again sooner: one that puts off everything at once would keep its host busy with nothing.
    pub const LEAST: Duration = Backoff::LEAST;

    /// The same as it is seen at `now`: a moment that has passed, or is as good as there, is no wait at all.
    #[must_use]
    pub fn seen_at(self, now: Timestamp) -> Self {
        match self {
            Self::At(moment) if moment.since(now) < Self::LEAST => Self::In(Duration::ZERO),
            other => other,
        }
    }
}

/// What an ending means for the task; [`crate::ending::judge`] finds it, [`crate::lifecycle::after_attempt`]
/// acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The result counts.
    Succeeded,
    /// The worker failed and said so.
    Failed {
        /// The kind of trouble.
        class: FailureClass,
        /// Whether trying again may help.
        retriable: bool,
    },
    /// The host's limit, or the worker's own, was reached.
    TimedOut {
        /// Whether trying again may help.
        retriable: bool,
    },
    /// A signal that the host did not send ended it.
    Crashed,
    /// What it wrote was no answer.
    ProtocolError,
    /// It asked to be tried later.
    Deferred(Option<RetryAfter>),
    /// It could not run at all: the worker's fault, not the task's.
    WorkerBroken,
    /// Its host died.
    Lost,
    /// The host was stopped.
    Interrupted,
    /// A person asked for it.
    Cancelled,
}

/// An outcome as a bare word, for records and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeName {
    /// See [`Outcome::Succeeded`].
    Succeeded,
    /// See [`Outcome::Failed`].
    Failed,
    /// See [`Outcome::TimedOut`].
    TimedOut,
    /// See [`Outcome::Crashed`].
    Crashed,
    /// See [`Outcome::ProtocolError`].
    ProtocolError,
    /// See [`Outcome::Deferred`].
    Deferred,
    /// See [`Outcome::WorkerBroken`].
    WorkerBroken,
    /// See [`Outcome::Lost`].
    Lost,
    /// See [`Outcome::Interrupted`].
    Interrupted,
    /// See [`Outcome::Cancelled`].
    Cancelled,
}

impl OutcomeName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Crashed,
        Self::ProtocolError,
        Self::Deferred,
        Self::WorkerBroken,
        Self::Lost,
        Self::Interrupted,
        Self::Cancelled,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Crashed => "crashed",
            Self::ProtocolError => "protocol_error",
            Self::Deferred => "deferred",
            Self::WorkerBroken => "worker_broken",
            Self::Lost => "lost",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }

    /// The outcome of that name; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

impl Outcome {
    /// The same as it is seen at `now`, see [`RetryAfter::seen_at`].
    #[must_use]
    pub fn seen_at(self, now: Timestamp) -> Self {
        match self {
            Self::Deferred(when) => Self::Deferred(when.map(|when| when.seen_at(now))),
            other => other,
        }
    }

    /// The bare word.
    pub const fn name(&self) -> OutcomeName {
        match self {
            Self::Succeeded => OutcomeName::Succeeded,
            Self::Failed { .. } => OutcomeName::Failed,
            Self::TimedOut { .. } => OutcomeName::TimedOut,
            Self::Crashed => OutcomeName::Crashed,
            Self::ProtocolError => OutcomeName::ProtocolError,
            Self::Deferred(_) => OutcomeName::Deferred,
            Self::WorkerBroken => OutcomeName::WorkerBroken,
            Self::Lost => OutcomeName::Lost,
            Self::Interrupted => OutcomeName::Interrupted,
            Self::Cancelled => OutcomeName::Cancelled,
        }
    }
}
