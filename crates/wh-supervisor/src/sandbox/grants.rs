//! What a worker may reach of the file system: the system's programs, its own software, its project and its workspace,
//! and nothing that the host keeps for itself.

use super::places::{DEVICES, MACHINE, SETTINGS, SYSTEM, is_common, is_of_the_kernel};
use super::reach::{Reach, of_the_kernel};
use crate::hindrance;
use crate::wire::{Access, Grant};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use wh_domain::ending::Hindrance;

/// What is known of a worker that is to be kept within its own.
pub(crate) struct Own<'a> {
    /// What is executed.
    pub(crate) program: &'a Path,
    /// Its arguments, with its name.
    pub(crate) argv: &'a [String],
    /// Where it starts.
    pub(crate) directory: &'a Path,
    /// Where it looks for programs.
    pub(crate) path: Option<&'a OsStr>,
    /// Its tree of files.
    pub(crate) workspace: Option<&'a Path>,
    /// What its configuration grants besides, to read and to write.
    pub(crate) granted: (&'a [PathBuf], &'a [PathBuf]),
    /// What the host keeps for itself: granted to nobody, whatever it lies in.
    pub(crate) private: &'a [PathBuf],
}

/// What it may reach, or why that cannot be told.
pub(crate) fn grants(own: &Own<'_>) -> Result<Vec<Grant>, Hindrance> {
    let mut reach = Reach::new(own.private, own.granted.1)?;
    let settings = SETTINGS.iter().map(|name| Path::new("/etc").join(name));
    for path in SYSTEM.iter().chain(&MACHINE).map(PathBuf::from).chain(settings) {
        reach.spread(&path)?;
    }
    for path in DEVICES {
        reach.add(path.into(), Access::Use);
    }
    if !is_common(own.directory) {
        reach.spread(own.directory)?;
    }
    reach.software(&own.directory.join(own.program), own.path)?;
    arguments(&mut reach, own)?;
    for path in own.granted.0 {
        configured(&mut reach, path)?;
    }
    if let Some(workspace) = own.workspace.and_then(|workspace| fs::canonicalize(workspace).ok()) {
        reach.add(workspace, Access::Write);
    }
    reach.told()
}

/// Adds the files among its arguments, and with the first of them, the script, what lies beside it: its modules.
fn arguments(reach: &mut Reach, own: &Own<'_>) -> Result<(), Hindrance> {
    // What a worker may write leads nowhere: it could have put a link there.
    let files = own.argv.iter().skip(1).map(|word| own.directory.join(word));
    let files: Vec<PathBuf> =
        files.filter(|file| file.is_file() && !reach.passes_what_is_written(file)).collect();
    let mut files = files.into_iter();
    if let Some(script) = files.next() {
        if let Some(directory) = script.parent().filter(|directory| !is_common(directory)) {
            reach.spread(directory)?;
        }
        reach.spread(&script)?;
    }
    for file in files {
        reach.spread(&file)?;
    }
    Ok(())
}

/// Adds what the configuration grants to read, or refuses it.
fn configured(reach: &mut Reach, path: &Path) -> Result<(), Hindrance> {
    // What the kernel tells of processes as a whole: it still tells nobody inside of the memory of those outside. Single
    // directories in there may be the guardian's own.
    let is_of_processes = fs::canonicalize(path).is_ok_and(|path| path == Path::new("/proc"));
    if is_of_the_kernel(path) && !is_of_processes {
        return Err(of_the_kernel(path));
    }
    if reach.passes_what_is_written(path) {
        return Err(hindrance::worker(format!(
            "it may not read {} for that alone, because it could put a link there; it can read what it may write",
            path.display()
        )));
    }
    if reach.is_private(path) {
        return Err(hindrance::worker(format!(
            "it may not read {}, which the host keeps for itself",
            path.display()
        )));
    }
    reach.spread(path)
}

#[cfg(test)]
mod tests {
    use super::super::project::project;
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    fn reached(root: &Path) -> Vec<(PathBuf, Access)> {
        let own = Own {
            program: Path::new("/bin/sh"),
            argv: &["sh".to_owned(), "worker.py".to_owned()],
            directory: root,
            path: None,
            workspace: Some(&root.join(".workerhost/work/1/w/stream-1")),
            granted: (&[], &[]),
            private: &[root.join(".workerhost"), root.join("workerhost.yaml")],
        };
        let below = |grant: Grant| {
            let path = PathBuf::from(OsStr::from_bytes(grant.path.as_bytes()));
            path.starts_with(root).then_some((path, grant.access))
        };
        let mut reached: Vec<_> = grants(&own).unwrap().into_iter().filter_map(below).collect();
        reached.sort_by(|one, other| one.0.cmp(&other.0));
        reached
    }

    #[test]
    fn a_project_is_granted_without_the_hosts_own_files_in_it_and_with_the_workers_own_stream() {
        let (_dir, root) = project();
        let expected = [
            (root.join(".workerhost/work/1/w/stream-1"), Access::Write),
            (root.join("lib"), Access::Read),
            (root.join("worker.py"), Access::Read),
        ];
        assert_eq!(reached(&root), expected);
    }

    #[test]
    fn a_grant_of_what_the_host_keeps_for_itself_is_refused_and_not_passed_over() {
        let (_dir, root) = project();
        let own = Own {
            program: Path::new("/bin/sh"),
            argv: &[],
            directory: &root,
            path: None,
            workspace: None,
            granted: (&[root.join("elsewhere/tasks.db")], &[]),
            private: &[root.join(".workerhost")],
        };
        let Hindrance::Worker(why) = grants(&own).unwrap_err() else { panic!("it is the worker's fault") };
        assert!(why.contains("elsewhere/tasks.db, which the host keeps for itself"), "{why}");
    }

    #[test]
    fn what_a_worker_may_write_brings_nothing_else_whatever_link_it_puts_there() {
        let (_dir, root) = project();
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(root.join("out")).unwrap();
        fs::write(outside.path().join("key"), "").unwrap();
        std::os::unix::fs::symlink(outside.path().join("key"), root.join("out/result.json")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("out/state")).unwrap();
        let argv = ["sh", "worker.py", "out/result.json", "out/state/key"].map(str::to_owned);
        let own = Own {
            program: Path::new("/bin/sh"),
            argv: &argv,
            directory: &root,
            path: None,
            workspace: None,
            granted: (&[], &[root.join("out")]),
            private: &[],
        };
        let outside = fs::canonicalize(outside.path()).unwrap();
        let reached = grants(&own).unwrap();
        let path = |grant: &Grant| PathBuf::from(OsStr::from_bytes(grant.path.as_bytes()));
        assert!(reached.iter().all(|grant| !path(grant).starts_with(&outside)));
        let by_paths = Own { granted: (&[root.join("out/state")], &[root.join("out")]), ..own };
        assert!(grants(&by_paths).is_err());
    }
}
