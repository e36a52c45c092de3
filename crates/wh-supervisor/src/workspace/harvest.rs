//! After an attempt: what was used of the tree is put into the place of finished work, and the tree is clean again.

use crate::hindrance::in_words;
use crate::workspace::beneath::{self, PRIVATE_DIRECTORY};
use crate::workspace::heartbeat::Heartbeat;
use crate::workspace::marker::{FINISHED, kept_names};
use crate::workspace::place::{CACHE, CHILDREN, Place};
use crate::workspace::records::{self, Facts};
use crate::workspace::remove;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, RenameFlags, mkdirat, renameat_with, unlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io;
use wh_domain::attempt::Outcome;
use wh_domain::failure::FailureClass;
use wh_domain::time::Timestamp;

/// What was kept.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    /// Where, relative to the data directory; `None` where there was nothing.
    pub(crate) kept: Option<Box<str>>,
    /// Whether the tree is there, and clean.
    pub(crate) is_clean: bool,
    /// What went wrong.
    pub(crate) warnings: Vec<Box<str>>,
}

impl Harvest {
    fn warn(&mut self, what: &str, error: &io::Error) {
        self.warnings.push(format!("{what}: {}", in_words(error)).into());
    }
}

/// The directory among the finished ones that an attempt's files go to, from one try to the next.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Option<String>);

/// Whether nothing is to be kept, found out at the price of a few looks. The tree is clean then.
pub(crate) fn is_untouched(place: &mut Place, heartbeat: &Heartbeat, facts: (Outcome, Timestamp)) -> bool {
    let (outcome, ended_at) = facts;
    let nothing = place.used(heartbeat.look()) == Some([false; 4]);
    !ran_short(outcome) && nothing && (!heartbeat.has_beaten() || place.write_progress(ended_at).is_ok())
}

/// Keeps what was used and cleans the tree. May take as long as there are files.
///
/// # Errors
/// What was used could not be put away, or not all of it, so nothing was cleaned. It may be tried again.
pub(crate) fn harvest(
    place: &mut Place,
    heartbeat: &mut Heartbeat,
    facts: &Facts<'_>,
    shelf: &mut Shelf,
) -> io::Result<Harvest> {
    let mut harvest = Harvest::default();
    let used = place.used(heartbeat.look()).unwrap_or([true; 4]);
    let mut is_whole = false;
    if used != [false; 4] || shelf.0.is_some() {
        heartbeat.beat(facts.status(), facts.progress, facts.ended_at.since(facts.started_at));
        let finished = beneath::make_directory(&place.data_dir, FINISHED)?;
        // Nothing is written before all is in its new place: to move it takes no room, and room may have run out.
        if let Err(error) = put_away(place, used, &finished, facts, shelf) {
            put_away_whole(place, &finished, facts, shelf).map_err(|_| error)?;
            is_whole = true;
        }
        complete(place, (is_whole, used[1]), &finished, facts, shelf, &mut harvest);
    }
    if is_whole {
        return Ok(harvest);
    }
    if ran_short(facts.outcome)
        && let Err(error) =
            beneath::directory(&place.root, c"working").and_then(|working| remove::tree(working, CACHE))
    {
        harvest.warn("its cache could not be cleared", &error);
    }
    match place.clean(facts.ended_at) {
        Ok(()) => harvest.is_clean = true,
        Err(error) => harvest.warn("its workspace could not be cleaned", &error),
    }
    Ok(harvest)
}

/// Whether a resource ran short: then the cache goes too.
fn ran_short(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed { class: FailureClass::Resource, .. })
}

/// Moves what was used to a directory of the attempt's own.
fn put_away(
    place: &Place,
    used: [bool; 4],
    finished: &OwnedFd,
    facts: &Facts<'_>,
    shelf: &mut Shelf,
) -> io::Result<()> {
    if shelf.0.is_none() {
        shelf.0 = Some(take_name(facts, |name| mkdirat(finished, name, PRIVATE_DIRECTORY))?);
    }
    let to = shelf_of(finished, shelf)?;
    for (child, used) in CHILDREN.into_iter().zip(used) {
        // The host's own records are in the output.
        if (used || child == c"output") && is_directory(place, child) {
            move_directory(place, child, &to)?;
        }
    }
    Ok(())
}

/// Moves the whole tree, where there is not even room for a directory.
fn put_away_whole(place: &Place, finished: &OwnedFd, facts: &Facts<'_>, shelf: &mut Shelf) -> io::Result<()> {
    if let Some(name) = &shelf.0 {
        // Refused where some of it has been moved already.
        unlinkat(finished, CString::new(name.as_str())?, AtFlags::REMOVEDIR)?;
        shelf.0 = None;
    }
    let tree = place.seen_from_its_root();
    let name =
        take_name(facts, |name| renameat_with(&place.root, &tree, finished, name, RenameFlags::NOREPLACE))?;
    shelf.0 = Some(name);
    Ok(())
}

/// Has the first name taken that is free.
fn take_name(facts: &Facts<'_>, mut take: impl FnMut(&CStr) -> Result<(), Errno>) -> io::Result<String> {
    let claim = &facts.assignment.claim;
    for name in kept_names(claim.seq, claim.fence) {
        match take(&CString::new(name.as_str())?) {
            Ok(()) => return Ok(name),
            Err(Errno::EXIST | Errno::NOTEMPTY) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::EXIST.into())
}

fn shelf_of(finished: &OwnedFd, shelf: &Shelf) -> io::Result<OwnedFd> {
    let name = shelf.0.as_deref().ok_or(io::ErrorKind::NotFound)?;
    beneath::directory(finished, &CString::new(name)?)
}

/// What is wanted beside the files that are in their new place. None of it is worth them.
fn complete(
    place: &Place,
    (is_whole, has_worked): (bool, bool),
    finished: &OwnedFd,
    facts: &Facts<'_>,
    shelf: &Shelf,
    harvest: &mut Harvest,
) {
    harvest.kept = shelf.0.as_ref().map(|name| format!("finished/{name}").into());
    let to = match shelf_of(finished, shelf) {
        Ok(to) => to,
        Err(error) => return harvest.warn("its records could not be written", &error),
    };
    let cache = if is_whole {
        beneath::directory(&to, c"working").and_then(|working| remove::tree(working, CACHE))
    } else if has_worked {
        rescue_cache(place, &to)
    } else {
        Ok(())
    };
    if let Err(error) = cache {
        harvest.warn("its cache could not be kept apart", &error);
    }
    let Ok(output) = beneath::directory(&to, c"output") else { return };
    let Err(error) = write_records(&output, facts) else { return };
    if facts.outcome == Outcome::Succeeded || !is_full(&error) {
        return harvest.warn("its records could not all be written", &error);
    }
    // Whoever has failed on a full disk may have filled it, and would leave no room to all who follow.
    harvest.warn("its files could not be kept", &error);
    harvest.kept = None;
    let name = shelf.0.as_deref().map(CString::new);
    if let Some(Ok(name)) = name
        && let Err(error) = remove::tree(finished, &name)
    {
        harvest.warn("not all of its files could be removed", &error);
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
}

fn write_records(output: &OwnedFd, facts: &Facts<'_>) -> io::Result<()> {
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

/// Whether it is one, also where its mode keeps it closed.
fn is_directory(within: &Place, child: &CStr) -> bool {
    beneath::look(&within.root, child)
        .is_some_and(|about| FileType::from_raw_mode(about.st_mode) == FileType::Directory)
}

fn move_directory(from: &Place, child: &CStr, to: &OwnedFd) -> io::Result<()> {
    let rename = || renameat_with(&from.root, child, to, child, RenameFlags::NOREPLACE);
    match rename() {
        // Its own `..` changes, so it has to be open to its owner.
        Err(Errno::ACCESS) => {
            remove::enter(from.root.as_fd(), child)?;
            Ok(rename()?)
        }
        renamed => Ok(renamed?),
    }
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
