//! When a host takes on no more work because its machine has enough to do.

use std::fmt;

const MIB: u64 = 1 << 20;

/// How full a machine may be for its host to claim. `None` is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watermarks {
    /// The highest load, in hundredths: processes that run or wait for a disk, over the last minute.
    pub load: Option<u64>,
    /// The least memory that is to be free, in bytes.
    pub memory: Option<u64>,
    /// The least room on the disk of the data directory, in bytes.
    pub disk: Option<u64>,
}

/// How a machine is. What could not be read is `None`, and no reason for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readings {
    /// The load, in hundredths.
    pub load: Option<u64>,
    /// Free memory, in bytes, with what the kernel would give back.
    pub memory: Option<u64>,
    /// Room on the disk of the data directory, in bytes.
    pub disk: Option<u64>,
}

/// Why a host claims nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strain {
    /// The load is so high, and may be so high.
    Load(u64, u64),
    /// So many bytes of memory are free, and so many are to be.
    Memory(u64, u64),
    /// So many bytes of the disk are free, and so many are to be.
    Disk(u64, u64),
}

impl Watermarks {
    /// Why no more is to be claimed, if anything speaks against it. Who has stopped for a reason goes on only a tenth below
    /// or above it, lest it stop and go on with each task.
    pub fn strain(&self, readings: &Readings, has_stopped: bool) -> Option<Strain> {
        let below = |most: u64| if has_stopped { most - most / 10 } else { most };
        let above = |least: u64| if has_stopped { least.saturating_add(least / 10) } else { least };
        let load = readings.load.zip(self.load).filter(|(is, most)| *is > below(*most));
        let memory = readings.memory.zip(self.memory).filter(|(is, least)| *is < above(*least));
        let disk = readings.disk.zip(self.disk).filter(|(is, least)| *is < above(*least));
        let disk = disk.map(|(is, least)| Strain::Disk(is, least));
        let memory = memory.map(|(is, least)| Strain::Memory(is, least));
        disk.or(memory).or_else(|| load.map(|(is, most)| Strain::Load(is, most)))
    }
}

impl fmt::Display for Strain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = |f: &mut fmt::Formatter<'_>, is: u64, least: u64, what: &str, key: &str| {
            write!(f, "{} MiB of {what} are free, and `host.{key}` is {} MiB", is / MIB, least.div_ceil(MIB))
        };
        match self {
            Self::Load(is, most) => {
                let of = |load: &u64| format!("{}.{:02}", load / 100, load % 100);
                write!(f, "the load is {}, and `host.max_load` is {}", of(is), of(most))
            }
            Self::Memory(is, least) => free(f, *is, *least, "memory", "min_free_memory"),
            Self::Disk(is, least) => free(f, *is, *least, "the disk", "min_free_disk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Watermarks =
        Watermarks { load: Some(800), memory: Some(100 * MIB), disk: Some(1_000 * MIB) };
    const WELL: Readings = Readings { load: Some(100), memory: Some(4_000 * MIB), disk: Some(9_000 * MIB) };

    #[test]
    fn a_host_stops_at_its_mark_and_goes_on_a_tenth_beyond_it() {
        let load = |load| Readings { load: Some(load), ..WELL };
        let memory = |mib| Readings { memory: Some(mib * MIB), ..WELL };
        let disk = |mib| Readings { disk: Some(mib * MIB), ..WELL };
        let rows = [
            (load(800), false, false),
            (load(801), false, true),
            (load(721), true, true),
            (load(720), true, false),
            (memory(100), false, false),
            (memory(99), false, true),
            (memory(109), true, true),
            (memory(110), true, false),
            (disk(1_000), false, false),
            (disk(999), false, true),
            (disk(1_099), true, true),
            (disk(1_100), true, false),
        ];
        for (readings, has_stopped, stops) in rows {
            assert_eq!(MARKS.strain(&readings, has_stopped).is_some(), stops, "{readings:?} {has_stopped}");
        }
    }

    #[test]
    fn what_cannot_be_read_and_what_is_not_asked_for_stops_nobody() {
        assert_eq!(MARKS.strain(&Readings::default(), false), None);
        let empty = Readings { load: Some(u64::MAX), memory: Some(0), disk: Some(0) };
        assert_eq!(Watermarks::default().strain(&empty, true), None);
    }

    #[test]
    fn a_strain_says_what_is_and_what_was_configured() {
        let rows = [
            (Strain::Load(905, 800), "the load is 9.05, and `host.max_load` is 8.00"),
            (
                Strain::Memory(90 * MIB, 100 * MIB),
                "90 MiB of memory are free, and `host.min_free_memory` is 100 MiB",
            ),
            (Strain::Disk(0, 256 * MIB), "0 MiB of the disk are free, and `host.min_free_disk` is 256 MiB"),
        ];
        for (strain, words) in rows {
            assert_eq!(strain.to_string(), words);
        }
    }
}
