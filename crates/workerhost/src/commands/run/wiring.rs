//! From the configuration's values to the host's.

use std::time::Duration;
use wh_config::Config;
use wh_host::Settings;
use wh_ports::upkeep::Retention;

/// How often old things are swept away.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How the host behaves.
pub(super) fn settings(config: &Config, until_idle: bool) -> Settings {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Settings {
        streams: config.host.streams_on(u32::try_from(cores).unwrap_or(u32::MAX)),
        drain: config.host.drain,
        lease: config.lease,
        retention: retention(config.retention),
        sweep_every: SWEEP_EVERY,
        until_idle,
    }
}

/// How the host is called.
pub(super) fn host_name(config: &Config) -> String {
    let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    config.host.name.clone().unwrap_or_else(own)
}

fn retention(configured: wh_config::Retention) -> Retention {
    let wh_config::Retention {
        completed,
        poisoned,
        cancelled,
        finished,
        store_size,
        workspaces,
        workspaces_size,
    } = configured;
    Retention { completed, poisoned, cancelled, finished, store_size, workspaces, workspaces_size }
}
