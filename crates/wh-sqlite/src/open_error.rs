//! Why a store could not be opened, each with its mend.

use std::path::PathBuf;
use wh_ports::store::StoreError;

/// Why a store could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The data directory lies where SQLite's locks cannot be relied on.
    #[error(
        "{} is on a network file system ({kind}), where a database can be damaged; \
         put the data directory on a local disk, or force it if you know that only one machine uses it",
        path.display()
    )]
    NetworkFileSystem {
        /// The data directory.
        path: PathBuf,
        /// What kind.
        kind: &'static str,
    },
    /// The database does not lie in the data directory.
    #[error(
        "{} does not lie directly in the data directory {}, where its locks and large contents would be; \
         name a file in that directory, or let the file's own directory be the data directory",
        database.display(),
        data_dir.display()
    )]
    Apart {
        /// The database file.
        database: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
    },
    /// The data directory is that of another database.
    #[error(
        "{} belongs to the store {}, and a second one, {}, would lose its large contents to the first; give it a \
         directory of its own, or, if {} was renamed or given up, delete {}",
        data_dir.display(),
        holder.display(),
        asked.display(),
        holder.display(),
        marker.display()
    )]
    OtherStore {
        /// The data directory.
        data_dir: PathBuf,
        /// The name of the database that it belongs to.
        holder: PathBuf,
        /// The name of the database that was to be opened.
        asked: PathBuf,
        /// The file that says so.
        marker: PathBuf,
    },
    /// The data directory is a link that leads nowhere.
    #[error(
        "{} leads to {}, which is not there, and with it the tasks that were in it; bring it back, or delete the link to \
         begin without them",
        link.display(),
        to.display()
    )]
    Astray {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// The data directory is a link to that of another project, which links to it too.
    #[error(
        "{} leads to the data directory of {}, whose tasks would be carried here; delete the link to begin with a store of \
         its own, or name one as `data_dir`",
        link.display(),
        owner.display()
    )]
    Copied {
        /// The link.
        link: PathBuf,
        /// The other project.
        owner: PathBuf,
    },
    /// The database can be reached by several names.
    #[error(
        "{} is {what}, and a store that two directories lead to would be damaged; name the file itself, and leave it \
         one name only",
        path.display()
    )]
    Linked {
        /// The file.
        path: PathBuf,
        /// What it is instead of a file with one name.
        what: &'static str,
    },
    /// The schema is older than this program's.
    #[error("{} has schema {found}, this program needs {needed}; run `workerhost db migrate`", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// This program's schema.
        needed: u32,
    },
    /// The schema is newer than this program can use.
    #[error(
        "{} was written by a newer version (schema {found}, this program knows {known}); upgrade workerhost",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// This program's schema.
        known: u32,
    },
    /// The file is no store of ours.
    #[error("{} is not a WorkerHost store ({why}); name another file, or move this one away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The file is damaged.
    #[error("{} is damaged ({why}); run `workerhost db restore` from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// A backup lacks large contents that its tasks need.
    #[error(
        "{missing} large contents that tasks of {} need are neither in it nor in {}, or are damaged (one is {sha256}); \
         restore from a backup that has them, a directory that `workerhost db backup` made",
        path.display(),
        data_dir.display()
    )]
    Incomplete {
        /// The backup.
        path: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
        /// How many.
        missing: usize,
        /// The digest of one of them.
        sha256: String,
    },
    /// A host is at work on it, which the operation does not allow.
    #[error("a host is running on {} (slot {slot}, {host}); stop it first", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The host's slot.
        slot: u32,
        /// The host's id.
        host: String,
    },
    /// The operating system refused.
    #[error("cannot {doing}: {why}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system says.
        why: String,
    },
}

impl OpenError {
    pub(crate) fn io(doing: impl Into<String>, error: &dyn std::fmt::Display) -> Self {
        Self::Io { doing: doing.into(), why: error.to_string() }
    }
}

/// For verbs that only know [`StoreError`].
impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io { .. } | OpenError::InUse { .. } => Self::Unavailable(error.to_string()),
            OpenError::NetworkFileSystem { .. }
            | OpenError::Apart { .. }
            | OpenError::OtherStore { .. }
            | OpenError::Astray { .. }
            | OpenError::Copied { .. }
            | OpenError::Linked { .. }
            | OpenError::Older { .. }
            | OpenError::Newer { .. }
            | OpenError::Foreign { .. }
            | OpenError::Incomplete { .. }
            | OpenError::Damaged { .. } => Self::Broken(error.to_string()),
        }
    }
}
