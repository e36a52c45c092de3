//! The spawner: a small process, started while the host is small, that forks guardians and outlives none of them.
//!
//! Standard input is its socket to the host: each number brings descriptors and asks for a guardian. One is the
//! guardian's own socket. The next is a witness: when the guardian and every process that it answered for are
//! gone, the spawner writes a byte to it, so that whoever holds its other end knows that nothing is left. A third one
//! is the host's register, in which the guardian has the line of that number. Standard output, where it is no terminal
//! of anybody's, is the host's membership token: it stays open here and in the guardians, never in a worker.
//!
//! Whoever dies, the next one up ends what was below: a guardian's death makes the workers' processes children of
//! the spawner, which kills them; the host's death closes all sockets; and without a spawner the guardians go on
//! under the host.

use crate::sys::{self, Side, Waited};
use crate::tree::{Member, descendants};
use crate::{guardian, passing};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, Signal, getpid, set_child_subreaper};
use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

/// The argument with which a program starts itself again as the spawner; it then calls [`spawner_main`] before
/// anything else and leaves with the code that returns.
pub const SPAWNER_ARGUMENT: &str = "__spawner";

/// How long guardians get to end their trees after the host's death before the spawner does it for them.
const FAREWELL: Duration = Duration::from_secs(1);

/// Between two looks at processes that are being killed.
const PAUSE: Duration = Duration::from_millis(10);

/// Runs the spawner until the host is gone and no process of a worker is left; returns the exit code. To be
/// called first of all by a program that was started with [`SPAWNER_ARGUMENT`].
pub fn spawner_main() -> i32 {
    match Spawner::new().and_then(|mut spawner| spawner.serve()) {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(1),
    }
}

/// A guardian and the witness of its work.
struct Ward {
    pid: Pid,
    is_dead: bool,
    witness: OwnedFd,
}

struct Spawner {
    children: OwnedFd,
    wards: Vec<Ward>,
    /// Whether processes of a dead guardian were seen alive at the last look.
    orphans: bool,
    /// Set when the host is gone: until when guardians may do their work.
    closing: Option<Instant>,
}

impl Spawner {
    fn new() -> io::Result<Self> {
        sys::ignore_signals();
        set_child_subreaper(Some(getpid()))?;
        rustix::thread::set_name(c"wh-spawner")?;
        // Variables of workers go through this memory.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        // Nobody is to wait for this process before a file system can be unmounted.
        rustix::process::chdir("/")?;
        Ok(Self { children: sys::child_signals()?, wards: Vec::new(), orphans: false, closing: None })
    }

    fn serve(&mut self) -> io::Result<()> {
        let control = rustix::stdio::stdin();
        loop {
            let (asked, ended) = self.wait(control)?;
            if asked && !self.hire(control) {
                self.closing = Some(Instant::now() + FAREWELL);
            }
            if ended || self.orphans || self.closing.is_some() {
                self.look()?;
            }
            if self.closing.is_some() && self.wards.is_empty() && !self.orphans {
                return Ok(());
            }
        }
    }

    /// Sleeps until the host asks for something, a child ends or it is time to look; says which of the first two.
    fn wait(&self, control: BorrowedFd<'_>) -> io::Result<(bool, bool)> {
        let pause = (self.orphans || self.closing.is_some()).then_some(PAUSE);
        let pause = pause.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
        let mut ready = [PollFd::new(&self.children, PollFlags::IN), PollFd::new(&control, PollFlags::IN)];
        let watched = if self.closing.is_some() { &mut ready[..1] } else { &mut ready[..] };
        match poll(watched, pause.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ended = !ready[0].revents().is_empty();
        if ended {
            rustix::io::read(&self.children, &mut [0_u8; 128]).ok();
        }
        Ok((!ready[1].revents().is_empty(), ended))
    }

    /// Forks the guardian that the host asks for; false when the host is gone.
    fn hire(&mut self, control: BorrowedFd<'_>) -> bool {
        let mut descriptors = Vec::with_capacity(3);
        let mut number = [0; 4];
        let got = passing::receive(control, &mut number, |fd| descriptors.push(fd));
        match got {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(_) => return false,
        }
        let mut descriptors = descriptors.into_iter();
        let (Some(socket), Some(witness)) = (descriptors.next(), descriptors.next()) else { return true };
        let line = descriptors.next().map(|register| (register, u32::from_le_bytes(number)));
        match sys::fork() {
            Ok(Side::Child) => become_guardian(socket, line),
            Ok(Side::Parent(pid)) => self.wards.push(Ward { pid, is_dead: false, witness }),
            // Both descriptors close, which tells the host.
            Err(_) => {}
        }
        true
    }

    /// Waits for whatever has ended, and ends what dead guardians have left behind.
    fn look(&mut self) -> io::Result<()> {
        while let Waited::Reaped(reaped) = sys::reap()? {
            self.wards.iter_mut().filter(|ward| ward.pid == reaped.pid).for_each(|ward| ward.is_dead = true);
        }
        if self.closing.is_some_and(|until| Instant::now() >= until) {
            let alive = self.wards.iter().filter(|ward| !ward.is_dead);
            alive.filter_map(|ward| Member::hold(ward.pid)).for_each(|member| member.signal(Signal::KILL));
        }
        if !self.wards.iter().any(|ward| ward.is_dead) {
            return Ok(());
        }
        let guardians = self.wards.iter().filter(|ward| !ward.is_dead).map(|ward| ward.pid).collect();
        self.orphans = end_orphans(&guardians);
        if !self.orphans {
            for ward in self.wards.extract_if(.., |ward| ward.is_dead) {
                // A byte, for a spawner's death would close the witness too. A host that is gone needs none.
                rustix::io::write(&ward.witness, b".").ok();
            }
        }
        Ok(())
    }
}

/// Kills everything below this process but guardians and what is theirs; true where there was anything.
fn end_orphans(guardians: &HashSet<Pid>) -> bool {
    let orphans = descendants(getpid(), guardians);
    for orphan in &orphans {
        orphan.signal(Signal::KILL);
    }
    !orphans.is_empty()
}

/// What the forked half does. It keeps its socket, its line and the token, and nothing of the spawner's.
fn become_guardian(socket: OwnedFd, line: Option<(OwnedFd, u32)>) -> ! {
    let guarded = rustix::stdio::dup2_stdin(&socket).map_err(io::Error::from).and_then(|()| {
        // Closed with everything else.
        let _number = socket.into_raw_fd();
        sys::close_from(3, line.as_ref().map(|(register, _)| register.as_fd()))?;
        rustix::thread::set_name(c"wh-guardian")?;
        guardian::guard(rustix::stdio::stdin().as_fd(), line)
    });
    sys::leave(i32::from(guarded.is_err()))
}
