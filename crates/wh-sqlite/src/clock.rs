//! The machine's own clocks.

use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest, Sha256};
use std::fs;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};
use wh_domain::time::{StoreInstant, Timestamp};
use wh_ports::clock::Clock;

/// The calendar and the boot clock of this machine. The boot clock goes on through sleep.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    boot: u64,
}

impl SystemClock {
    /// The first clock of a process reads which boot this is. Processes in another time namespace, where the boot clock
    /// has another offset, count as of another boot.
    pub fn new() -> Self {
        static BOOT: OnceLock<u64> = OnceLock::new();
        Self { boot: *BOOT.get_or_init(this_boot) }
    }
}

fn this_boot() -> u64 {
    let mut hasher = Sha256::new();
    for file in ["/proc/sys/kernel/random/boot_id", "/proc/self/timens_offsets"] {
        // A kernel without time namespaces has no offsets, which are then all the same.
        hasher.update(fs::read(file).unwrap_or_default());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(first)
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(wh_domain::time::millis(since))
    }

    fn instant(&self) -> StoreInstant {
        let now = clock_gettime(ClockId::Boottime);
        StoreInstant { boot: self.boot, millis: now.tv_sec * 1_000 + now.tv_nsec / 1_000_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clocks_of_one_machine_agree_on_the_boot_and_never_go_back() {
        let (one, other) = (SystemClock::new().instant(), SystemClock::new().instant());
        assert_eq!(one.boot, other.boot);
        assert!(other.millis >= one.millis);
    }
}
