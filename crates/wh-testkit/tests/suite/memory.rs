//! The reference store under the suite of all stores.

use std::future::{Ready, ready};
use std::sync::Arc;
use wh_domain::id::HostId;
use wh_ports::answer::BoxFuture;
use wh_ports::store::Store;
use wh_testkit::clock::FakeClock;
use wh_testkit::conformance::{MAX_PENDING, StoreUnderTest};
use wh_testkit::memory::{Guard, MemoryStore};

/// The reference store, whose process can only pretend to crash.
pub(crate) struct InMemory {
    clock: Arc<FakeClock>,
    store: Arc<MemoryStore>,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(FakeClock::new());
        let store = Arc::new(MemoryStore::with_max_pending(Arc::<FakeClock>::clone(&clock), MAX_PENDING));
        Self { clock, store }
    }

    pub(crate) fn without(guard: Guard) -> Self {
        let clock = Arc::new(FakeClock::new());
        let store = Arc::new(MemoryStore::without(guard, Arc::<FakeClock>::clone(&clock), MAX_PENDING));
        Self { clock, store }
    }
}

impl StoreUnderTest for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as _
    }

    fn clock(&self) -> &FakeClock {
        &self.clock
    }

    fn reopen(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.store.kill_all_hosts() })
    }

    fn kill_host(&self, host: &HostId) {
        self.store.kill_host(host);
    }
}

fn fresh() -> Ready<InMemory> {
    ready(InMemory::new())
}

wh_testkit::store_conformance!(fresh);
