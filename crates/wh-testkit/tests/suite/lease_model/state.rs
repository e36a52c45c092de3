//! Hosts, tasks and what is on its way between them: everything that can differ between two moments.

/// Hosts of the model.
pub(super) const HOSTS: usize = 3;
/// Tasks of the model.
pub(super) const TASKS: usize = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    Pending,
    Claimed { by: u8 },
    Ended,
}

/// A task as the store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Task {
    pub(super) standing: Standing,
    pub(super) fence: u8,
    /// Ends that were accepted.
    pub(super) ends: u8,
    /// Whether one was accepted that did not come from the holder under the task's fence.
    pub(super) usurped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Process {
    Running,
    /// Stopped, but alive: it will go on as if nothing had happened.
    Paused,
    Crashed,
}

/// What a host does for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Work {
    Nothing,
    /// It carries an attempt under this fence.
    Carries(u8),
    /// It took the claim over and is to give the task back under this fence.
    Adopted(u8),
}

/// A settlement on its way to the store. It arrives whatever becomes of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Letter {
    pub(super) fence: u8,
    /// Whether it ends the task; else the task is to be pending again.
    pub(super) ends: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Host {
    pub(super) process: Process,
    /// Whether its lease has run out.
    pub(super) expired: bool,
    /// Whether others have begun to take over from it.
    pub(super) out: bool,
    pub(super) work: [Work; TASKS],
    pub(super) letters: [Option<Letter>; TASKS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) hosts: [Host; HOSTS],
    pub(super) tasks: [Task; TASKS],
}

impl State {
    pub(super) fn first() -> Self {
        let host = Host {
            process: Process::Running,
            expired: false,
            out: false,
            work: [Work::Nothing; TASKS],
            letters: [None; TASKS],
        };
        let task = Task { standing: Standing::Pending, fence: 0, ends: 0, usurped: false };
        Self { hosts: [host; HOSTS], tasks: [task; TASKS] }
    }
}
