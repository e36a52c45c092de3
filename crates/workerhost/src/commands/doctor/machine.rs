//! How the machine is: who runs the host, with how much of everything, and what the clock says.

use super::Subject;
use super::finding::{Check, Findings, Mend};
use crate::hosting;
use crate::machine::ThisMachine;
use crate::words::{bytes, lasting};
use rustix::process::{Resource, getrlimit};
use std::time::Duration;
use wh_domain::time::Timestamp;
use wh_domain::watermark::Strain;
use wh_ports::machine::Machine;
use wh_ports::reader::RecentAttempt;

/// What a host holds open whatever it does, and for each stream at work: 20 and 10, measured, with room.
const DESCRIPTORS: (u64, u64) = (64, 16);
/// What other clocks of one machine may differ by.
const SLACK: Duration = Duration::from_secs(60);
const MIB: u64 = 1 << 20;

pub(super) fn look(subject: &Subject<'_>, findings: &mut Findings) {
    user(subject, findings);
    let machine = ThisMachine { data_dir: existing(subject) };
    let (memory, disk) = machine.sizes();
    let marks = subject.configuration.config.host.watermarks_on(memory, disk);
    let readings = machine.readings();
    let Some(strain) = marks.strain(&readings, false) else {
        let [memory, disk] = [readings.memory, readings.disk].map(|free| bytes(free.unwrap_or(0)));
        return findings.ok(Check::Machine, format!("{memory} of memory and {disk} of the disk are free"));
    };
    let size = match strain {
        Strain::Memory(_, mark) => (mark > memory).then_some(memory),
        Strain::Disk(_, mark) => (mark > disk).then_some(disk),
        Strain::Load(..) => None,
    };
    let never = size.map_or(String::new(), |size| format!(", of {} in all", bytes(size)));
    findings.error(
        Check::Machine,
        format!("no host claims anything: {strain}{never}"),
        lower(subject, strain),
    );
}

/// The data directory, or what it is to be made in.
fn existing(subject: &Subject<'_>) -> std::path::PathBuf {
    let config = &subject.configuration.config;
    let paths = config.data_dir.ancestors();
    paths.chain(config.data_home()).find(|path| path.exists()).unwrap_or(&config.data_dir).to_owned()
}

/// The setting with which a host would claim. Where something is short now that mostly is not, more of it is the better mend.
fn lower(subject: &Subject<'_>, strain: Strain) -> Mend {
    let half = |is: u64| format!("{}MiB", is / 2 / MIB);
    match strain {
        Strain::Load(is, _) => {
            let most = is / 100 * 2 + 2;
            subject.set(None, "host.max_load", most.to_string())
        }
        Strain::Memory(is, _) => subject.set(None, "host.min_free_memory", half(is)),
        Strain::Disk(is, _) => subject.set(None, "host.min_free_disk", half(is)),
    }
}

fn user(subject: &Subject<'_>, findings: &mut Findings) {
    let streams = u64::from(subject.configuration.config.host.streams_on(hosting::cores()));
    let needed = DESCRIPTORS.0 + DESCRIPTORS.1 * streams;
    if let Some(may) = getrlimit(Resource::Nofile).current.filter(|may| *may < needed) {
        let words = format!(
            "this user may open {may} files in a process, and a host with {streams} streams needs {needed}"
        );
        findings.error(Check::User, words, Mend::Run(format!("ulimit -n {}", needed.next_power_of_two())));
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

/// Whether the clock goes back behind what has been.
pub(super) fn clock(attempts: &[RecentAttempt], now: Timestamp, findings: &mut Findings) {
    let last = attempts.iter().map(|attempt| attempt.record.ended_at).max();
    match last.map(|last| last.since(now)).filter(|ahead| *ahead > SLACK) {
        Some(ahead) => findings.error(
            Check::Clock,
            format!(
                "the clock is {} behind the last attempt that ended, so tasks wait that long",
                lasting(ahead)
            ),
            Mend::Run("timedatectl set-ntp true".to_owned()),
        ),
        None => findings.ok(Check::Clock, "the clock goes on from what has been"),
    }
}
