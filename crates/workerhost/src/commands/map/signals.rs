//! What a person asks of a running map.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens to signals.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    quit: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // The terminal has gone: like the others, so that the command is not torn away in the middle.
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Returns when the map is to stop; how often it is to be asked: SIGQUIT stands for three signals at once. May be
    /// dropped and called again.
    pub(super) async fn next(&mut self) -> u32 {
        tokio::select! {
            Some(()) = self.interrupt.recv() => 1,
            Some(()) = self.terminate.recv() => 1,
            Some(()) = self.hangup.recv() => 1,
            Some(()) = self.quit.recv() => 3,
        }
    }
}
