//! The store: what the traits are implemented on.

use crate::bell::Ringer;
use crate::blob_dir::BlobDir;
use crate::connection::{READ_AT_MOST, Reading};
use crate::desk::Desk;
use crate::failure::{Tried, classify};
use crate::hosts::slots::Slots;
use crate::identity::Identity;
use crate::lock::WriterLock;
use crate::open_error::OpenError;
use crate::options::Options;
use crate::place::Place;
use crate::policy::Policy;
use crate::ready::prepared_place;
use crate::schema::{MIGRATIONS, open_ready};
use crate::steps::{Steps, Verb};
use crate::trust::Trust;
use crate::tx::Tx;
use crate::writing::{Bench, Writer};
use rusqlite::Connection;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wh_ports::clock::Clock;
use wh_ports::store::StoreError;

/// A store in one SQLite file. Threads start with the first call that needs them: one that writes,
/// unless the caller does, one for quick questions, one for long ones, one that copies large contents.
pub struct SqliteStore {
    pub(crate) quick: Desk<Reading>,
    pub(crate) long: Desk<Reading>,
    pub(crate) files: Desk<BlobDir>,
    pub(crate) blobs: BlobDir,
    pub(crate) slots: Slots,
    pub(crate) ringer: Arc<Ringer>,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<dyn Clock>,
    /// What [`wh_ports::doorbell::Doorbell::has_changed`] saw last, by the writer and by the reader.
    pub(crate) seen: [AtomicI64; 2],
    /// Where the sweeper goes on among the shelves of blobs.
    pub(crate) shelf: Arc<Mutex<usize>>,
    /// Closed last, because the last one to close may tidy up.
    pub(crate) writer: Writer,
}

impl SqliteStore {
    /// Opens the store, makes it if it is not there, and brings it up to date if the options allow.
    pub fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let place = prepared_place(&options)?;
        let (connection, _) = open_ready(&place, options.mode, MIGRATIONS, options.clock.wall())?;
        let lock = WriterLock::open(&place.writer_lock())
            .map_err(|error| OpenError::io("open the lock for writers", &error))?;
        let database = Identity::of(&place.database)
            .map_err(|error| OpenError::io(format!("look at {}", place.database.display()), &error))?;
        let steps = Steps(options.on_step.clone());
        let ringer = Arc::new(Ringer::new(place.bells()));
        let clock = Arc::clone(&options.clock);
        let trust = Trust::default();
        let blobs = BlobDir::new(place.blobs(), steps.clone()).sharing(trust.clone());
        let bench = Bench::new(connection, database, lock, clock, steps, Arc::clone(&ringer), trust);
        Ok(Arc::new(Self::assemble(&options, &place, Writer::new(bench, options.writing), ringer, blobs)))
    }

    fn assemble(
        options: &Options,
        place: &Place,
        writer: Writer,
        ringer: Arc<Ringer>,
        blobs: BlobDir,
    ) -> Self {
        let reading = |name| {
            let database = place.database.clone();
            Desk::new(name, move || Reading::open(&database).map_err(|error| classify(&error)))
        };
        let shared = blobs.clone();
        Self {
            writer,
            quick: reading("store-reader"),
            long: reading("store-surveyor"),
            files: Desk::new("store-files", move || Ok(shared.clone())),
            blobs,
            slots: Slots::new(place.slots()),
            ringer,
            policy: Policy::from(options),
            clock: Arc::clone(&options.clock),
            seen: [AtomicI64::new(i64::MIN), AtomicI64::new(i64::MIN)],
            shelf: Arc::default(),
        }
    }

    /// Writes something.
    pub(crate) async fn write<T, F>(&self, verb: Verb, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Tried<T> + Send + 'static,
    {
        self.writer.write(verb, work).await
    }

    /// Reads something that takes an index and no time.
    pub(crate) async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Tried<T> + Send + 'static,
    {
        ask(&self.quick, Some(READ_AT_MOST), question).await
    }

    /// Reads something that may take long, without holding up what is quick.
    pub(crate) async fn survey<T, F>(&self, limit: Option<Duration>, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Tried<T> + Send + 'static,
    {
        ask(&self.long, limit, question).await
    }
}

async fn ask<T, F>(desk: &Desk<Reading>, limit: Option<Duration>, question: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Tried<T> + Send + 'static,
{
    desk.ask(move |reading| {
        reading.allow(limit);
        question(&reading.connection).map_err(StoreError::from)
    })
    .await
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("writer", &self.writer).finish_non_exhaustive()
    }
}
