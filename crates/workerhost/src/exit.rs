//! The exit codes of the command line: one table for every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok,
    Failed,
    Usage,
    NotFound,
    Nothing,
    Conflict,
    TimedOut,
    Store,
    Config,
    WorkerFailed,
    Poisoned,
    Cancelled,
    Unwell,
    Untrusted,
    Killed,
    Interrupted,
    Terminated,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub(crate) const ALL: [Self; 17] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::Nothing,
        Self::Conflict,
        Self::TimedOut,
        Self::Store,
        Self::Config,
        Self::WorkerFailed,
        Self::Poisoned,
        Self::Cancelled,
        Self::Unwell,
        Self::Untrusted,
        Self::Killed,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Nothing => 4,
            Self::Conflict => 5,
            Self::TimedOut => 6,
            Self::Store => 7,
            Self::Config => 9,
            Self::WorkerFailed => 10,
            Self::Poisoned => 11,
            Self::Cancelled => 12,
            Self::Unwell => 13,
            Self::Untrusted => 74,
            Self::Killed => 75,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What the code says.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failed => "it failed; standard error says why",
            Self::Usage => "the command line is wrong",
            Self::NotFound => "there is no such task, worker or file",
            Self::Nothing => "nothing matched",
            Self::Conflict => "an id or a unique key stands for another task, or a name for another command",
            Self::TimedOut => "the wait was over before the tasks were",
            Self::Store => "the store cannot be used",
            Self::Config => "the configuration is wrong or missing",
            Self::WorkerFailed => "a worker did not do what the protocol asks (verify)",
            Self::Poisoned => "a task was given up (wait, map, enqueue --wait, run --fail-on-poisoned)",
            Self::Cancelled => "a task was cancelled (wait, map, enqueue --wait)",
            Self::Unwell => "something is wrong that keeps tasks from being done (doctor)",
            Self::Untrusted => "the disk did not confirm a write; nothing was acknowledged after that",
            Self::Killed => "the host went down before every attempt was done; they will be tried again",
            Self::Interrupted => "SIGINT ended a command that waited (wait, logs, enqueue --wait)",
            Self::Terminated => "SIGTERM ended a command that waited",
        }
    }

    /// The one that tells more trouble, for commands that end several things.
    pub(crate) fn worse(self, other: Self) -> Self {
        if other.code() > self.code() { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn every_exit_has_a_code_of_its_own_in_rising_order() {
        let codes = Exit::ALL.map(Exit::code);
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
