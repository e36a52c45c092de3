//! After an attempt: what was used of the tree is put into the place of finished work, and the tree is clean again.

use crate::workspace::beneath;
use crate::workspace::heartbeat::Heartbeat;
use crate::workspace::marker::attempt_name;
use crate::workspace::place::{CACHE, CHILDREN, Place};
use crate::workspace::records::{self, Facts};
use crate::workspace::remove;
use rustix::fd::OwnedFd;
use rustix::fs::{RenameFlags, renameat_with};
use std::ffi::{CStr, CString};
use std::io;
use std::time::Duration;
use wh_domain::attempt::Outcome;
use wh_domain::failure::FailureClass;
use wh_domain::time::Timestamp;

/// Where kept files are, in the data directory.
pub(crate) const FINISHED: &CStr = c"finished";

/// What was kept.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    /// Where, relative to the data directory; `None` where there was nothing.
    pub(crate) kept: Option<Box<str>>,
    /// What went wrong.
    pub(crate) warnings: Vec<Box<str>>,
}

/// Whether nothing is to be kept, found out at the price of a few looks. The tree is clean then.
pub(crate) fn is_untouched(place: &mut Place, heartbeat: &Heartbeat, facts: (Outcome, Timestamp)) -> bool {
    let (outcome, ended_at) = facts;
    let nothing = place.used(heartbeat.look()) == Some([false; 4]);
    !ran_short(outcome) && nothing && (!heartbeat.has_beaten() || place.write_progress(ended_at).is_ok())
}

/// Keeps what was used and cleans the tree. May take as long as there are files.
pub(crate) fn harvest(place: &mut Place, heartbeat: &mut Heartbeat, facts: &Facts<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    match keep(place, heartbeat, facts) {
        Ok(kept) => harvest.kept = kept,
        Err(error) => harvest.warnings.push(format!("its files could not all be kept: {error}").into()),
    }
    if ran_short(facts.outcome)
        && let Err(error) =
            beneath::directory(&place.root, c"working").and_then(|working| remove::tree(working, CACHE))
    {
        harvest.warnings.push(format!("its cache could not be cleared: {error}").into());
    }
    if let Err(error) = place.clean(facts.ended_at) {
        harvest.warnings.push(format!("its workspace could not be cleaned: {error}").into());
    }
    harvest
}

/// Whether a resource ran short: then the cache goes too.
fn ran_short(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed { class: FailureClass::Resource, .. })
}

fn keep(place: &Place, heartbeat: &mut Heartbeat, facts: &Facts<'_>) -> io::Result<Option<Box<str>>> {
    let used = place.used(heartbeat.look()).unwrap_or([true; 4]);
    if used == [false; 4] {
        return Ok(None);
    }
    let claim = &facts.assignment.claim;
    let name = attempt_name(claim.seq, claim.fence);
    let finished = beneath::make_directory(&place.data_dir, FINISHED)?;
    let to = beneath::make_directory(&finished, &CString::new(name.as_str())?)?;
    let age = facts.ended_at.since(facts.started_at);
    if let Ok(output) = beneath::directory(&place.root, c"output") {
        write_records(&output, heartbeat, facts, age)?;
    }
    for (child, used) in CHILDREN.into_iter().zip(used) {
        // The host's own records are in the output.
        if (used || child == c"output") && is_directory(place, child) {
            renameat_with(&place.root, child, &to, child, RenameFlags::NOREPLACE)?;
        }
    }
    if used[1] {
        rescue_cache(place, &to)?;
    }
    Ok(Some(format!("finished/{name}").into()))
}

fn write_records(
    output: &OwnedFd,
    heartbeat: &mut Heartbeat,
    facts: &Facts<'_>,
    age: Duration,
) -> io::Result<()> {
    heartbeat.beat(facts.status(), facts.progress, age);
    if beneath::look(output, c"results.md").is_none() {
        beneath::write_new(output, c"results.md", records::results(facts).as_bytes())?;
    }
    let metadata = records::metadata(facts, output)?;
    if beneath::regular(output, c"metadata.json").is_ok_and(|file| file.is_some()) {
        // The worker's own stands; the host's has another name.
        beneath::replace(output, c"attempt.json", metadata.as_bytes())?;
    } else {
        remove::tree(output, c"metadata.json")?;
        beneath::replace(output, c"metadata.json", metadata.as_bytes())?;
    }
    Ok(())
}

fn is_directory(place: &Place, child: &CStr) -> bool {
    beneath::directory(&place.root, child).is_ok()
}

/// Moves the cache from where the working directory went to its new one.
fn rescue_cache(place: &Place, to: &OwnedFd) -> io::Result<()> {
    let Ok(old) = beneath::directory(to, c"working") else { return Ok(()) };
    if beneath::directory(&old, CACHE).is_err() {
        return Ok(());
    }
    let new = beneath::make_directory(&place.root, c"working")?;
    Ok(renameat_with(&old, CACHE, &new, CACHE, RenameFlags::NOREPLACE)?)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn only_a_shortage_of_resources_clears_the_cache() {
        for class in FailureClass::ALL {
            let outcome = Outcome::Failed { class, retriable: true };
            assert_eq!(ran_short(outcome), class == FailureClass::Resource);
        }
        assert!(!ran_short(Outcome::Succeeded));
    }
}
