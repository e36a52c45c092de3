//! The host's end of the spawner: keeps one alive and gets guardians from it.

use crate::link::{Guardian, Leaving};
use crate::passing::{self, is_deserted};
use crate::register::Line;
use crate::spawner::SPAWNER_ARGUMENT;
use crate::tree::{ENOUGH_LOOKS, Member, descendants, parent, session};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, waitid};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a new guardian may take to answer before its spawner is given up.
const HELLO: Duration = Duration::from_secs(10);

/// How long a spawner that is ending may take before another one is asked for in vain.
const SPAWNERS_END: Duration = Duration::from_secs(10);

/// How long a nursery that is given up waits for its spawner: longer than that gives its guardians.
const GIVEN_UP: Duration = Duration::from_secs(2);

/// Between two looks at what is about to end.
const PAUSE: Duration = Duration::from_millis(10);

/// How to start the spawner: a program that calls [`crate::spawner_main`] before anything else.
#[derive(Debug, Clone)]
pub struct SpawnerProgram {
    /// The program's path.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl SpawnerProgram {
    /// This very program, started again with [`SPAWNER_ARGUMENT`], whatever has become of its file since.
    pub fn of_this_program() -> Self {
        Self { path: "/proc/self/exe".into(), arguments: vec![SPAWNER_ARGUMENT.into()] }
    }
}

/// Keeps a spawner.
#[derive(Debug)]
pub(crate) struct Nursery {
    program: SpawnerProgram,
    token: Option<Arc<OwnedFd>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spawner: Option<Spawner>,
    /// Guardians whose spawner died before them: children of this process now, to be waited for.
    adopted: Vec<Pid>,
}

#[derive(Debug)]
struct Spawner {
    child: Child,
    control: OwnedFd,
    /// It has been killed, and only its end is waited for.
    is_doomed: bool,
}

impl Spawner {
    /// Waits for it if it has ended.
    fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Nursery {
    /// Keeps spawners of `program`, each holding `token`. The first is started at once, while this process is small.
    pub(crate) fn new(program: SpawnerProgram, token: Option<Arc<OwnedFd>>) -> io::Result<Self> {
        // What a dead spawner leaves behind comes here instead of getting away.
        rustix::process::set_child_subreaper(Some(getpid()))?;
        let nursery = Self { program, token, state: Mutex::default() };
        nursery.state().spawner = Some(nursery.start()?);
        Ok(nursery)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> io::Result<Spawner> {
        let (ours, theirs) = sockets(SocketFlags::CLOEXEC)?;
        let token = match &self.token {
            Some(token) => Stdio::from(token.try_clone()?),
            None => Stdio::null(),
        };
        let child = Command::new(&self.program.path)
            .args(&self.program.arguments)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(token)
            // A terminal's signals are for the host alone.
            .process_group(0)
            .spawn()?;
        Ok(Spawner { child, control: ours, is_doomed: false })
    }

    /// A new guardian, for the stream of that line. Starts another spawner where the last one has died.
    pub(crate) async fn hire(&self, line: Option<&Line>) -> io::Result<Guardian> {
        let (ours, theirs) = sockets(SocketFlags::CLOEXEC)?;
        let (seen, witness) = pipe_with(PipeFlags::CLOEXEC)?;
        let number = line.map_or(0, |line| line.number).to_le_bytes();
        let mut descriptors = vec![theirs.as_fd(), witness.as_fd()];
        descriptors.extend(line.map(Line::file));
        let spawner = self.ask(&number, &descriptors).await?;
        // With these gone, the guardian's and the spawner's ends are the only ones.
        drop((theirs, witness));
        let mut guardian = Guardian::new(ours, seen, spawner)?;
        match tokio::time::timeout(HELLO, guardian.hello(line)).await {
            Ok(Ok(())) => Ok(guardian),
            Ok(Err(_)) => Err(io::Error::other("the guardian left before it said anything")),
            Err(_) => {
                self.give_up(spawner);
                Err(io::Error::other("the spawner does not answer"))
            }
        }
    }

    /// Sends the request, and says to which spawner. One that is ending is waited for, and another one started.
    async fn ask(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<u32> {
        let until = Instant::now() + SPAWNERS_END;
        loop {
            if let Some(spawner) = self.try_ask(bytes, descriptors)? {
                return Ok(spawner);
            }
            if Instant::now() >= until {
                return Err(io::Error::other("the last spawner does not end"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// `None` where the spawner is ending. One that lives is never given up for what the system refuses: closing its
    /// socket tells it that the host is gone, and it would end every attempt.
    fn try_ask(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<Option<u32>> {
        let mut state = self.state();
        state.reap_adopted();
        if !state.spawner.as_mut().is_some_and(Spawner::is_alive) {
            state.spawner = Some(self.start()?);
        }
        let Some(spawner) = &state.spawner else { return Ok(None) };
        if spawner.is_doomed {
            return Ok(None);
        }
        match passing::send(&spawner.control, bytes, descriptors) {
            Ok(_) => Ok(Some(spawner.child.id())),
            // Its end closes the socket a moment before it can be waited for.
            Err(error) if is_deserted(&error) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::Error::other("the spawner does not read what it is asked"))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the spawner of that number is still there.
    fn is_alive(&self, spawner: u32) -> bool {
        let mut state = self.state();
        state.spawner.as_mut().is_some_and(|current| current.child.id() == spawner && current.is_alive())
    }

    /// Ends a spawner that does nothing any more. Its guardians stay under this process. Its socket stays open until it
    /// has ended, lest it take this for the host's end and kill them before.
    fn give_up(&self, spawner: u32) {
        let mut state = self.state();
        if let Some(current) = state.spawner.as_mut().filter(|current| current.child.id() == spawner) {
            if current.is_alive()
                && let Some(member) = Member::hold(Pid::from_child(&current.child))
            {
                member.signal(Signal::KILL);
            }
            current.is_doomed = true;
        }
    }

    /// Waits until the guardian that was let go, and all that it answered for, are gone.
    pub(crate) async fn gone(&self, leaving: &Leaving) {
        if leaving.gone().await {
            return;
        }
        // What a spawner leaves behind is this process's only once it is all gone.
        while self.is_alive(leaving.spawner) {
            tokio::time::sleep(PAUSE).await;
        }
        self.state().adopted.extend(leaving.pid);
        let mut empty_looks = 0;
        while empty_looks < ENOUGH_LOOKS {
            empty_looks = if end_orphans() { 0 } else { empty_looks + 1 };
            tokio::time::sleep(PAUSE).await;
        }
        self.state().reap_adopted();
    }
}

impl Drop for Nursery {
    /// Lets the spawner end, which ends whatever is left, and waits for that: nobody else would, and a dead child that
    /// is not waited for stays in the table of processes. One that takes long is left there.
    fn drop(&mut self) {
        let Some(Spawner { mut child, control, .. }) = self.state().spawner.take() else { return };
        drop(control);
        let until = Instant::now() + GIVEN_UP;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(PAUSE);
        }
    }
}

impl State {
    fn reap_adopted(&mut self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        self.adopted.retain(|pid| matches!(waitid(WaitId::Pid(*pid), options), Ok(None)));
    }
}

fn sockets(flags: SocketFlags) -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// Kills and waits for children of this process that nobody watches any more: only attempts have sessions of their
/// own. True where there were any.
fn end_orphans() -> bool {
    let own = session(getpid());
    let strangers: Vec<Member> = descendants(getpid(), &HashSet::new())
        .into_iter()
        .filter(|member| parent(member.pid) == Some(getpid()) && session(member.pid) != own)
        .collect();
    for stranger in &strangers {
        stranger.signal(Signal::KILL);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(stranger.pid), options) {
            Ok(_) | Err(Errno::CHILD) => {}
            Err(_) => return false,
        }
    }
    !strangers.is_empty()
}
