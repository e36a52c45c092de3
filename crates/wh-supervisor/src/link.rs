//! The host's end of one guardian: commands out, notices in.

use crate::passing::{self, is_deserted};
use crate::register::Line;
use crate::tree::{Born, is_alive};
use crate::wire::{Command, Inbox, Notice, Program};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::CString;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use wh_domain::id::{AttemptId, HostId};
use wh_domain::isolation::Enforcement;
use wh_domain::limits::Limits;

/// Between two looks at a guardian whose spawner is dead.
const PAUSE: Duration = Duration::from_millis(10);

/// The guardian is gone, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why an attempt could not be handed to a guardian.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The guardian is gone: try another.
    Gone,
    /// The system refused to hand over anything.
    Refused(io::Error),
    /// Command line and environment are longer than any program can be given.
    TooLong,
}

/// A guardian that waits for an attempt or carries one. Dropping it ends the attempt's tree and then the guardian.
#[derive(Debug)]
pub(crate) struct Guardian {
    socket: UnixStream,
    inbox: Inbox,
    /// What it was told to run.
    program: Option<Arc<Program>>,
    /// What it keeps the program within, and how much of that holds.
    entered: Option<Enforcement>,
    /// Where its attempts are written down, and it as their guardian.
    line: Option<(Line, Born)>,
    leaving: Leaving,
}

/// What is left of a guardian that was let go.
#[derive(Debug)]
pub(crate) struct Leaving {
    /// Where the spawner says that the guardian and all that it answered for have ended. Ready to be waited for from
    /// the beginning: at the end there may be no descriptor left for that.
    witness: pipe::Receiver,
    held: Option<OwnedFd>,
    /// Its process id.
    pub(crate) pid: Option<Pid>,
    /// The process id of its spawner.
    pub(crate) spawner: u32,
}

impl Guardian {
    pub(crate) fn new(socket: OwnedFd, witness: OwnedFd, spawner: u32) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        let witness = pipe::Receiver::from_owned_fd(witness)?;
        Ok(Self {
            socket: UnixStream::from_std(socket)?,
            inbox: Inbox::default(),
            program: None,
            entered: None,
            line: None,
            leaving: Leaving { witness, held: None, pid: None, spawner },
        })
    }

    /// Waits for its first words. Its attempts are to be written down in `line`, where there is one.
    pub(crate) async fn hello(&mut self, line: Option<&Line>) -> Result<(), Gone> {
        let Notice::Hello(pid) = self.notice().await? else { return Err(Gone) };
        self.leaving.pid = Pid::from_raw(pid);
        // It has just spoken, so the number is its own.
        self.leaving.held = self.leaving.pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        if let Some(line) = line {
            let born = self.leaving.pid.and_then(Born::of).ok_or(Gone)?;
            self.line = Some((line.clone(), born));
        }
        Ok(())
    }

    /// Writes down which attempt it is about to be given.
    pub(crate) fn write_down(&self, attempt: (&HostId, &AttemptId)) -> io::Result<()> {
        self.line.as_ref().map_or(Ok(()), |(line, born)| line.begin(attempt, *born))
    }

    /// Has it start `program` with the variables `env` besides the program's own, within these limits, and with these
    /// descriptors as 0 to 3.
    pub(crate) async fn start(
        &mut self,
        program: &Arc<Program>,
        (env, limits): (&[CString], &Limits),
        descriptors: [BorrowedFd<'_>; 4],
    ) -> Result<(), Unsent> {
        let mut bytes = Vec::with_capacity(1024);
        if !self.program.as_ref().is_some_and(|known| Arc::ptr_eq(known, program)) {
            self.program = None;
            Command::Program(program.as_ref().clone()).encode(&mut bytes).ok_or(Unsent::TooLong)?;
        }
        Command::Start(env.to_vec(), *limits).encode(&mut bytes).ok_or(Unsent::TooLong)?;
        let mut sent = self.send(&bytes, &descriptors).await?;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += self.send(rest, &[]).await?;
        }
        self.program = Some(Arc::clone(program));
        Ok(())
    }

    async fn send(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<usize, Unsent> {
        let socket = self.socket.as_fd();
        let send = || passing::send(socket, bytes, descriptors);
        let sent = self.socket.async_io(Interest::WRITABLE, send).await;
        sent.map_err(|error| if is_deserted(&error) { Unsent::Gone } else { Unsent::Refused(error) })
    }

    /// Tells it something short. One that cannot take it does not read, and the deadline for what was asked shows
    /// that; one that is gone shows it when it is read from.
    pub(crate) fn tell(&self, command: &Command) {
        let mut bytes = Vec::with_capacity(16);
        if command.encode(&mut bytes).is_some() {
            // Past the reactor, which may not know yet that there is room.
            passing::send(self.socket.as_fd(), &bytes, &[]).ok();
        }
    }

    /// What it says next. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn notice(&mut self) -> Result<Notice, Gone> {
        loop {
            match self.inbox.notice().map_err(|_| Gone)? {
                Some(Notice::Entered(report)) => {
                    self.entered = Some(report);
                    continue;
                }
                Some(notice) => return Ok(notice),
                None => {}
            }
            self.socket.readable().await.map_err(|_| Gone)?;
            let mut bytes = [0; 4096];
            match self.socket.try_read(&mut bytes) {
                Ok(0) => return Err(Gone),
                Ok(got) => self.inbox.push(bytes.get(..got).ok_or(Gone)?),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Gone),
            }
        }
    }

    /// What it keeps its workers within, once it has started one.
    pub(crate) fn entered(&self) -> Option<&Enforcement> {
        self.entered.as_ref().filter(|entered| **entered != Enforcement::nothing())
    }

    /// Lets it go: it ends what it still has, and then itself.
    pub(crate) fn let_go(self) -> Leaving {
        self.leaving
    }
}

impl Leaving {
    /// Resolves when the guardian is gone; true where its spawner has ended whatever it left behind, false where the
    /// spawner died first.
    pub(crate) async fn gone(&self) -> bool {
        if self.is_attested().await.unwrap_or(false) {
            return true;
        }
        while self.held.as_ref().is_some_and(is_alive) {
            tokio::time::sleep(PAUSE).await;
        }
        false
    }

    /// Waits for the spawner's word: one byte before it closes the witness. One that is killed says nothing.
    async fn is_attested(&self) -> io::Result<bool> {
        loop {
            self.witness.readable().await?;
            match self.witness.try_read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Ok(read? > 0),
            }
        }
    }
}
