//! The guardian: one process per stream that starts a worker, waits for all of its tree and ends it when told to.
//!
//! It is forked by the spawner, has one thread, and obeys its socket only: when the host's end closes, it kills
//! the tree and leaves. As a subreaper it becomes the parent of every process of the tree whose own parent has
//! ended, so neither `setsid` nor a double fork leads out of its sight, and as their parent it can hold each by a
//! descriptor before a number is used again.
//!
//! A worker that is to be isolated enters its sandbox between its birth and its execution; see [`crate::sandbox`].

use crate::birth::{self, Birth};
use crate::course::{Tree, members};
use crate::limits::keeper::{Keeper, Seen};
use crate::passing;
use crate::register::add_worker;
use crate::sandbox::enclosure::{Enclosure, Started};
use crate::sys::{self, Rlimits};
use crate::tree::ticks;
use crate::wire::{Command, Ended, Inbox, Notice, Program, Sandbox};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, getpid, set_child_subreaper};
use std::collections::VecDeque;
use std::ffi::CString;
use std::io;
use std::time::Instant;
use wh_domain::attempt::Usage;
use wh_domain::isolation::Enforcement;
use wh_domain::limits::Limits;

/// The host is gone.
#[derive(Debug)]
struct Gone;

/// Serves attempts until the host's end of `socket` closes and no process of a worker is left. Each worker is noted in
/// `line` of the host's register, where there is one.
pub(crate) fn guard(socket: BorrowedFd<'_>, line: Option<(OwnedFd, u32)>) -> io::Result<()> {
    let mut guardian = Guardian::new(socket, line)?;
    guardian.say(&Notice::Hello(getpid().as_raw_pid()));
    loop {
        guardian.wait()?;
        if guardian.listen().is_err() {
            guardian.host_is_gone = true;
            if let Some(tree) = &mut guardian.tree {
                guardian.keeper.lift_cpu();
                tree.kill();
            }
        }
        guardian.look()?;
        if guardian.host_is_gone && guardian.tree.is_none() {
            return Ok(());
        }
    }
}

struct Guardian<'a> {
    socket: BorrowedFd<'a>,
    inbox: Inbox,
    descriptors: VecDeque<OwnedFd>,
    /// Readable when a child has ended.
    children: OwnedFd,
    /// The host's register, and the line for this guardian's workers.
    line: Option<(OwnedFd, u32)>,
    /// Keeps number 3 taken, so that whatever arrives has a number that no worker's descriptor will get.
    _third: OwnedFd,
    program: Option<Program>,
    /// The program's sandbox, where it has one.
    enclosure: Option<Enclosure>,
    /// What the host knows to hold for the workers that are inside.
    entered: Option<Enforcement>,
    /// Has the limits hold.
    keeper: Keeper,
    tree: Option<Tree>,
    host_is_gone: bool,
}

impl<'a> Guardian<'a> {
    fn new(socket: BorrowedFd<'a>, line: Option<(OwnedFd, u32)>) -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        let third = rustix::io::fcntl_dupfd_cloexec(socket, 3)?;
        Ok(Self {
            socket,
            inbox: Inbox::default(),
            descriptors: VecDeque::new(),
            children: sys::child_signals()?,
            line,
            _third: third,
            program: None,
            enclosure: None,
            entered: None,
            keeper: Keeper::default(),
            tree: None,
            host_is_gone: false,
        })
    }

    /// Sleeps until the host speaks, a child ends or it is time to look.
    fn wait(&self) -> io::Result<()> {
        let until_look = || self.keeper.next().map(|next| next.saturating_duration_since(Instant::now()));
        let pauses = self.tree.as_ref().map(|tree| [tree.pause(), until_look()]);
        let pause = pauses.into_iter().flatten().flatten().min();
        let pause = pause.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
        let mut ready =
            [PollFd::new(&self.children, PollFlags::IN), PollFd::new(&self.socket, PollFlags::IN)];
        // A socket that has closed is always ready.
        let watched = if self.host_is_gone { &mut ready[..1] } else { &mut ready[..] };
        match poll(watched, pause.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !ready[0].revents().is_empty() {
            // One of these is all there ever is: equal signals do not queue.
            rustix::io::read(&self.children, &mut [0_u8; 128]).ok();
        }
        Ok(())
    }

    /// Does what the host asks.
    fn listen(&mut self) -> Result<(), Gone> {
        if self.host_is_gone {
            return Ok(());
        }
        let mut bytes = [0_u8; 16 << 10];
        match passing::receive(self.socket, &mut bytes, |fd| self.descriptors.push_back(fd)) {
            Ok(0) => return Err(Gone),
            Ok(got) => self.inbox.push(bytes.get(..got).ok_or(Gone)?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(_) => return Err(Gone),
        }
        while let Some(command) = self.inbox.command().map_err(|_| Gone)? {
            self.obey(command)?;
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<(), Gone> {
        match (command, &mut self.tree) {
            (Command::Program(program), _) => {
                // Prepared anew even if it is the same: what it names may be other files by now.
                (self.program, self.enclosure, self.entered) = (Some(program), None, None);
            }
            (Command::Start(env, limits), None) => self.start(&env, &limits)?,
            (Command::Start(..), Some(_)) => return Err(Gone),
            (Command::Signal(number), Some(tree)) => tree.signal_worker(number),
            (Command::Terminate, Some(tree)) => {
                self.keeper.lift_cpu();
                tree.terminate();
            }
            (Command::Kill, Some(tree)) => {
                self.keeper.lift_cpu();
                tree.kill();
            }
            // Sent before the host had read that the tree is empty.
            (Command::Signal(_) | Command::Terminate | Command::Kill, None) => {}
        }
        Ok(())
    }

    fn start(&mut self, env: &[CString], limits: &Limits) -> Result<(), Gone> {
        let mut descriptors = self.descriptors.drain(..);
        let mut next = || descriptors.next().ok_or(Gone);
        let given: [OwnedFd; 4] = [next()?, next()?, next()?, next()?];
        drop(descriptors);
        let program = self.program.take().ok_or(Gone)?;
        let start = sys::Start {
            program: &program.path,
            argv: &program.argv,
            env: program.env.iter().chain(env).map(CString::as_c_str).collect(),
            directory: &program.directory,
            descriptors: given.each_ref().map(AsFd::as_fd),
            rlimits: Rlimits::default(),
        };
        let from = ticks();
        let started = self.launch(start, limits, program.sandbox.as_ref());
        drop(given);
        self.program = Some(program);
        match started {
            Ok(Some(worker)) => {
                if let Some((register, number)) = &self.line {
                    // Without it the worker is found by this guardian still, and by its environment.
                    add_worker(register, *number, worker, (from, ticks())).ok();
                }
                go_first(worker);
                self.tree = Some(Tree::new(worker));
            }
            Ok(None) => self.say(&Notice::NotIsolated),
            Err(error) => self.say(&Notice::NotStarted(error.raw_os_error().unwrap_or(libc::EIO))),
        }
        Ok(())
    }

    /// Starts a worker within its limits, and inside a sandbox if there is one. `None` where it may not run with what
    /// those lack.
    fn launch(
        &mut self,
        start: sys::Start<'_>,
        limits: &Limits,
        sandbox: Option<&Sandbox>,
    ) -> io::Result<Option<Pid>> {
        let held = self.keeper.hold(limits).clone();
        let start = sys::Start { rlimits: held.rlimits, ..start };
        let mut holds = Enforcement::nothing();
        let worker = match sandbox {
            None => match birth::spawn(&start, None)?.0 {
                Birth::Running(worker) => Some(worker),
                Birth::NotEntered => None,
            },
            Some(sandbox) => {
                let enclosure = match self.enclosure.take() {
                    Some(prepared) => prepared,
                    None => Enclosure::new(sandbox.clone())?,
                };
                let enclosure = self.enclosure.insert(enclosure);
                let lacks_a_limit = sandbox.required && !held.missing.is_empty();
                let started =
                    if lacks_a_limit { enclosure.not_started() } else { enclosure.start(&start)? };
                let (worker, report) = match started {
                    Started::Running(worker, report) => (Some(worker), report),
                    Started::NotIsolated(report) => (None, report),
                };
                holds = report;
                worker
            }
        };
        holds.cgroup = held.cgroup;
        holds.enforced.extend(held.enforced);
        holds.missing.extend(held.missing);
        if self.entered.as_ref() != Some(&holds) {
            self.say(&Notice::Entered(holds.clone()));
            self.entered = Some(holds);
        }
        self.keeper.begin();
        Ok(worker)
    }

    /// Waits for whatever has ended, and moves the tree on.
    fn look(&mut self) -> io::Result<()> {
        let Some(tree) = &mut self.tree else { return Ok(()) };
        let is_empty = tree.reap()?;
        if !is_empty && self.keeper.next().is_some_and(|next| Instant::now() >= next) {
            match self.keeper.look(|| members().iter().map(|member| member.pid).collect()) {
                Seen::Fine => {}
                Seen::High { used, limit } => self.say(&Notice::MemoryHigh { used, limit }),
                Seen::Over(breach) => {
                    self.keeper.lift_cpu();
                    tree.overrun(breach);
                }
            }
        }
        let Some(tree) = &mut self.tree else { return Ok(()) };
        let status = tree.status;
        match status {
            Some(status) if is_empty => {
                let leaked = std::mem::take(&mut tree.leaked);
                let told = self.keeper.end();
                let watched =
                    Usage { max_rss_kib: told.peak >> 10, oom_kills: told.kills, ..Usage::default() };
                let (usage, breach) = (tree.usage.and(watched), tree.breach.or(told.breach));
                let ended =
                    Ended { status, usage, leaked, breach, is_crowded: told.is_crowded, left: told.left };
                self.tree = None;
                self.say(&Notice::Ended(ended));
            }
            Some(status) if tree.leak() => {
                self.keeper.lift_cpu();
                self.say(&Notice::Exited(status));
            }
            _ => tree.press_on(),
        }
        Ok(())
    }

    /// A host that does not listen any more will be noticed when it is read from.
    fn say(&self, notice: &Notice) {
        let mut bytes = Vec::with_capacity(64);
        if notice.encode(&mut bytes).is_none() {
            return;
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match passing::send(self.socket, rest, &[]) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nothing of it may be lost: the host has not come to read, or is gone, which ends the waiting too.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], None).ok();
                }
                Err(_) => return,
            }
        }
    }
}

/// Asks the kernel to end a process and its children before others where the machine has no memory left: half of it counts
/// as theirs. Where that is refused others may go first, and nothing else depends on it.
fn go_first(worker: Pid) {
    std::fs::write(format!("/proc/{}/oom_score_adj", worker.as_raw_pid()), "500").ok();
}
