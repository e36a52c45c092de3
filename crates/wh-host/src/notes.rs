//! What workers say while they work, kept for others to see: the latest of each attempt, at most once a second.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use wh_domain::attempt::Progress;
use wh_domain::id::{Fence, Seq};
use wh_ports::claims::Note;

/// How often the latest progress of an attempt is kept at most.
pub(crate) const KEEP_EVERY: Duration = Duration::from_secs(1);

/// At most one entry per attempt that runs or is not settled yet, so bounded by twice the host's streams.
#[derive(Default)]
pub(crate) struct Notebook {
    latest: Mutex<BTreeMap<(Seq, Fence), Note>>,
    changed: Notify,
}

impl Notebook {
    pub(crate) fn progress(&self, seq: Seq, fence: Fence, progress: Progress) {
        self.edit(seq, fence, |note| note.progress = Some(progress));
    }

    pub(crate) fn checkpoint(&self, seq: Seq, fence: Fence, data: Box<str>) {
        self.edit(seq, fence, |note| note.checkpoint = Some(data));
    }

    /// Takes what is to be kept; forgets it here.
    pub(crate) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut *self.latest.lock().unwrap_or_else(PoisonError::into_inner))
            .into_values()
            .collect()
    }

    /// Puts back what could not be kept, where nothing newer has come meanwhile.
    pub(crate) fn put_back(&self, notes: Vec<Note>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        for old in notes {
            match latest.entry((old.seq, old.fence)) {
                Entry::Vacant(place) => drop(place.insert(old)),
                Entry::Occupied(mut newer) => {
                    let newer = newer.get_mut();
                    newer.progress = newer.progress.take().or(old.progress);
                    newer.checkpoint = newer.checkpoint.take().or(old.checkpoint);
                }
            }
        }
    }

    /// Takes what one attempt left.
    pub(crate) fn take_of(&self, seq: Seq, fence: Fence) -> Option<Note> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).remove(&(seq, fence))
    }

    /// Returns when something has been noted since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn edit(&self, seq: Seq, fence: Fence, change: impl FnOnce(&mut Note)) {
        let mut notes = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        change(notes.entry((seq, fence)).or_insert(Note { seq, fence, progress: None, checkpoint: None }));
        drop(notes);
        self.changed.notify_one();
    }
}
