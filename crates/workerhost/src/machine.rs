//! How this machine is, as `/proc` and the file system tell it.

use std::fs;
use std::path::PathBuf;
use wh_domain::watermark::Readings;
use wh_ports::machine::Machine;

/// This machine, with the disk on which the data directory lies.
pub(crate) struct ThisMachine {
    pub(crate) data_dir: PathBuf,
}

impl ThisMachine {
    /// How much memory there is, and how large the disk is, in bytes; 0 for what cannot be told.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        let disk =
            rustix::fs::statvfs(&self.data_dir).map_or(0, |disk| disk.f_blocks.saturating_mul(disk.f_frsize));
        (Self::memory(), disk)
    }

    /// How much memory there is, in bytes.
    pub(crate) fn memory() -> u64 {
        let about = rustix::system::sysinfo();
        about.totalram.saturating_mul(about.mem_unit.into())
    }
}

impl Machine for ThisMachine {
    fn readings(&self) -> Readings {
        let text = |name| fs::read_to_string(name).ok();
        Readings {
            load: text("/proc/loadavg").and_then(|text| load(&text)),
            memory: text("/proc/meminfo").and_then(|text| available(&text)),
            disk: rustix::fs::statvfs(&self.data_dir)
                .ok()
                .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        }
    }
}

/// The load of the last minute, in hundredths, of `0.35 0.40 0.50 2/300 4711`.
fn load(text: &str) -> Option<u64> {
    let (whole, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    Some(whole.parse::<u64>().ok()? * 100 + hundredths.parse::<u64>().ok()?)
}

/// The line `MemAvailable:    23456 kB`, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_can_be_read_of_this_machine() {
        let readings = ThisMachine { data_dir: "/tmp".into() }.readings();
        assert!(
            readings.load.is_some() && readings.memory > Some(1 << 20) && readings.disk.is_some(),
            "{readings:?}"
        );
    }

    #[test]
    fn what_the_kernel_says_is_read_as_it_is_meant() {
        assert_eq!(load("12.05 0.40 0.50 2/300 4711\n"), Some(1_205));
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        assert_eq!((load("garbled"), available("MemTotal: 9 kB")), (None, None));
    }
}
