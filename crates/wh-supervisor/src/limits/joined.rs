//! The control groups that were joined: what they count, and what they are told to hold.

use super::groups::{self, Controller, Group, number};
use rustix::fd::OwnedFd;
use std::io;

/// A part of the limit that small is nobody's concern.
const LITTLE: u64 = 32;
/// From so many hundredths of its limit on it is told exactly what is used, and the worker is told.
const NEAR_PERCENT: u64 = 80;
/// The period in which processor time is counted, in microseconds.
const PERIOD: u64 = 100_000;
/// Groups of version 1 take this as "as much as there is".
const NO_BYTES: &str = "-1";
const NO_LIMIT: &str = "max";

/// The groups that were to be had, and their counters.
#[derive(Debug, Default)]
pub(super) struct Groups {
    joined: Vec<Group>,
    refused: Vec<(Controller, String)>,
    /// Counts processes that the kernel ended for memory.
    kills: Option<Counter>,
    /// Counts what was refused because of the group's own limit, and not of one above it.
    refusals: Option<Counter>,
    /// Counts processes that could not be made.
    forks: Option<Counter>,
    /// What is used now, with what the kernel keeps for its own sake and can do without.
    usage: Option<OwnedFd>,
    /// What of it is the processes' own, and under which word.
    own: Option<(OwnedFd, &'static str)>,
}

/// A number that only grows.
#[derive(Debug)]
struct Counter {
    file: OwnedFd,
    word: &'static str,
    seen: u64,
}

impl Counter {
    fn new(file: OwnedFd, word: &'static str) -> Self {
        let seen = number(&file, word).unwrap_or(0);
        Self { file, word, seen }
    }

    /// By how much it has grown since it was asked last.
    fn growth(&mut self) -> u64 {
        let now = number(&self.file, self.word).unwrap_or(self.seen);
        now.saturating_sub(std::mem::replace(&mut self.seen, now))
    }
}

impl Groups {
    pub(super) fn join() -> Self {
        let (joined, refused) = groups::join();
        let mut groups = Self { joined, refused, ..Self::default() };
        let file = |controller, name: [&std::ffi::CStr; 2]| {
            let group = groups.joined.iter().find(|group| group.controller == controller)?;
            group.open(if group.version == 1 { name[0] } else { name[1] }).ok()
        };
        let counter = |file: Option<OwnedFd>, word| file.map(|file| Counter::new(file, word));
        let kills = counter(file(Controller::Memory, [c"memory.oom_control", c"memory.events"]), "oom_kill");
        let refusals = match groups.version(Controller::Memory) {
            Some(1) => counter(file(Controller::Memory, [c"memory.failcnt", c"memory.failcnt"]), ""),
            _ => counter(file(Controller::Memory, [c"memory.events.local", c"memory.events.local"]), "max"),
        };
        let forks = counter(file(Controller::Pids, [c"pids.events", c"pids.events"]), "max");
        let usage = file(Controller::Memory, [c"memory.usage_in_bytes", c"memory.current"]);
        let own = file(Controller::Memory, [c"memory.stat", c"memory.stat"]);
        let word = if groups.version(Controller::Memory) == Some(1) { "total_rss" } else { "anon" };
        (groups.kills, groups.refusals, groups.forks, groups.usage) = (kills, refusals, forks, usage);
        groups.own = own.map(|file| (file, word));
        groups
    }

    /// How many processes the kernel has ended for memory since this was asked last.
    pub(super) fn new_kills(&mut self) -> u32 {
        let kills = self.kills.as_mut().map_or(0, Counter::growth);
        u32::try_from(kills).unwrap_or(u32::MAX)
    }

    /// Whether anything was refused because of the group's own limit since this was asked last.
    pub(super) fn is_refused(&mut self) -> bool {
        self.refusals.as_mut().is_some_and(|refusals| refusals.growth() > 0)
    }

    /// Whether processes could not be made since this was asked last, because there were as many as there may be.
    pub(super) fn is_crowded(&mut self) -> bool {
        self.forks.as_mut().is_some_and(|forks| forks.growth() > 0)
    }

    /// What is in the group though no process of a tree is, if it is worth mentioning beside this limit: what can be taken
    /// back from the kernel at any time does not count.
    pub(super) fn left(&self, limit: u64) -> u64 {
        let all = self.usage.as_ref().and_then(|file| number(file, "")).unwrap_or(0);
        if all <= limit / LITTLE {
            return 0;
        }
        let word = if self.version(Controller::Memory) == Some(1) { "total_shmem" } else { "shmem" };
        let shared = self.own.as_ref().and_then(|(file, _)| number(file, word)).unwrap_or(0);
        if shared > limit / LITTLE { shared } else { 0 }
    }

    pub(super) fn holds(&self, controller: Controller) -> bool {
        self.version(controller).is_some()
    }

    fn version(&self, controller: Controller) -> Option<u8> {
        self.joined.iter().find(|group| group.controller == controller).map(|group| group.version)
    }

    /// What the processes use, in bytes. What the kernel keeps for its own sake is left out, which costs more to tell, so it is told
    /// only where it could matter.
    pub(super) fn used(&self, limit: u64) -> u64 {
        let all = self.usage.as_ref().and_then(|file| number(file, "")).unwrap_or(0);
        if !is_near(all, limit) {
            return all;
        }
        self.own.as_ref().and_then(|(file, word)| number(file, word)).unwrap_or(all)
    }

    /// Sets a limit, or says why it cannot be had.
    pub(super) fn limit(
        &self,
        controller: Controller,
        set: impl FnOnce(&Group) -> io::Result<()>,
    ) -> Result<u8, String> {
        if let Some((_, why)) = self.refused.iter().find(|(refused, _)| *refused == controller) {
            return Err(why.clone());
        }
        let group = self.joined.iter().find(|group| group.controller == controller);
        let group = group.ok_or("this machine gives no control group for it")?;
        set(group).map(|()| group.version).map_err(|error| format!("its control group refused: {error}"))
    }
}

/// Whether so much comes near a limit.
pub(super) const fn is_near(used: u64, limit: u64) -> bool {
    used / NEAR_PERCENT > limit / 100
}

/// The limit of memory, and of memory and swap together. That one may never be the smaller, and is a little larger: it is asked
/// first, and does not count what it refuses.
pub(super) fn set_memory(group: &Group, limit: Option<u64>) -> io::Result<()> {
    let words = |limit: Option<u64>, none: &str| limit.map_or(none.to_owned(), |bytes| bytes.to_string());
    if group.version != 1 {
        group.set(c"memory.max", &words(limit, NO_LIMIT))?;
        // Where there is no swap, there is no such file.
        group.set(c"memory.swap.max", if limit.is_some() { "0" } else { NO_LIMIT }).ok();
        return Ok(());
    }
    let (memory, both) = (c"memory.limit_in_bytes", c"memory.memsw.limit_in_bytes");
    let together = words(limit.map(|bytes| bytes.saturating_add(1 << 20)), NO_BYTES);
    let limit = words(limit, NO_BYTES);
    if group.set(memory, &limit).is_err() {
        // It grows beyond the other one, which has to go first.
        group.set(both, &together)?;
        group.set(memory, &limit)?;
    }
    // Where swap is not counted, there is no such file.
    group.set(both, &together).ok();
    Ok(())
}

pub(super) fn set_cpu(group: &Group, percent: Option<u32>) -> io::Result<()> {
    let quota = percent.map(|percent| (u64::from(percent) * PERIOD / 100).max(1_000).to_string());
    if group.version != 1 {
        return group.set(c"cpu.max", &format!("{} {PERIOD}", quota.as_deref().unwrap_or(NO_LIMIT)));
    }
    group.set(c"cpu.cfs_period_us", &PERIOD.to_string())?;
    group.set(c"cpu.cfs_quota_us", quota.as_deref().unwrap_or(NO_BYTES))
}

/// How many processes there may be, and the guardian.
pub(super) fn set_processes(group: &Group, limit: Option<u32>) -> io::Result<()> {
    group.set(c"pids.max", &limit.map_or(NO_LIMIT.to_owned(), |most| (u64::from(most) + 1).to_string()))
}
