//! Words of a worker stay words: one line per record, and nothing that acts on a terminal.

use crate::helpers::{PATIENCE, logged, now, to_screen};
use serde_json::Value;
use wh_ports::observe::Observer;
use wh_telemetry::plain::{acts, plain};
use wh_telemetry::{Format, MESSAGE};

/// Openings of attacks; each is combined with every character that acts.
const SHAPES: [&str; 9] = [
    "X",
    "X[2J",
    "X[31mred",
    "X]8;;http://evil.example\u{7}link",
    "X]52;c;ZXZpbA==\u{7}",
    "XP$q\u{1b}\\",
    "before X 2026-11-21T12:34:56.789Z ERROR   settled - a forged line",
    "X{\"level\":\"ERROR\"}",
    "\"X\"",
];

fn corpus() -> Vec<String> {
    let acting: Vec<char> = ('\0'..='\u{ffff}').filter(|c| acts(*c)).collect();
    assert_eq!(
        acting.len(),
        65 + 3 + 7 + 4 + 1,
        "C0, DEL and C1; marks; separators and embeddings; isolates; BOM"
    );
    SHAPES.iter().flat_map(|shape| acting.iter().map(|c| shape.replace('X', &c.to_string()))).collect()
}

fn lines(format: Format) -> Vec<String> {
    let (log, screen) = to_screen(format);
    for message in &corpus() {
        log.observe(now(), &logged(message));
    }
    assert!(log.flush(PATIENCE));
    let text = screen.text();
    assert_eq!(text.chars().find(|c| *c != '\n' && acts(*c)), None);
    text.split_terminator('\n').map(str::to_owned).collect()
}

#[test]
fn every_record_stays_one_line_of_text() {
    let lines = lines(Format::Text);
    assert_eq!(lines.len(), corpus().len());
    assert!(lines.len() >= 200, "{}", lines.len());
    for (line, message) in lines.iter().zip(corpus()) {
        assert!(
            line.starts_with("2026-11-21T12:34:56.789Z INFO    logged task=")
                && line.ends_with(&plain(&message))
        );
    }
}

#[test]
fn every_record_stays_one_json_object_that_keeps_every_character() {
    let lines = lines(Format::Json);
    assert_eq!(lines.len(), corpus().len());
    for (line, message) in lines.iter().zip(corpus()) {
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["message"], *message);
        assert_eq!(object["level"], "INFO");
    }
}

#[test]
fn harmless_text_of_any_script_is_left_alone() {
    for text in ["", "Příliš žluťoučký kůň", "日本語", "שלום", "🐎", "C:\\temp", "a \"b\" = c"]
    {
        assert_eq!(plain(text), text);
    }
    assert_eq!(plain("a\tb\r\n\u{1b}[0m\u{202e}"), "a\\tb\\r\\n\\u{1b}[0m\\u{202e}");
}

#[test]
fn a_message_at_the_bound_is_whole_and_a_longer_one_says_what_it_lost() {
    let (log, screen) = to_screen(Format::Text);
    log.observe(now(), &logged(&"x".repeat(MESSAGE)));
    log.observe(now(), &logged(&"x".repeat(MESSAGE + 1)));
    log.observe(now(), &logged(&format!("{}é", "x".repeat(MESSAGE - 1))));
    assert!(log.flush(PATIENCE));
    let ends = ["xx", "x [1 more bytes]", "x [2 more bytes]"];
    for (line, end) in screen.lines().iter().zip(ends) {
        assert!(line.ends_with(end), "{end}");
    }
}
