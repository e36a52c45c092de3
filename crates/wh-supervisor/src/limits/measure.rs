//! What the processes of a tree use, as `/proc` tells it: for machines on which control groups cannot be had.

use rustix::param::page_size;
use rustix::process::Pid;
use std::fs;

/// Memory of so many processes together, in bytes, but not what they share with files: the most that it can be. Pages that
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
    let text = fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_pid())).ok()?;
    let mut pages = text.split(' ').skip(1).map(str::parse::<u64>);
    let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(resident.saturating_sub(shared) * page_size() as u64)
}

fn proportional(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.as_raw_pid())).ok()?;
    let kib = |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
    };
    Some((kib("Pss_Anon:")? + kib("Pss_Shmem:")?) << 10)
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
