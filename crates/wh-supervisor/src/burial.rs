//! Ends what is left of a dead host's attempts, where neither the host nor its guardians could.

use crate::tree::{Member, descendants, everybody};
use rustix::process::{Pid, Signal, getpid};
use std::collections::HashSet;
use std::fs;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::{AttemptId, HostId};
use wh_protocol::env::{ATTEMPT_ID, HOST_ID};

/// How long killed processes may take to vanish.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Kills every process that `dead` started for one of `attempts`, as its environment says, with all below it, until
/// none is alive. The error names what is.
pub(crate) async fn bury(dead: HostId, attempts: Vec<AttemptId>) -> Result<(), String> {
    let marks = Marks::of(&dead, &attempts);
    let until = Instant::now() + PATIENCE;
    let mut alive: Vec<Member> = Vec::new();
    loop {
        // Kept until it has ended: one that is about to end shows no environment any more.
        alive.retain(Member::is_alive);
        let known: HashSet<Pid> = alive.iter().map(|member| member.pid).collect();
        alive.extend(marked(&marks).into_iter().filter(|member| !known.contains(&member.pid)));
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

/// What the environment of a wanted process holds. A task's id alone would not do: clients choose it, and another
/// store on this machine may know a task of the same.
struct Marks {
    host: Vec<u8>,
    attempts: HashSet<Vec<u8>>,
}

impl Marks {
    fn of(host: &HostId, attempts: &[AttemptId]) -> Self {
        let attempts = attempts.iter().map(|attempt| format!("{ATTEMPT_ID}={attempt}").into_bytes());
        Self { host: format!("{HOST_ID}={host}").into_bytes(), attempts: attempts.collect() }
    }

    /// A zombie has no environment any more, so it carries none.
    fn are_on(&self, pid: Pid) -> bool {
        let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        let mut later = variables.clone();
        variables.any(|variable| variable == self.host)
            && later.any(|variable| self.attempts.contains(variable))
    }
}

/// The living processes that carry the marks, and all below them.
fn marked(marks: &Marks) -> Vec<Member> {
    let mut found = Vec::new();
    for pid in everybody().filter(|pid| *pid != getpid()) {
        // Held before it is read: what is read is about the process that is held.
        let Some(member) = Member::hold(pid) else { continue };
        if marks.are_on(pid) {
            found.extend(descendants(pid, &HashSet::new()));
            found.push(member);
        }
    }
    found.retain(Member::is_alive);
    found
}
