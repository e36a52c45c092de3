//! A slow or broken place for lines costs lines, never the host's time, and what was lost is said.

use crate::helpers::{PATIENCE, logged, now, to_screen};
use std::time::Duration;
use wh_ports::observe::Observer;
use wh_telemetry::{Format, MESSAGE, QUEUE, QUEUE_BYTES};

#[test]
fn a_stalled_stream_stalls_nobody_and_what_was_dropped_is_said() {
    const MORE: u64 = 100;
    let (log, screen) = to_screen(Format::Text);
    screen.shut();
    (0..QUEUE + MORE).for_each(|number| log.observe(now(), &logged(&format!("line {number}"))));
    screen.wait_for_writer();
    assert_eq!(log.dropped(), MORE);
    assert!(!log.flush(Duration::ZERO), "nothing can have been written yet");
    screen.open();
    assert!(log.flush(PATIENCE));
    let lines = screen.lines();
    assert_eq!(lines.len() as u64, QUEUE + 1);
    let last = lines.last().unwrap();
    assert!(
        last.ends_with(
            "WARNING log_dropped lines=100 - 100 lines were dropped because the log could not keep up"
        ),
        "{last}"
    );
    log.observe(now(), &logged("again"));
    assert!(log.flush(PATIENCE));
    assert!(screen.text().ends_with(" - again\n"));
}

#[test]
fn long_lines_fill_the_queue_by_their_bytes() {
    let (log, screen) = to_screen(Format::Text);
    screen.shut();
    let fit = QUEUE_BYTES / MESSAGE;
    for _ in 0..fit + 10 {
        log.observe(now(), &logged(&"x".repeat(MESSAGE)));
    }
    let dropped = usize::try_from(log.dropped()).unwrap();
    assert!((10..fit / 2).contains(&dropped), "{dropped} of {} dropped", fit + 10);
    screen.open();
    assert!(log.flush(PATIENCE));
    log.observe(now(), &logged("there is room again"));
    assert!(log.flush(PATIENCE));
    assert_eq!(screen.lines().len(), fit + 10 - dropped + 2);
}

#[test]
fn a_stream_that_fails_is_tried_again_and_says_what_it_lacks() {
    let (log, screen) = to_screen(Format::Text);
    screen.fail(true);
    (0..3).for_each(|_| log.observe(now(), &logged("lost")));
    assert!(log.flush(PATIENCE));
    screen.fail(false);
    log.observe(now(), &logged("kept"));
    assert!(log.flush(PATIENCE));
    let lines = screen.lines();
    assert!(
        lines[0].ends_with("WARNING log_lost lines=3 - 3 lines before this one could not be written"),
        "{}",
        lines[0]
    );
    assert!(lines[1].ends_with(" - kept"));
    assert_eq!(lines.len(), 2);
}

#[test]
fn dropping_the_observer_writes_what_is_left() {
    let (log, screen) = to_screen(Format::Text);
    (0..1_000).for_each(|_| log.observe(now(), &logged("line")));
    drop(log);
    assert_eq!(screen.lines().len(), 1_000);
}
