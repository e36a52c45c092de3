//! Control groups of a stream's own, below those in which this process was born.

use crate::tree::{birth, ticks};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use rustix::process::{Pid, getpid};
use std::ffi::CStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Begins the names of all groups that are made here.
const PREFIX: &str = "workerhost-";

/// The name of the group that a service manager makes for the host alone, so that others can be made beside it.
const HOSTS_OWN: &str = "host";

/// What is read of a file of a group: they hold little, and what is looked for stands at the beginning.
const MOST_READ: usize = 8 << 10;

/// Whoever tidies up may take a new group that nobody has joined yet for one that was left behind.
const TRIES: u32 = 3;

/// What a group can limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Pids,
    Cpu,
}

impl Controller {
    const ALL: [Self; 3] = [Self::Memory, Self::Pids, Self::Cpu];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
        }
    }
}

/// Where a controller is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    controller: Controller,
    version: u8,
    /// The group in which this process is.
    group: PathBuf,
}

/// A group that this process has joined; leaving it is its end.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) controller: Controller,
    /// Which version of control groups it is of.
    pub(super) version: u8,
    directory: OwnedFd,
    path: PathBuf,
}

/// Makes a group for each controller that is to be had, and joins it. What cannot be had says why.
pub(super) fn join() -> (Vec<Group>, Vec<(Controller, String)>) {
    let read = |name| fs::read_to_string(name).unwrap_or_default();
    let places = places(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    let (mut joined, mut refused) = (Vec::new(), Vec::new());
    for controller in Controller::ALL {
        let Some(place) = places.iter().find(|place| place.controller == controller) else {
            refused.push((controller, "this machine gives no control group for it".to_owned()));
            continue;
        };
        match Group::join(place, &joined) {
            Ok(group) => joined.push(group),
            Err(error) => {
                let why = format!("no control group can be made in {}: {error}", place.group.display());
                refused.push((controller, why));
            }
        }
    }
    (joined, refused)
}

impl Group {
    fn join(place: &Place, joined: &[Self]) -> io::Result<Self> {
        let base = base(place)?;
        let path = base.join(format!("{PREFIX}{}-{}", getpid().as_raw_pid(), ticks()));
        // Version 2 has one group for all controllers; version 1 may have some of them in one place.
        let known = joined.iter().find(|group| group.path.parent() == Some(&base));
        let path = known.map_or(path, |group| group.path.clone());
        if known.is_none() {
            sweep(&base);
        }
        for _ in 1..TRIES {
            match enter(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                entered => return entered.map(|directory| Self::entered(place, path, directory)),
            }
        }
        enter(&path).map(|directory| Self::entered(place, path, directory))
    }

    const fn entered(place: &Place, path: PathBuf, directory: OwnedFd) -> Self {
        Self { controller: place.controller, version: place.version, directory, path }
    }

    /// Sets one of its files.
    pub(super) fn set(&self, name: &CStr, value: &str) -> io::Result<()> {
        let file = openat(&self.directory, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::io::write(&file, value.as_bytes())?;
        Ok(())
    }

    /// Opens one of its files, to be read again and again.
    pub(super) fn open(&self, name: &CStr) -> io::Result<OwnedFd> {
        Ok(openat(&self.directory, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
    }
}

impl Drop for Group {
    /// A group with somebody in it cannot be removed. What stays behind is swept by the next one that is made.
    fn drop(&mut self) {
        if let Some(base) = self.path.parent() {
            fs::write(base.join("cgroup.procs"), getpid().as_raw_pid().to_string()).ok();
        }
        fs::remove_dir(&self.path).ok();
    }
}

/// The number behind a word in one of a group's files, or the first number where the word is empty.
pub(super) fn number(file: impl AsFd, word: &str) -> Option<u64> {
    let mut bytes = [0_u8; MOST_READ];
    let read = rustix::io::pread(file, &mut bytes, 0).ok()?;
    let text = std::str::from_utf8(bytes.get(..read)?).ok()?;
    if word.is_empty() {
        return text.trim().parse().ok();
    }
    text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' ')?.trim().parse().ok())
}

fn enter(path: &Path) -> io::Result<OwnedFd> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let directory = fs::File::open(path)?;
    fs::write(path.join("cgroup.procs"), getpid().as_raw_pid().to_string())?;
    Ok(directory.into())
}

/// Removes groups that killed guardians left behind. What is not named like one of ours, or whose guardian may live, stays;
/// and what has anybody in it cannot be removed.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().and_then(guardian_of).is_some_and(|pid| birth(pid).is_none()) {
            fs::remove_dir(entry.path()).ok();
        }
    }
}

/// Whose group that is, by its name.
fn guardian_of(name: &str) -> Option<Pid> {
    let (pid, ticks) = name.strip_prefix(PREFIX)?.split_once('-')?;
    ticks.parse::<u64>().ok()?;
    pid.parse().ok().and_then(Pid::from_raw)
}

/// The group below which others can be made for a controller. In version 2 that is one which passes the controller on, and
/// it does so only while no process is in it itself, but for the root of all.
fn base(place: &Place) -> io::Result<PathBuf> {
    if place.version == 1 {
        return Ok(place.group.clone());
    }
    let word = place.controller.as_str();
    let passes_on = |group: &Path| {
        let text = fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
        text.split_whitespace().any(|controller| controller == word)
    };
    // Beside the host, where its service has put it into a group of its own; not beside anybody else.
    let is_the_hosts_own = place.group.file_name().is_some_and(|name| name == HOSTS_OWN);
    let above = place.group.parent().filter(|_| is_the_hosts_own);
    let groups = [Some(place.group.as_path()), above];
    let mut groups = groups.into_iter().flatten();
    let can_pass_on = |group: &Path| {
        let file = OpenOptions::new().write(true).open(group.join("cgroup.subtree_control"));
        file.is_ok_and(|mut file| file.write_all(format!("+{word}").as_bytes()).is_ok())
    };
    let found =
        groups.clone().find(|group| passes_on(group)).or_else(|| groups.find(|group| can_pass_on(group)));
    if let Some(group) = found {
        return Ok(group.to_owned());
    }
    Err(io::Error::other(
        "it is not delegated to this host (for systemd: `Delegate=yes`, `DelegateSubgroup=host`)",
    ))
}

/// Where controllers are to be had, from what the kernel says of this process's groups and mounts. Version 1 goes first: a
/// controller is in one of the two.
fn places(groups: &str, mounts: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        for controller in Controller::ALL {
            let word = controller.as_str();
            let version = match controllers {
                "" => 2,
                named if named.split(',').any(|named| named == word) => 1,
                _ => continue,
            };
            let group = mounts.lines().find_map(|mount| directory(mount, (version, word), path));
            let Some(group) = group else { continue };
            if version == 2 && !offers(&group, word) {
                continue;
            }
            places.push(Place { controller, version, group });
        }
    }
    places.sort_by_key(|place| place.version);
    places
}

fn offers(group: &Path, word: &str) -> bool {
    let text = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    text.split_whitespace().any(|controller| controller == word)
}

/// Where a group lies, if this mount shows it.
fn directory(mount: &str, (version, word): (u8, &str), path: &str) -> Option<PathBuf> {
    let (before, after) = mount.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, point) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (kind, options) = (after.next()?, after.nth(1)?);
    let is_it = match version {
        1 => kind == "cgroup" && options.split(',').any(|option| option == word),
        _ => kind == "cgroup2",
    };
    let below = Path::new(path).strip_prefix(root).ok()?;
    is_it.then(|| Path::new(point).join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_version_1_are_found_where_each_controller_is_mounted() {
        let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                      35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let groups = "4:memory:/docker/abc/own\n3:cpu,cpuacct:/slice\n2:pids:/slice\n0::/slice\n";
        let place = |controller, group: &str| Place { controller, version: 1, group: group.into() };
        assert_eq!(
            places(groups, mounts),
            [
                place(Controller::Memory, "/sys/fs/cgroup/memory/own"),
                place(Controller::Cpu, "/sys/fs/cgroup/cpu,cpuacct/slice"),
            ],
            "pids is not mounted"
        );
    }

    #[test]
    fn a_group_of_version_2_gives_what_it_offers_below_one_that_passes_it_on() {
        let root = tempfile::tempdir().unwrap();
        let service = root.path().join("workerhost.service");
        fs::create_dir_all(service.join("host")).unwrap();
        fs::write(service.join("host/cgroup.controllers"), "memory pids\n").unwrap();
        fs::write(service.join("cgroup.subtree_control"), "memory\n").unwrap();
        let mounts = format!("41 31 0:38 / {} rw - cgroup2 cgroup2 rw\n", root.path().display());
        let places = places("0::/workerhost.service/host\n", &mounts);
        let controllers: Vec<Controller> = places.iter().map(|place| place.controller).collect();
        assert_eq!(controllers, [Controller::Memory, Controller::Pids]);
        assert_eq!(base(&places[0]).unwrap(), service);
    }

    #[test]
    fn only_groups_of_guardians_that_are_gone_are_removed() {
        let base = tempfile::tempdir().unwrap();
        let own = format!("workerhost-{}-77", std::process::id());
        for name in ["workerhost-foreign", "workerhost-1-2-3", "workerhost-999999999-5", "other", &own] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        sweep(base.path());
        let entries = fs::read_dir(base.path()).unwrap().map(Result::unwrap);
        let mut left: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        left.sort();
        let mut expected = ["workerhost-foreign", "workerhost-1-2-3", "other", &own];
        expected.sort_unstable();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_group_that_this_mount_does_not_show_is_none() {
        let mount = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        assert_eq!(directory(mount, (1, "memory"), "/elsewhere"), None);
        assert_eq!(directory(mount, (1, "pids"), "/docker/abc"), None);
        assert_eq!(directory("garbled", (1, "memory"), "/"), None);
    }
}
