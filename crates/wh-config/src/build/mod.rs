//! From checked keys to domain values; what only makes sense together is checked here.

mod host;
mod program;
mod retry;
mod surroundings;
mod timeout;
mod worker;

pub(crate) use surroundings::Surroundings;

use crate::config::Config;
use crate::report::Report;
use crate::value::Block;

/// Builds everything, as far as the values allow; `None` when something is missing, which has been reported.
pub(crate) fn config(mut root: Block, around: &Surroundings<'_>, report: &mut Report) -> Option<Config> {
    for key in ["workers", "worker"] {
        for worker in root.inner_mut(key) {
            retry::unite_attempts(worker, report);
        }
    }
    let workers = worker::all(&root, around, report);
    let data_dir = around.path(&root, "data_dir");
    let store = host::store(&root, data_dir.as_deref(), around, report);
    let lease = host::lease(&root, report);
    Some(Config {
        workers,
        store: store?,
        data_dir: data_dir?,
        host: host::host(&root)?,
        queue: host::queue(&root)?,
        retention: host::retention(&root)?,
        lease: lease?,
        logging: host::logging(&root, around)?,
        effective: root,
    })
}
