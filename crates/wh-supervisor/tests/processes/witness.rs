//! Tells by a pipe that the kernel closes whether any process of an attempt is alive.

use crate::rig::LONG;
use rustix::fs::{Mode, OFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::net::unix::pipe;

/// A FIFO that a worker and all its descendants hold open. Its end shows that none of them lives.
pub(crate) struct Witness {
    pub(crate) path: PathBuf,
    reader: pipe::Receiver,
    read: String,
}

impl Witness {
    pub(crate) fn new(dir: &Path) -> Self {
        let path = dir.join("witness");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o622),
            0,
        )
        .unwrap();
        rustix::fs::chmod(&path, Mode::from_raw_mode(0o622)).unwrap();
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let reader = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        let reader = pipe::Receiver::from_owned_fd(reader).unwrap();
        Self { path, reader, read: String::new() }
    }

    /// Waits for the next word that a process writes.
    pub(crate) async fn word(&mut self) -> String {
        loop {
            if let Some(end) = self.read.find(' ') {
                let rest = self.read.split_off(end + 1);
                let word = std::mem::replace(&mut self.read, rest);
                return word.trim_end().to_owned();
            }
            let is_held = self.changed("nobody has written to the witness").await;
            assert!(is_held || self.read.contains(' '), "whoever could have written is gone");
        }
    }

    /// Waits until somebody has written, or nobody can any more: then it is false.
    async fn changed(&mut self, otherwise: &str) -> bool {
        let mut bytes = [0; 4096];
        let read = async {
            loop {
                self.reader.readable().await.unwrap();
                match self.reader.try_read(&mut bytes) {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    other => return other.unwrap(),
                }
            }
        };
        let got = tokio::time::timeout(LONG, read).await.expect(otherwise);
        self.read.push_str(std::str::from_utf8(&bytes[..got]).unwrap());
        got > 0
    }

    /// A word that is a number.
    pub(crate) async fn pid(&mut self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.word().await.parse().unwrap()).unwrap()
    }

    /// Whether somebody holds it open; only after the first word.
    fn is_held(&mut self) -> bool {
        self.pull()
    }

    /// Reads what was written, past the reactor, whose knowledge may be a turn old; false when nobody can write any
    /// more.
    fn pull(&mut self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match rustix::io::read(&self.reader, &mut bytes) {
                Ok(0) => return false,
                Ok(got) => self.read.push_str(std::str::from_utf8(&bytes[..got]).unwrap()),
                Err(rustix::io::Errno::AGAIN) => return true,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Panics where somebody lives.
    #[track_caller]
    pub(crate) fn assert_deserted(&mut self) {
        assert!(!self.is_held(), "a process of the attempt is alive");
    }

    /// Waits until nobody lives, and says how long it took.
    pub(crate) async fn deserted(&mut self) -> Duration {
        let begun = Instant::now();
        while self.is_held() {
            self.changed("a process of the attempt is alive").await;
        }
        begun.elapsed()
    }
}

/// A Python program that leaves three daemons behind in sessions of their own, with all their descriptors but the
/// witness closed, writes its guardian's number to the witness, and then runs `then`. It takes no SIGTERM.
pub(crate) fn escapist(witness: &Witness, then: &str) -> String {
    format!(
        r"
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
witness = os.open('{path}', os.O_WRONLY)
guardian = os.getppid()
up, ready = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.write(ready, b'x')
            for number in range(64):
                if number != witness:
                    try: os.close(number)
                    except OSError: pass
            time.sleep(1000)
        os._exit(0)
for _ in range(3):
    os.read(up, 1)
os.write(witness, b'%d ' % guardian)
{then}
",
        path = witness.path.display()
    )
}
