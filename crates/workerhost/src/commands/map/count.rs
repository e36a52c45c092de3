//! How many inputs there were and what became of them.

use super::ended::exit_of;
use crate::exit::Exit;
use crate::words::some;
use wh_domain::task::StateName;

/// Counts of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    /// Lines that were read.
    pub(super) known: u64,
    /// Lines of which everything is out, in this run or before it.
    pub(super) out: u64,
    /// Of these, how many were out before.
    pub(super) before: u64,
    /// Inputs that ended well and whose results came out in this run.
    pub(super) completed: u64,
    /// Lines without a result, refused ones among them.
    pub(super) failed: u64,
    /// Lines that were no inputs.
    refused: u64,
    /// The worst of all inputs.
    exit: Exit,
}

impl Count {
    pub(super) fn new() -> Self {
        Self { known: 0, out: 0, before: 0, completed: 0, failed: 0, refused: 0, exit: Exit::Ok }
    }

    /// An input came out.
    pub(super) fn end(&mut self, state: StateName) {
        self.out += 1;
        self.completed += u64::from(state == StateName::Completed);
        self.failed += u64::from(state != StateName::Completed);
        self.exit = self.exit.worse(exit_of(state));
    }

    /// An input had come out before.
    pub(super) fn end_before(&mut self, state: StateName) {
        self.out += 1;
        self.before += 1;
        self.failed += u64::from(state != StateName::Completed);
        self.exit = self.exit.worse(exit_of(state));
    }

    /// A line was no input.
    pub(super) fn refuse(&mut self) {
        self.out += 1;
        self.failed += 1;
        self.refused += 1;
        self.exit = self.exit.worse(Exit::Failed);
    }

    /// What all of them mean for the exit code.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// What went wrong, in a sentence; `None` where nothing did.
    pub(super) fn complaint(&self) -> Option<String> {
        (self.failed > 0).then(|| format!("{} of {} failed", self.failed, some(self.known, "line")))
    }

    /// Whether trying again could make it better.
    pub(super) fn can_be_retried(&self) -> bool {
        self.failed > self.refused
    }
}
