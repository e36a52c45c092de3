//! A host in this process: a member of its store, with real processes to carry what it claims.

use crate::chance::{MachineChance, host_id};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::machine::ThisMachine;
use rustix::process::DumpableBehavior;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use wh_config::Config;
use wh_domain::watermark::Watermarks;
use wh_domain::worker::Worker;
use wh_host::{Command, Farewell, Host, Parts, Settings};
use wh_ports::claims::{Claims, Introduction};
use wh_ports::clock::Clock;
use wh_ports::observe::Observer;
use wh_ports::runner::Runner;
use wh_sqlite::{SqliteStore, SystemClock};
use wh_supervisor::{ProcessRunner, RunnerOptions};

/// Commands that may wait for the host: more than a person can give before it looks.
const COMMANDS: usize = 16;

/// What a host is made of.
pub(crate) struct Hosting {
    pub(crate) store: Arc<SqliteStore>,
    /// Where the store and the workspaces lie.
    pub(crate) data_dir: PathBuf,
    /// How it is shown.
    pub(crate) name: String,
    pub(crate) workers: Vec<Worker>,
    /// Files that no isolated worker may reach, besides the data directory.
    pub(crate) private: Vec<PathBuf>,
    pub(crate) settings: Settings,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
}

/// A host that has joined its store.
pub(crate) struct Hosted {
    /// Drops what does not fit: a full queue holds so many commands that one more makes no difference.
    pub(crate) commands: mpsc::Sender<Command>,
    /// Its life. Dropping it kills every process tree.
    pub(crate) life: Pin<Box<dyn Future<Output = Farewell>>>,
}

impl Hosting {
    /// Joins the store and starts the spawner. `around` may put something between the host and its processes.
    pub(crate) async fn begin(
        self,
        around: impl FnOnce(ProcessRunner) -> Arc<dyn Runner>,
    ) -> Result<Hosted, Failure> {
        // Nobody of the same user may look into it, and nothing of it is left in a core dump: it holds secrets.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(|error| Failure::of_io("close the host's memory to others", &error.into()))?;
        let host = host_id();
        let introduction = Introduction {
            host: host.clone(),
            name: self.name.into(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let membership = self.store.join(introduction).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = RunnerOptions {
            token: membership.token.clone(),
            private: self.private,
            ..RunnerOptions::new(self.data_dir.clone(), Arc::clone(&clock))
        };
        let runner = ProcessRunner::new(options)
            .map_err(|error| Failure::new(Exit::Failed, format!("no worker can be started: {error}")))?;
        let parts = Parts {
            store: self.store,
            runner: around(runner),
            clock,
            machine: Arc::new(ThisMachine { data_dir: self.data_dir }),
            chance: Arc::new(MachineChance),
            observers: self.observers,
        };
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let host = Host::new(parts, host, membership.slot, self.workers, self.settings);
        Ok(Hosted { commands, life: Box::pin(host.run(receiver)) })
    }
}

/// How full this machine may be for a host of this configuration to claim.
pub(crate) fn watermarks(config: &Config) -> Watermarks {
    let (memory, disk) = ThisMachine { data_dir: config.data_dir.clone() }.sizes();
    config.host.watermarks_on(memory, disk)
}

/// How a host of this configuration is called.
pub(crate) fn name(config: &Config) -> String {
    let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    config.host.name.clone().unwrap_or_else(own)
}

/// How many cores this machine has for a host.
pub(crate) fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}
