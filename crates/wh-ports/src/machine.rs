//! How the machine is on which a host runs.

use wh_domain::watermark::Readings;

/// Tells how the machine is.
pub trait Machine: Send + Sync {
    /// What can be read of it now. Is asked on the host's own thread, so it takes microseconds.
    fn readings(&self) -> Readings;
}

/// A machine of which nothing is known, and that nobody waits for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unknown;

impl Machine for Unknown {
    fn readings(&self) -> Readings {
        Readings::default()
    }
}
