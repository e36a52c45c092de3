//! What comes together of what a worker may reach, without anything that is private.

use super::places::is_of_the_kernel;
use crate::hindrance;
use crate::wire::{Access, Grant};
use std::ffi::CString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wh_domain::ending::Hindrance;

/// So many entries may lie beside what is private.
const MOST_ENTRIES: usize = 4_096;

/// What has come together. All paths are as the kernel knows them, so that names of one place are one.
pub(super) struct Reach {
    private: Vec<PathBuf>,
    /// What workers write: nothing in there says what else is to be granted.
    written: Vec<PathBuf>,
    pub(super) granted: Vec<(PathBuf, Access)>,
}

impl Reach {
    pub(super) fn new(private: &[PathBuf], write: &[PathBuf]) -> Result<Self, Hindrance> {
        let private = private.iter().map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        let mut reach = Self { private: private.collect(), written: Vec::new(), granted: Vec::new() };
        for path in write {
            let Some(path) = found(path, fs::canonicalize(path))? else { continue };
            let holds = |private: &PathBuf| private.starts_with(&path) || path.starts_with(private);
            if let Some(private) = reach.private.iter().find(|private| holds(private)) {
                return Err(hindrance::worker(format!(
                    "it may not write to {}, because the host's own {} would be written with it; grant something smaller, \
                     or put the host's own somewhere else",
                    path.display(),
                    private.display()
                )));
            }
            if is_of_the_kernel(&path) {
                return Err(of_the_kernel(&path));
            }
            reach.add(path.clone(), Access::Write);
            reach.written.push(path);
        }
        Ok(reach)
    }

    pub(super) fn add(&mut self, path: PathBuf, access: Access) {
        if !self.granted.contains(&(path.clone(), access)) {
            self.granted.push((path, access));
        }
    }

    pub(super) fn is_private(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|path| self.private.iter().any(|private| path.starts_with(private)))
    }

    /// Whether a path, as it is written or at any of its links, leads through what the worker may write.
    pub(super) fn passes_what_is_written(&self, path: &Path) -> bool {
        path.ancestors()
            .filter_map(|above| fs::canonicalize(above.parent()?).ok())
            .any(|above| self.is_written(&above))
            || fs::canonicalize(path).is_ok_and(|path| self.is_written(&path))
    }

    pub(super) fn is_written(&self, path: &Path) -> bool {
        self.written.iter().any(|written| path.starts_with(written))
    }

    /// Adds a directory with all that is below it. One that holds something private is added entry by entry. It can be listed
    /// only where what is private is no directory: whoever may list a directory may list all below it.
    pub(super) fn spread(&mut self, directory: &Path) -> Result<(), Hindrance> {
        let Some(directory) = found(directory, fs::canonicalize(directory))? else { return Ok(()) };
        let below: Vec<&PathBuf> =
            self.private.iter().filter(|private| private.starts_with(&directory)).collect();
        if self.private.iter().any(|private| directory.starts_with(private)) {
            return Ok(());
        }
        if below.is_empty() {
            self.add(directory, Access::Read);
            return Ok(());
        }
        if !below.iter().any(|private| private.is_dir()) {
            self.add(directory.clone(), Access::List);
        }
        let Some(entries) = found(&directory, fs::read_dir(&directory))? else {
            return Err(hindrance::worker(format!("its directory {} cannot be read", directory.display())));
        };
        for (count, entry) in entries.enumerate() {
            let Some(entry) = found(&directory, entry)? else { continue };
            if count == MOST_ENTRIES {
                return Err(hindrance::worker(format!(
                    "more than {MOST_ENTRIES} entries lie in {} beside the host's own files, and each would have to be \
                     granted by itself; put `data_dir` somewhere else",
                    directory.display()
                )));
            }
            // A link leads elsewhere; what it leads to is granted where that is.
            if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
                self.spread(&entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn told(self) -> Result<Vec<Grant>, Hindrance> {
        let grant = |(path, access): (PathBuf, Access)| {
            let path = CString::new(path.into_os_string().into_encoded_bytes());
            path.map(|path| Grant { path, access })
                .map_err(|_| hindrance::worker("one of its paths holds a NUL byte"))
        };
        self.granted.into_iter().map(grant).collect()
    }
}

/// What was found at a path. What is not there, or not for this user, is not granted; but where the machine has run short of
/// something, nobody knows what is there.
pub(super) fn found<T>(path: &Path, looked: io::Result<T>) -> Result<Option<T>, Hindrance> {
    match looked {
        Err(error) if error.raw_os_error().is_some_and(hindrance::is_shortage) => {
            Err(hindrance::host(&format!("{} could not be looked at", path.display()), &error))
        }
        looked => Ok(looked.ok()),
    }
}

pub(super) fn of_the_kernel(path: &Path) -> Hindrance {
    hindrance::worker(format!("{} cannot be granted to a worker that is isolated", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::project::project;
    use super::*;

    #[test]
    fn a_project_that_holds_no_data_directory_can_be_listed_and_its_configuration_not_read() {
        let (_dir, root) = project();
        let mut reach = Reach::new(&[root.join("workerhost.yaml")], &[]).unwrap();
        reach.spread(&root).unwrap();
        assert!(reach.granted.contains(&(root.clone(), Access::List)));
        let read: Vec<_> = reach.granted.iter().filter(|(_, access)| *access == Access::Read).collect();
        assert!(read.iter().any(|(path, _)| *path == root.join("worker.py")));
        assert!(read.iter().all(|(path, _)| *path != root && *path != root.join("workerhost.yaml")));
    }

    #[test]
    fn nothing_private_is_granted_by_whatever_route() {
        let (_dir, root) = project();
        let private = [root.join(".workerhost"), root.join("workerhost.yaml")];
        for write in
            [root.clone(), root.join(".workerhost/work"), root.join("workerhost.yaml"), root.join("lib/..")]
        {
            assert!(Reach::new(&private, &[write]).is_err());
        }
        let mut reach = Reach::new(&private, &[root.join("lib")]).unwrap();
        for path in [
            ".workerhost",
            ".workerhost/tasks.db",
            "elsewhere/tasks.db",
            "lib/../.workerhost",
            "workerhost.yaml",
        ] {
            reach.spread(&root.join(path)).unwrap();
        }
        assert_eq!(reach.granted, [(root.join("lib"), Access::Write)]);
    }

    #[test]
    fn a_directory_with_too_much_beside_what_is_private_is_refused_with_its_mend() {
        let (_dir, root) = project();
        (0..MOST_ENTRIES).for_each(|number| fs::write(root.join(format!("f{number}")), "").unwrap());
        let mut reach = Reach::new(&[root.join(".workerhost")], &[]).unwrap();
        let Hindrance::Worker(why) = reach.spread(&root).unwrap_err() else {
            panic!("it is the worker's fault")
        };
        assert!(why.contains("put `data_dir` somewhere else"), "{why}");
    }
}
