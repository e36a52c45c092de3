//! What an attempt may use of the machine, with all the processes of its tree.

use std::fmt;

const MIB: u64 = 1 << 20;

/// What a worker's configuration allows an attempt. Sizes are in bytes; `None` is as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all processes together.
    pub memory: Option<u64>,
    /// By how much the memory grows with each counted attempt before this one.
    pub grow_memory: u32,
    /// Processor time: 100 is one processor.
    pub cpu_percent: Option<u32>,
    /// Processes at the same time, and their threads where the kernel counts them.
    pub processes: Option<u32>,
    /// Files open at the same time, in each process.
    pub open_files: Option<u64>,
    /// The largest file that may be written.
    pub file_size: Option<u64>,
    /// What all files of the workspace take on the disk.
    pub workspace: Option<u64>,
    /// How many files and directories lie in it.
    pub inodes: Option<u64>,
    /// What those below its `output/` take on the disk.
    pub output: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: Some(2_048 * MIB),
            grow_memory: 1,
            cpu_percent: None,
            processes: Some(1_024),
            open_files: None,
            file_size: None,
            workspace: Some(10_240 * MIB),
            inodes: Some(1_000_000),
            output: None,
        }
    }
}

impl Limits {
    /// Nothing is limited.
    pub const NONE: Self = Self {
        memory: None,
        grow_memory: 1,
        cpu_percent: None,
        processes: None,
        open_files: None,
        file_size: None,
        workspace: None,
        inodes: None,
        output: None,
    };

    /// The limits of an attempt before which so many counted, on a machine with so much memory.
    #[must_use]
    pub fn after(self, attempts: u32, machine: u64) -> Self {
        let growth = u64::from(self.grow_memory).saturating_pow(attempts);
        let grown = |memory: u64| memory.saturating_mul(growth).min(machine.max(memory));
        Self { memory: self.memory.map(grown), ..self }
    }
}

fn size(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(MIB))
}

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Memory, in bytes.
    Memory,
    /// Memory of the machine, or of whatever the host itself is in.
    MachineMemory,
    /// Processes.
    Processes,
    /// The size of a file, in bytes.
    FileSize,
    /// The size of the workspace, in bytes.
    Workspace,
    /// Files and directories of the workspace.
    Inodes,
    /// The size of its `output/`, in bytes.
    Output,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Memory,
        Self::MachineMemory,
        Self::Processes,
        Self::FileSize,
        Self::Workspace,
        Self::Inodes,
        Self::Output,
    ];

    /// The word that stands in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::MachineMemory => "machine_memory",
            Self::Processes => "processes",
            Self::FileSize => "file_size",
            Self::Workspace => "workspace",
            Self::Inodes => "inodes",
            Self::Output => "output",
        }
    }

    /// The resource of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.as_str() == word)
    }
}

/// A limit that was reached, for which processes were ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// Of what.
    pub resource: Resource,
    /// How much may be used.
    pub limit: u64,
    /// How much was used at the most; no more than the limit where the kernel gives none.
    pub used: u64,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, limit, used } = *self;
        match resource {
            Resource::Memory if used > limit => {
                write!(f, "its processes used {} of memory and may use {}", size(used), size(limit))
            }
            Resource::Memory => {
                write!(f, "its processes used all of the {} of memory that they may use", size(limit))
            }
            Resource::MachineMemory => {
                f.write_str("the kernel ended processes of it because memory ran out on the machine or in the host's container")
            }
            Resource::Processes => write!(f, "it had {used} processes and may have {limit}"),
            Resource::Workspace => {
                write!(f, "its files took {} and may take {}", size(used), size(limit))
            }
            Resource::Inodes => write!(f, "it made more than the {limit} files that it may"),
            Resource::Output => {
                write!(f, "its output took {} and may take {}", size(used), size(limit))
            }
            Resource::FileSize => write!(f, "it wrote more into a file than the {} that it may", size(limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_each_attempt_up_to_the_machines_own() {
        let limits = Limits { memory: Some(512 * MIB), grow_memory: 3, ..Limits::NONE };
        let memory = |attempts| limits.after(attempts, 8_192 * MIB).memory.map(|memory| memory / MIB);
        assert_eq!([0, 1, 2, 3, 100].map(memory), [512, 1_536, 4_608, 8_192, 8_192].map(Some));
        assert_eq!(limits.after(1, 256 * MIB).memory, Some(512 * MIB), "what was configured is never less");
        assert_eq!(Limits::NONE.after(3, MIB), Limits::NONE);
        assert_eq!(Limits::default().after(2, 1 << 40).memory, Limits::default().memory);
    }

    #[test]
    fn a_breach_says_what_was_used_and_what_may_be() {
        let told = |resource, limit, used| Breach { resource, limit, used }.to_string();
        let rows = [
            (
                told(Resource::Memory, 512 * MIB, 530 * MIB),
                "its processes used 530 MiB of memory and may use 512 MiB",
            ),
            (
                told(Resource::Memory, 512 * MIB, 0),
                "its processes used all of the 512 MiB of memory that they may use",
            ),
            (
                told(Resource::MachineMemory, 0, 0),
                "the kernel ended processes of it because memory ran out on the machine or in the host's container",
            ),
            (told(Resource::Processes, 8, 9), "it had 9 processes and may have 8"),
            (told(Resource::Workspace, MIB, 3 * MIB), "its files took 3 MiB and may take 1 MiB"),
            (told(Resource::Inodes, 5, 6), "it made more than the 5 files that it may"),
            (told(Resource::Output, MIB, 3 * MIB), "its output took 3 MiB and may take 1 MiB"),
            (told(Resource::FileSize, MIB, 0), "it wrote more into a file than the 1 MiB that it may"),
        ];
        for (told, expected) in rows {
            assert_eq!(told, expected);
        }
    }
}
