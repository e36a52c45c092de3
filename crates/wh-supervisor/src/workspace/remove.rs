//! Removing whatever a worker has left, in bounded memory and depth: a hundred thousand files, directories nested
//! without end, directories that their owner may not enter.

use crate::workspace::beneath::{self, Entry};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, OFlags, RenameFlags, openat, renameat_with, unlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io;

/// How many entries are looked at in one go.
const BATCH: usize = 1_024;

/// Removes everything in a directory but what is named in `keep`. The error is the first that could not be got
/// around; all else is gone.
pub(crate) fn empty(directory: impl AsFd, keep: &[&CStr]) -> io::Result<()> {
    let directory = directory.as_fd();
    let mut lifted = 0;
    let mut trouble = None;
    loop {
        let mut is_worth_another_look = false;
        // Those that are kept may fill a batch, so it is larger by as many.
        for Entry { name, kind } in beneath::entries(directory, BATCH + keep.len())? {
            if keep.contains(&name.as_c_str()) {
                continue;
            }
            match remove(directory, &name, kind, &mut lifted) {
                Ok(()) => is_worth_another_look = true,
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        if !is_worth_another_look {
            return trouble.map_or(Ok(()), Err);
        }
    }
}

/// Removes one thing, whatever it is.
pub(crate) fn tree(within: impl AsFd, name: &CStr) -> io::Result<()> {
    let within = within.as_fd();
    let Some(about) = beneath::look(within, name) else { return Ok(()) };
    if FileType::from_raw_mode(about.st_mode) != FileType::Directory {
        return Ok(unlinkat(within, name, AtFlags::empty())?);
    }
    empty(enter(within, name)?, &[])?;
    Ok(unlinkat(within, name, AtFlags::REMOVEDIR)?)
}

/// Removes something in `top`. The directories in a directory are lifted into `top` first, to be found there by the
/// next look, so nothing is ever followed into its depth.
fn remove(top: BorrowedFd<'_>, name: &CStr, kind: FileType, lifted: &mut u64) -> io::Result<()> {
    if kind != FileType::Directory {
        return Ok(unlinkat(top, name, AtFlags::empty())?);
    }
    match unlinkat(top, name, AtFlags::REMOVEDIR) {
        Ok(()) => return Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let inside = enter(top, name)?;
    loop {
        let entries = beneath::entries(&inside, BATCH)?;
        if entries.is_empty() {
            return Ok(unlinkat(top, name, AtFlags::REMOVEDIR)?);
        }
        for Entry { name, kind } in entries {
            if kind != FileType::Directory {
                unlinkat(&inside, &name, AtFlags::empty())?;
            } else if unlinkat(&inside, &name, AtFlags::REMOVEDIR).is_err() {
                lift(&inside, &name, top, lifted)?;
            }
        }
    }
}

fn lift(inside: &OwnedFd, name: &CStr, top: BorrowedFd<'_>, lifted: &mut u64) -> io::Result<()> {
    loop {
        *lifted += 1;
        let new = CString::new(format!(".wh-lifted-{lifted}"))?;
        match renameat_with(inside, name, top, &new, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST) => {}
            // A directory can be moved only where it may be written to, for its own `..` changes.
            Err(Errno::ACCESS) => drop(enter(inside.as_fd(), name)?),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens a directory, taking the right to do so first where its mode refuses it.
pub(crate) fn enter(within: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = openat(within, name, flags, rustix::fs::Mode::empty())?;
    // By way of the descriptor, so that the mode of this very directory is changed, whatever has its name by now.
    let itself = format!("/proc/self/fd/{}", rustix::fd::AsRawFd::as_raw_fd(&held));
    rustix::fs::chmod(itself, beneath::PRIVATE_DIRECTORY).ok();
    beneath::directory(within, name)
}

#[cfg(test)]
mod unit {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn open(path: &Path) -> OwnedFd {
        std::fs::File::open(path).unwrap().into()
    }

    #[test]
    fn whatever_was_planted_goes_and_what_it_pointed_to_stays() {
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("victim");
        std::fs::write(&victim, "safe").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::os::unix::fs::symlink(outside.path(), at("link")).unwrap();
        std::fs::hard_link(&victim, at("hard")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), beneath::PRIVATE_DIRECTORY).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::fs::write(at("new\nline"), "x").unwrap();
        std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "x").unwrap();
        std::fs::write(at(&"x".repeat(255)), "x").unwrap();
        std::fs::create_dir_all(at("a/b/c")).unwrap();
        std::fs::write(at("a/b/c/file"), "x").unwrap();
        std::os::unix::fs::symlink("/", at("a/b/root")).unwrap();
        for dir in ["a/b/c", "a/b", "a"] {
            std::fs::set_permissions(at(dir), std::fs::Permissions::from_mode(0o000)).unwrap();
        }
        std::fs::create_dir(at("kept")).unwrap();
        empty(open(dir.path()), &[c"kept"]).unwrap();
        let left: Vec<_> = dir.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["kept"]);
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "safe");
    }

    #[test]
    fn a_chain_of_directories_longer_than_any_path_goes() {
        let dir = tempfile::tempdir().unwrap();
        let mut at = open(dir.path());
        for _ in 0..5_000 {
            at = beneath::make_directory(&at, c"deeper").unwrap();
        }
        empty(open(dir.path()), &[]).unwrap();
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn more_entries_than_one_batch_go() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("many")).unwrap();
        for number in 0..=BATCH * 2 {
            std::fs::write(dir.path().join(format!("many/{number}")), "").unwrap();
            std::fs::write(dir.path().join(number.to_string()), "").unwrap();
        }
        empty(open(dir.path()), &[]).unwrap();
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        tree(open(dir.path().parent().unwrap()), c"no-such-thing").unwrap();
    }
}
