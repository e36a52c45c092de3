//! Whether hosts are at work on a store.

use super::Remembered;
use super::finding::{Check, Findings, Mend};
use super::subject::Subject;
use crate::words::some;
use std::fs;
use wh_ports::reader::HostView;

/// What a process of ours is called by the kernel.
const OWN_NAME: &str = "workerhost";

pub(super) fn look(subject: &Subject<'_>, memory: &Remembered, findings: &mut Findings) {
    let stopped: Vec<&HostView> = memory.hosts.iter().filter(|host| is_stopped(host.pid)).collect();
    for host in &stopped {
        let words =
            format!("host {} ({}) has been stopped by a signal and does nothing", host.name, host.pid);
        findings.error(Check::Host, words, Mend::Run(format!("kill -CONT {}", host.pid)));
    }
    let living: Vec<&HostView> = memory.hosts.iter().filter(|host| host.alive).collect();
    for host in &living {
        for report in &host.workers {
            if let Some(why) = &report.quarantine {
                let words = format!("worker {} is put aside on host {}: {why}", report.worker, host.name);
                let mend = subject.act("mend that, and then", &format!("workers resume {}", report.worker));
                findings.error(Check::Host, words, mend);
            }
        }
    }
    let due: u64 = memory.backlog.iter().map(|waiting| waiting.due).sum();
    if living.is_empty() && stopped.is_empty() && memory.claimed > 0 {
        let words =
            format!("{} being carried when the host died, and no host is running", carried(memory.claimed));
        findings.error(Check::Host, words, subject.run("run"));
    } else if living.is_empty() && stopped.is_empty() && due > 0 {
        let words = format!("{}, and no host is running", super::backlog::wait(due, ""));
        findings.error(Check::Host, words, subject.run("run"));
    }
    match living.len() {
        0 if findings.is_fine(Check::Host) => {
            findings.ok(Check::Host, "no host is running, and no task waits for one");
        }
        count if findings.is_fine(Check::Host) => {
            findings.ok(Check::Host, format!("{} running", some(count as u64, "host")));
        }
        _ => {}
    }
}

fn carried(tasks: u64) -> String {
    if tasks == 1 { "1 task was".to_owned() } else { format!("{tasks} tasks were") }
}

/// The process of a host on this machine, if it is one of ours.
pub(super) fn process(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'))?;
    (name == OWN_NAME).then(|| rest.trim_start().to_owned())
}

fn is_stopped(pid: u32) -> bool {
    process(pid).is_some_and(|rest| rest.starts_with('T'))
}
