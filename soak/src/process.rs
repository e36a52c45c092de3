//! Processes of the program under test: started, killed, and known to be gone with all that came from them.

use crate::arena::Arena;
use crate::ledger::Ledger;
use crate::{Tried, Trouble};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Between two looks at a condition.
pub const PAUSE: Duration = Duration::from_millis(1);

/// Looks again and again until `is_so`, for at most `limit`; says how long it took.
pub fn wait_until(limit: Duration, mut is_so: impl FnMut() -> Tried<bool>) -> Tried<Option<Duration>> {
    let begun = Instant::now();
    loop {
        if is_so()? {
            return Ok(Some(begun.elapsed()));
        }
        if begun.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// A host that runs. Its standard error is held by its spawner and guardians too, but by no worker: the pipe's end
/// shows that all of them are gone.
#[derive(Debug)]
pub struct Host {
    child: Child,
    hung_up: Receiver<Instant>,
    ended: Option<ExitStatus>,
    /// When it was killed, or found ended.
    over: Option<Instant>,
}

impl Host {
    /// Starts one.
    pub fn start(arena: &Arena, arguments: &[&str], kill_at: Option<&str>) -> Tried<Self> {
        let mut child = arena.command(arguments, kill_at).spawn()?;
        let errors = child.stderr.take().ok_or("no standard error")?;
        let talk = Ledger::open(&arena.talk())?;
        let (hang_up, hung_up) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                // What a host says is kept for a person; nothing is judged by it.
                talk.add(&line).ok();
            }
            hang_up.send(Instant::now()).ok();
        });
        Ok(Self { child, hung_up, ended: None, over: None })
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it has ended by itself, and how.
    pub fn has_ended(&mut self) -> Tried<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
            self.over = self.ended.map(|_| Instant::now());
        }
        Ok(self.ended)
    }

    /// Sends a signal, unless it has ended.
    pub fn signal(&mut self, signal: Signal) -> Tried<()> {
        if self.has_ended()?.is_none() {
            kill_process(self.pid(), signal)?;
        }
        Ok(())
    }

    /// `kill -9`, and the host is gone; whatever came from it may not be yet.
    pub fn kill(&mut self) -> Tried<()> {
        if self.has_ended()?.is_none() {
            self.over = Some(Instant::now());
            self.child.kill()?;
            self.ended = Some(self.child.wait()?);
        }
        Ok(())
    }

    /// Waits until it has ended by itself.
    pub fn end(&mut self, limit: Duration) -> Tried<Option<ExitStatus>> {
        wait_until(limit, || Ok(self.has_ended()?.is_some()))?;
        self.has_ended()
    }

    /// Waits until nothing that came from it is alive: spawner and guardians by the pipe that they hold, workers by
    /// theirs. Answers how long after its end that was, if it came to that.
    pub fn deserted(&self, pulse: &Pulse, limit: Duration) -> Tried<Option<Duration>> {
        let begun = Instant::now();
        let over = self.over.unwrap_or(begun);
        let hung_up = match self.hung_up.recv_timeout(limit) {
            Ok(at) => at,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => begun,
        };
        let left = limit.saturating_sub(begun.elapsed());
        let silent =
            if pulse.beats()? { pulse.deserted(left)?.map(|_| Instant::now()) } else { Some(hung_up) };
        Ok(silent.map(|at| at.max(hung_up).saturating_duration_since(over)))
    }
}

/// Nothing that was started is left to run when the soak itself fails.
impl Drop for Host {
    fn drop(&mut self) {
        self.kill().ok();
    }
}

/// The reading end of the pipe that every worker holds open while it lives.
#[derive(Debug)]
pub struct Pulse(OwnedFd);

impl Pulse {
    /// Begins to listen at that pipe.
    pub fn listen(pipe: &Path) -> Tried<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(pipe, flags, Mode::empty())?))
    }

    /// Whether any worker lives.
    pub fn beats(&self) -> Tried<bool> {
        self.read().map(|read| read.is_none_or(|bytes| !bytes.is_empty()))
    }

    /// What has been written since the last look; nothing at the end, `None` where the end has not come.
    pub fn read(&self) -> Tried<Option<Vec<u8>>> {
        let mut bytes = [0; 4_096];
        match rustix::io::read(&self.0, &mut bytes) {
            Ok(got) => Ok(Some(bytes.get(..got).unwrap_or_default().to_vec())),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(Trouble::from(error)),
        }
    }

    /// Waits until none lives; how long that took, if it came to that.
    pub fn deserted(&self, limit: Duration) -> Tried<Option<Duration>> {
        wait_until(limit, || Ok(!self.beats()?))
    }
}
