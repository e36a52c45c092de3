//! `output/progress.md`: how the attempt is doing, in the words of the older worker template.

use crate::answer;
use crate::briefing::rfc3339;
use crate::workspace::beneath::{self, Look};
use rustix::fd::OwnedFd;
use std::ffi::CStr;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::attempt::Progress;
use wh_domain::id::StreamNo;
use wh_domain::time::Timestamp;
use wh_ports::clock::Clock;

/// Between two heartbeats, where nothing changes.
pub(crate) const RHYTHM: Duration = Duration::from_secs(30);

/// The file's name.
pub(crate) const NAME: &CStr = c"progress.md";

/// The template's words for how far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// The worker is about to be started.
    Initializing,
    /// It works.
    Active,
    /// It was interrupted or put off, and will go on another time.
    Paused,
    /// It was asked to wrap up.
    Completing,
    /// It is done.
    Complete,
    /// It failed.
    Failed,
    /// It ran out of time.
    Timeout,
}

impl Status {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "Initializing",
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Completing => "Completing",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Timeout => "Timeout",
        }
    }

    const fn health(self) -> &'static str {
        match self {
            Self::Initializing | Self::Active | Self::Complete => "Green",
            Self::Paused | Self::Completing => "Yellow",
            Self::Failed | Self::Timeout => "Red",
        }
    }
}

/// The file as it is before an attempt.
pub(crate) fn initial(output: &OwnedFd, wall: Timestamp, stream: StreamNo) -> io::Result<Look> {
    let text = page(wall, stream, Status::Initializing, None, Duration::ZERO);
    beneath::replace(output, NAME, text.as_bytes()).map(|about| Look::of(&about))
}

/// Writes the file for as long as the worker does not write it itself.
pub(crate) struct Heartbeat {
    root: Arc<OwnedFd>,
    clock: Arc<dyn Clock>,
    stream: StreamNo,
    /// How the file looked after the last writing; `None` once it is the worker's.
    look: Option<Look>,
    has_beaten: bool,
}

impl Heartbeat {
    /// The heartbeat of an attempt in the tree at `root`, where the file looks like that.
    pub(crate) fn new(
        root: Arc<OwnedFd>,
        clock: Arc<dyn Clock>,
        stream: StreamNo,
        look: Option<Look>,
    ) -> Self {
        Self { root, clock, stream, look, has_beaten: false }
    }

    /// Writes a heartbeat of an attempt of that age.
    pub(crate) fn beat(&mut self, status: Status, progress: Option<&Progress>, age: Duration) {
        let Some(look) = self.look.take() else { return };
        let Ok(output) = beneath::directory(&self.root, c"output") else { return };
        if is_still(&output, look) {
            let text = page(self.clock.wall(), self.stream, status, progress, age);
            self.look = beneath::replace(&output, NAME, text.as_bytes()).ok().map(|about| Look::of(&about));
            self.has_beaten = true;
        }
    }

    /// How the file looks if nobody else has touched it.
    pub(crate) const fn look(&self) -> Option<Look> {
        self.look
    }

    /// Whether the file is not what it was before the attempt.
    pub(crate) const fn has_beaten(&self) -> bool {
        self.has_beaten
    }
}

fn is_still(output: &OwnedFd, look: Look) -> bool {
    beneath::look(output, NAME).is_some_and(|about| Look::of(&about) == look)
}

fn page(
    wall: Timestamp,
    stream: StreamNo,
    status: Status,
    progress: Option<&Progress>,
    age: Duration,
) -> String {
    let untold = if status == Status::Complete { "100%" } else { "0%" };
    let shown = progress.map_or_else(|| untold.to_owned(), answer::shown);
    let minutes = age.as_secs_f64() / 60.0;
    let current = progress.and_then(|progress| progress.current);
    let rate = current.filter(|_| minutes > 0.0).map_or(0.0, |current| current / minutes);
    let left = match progress {
        Some(Progress { percent: Some(percent), .. }) if *percent > 0.0 => {
            format!("{:.1} minutes remaining", minutes * (100.0 - percent) / percent)
        }
        Some(_) | None => "unknown".to_owned(),
    };
    format!(
        "[{}] Worker {stream} Heartbeat\nStatus: {}\nProgress: {shown}\nRate: {rate:.1}/minute\nETA: {left}\nHealth: {}\n",
        rfc3339(wall),
        status.as_str(),
        status.health(),
    )
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_heartbeat_has_the_templates_lines() {
        let wall = Timestamp::from_millis(1_000);
        let progress = Progress { current: Some(3.0), total: Some(10.0), percent: Some(30.0), message: None };
        let minute = Duration::from_secs(60);
        assert_eq!(
            page(wall, StreamNo(3), Status::Active, Some(&progress), minute),
            "[1970-01-01T00:00:01.000Z] Worker 3 Heartbeat\nStatus: Active\nProgress: 3/10\n\
             Rate: 3.0/minute\nETA: 2.3 minutes remaining\nHealth: Green\n"
        );
        assert_eq!(
            page(wall, StreamNo(1), Status::Initializing, None, Duration::ZERO),
            "[1970-01-01T00:00:01.000Z] Worker 1 Heartbeat\nStatus: Initializing\nProgress: 0%\n\
             Rate: 0.0/minute\nETA: unknown\nHealth: Green\n"
        );
        let complete = page(wall, StreamNo(1), Status::Complete, None, minute);
        assert!(complete.contains("Status: Complete\nProgress: 100%\n"), "{complete}");
    }
}
