//! How a process ended, why the host had asked it to, and what its exit codes mean.

use std::collections::BTreeMap;

/// How the process ended, as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It left with this code.
    Code(u8),
    /// This signal ended it.
    Signal(i32),
    /// It never ran; holds why, in plain words.
    NotStarted(Box<str>),
    /// The processes that watched it died first, so nobody saw its end.
    Unseen,
}

/// Why the host asked it to end before it ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The hard limit.
    Timeout,
    /// No event for `stall_after`.
    Stall,
    /// A person's wish.
    Cancel,
    /// The host is going down.
    Drain,
    /// The host may no longer write for it.
    LeaseLost,
    /// It wrote more than it may.
    Output,
    /// Its files reached a limit.
    Limit,
}

impl Stop {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Timeout, Self::Stall, Self::Cancel, Self::Drain, Self::LeaseLost, Self::Output, Self::Limit];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Stall => "stall",
            Self::Cancel => "cancel",
            Self::Drain => "drain",
            Self::LeaseLost => "lease_lost",
            Self::Output => "output",
            Self::Limit => "limit",
        }
    }

    /// The reason of that name; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stop| stop.as_str() == word)
    }
}

/// What an exit code means for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The work is done.
    Succeeded,
    /// It failed; trying again may help.
    Failed,
    /// It failed; trying again cannot help.
    NotRetriable,
    /// It ran out of its own time.
    TimedOut,
    /// Try later, at no cost.
    Deferred,
    /// The worker itself is broken, if it has not even read its input.
    WorkerBroken,
}

impl Meaning {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Succeeded,
        Self::Failed,
        Self::NotRetriable,
        Self::TimedOut,
        Self::Deferred,
        Self::WorkerBroken,
    ];

    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::NotRetriable => "not_retriable",
            Self::TimedOut => "timed_out",
            Self::Deferred => "deferred",
            Self::WorkerBroken => "worker_broken",
        }
    }

    /// The meaning of that name; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meaning| meaning.as_str() == word)
    }
}

/// What exit codes mean for one worker: the protocol's table, with the worker's own exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExitTable {
    /// Codes with another meaning than the protocol's.
    pub exceptions: BTreeMap<u8, Meaning>,
    /// Whether a code that the protocol does not name ends the task (`on_unknown_exit: fail`).
    pub unknown_is_final: bool,
}

impl ExitTable {
    /// What `code` means.
    pub fn meaning(&self, code: u8) -> Meaning {
        if let Some(meaning) = self.exceptions.get(&code) {
            return *meaning;
        }
        match code {
            0 => Meaning::Succeeded,
            2 | 64 | 65 => Meaning::NotRetriable,
            3 | 124 => Meaning::TimedOut,
            75 => Meaning::Deferred,
            78 | 126 | 127 => Meaning::WorkerBroken,
            1 | 130 | 143 => Meaning::Failed,
            _ if self.unknown_is_final => Meaning::NotRetriable,
            _ => Meaning::Failed,
        }
    }
}

/// A signal's usual name, or its number.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
