//! A piece of work for the writer, with the way back to whoever asked.

use crate::failure::{Fail, Tried};
use crate::steps::Verb;
use crate::tx::Tx;
use std::path::PathBuf;
use tokio::sync::oneshot;
use wh_ports::store::StoreError;

/// The way back to whoever asked.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked.
pub(super) enum Message {
    /// Write something.
    Write(Box<dyn Request>),
    /// Copy the whole store to a file.
    Backup(PathBuf, Reply<()>),
    /// Say whether others have written: a number that changes when they have.
    Version(Reply<i64>),
}

/// Something to be done within a transaction that others may share.
pub(super) trait Request: Send {
    /// What it is for.
    fn verb(&self) -> Verb;
    /// Does it. After an error everything it wrote must be taken back; the caller gets this very error.
    fn perform(&mut self, tx: &mut Tx<'_>) -> Result<(), &StoreError>;
    /// The transaction is durable, or it failed as a whole.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A closure as a request.
pub(super) struct Call<T, F> {
    verb: Verb,
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    reply: Reply<T>,
}

impl<T, F> Call<T, F> {
    pub(super) fn new(verb: Verb, work: F, reply: Reply<T>) -> Self {
        Self { verb, work: Some(work), done: None, reply }
    }
}

impl<T, F> Request for Call<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Tried<T> + Send + 'static,
{
    fn verb(&self) -> Verb {
        self.verb
    }

    fn perform(&mut self, tx: &mut Tx<'_>) -> Result<(), &StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let done = work(tx).map_err(|fail: Fail| fail.into());
        self.done.insert(done).as_ref().map(|_| ())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.done, committed) {
            // Its own error says more than that of the transaction, which may only have failed because of it.
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(StoreError::Unavailable("the store is being closed".to_owned())),
        };
        // Whoever asked may have gone away; what was written stays written.
        drop(self.reply.send(answer));
    }
}
