//! Fills a store with plain SQL: clones of one task, written as fast as SQLite writes rows.

use crate::trouble::Trouble;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;

/// Tables with one row for each pending task.
const PENDING: [&str; 2] = ["task", "payload"];
/// Tables with one row for each task that has ended after one attempt.
const ENDED: [&str; 4] = ["task", "payload", "result", "attempt"];
/// Rows written in one transaction where nothing has to be durable.
const AT_ONCE: u64 = 50_000;

/// A store that is filled.
#[derive(Debug)]
pub(crate) struct Filling(Connection);

/// A row, and where it says which task it is.
struct Model {
    insert: String,
    columns: Vec<String>,
    values: Vec<Value>,
}

impl Filling {
    /// With every commit on stable storage.
    pub(crate) fn durable(database: &Path) -> Result<Self, Trouble> {
        let connection = Connection::open(database)?;
        crate::raw::durable(&connection)?;
        Ok(Self(connection))
    }

    /// With nothing on stable storage before it is closed.
    pub(crate) fn hasty(database: &Path) -> Result<Self, Trouble> {
        let connection = Connection::open(database)?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        Ok(Self(connection))
    }

    /// Adds so many pending tasks like the one of that number.
    pub(crate) fn pending(&self, like: i64, count: u64, at_once: Option<u64>) -> Result<(), Trouble> {
        self.clones(&PENDING, like, count, at_once, "pending")
    }

    /// Adds so many ended tasks like the one of that number, whose only attempt it has.
    pub(crate) fn ended(&self, like: i64, count: u64) -> Result<(), Trouble> {
        self.clones(&ENDED, like, count, None, "ended")
    }

    /// The numbers of all tasks that are there.
    pub(crate) fn tasks(&self) -> Result<Vec<i64>, Trouble> {
        let mut find = self.0.prepare("SELECT seq FROM task ORDER BY seq")?;
        let found = find.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    fn clones(
        &self,
        tables: &[&str],
        like: i64,
        count: u64,
        at_once: Option<u64>,
        tally: &str,
    ) -> Result<(), Trouble> {
        let models = tables.iter().map(|table| self.model(table, like)).collect::<Result<Vec<_>, _>>()?;
        let mut left = count;
        while left > 0 {
            let some = left.min(at_once.unwrap_or(AT_ONCE));
            self.0.execute_batch("BEGIN IMMEDIATE")?;
            let (seq, fact): (i64, i64) =
                self.0.query_row("SELECT last_seq, last_fact FROM tally", (), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            for no in 1..=i64::try_from(some)? {
                for model in &models {
                    self.clone_of(model, seq + no, fact + no)?;
                }
            }
            self.0.execute(
                &format!("UPDATE tally SET last_seq = last_seq + ?1, last_fact = last_fact + ?1, {tally} = {tally} + ?1"),
                [i64::try_from(some)?],
            )?;
            self.0.execute_batch("COMMIT")?;
            left -= some;
        }
        Ok(())
    }

    fn model(&self, table: &str, seq: i64) -> Result<Model, Trouble> {
        let mut find = self.0.prepare(&format!("SELECT * FROM {table} WHERE seq = ?1"))?;
        let columns: Vec<String> = find.column_names().map(str::to_owned).collect();
        let values = find.query_row([seq], |row| {
            (0..columns.len()).map(|at| row.get::<_, Value>(at)).collect::<Result<Vec<_>, _>>()
        })?;
        let marks = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", "));
        Ok(Model { insert, columns, values })
    }

    /// The model's row for another task: everything that names a task or a fact names this one's.
    fn clone_of(&self, model: &Model, seq: i64, fact: i64) -> Result<(), Trouble> {
        let values = model.columns.iter().zip(&model.values).map(|(column, value)| match column.as_str() {
            "seq" => Value::Integer(seq),
            "id" => Value::Text(format!("0190c0de-0000-7000-8000-{seq:012}")),
            "rank" => Value::Integer(seq),
            "fact" | "last_attempt" if *value != Value::Null => Value::Integer(fact),
            _ => value.clone(),
        });
        self.0.prepare_cached(&model.insert)?.execute(params_from_iter(values))?;
        Ok(())
    }
}
