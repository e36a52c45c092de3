//! Tasks from a stream of lines: what is there goes in with one commit, and each line is acknowledged in its turn.

use super::draft::{Draft, LONGEST_LINE, hand_in};
use super::{exit_of, line};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::json::Ack;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use tokio::sync::mpsc;
use wh_domain::id::TaskType;
use wh_ports::store::Store;

/// Lines that share a commit at most. One commit costs about as much for one as for many.
const MOST_LINES: usize = 500;
/// Bytes that share a commit at most, but for the last line.
const MOST_BYTES: usize = 4 << 20;

/// Types that are remembered: people who have more do not read what is told of each.
const MOST_TYPES: usize = 100;

/// What a feed brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fed {
    created: u64,
    known: u64,
    refused: u64,
    /// The worst of all lines.
    pub(crate) exit: Exit,
    /// The first of its types.
    pub(crate) types: BTreeSet<TaskType>,
}

impl fmt::Display for Fed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} enqueued, {} known before, {} refused", self.created, self.known, self.refused)
    }
}

/// A producer that waits for its acknowledgements gives fewer bytes at once.
const THICK: usize = 16 << 10;

/// Bytes read at once: more than the lines of one commit usually have, and what a pipe holds twice.
const READ_AT_ONCE: usize = 128 << 10;

/// Lines by their numbers, each as a task or with what is wrong.
type Batch = Vec<(Option<u64>, Result<Draft, String>)>;

/// Reads `source` to its end and brings every line into the store. Relative paths in lines start at `base`. Nothing else
/// gets its turn on this thread meanwhile.
pub(crate) async fn feed(
    store: &dyn Store,
    source: Box<dyn Read + Send>,
    base: PathBuf,
    mut tell: impl FnMut(&Ack) -> Result<(), Failure>,
) -> Result<Fed, Failure> {
    let cannot_read = |error| Failure::of_io("read the tasks", &error);
    let mut fed = Fed { created: 0, known: 0, refused: 0, exit: Exit::Ok, types: BTreeSet::new() };
    let mut lines = Lines::new(source, base);
    // A producer that waits for its acknowledgements gets them soonest from this very thread.
    while !lines.come_thick() {
        let Some(batch) = lines.next_batch().map_err(cannot_read)? else { return Ok(fed) };
        fed.bring_in(store, batch, &mut tell).await?;
    }
    let (sender, mut batches) = mpsc::channel(1);
    let reader = std::thread::Builder::new().name("feed".to_owned()).spawn(move || hand_on(lines, &sender));
    reader.map_err(|error| Failure::of_io("start a thread", &error))?;
    while let Some(batch) = batches.recv().await {
        fed.bring_in(store, batch.map_err(cannot_read)?, &mut tell).await?;
    }
    Ok(fed)
}

impl Fed {
    async fn bring_in(
        &mut self,
        store: &dyn Store,
        batch: Batch,
        tell: &mut impl FnMut(&Ack) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let types = batch.iter().filter_map(|(_, draft)| Some(&draft.as_ref().ok()?.task.task_type));
        for task_type in types {
            if self.types.len() < MOST_TYPES && !self.types.contains(task_type) {
                self.types.insert(task_type.clone());
            }
        }
        for ack in hand_in(store, batch).await? {
            match ack.status {
                "created" => self.created += 1,
                "existing" | "duplicate" => self.known += 1,
                _ => self.refused += 1,
            }
            self.exit = self.exit.worse(exit_of(&ack));
            tell(&ack)?;
        }
        Ok(())
    }
}

/// Makes tasks of lines while those before are written.
fn hand_on(mut lines: Lines, sender: &mpsc::Sender<io::Result<Batch>>) {
    while let Some(batch) = lines.next_batch().transpose() {
        let is_last = batch.is_err();
        // If nobody takes it, the command has ended already.
        if sender.blocking_send(batch).is_err() || is_last {
            return;
        }
    }
}

/// The lines of a stream.
struct Lines {
    source: BufReader<Box<dyn Read + Send>>,
    base: PathBuf,
    number: u64,
    /// Bytes of the last batch.
    bytes: usize,
}

impl Lines {
    fn new(source: Box<dyn Read + Send>, base: PathBuf) -> Self {
        Self { source: BufReader::with_capacity(READ_AT_ONCE, source), base, number: 0, bytes: 0 }
    }

    /// Whether they come faster than one by one.
    fn come_thick(&self) -> bool {
        self.bytes >= THICK || self.has_more()
    }

    /// Whether a line is here already that no batch holds.
    fn has_more(&self) -> bool {
        self.source.buffer().contains(&b'\n')
    }

    /// What has come, as soon as no more of it is there: a producer that waits for its acknowledgement gets it at once,
    /// one that does not gets large commits. `None` at the end.
    fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let mut batch = Batch::new();
        self.bytes = 0;
        // After the first one only lines that are here already: reading them cannot fail.
        while batch.is_empty() || (self.has_more() && batch.len() < MOST_LINES && self.bytes < MOST_BYTES) {
            self.number += 1;
            match read_line(&mut self.source)? {
                Some(Ok(text)) if text.trim().is_empty() => {}
                Some(Ok(text)) => {
                    self.bytes += text.len();
                    batch.push((Some(self.number), line::parse(&text, &self.base)));
                }
                Some(Err(why)) => batch.push((Some(self.number), Err(why))),
                None => break,
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }
}

/// One line without its end, or why it cannot be used; `None` at the end of the stream. Of a line that is too long the
/// rest is skipped.
fn read_line(lines: &mut impl BufRead) -> io::Result<Option<Result<String, String>>> {
    let mut bytes = Vec::new();
    let read = lines.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() as u64 > LONGEST_LINE {
        lines.skip_until(b'\n')?;
        let why = format!("the line is longer than {LONGEST_LINE} bytes; give large contents as input files");
        return Ok(Some(Err(why)));
    }
    let text = String::from_utf8(bytes);
    Ok(Some(
        text.map_err(|error| format!("the line is not UTF-8 at byte {}", error.utf8_error().valid_up_to())),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(bytes: &[u8]) -> Vec<Result<String, String>> {
        let mut source = BufReader::new(bytes);
        std::iter::from_fn(|| read_line(&mut source).unwrap()).collect()
    }

    /// Gives so much, and then fails.
    struct Torn(&'static [u8]);

    impl Read for Torn {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::ErrorKind::ConnectionReset.into()) } else { self.0.read(into) }
        }
    }

    #[test]
    fn lines_before_one_that_cannot_be_read_are_handed_on_with_their_numbers() {
        let source = Torn(b"{\"type\": \"a\"}\n\nbad\n{\"type\": \"b\"}\n{\"type\"");
        let mut lines = Lines::new(Box::new(source), PathBuf::new());
        let batch = lines.next_batch().unwrap().unwrap();
        let told: Vec<_> = batch.iter().map(|(number, draft)| (*number, draft.is_ok())).collect();
        assert_eq!(told, [(Some(1), true), (Some(3), false), (Some(4), true)]);
        assert_eq!(lines.next_batch().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn lines_come_thick_when_many_wait_or_when_they_are_large() {
        let large = format!("{{\"type\": \"a\", \"params\": \"{}\"}}\n", "x".repeat(THICK));
        for (lines, thick) in [
            ("{\"type\": \"a\"}\n".to_owned(), false),
            ("{\"type\": \"a\"}\n".repeat(MOST_LINES), false),
            ("{\"type\": \"a\"}\n".repeat(MOST_LINES + 1), true),
            (large, true),
        ] {
            let mut lines = Lines::new(Box::new(io::Cursor::new(lines)), PathBuf::new());
            lines.next_batch().unwrap();
            assert_eq!(lines.come_thick(), thick);
        }
    }

    #[test]
    fn a_last_line_without_its_end_counts_and_bytes_that_are_no_text_are_told() {
        assert_eq!(lines_of(b"a\n\nb"), [Ok("a".to_owned()), Ok(String::new()), Ok("b".to_owned())]);
        assert_eq!(
            lines_of(b"a\xff\nb\n"),
            [Err("the line is not UTF-8 at byte 1".to_owned()), Ok("b".to_owned())]
        );
    }

    #[test]
    fn a_line_of_the_longest_length_is_read_and_one_byte_more_is_refused_alone() {
        let longest = usize::try_from(LONGEST_LINE).unwrap();
        let mut bytes = vec![b'x'; longest];
        bytes.extend(b"\n");
        bytes.extend(vec![b'y'; longest + 1]);
        bytes.extend(b"\nz\n");
        let lines = lines_of(&bytes);
        assert_eq!(lines[0].as_ref().map(String::len), Ok(longest));
        assert!(lines[1].as_ref().unwrap_err().contains("longer than"), "{:?}", lines[1]);
        assert_eq!(lines[2], Ok("z".to_owned()));
    }
}
