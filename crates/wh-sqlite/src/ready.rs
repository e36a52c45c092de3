//! What must hold of the data directory before anything is opened in it.

use crate::filesystem::refuse_networked;
use crate::home::make_data_dir;
use crate::marker;
use crate::open_error::OpenError;
use crate::options::Options;
use crate::place::Place;
use crate::steps::Steps;

/// Makes the data directory and refuses one that cannot carry this database.
pub(crate) fn prepared_place(options: &Options) -> Result<Place, OpenError> {
    let place = Place { data_dir: options.data_dir.clone(), database: options.database.clone() };
    marker::check_place(&place)?;
    make_data_dir(&place.data_dir, options.state_home.as_deref())?;
    if !options.force_network_fs {
        refuse_networked(&place.data_dir)?;
    }
    marker::claim(&place, &Steps(options.on_step.clone()))?;
    Ok(place)
}
