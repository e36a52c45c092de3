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

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: (Seq, Fence) = (Seq(1), Fence(1));

    fn percent(percent: f64) -> Progress {
        Progress { percent: Some(percent), ..Progress::default() }
    }

    fn note(progress: Option<f64>, checkpoint: Option<&str>) -> Note {
        let (seq, fence) = FIRST;
        Note { seq, fence, progress: progress.map(percent), checkpoint: checkpoint.map(Into::into) }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_latest_of_each_attempt_is_kept_and_taken_once() {
        let notes = Notebook::default();
        for nth in [1.0, 2.0, 3.0] {
            notes.progress(FIRST.0, FIRST.1, percent(nth));
        }
        notes.checkpoint(FIRST.0, FIRST.1, "\"half\"".into());
        notes.progress(Seq(2), Fence(1), percent(9.0));
        notes.changed().await;
        assert_eq!(notes.take_of(Seq(2), Fence(1)).unwrap().progress, Some(percent(9.0)));
        assert_eq!(notes.take_of(Seq(2), Fence(1)), None);
        assert_eq!(notes.take(), [note(Some(3.0), Some("\"half\""))]);
        assert_eq!(notes.take(), []);
    }

    #[test]
    fn what_is_put_back_gives_way_to_what_is_newer() {
        for (newer, old, kept) in [
            (None, note(Some(1.0), Some("1")), note(Some(1.0), Some("1"))),
            (Some(note(Some(2.0), None)), note(Some(1.0), Some("1")), note(Some(2.0), Some("1"))),
            (Some(note(None, Some("2"))), note(Some(1.0), Some("1")), note(Some(1.0), Some("2"))),
            (Some(note(Some(2.0), Some("2"))), note(Some(1.0), Some("1")), note(Some(2.0), Some("2"))),
        ] {
            let notes = Notebook::default();
            notes.put_back(newer.into_iter().collect());
            notes.put_back(vec![old]);
            assert_eq!(notes.take(), [kept]);
        }
    }
}
