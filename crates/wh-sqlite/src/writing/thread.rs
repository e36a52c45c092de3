//! The thread that owns the writing connection. It starts with the first write.

use super::backup;
use super::batch::Bench;
use super::checkpoint::Log;
use super::request::{Call, Message, Reply};
use crate::failure::Tried;
use crate::steps::Verb;
use crate::tx::Tx;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};
use wh_ports::store::StoreError;

/// So many requests may wait; more wait with their callers.
const WAITING: usize = 1_024;

/// The way to the writer.
pub(crate) struct Writer {
    state: Mutex<State>,
}

enum State {
    /// Nothing has been written yet.
    Idle(Box<Bench>),
    Running(mpsc::Sender<Message>, JoinHandle<()>),
    /// It could not be started.
    Gone(String),
}

impl Writer {
    /// A writer that has not started.
    pub(crate) fn new(bench: Bench) -> Self {
        Self { state: Mutex::new(State::Idle(Box::new(bench))) }
    }

    /// Whether anything has been written since the store was opened.
    pub(crate) fn has_started(&self) -> bool {
        matches!(&*self.lock(), State::Running(..))
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
        let gone = || StoreError::Unavailable("the thread that writes to the store has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        self.queue()?.send(message(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is replaced in one step, so a panic elsewhere cannot have left half of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> Result<mpsc::Sender<Message>, StoreError> {
        let mut state = self.lock();
        if let State::Running(queue, _) = &*state {
            return Ok(queue.clone());
        }
        let starting = State::Gone("the thread that writes to the store could not be started".to_owned());
        match std::mem::replace(&mut *state, starting) {
            State::Idle(bench) => {
                let (queue, requests) = mpsc::channel(WAITING);
                let handle = thread::Builder::new()
                    .name("store-writer".to_owned())
                    .stack_size(512 * 1024)
                    .spawn(move || run(*bench, requests))
                    .map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))?;
                *state = State::Running(queue.clone(), handle);
                Ok(queue)
            }
            State::Gone(why) => {
                *state = State::Gone(why.clone());
                Err(StoreError::Unavailable(why))
            }
            running @ State::Running(..) => {
                *state = running;
                Err(StoreError::Unavailable("the store is being closed".to_owned()))
            }
        }
    }
}

/// Closing waits until everything that was asked is written, or refused because the turn to write did not come.
impl Drop for Writer {
    fn drop(&mut self) {
        if let State::Running(queue, handle) =
            std::mem::replace(&mut *self.lock(), State::Gone(String::new()))
        {
            drop(queue);
            // A panic in the thread has been reported where it happened.
            drop(handle.join());
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("has_started", &self.has_started()).finish()
    }
}

fn run(mut bench: Bench, mut queue: mpsc::Receiver<Message>) {
    let Ok(mut log) = Log::watch(&mut bench.connection) else { return };
    while let Some(message) = queue.blocking_recv() {
        let mut next = Some(message);
        while let Some(message) = next.take() {
            next = match message {
                Message::Write(request) => {
                    let left_over = bench.serve(request, &mut queue);
                    if let Err(error) = log.copy_if_large(&bench.connection) {
                        // Nobody waits for this answer. What matters beyond this moment is what the disk is worth.
                        bench.trust.note(error);
                    }
                    left_over
                }
                Message::Version(reply) => {
                    drop(reply.send(version(&bench)));
                    None
                }
                Message::Backup(to, reply) => {
                    drop(reply.send(backup::write(&bench, &mut queue, &to)));
                    None
                }
            };
        }
    }
    log.prepare_to_close(&bench.connection);
}

fn version(bench: &Bench) -> Result<i64, StoreError> {
    bench
        .connection
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut ask| ask.query_row((), |row| row.get(0)))
        .map_err(|error| crate::failure::classify(&error))
}
