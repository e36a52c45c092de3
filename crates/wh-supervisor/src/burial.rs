//! Ends what is left of a dead host's attempts, where neither the host nor its guardians could.
//!
//! A host that is taken for dead may only be stopped, and its guardians well. Or all are gone, and processes are left
//! that nobody watches. So its register is closed, by which it begins nothing more, and then three things lead to the
//! processes, each followed to its end:
//!
//! 1. The register names the attempt's guardian. While that lives, all that the attempt has left is below it. It is
//!    stopped first, so that it starts nothing more, and killed last, so that nothing gets away from below it.
//! 2. The register names the worker, which leads a session of its own. Who is in that session belongs to the attempt,
//!    with all below it: the number of a session is not given to another process.
//! 3. The environment of a process names its attempt.
//!
//! What gets away from all three has left its worker's session, has another environment, and has lost its guardian, its
//! spawner and its host. The kernel keeps nothing that tells whose it was.

use crate::register::{self, Entry, Worker};
use crate::tree::{ENOUGH_LOOKS, Member, birth, descendants, everybody, session, stands_still};
use rustix::process::{Pid, Signal, getpid};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::{AttemptId, HostId};
use wh_protocol::env::{ATTEMPT_ID, HOST_ID};

/// How long killed processes may take to vanish.
const BURIED_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Kills every process that `dead` started for one of `attempts`, with all below it, until none is alive, and the
/// guardians that could start one; a host that lives begins nothing more. What has left its worker's session with
/// another environment is found only while a guardian or a parent of it lives. The error names what is alive, or says
/// where it could not be looked up.
pub(crate) async fn bury(data_dir: &Path, dead: HostId, attempts: Vec<AttemptId>) -> Result<(), String> {
    if attempts.is_empty() {
        return Ok(());
    }
    register::close(data_dir, &dead).map_err(|error| format!("its register cannot be closed: {error}"))?;
    let until = Instant::now() + BURIED_WITHIN;
    let mut burial = Burial {
        data_dir: data_dir.to_owned(),
        marks: Marks::of(&dead, &attempts),
        dead,
        attempts,
        guardians: Vec::new(),
        alive: Vec::new(),
    };
    let mut empty_looks = 0;
    loop {
        burial.look()?;
        empty_looks = if burial.alive.is_empty() { empty_looks + 1 } else { 0 };
        if burial.alive.is_empty() && burial.guardians.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(format!("processes {} could not be ended", burial.numbers()));
        }
        if empty_looks >= ENOUGH_LOOKS && burial.guardians.iter().all(|it| stands_still(it.0.pid)) {
            burial.guardians.clear();
        }
        for member in &burial.alive {
            member.signal(Signal::KILL);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

struct Burial {
    data_dir: PathBuf,
    dead: HostId,
    attempts: Vec<AttemptId>,
    marks: Marks,
    guardians: Vec<Stopped>,
    /// What is to be killed.
    alive: Vec<Member>,
}

/// A guardian that starts nothing any more. Let go, it is killed: a stopped one would keep its host waiting, and
/// without it the spawner does the rest.
struct Stopped(Member);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.signal(Signal::KILL);
    }
}

impl Burial {
    /// Stops guardians, and finds what is alive.
    fn look(&mut self) -> Result<(), String> {
        let entries = register::find(&self.data_dir, &self.dead, &self.attempts);
        let entries = entries.map_err(|error| format!("their register cannot be read: {error}"))?;
        // Kept until it has ended: one that is about to end shows no environment any more.
        self.alive.retain(Member::is_alive);
        self.guardians.retain(|guardian| guardian.0.is_alive());
        let mut sessions = HashMap::new();
        for Entry { guardian, worker, .. } in entries {
            let is_known = self.guardians.iter().any(|known| known.0.pid == guardian.pid);
            match guardian.hold() {
                Some(member) if !is_known => {
                    member.signal(Signal::STOP);
                    self.guardians.push(Stopped(member));
                }
                Some(_) => {}
                None => sessions.extend(worker.map(|worker| (worker.pid, worker))),
            }
        }
        let below = self.guardians.iter().flat_map(|it| descendants(it.0.pid, &HashSet::new()));
        let mut found: Vec<Member> = below.collect();
        found.extend(self.marks.find(&sessions));
        let mut known: HashSet<Pid> = self.alive.iter().map(|member| member.pid).collect();
        found.retain(|member| member.is_alive() && known.insert(member.pid));
        self.alive.append(&mut found);
        Ok(())
    }

    fn numbers(&self) -> String {
        let all = self.alive.iter().chain(self.guardians.iter().map(|guardian| &guardian.0));
        let numbers: Vec<String> = all.map(|member| member.pid.as_raw_pid().to_string()).collect();
        numbers.join(", ")
    }
}

/// What the environment of a wanted process holds. A task's id alone would not do: clients choose it, and another
/// store on this machine may know a task of the same.
struct Marks {
    host: Vec<u8>,
    attempts: HashSet<Vec<u8>>,
}

/// What an environment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// One of the wanted attempts.
    Wanted,
    /// Another one.
    Anothers,
    /// Nothing.
    Nobodys,
}

impl Marks {
    fn of(host: &HostId, attempts: &[AttemptId]) -> Self {
        let attempts = attempts.iter().map(|attempt| format!("{ATTEMPT_ID}={attempt}").into_bytes());
        Self { host: format!("{HOST_ID}={host}").into_bytes(), attempts: attempts.collect() }
    }

    /// A zombie has no environment any more, so it carries none.
    fn on(&self, pid: Pid) -> Whose {
        let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        let mut later = variables.clone();
        let prefix = [ATTEMPT_ID.as_bytes(), b"="].concat();
        match later.find(|variable| variable.starts_with(&prefix)) {
            Some(attempt) if self.attempts.contains(attempt) && variables.any(|it| it == self.host) => {
                Whose::Wanted
            }
            Some(_) => Whose::Anothers,
            None => Whose::Nobodys,
        }
    }

    /// The living processes that carry the marks or are in one of the sessions, and all below them.
    fn find(&self, sessions: &HashMap<Pid, Worker>) -> Vec<Member> {
        let mut found = Vec::new();
        for pid in everybody().filter(|pid| *pid != getpid()) {
            // Held before it is read: what is read is about the process that is held.
            let Some(member) = Member::hold(pid) else { continue };
            let whose = self.on(pid);
            if whose == Whose::Wanted || (whose == Whose::Nobodys && is_in(sessions, pid)) {
                found.extend(descendants(pid, &HashSet::new()));
                found.push(member);
            }
        }
        found
    }
}

/// Whether a process is in the session that one of the workers began. If all of that had ended before, the number could
/// be a stranger's by now: then its leader, or whoever is in it, was born at another time.
fn is_in(sessions: &HashMap<Pid, Worker>, pid: Pid) -> bool {
    let Some(worker) = session(pid).and_then(|of| sessions.get(&of)) else { return false };
    let is_the_workers = birth(worker.pid).is_none_or(|at| (worker.from..=worker.to).contains(&at));
    is_the_workers && birth(pid).is_some_and(|at| at >= worker.from)
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::tree::{Born, ticks};
    use std::process::{Command, Stdio};

    #[test]
    fn a_session_is_a_workers_only_if_all_in_it_were_born_when_they_should() {
        let from = ticks();
        let mut leader =
            Command::new("setsid").arg("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (pid, to) = (Pid::from_child(&leader), ticks());
        while session(pid) != Some(pid) {
            std::thread::yield_now();
        }
        let at = Born::of(pid).unwrap().at;
        assert!((from..=to).contains(&at), "{from} {at} {to}");
        let told = |from, to| is_in(&HashMap::from([(pid, Worker { pid, from, to })]), pid);
        assert!(told(from, to));
        assert!(!told(at + 1, at + 2), "a later worker had the number of this one");
        assert!(!told(at - 2, at - 1), "an earlier worker did, and all of its session is gone");
        assert!(!is_in(&HashMap::new(), pid));
        drop(leader.stdin.take());
        leader.wait().unwrap();
        assert!(!told(from, to), "it is gone");
    }
}
