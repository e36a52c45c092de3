//! What the processes of a tree use, as `/proc` tells it: for machines on which control groups cannot be had.

use rustix::process::Pid;
use std::fs;

/// Memory of so many processes together, in bytes, without what is in files on disks too: the most that it can be. Pages that
/// processes share with each other count for each of them.
pub(super) fn at_most(pids: &[Pid]) -> u64 {
    pids.iter().filter_map(|pid| resident(*pid)).sum()
}

/// The same with each shared page counted once. Costs milliseconds for each GiB.
pub(super) fn exactly(pids: &[Pid]) -> u64 {
    // One whose details cannot be read is counted as if it shared nothing.
    pids.iter().filter_map(|pid| proportional(*pid).or_else(|| resident(*pid))).sum()
}

fn resident(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_pid())).ok()?;
    Some((kib(&text, "RssAnon:")? + kib(&text, "RssShmem:")?) << 10)
}

fn proportional(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.as_raw_pid())).ok()?;
    Some((kib(&text, "Pss_Anon:")? + kib(&text, "Pss_Shmem:")?) << 10)
}

/// The number behind a name, at the beginning of a line.
fn kib(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getpid;

    #[test]
    fn memory_that_a_process_takes_is_seen_in_both_ways() {
        const TAKEN: u64 = 64 << 20;
        let before = (at_most(&[getpid()]), exactly(&[getpid()]));
        let taken = vec![1_u8; usize::try_from(TAKEN).unwrap()];
        let after = (at_most(&[getpid()]), exactly(&[getpid()]));
        assert!(taken.iter().all(|byte| *byte == 1));
        for (before, after) in [(before.0, after.0), (before.1, after.1)] {
            assert!(after - before > TAKEN / 2 && after - before < TAKEN * 2, "{before} {after}");
        }
    }
}
