//! The living processes below a process, as `/proc` shows them, each held by a descriptor before it is signalled.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::time::{ClockId, clock_gettime};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::OnceLock;

/// How much of a command line is reported, in bytes.
const MAX_COMMAND_LINE: usize = 200;

/// So many looks in a row must find nothing before nothing is there: the kernel's list of children may skip some while
/// others of them end.
pub(crate) const ENOUGH_LOOKS: u32 = 2;

/// A process that cannot be mistaken for a later one of the same number.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its number.
    pub(crate) pid: Pid,
    held: OwnedFd,
}

impl Member {
    /// Takes hold of the process of that number, if there is one.
    pub(crate) fn hold(pid: Pid) -> Option<Self> {
        let held = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        Some(Self { pid, held })
    }

    /// Whether it is there; a zombie is not. Its descriptor is readable from its end on, and only then has it closed
    /// its files and given up its children.
    pub(crate) fn is_alive(&self) -> bool {
        is_alive(&self.held)
    }

    /// Sends a signal. One that has ended meanwhile needs none, and one that may not be signalled shows by living
    /// on.
    pub(crate) fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.held, signal).ok();
    }
}

/// Whether the process behind a descriptor lives.
pub(crate) fn is_alive(held: &OwnedFd) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut [PollFd::new(held, PollFlags::IN)], Some(&at_once)), Ok(0))
}

/// All processes below `root`, parents before their children, without those below any of `except`. Processes
/// that are born meanwhile may be missing: whoever ends a tree looks again until nothing is left.
pub(crate) fn descendants(root: Pid, except: &HashSet<Pid>) -> Vec<Member> {
    let Some(top) = Member::hold(root) else { return Vec::new() };
    let mut family = HashMap::from([(root, (0, top))]);
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            if except.contains(&child) || family.contains_key(&child) {
                continue;
            }
            let Some(member) = Member::hold(child) else { continue };
            // Read after taking hold: the number may have gone to a stranger since the list was made.
            if is_below(&family, self::parent(child)) {
                family.insert(child, (family.len(), member));
                parents.push(child);
            }
        }
    }
    family.remove(&root);
    let mut members: Vec<(usize, Member)> = family.into_values().collect();
    members.sort_unstable_by_key(|(place, _)| *place);
    members.into_iter().map(|(_, member)| member).collect()
}

/// Whether a process of which that parent was read just now is below one of the family. A number in the family may be
/// a stranger's by now; but if the member that had it is alive after the reading, it was the one that was read of.
fn is_below(family: &HashMap<Pid, (usize, Member)>, parent: Option<Pid>) -> bool {
    parent.and_then(|parent| family.get(&parent)).is_some_and(|(_, member)| member.is_alive())
}

/// The children of a process.
fn children(pid: Pid) -> Vec<Pid> {
    if !lists_children() {
        return everybody().filter(|child| parent(*child) == Some(pid)).collect();
    }
    let number = pid.as_raw_pid();
    let Ok(tasks) = fs::read_dir(format!("/proc/{number}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(list.split_whitespace().filter_map(number_of));
    }
    found
}

/// Whether the kernel was built to list children.
fn lists_children() -> bool {
    static LISTS: OnceLock<bool> = OnceLock::new();
    *LISTS.get_or_init(|| fs::exists("/proc/thread-self/children").unwrap_or(false))
}

/// Every process that can be seen.
pub(crate) fn everybody() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str().and_then(number_of))
}

fn number_of(word: &str) -> Option<Pid> {
    word.parse().ok().and_then(Pid::from_raw)
}

/// Who would be told of the process's end.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    field(pid, 4, number_of)
}

/// Whether a process that has been sent SIGSTOP does nothing any more: one that has not come to hear of the signal yet
/// runs, or is about to see a child off.
pub(crate) fn stands_still(pid: Pid) -> bool {
    field(pid, 3, |state| Some(!matches!(state, "R" | "D"))).unwrap_or(true)
}

/// The session of a process. `None` for one that is gone, and where its leader cannot be seen from here: that of a
/// program that was started into a container from outside, for instance.
pub(crate) fn session(pid: Pid) -> Option<Pid> {
    field(pid, 6, number_of)
}

/// When a process was born, in the ticks of [`ticks`].
pub(crate) fn birth(pid: Pid) -> Option<u64> {
    field(pid, 22, |ticks| ticks.parse().ok())
}

/// What the clock says by which processes are born: ticks of a hundredth of a second, as a rule, since the machine
/// started.
pub(crate) fn ticks() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let part = |of: i64| u64::try_from(of).unwrap_or(0);
    let rate = clock_ticks_per_second();
    part(now.tv_sec).saturating_mul(rate) + part(now.tv_nsec) * rate / 1_000_000_000
}

/// A process, told from any other that has had its number or will have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Born {
    /// Its number.
    pub(crate) pid: Pid,
    /// When it was born.
    pub(crate) at: u64,
}

impl Born {
    /// The process that has the number now.
    pub(crate) fn of(pid: Pid) -> Option<Self> {
        Some(Self { pid, at: birth(pid)? })
    }

    /// Takes hold of it, if it lives.
    pub(crate) fn hold(self) -> Option<Member> {
        let member = Member::hold(self.pid)?;
        // Read after taking hold, and it was alive after the reading: so this is about the one that is held.
        (birth(self.pid) == Some(self.at) && member.is_alive()).then_some(member)
    }
}

/// A field of what the kernel says of a process, counted from 1.
fn field<T>(pid: Pid, number: usize, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    // The second one, the name, may hold anything, parentheses too.
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = String::from_utf8_lossy(stat.get(after_name..)?);
    rest.split_whitespace().nth(number.checked_sub(3)?).and_then(read)
}

/// The command line of a process that is alive, for people: one line, cut; `None` for a zombie.
pub(crate) fn command_line(pid: Pid) -> Option<Box<str>> {
    let bytes = fs::read(format!("/proc/{}/cmdline", pid.as_raw_pid())).ok()?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    if bytes.is_empty() {
        return None;
    }
    let cut = bytes.get(..MAX_COMMAND_LINE).unwrap_or(bytes);
    let text = String::from_utf8_lossy(cut);
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if bytes.len() > cut.len() {
        line.push('…');
    }
    Some(line.into())
}

#[cfg(test)]
mod unit {
    use super::*;

    fn me() -> Pid {
        rustix::process::getpid()
    }

    #[test]
    fn a_grandchild_is_found_below_its_grandparent_and_under_no_exception() {
        let mut shell = std::process::Command::new("/bin/sh")
            .args(["-c", "sleep 60 & echo $!; exec sleep 61"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut line)
            .unwrap();
        let grandchild = number_of(line.trim()).unwrap();
        let child = Pid::from_child(&shell);
        let found = descendants(me(), &HashSet::new());
        let place = |pid| found.iter().position(|member| member.pid == pid);
        assert!(place(child).unwrap() < place(grandchild).unwrap());
        assert_eq!(parent(grandchild), Some(child));
        let rest = descendants(me(), &HashSet::from([child]));
        assert!(rest.iter().all(|member| member.pid != child && member.pid != grandchild));
        found.iter().filter(|member| member.pid == child || member.pid == grandchild).for_each(|member| {
            member.signal(Signal::KILL);
        });
        shell.wait().unwrap();
    }

    #[test]
    fn one_that_has_died_is_nobodys_parent_whoever_has_its_number_now() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let family = HashMap::from([(pid, (0, Member::hold(pid).unwrap()))]);
        assert!(is_below(&family, Some(pid)));
        assert!(!is_below(&family, Some(me())) && !is_below(&family, None));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!is_below(&family, Some(pid)));
    }

    #[test]
    fn a_command_line_is_cut_and_holds_no_control_characters() {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "read line", "a\nb", &"x".repeat(400)])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // For a moment after its execution a program has none yet.
        let line = loop {
            if let Some(line) = command_line(Pid::from_child(&child)) {
                break line;
            }
        };
        assert!(line.starts_with("/bin/sh -c read line a b xxx"), "{line}");
        assert!(line.len() <= MAX_COMMAND_LINE + '…'.len_utf8());
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
