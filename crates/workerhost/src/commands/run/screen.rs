//! Keeps the board at the bottom of the terminal, below everything that is said meanwhile.
//!
//! After each drawing the cursor stands on the line below the board, and no mode of the terminal is ever changed. So
//! whatever ends this process, there is nothing to be put right again.

use super::board::{Board, Drawn, Size, render};
use crate::terminal::Terminal;
use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wh_domain::event::Event;
use wh_domain::time::Timestamp;
use wh_ports::clock::Clock;
use wh_ports::observe::Observer;
use wh_ports::reader::Count;
use wh_sqlite::SystemClock;

/// The board is drawn no more often.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Nor less often, because its clocks go on.
const TICK: Duration = Duration::from_secs(1);
/// Whoever has not drawn for so long was stopped meanwhile, and others have written on the terminal.
const STOPPED: Duration = Duration::from_secs(3);
/// A terminal that does not know its size.
const USUAL: Size = Size { columns: 80, rows: 24 };
/// What is said is handed on at the latest when it is so much.
const MOST_BYTES: usize = 64 << 10;

/// The board on the terminal, for as long as this lives.
pub(super) struct Screen {
    shared: Arc<Shared>,
    drawer: Option<JoinHandle<()>>,
}

struct Shared {
    board: Mutex<Board>,
    has_changed: AtomicBool,
    canvas: Mutex<Canvas>,
    has_ended: Mutex<bool>,
    end: Condvar,
    colours: bool,
}

impl Screen {
    /// Begins to draw, if there is a terminal that can be drawn on and somebody who wants to see it.
    pub(super) fn begin(terminal: &Terminal) -> io::Result<Option<Self>> {
        let can_draw = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        if !can_draw || !terminal.is_watched() {
            return Ok(None);
        }
        let shared = Arc::new(Shared {
            board: Mutex::default(),
            has_changed: AtomicBool::new(true),
            canvas: Mutex::new(Canvas::new(Box::new(io::stderr()))),
            has_ended: Mutex::new(false),
            end: Condvar::new(),
            colours: terminal.colours_talk(),
        });
        let theirs = Arc::clone(&shared);
        let drawer = std::thread::Builder::new().name("screen".to_owned()).spawn(move || theirs.draw_on())?;
        Ok(Some(Self { shared, drawer: Some(drawer) }))
    }

    /// Who is to be told what happens.
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.shared) as _
    }

    /// Writes above the board; plainly, once this is gone.
    pub(super) fn above(&self) -> Box<dyn Write + Send> {
        Box::new(Above { shared: Arc::clone(&self.shared), said: Vec::new() })
    }

    /// How many tasks there are.
    pub(super) fn count(&self, counts: &[Count]) {
        lock(&self.shared.board).count(counts);
        self.shared.has_changed.store(true, Ordering::Relaxed);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        *lock(&self.shared.has_ended) = true;
        self.shared.end.notify_all();
        if let Some(drawer) = self.drawer.take() {
            // A panic there has been told where it happened.
            drawer.join().ok();
        }
        lock(&self.shared.canvas).close();
    }
}

impl Observer for Shared {
    fn observe(&self, at: Timestamp, event: &Event) {
        // The drawer looks by itself: waking it would cost the host more than this.
        lock(&self.board).apply(at, event);
        self.has_changed.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// Draws until the end.
    fn draw_on(&self) {
        let mut last: Option<Instant> = None;
        let mut has_ended = lock(&self.has_ended);
        while !*has_ended {
            drop(has_ended);
            let is_tick = last.is_none_or(|last| last.elapsed() >= TICK);
            if self.has_changed.swap(false, Ordering::Relaxed) || is_tick {
                self.draw();
                last = Some(Instant::now());
            }
            has_ended = lock(&self.has_ended);
            if !*has_ended {
                (has_ended, _) =
                    self.end.wait_timeout(has_ended, DRAW_EVERY).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn draw(&self) {
        // Copied, so that the host waits for no drawing.
        let board = lock(&self.board).clone();
        let size = size();
        let lines = render(&board, SystemClock::new().wall(), size, self.colours);
        lock(&self.canvas).draw(lines, size);
    }
}

/// What is said above the board.
struct Above {
    shared: Arc<Shared>,
    said: Vec<u8>,
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.said.extend_from_slice(bytes);
        if self.said.len() >= MOST_BYTES && self.said.ends_with(b"\n") {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.said.is_empty() {
            return Ok(());
        }
        lock(&self.shared.canvas).say(&mem::take(&mut self.said), size())
    }
}

/// The bottom of the terminal.
struct Canvas {
    to: Box<dyn Write + Send>,
    /// What stands there now.
    drawn: Vec<Drawn>,
    at: Instant,
    is_closed: bool,
}

impl Canvas {
    fn new(to: Box<dyn Write + Send>) -> Self {
        Self { to, drawn: Vec::new(), at: Instant::now(), is_closed: false }
    }

    /// Draws these lines in the place of the last ones.
    fn draw(&mut self, lines: Vec<Drawn>, size: Size) {
        if !is_in_foreground() {
            // The terminal is somebody else's now, and what was drawn is history.
            self.drawn.clear();
            return;
        }
        let mut bytes = self.erasure(size);
        self.drawn = lines;
        self.at = Instant::now();
        self.append_lines(&mut bytes);
        // A terminal that is gone has nobody in front of it.
        self.send(&bytes).ok();
    }

    /// Says something above the lines.
    fn say(&mut self, said: &[u8], size: Size) -> io::Result<()> {
        if self.is_closed || self.drawn.is_empty() {
            return self.send(said);
        }
        let mut bytes = self.erasure(size);
        bytes.extend_from_slice(said);
        self.append_lines(&mut bytes);
        self.send(&bytes)
    }

    fn close(&mut self) {
        let bytes = self.erasure(size());
        self.drawn.clear();
        self.is_closed = true;
        self.send(&bytes).ok();
    }

    /// Moves to the first of the lines and erases all from there on. Lines that were drawn on a wider terminal take
    /// several rows now.
    fn erasure(&self, size: Size) -> Vec<u8> {
        let columns = size.columns.max(1);
        let rows: usize = self.drawn.iter().map(|line| line.columns.div_ceil(columns).max(1)).sum();
        if rows == 0 || self.at.elapsed() > STOPPED {
            return Vec::new();
        }
        format!("\r\u{1b}[{rows}A\u{1b}[J").into_bytes()
    }

    fn append_lines(&self, bytes: &mut Vec<u8>) {
        for line in &self.drawn {
            bytes.extend_from_slice(line.text.as_bytes());
            bytes.push(b'\n');
        }
    }

    /// All at once, so that nobody sees half of it.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.to.flush()
    }
}

fn size() -> Size {
    tcgetwinsize(io::stderr()).map_or(USUAL, |size| Size {
        columns: if size.ws_col == 0 { USUAL.columns } else { usize::from(size.ws_col) },
        rows: if size.ws_row == 0 { USUAL.rows } else { usize::from(size.ws_row) },
    })
}

/// Whether the terminal listens to this process, as far as it can be told.
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stderr()).map_or(true, |group| group == getpgrp())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn take(&self) -> String {
            String::from_utf8(mem::take(&mut lock(&self.0))).unwrap()
        }
    }

    fn lines(widths: &[usize]) -> Vec<Drawn> {
        widths.iter().map(|columns| Drawn { text: "x".repeat(*columns), columns: *columns }).collect()
    }

    #[test]
    fn lines_take_the_place_of_the_last_ones_also_where_the_terminal_has_become_narrower() {
        let paper = Paper::default();
        let mut canvas = Canvas::new(Box::new(paper.clone()));
        let size = |columns| Size { columns, rows: 24 };
        canvas.draw(lines(&[3, 9]), size(10));
        assert_eq!(paper.take(), "xxx\nxxxxxxxxx\n");
        canvas.draw(lines(&[1]), size(10));
        assert_eq!(paper.take(), "\r\u{1b}[2A\u{1b}[Jx\n");
        canvas.draw(lines(&[9, 0]), size(10));
        paper.take();
        canvas.draw(lines(&[1]), size(4));
        assert_eq!(
            paper.take(),
            "\r\u{1b}[4A\u{1b}[Jx\n",
            "nine columns are three rows now, an empty line is one"
        );
    }

    #[test]
    fn what_is_said_goes_above_the_lines_and_after_the_end_it_goes_on_plainly() {
        let paper = Paper::default();
        let mut canvas = Canvas::new(Box::new(paper.clone()));
        let size = Size { columns: 10, rows: 24 };
        canvas.say(b"before\n", size).unwrap();
        canvas.draw(lines(&[2]), size);
        canvas.say(b"said\n", size).unwrap();
        canvas.close();
        canvas.say(b"after\n", size).unwrap();
        assert_eq!(paper.take(), "before\nxx\n\r\u{1b}[1A\u{1b}[Jsaid\nxx\n\r\u{1b}[1A\u{1b}[Jafter\n");
    }

    #[test]
    fn whoever_was_stopped_erases_nothing_of_what_others_wrote_meanwhile() {
        let paper = Paper::default();
        let mut canvas = Canvas::new(Box::new(paper.clone()));
        let size = Size { columns: 10, rows: 24 };
        canvas.draw(lines(&[2]), size);
        canvas.at -= STOPPED + Duration::from_secs(1);
        paper.take();
        canvas.draw(lines(&[2]), size);
        assert_eq!(paper.take(), "xx\n");
    }
}
