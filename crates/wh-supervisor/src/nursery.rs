//! The host's end of the spawner: keeps one alive and gets guardians from it.

use crate::link::{Guardian, Leaving};
use crate::passing;
use crate::register::Line;
use crate::spawner::SPAWNER_ARGUMENT;
use crate::tree::{Member, descendants};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, getsid, waitid};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a new guardian may take to answer before its spawner is given up.
const HELLO: Duration = Duration::from_secs(10);

/// Between two looks at what is about to end.
const PAUSE: Duration = Duration::from_millis(10);

/// So many looks in a row must find nothing: the kernel's list of children may skip some while others of them end.
const ENOUGH_LOOKS: u32 = 2;

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
        Ok(Spawner { child, control: ours })
    }

    /// A new guardian, for the stream of that line. Starts another spawner where the last one has died.
    pub(crate) async fn hire(&self, line: Option<&Line>) -> io::Result<Guardian> {
        let (ours, theirs) = sockets(SocketFlags::CLOEXEC)?;
        let (seen, witness) = pipe_with(PipeFlags::CLOEXEC)?;
        let spawner = self.ask(&theirs, &witness, line)?;
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

    /// Sends the request, and says to which spawner.
    fn ask(&self, socket: &OwnedFd, witness: &OwnedFd, line: Option<&Line>) -> io::Result<u32> {
        let mut state = self.state();
        state.reap_adopted();
        let number = line.map_or(0, |line| line.number).to_le_bytes();
        let mut descriptors = vec![socket.as_fd(), witness.as_fd()];
        descriptors.extend(line.map(Line::file));
        if let Some(spawner) = &state.spawner
            && passing::send(&spawner.control, &number, &descriptors).is_ok()
        {
            return Ok(spawner.child.id());
        }
        state.bury_spawner()?;
        let spawner = self.start()?;
        passing::send(&spawner.control, &number, &descriptors)?;
        let number = spawner.child.id();
        state.spawner = Some(spawner);
        Ok(number)
    }

    /// Whether the spawner of that number is still there.
    fn is_alive(&self, spawner: u32) -> bool {
        let mut state = self.state();
        state.spawner.as_mut().is_some_and(|current| {
            current.child.id() == spawner && matches!(current.child.try_wait(), Ok(None))
        })
    }

    /// Ends a spawner that does nothing any more. Its guardians stay under this process.
    fn give_up(&self, spawner: u32) {
        let mut state = self.state();
        if let Some(current) = state.spawner.take_if(|current| current.child.id() == spawner) {
            if let Some(member) = Member::hold(Pid::from_child(&current.child)) {
                member.signal(Signal::KILL);
            }
            state.spawner = Some(current);
            // The next request finds it dead and starts another.
            state.bury_spawner().ok();
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

impl State {
    /// Waits for a spawner that has closed its socket, as only its end does.
    fn bury_spawner(&mut self) -> io::Result<()> {
        if let Some(mut spawner) = self.spawner.take() {
            drop(spawner.control);
            spawner.child.wait()?;
        }
        Ok(())
    }

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
    let Ok(session) = getsid(None) else { return false };
    let strangers: Vec<Member> = descendants(getpid(), &HashSet::new())
        .into_iter()
        .filter(|member| crate::tree::parent(member.pid) == Some(getpid()))
        .filter(|member| getsid(Some(member.pid)).is_ok_and(|of| of != session))
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
