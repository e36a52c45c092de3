//! What this program does when a measurement starts it as a worker: it says when it began.

use crate::stamps::say;
use rustix::process::{Signal, getpid, kill_process};
use std::path::Path;
use std::time::Duration;

/// The first argument of a worker.
pub(crate) const WORKER: &str = "worker";

/// What a worker does after it has said when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Ends well.
    End,
    /// Is killed in its first attempt, ends well in the next; says when it died.
    Die,
    /// Works until it is killed.
    Hold,
}

impl Act {
    const ALL: [Self; 3] = [Self::End, Self::Die, Self::Hold];

    /// Its name as an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Die => "die",
            Self::Hold => "hold",
        }
    }
}

/// Plays the worker that the arguments ask for; `began` is when its first instruction ran.
pub(crate) fn play(act: &str, stamps: &str, began: Duration) -> std::io::Result<()> {
    let act = Act::ALL.into_iter().find(|it| it.name() == act);
    let is_first = std::env::var("WORKERHOST_ATTEMPT").is_ok_and(|attempt| attempt == "1");
    let dies = is_first && act == Some(Act::Die);
    say(Path::new(stamps), if dies { crate::clock::now() } else { began })?;
    if dies {
        kill_process(getpid(), Signal::KILL)?;
    }
    while act == Some(Act::Hold) {
        std::thread::park();
    }
    Ok(())
}
