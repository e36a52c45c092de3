//! What processes have used, as `/proc` has it.

use crate::trouble::{Trouble, trouble};
use rustix::param::clock_ticks_per_second;
use std::fs;
use std::time::Duration;

/// A process and everything below it, itself first.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        for thread in threads(pid) {
            let children = fs::read_to_string(format!("{thread}/children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        }
        at += 1;
    }
    found
}

/// Processor time of these processes and of the children that they have waited for.
pub(crate) fn cpu_with_ended(pids: &[u32]) -> Duration {
    pids.iter().map(|pid| cpu_of_stat(&format!("/proc/{pid}/stat"))).sum()
}

/// Processor time of this process and of the children that it has waited for.
pub(crate) fn own_cpu() -> Duration {
    cpu_of_stat("/proc/self/stat")
}

fn cpu_of_stat(path: &str) -> Duration {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The name, which may hold anything, ends at the last bracket; utime, stime, cutime and cstime are 14 to 17.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64)
}

/// What a process has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life {
    /// Processor time, of threads that still live.
    pub(crate) cpu: Duration,
    /// How often one of its threads was given a processor.
    pub(crate) wakes: u64,
    /// Calls that write, whatever they write to.
    pub(crate) writes: u64,
}

/// What these processes have done so far, all together.
pub(crate) fn life(pids: &[u32]) -> Life {
    let mut life = Life::default();
    for pid in pids {
        for thread in threads(*pid) {
            let times = fs::read_to_string(format!("{thread}/schedstat")).unwrap_or_default();
            let mut numbers = times.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
            life.cpu += Duration::from_nanos(numbers.next().unwrap_or(0));
            life.wakes += numbers.nth(1).unwrap_or(0);
        }
        life.writes += field(&format!("/proc/{pid}/io"), "syscw:").unwrap_or(0);
    }
    life
}

/// Memory of these processes, what they share counted once (PSS), in MiB.
pub(crate) fn pss_mib(pids: &[u32]) -> Result<f64, Trouble> {
    let kib = |pid: &u32| {
        field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
            .ok_or_else(|| trouble(format!("the memory of process {pid} cannot be read")))
    };
    Ok(pids.iter().map(kib).sum::<Result<u64, _>>()? as f64 / 1024.0)
}

/// Memory of a process, shared or not (RSS), in MiB.
pub(crate) fn rss_mib(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/smaps_rollup"), "Rss:").unwrap_or(0) as f64 / 1024.0
}

/// What the whole machine has spent so far: busy, and in all.
pub(crate) fn machine() -> (Duration, Duration) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: Vec<u64> = text
        .lines()
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(1)
        .filter_map(|it| it.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; what follows is contained in the first two.
    let all: u64 = ticks.iter().take(8).sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    let time = |ticks: u64| Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64);
    (time(all.saturating_sub(idle)), time(all))
}

fn threads(pid: u32) -> Vec<String> {
    let path = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&path).into_iter().flatten().flatten();
    entries.map(|entry| format!("{path}/{}", entry.file_name().to_string_lossy())).collect()
}

fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something_and_has_a_tree() {
        let own = std::process::id();
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        assert_eq!(tree(own)[0], own);
        assert!(tree(own).contains(&child.id()));
        assert!(pss_mib(&[own]).unwrap() > 0.0 && life(&[own]).wakes > 0 && machine().1 > Duration::ZERO);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(pss_mib(&[child.id()]).is_err());
    }
}
