//! A thread that answers questions one after the other. It starts with the first question.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};
use wh_ports::store::StoreError;

/// So many questions may wait; more wait with their callers.
const WAITING: usize = 256;

type Open<C> = Arc<dyn Fn() -> Result<C, StoreError> + Send + Sync>;
/// The way to the thread, and the thread.
type Running<C> = (mpsc::Sender<Question<C>>, JoinHandle<()>);
type Question<C> = Box<dyn FnOnce(Result<&C, StoreError>) + Send>;

/// A thread with something of its own to answer from.
pub(crate) struct Desk<C> {
    name: &'static str,
    open: Open<C>,
    running: Mutex<Option<Running<C>>>,
}

impl<C: 'static> Desk<C> {
    /// A desk that opens with the first question; `open` runs on its thread, again after a failure.
    pub(crate) fn new(
        name: &'static str,
        open: impl Fn() -> Result<C, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self { name, open: Arc::new(open), running: Mutex::new(None) }
    }

    /// Asks.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&C) -> Result<T, StoreError> + Send + 'static,
    {
        let gone = || StoreError::Unavailable(format!("the thread {} has ended", self.name));
        let (reply, answer) = oneshot::channel();
        let asked: Question<C> = Box::new(move |own| {
            // Whoever asked may have gone away.
            drop(reply.send(own.and_then(question)));
        });
        let queue = self.queue().map_err(|error| {
            StoreError::Unavailable(format!("cannot start the thread {}: {error}", self.name))
        })?;
        queue.send(asked).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    fn queue(&self) -> io::Result<mpsc::Sender<Question<C>>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((queue, _)) = &*running {
            return Ok(queue.clone());
        }
        let (queue, questions) = mpsc::channel(WAITING);
        let open = Arc::clone(&self.open);
        let handle = thread::Builder::new()
            .name(self.name.to_owned())
            .stack_size(512 * 1024)
            .spawn(move || answer_all(&*open, questions))?;
        *running = Some((queue.clone(), handle));
        Ok(queue)
    }
}

fn answer_all<C>(open: &dyn Fn() -> Result<C, StoreError>, mut questions: mpsc::Receiver<Question<C>>) {
    let mut own: Option<C> = None;
    while let Some(question) = questions.blocking_recv() {
        match &own {
            Some(own) => question(Ok(own)),
            None => match open() {
                Ok(opened) => question(Ok(own.insert(opened))),
                Err(error) => question(Err(error)),
            },
        }
    }
}

/// Closing waits for the question under way.
impl<C> Drop for Desk<C> {
    fn drop(&mut self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((queue, handle)) = running {
            drop(queue);
            // A panic in the thread has been reported where it happened.
            drop(handle.join());
        }
    }
}

impl<C> std::fmt::Debug for Desk<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("name", &self.name).finish_non_exhaustive()
    }
}
