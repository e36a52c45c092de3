//! A configured worker: what to run, for which types, within which bounds.

use crate::exit::ExitTable;
use crate::id::WorkerName;
use crate::isolation::Isolation;
use crate::limits::Limits;
use crate::outputs::Output;
use crate::retry::RetryPolicy;
use crate::routing::TypePattern;
use crate::timeout::TimeoutPolicy;
use std::path::PathBuf;

/// What the worker and the host say to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A task object in, a result object out; stray text on standard output goes to the log.
    Json,
    /// The same, but stray text is a fault.
    Strict,
    /// The input's bytes in, the result's bytes out.
    Raw,
}

impl Protocol {
    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Strict => "strict",
            Self::Raw => "raw",
        }
    }
}

/// The numbers that bound one attempt, in bytes unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Params up to this size travel in the task object, larger ones as `input/params.json`.
    pub params: u64,
    /// Results up to this size stand in the store's row, larger ones in a blob.
    pub result: u64,
    /// The longest line of standard output or of the channel.
    pub line: u64,
    /// Standard output in all.
    pub stdout: u64,
    /// What is kept of the log: half from its head, half from its tail.
    pub log: u64,
    /// How deep JSON values may nest.
    pub nesting: u32,
    /// Channel events a second; more are counted and dropped.
    pub events_per_second: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            params: MIB,
            result: MIB,
            line: 8 * MIB,
            stdout: 64 * MIB,
            log: 16 * MIB,
            nesting: 128,
            events_per_second: 1_000,
        }
    }
}

/// What is executed.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    /// Program and arguments; never a shell line.
    pub argv: Vec<String>,
    /// Where it starts.
    pub directory: PathBuf,
    /// Variables beyond the host's short allow-list. Values may be secrets: they are never printed.
    pub env: Vec<(String, String)>,
    /// Those of their values that are secrets, to be taken out of whatever is logged.
    pub secrets: Vec<Box<str>>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Program")
            .field("argv", &self.argv)
            .field("directory", &self.directory)
            .field("env", &names)
            .finish_non_exhaustive()
    }
}

/// Whether an attempt gets a tree of files of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workspace {
    /// `input/ working/ output/ logs/` and the files that describe the attempt.
    Full,
    /// Nothing but the log.
    None,
}

/// A configured worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name.
    pub name: WorkerName,
    /// The types it takes.
    pub task_types: Vec<TypePattern>,
    /// How many attempts it may carry at once on this host.
    pub streams: u32,
    /// What is executed.
    pub program: Program,
    /// How it talks.
    pub protocol: Protocol,
    /// Whether its attempts get a workspace.
    pub workspace: Workspace,
    /// What is kept from it.
    pub isolation: Isolation,
    /// What an attempt may use.
    pub limits: Limits,
    /// How long an attempt may take.
    pub timeout: TimeoutPolicy,
    /// How often a task is tried.
    pub retry: RetryPolicy,
    /// What it is to leave in its output.
    pub outputs: Vec<Output>,
    /// What its exit codes mean.
    pub exit_codes: ExitTable,
    /// Its numbers.
    pub bounds: Bounds,
    /// A JSON object of the operator's own, shown in lists and added to every task's metadata.
    pub metadata: Option<Box<str>>,
    /// Files whose change ends a quarantine: the interpreter and the program.
    pub files: Vec<PathBuf>,
}
