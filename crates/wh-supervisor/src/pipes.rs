//! Standard input, output and error of a worker, from the host's side. None of them can make the host wait.

use crate::briefing::Input;
use crate::sys::listen_to;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::ioctl_fionread;
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::sync::Arc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

/// How much is read at once, and how often before others get their turn.
const CHUNK: usize = 16 << 10;
const ROUNDS: usize = 8;

/// Standard input on its way into the worker.
#[derive(Debug)]
pub(crate) struct Feed {
    input: Arc<Input>,
    written: usize,
    writer: Option<pipe::Sender>,
    /// Kept open, so that what the worker left unread can be seen after its end.
    reader: OwnedFd,
}

impl Feed {
    /// The input, with as much of its bytes in a pipe as that holds; if that is all, the pipe is closed already.
    pub(crate) fn new(input: &Arc<Input>) -> io::Result<Self> {
        match input.as_ref() {
            Input::Bytes(bytes) => Self::through_pipe(bytes, input),
            Input::File(file) => {
                let reader = file.try_clone()?.into();
                Ok(Self { input: Arc::clone(input), written: 0, writer: None, reader })
            }
        }
    }

    fn through_pipe(bytes: &[u8], input: &Arc<Input>) -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK)?;
        let written = match rustix::io::write(&writer, bytes) {
            Ok(written) => written,
            Err(rustix::io::Errno::AGAIN) => 0,
            Err(error) => return Err(error.into()),
        };
        let writer = (written < bytes.len()).then(|| pipe::Sender::from_owned_fd_unchecked(writer));
        Ok(Self { input: Arc::clone(input), written, writer: writer.transpose()?, reader })
    }

    /// The worker's end.
    pub(crate) fn theirs(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Writes on when the worker has read; never resolves once all is written. May be dropped at any time.
    pub(crate) async fn push(&mut self) {
        let Some(writer) = &self.writer else { return std::future::pending().await };
        if writer.writable().await.is_err() {
            self.writer = None;
            return;
        }
        let Input::Bytes(bytes) = self.input.as_ref() else { return };
        match writer.try_write(bytes.get(self.written..).unwrap_or_default()) {
            Ok(more) => self.written += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.writer = None,
        }
        if self.written >= bytes.len() {
            self.writer = None;
        }
    }

    /// Whether nothing was read of it.
    pub(crate) fn is_untouched(&self) -> bool {
        if let Input::File(_) = self.input.as_ref() {
            // The worker's descriptor shares this one's position.
            return rustix::fs::tell(&self.reader).is_ok_and(|position| position == 0);
        }
        ioctl_fionread(&self.reader).is_ok_and(|unread| unread == self.written as u64)
    }

    /// How many bytes of it were not read.
    fn unread(&self) -> u64 {
        let Input::Bytes(bytes) = self.input.as_ref() else { return 0 };
        let waiting = ioctl_fionread(&self.reader).unwrap_or(0);
        (bytes.len() - self.written) as u64 + waiting
    }
}

/// Standard input of a worker that is tried: bytes on their way, or nothing and no end.
#[derive(Debug)]
pub(crate) enum Stdin {
    /// These bytes, and then the end.
    Fed(Feed),
    /// Empty, and open for as long as our end is.
    Open { theirs: OwnedFd, _ours: OwnedFd },
}

impl Stdin {
    pub(crate) fn fed(bytes: Vec<u8>) -> io::Result<Self> {
        Feed::new(&Arc::new(Input::Bytes(bytes))).map(Self::Fed)
    }

    pub(crate) fn open() -> io::Result<Self> {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Self::Open { theirs, _ours: ours })
    }

    /// The worker's end.
    pub(crate) fn theirs(&self) -> BorrowedFd<'_> {
        match self {
            Self::Fed(feed) => feed.theirs(),
            Self::Open { theirs, .. } => theirs.as_fd(),
        }
    }

    /// See [`Feed::push`].
    pub(crate) async fn push(&mut self) {
        match self {
            Self::Fed(feed) => feed.push().await,
            Self::Open { .. } => std::future::pending().await,
        }
    }

    /// How many of its bytes were not read.
    pub(crate) fn unread(&self) -> u64 {
        match self {
            Self::Fed(feed) => feed.unread(),
            Self::Open { .. } => 0,
        }
    }
}

/// Standard output or error: bytes on their way out of the worker.
#[derive(Debug)]
pub(crate) enum Tap {
    /// Open, and nobody is told when there is something to read.
    Deaf(OwnedFd),
    /// Open, and the reactor tells.
    Listening(AsyncFd<OwnedFd>),
    /// Closed by every writer, or here.
    Closed,
}

impl Tap {
    /// A pipe; also its other end, for the worker.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK)?;
        Ok((Self::Deaf(reader), writer))
    }

    /// Wants to be told from now on when there is something to read. False where the system refuses that: it stays
    /// deaf then, for whoever writes into a pipe that is closed is ended by that.
    pub(crate) fn listen(&mut self) -> bool {
        if let Self::Deaf(reader) = std::mem::replace(self, Self::Closed) {
            *self = match listen_to(reader) {
                Ok(pipe) => Self::Listening(pipe),
                Err(reader) => Self::Deaf(reader),
            };
        }
        !matches!(self, Self::Deaf(_))
    }

    /// Resolves when there is something to read; never while it is deaf or closed.
    pub(crate) async fn readable(&self) {
        match self {
            // An error shows again in the reading.
            Self::Listening(pipe) => drop(pipe.readable().await),
            Self::Deaf(_) | Self::Closed => std::future::pending().await,
        }
    }

    /// Reads what is there, or a fair share of it.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        let mut chunk = [0; CHUNK];
        for _ in 0..ROUNDS {
            let Self::Listening(pipe) = self else { return };
            match pipe.try_io(Interest::READABLE, |pipe| Ok(rustix::io::read(pipe, &mut chunk)?)) {
                Ok(0) => *self = Self::Closed,
                Ok(got) => take(chunk.get(..got).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => *self = Self::Closed,
            }
        }
    }

    /// Reads everything that is there now, up to `most` bytes, and then no more.
    pub(crate) fn drain_and_close(&mut self, most: u64, take: impl FnMut(&[u8])) {
        // Past the reactor, whose knowledge may be a turn old.
        match self {
            Self::Deaf(reader) => read_all(reader.as_fd(), most, take),
            Self::Listening(pipe) => read_all(pipe.get_ref().as_fd(), most, take),
            Self::Closed => {}
        }
        *self = Self::Closed;
    }
}

/// Reads everything that is there now, up to about `most` bytes.
pub(crate) fn read_all(from: BorrowedFd<'_>, most: u64, mut take: impl FnMut(&[u8])) {
    let mut chunk = [0; CHUNK];
    let mut total = 0;
    while total <= most {
        match rustix::io::read(from, &mut chunk) {
            Ok(got) if got > 0 => {
                total += got as u64;
                take(chunk.get(..got).unwrap_or_default());
            }
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[tokio::test]
    async fn what_the_reactor_refuses_stays_open_and_is_read_at_the_end() {
        // A file of the disk is one that it always refuses.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "all of it").unwrap();
        let mut tap = Tap::Deaf(file.reopen().unwrap().into());
        assert!(!tap.listen() && !tap.listen());
        let mut read = Vec::new();
        tap.drain_and_close(1 << 10, |piece| read.extend_from_slice(piece));
        assert_eq!(read, b"all of it");
        let (mut tap, _theirs) = Tap::new().unwrap();
        assert!(tap.listen() && tap.listen());
    }
}
