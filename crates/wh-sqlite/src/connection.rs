//! Connections to the database, set up for durability and little memory.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a writer waits for its turn, and SQLite for a program that writes without taking `writer.lock`.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// How long a question may take.
pub(crate) const READ_AT_MOST: Duration = Duration::from_secs(30);
/// How many bytes of log are kept after they have been copied into the database: 64 MiB.
const JOURNAL_SIZE: i64 = 64 << 20;

/// A new database has pages of so many bytes. A commit writes whole pages, and most commits change six of them by a row
/// each: with SQLite's own 4,096 it takes a tenth longer.
const PAGE: i64 = 2_048;

/// A connection with nothing said yet about how it writes.
pub(crate) fn open(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    // A plan that may depend on values is made anew each time that one is bound: a ninth of all work of the writer.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes a connection the one that writes: every commit is on stable storage before it returns.
pub(crate) fn for_writing(connection: &Connection) -> rusqlite::Result<()> {
    // The writer says otherwise when it closes with a large log.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Says nothing to a database that has pages already.
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(96);
    Ok(())
}

/// How many bytes a page of this database has.
pub(crate) fn page_size(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA page_size", (), |row| row.get(0))
}

/// How many pages of this database hold so many bytes; at least one.
pub(crate) fn pages(connection: &Connection, bytes: i64) -> rusqlite::Result<i32> {
    let pages = bytes / page_size(connection)?.max(1);
    Ok(i32::try_from(pages).unwrap_or(i32::MAX).max(1))
}

/// A connection that only reads; a question that takes longer than `limit` is given up.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) connection: Connection,
    deadline: Arc<std::sync::Mutex<Option<Instant>>>,
}

impl Reading {
    pub(crate) fn open(database: &Path) -> rusqlite::Result<Self> {
        let mut connection = open(database)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -1_024)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(32);
        let deadline = Arc::new(std::sync::Mutex::new(None::<Instant>));
        let seen = Arc::clone(&deadline);
        connection.progress_handler(
            10_000,
            Some(move || {
                seen.lock().is_ok_and(|deadline| deadline.is_some_and(|deadline| Instant::now() >= deadline))
            }),
        )?;
        Ok(Self { connection, deadline })
    }

    /// Begins the time of a question; `None` lets it take as long as it needs.
    pub(crate) fn allow(&self, limit: Option<Duration>) {
        if let Ok(mut deadline) = self.deadline.lock() {
            *deadline = limit.map(|limit| Instant::now() + limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_given_up_at_its_limit_and_the_next_one_is_answered() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let reading = Reading::open(file.path()).unwrap();
        reading.allow(Some(Duration::from_millis(20)));
        let endless =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let error = reading.connection.query_row(endless, (), |row| row.get::<_, i64>(0)).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        reading.allow(Some(READ_AT_MOST));
        assert_eq!(reading.connection.query_row("SELECT 1", (), |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[test]
    fn a_reading_connection_writes_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let reading = Reading::open(file.path()).unwrap();
        assert!(reading.connection.execute_batch("CREATE TABLE t (a)").is_err());
    }
}
