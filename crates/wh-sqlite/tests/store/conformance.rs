//! Every promise of every store, kept by this one.

use crate::kit::Home;
use std::sync::{Arc, Mutex, PoisonError};
use wh_domain::id::HostId;
use wh_ports::answer::BoxFuture;
use wh_ports::store::Store;
use wh_sqlite::{Options, SqliteStore, Writing};
use wh_testkit::clock::FakeClock;
use wh_testkit::conformance::{MAX_PENDING, StoreUnderTest};

struct OnFiles {
    home: Home,
    writing: Writing,
    open: Mutex<Arc<SqliteStore>>,
}

impl OnFiles {
    fn new(writing: Writing) -> Self {
        let home = Home::new();
        let open = Mutex::new(Self::open(&home, writing));
        Self { home, writing, open }
    }

    fn open(home: &Home, writing: Writing) -> Arc<SqliteStore> {
        SqliteStore::open(Options { max_pending: MAX_PENDING, writing, ..home.options() }).unwrap()
    }
}

impl StoreUnderTest for OnFiles {
    fn store(&self) -> Arc<dyn Store> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&*open) as Arc<dyn Store>
    }

    fn clock(&self) -> &FakeClock {
        &self.home.clock
    }

    fn reopen(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Self::open(&self.home, self.writing);
        })
    }

    // Its lock goes with its membership, which the suite has dropped.
    fn kill_host(&self, _: &HostId) {}
}

fn with_a_thread_that_writes() -> impl Future<Output = OnFiles> {
    std::future::ready(OnFiles::new(Writing::Apart))
}

wh_testkit::store_conformance!(with_a_thread_that_writes);

mod in_place {
    use super::*;

    fn without_a_thread_that_writes() -> impl Future<Output = OnFiles> {
        std::future::ready(OnFiles::new(Writing::InPlace))
    }

    wh_testkit::store_conformance!(without_a_thread_that_writes);
}
