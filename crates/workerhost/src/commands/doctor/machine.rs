//! How the machine is: who runs the host, with how much of everything, and what the clock says.

use super::finding::{Check, Findings, Mend};
use super::hosts;
use super::subject::Subject;
use crate::hosting;
use crate::machine::ThisMachine;
use crate::words::{bytes, lasting};
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_domain::time::Timestamp;
use wh_domain::watermark::Strain;
use wh_ports::machine::Machine;
use wh_ports::reader::{HostView, RecentAttempt};

/// What a host holds open whatever it does, and for each stream at work: 20 and 10, measured, with room.
const DESCRIPTORS: (u64, u64) = (64, 16);
/// By so much a clock may be set back without anybody noticing.
const SLACK: Duration = Duration::from_secs(60);
const MIB: u64 = 1 << 20;
/// It is there where control groups of version 2 are the machine's own.
const VERSION_2: &str = "/sys/fs/cgroup/cgroup.controllers";

/// Whether control groups of this machine are of version 2, which a service delegates.
pub(super) fn has_groups_of_version_2() -> bool {
    Path::new(VERSION_2).exists()
}

pub(super) fn look(subject: &Subject<'_>, hosts: &[HostView], findings: &mut Findings) {
    user(subject, hosts, findings);
    let data_dir = existing(subject);
    let machine = ThisMachine { data_dir: data_dir.clone() };
    let (memory, disk) = machine.sizes();
    let marks = subject.configuration.config.host.watermarks_on(memory, disk);
    let readings = machine.readings();
    let Some(strain) = marks.strain(&readings, false) else {
        let [memory, disk] = [readings.memory, readings.disk].map(|free| bytes(free.unwrap_or(0)));
        return findings.ok(Check::Machine, format!("{memory} of memory and {disk} of the disk are free"));
    };
    // A mark above what there is can only be lowered; else there should be more of it.
    let (size, mend) = match strain {
        Strain::Memory(is, mark) if mark > memory => {
            (Some(memory), subject.set(None, "host.min_free_memory", half(is)))
        }
        Strain::Disk(is, mark) if mark > disk => {
            (Some(disk), subject.set(None, "host.min_free_disk", half(is)))
        }
        Strain::Memory(..) => {
            (None, Mend::Do("end what takes the memory, or lower `host.min_free_memory`".to_owned()))
        }
        Strain::Disk(..) => {
            let place = data_dir.display();
            (None, Mend::Do(format!("free space on the disk of {place}, or lower `host.min_free_disk`")))
        }
        Strain::Load(..) => {
            (None, Mend::Do("wait until there is less to do, or raise `host.max_load`".to_owned()))
        }
    };
    let never = size.map_or(String::new(), |size| format!(", of {} in all", bytes(size)));
    findings.error(Check::Machine, format!("no host claims anything: {strain}{never}"), mend);
}

fn half(is: u64) -> String {
    format!("{}MiB", is / 2 / MIB)
}

/// The data directory, or what it is to be made in.
fn existing(subject: &Subject<'_>) -> PathBuf {
    let config = &subject.configuration.config;
    let paths = config.data_home().into_iter().filter(|_| !config.data_dir.exists());
    let mut paths = paths.flat_map(Path::ancestors).chain(config.data_dir.ancestors());
    paths.find(|path| path.exists()).unwrap_or(&config.data_dir).to_owned()
}

fn user(subject: &Subject<'_>, hosts: &[HostView], findings: &mut Findings) {
    let streams = u64::from(subject.configuration.config.host.streams_on(hosting::cores()));
    let needed = DESCRIPTORS.0 + DESCRIPTORS.1 * streams;
    let of_hosts =
        hosts.iter().filter(|host| host.alive).find_map(|host| Some((host, descriptors(host.pid)?)));
    let raise = |how: &str| {
        Mend::Do(format!(
            "{how} at least {needed} (`ulimit -n {needed}`, or `LimitNOFILE={needed}` in its service)"
        ))
    };
    if let Some((host, may)) = of_hosts {
        if may < needed {
            let words =
                format!("host {} may open {may} files, and {streams} streams need {needed}", host.name);
            findings.error(Check::User, words, raise("start it with"));
        }
    } else if let Some(may) = getrlimit(Resource::Nofile).current.filter(|may| *may < needed) {
        let words = format!(
            "a host that is started from here may open {may} files, and {streams} streams need {needed}"
        );
        findings.warning(Check::User, words, raise("start it with"));
    }
    if rustix::process::geteuid().is_root() {
        let words =
            "this is root, as whom a host needs not run: workers of the level `none` can do everything then";
        let mend = "let the host run as a user of its own (`User=` in its service)";
        findings.warning(Check::User, words, Mend::Do(mend.to_owned()));
    }
    if findings.is_fine(Check::User) {
        findings.ok(Check::User, format!("this user can run a host with {streams} streams"));
    }
}

/// How many files a process of ours may open.
fn descriptors(pid: u32) -> Option<u64> {
    hosts::process(pid)?;
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether the clock has gone back behind what has been.
pub(super) fn clock(attempts: &[RecentAttempt], now: Timestamp, findings: &mut Findings) {
    let last = attempts.first().map(|attempt| attempt.record.ended_at);
    match last.map(|last| last.since(now)).filter(|ahead| *ahead > SLACK) {
        Some(ahead) => findings.warning(
            Check::Clock,
            format!(
                "the clock is {} behind the end of the last attempt, so one of the two was wrong",
                lasting(ahead)
            ),
            Mend::Do(
                "see that the machine keeps its time (`timedatectl`); the next attempt makes this go"
                    .to_owned(),
            ),
        ),
        None => findings.ok(Check::Clock, "the clock goes on from what has been"),
    }
}
