//! Has limits hold for the trees that one guardian starts, one after the other, and says what was reached.

use super::groups::Controller;
use super::joined::{Groups, is_near, set_cpu, set_memory, set_processes};
use super::measure;
use crate::sys::Rlimits;
use rustix::process::Pid;
use std::time::{Duration, Instant};
use wh_domain::isolation::{Gap, Restriction};
use wh_domain::limits::{Breach, Limits, Resource};

/// Between the start of a worker and the first look at what it uses.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// Between two looks, where control groups hold the limits and only what is near them is looked for.
const WATCHED: Duration = Duration::from_millis(250);
/// Between two looks, where looking is all there is.
const MEASURED: Duration = Duration::from_millis(100);

/// Has limits hold.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// `None` until they are needed for the first time: to join one costs milliseconds.
    groups: Option<Groups>,
    held: Option<(Limits, Held)>,
    /// Whether the limit on processor time was taken away to end a tree.
    is_lifted: bool,
    next: Option<Instant>,
    has_warned: bool,
    /// The most memory that was seen, in bytes.
    peak: u64,
    /// How many processes of the tree the kernel has ended for memory.
    kills: u32,
    /// Whether its own limit was reached.
    is_at_limit: bool,
}

/// What holds for the next tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Held {
    pub(crate) enforced: Vec<Restriction>,
    pub(crate) missing: Vec<Gap>,
    /// Which version of control groups has a part in it.
    pub(crate) cgroup: Option<u8>,
    /// What each process is given at its birth.
    pub(crate) rlimits: Rlimits,
}

/// What a look at a tree has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing to speak of.
    Fine,
    /// It uses most of its memory; told once. In bytes.
    High { used: u64, limit: u64 },
    /// It has reached a limit for which it is ended.
    Over(Breach),
}

/// What is told of a tree at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// A limit at which the kernel has ended processes.
    pub(crate) breach: Option<Breach>,
    /// Whether processes could not be made because there were as many as there may be.
    pub(crate) is_crowded: bool,
    /// The most memory that was seen, in bytes.
    pub(crate) peak: u64,
    /// How many processes the kernel has ended for memory.
    pub(crate) kills: u32,
    /// Memory that outlived the tree, in bytes, where it is worth mentioning.
    pub(crate) left: u64,
}

impl Keeper {
    /// Has limits hold for what is started next.
    pub(crate) fn hold(&mut self, limits: &Limits) -> &Held {
        let is_lifted = std::mem::take(&mut self.is_lifted);
        let is_known = !is_lifted && self.held.as_ref().is_some_and(|(known, _)| known == limits);
        if !is_known {
            let wants_groups =
                [limits.memory, limits.processes.map(u64::from), limits.cpu_percent.map(u64::from)];
            // Those that were joined once have to be told that nothing is limited any more.
            let groups = match &mut self.groups {
                None if wants_groups == [None; 3] => None,
                groups => Some(groups.get_or_insert_with(Groups::join)),
            };
            self.held = Some((*limits, held(limits, groups)));
        }
        &self.held.get_or_insert_with(|| (*limits, Held::default())).1
    }

    /// A tree begins.
    pub(crate) fn begin(&mut self) {
        (self.has_warned, self.peak, self.kills, self.is_at_limit) = (false, 0, 0, false);
        let is_watched =
            self.limits().is_some_and(|limits| limits.memory.is_some() || self.is_to_be_counted(&limits));
        self.next = is_watched.then(|| Instant::now() + FIRST_LOOK);
    }

    /// When to look at it next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks at a tree of these processes.
    pub(crate) fn look(&mut self, pids: impl FnOnce() -> Vec<Pid>) -> Seen {
        let Some(limits) = self.limits() else { return Seen::Fine };
        let is_to_be_counted = self.is_to_be_counted(&limits);
        let is_measured = is_to_be_counted || !self.has(Controller::Memory);
        self.next = Some(Instant::now() + if is_measured { MEASURED } else { WATCHED });
        let members = if is_measured { pids() } else { Vec::new() };
        let count = members.len() as u64;
        if let Some(limit) = limits.processes.map(u64::from).filter(|most| is_to_be_counted && count > *most)
        {
            return Seen::Over(Breach { resource: Resource::Processes, limit, used: count });
        }
        let Some(memory) = limits.memory else { return Seen::Fine };
        let group = self.groups.as_mut().filter(|groups| groups.holds(Controller::Memory));
        let used = if let Some(group) = group {
            self.is_at_limit |= group.is_refused();
            let (kills, used) = (group.new_kills(), group.used(memory));
            self.kills += kills;
            if kills > 0 {
                return Seen::Over(self.for_memory(memory));
            }
            used
        } else {
            let used = measure::at_most(&members);
            if used > memory { measure::exactly(&members) } else { used }
        };
        self.peak = self.peak.max(used);
        if used > memory {
            return Seen::Over(Breach { resource: Resource::Memory, limit: memory, used });
        }
        if !self.has_warned && is_near(used, memory) {
            self.has_warned = true;
            return Seen::High { used, limit: memory };
        }
        Seen::Fine
    }

    /// What is to be told of a tree that has ended.
    pub(crate) fn end(&mut self) -> Told {
        self.next = None;
        self.is_at_limit |= self.groups.as_mut().is_some_and(Groups::is_refused);
        self.kills += self.groups.as_mut().map_or(0, Groups::new_kills);
        let limit = self.limits().and_then(|limits| limits.memory).unwrap_or(u64::MAX);
        let breach = (self.kills > 0).then(|| self.for_memory(limit));
        let is_crowded = self.groups.as_mut().is_some_and(Groups::is_crowded);
        let left = self.leave_what_is_left();
        Told { breach, is_crowded, peak: self.peak, kills: self.kills, left }
    }

    /// Why processes were ended for memory: because of the tree's own limit, which is then what it used, or of one above it.
    fn for_memory(&mut self, limit: u64) -> Breach {
        if !self.is_at_limit {
            return Breach { resource: Resource::MachineMemory, limit: 0, used: self.peak };
        }
        self.peak = self.peak.max(limit);
        Breach { resource: Resource::Memory, limit, used: self.peak }
    }

    /// Memory that outlives its processes, in files in memory or shared by System V, would count against whoever comes next:
    /// the group is left with it for a new one. In bytes; 0 where it is little.
    fn leave_what_is_left(&mut self) -> u64 {
        let Some(limit) = self.limits().and_then(|limits| limits.memory) else { return 0 };
        let left = self.groups.as_ref().map_or(0, |groups| groups.left(limit));
        if left > 0 {
            (self.groups, self.held) = (None, None);
        }
        left
    }

    /// Lets a tree that is to be ended have all the processor time there is, and its guardian with it. The next one is held
    /// again.
    pub(crate) fn lift_cpu(&mut self) {
        if self.limits().is_some_and(|limits| limits.cpu_percent.is_some())
            && let Some(groups) = &self.groups
        {
            groups.limit(Controller::Cpu, |group| set_cpu(group, None)).ok();
            self.is_lifted = true;
        }
    }

    fn limits(&self) -> Option<Limits> {
        self.held.as_ref().map(|(limits, _)| *limits)
    }

    /// Whether nobody else counts the processes.
    fn is_to_be_counted(&self, limits: &Limits) -> bool {
        limits.processes.is_some() && !self.has(Controller::Pids)
    }

    fn has(&self, controller: Controller) -> bool {
        self.groups.as_ref().is_some_and(|groups| groups.holds(controller))
    }
}

/// Has limits hold, each by whatever can.
fn held(limits: &Limits, groups: Option<&mut Groups>) -> Held {
    let mut held = Held::default();
    if let Some(groups) = groups {
        let memory = groups.limit(Controller::Memory, |group| set_memory(group, limits.memory));
        let processes = groups.limit(Controller::Pids, |group| set_processes(group, limits.processes));
        let cpu = groups.limit(Controller::Cpu, |group| set_cpu(group, limits.cpu_percent));
        // What no group holds is measured.
        if limits.memory.is_some() {
            held.enforced.push(Restriction::Memory);
            held.cgroup = memory.ok();
        }
        if limits.processes.is_some() {
            held.enforced.push(Restriction::Processes);
            held.cgroup = held.cgroup.or(processes.ok());
        }
        match (limits.cpu_percent, cpu) {
            (None, _) => {}
            (Some(_), Ok(version)) => {
                held.enforced.push(Restriction::Cpu);
                held.cgroup = held.cgroup.or(Some(version));
            }
            (Some(_), Err(why)) => held.missing.push(Gap { restriction: Restriction::Cpu, why: why.into() }),
        }
    }
    if limits.open_files.is_some() {
        held.enforced.push(Restriction::OpenFiles);
    }
    if limits.file_size.is_some() {
        held.enforced.push(Restriction::FileSize);
    }
    if [limits.workspace, limits.inodes, limits.output] != [None; 3] {
        held.enforced.push(Restriction::Workspace);
    }
    held.rlimits = Rlimits { open_files: limits.open_files, file_size: limits.file_size };
    held
}
