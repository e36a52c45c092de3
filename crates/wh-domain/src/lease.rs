//! The rhythm by which a host keeps what it claimed.

use std::time::Duration;

/// How a host renews and when others may take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasePolicy {
    /// How long a renewal holds.
    pub length: Duration,
    /// How often the host renews; also its heartbeat.
    pub renew_every: Duration,
}

impl Default for LeasePolicy {
    fn default() -> Self {
        Self { length: Duration::from_secs(30), renew_every: Duration::from_millis(7_500) }
    }
}

impl LeasePolicy {
    /// Whether a reaper that was itself away for `gap` must hold back for one lease: after its own outage
    /// everybody's lease looks expired.
    pub fn needs_amnesty(&self, gap: Duration) -> bool {
        gap > self.renew_every
    }
}
