//! From the configuration's values to the host's.

use crate::hosting;
use crate::opening::retention;
use std::time::Duration;
use wh_config::Config;
use wh_host::Settings;

/// How often old things are swept away.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How the host behaves.
pub(super) fn settings(config: &Config, until_idle: bool) -> Settings {
    Settings {
        streams: config.host.streams_on(hosting::cores()),
        drain: config.host.drain,
        lease: config.lease,
        watermarks: hosting::watermarks(config),
        retention: retention(config.retention),
        sweep_every: SWEEP_EVERY,
        until_idle,
    }
}
