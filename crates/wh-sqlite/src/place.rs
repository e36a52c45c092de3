//! Where things lie under the data directory, and with which rights: nobody but the owner sees them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Large contents, beside their database.
pub(crate) const BLOBS: &str = "blobs";

/// The store's places.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) data_dir: PathBuf,
    pub(crate) database: PathBuf,
}

impl Place {
    /// The lock that writers take in turn, fair between processes.
    pub(crate) fn writer_lock(&self) -> PathBuf {
        self.data_dir.join("writer.lock")
    }

    /// Holds the name of the database that the directory belongs to.
    pub(crate) fn marker(&self) -> PathBuf {
        self.data_dir.join("database.name")
    }

    /// Holds how far restores have moved fences and numbers ahead.
    pub(crate) fn numbers(&self) -> PathBuf {
        self.data_dir.join("restored.numbers")
    }

    /// One socket per listener.
    pub(crate) fn bells(&self) -> PathBuf {
        self.data_dir.join("bells")
    }

    /// One lock file per host slot; never deleted.
    pub(crate) fn slots(&self) -> PathBuf {
        self.data_dir.join("hosts")
    }

    /// Large contents by digest.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.data_dir.join(BLOBS)
    }

    /// Makes the database file, empty, if it is not there: SQLite gives its companions the same rights.
    pub(crate) fn touch_database(&self) -> io::Result<()> {
        // Only a file that is not there yet may be opened by anything but SQLite: closing it drops every lock that
        // this process holds on it.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.database) {
            Ok(file) => file.set_permissions(Permissions::from_mode(0o600)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Makes a directory for the owner alone, and those above it, which are durable then; answers whether it was not there
/// before.
pub(crate) fn private_dir(path: &Path) -> io::Result<bool> {
    let make = || DirBuilder::new().mode(0o700).create(path);
    let made = match make() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_parents(path, error).and_then(|()| make())
        }
        other => other,
    };
    match made {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o700)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes what is missing above a path that could not be made for want of it, so that it is still there after a power
/// cut. Where all of it is there, as above a path in `/proc`, `error` is the answer.
fn make_parents(path: &Path, error: io::Error) -> io::Result<()> {
    let parent = parent_of(path);
    if parent.is_dir() {
        return Err(error);
    }
    let made = match fs::create_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_parents(parent, error).and_then(|()| fs::create_dir(parent))
        }
        other => other,
    };
    match made {
        // Made by somebody else at the same moment, who may not have come as far as to make it durable.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(parent_of(parent)),
    }
}

/// Where a path lies.
pub(crate) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Opens, or makes, a file for the owner alone.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let open =
        || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                private_dir(parent)?;
            }
            open()?
        }
        other => other?,
    };
    if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::fsync(File::open(path)?.as_fd())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_made_though_all_above_it_is_there_is_an_error() {
        for path in ["/proc/none-of-ours", "/proc/none-of-ours/below"] {
            let error = private_dir(Path::new(path)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{path}");
        }
    }

    #[test]
    fn what_is_missing_above_a_directory_is_made_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        assert!(private_dir(&deep).unwrap());
        assert!(!private_dir(&deep).unwrap());
        assert_eq!(fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
