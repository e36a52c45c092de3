//! What every part of the host works with.

use crate::bus::Bus;
use std::sync::Arc;
use wh_domain::id::HostId;
use wh_ports::clock::{Chance, Clock};
use wh_ports::machine::Machine;
use wh_ports::observe::Observer;
use wh_ports::runner::Runner;
use wh_ports::store::Store;

/// The world, as a host is given it.
#[expect(missing_debug_implementations, reason = "traits have nothing to show")]
pub struct Parts {
    /// Where tasks are kept.
    pub store: Arc<dyn Store>,
    /// Who carries attempts.
    pub runner: Arc<dyn Runner>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How the machine is.
    pub machine: Arc<dyn Machine>,
    /// Chance.
    pub chance: Arc<dyn Chance>,
    /// Who is told what happens.
    pub observers: Vec<Arc<dyn Observer>>,
}

/// The same, ready to be shared with everything that runs beside the loop.
pub(crate) struct Tools {
    pub(crate) host: HostId,
    pub(crate) slot: u32,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) bus: Bus,
}

impl Tools {
    pub(crate) fn new(parts: Parts, host: HostId, slot: u32) -> Arc<Self> {
        Arc::new(Self {
            host,
            slot,
            store: parts.store,
            runner: parts.runner,
            bus: Bus::new(parts.observers, Arc::clone(&parts.clock)),
            clock: parts.clock,
            machine: parts.machine,
            chance: parts.chance,
        })
    }
}
