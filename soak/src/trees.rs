//! Workers that do not want to end, and whoever watches them is killed: nothing of them may be left.

use crate::Tried;
use crate::arena::{Arena, Stage, alive, make_pipe, quoted};
use crate::process::{Host, Pulse, wait_until};
use crate::producer::Producer;
use crate::runs::Runs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The hard limit of a worker that hangs.
const LIMIT: Duration = Duration::from_millis(400);
/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_millis(200);
/// So long after the grace, nothing may be left.
const SOON: Duration = Duration::from_secs(1);
/// What takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tasks of other streams that wait at most: enough to keep these busy, and few enough to see how soon one runs again.
const MOST_WAITING: u64 = 8;
/// What is told of an attempt that reached its limit.
const SENTENCE: &str = "The worker reached its time limit and was ended.";

/// Daemons of a worker that does not want to end.
const DAEMONS: usize = 3;

/// A worker that takes no SIGTERM, nor do its three daemons, which have sessions of their own by double forks and hold
/// nothing open but the pipe that shows that they live.
const ESCAPES: &str = r#"trap '' TERM HUP INT
exec 9> "$SOAK_ARENA/tree"
printf u >&9
cat > /dev/null
for daemon in 1 2 3; do
    setsid sh -c '(setsid sh -c "exec 0<&- 1>&- 2>&- 3>&-; printf x >&9; exec sleep 1000" &)'
done
exec sleep 1000
"#;

/// Who is killed in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// Nobody: the host ends a worker that hangs.
    Nobody,
    /// The spawner, while the worker hangs: the host ends it all the same.
    Spawner,
    /// The host.
    Host,
    /// The host and its spawner at once.
    Both,
}

impl Victim {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nobody, Self::Spawner, Self::Host, Self::Both];

    /// What a round is called.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nobody => "a worker hangs",
            Self::Spawner => "a worker hangs and the spawner is killed",
            Self::Host => "the host is killed",
            Self::Both => "host and spawner are killed",
        }
    }

    const fn takes_the_host(self) -> bool {
        matches!(self, Self::Host | Self::Both)
    }
}

/// What came of some rounds.
#[derive(Debug)]
pub struct Rounds {
    /// Who was killed.
    pub victim: Victim,
    /// How often.
    pub rounds: usize,
    /// Rounds after which something lived for too long.
    pub survivors: usize,
    /// What was told otherwise than it should be.
    pub wrong: Vec<String>,
    /// From the hard limit, or from the kill, until nothing of the tree was left.
    pub took: Vec<Duration>,
    /// From the kill of a host until everything it had been at work on ran again under the next one.
    pub again: Vec<Duration>,
    /// Attempts that other streams began meanwhile.
    pub others: usize,
}

/// Kills in `dir`, with the store in `data`, as the user of that number, or as whoever this is.
pub fn kill_trees(
    rounds: usize,
    dir: &Path,
    data: &Path,
    program: &Path,
    user: Option<u32>,
) -> Tried<Vec<Rounds>> {
    let mut wood = Wood::new(dir, data, program, user)?;
    let all = Victim::ALL.into_iter().map(|victim| wood.rounds(victim, rounds)).collect::<Tried<Vec<_>>>()?;
    wood.close()?;
    Ok(all)
}

struct Wood {
    arena: Arena,
    pulse: Pulse,
    /// The pipe that a tree holds open.
    tree: Pulse,
    producer: Producer,
    host: Host,
    runs: Runs,
    /// What the tree of this round has said so far: a word when it begins, and one of each daemon.
    said: usize,
    next: usize,
}

impl Wood {
    fn new(dir: &Path, data: &Path, program: &Path, user: Option<u32>) -> Tried<Self> {
        let room = data.parent().ok_or("the store needs a directory of its own")?;
        // Another user may not reach the program where it lies.
        let own = room.join("program");
        fs::copy(program, &own)?;
        fs::set_permissions(&own, fs::Permissions::from_mode(0o755))?;
        let arena = Arena { user, ..Arena::new(dir, data, &own)? };
        make_pipe(&arena.ground().join("tree"))?;
        fs::write(dir.join("escapes.sh"), ESCAPES)?;
        arena.configure_with(Stage::Last, &workers(&arena))?;
        if let Some(user) = user {
            give(dir, user)?;
            give(room, user)?;
        }
        let (pulse, tree) =
            (Pulse::listen(&alive(&arena.ground()))?, Pulse::listen(&arena.ground().join("tree"))?);
        let runs = Runs::new(&arena)?;
        let host = Host::start(&arena, &["run"], None)?;
        let producer = Producer::start(&arena, 0, 1, false)?;
        Ok(Self { arena, pulse, tree, producer, host, runs, said: 0, next: 0 })
    }

    fn rounds(&mut self, victim: Victim, rounds: usize) -> Tried<Rounds> {
        self.runs.look()?;
        let before = self.runs.begun;
        let mut done = Rounds {
            victim,
            rounds,
            survivors: 0,
            wrong: Vec::new(),
            took: Vec::new(),
            again: Vec::new(),
            others: 0,
        };
        let mut tries = 0;
        while done.took.len() < rounds {
            self.round(victim, &mut done)?;
            tries += 1;
            if tries > rounds * 5 {
                return Err("this machine is too slow for trees to grow up".into());
            }
        }
        self.runs.look()?;
        done.others = self.runs.begun - before;
        Ok(done)
    }

    fn round(&mut self, victim: Victim, done: &mut Rounds) -> Tried<()> {
        self.next += 1;
        let what = if victim.takes_the_host() { "hold" } else { "hang" };
        let id = format!("{what}-{}", self.next);
        if victim == Victim::Spawner && spawner_of(self.host.pid())?.is_none() {
            // A host needs no spawner while its guardians are at hand: a new one has one again.
            self.host.kill()?;
            self.host = Host::start(&self.arena, &["run"], None)?;
        }
        self.say(&["enqueue", &format!("tree.{what}"), "--id", &id])?;
        self.said = 0;
        let begun = self.heard()?;
        if !self.is_grown()? {
            // It reached its limit before it was all there, so it proves little; what is told of it holds all the same.
            return self.check(victim, &id, done);
        }
        let (from, gone) = match victim {
            Victim::Nobody | Victim::Spawner => {
                if victim == Victim::Spawner {
                    self.kill_spawner()?;
                }
                self.tree.deserted(PATIENCE)?;
                (begun + LIMIT, Instant::now())
            }
            Victim::Host | Victim::Both => self.murder(victim, done)?,
        };
        if self.tree.beats()? {
            return Err("a tree does not end at all".into());
        }
        let took = gone.saturating_duration_since(from);
        done.survivors += usize::from(took > GRACE + SOON);
        done.took.push(took);
        self.check(victim, &id, done)
    }

    fn kill_spawner(&self) -> Tried<()> {
        let spawner = spawner_of(self.host.pid())?.ok_or("the host has no spawner")?;
        Ok(kill_process(spawner, Signal::KILL)?)
    }

    /// Kills the host and starts another one at once. Answers when it was killed, and when its tree was gone.
    fn murder(&mut self, victim: Victim, done: &mut Rounds) -> Tried<(Instant, Instant)> {
        let at = Instant::now();
        if victim == Victim::Both {
            self.kill_spawner()?;
        }
        self.host.kill()?;
        self.runs.look()?;
        let mut interrupted = self.runs.open.clone();
        self.runs.again.clear();
        self.host = Host::start(&self.arena, &["run"], None)?;
        let (mut gone, count) = (None, interrupted.len());
        let back = wait_until(PATIENCE, || {
            if gone.is_none() && !self.tree.beats()? {
                gone = Some(Instant::now());
            }
            self.runs.look()?;
            interrupted.retain(|id| !self.runs.again.contains(id));
            Ok(gone.is_some() && interrupted.is_empty())
        })?;
        back.ok_or_else(|| format!("{interrupted:?} do not run again"))?;
        if count > 0 {
            done.again.push(at.elapsed());
        }
        Ok((at, gone.unwrap_or(at)))
    }

    /// What is told of the attempt.
    fn check(&mut self, victim: Victim, id: &str, done: &mut Rounds) -> Tried<()> {
        let (outcome, sentence) = if victim.takes_the_host() {
            ("lost", "The host that carried the task died")
        } else {
            ("timed_out", SENTENCE)
        };
        let mut task = Value::Null;
        wait_until(PATIENCE, || {
            task = serde_json::from_str(&self.say(&["show", id, "--json"])?)?;
            Ok(task["state"] == "poisoned")
        })?;
        let attempts = task["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_right = task["state"] == "poisoned"
            && attempts.len() == 1
            && attempts.iter().all(|attempt| {
                attempt["outcome"] == outcome
                    && attempt["sentence"].as_str().is_some_and(|words| words.starts_with(sentence))
            });
        if !is_right {
            done.wrong.push(task.to_string());
        }
        Ok(())
    }

    /// Waits until the tree has begun; keeps the other streams busy meanwhile. Answers when that was.
    fn heard(&mut self) -> Tried<Instant> {
        wait_until(PATIENCE, || {
            self.runs.look()?;
            self.producer.allow(self.runs.over + MOST_WAITING);
            self.said += self.tree.read()?.map_or(0, |said| said.len());
            Ok(self.said > 0)
        })?
        .ok_or("a tree does not begin")?;
        Ok(Instant::now())
    }

    /// Waits until all of the tree is there; false where it was gone before.
    fn is_grown(&mut self) -> Tried<bool> {
        let mut is_gone = false;
        wait_until(PATIENCE, || {
            let read = self.tree.read()?;
            is_gone = read.as_ref().is_some_and(Vec::is_empty);
            self.said += read.map_or(0, |said| said.len());
            Ok(is_gone || self.said > DAEMONS)
        })?;
        Ok(self.said > DAEMONS)
    }

    /// Runs the program to its end; it must be a good one.
    fn say(&self, arguments: &[&str]) -> Tried<String> {
        let done = self.arena.command(arguments, None).stdout(Stdio::piped()).output()?;
        if !done.status.success() {
            return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&done.stderr)).into());
        }
        Ok(String::from_utf8(done.stdout)?)
    }

    /// A host that is asked to stop leaves nothing behind either.
    fn close(mut self) -> Tried<()> {
        self.producer.finish()?;
        self.host.signal(Signal::TERM)?;
        self.host.end(PATIENCE)?.ok_or("the last host does not stop")?;
        self.host.deserted(&self.pulse, SOON)?.ok_or("something lives on after the end")?;
        Ok(())
    }
}

/// The workers that do not want to end.
fn workers(arena: &Arena) -> String {
    let worker = |name: &str, limit: Duration| {
        format!(
            "  - name: {name}\n    command: [sh, {}]\n    task_types: [tree.{name}]\n    workspace: none\n    \
             timeout: {}ms\n    grace: {}ms\n    on_lost: fail\n    retry: {{timeouts: 1}}\n{}",
            quoted(&arena.dir.join("escapes.sh")),
            limit.as_millis(),
            GRACE.as_millis(),
            arena.granted()
        )
    };
    worker("hang", LIMIT) + &worker("hold", Duration::from_secs(600))
}

/// The child of a host that starts all others, if it lives.
fn spawner_of(host: Pid) -> Tried<Option<Pid>> {
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
        // Its state and its parent: a zombie has been killed before and is only not buried yet.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().take(2).collect())
            .unwrap_or_default();
        let [state, parent] = fields.as_slice() else { continue };
        if stat.contains("(wh-spawner)") && *state != "Z" && parent.parse() == Ok(host.as_raw_pid()) {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// Gives a directory and everything in it to somebody else.
fn give(dir: &Path, user: u32) -> Tried<()> {
    chown(dir, Some(user), Some(user))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), user)?;
        } else if !entry.file_type()?.is_symlink() {
            chown(entry.path(), Some(user), Some(user))?;
        }
    }
    Ok(())
}
