//! The configuration as the rest of the house uses it: domain values, nothing left to check.

use crate::value::Block;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_domain::lease::LeasePolicy;
use wh_domain::priority::Ageing;
use wh_domain::watermark::Watermarks;
use wh_domain::worker::Worker;

/// A whole configuration. Paths are absolute where the file's own path was.
#[derive(Clone)]
pub struct Config {
    /// The workers, in the order of the file.
    pub workers: Vec<Worker>,
    /// Where tasks are kept.
    pub store: StoreUrl,
    /// Where everything else is kept: the directory in which the store's file lies.
    pub data_dir: PathBuf,
    /// Whether somebody chose a place for it.
    pub is_data_dir_chosen: bool,
    /// `$XDG_STATE_HOME/workerhost`, where the data directories lie for which nobody chose a place. `None` where this user has
    /// no home.
    pub state_home: Option<PathBuf>,
    /// This host.
    pub host: HostConfig,
    /// Waiting tasks.
    pub queue: QueueConfig,
    /// How long finished things are kept.
    pub retention: Retention,
    /// The rhythm by which a host keeps its claims.
    pub lease: LeasePolicy,
    /// The host's own log.
    pub logging: LogConfig,
    /// Every key with its value and origin, for `show`.
    pub(crate) effective: Block,
}

impl Config {
    /// Where the data directory is made, with a link to it at `data_dir`; `None` where it is made at `data_dir` itself.
    pub fn data_home(&self) -> Option<&Path> {
        self.state_home.as_deref().filter(|_| !self.is_data_dir_chosen)
    }
}

/// Where tasks are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// This host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// How it is shown; `None` is the machine's name.
    pub name: Option<String>,
    /// Marks of the operator's own.
    pub labels: BTreeMap<String, String>,
    /// How many attempts it carries at once; see [`HostConfig::streams_on`].
    pub streams: Option<u32>,
    /// How long attempts may go on after it was asked to stop.
    pub drain: Duration,
    /// The highest load of its machine at which it claims, in hundredths.
    pub max_load: Option<u64>,
    /// The least free memory at which it claims, in bytes; see [`HostConfig::watermarks_on`].
    pub min_free_memory: Option<u64>,
    /// The least room on the disk of its data directory at which it claims, in bytes.
    pub min_free_disk: Option<u64>,
}

impl HostConfig {
    /// How many attempts this host carries at once on a machine with so many cores.
    pub fn streams_on(&self, cores: u32) -> u32 {
        const LEAST: u32 = 3;
        self.streams.unwrap_or(cores.max(LEAST))
    }

    /// How full a machine with so much memory and so large a disk may be for this host to claim. What nobody chose is never
    /// more than a twentieth of what there is.
    pub fn watermarks_on(&self, memory: u64, disk: u64) -> Watermarks {
        const MEMORY: u64 = 128 << 20;
        const DISK: u64 = 256 << 20;
        Watermarks {
            load: self.max_load,
            memory: Some(self.min_free_memory.unwrap_or(MEMORY.min(memory / 20))),
            disk: Some(self.min_free_disk.unwrap_or(DISK.min(disk / 20))),
        }
    }
}

/// Waiting tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueConfig {
    /// The most tasks that may wait.
    pub max_size: u64,
    /// How priority and age are weighed.
    pub ageing: Ageing,
}

/// How long finished things are kept. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Completed tasks.
    pub completed: Duration,
    /// Tasks that were given up.
    pub poisoned: Duration,
    /// Cancelled tasks.
    pub cancelled: Duration,
    /// The most finished tasks.
    pub finished: u64,
    /// The largest store.
    pub store_size: u64,
    /// Workspaces of attempts that have ended.
    pub workspaces: Duration,
    /// All kept workspaces together.
    pub workspaces_size: u64,
}

/// The least severe lines that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something was lost or cannot go on.
    Error,
    /// Something will surprise.
    Warning,
    /// What happens, in broad strokes.
    Info,
    /// What happens, in detail.
    Debug,
    /// Everything.
    Trace,
}

/// The host's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The least severe lines that are written.
    pub level: LogLevel,
    /// One JSON object a line instead of text.
    pub structured: bool,
    /// A file to write to, besides standard error.
    pub file: Option<PathBuf>,
    /// The size in bytes at which the file is set aside for a new one.
    pub max_bytes: u64,
    /// How many files set aside are kept.
    pub backup_count: u32,
    /// Whether workers' log lines stand in the host's log too.
    pub capture_worker_output: bool,
}
