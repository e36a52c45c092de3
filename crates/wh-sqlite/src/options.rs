//! What a store is opened with.

use crate::steps::OnStep;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use wh_domain::lease::LeasePolicy;
use wh_domain::priority::Ageing;
use wh_ports::clock::Clock;

/// What to do with a store of an older schema. A store that is not there yet is made in either mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bring it up to date, after a backup: for `run` and `db migrate`.
    Migrate,
    /// Refuse it: for every other verb.
    AsIs,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// A thread of its own, so that nobody else on the caller's thread waits for the disk.
    Apart,
    /// Whoever asks, on its own thread, which costs no way to another thread and back: for programs that have nothing
    /// else to do meanwhile. What somebody asked who waits no longer is done with the next request, or at closing.
    InPlace,
}

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// Where everything lies that belongs to the store.
    pub data_dir: PathBuf,
    /// Where the data directory is made where it is not there yet, with a link at `data_dir`; see [`crate::make_data_dir`].
    pub state_home: Option<PathBuf>,
    /// The database file: directly in `data_dir`, under its only name.
    pub database: PathBuf,
    /// As many tasks may be pending; beyond it enqueue is refused.
    pub max_pending: u64,
    /// How priority and age are weighed for tasks that come in from now on.
    pub ageing: Ageing,
    /// The rhythm of leases.
    pub lease: LeasePolicy,
    /// Params of more bytes go into a blob.
    pub inline_params: u64,
    /// Results of more bytes go into a blob.
    pub inline_result: u64,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// What to do with an older schema.
    pub mode: Mode,
    /// Who writes.
    pub writing: Writing,
    /// Use a network file system all the same. SQLite's locks do not work on most of them.
    pub force_network_fs: bool,
    /// Called at each of [`crate::STEPS`]; for tests that kill the process there.
    pub on_step: Option<OnStep>,
}

impl Options {
    /// Defaults for a store under `data_dir`, opened as it is.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        const MIB: u64 = 1 << 20;
        let data_dir = data_dir.into();
        Self {
            database: data_dir.join("tasks.db"),
            data_dir,
            state_home: None,
            max_pending: 10_000_000,
            ageing: Ageing::default(),
            lease: LeasePolicy::default(),
            inline_params: MIB,
            inline_result: MIB,
            clock: Arc::new(crate::clock::SystemClock::new()),
            mode: Mode::AsIs,
            writing: Writing::Apart,
            force_network_fs: false,
            on_step: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("database", &self.database)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
