//! The board as lines of a terminal: a line for each stream at work, and at the bottom how the whole run stands.

use super::pace::{clock, remaining};
use super::{Board, Stream, Work};
use crate::columns::{fit, pad, width};
use crate::words::some;
use anstyle::{AnsiColor, Style};
use std::time::Duration;
use wh_domain::attempt::Progress;
use wh_domain::id::{StreamNo, WorkerName};
use wh_domain::time::Timestamp;
use wh_telemetry::plain::plain;

const GOOD: Style = AnsiColor::Green.on_default();
const ODD: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const DIM: Style = Style::new().dimmed();

/// Between two columns.
const GAP: &str = "  ";
/// The widest that names of streams and of tasks get.
const STREAM: usize = 24;
const TASK: usize = 40;
/// And the narrowest that they are made.
const LEAST: usize = 8;
/// Where bars stand, their inner columns.
const SMALL_BAR: usize = 10;
const LARGE_BAR: usize = 20;
/// A narrower terminal has no bars.
const ROOM_FOR_BARS: usize = 60;

/// What a terminal shows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands::run) struct Size {
    pub(in crate::commands::run) columns: usize,
    pub(in crate::commands::run) rows: usize,
}

/// A line as it is written, and how many columns of it are to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands::run) struct Drawn {
    pub(in crate::commands::run) text: String,
    pub(in crate::commands::run) columns: usize,
}

/// Draws the board, once something has happened. No line takes more than `columns - 1` columns, so that none wraps, and there are never more lines
/// than two thirds of `rows`: the log above has its place too.
pub(in crate::commands::run) fn render(
    board: &Board,
    now: Timestamp,
    size: Size,
    colours: bool,
) -> Vec<Drawn> {
    let Some(begun) = board.begun else { return Vec::new() };
    let columns = size.columns.saturating_sub(1).max(1);
    let most = (size.rows * 2 / 3).max(1);
    let mut summary = vec![overall(board, (begun, now), columns), counts(board, columns)];
    summary.extend(troubles(board, columns));
    summary.truncate(most);
    let mut lines = streams(board, now, columns, most - summary.len());
    lines.append(&mut summary);
    lines.into_iter().map(|line| line.drawn(columns, colours)).collect()
}

/// A line in the making: pieces, the more important ones first, as many as fit.
struct Line {
    pieces: Vec<(String, Option<Style>)>,
    room: usize,
    is_full: bool,
}

impl Line {
    fn new(columns: usize) -> Self {
        Self { pieces: Vec::new(), room: columns, is_full: false }
    }

    /// Adds a piece, cut where it must be.
    fn cut(&mut self, text: &str, style: Option<Style>) {
        let text = fit(text, self.room);
        self.room -= width(&text);
        self.pieces.push((text, style));
    }

    /// Adds a piece, behind a separator if it is not the first. Where there is no room for both, the line is full.
    fn add(&mut self, separator: &str, text: &str, style: Option<Style>) {
        if text.is_empty() || self.is_full {
            return;
        }
        if self.pieces.is_empty() {
            return self.cut(text, style);
        }
        if width(separator) + width(text) > self.room {
            self.is_full = true;
            return;
        }
        self.cut(separator, None);
        self.cut(text, style);
    }

    fn drawn(self, columns: usize, colours: bool) -> Drawn {
        let used = columns - self.room;
        let piece = |(text, style): (String, Option<Style>)| match style.filter(|_| colours) {
            Some(style) => format!("{style}{text}{style:#}"),
            None => text,
        };
        Drawn { text: self.pieces.into_iter().map(piece).collect(), columns: used }
    }
}

/// How far the whole run is.
fn overall(board: &Board, (begun, now): (Timestamp, Timestamp), columns: usize) -> Line {
    let mut line = Line::new(columns);
    let (ended, at_work) = (board.ended(), board.busy().count() as u64);
    let rate = board.pace.rate(begun, now);
    let total = board.pending.map(|pending| ended + at_work + pending);
    match total.filter(|total| *total > 0) {
        Some(total) => {
            if columns >= ROOM_FOR_BARS {
                line.cut(&bar(ended as f64 / total as f64, LARGE_BAR), None);
            }
            let percent = ended.saturating_mul(100) / total;
            line.add(" ", &format!("{ended} of {total} tasks ({percent} %)"), None);
        }
        None => line.add(" ", &some(ended, "task"), None),
    }
    line.add(GAP, &format!("after {}", clock(now.since(begun))), None);
    if let Some(rate) = rate {
        line.add(GAP, &pace(rate), None);
        let left = total.and_then(|total| remaining(total.saturating_sub(ended) as f64, rate));
        if let Some(left) = left.filter(|left| left.as_secs() > 0) {
            line.add(GAP, &format!("about {} left", clock(left)), None);
        }
    }
    line
}

/// What has become of tasks and attempts.
fn counts(board: &Board, columns: usize) -> Line {
    let mut line = Line::new(columns);
    let at_work = board.busy().count() as u64;
    let counts = [
        (Some(at_work), "at work", None),
        (board.pending, "pending", None),
        (Some(board.completed), "completed", Some(GOOD)),
        (Some(board.poisoned), "given up", Some(BAD)),
        (Some(board.cancelled), "cancelled", Some(ODD)),
        (Some(board.tried_again), "tried again", Some(ODD)),
    ];
    for (at, (count, what, style)) in counts.into_iter().enumerate() {
        // Trouble that there is not needs no place.
        if let Some(count) = count.filter(|count| *count > 0 || at < 3) {
            line.add(", ", &format!("{count} {what}"), style.filter(|_| count > 0));
        }
    }
    line
}

/// What lasts and needs somebody.
fn troubles(board: &Board, columns: usize) -> Option<Line> {
    let mut line = Line::new(columns);
    if board.is_cut_off {
        line.cut("the store does not answer", Some(BAD));
    }
    if board.is_draining {
        line.add("; ", "the host is going down and claims no more", Some(ODD));
    }
    if !board.aside.is_empty() {
        let names: Vec<&str> = board.aside.iter().map(WorkerName::as_str).collect();
        let text = format!("put aside: {}", names.join(", "));
        line.add("; ", &fit(&text, line.room.saturating_sub(2)), Some(BAD));
    }
    (!line.pieces.is_empty()).then_some(line)
}

type Row<'a> = (&'a (WorkerName, StreamNo), &'a Stream);

/// The streams in their order, at most `most` lines. Of too many, those that have been at work for longest.
fn streams(board: &Board, now: Timestamp, columns: usize, most: usize) -> Vec<Line> {
    let mut rows: Vec<Row<'_>> = board.streams.iter().collect();
    rows.sort_by_key(|(key, stream)| match stream {
        Stream::Busy(work) => (0, work.since, *key),
        Stream::Stuck => (1, now, *key),
        Stream::Idle => (2, now, *key),
    });
    let active = rows.iter().filter(|(_, stream)| !matches!(stream, Stream::Idle)).count();
    let shown = if active > most { most.saturating_sub(1) } else { most };
    rows.truncate(shown);
    rows.sort_by_key(|(key, _)| *key);
    let names: Vec<String> = rows.iter().map(|((worker, stream), _)| format!("{worker} {stream}")).collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(width).max().unwrap_or(0);
    let stream = widest(&mut names.iter().map(String::as_str)).min(STREAM).min((columns / 4).max(LEAST));
    let tasks = &mut rows.iter().filter_map(|(_, stream)| match stream {
        Stream::Busy(work) => Some(work.task.as_str()),
        Stream::Idle | Stream::Stuck => None,
    });
    let task = widest(tasks).min(TASK).min((columns / 3).max(LEAST));
    let mut lines: Vec<Line> = rows
        .iter()
        .zip(&names)
        .map(|((_, state), name)| {
            let mut line = Line::new(columns);
            line.cut(&pad(name, stream), None);
            match state {
                Stream::Busy(work) => at_work(&mut line, work, task, now),
                Stream::Stuck => line.add(GAP, "its processes cannot be ended", Some(BAD)),
                Stream::Idle => line.add(GAP, "idle", Some(DIM)),
            }
            line
        })
        .collect();
    if shown < active && most > 0 {
        let mut line = Line::new(columns);
        line.cut(&format!("and {} more at work", active - shown), Some(DIM));
        lines.push(line);
    }
    lines
}

fn at_work(line: &mut Line, work: &Work, task: usize, now: Timestamp) {
    let age = now.since(work.since);
    line.cut(GAP, None);
    line.cut(&pad(work.task.as_str(), task), None);
    line.add(GAP, &format!("{:>7}", clock(age)), None);
    if let Some(progress) = &work.progress {
        how_far(line, progress, age);
    }
    if work.attempt > 1 {
        line.add(GAP, &format!("attempt {}", work.attempt), Some(ODD));
    }
    let message = work.progress.as_ref().and_then(|progress| progress.message.as_deref());
    if let Some(message) = message.filter(|_| !line.is_full && line.room > 2 * GAP.len()) {
        line.cut(GAP, None);
        line.cut(&plain(message), Some(DIM));
    }
}

fn how_far(line: &mut Line, progress: &Progress, age: Duration) {
    let done = done(progress);
    if let Some(done) = done.filter(|_| line.room >= ROOM_FOR_BARS / 2) {
        line.add(GAP, &bar(done, SMALL_BAR), None);
    }
    line.add(GAP, &share(progress), None);
    if age.as_secs() == 0 {
        return;
    }
    let left = done.and_then(|done| remaining(1.0 - done, done / age.as_secs_f64()));
    if let Some(left) = left.filter(|left| left.as_secs() > 0) {
        line.add(GAP, &format!("{} left", clock(left)), None);
    }
    if let Some(current) = progress.current.filter(|current| *current > 0.0) {
        line.add(GAP, &pace(current / age.as_secs_f64()), None);
    }
}

/// From 0 to 1, where the worker has said so much.
fn done(progress: &Progress) -> Option<f64> {
    let of_total = match (progress.current, progress.total) {
        (Some(current), Some(total)) if total > 0.0 => Some(current / total),
        _ => None,
    };
    of_total.or(progress.percent.map(|percent| percent / 100.0)).map(|done| done.clamp(0.0, 1.0))
}

/// As the worker counts.
fn share(progress: &Progress) -> String {
    match (progress.current, progress.total, progress.percent) {
        (Some(current), Some(total), _) => format!("{}/{}", number(current), number(total)),
        (Some(current), None, _) => number(current),
        (None, _, Some(percent)) => format!("{} %", number(percent)),
        (None, _, None) => String::new(),
    }
}

/// A number with as many digits as anybody reads.
fn number(value: f64) -> String {
    if value >= 100.0 || value.fract().abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// How many in a unit of time in which there are some.
fn pace(rate: f64) -> String {
    let units = [(1.0, "s"), (60.0, "min"), (3_600.0, "h")];
    let fitting = units.into_iter().find(|(seconds, _)| rate * seconds >= 1.0);
    let (seconds, unit) = fitting.unwrap_or((3_600.0, "h"));
    format!("{}/{unit}", number(rate * seconds))
}

fn bar(done: f64, columns: usize) -> String {
    let full = (1..=columns).filter(|cell| *cell as f64 <= done * columns as f64).count();
    format!("[{}{}]", "=".repeat(full), " ".repeat(columns - full))
}
