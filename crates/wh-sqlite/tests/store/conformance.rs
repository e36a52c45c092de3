//! Every promise of every store, kept by this one.

use crate::kit::Home;
use std::sync::{Arc, Mutex, PoisonError};
use wh_domain::id::HostId;
use wh_ports::answer::BoxFuture;
use wh_ports::store::Store;
use wh_sqlite::{Options, SqliteStore};
use wh_testkit::clock::FakeClock;
use wh_testkit::conformance::{MAX_PENDING, StoreUnderTest};

struct OnFiles {
    home: Home,
    open: Mutex<Arc<SqliteStore>>,
}

impl OnFiles {
    fn open(home: &Home) -> Arc<SqliteStore> {
        SqliteStore::open(Options { max_pending: MAX_PENDING, ..home.options() }).unwrap()
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
            *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Self::open(&self.home);
        })
    }

    // Its lock goes with its membership, which the suite has dropped.
    fn kill_host(&self, _: &HostId) {}
}

fn fresh_store() -> impl Future<Output = OnFiles> {
    let home = Home::new();
    let open = Mutex::new(OnFiles::open(&home));
    std::future::ready(OnFiles { home, open })
}

wh_testkit::store_conformance!(fresh_store);
