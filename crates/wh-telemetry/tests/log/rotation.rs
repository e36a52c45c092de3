//! Files stay within their bound, and one that was moved away is let go of.

use crate::helpers::{PATIENCE, logged, now};
use std::fs;
use std::path::Path;
use wh_ports::observe::Observer;
use wh_telemetry::{Format, Level, LogFile, LogObserver, LogOptions, QUEUE, Rotation};

fn to_file(path: &Path, max_bytes: u64, backups: u32) -> LogObserver {
    let rotation = Rotation { max_bytes, backups };
    let file = LogFile { path: path.to_owned(), format: Format::Text, rotation, level: Level::Trace };
    let options = LogOptions { worker_lines: true, file: Some(file), stream: None, queue: QUEUE };
    LogObserver::start(options).unwrap()
}

fn write(log: &LogObserver, numbers: std::ops::Range<u32>) {
    numbers.for_each(|number| log.observe(now(), &logged(&format!("line {number:04}"))));
    assert!(log.flush(PATIENCE));
}

/// The files under a directory with their content, by name.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn all_files_together_stay_within_the_bound_and_hold_the_latest_lines() {
    const MAX: u64 = 1_000;
    for backups in [0, 1, 3] {
        let directory = tempfile::tempdir().unwrap();
        let log = to_file(&directory.path().join("logs/host.log"), MAX, backups);
        write(&log, 0..100);
        let files = files(&directory.path().join("logs"));
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<String> = (1..=backups).map(|number| format!("host.log.{number}")).collect();
        assert_eq!(names[0], "host.log");
        assert_eq!(names[1..], expected);
        assert!(files.iter().all(|(_, text)| text.len() as u64 <= MAX && text.ends_with('\n')));
        let oldest_first: String = files.iter().rev().map(|(_, text)| text.as_str()).collect();
        let numbers: Vec<&str> = oldest_first.lines().filter_map(|line| line.rsplit(' ').next()).collect();
        let first: usize = numbers[0].parse().unwrap();
        let latest: Vec<String> = (first..100).map(|number| format!("{number:04}")).collect();
        assert_eq!(numbers, latest, "with {backups} backups");
    }
}

#[test]
fn a_line_longer_than_a_file_has_one_to_itself() {
    let directory = tempfile::tempdir().unwrap();
    let log = to_file(&directory.path().join("host.log"), 10, 2);
    write(&log, 0..4);
    assert_eq!(
        files(directory.path()).iter().map(|(_, text)| text.lines().count()).collect::<Vec<_>>(),
        [1, 1, 1]
    );
}

#[test]
fn a_file_from_before_is_continued_and_counts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("host.log");
    fs::write(&path, "x".repeat(990) + "\n").unwrap();
    let log = to_file(&path, 1_000, 1);
    write(&log, 0..1);
    let files = files(directory.path());
    assert_eq!((files[0].1.lines().count(), files[1].1.len()), (1, 991));
}

#[test]
fn a_file_that_was_moved_away_is_let_go_of_on_demand() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("host.log"), directory.path().join("moved.log"));
    let log = to_file(&path, 1_000_000, 1);
    write(&log, 0..1);
    fs::rename(&path, &moved).unwrap();
    write(&log, 1..2);
    assert_eq!(fs::read_to_string(&moved).unwrap().lines().count(), 2, "before it is asked for");
    log.reopen();
    write(&log, 2..3);
    assert_eq!(fs::read_to_string(&moved).unwrap().lines().count(), 2);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn where_files_cannot_be_set_aside_the_bound_goes_before_the_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("host.log");
    // A directory that is not empty stands where the full file should go.
    fs::create_dir_all(directory.path().join("host.log.1/in-the-way")).unwrap();
    let log = to_file(&path, 1_000, 1);
    write(&log, 0..100);
    assert!(fs::metadata(&path).unwrap().len() <= 1_000);
    fs::remove_dir_all(directory.path().join("host.log.1")).unwrap();
    write(&log, 100..101);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("log_lost lines=") && text.ends_with("line 0100\n"), "{text}");
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_at_once() {
    let rotation = Rotation { max_bytes: 1_000, backups: 1 };
    let file =
        LogFile { path: "/proc/no/such/place".into(), format: Format::Json, rotation, level: Level::Info };
    let options = LogOptions { worker_lines: false, file: Some(file), stream: None, queue: QUEUE };
    assert!(LogObserver::start(options).is_err());
}
