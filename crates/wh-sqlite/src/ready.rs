//! What must hold of the data directory before anything is opened in it.

use crate::filesystem::refuse_networked;
use crate::open_error::OpenError;
use crate::options::Options;
use crate::place::Place;

/// Makes the data directory and refuses one that cannot carry a database.
pub(crate) fn prepared_place(options: &Options) -> Result<Place, OpenError> {
    let place = Place { data_dir: options.data_dir.clone(), database: options.database.clone() };
    place.prepare().map_err(|error| OpenError::io(format!("make {}", place.data_dir.display()), &error))?;
    if !options.force_network_fs {
        refuse_networked(&place.data_dir)?;
        let beside = options.database.parent().filter(|dir| !dir.as_os_str().is_empty());
        beside.map_or(Ok(()), refuse_networked)?;
    }
    Ok(place)
}
