//! What the tests write, and a stream to write it to.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use wh_domain::event::{Carried, Event, LogLine};
use wh_domain::id::{AttemptId, Fence, StreamNo, TaskId, TaskType, WorkerName};
use wh_domain::time::Timestamp;
use wh_telemetry::{Format, Level, LogObserver, LogOptions, LogStream, QUEUE};

/// Long enough for any machine; reached only when a promise is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_795_264_496_789)
}

pub(crate) fn carried() -> Carried {
    Carried {
        attempt_id: AttemptId { task: TaskId::new("order 4711").unwrap(), fence: Fence(3) },
        task_type: TaskType::new("Shop.Invoice").unwrap(),
        worker: WorkerName::new("invoice").unwrap(),
        stream: StreamNo(2),
        attempt: 1,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    }
}

pub(crate) fn logged(message: &str) -> Event {
    Event::Logged { carried: carried(), line: LogLine { level: None, message: message.into() } }
}

/// A stream that keeps what is written to it, stands still while its gate is shut, and fails while it is told to.
#[derive(Clone, Default)]
pub(crate) struct Screen(Arc<(Mutex<Shown>, Condvar)>);

#[derive(Default)]
struct Shown {
    text: Vec<u8>,
    shut: bool,
    fails: bool,
    waiting: bool,
}

impl Screen {
    pub(crate) fn shut(&self) {
        self.0.0.lock().unwrap().shut = true;
    }

    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().shut = false;
        self.0.1.notify_all();
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.0.0.lock().unwrap().fails = fails;
    }

    /// Waits until somebody stands before the shut gate.
    pub(crate) fn wait_for_writer(&self) {
        let shown = self.0.0.lock().unwrap();
        let (shown, _) = self.0.1.wait_timeout_while(shown, PATIENCE, |shown| !shown.waiting).unwrap();
        assert!(shown.waiting, "nobody writes");
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().text.clone()).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shown = self.0.0.lock().unwrap();
        shown.waiting = true;
        self.0.1.notify_all();
        let mut shown = self.0.1.wait_while(shown, |shown| shown.shut).unwrap();
        shown.waiting = false;
        if shown.fails {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        shown.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An observer that writes everything to a screen.
pub(crate) fn to_screen(format: Format) -> (LogObserver, Screen) {
    let screen = Screen::default();
    let stream = LogStream { to: Box::new(screen.clone()), format, level: Level::Trace };
    let options = LogOptions { worker_lines: true, file: None, stream: Some(stream), queue: QUEUE };
    (LogObserver::start(options).unwrap(), screen)
}
