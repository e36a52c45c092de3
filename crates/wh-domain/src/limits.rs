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
    /// Processes.
    Processes,
    /// The size of a file, in bytes.
    FileSize,
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
            Resource::Processes => write!(f, "it had {used} processes and may have {limit}"),
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
            (told(Resource::Processes, 8, 9), "it had 9 processes and may have 8"),
            (told(Resource::FileSize, MIB, 0), "it wrote more into a file than the 1 MiB that it may"),
        ];
        for (told, expected) in rows {
            assert_eq!(told, expected);
        }
    }
}
