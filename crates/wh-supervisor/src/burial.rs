//! Ends what is left of a dead host's attempts, where neither the host nor its guardians could.

use crate::tree::{Member, descendants, everybody};
use rustix::process::{Pid, Signal, getpid};
use std::collections::HashSet;
use std::fs;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::AttemptId;
use wh_protocol::env::ATTEMPT_ID;

/// How long killed processes may take to vanish.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Kills every process that carries one of `attempts` in its environment, with all below it, until none is alive.
/// The error names what is.
pub(crate) async fn bury(attempts: Vec<AttemptId>) -> Result<(), String> {
    let marks: HashSet<Vec<u8>> =
        attempts.iter().map(|attempt| format!("{ATTEMPT_ID}={attempt}").into_bytes()).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let alive = marked(&marks);
        if alive.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            let numbers: Vec<String> =
                alive.iter().map(|member| member.pid.as_raw_pid().to_string()).collect();
            return Err(format!("processes {} could not be ended", numbers.join(", ")));
        }
        for member in &alive {
            member.signal(Signal::KILL);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The processes that carry a mark, and all below them.
fn marked(marks: &HashSet<Vec<u8>>) -> Vec<Member> {
    let mut found = Vec::new();
    for pid in everybody().filter(|pid| *pid != getpid()) {
        // Held before it is read: what is read is about the process that is held.
        let Some(member) = Member::hold(pid) else { continue };
        if carries(pid, marks) {
            found.extend(descendants(pid, &HashSet::new()));
            found.push(member);
        }
    }
    found
}

/// A zombie has no environment any more, so it does not count.
fn carries(pid: Pid, marks: &HashSet<Vec<u8>>) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| marks.contains(variable))
}
