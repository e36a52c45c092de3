//! Proof that what is asked often uses its index: the plans of SQLite's own planner, over the real schema.

use crate::row::CHAIN;
use crate::schema::MIGRATIONS;
use crate::tasks::{claim, promote, retry, settle, sweep, take_over};
use crate::views::{backlog, facts, heed, tasks};
use rusqlite::Connection;

/// Every line of a statement's plan.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // Its parameters stay unbound: the plan does not depend on them.
    let (mut rows, mut lines) = (explain.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get(3).unwrap());
    }
    lines
}

/// The statement searches by `index`, sorts nothing and reads no table from end to end.
fn check(connection: &Connection, sql: &str, index: &str) {
    let plan = plan(connection, sql);
    assert!(plan.iter().any(|line| line.contains(index)), "{index} is used: {plan:#?}");
    for line in &plan {
        assert!(!line.contains("TEMP B-TREE FOR ORDER BY"), "nothing is sorted: {plan:#?}");
        // A subquery gives no more than its own limit.
        let is_table = !line.starts_with("SCAN (subquery");
        let is_scan =
            line.starts_with("SCAN") && is_table && !line.contains("INDEX") && !line.contains("USING");
        assert!(!is_scan, "nothing is read from end to end: {plan:#?}");
    }
}

#[test]
fn what_is_asked_often_uses_its_index() {
    let connection = Connection::open_in_memory().unwrap();
    for step in MIGRATIONS {
        connection.execute_batch(step.sql).unwrap();
    }
    for (sql, index) in [
        (claim::HEADS, "SEARCH task USING COVERING INDEX task_ready (lane=?)"),
        (promote::BY_WALL, "task_due (due_at<?)"),
        (promote::BY_INSTANT, "task_due_instant (due_boot=? AND due_millis<?)"),
        (promote::NEXT_WALL, "task_due"),
        (promote::NEXT_INSTANT, "task_due_instant (due_boot=?)"),
        (take_over::CLAIMS_OF, "task_claimed (host=?)"),
        (retry::GIVEN_UP, "task_given_up (stage=? AND rowid>?)"),
        (sweep::EXPIRED, "task_ended (stage=? AND changed_at<?)"),
        (heed::TO_CANCEL, "task_cancel (host=?)"),
        (backlog::READY, "SEARCH task USING COVERING INDEX task_ready (lane=?)"),
        (backlog::FIRST, "SEARCH task USING INDEX task_ready (lane=?)"),
        (backlog::WAITS, "task_waiting (lane=?)"),
        (backlog::COME, "task_waiting (lane=? AND waiting_for=? AND due_at<?)"),
        (backlog::TO_COME, "task_waiting (lane=? AND waiting_for=? AND due_at>?)"),
        (facts::FACTS, "SEARCH attempt USING INTEGER PRIMARY KEY (rowid>?)"),
        (facts::FACTS, "SEARCH fact USING INTEGER PRIMARY KEY (rowid>?)"),
    ] {
        check(&connection, sql, index);
    }
}

#[test]
fn the_last_attempts_of_all_are_read_from_their_end_and_never_sorted() {
    let connection = Connection::open_in_memory().unwrap();
    for step in MIGRATIONS {
        connection.execute_batch(step.sql).unwrap();
    }
    let plan = plan(&connection, tasks::RECENT);
    assert_eq!(plan.first().map(String::as_str), Some("SCAN a"), "by its key: {plan:#?}");
    assert!(plan.iter().all(|line| !line.contains("TEMP B-TREE")), "{plan:#?}");
}

#[test]
fn the_attempts_of_one_task_are_found_without_reading_those_of_others() {
    let connection = Connection::open_in_memory().unwrap();
    for step in MIGRATIONS {
        connection.execute_batch(step.sql).unwrap();
    }
    for sql in [tasks::ATTEMPTS, settle::PRINT] {
        let plan = plan(&connection, &format!("{CHAIN} {sql}"));
        let searches = |table: &str| {
            let begin = format!("SEARCH {table} USING INTEGER PRIMARY KEY");
            plan.iter().any(|line| line.starts_with(&begin))
        };
        assert!(searches("a") && searches("attempt"), "{sql}: {plan:#?}");
    }
}
