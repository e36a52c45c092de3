//! How far a map is, for somebody who watches.

use crate::terminal::Terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, IsTerminal};
use std::time::Duration;

/// How often it is drawn anew while nothing happens.
const TICK: Duration = Duration::from_millis(500);
const LINE: &str = "{wide_bar} {pos}/{len}{msg}  {pace}  {eta} left";

/// A bar on standard error, or nothing at all where that is no terminal.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    /// Whether data and bar share a terminal.
    shares: bool,
}

impl Bar {
    pub(super) fn new(terminal: &Terminal) -> Self {
        let bar = terminal.is_watched().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // A style that cannot be read leaves the usual one.
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar.set_style(style.progress_chars("=> ").with_key("pace", pace));
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, shares: io::stdout().is_terminal() }
    }

    /// Says how many inputs have ended, of how many that have been read, and how many of them without a result. More
    /// may still come until `is_all`.
    pub(super) fn set(&self, done: u64, known: u64, failed: u64, is_all: bool) {
        let Some(bar) = &self.bar else { return };
        // Of no inputs all would be done, and the bar full, before the first one has been read.
        if known > 0 {
            bar.set_length(known);
        }
        bar.set_position(done);
        let more = if is_all { "" } else { "+" };
        let failed = if failed > 0 { format!("  {failed} failed") } else { String::new() };
        bar.set_message(format!("{more}{failed}"));
    }

    /// What has been done before does not count as speed.
    pub(super) fn begin(&self) {
        if let Some(bar) = &self.bar {
            bar.reset_eta();
        }
    }

    /// Says something on standard error.
    pub(super) fn aside<T>(&self, say: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Says something on standard output.
    pub(super) fn aside_of_data<T>(&self, say: impl FnOnce() -> T) -> T {
        if self.shares { self.aside(say) } else { say() }
    }

    /// Takes it away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn pace(state: &ProgressState, to: &mut dyn fmt::Write) {
    // A bar has no way to tell that a line could not be drawn.
    write!(to, "{:.1}/s", state.per_sec()).ok();
}
