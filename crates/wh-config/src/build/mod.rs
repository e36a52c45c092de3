//! From checked keys to domain values; what only makes sense together is checked here.

mod host;
mod isolation;
mod outputs;
mod place;
mod program;
mod retry;
mod surroundings;
mod timeout;
mod worker;

pub(crate) use place::place;
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
    let place = place(&mut root, around, report);
    let lease = host::lease(&root, report);
    let place = place?;
    place::warn_of_what_cannot_be_listed(&root, &place, &workers, report);
    Some(Config {
        workers,
        store: place.store,
        data_dir: place.data_dir,
        is_data_dir_chosen: place.is_chosen,
        state_home: place.state_home,
        host: host::host(&root)?,
        queue: host::queue(&root)?,
        retention: host::retention(&root)?,
        lease: lease?,
        logging: host::logging(&root, around)?,
        effective: root,
    })
}
