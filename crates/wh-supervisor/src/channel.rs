//! The host's end of a worker's channel.

use crate::pipes::read_all;
use crate::sys::listen_to;
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use std::io;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use wh_protocol::control::Control;

/// How much may wait for a worker that does not read, in bytes; what comes on top is dropped, line by line.
const MAX_UNSENT: usize = 64 << 10;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Channel {
    state: State,
    unsent: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Open, and nobody is told when there is something to read.
    Deaf(OwnedFd),
    /// Open, and the reactor tells.
    Listening(AsyncFd<OwnedFd>),
    /// Closed by the worker, or here.
    Closed,
}

impl Channel {
    /// A channel; also its other end, for the worker.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        Ok((Self { state: State::Deaf(ours), unsent: Vec::new() }, theirs))
    }

    /// Wants to be told from now on when the worker has said something. False where the system refuses that: it stays
    /// deaf then.
    pub(crate) fn listen(&mut self) -> bool {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Deaf(socket) => match listen_to(socket) {
                Ok(socket) => State::Listening(socket),
                Err(socket) => State::Deaf(socket),
            },
            same @ (State::Listening(_) | State::Closed) => same,
        };
        !matches!(self.state, State::Deaf(_))
    }

    /// Resolves when the worker has said something; never while it is deaf or closed.
    pub(crate) async fn readable(&self) {
        match &self.state {
            State::Listening(socket) => drop(socket.readable().await),
            State::Deaf(_) | State::Closed => std::future::pending().await,
        }
    }

    /// Reads what is there, or a fair share of it.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        let mut chunk = [0; 16 << 10];
        for _ in 0..8 {
            let State::Listening(socket) = &self.state else { return };
            match socket.try_io(Interest::READABLE, |socket| Ok(rustix::io::read(socket, &mut chunk)?)) {
                Ok(0) => self.state = State::Closed,
                Ok(got) => take(chunk.get(..got).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.state = State::Closed,
            }
        }
    }

    /// Reads everything that is there now, up to `most` bytes, and then no more.
    pub(crate) fn drain_and_close(&mut self, most: u64, take: impl FnMut(&[u8])) {
        // Past the reactor, whose knowledge may be a turn old.
        match &self.state {
            State::Deaf(socket) => read_all(socket.as_fd(), most, take),
            State::Listening(socket) => read_all(socket.get_ref().as_fd(), most, take),
            State::Closed => {}
        }
        self.state = State::Closed;
    }

    /// Says something to the worker, which need not listen.
    pub(crate) fn say(&mut self, control: Control<'_>) {
        if self.unsent.len() < MAX_UNSENT {
            control.write(&mut self.unsent);
            self.flush();
        }
    }

    /// Past the reactor, which may not know yet that there is room.
    fn flush(&mut self) {
        let socket = match &self.state {
            State::Deaf(socket) => socket.as_fd(),
            State::Listening(socket) => socket.get_ref().as_fd(),
            State::Closed => return,
        };
        while !self.unsent.is_empty() {
            match send(socket, &self.unsent, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                // The rest goes with the next thing that is said.
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use std::io::Read;

    #[tokio::test]
    async fn what_the_reactor_refuses_stays_open_and_is_read_at_the_end() {
        // A file of the disk is one that it always refuses.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "said").unwrap();
        let state = State::Deaf(file.reopen().unwrap().into());
        let mut channel = Channel { state, unsent: Vec::new() };
        assert!(!channel.listen() && !channel.listen());
        let mut heard = Vec::new();
        channel.drain_and_close(1 << 10, |piece| heard.extend_from_slice(piece));
        assert_eq!(heard, b"said");
        let (mut channel, _theirs) = Channel::new().unwrap();
        assert!(channel.listen() && channel.listen());
    }

    #[test]
    fn a_worker_that_does_not_read_loses_whole_lines_and_never_makes_the_host_wait() {
        let (mut channel, theirs) = Channel::new().unwrap();
        for _ in 0..100_000 {
            channel.say(Control::Drain);
        }
        assert!(channel.unsent.len() < MAX_UNSENT + 100);
        let mut theirs = std::os::unix::net::UnixStream::from(theirs);
        theirs.set_nonblocking(true).unwrap();
        let mut heard = Vec::new();
        assert!(theirs.read_to_end(&mut heard).is_err(), "it would block");
        channel.flush();
        drop(channel);
        theirs.set_nonblocking(false).unwrap();
        theirs.read_to_end(&mut heard).unwrap();
        let text = String::from_utf8(heard).unwrap();
        assert!(text.lines().all(|line| line == r#"{"control":"drain"}"#));
    }
}
