//! Everything that writes goes one way: to a thread of its own, or to whoever asks.

use super::batch::Bench;
use super::clerk::Clerk;
use super::request::{Call, Message, Reply};
use crate::failure::{Tried, classify};
use crate::options::Writing;
use crate::steps::Verb;
use crate::tx::Tx;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};
use wh_ports::store::StoreError;

/// So many requests may wait; more wait with their callers.
const WAITING: usize = 1_024;

/// The way to the writing connection. It is taken with the first write.
pub(crate) struct Writer {
    way: LazyLock<Started, Box<dyn FnOnce() -> Started + Send>>,
}

type Started = Result<Way, StoreError>;

/// Where to put a request.
struct Way {
    // Dropped before what follows: then nothing more can be asked.
    queue: mpsc::Sender<Message>,
    by: By,
}

/// What does the requests.
enum By {
    /// A thread that ends when nothing more can be asked.
    Thread(#[expect(dead_code, reason = "waits for the thread when it is dropped")] Joined),
    /// Whoever asks.
    Caller(Box<Mutex<InPlace>>),
}

/// A thread that is waited for.
struct Joined(Option<JoinHandle<()>>);

/// Closing waits until everything that was asked is written, or refused because the turn to write did not come.
impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            // A panic in the thread has been reported where it happened.
            drop(handle.join());
        }
    }
}

/// A clerk without a thread: whoever holds it does what waits.
struct InPlace {
    clerk: Clerk,
    queue: mpsc::Receiver<Message>,
}

impl InPlace {
    fn do_what_waits(&mut self) {
        while let Ok(message) = self.queue.try_recv() {
            self.clerk.obey(message, &mut self.queue);
        }
    }
}

/// Closing does what was asked and not waited for.
impl Drop for InPlace {
    fn drop(&mut self) {
        self.do_what_waits();
    }
}

impl Writer {
    /// A writer that has not started.
    pub(crate) fn new(bench: Bench, writing: Writing) -> Self {
        Self { way: LazyLock::new(Box::new(move || start(bench, writing))) }
    }

    /// Whether anything has been written since the store was opened.
    pub(crate) fn has_started(&self) -> bool {
        LazyLock::get(&self.way).is_some_and(Result::is_ok)
    }

    /// Does something within a transaction. Durable before the answer, unless the verb says it may be lost.
    pub(crate) async fn write<T, F>(&self, verb: Verb, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Tried<T> + Send + 'static,
    {
        self.ask(|reply| Message::Write(Box::new(Call::new(verb, work, reply)))).await
    }

    /// Copies the whole store while writing goes on.
    pub(crate) async fn backup(&self, to: PathBuf) -> Result<(), StoreError> {
        self.ask(|reply| Message::Backup(to, reply)).await
    }

    /// A number that changes when another process, or another handle, has written.
    pub(crate) async fn version(&self) -> Result<i64, StoreError> {
        self.ask(Message::Version).await
    }

    async fn ask<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, StoreError> {
        let gone = || StoreError::Unavailable("what writes to the store has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        // It is started once: what kept it from that is told to everybody who comes later.
        let way = self.way.as_ref().map_err(Clone::clone)?;
        way.queue.send(message(reply)).await.map_err(|_| gone())?;
        if let By::Caller(in_place) = &way.by {
            // Others on this thread that are about to ask share the commit.
            tokio::task::yield_now().await;
            // Whoever waits here finds its request done, most likely.
            in_place.lock().map_err(|_| gone())?.do_what_waits();
        }
        answer.await.map_err(|_| gone())?
    }
}

fn start(bench: Bench, writing: Writing) -> Started {
    let (sender, mut queue) = mpsc::channel(WAITING);
    let mut clerk = Clerk::new(bench).map_err(|error| classify(&error))?;
    let by = match writing {
        Writing::InPlace => By::Caller(Box::new(Mutex::new(InPlace { clerk, queue }))),
        Writing::Apart => {
            let obey_all = move || {
                while let Some(message) = queue.blocking_recv() {
                    clerk.obey(message, &mut queue);
                }
            };
            let handle = thread::Builder::new()
                .name("store-writer".to_owned())
                .stack_size(512 * 1024)
                .spawn(obey_all)
                .map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))?;
            By::Thread(Joined(Some(handle)))
        }
    };
    Ok(Way { queue: sender, by })
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("has_started", &self.has_started()).finish()
    }
}
