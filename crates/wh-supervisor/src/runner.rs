//! Carries attempts as real processes.

use crate::burial::bury;
use crate::carry::{Tools, carry};
use crate::nursery::{Nursery, SpawnerProgram};
use crate::register::Register;
use crate::seat::Seats;
use crate::sweep::sweep;
use rustix::fd::OwnedFd;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify, mpsc};
use wh_domain::id::{AttemptId, HostId};
use wh_ports::clock::Clock;
use wh_ports::runner::{Assignment, Finished, Listener, Order, Runner};
use wh_ports::store::BoxFuture;

/// What a runner needs.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show, and variables may be secrets")]
pub struct RunnerOptions {
    /// Where workspaces are, and the files that tell which processes carry which attempts.
    pub data_dir: PathBuf,
    /// How to start the spawner.
    pub spawner: SpawnerProgram,
    /// A program that calls [`crate::reviewer_main`] before anything else where it is given [`crate::REVIEWER_ARGUMENT`].
    pub reviewer: PathBuf,
    /// Kept open by whatever watches process trees: closed everywhere only when the host and all trees are gone.
    pub token: Option<Arc<OwnedFd>>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The host's variables; workers get only the few that the protocol passes on.
    pub environment: Vec<(OsString, OsString)>,
    /// Files and directories that no isolated worker may reach, besides the data directory.
    pub private: Vec<PathBuf>,
}

impl RunnerOptions {
    /// A runner whose spawner is this very program and that passes on this process's variables.
    pub fn new(data_dir: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let environment = std::env::vars_os().collect();
        Self {
            data_dir,
            spawner: SpawnerProgram::of_this_program(),
            reviewer: "/proc/self/exe".into(),
            token: None,
            clock,
            environment,
            private: Vec::new(),
        }
    }
}

/// A runner with real processes.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show, and variables may be secrets")]
pub struct ProcessRunner {
    tools: Tools,
}

impl ProcessRunner {
    /// Starts the spawner. To be called while the process is small; the calling process becomes a subreaper.
    ///
    /// # Errors
    /// Where the spawner cannot be started, or nothing can be written into the data directory.
    pub fn new(options: RunnerOptions) -> io::Result<Self> {
        let nursery = Arc::new(Nursery::new(options.spawner, options.token)?);
        let tools = Tools {
            nursery,
            register: Register::make(&options.data_dir)?,
            clock: options.clock,
            memory: rustix::system::sysinfo()
                .totalram
                .saturating_mul(rustix::system::sysinfo().mem_unit.into()),
            private: options.private.into_iter().chain([options.data_dir.clone()]).collect(),
            data_dir: options.data_dir,
            reviewer: options.reviewer,
            environment: options.environment.into(),
            idle: Arc::default(),
            seats: Seats::default(),
            turn: Mutex::default(),
            freed: Notify::new(),
        };
        Ok(Self { tools })
    }
}

impl Runner for ProcessRunner {
    fn run(
        &self,
        assignment: Assignment,
        orders: mpsc::Receiver<Order>,
        listener: Listener,
    ) -> BoxFuture<'_, Finished> {
        let seat = self.tools.seats.seat(&assignment.worker.name, assignment.stream);
        Box::pin(async move { carry(&self.tools, &seat, assignment, orders, listener).await })
    }

    fn bury(&self, dead: HostId, attempts: Vec<AttemptId>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(bury(&self.tools.data_dir, dead, attempts))
    }

    fn sweep(&self, keep: Duration, most_bytes: u64) -> BoxFuture<'_, u64> {
        Box::pin(sweep(self.tools.data_dir.clone(), keep, most_bytes))
    }
}
