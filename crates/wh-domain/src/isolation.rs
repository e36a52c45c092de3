//! How far a worker is kept from everything else: what its configuration asks for, and what the kernel enforced.

use std::path::PathBuf;

/// What a worker's configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Isolation {
    /// How much.
    pub level: Level,
    /// Whether the worker must not run where any of it cannot be had.
    pub required: bool,
    /// Files and directories that it may read besides its own.
    pub read: Vec<PathBuf>,
    /// Files and directories that it may write besides its workspace.
    pub write: Vec<PathBuf>,
    /// Whom it may connect to.
    pub network: Network,
}

/// Whom a worker may connect to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Network {
    /// Anybody.
    #[default]
    Any,
    /// Nobody, by any protocol.
    None,
    /// Over TCP only to these ports, of any machine; it may listen nowhere.
    Ports(Vec<u16>),
}

/// How much is kept from a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Nothing.
    None,
    /// The files of others, and signals and sockets to processes that are not its own.
    #[default]
    Strict,
}

impl Level {
    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Strict => "strict",
        }
    }

    /// The level of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Strict].into_iter().find(|level| level.as_str() == word)
    }
}

/// One thing that a worker cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// Read, list, write or execute files that it was not granted. Linux: Landlock, from ABI 3 on.
    Files,
    /// Send signals to processes that it did not start. Linux: Landlock, from ABI 6 on.
    Signals,
    /// Connect to abstract sockets of processes that it did not start. Linux: Landlock, from ABI 6 on.
    AbstractSockets,
    /// Use the network otherwise than it was granted. Linux: seccomp where it may not at all, else Landlock, from ABI 4 on.
    Network,
    /// Get more rights by executing a program that has them: `no_new_privs`.
    Privileges,
    /// Make calls of the kernel that no worker needs: other namespaces, tracing, modules, clocks. Linux: seccomp.
    Syscalls,
    /// Leave its memory in a file when it crashes.
    CoreDumps,
    /// Make files that others can read, unless it says so.
    Umask,
    /// Use more memory than it may, with all its processes. Linux: control groups, else measured.
    Memory,
    /// Use more processor time than it may, with all its processes. Linux: control groups.
    Cpu,
    /// Have more processes than it may. Linux: control groups, else measured.
    Processes,
    /// Have more files open than it may, in each process. `RLIMIT_NOFILE`.
    OpenFiles,
    /// Write larger files than it may. `RLIMIT_FSIZE`.
    FileSize,
    /// Fill its workspace beyond what it may, in bytes or in files. Measured.
    Workspace,
}

impl Restriction {
    /// All that there are.
    pub const ALL: [Self; 14] = [
        Self::Files,
        Self::Signals,
        Self::AbstractSockets,
        Self::Network,
        Self::Privileges,
        Self::Syscalls,
        Self::CoreDumps,
        Self::Umask,
        Self::Memory,
        Self::Cpu,
        Self::Processes,
        Self::OpenFiles,
        Self::FileSize,
        Self::Workspace,
    ];

    /// The word that stands in records and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Signals => "signals",
            Self::AbstractSockets => "abstract_sockets",
            Self::Network => "network",
            Self::Privileges => "privileges",
            Self::Syscalls => "syscalls",
            Self::CoreDumps => "core_dumps",
            Self::Umask => "umask",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Processes => "processes",
            Self::OpenFiles => "open_files",
            Self::FileSize => "file_size",
            Self::Workspace => "workspace",
        }
    }

    /// The restriction of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|restriction| restriction.as_str() == word)
    }
}

/// What was enforced for an attempt, and what not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcement {
    /// What was asked for.
    pub level: Level,
    /// Which version of Landlock enforced it; `None` where the kernel has none.
    pub landlock: Option<u8>,
    /// Which version of control groups holds its limits; `None` where what can be is measured.
    pub cgroup: Option<u8>,
    /// What holds.
    pub enforced: Vec<Restriction>,
    /// What does not.
    pub missing: Vec<Gap>,
}

/// Something that was asked for and does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What.
    pub restriction: Restriction,
    /// Why not, in words that fit behind a colon.
    pub why: Box<str>,
}

impl Enforcement {
    /// Of a worker from which nothing is kept.
    pub const fn nothing() -> Self {
        Self { level: Level::None, landlock: None, cgroup: None, enforced: Vec::new(), missing: Vec::new() }
    }

    /// Why nothing may be started where all of it is required; `None` where all of it holds.
    pub fn shortfall(&self) -> Option<String> {
        if self.missing.is_empty() {
            return None;
        }
        let gaps: Vec<String> =
            self.missing.iter().map(|gap| format!("{}: {}", gap.restriction.as_str(), gap.why)).collect();
        Some(format!(
            "its isolation is required, and this machine does not give all of {} ({})",
            self.level.as_str(),
            gaps.join("; ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_what_it_came_from() {
        for restriction in Restriction::ALL {
            assert_eq!(Restriction::parse(restriction.as_str()), Some(restriction));
        }
        for level in [Level::None, Level::Strict] {
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert_eq!((Restriction::parse("walls"), Level::parse("soft")), (None, None));
    }

    #[test]
    fn a_shortfall_names_every_gap() {
        let gap = |restriction, why: &str| Gap { restriction, why: why.into() };
        let mut enforcement = Enforcement {
            level: Level::Strict,
            landlock: Some(3),
            cgroup: None,
            enforced: vec![Restriction::Files],
            missing: Vec::new(),
        };
        assert_eq!(enforcement.shortfall(), None);
        enforcement.missing = vec![
            gap(Restriction::Signals, "the kernel has Landlock 3, and this takes 6"),
            gap(Restriction::Privileges, "refused"),
        ];
        assert_eq!(
            enforcement.shortfall().as_deref(),
            Some(
                "its isolation is required, and this machine does not give all of strict (signals: the kernel has \
                 Landlock 3, and this takes 6; privileges: refused)"
            )
        );
    }
}
