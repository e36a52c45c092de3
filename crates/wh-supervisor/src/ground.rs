//! The files of an attempt: its workspace, or where it may write without one.

use crate::briefing;
use crate::hindrance;
use crate::seat::Seat;
use crate::workspace::place::Place;
use crate::workspace::scratch::Scratch;
use crate::workspace::stage;
use rustix::fd::OwnedFd;
use std::io;
use std::path::Path;
use std::sync::Arc;
use wh_domain::ending::Hindrance;
use wh_domain::isolation::Level;
use wh_domain::time::Timestamp;
use wh_domain::worker::Workspace;
use wh_ports::runner::Assignment;

/// The files of an attempt.
#[derive(Default)]
pub(crate) struct Ground {
    pub(crate) place: Option<Place>,
    /// Where an isolated worker without a workspace may write.
    pub(crate) scratch: Option<Scratch>,
    /// Size and digest of `input/params.json`, where there is one.
    pub(crate) digest: Option<(u64, String)>,
}

impl Ground {
    /// Lays out the workspace, if there is to be one. A tree that is not given back is cleaned before it is used again,
    /// so what was laid into it before something went wrong is in nobody's way.
    pub(crate) async fn prepare(
        data_dir: &Path,
        seat: &Seat,
        assignment: &Arc<Assignment>,
        wall: Timestamp,
    ) -> Result<Self, Hindrance> {
        briefing::refuse_bytes(assignment)?;
        if assignment.worker.workspace == Workspace::None {
            return Ok(Self { scratch: scratch(data_dir, seat, assignment).await?, ..Self::default() });
        }
        let place = seat.take_place(assignment.slot, &assignment.worker, assignment.stream);
        let brings_files = !assignment.claim.inputs.is_empty() || briefing::params_file(assignment).is_some();
        if let Some(place) = place {
            if !brings_files {
                mark(&place, assignment)?;
                return Ok(Self { place: Some(place), ..Self::default() });
            }
            let assignment = Arc::clone(assignment);
            return aside(move || stage_all(place, &assignment)).await;
        }
        let (data_dir, assignment) = (data_dir.to_owned(), Arc::clone(assignment));
        aside(move || {
            let whose = (assignment.slot, &*assignment.worker, assignment.stream);
            let place = Place::make(&data_dir, whose, wall);
            let place = place.map_err(|error| hindrance::host("its workspace could not be made", &error))?;
            stage_all(place, &assignment)
        })
        .await
    }

    /// Where all lies that is the attempt's own.
    pub(crate) fn root(&self) -> Option<Arc<OwnedFd>> {
        let scratch = || self.scratch.as_ref().map(Scratch::directory);
        self.place.as_ref().map(|place| Arc::clone(&place.root)).or_else(scratch)
    }

    /// All that is the attempt's own, and where temporary files go.
    pub(crate) fn home(&self) -> Option<(&Path, &Path)> {
        let scratch = || self.scratch.as_ref().map(|scratch| (scratch.path(), scratch.path()));
        self.place.as_ref().map(Place::home).or_else(scratch)
    }
}

/// The scratch directory of a worker that could write nowhere otherwise.
async fn scratch(
    data_dir: &Path,
    seat: &Seat,
    assignment: &Arc<Assignment>,
) -> Result<Option<Scratch>, Hindrance> {
    if assignment.worker.isolation.level == Level::None {
        return Ok(None);
    }
    if let Some(scratch) = seat.take_scratch() {
        return Ok(Some(scratch));
    }
    let (data_dir, assignment) = (data_dir.to_owned(), Arc::clone(assignment));
    aside(move || {
        let whose = (assignment.slot, &assignment.worker.name, assignment.stream);
        let made = Scratch::make(&data_dir, whose);
        made.map(Some)
            .map_err(|error| hindrance::host("its directory for temporary files could not be made", &error))
    })
    .await
}

fn stage_all(place: Place, assignment: &Assignment) -> Result<Ground, Hindrance> {
    mark(&place, assignment)?;
    stage::inputs(&place, &assignment.claim.inputs)?;
    let digest = briefing::params_file(assignment).map(|params| stage::params(&place, &params));
    Ok(Ground { digest: digest.transpose()?, place: Some(place), scratch: None })
}

fn mark(place: &Place, assignment: &Assignment) -> Result<(), Hindrance> {
    let marked = place.mark((assignment.claim.seq, assignment.claim.fence));
    marked.map_err(|error| hindrance::host("its workspace could not be marked", &error))
}

/// Does what may take long on another thread.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Hindrance> + Send + 'static,
) -> Result<T, Hindrance> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(hindrance::host("it could not be prepared", &io::Error::other(error))))
}
