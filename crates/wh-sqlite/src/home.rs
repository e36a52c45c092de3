//! Where the data directory is made that nobody chose a place for: apart from the project, which then holds a link to it.
//!
//! Whoever may list a directory may list all below it: of a project that holds the data directory, an isolated worker
//! can list nothing, and Python finds no module. The link has everybody who uses the configuration find the same tasks,
//! whichever user they are.

use crate::open_error::OpenError;
use crate::place::{parent_of, private_dir, private_file, sync_dir};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// So many data directories of projects with the same name are told apart.
const MOST_NAMESAKES: u32 = 1_000;

/// No path is longer.
const LONGEST: u64 = 4_096;

/// In each directory that was made for a project: the project's path.
const OWNER: &str = "project.path";

/// Makes the data directory, so that it is still there after a power cut; where there is a `state_home`, in there, with
/// `data_dir` as a link to it. One that is there stays as it is.
///
/// It is made at `data_dir` itself where `state_home` lies on another file system, which may not last as long as the
/// project's, as in containers; or within the project; or where nothing can be made in it.
///
/// # Errors
/// Where it cannot be made, or `data_dir` is a link that leads nowhere, or to the directory of another project.
pub fn make_data_dir(data_dir: &Path, state_home: Option<&Path>) -> Result<(), OpenError> {
    let failed = |error| OpenError::io(format!("make {}", data_dir.display()), &error);
    match fs::symlink_metadata(data_dir) {
        Ok(found) if found.is_symlink() => {
            leads_to_its_own(data_dir)?;
            // Whoever made it a moment ago may not have come as far as this.
            return sync_dir(parent_of(data_dir)).map_err(failed);
        }
        Ok(_) => return Ok(()),
        Err(_) => {}
    }
    if let Some(state_home) = state_home
        && settle(data_dir, state_home).map_err(failed)?
    {
        return leads_to_its_own(data_dir);
    }
    make_here(data_dir).map_err(failed)
}

fn make_here(data_dir: &Path) -> io::Result<()> {
    if private_dir(data_dir)? { sync_dir(parent_of(data_dir)) } else { Ok(()) }
}

/// A link that leads nowhere is no reason to begin anew: tasks were acknowledged behind it. One that was copied with its project
/// would have two projects carry each other's tasks.
fn leads_to_its_own(link: &Path) -> Result<(), OpenError> {
    let Ok(to) = fs::canonicalize(link) else {
        return match fs::metadata(link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let to = fs::read_link(link).unwrap_or_default();
                Err(OpenError::Astray { link: link.to_owned(), to })
            }
            // Opening it says what is wrong.
            _ => Ok(()),
        };
    };
    let Some(owner) = owner(&to) else { return Ok(()) };
    let is_own = fs::canonicalize(parent_of(link)).is_ok_and(|project| project == owner);
    // One that was moved has left nothing behind.
    let is_shared = || {
        let theirs = owner.join(link.file_name().unwrap_or_default());
        fs::canonicalize(theirs).is_ok_and(|theirs| theirs == to)
    };
    if !is_own && is_shared() {
        return Err(OpenError::Copied { link: link.to_owned(), owner });
    }
    Ok(())
}

/// Makes a directory in `state_home` and the link to it; false where that is no place for it.
fn settle(data_dir: &Path, state_home: &Path) -> io::Result<bool> {
    let Ok(project) = fs::canonicalize(parent_of(data_dir)) else { return Ok(false) };
    if private_dir(state_home).is_err() {
        return Ok(false);
    }
    let Ok(home) = fs::canonicalize(state_home) else { return Ok(false) };
    if home.starts_with(&project) || fs::metadata(&home)?.dev() != fs::metadata(&project)?.dev() {
        return Ok(false);
    }
    let Some(made) = make_own(&home, &project)? else { return Ok(false) };
    for directory in [&made, &home, parent_of(&home)] {
        sync_dir(directory)?;
    }
    match symlink(&made, data_dir) {
        Ok(()) => {}
        // Somebody else's, made at the same moment, is as good; this one is taken by the next who looks for one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    sync_dir(&project).map(|()| true)
}

/// A new directory, with a name that says whose it is, or the one of an earlier try that did not come as far as the link;
/// `None` where it cannot be made.
fn make_own(home: &Path, project: &Path) -> io::Result<Option<PathBuf>> {
    let name = project.file_name().unwrap_or("root".as_ref());
    for number in 1..=MOST_NAMESAKES {
        let mut name = OsString::from(name);
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let path = home.join(name);
        match private_dir(&path) {
            Ok(true) => {
                let mut file = private_file(&path.join(OWNER))?;
                file.write_all(project.as_os_str().as_bytes())?;
                file.sync_all()?;
                return Ok(Some(path));
            }
            Ok(false) if is_left_over(&path, project) => return Ok(Some(path)),
            Ok(false) => {}
            Err(_) => return Ok(None),
        }
    }
    Err(io::Error::other(format!("{} holds {MOST_NAMESAKES} directories of that name", home.display())))
}

/// Whether it was made for this project, and nothing was ever put into it.
fn is_left_over(path: &Path, project: &Path) -> bool {
    let is_alone = || fs::read_dir(path).is_ok_and(|entries| entries.count() == 1);
    owner(path).is_some_and(|owner| owner == project) && is_alone()
}

fn owner(path: &Path) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    File::open(path.join(OWNER)).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    (!bytes.is_empty()).then(|| PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project, and a home for what nobody chose a place for.
    fn ground() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (project, home) = (dir.path().join("shop"), dir.path().join("state/workerhost"));
        fs::create_dir(&project).unwrap();
        (dir, project.join(".workerhost"), home)
    }

    #[test]
    fn a_data_directory_that_nobody_chose_a_place_for_lies_apart_from_the_project_that_links_to_it() {
        let (_dir, data_dir, home) = ground();
        for _ in 0..2 {
            make_data_dir(&data_dir, Some(&home)).unwrap();
            assert_eq!(fs::canonicalize(&data_dir).unwrap(), fs::canonicalize(home.join("shop")).unwrap());
        }
        assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
    }

    #[test]
    fn a_second_project_of_the_same_name_gets_its_own() {
        let (dir, data_dir, home) = ground();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        let other = dir.path().join("other/shop");
        fs::create_dir_all(&other).unwrap();
        make_data_dir(&other.join(".workerhost"), Some(&home)).unwrap();
        assert!(fs::read_link(other.join(".workerhost")).unwrap().ends_with("shop-2"));
    }

    #[test]
    fn one_that_is_there_stays_where_it_is() {
        let (_dir, data_dir, home) = ground();
        fs::create_dir(&data_dir).unwrap();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        assert!(!fs::symlink_metadata(&data_dir).unwrap().is_symlink() && !home.exists());
    }

    #[test]
    fn it_lies_in_the_project_where_the_home_is_within_it_or_cannot_be_made_or_is_on_another_file_system() {
        let (dir, data_dir, _) = ground();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let within = dir.path().join("shop/state");
        for home in [within, file.join("state"), PathBuf::from("/proc/self"), PathBuf::from("/dev/shm")] {
            make_data_dir(&data_dir, Some(&home)).unwrap();
            assert!(fs::symlink_metadata(&data_dir).unwrap().is_dir(), "{}", home.display());
            fs::remove_dir(&data_dir).unwrap();
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused_and_nothing_is_made() {
        let (_dir, data_dir, home) = ground();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        fs::remove_dir_all(home.join("shop")).unwrap();
        let error = make_data_dir(&data_dir, Some(&home)).unwrap_err();
        assert!(matches!(error, OpenError::Astray { .. }), "{error}");
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
    }

    #[test]
    fn of_several_that_make_it_at_once_all_get_the_same() {
        let (_dir, data_dir, home) = ground();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| make_data_dir(&data_dir, Some(&home)).unwrap());
            }
        });
        assert!(data_dir.is_dir());
        // Nobody who asks from now on makes another one.
        let made = fs::read_dir(&home).unwrap().count();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        assert_eq!(fs::read_dir(&home).unwrap().count(), made);
    }

    #[test]
    fn one_that_was_made_and_not_linked_to_is_taken_by_the_next_try() {
        let (_dir, data_dir, home) = ground();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        fs::remove_file(&data_dir).unwrap();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
        fs::remove_file(&data_dir).unwrap();
        fs::write(home.join("shop/tasks.db"), "tasks").unwrap();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        assert!(
            fs::read_link(&data_dir).unwrap().ends_with("shop-2"),
            "what holds tasks is nobody's to take"
        );
    }

    #[test]
    fn a_link_that_was_copied_with_its_project_is_refused_and_one_that_moved_with_it_is_not() {
        let (dir, data_dir, home) = ground();
        make_data_dir(&data_dir, Some(&home)).unwrap();
        let copy = dir.path().join("copy");
        fs::create_dir(&copy).unwrap();
        symlink(fs::read_link(&data_dir).unwrap(), copy.join(".workerhost")).unwrap();
        let error = make_data_dir(&copy.join(".workerhost"), Some(&home)).unwrap_err();
        assert!(matches!(&error, OpenError::Copied { owner, .. } if owner.ends_with("shop")), "{error}");
        fs::remove_dir_all(dir.path().join("shop")).unwrap();
        make_data_dir(&copy.join(".workerhost"), Some(&home)).unwrap();
    }
}
