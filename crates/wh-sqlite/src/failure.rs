//! What went wrong inside, turned into what the caller does next.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use wh_ports::store::StoreError;

/// An error on the way to an answer.
#[derive(Debug)]
pub(crate) enum Fail {
    /// SQLite's own.
    Sql(rusqlite::Error),
    /// Already in the caller's words.
    Store(StoreError),
}

/// What everything inside returns.
pub(crate) type Tried<T> = Result<T, Fail>;

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fail> for StoreError {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Sql(error) => classify(&error),
            Fail::Store(error) => error,
        }
    }
}

/// A value in the file that this program never wrote there.
pub(crate) fn damaged(what: impl std::fmt::Display) -> Fail {
    Fail::Store(StoreError::Broken(format!(
        "the store is damaged ({what}); run `workerhost db check`, and `workerhost db restore` from a backup"
    )))
}

/// A failure of the file system that may pass.
pub(crate) fn unavailable(doing: &str, error: &std::io::Error) -> StoreError {
    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) {
        return StoreError::Untrusted(format!("{doing}: {error}"));
    }
    StoreError::Unavailable(format!("{doing}: {error}"))
}

/// Sorts SQLite's errors by what the caller does next.
pub(crate) fn classify(error: &rusqlite::Error) -> StoreError {
    let Some(code) = error.sqlite_error() else {
        return StoreError::Broken(format!("the store holds something unexpected ({error})"));
    };
    match code.extended_code {
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => {
            return StoreError::Untrusted(format!("a write was not confirmed by the disk ({error})"));
        }
        _ => {}
    }
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Unavailable("another program keeps the database locked".to_owned())
        }
        ErrorCode::DiskFull => StoreError::Unavailable(
            "the disk is full; free some space under the data directory and it goes on by itself".to_owned(),
        ),
        ErrorCode::OperationInterrupted => {
            StoreError::Unavailable("the question took too long and was given up".to_owned())
        }
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationAborted => StoreError::Unavailable(error.to_string()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Broken(format!(
            "the database is damaged ({error}); run `workerhost db restore` from a backup"
        )),
        _ => StoreError::Broken(format!("the database refused a statement ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_to_do_next() {
        let of = |code| classify(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC] {
            assert!(matches!(of(code), StoreError::Untrusted(_)), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_READONLY] {
            assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_CONSTRAINT] {
            assert!(matches!(of(code), StoreError::Broken(_)), "{code}");
        }
        let eio = std::io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error());
        assert!(matches!(unavailable("x", &eio), StoreError::Untrusted(_)));
    }
}
