//! A terminal for the program to run on: what it was sent, and what is to be seen on it.

use crate::place::PATIENCE;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

/// A terminal of so many columns and rows.
pub(crate) struct Pty {
    master: OwnedFd,
    slave: File,
    received: Receiver<Vec<u8>>,
    /// All that was sent so far.
    pub(crate) sent: String,
    size: (usize, usize),
}

impl Pty {
    pub(crate) fn open(columns: u16, rows: u16) -> Self {
        let pty = Self::still(columns, rows);
        let (sender, received) = channel();
        let mut from = File::from(pty.master.try_clone().unwrap());
        // Ends when the last one has closed the other side.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read) = from.read(&mut bytes)
                && sender.send(bytes[..read].to_vec()).is_ok()
            {}
        });
        Self { received, ..pty }
    }

    /// One that takes in no more than fits, as if somebody held it.
    pub(crate) fn still(columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let size = (usize::from(columns), usize::from(rows));
        let mut pty = Self { master, slave, received: channel().1, sent: String::new(), size };
        pty.resize(columns, rows);
        pty
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.size = (usize::from(columns), usize::from(rows));
        tcsetwinsize(&self.master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })
            .unwrap();
    }

    /// Starts a command with its standard output and error here.
    pub(crate) fn start(&self, command: Command) -> Child {
        self.start_as(command, "xterm")
    }

    /// The same, on a terminal of another kind.
    pub(crate) fn start_as(&self, mut command: Command, term: &str) -> Child {
        command.env("TERM", term).stdin(self.here()).stdout(self.here()).stderr(self.here()).spawn().unwrap()
    }

    /// The terminal as one of a command's streams.
    pub(crate) fn here(&self) -> Stdio {
        Stdio::from(self.slave.try_clone().unwrap())
    }

    /// Takes what comes until what is to be seen is as wished.
    pub(crate) fn until(&mut self, wished: impl Fn(&[String]) -> bool) -> Vec<String> {
        let begin = Instant::now();
        loop {
            let seen = self.seen();
            if wished(&seen) {
                return seen;
            }
            let left = PATIENCE.checked_sub(begin.elapsed());
            let left = left.unwrap_or_else(|| panic!("it stays like this: {seen:#?}"));
            match self.received.recv_timeout(left) {
                Ok(bytes) => self.sent.push_str(std::str::from_utf8(&bytes).unwrap()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("it ended like this: {seen:#?}"),
            }
        }
    }

    /// Takes what comes until `words` were sent, whatever a terminal makes of them.
    pub(crate) fn until_sent(&mut self, words: &str) {
        while !self.sent.contains(words) {
            let bytes = self.received.recv_timeout(PATIENCE).unwrap();
            self.sent.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// Takes all that comes until nobody writes any more.
    pub(crate) fn rest(self) -> (String, Vec<String>) {
        let size = self.size;
        let sent = self.all_sent();
        let seen = seen(&sent, size);
        (sent, seen)
    }

    /// The same as it was sent, whatever a terminal makes of it.
    pub(crate) fn all_sent(self) -> String {
        drop(self.slave);
        drop(self.master);
        let mut sent = self.sent.into_bytes();
        while let Ok(bytes) = self.received.recv_timeout(PATIENCE) {
            sent.extend(bytes);
        }
        String::from_utf8(sent).unwrap()
    }

    fn seen(&self) -> Vec<String> {
        seen(&self.sent, self.size)
    }
}

/// All lines that were ever to be seen, those that have scrolled away included, as a terminal of that size shows
/// them. It knows lines, the cursor upwards, erasing downwards and colours; that nothing else is sent is a promise.
fn seen(sent: &str, (columns, _): (usize, usize)) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut characters = sent.chars();
    while let Some(c) = characters.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                assert_eq!(characters.next(), Some('['), "only such sequences: {sent:?}");
                let mut number = String::new();
                let what = loop {
                    match characters.next().unwrap() {
                        c @ ('0'..='9' | ';') => number.push(c),
                        c => break c,
                    }
                };
                match what {
                    'A' => row -= number.parse::<usize>().unwrap(),
                    'J' => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    'm' => {}
                    other => panic!("a sequence that needs undoing, {other}: {sent:?}"),
                }
            }
            c => {
                assert!(!c.is_control(), "{c:?} in {sent:?}");
                if column == columns {
                    (row, column) = (row + 1, 0);
                }
                if lines.len() <= row {
                    lines.resize(row + 1, Vec::new());
                }
                if lines[row].len() <= column {
                    lines[row].resize(column + 1, ' ');
                }
                lines[row][column] = c;
                column += 1;
            }
        }
        if lines.len() <= row {
            lines.resize(row + 1, Vec::new());
        }
    }
    lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned()).collect()
}
