//! Everything that a map says, said by one thread: a reader that is slow holds up nobody but those who wait for it.

use super::printed::Printed;
use super::progress::Bar;
use crate::failure::Failure;
use crate::terminal::Terminal;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use wh_domain::id::Seq;
use wh_domain::task::StateName;

/// As many lines of the command's standard error may wait to be shown; more are dropped and counted.
const MOST_LOGS: u64 = 1_000;

/// Something to be said.
enum Utterance {
    /// An input's result, perhaps nothing, and what is to be told of it. It is remembered as printed afterwards.
    Result {
        data: Vec<u8>,
        complaint: Option<String>,
        ended: (Seq, StateName),
    },
    Warning(String),
    Detail(String),
    Log(String),
    /// Nothing more.
    End,
}

/// One that was said, or why it could not be.
pub(super) type Said = Result<(), Failure>;

/// A way to the thread.
#[derive(Clone)]
pub(super) struct Speaker {
    queue: mpsc::UnboundedSender<Utterance>,
    logs: Arc<Logs>,
}

#[derive(Default)]
struct Logs {
    waiting: AtomicU64,
    dropped: AtomicU64,
}

/// The thread.
pub(super) struct Voice {
    speaker: Speaker,
    said: mpsc::UnboundedReceiver<Said>,
    thread: JoinHandle<()>,
}

impl Voice {
    /// Begins. Without `printed` nothing is remembered.
    pub(super) fn start(terminal: Terminal, printed: Option<Printed>, bar: Bar) -> io::Result<Self> {
        let (queue, mut utterances) = mpsc::unbounded_channel();
        let (answers, said) = mpsc::unbounded_channel();
        let logs = Arc::<Logs>::default();
        let waiting = Arc::clone(&logs);
        let mut mouth = Mouth { terminal, printed, bar, is_closed: false };
        let thread = std::thread::Builder::new().name("voice".to_owned()).spawn(move || {
            while let Some(utterance) = utterances.blocking_recv() {
                match utterance {
                    Utterance::End => break,
                    Utterance::Log(_) => drop(waiting.waiting.fetch_sub(1, Ordering::Relaxed)),
                    Utterance::Result { .. } | Utterance::Warning(_) | Utterance::Detail(_) => {}
                }
                if let Some(answer) = mouth.say(utterance) {
                    // Nobody waits for it any more after a second signal.
                    answers.send(answer).ok();
                }
            }
        })?;
        Ok(Self { speaker: Speaker { queue, logs }, said, thread })
    }

    pub(super) fn speaker(&self) -> Speaker {
        self.speaker.clone()
    }

    /// Says a result. Whoever calls this bounds how many are under way.
    pub(super) fn result(&self, data: Vec<u8>, complaint: Option<String>, ended: (Seq, StateName)) {
        self.speaker.say(Utterance::Result { data, complaint, ended });
    }

    /// The next result that was said.
    pub(super) async fn said(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    /// Waits until everything is said.
    pub(super) fn end(self) {
        let Self { speaker, said: _, thread } = self;
        let dropped = speaker.logs.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            speaker.warn(format!("{dropped} lines of the command's standard error were not shown"));
        }
        speaker.say(Utterance::End);
        // A panic in the thread has been reported where it happened.
        thread.join().ok();
    }
}

impl Speaker {
    pub(super) fn warn(&self, text: String) {
        self.say(Utterance::Warning(text));
    }

    pub(super) fn detail(&self, text: String) {
        self.say(Utterance::Detail(text));
    }

    /// A line of the command's own. Dropped where too many wait.
    pub(super) fn log(&self, line: String) {
        if self.logs.waiting.fetch_add(1, Ordering::Relaxed) < MOST_LOGS {
            self.say(Utterance::Log(line));
        } else {
            self.logs.waiting.fetch_sub(1, Ordering::Relaxed);
            self.logs.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn say(&self, utterance: Utterance) {
        // After the end there is nobody who listens.
        self.queue.send(utterance).ok();
    }
}

struct Mouth {
    terminal: Terminal,
    printed: Option<Printed>,
    bar: Bar,
    /// Standard output has failed: nothing more is written there.
    is_closed: bool,
}

impl Mouth {
    fn say(&mut self, utterance: Utterance) -> Option<Said> {
        match utterance {
            Utterance::Result { data, complaint, ended } => {
                return Some(self.result(&data, complaint, ended));
            }
            Utterance::Warning(text) => self.bar.aside(|| self.terminal.warn(&text)),
            Utterance::Detail(text) => self.bar.aside(|| self.terminal.detail(&text)),
            Utterance::Log(line) => self.bar.aside(|| self.terminal.say(&line)),
            Utterance::End => {}
        }
        None
    }

    fn result(&mut self, data: &[u8], complaint: Option<String>, ended: (Seq, StateName)) -> Said {
        if self.is_closed {
            return Ok(());
        }
        if let Some(complaint) = complaint {
            self.bar.aside(|| self.terminal.warn(&complaint));
        }
        let said = self.print(data).and_then(|()| self.remember(ended));
        self.is_closed = said.is_err();
        said
    }

    fn print(&self, data: &[u8]) -> Said {
        if data.is_empty() { Ok(()) } else { self.bar.aside_of_data(|| self.terminal.raw(data)) }
    }

    fn remember(&self, (seq, state): (Seq, StateName)) -> Said {
        let Some(printed) = &self.printed else { return Ok(()) };
        printed.insert(seq, state).map_err(|error| Failure::of_io("remember what was printed", &error))
    }
}
