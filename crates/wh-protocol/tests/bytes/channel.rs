//! Events on the channel, and lines that are none.

use proptest::prelude::*;
use std::time::Duration;
use wh_protocol::channel::{ChannelBounds, ChannelFault, ChannelReader, Event, read};
use wh_protocol::result::{LogEntry, Report, When};

fn event(line: &str) -> Event {
    read(line.as_bytes(), 128).unwrap_or_else(|fault| panic!("{line}: {fault}"))
}

fn progress(current: Option<f64>, total: Option<f64>, percent: Option<f64>, message: Option<&str>) -> Event {
    Event::Progress { current, total, percent, message: message.map(str::to_owned) }
}

#[test]
fn every_event_of_the_protocol_is_heard() {
    let log = |level, message: &str| Event::Log(LogEntry { level, message: message.into() });
    let rows = [
        (
            r#"{"event":"progress","current":3,"total":10,"message":"m"}"#,
            progress(Some(3.0), Some(10.0), Some(30.0), Some("m")),
        ),
        (r#"{"event":"progress","percent":55.5}"#, progress(None, None, Some(55.5), None)),
        (r#"{"event":"progress","percent":"55"}"#, progress(None, None, Some(55.0), None)),
        (
            r#"{"event":"progress","current":30,"total":10}"#,
            progress(Some(30.0), Some(10.0), Some(100.0), None),
        ),
        (r#"{"event":"progress","current":3,"total":0}"#, progress(Some(3.0), Some(0.0), None, None)),
        (r#"{"event":"progress","message":"still here"}"#, progress(None, None, None, Some("still here"))),
        (r#"{"event":"heartbeat","anything":"else"}"#, Event::Heartbeat),
        (r#"{"event":"log","level":"error","message":"m"}"#, log("ERROR", "m")),
        (r#"{"event":"log","message":{"a":1}}"#, log("INFO", r#"{"a":1}"#)),
        (r#"{"event":"partial","result":{"a":1.10}}"#, Event::Partial(r#"{"a":1.10}"#.into())),
        (r#"{"event":"checkpoint","data":null}"#, Event::Checkpoint("null".into())),
        (
            r#"{"event":"metric","name":"calls","value":2}"#,
            Event::Metric { name: "calls".into(), value: 2.0 },
        ),
        (
            r#"{"event":"rate_limited","status":429,"retry_after":30,"message":"slow down"}"#,
            Event::RateLimited {
                status: Some(429),
                retry_after: Some(When::In(Duration::from_secs(30))),
                message: "slow down".into(),
            },
        ),
        (
            r#"{"event":"rate_limited"}"#,
            Event::RateLimited { status: None, retry_after: None, message: String::new() },
        ),
    ];
    for (line, expected) in rows {
        assert_eq!(event(line), expected, "{line}");
    }
    let Event::Result(result) = event(r#"{"event":"result","success":true,"result":[1.10]}"#) else {
        panic!()
    };
    assert_eq!(result.report, Report::Success("[1.10]".into()));
}

#[test]
fn what_is_no_event_is_a_fault_with_its_reason() {
    let rows: [(&[u8], &str); 14] = [
        (b"plain text", "a channel line is no JSON object: expected value at line 1 column 1"),
        (
            b"[]",
            "a channel line is no JSON object: invalid type: sequence, expected a JSON object at line 1 column 0",
        ),
        (
            b"{\"event\":\"heartbeat\"} x",
            "a channel line is no JSON object: trailing characters at line 1 column 23",
        ),
        (b"{\"a\":1}", "a channel line has no text in its field `event`"),
        (b"{\"event\":7}", "a channel line has no text in its field `event`"),
        (b"{\"event\":\"dance\"}", "there is no event \"dance\""),
        (b"{\"event\":\"progress\"}", "event progress: `current` is missing"),
        (
            b"{\"event\":\"progress\",\"current\":\"many\"}",
            "event progress: `current` must be a finite number, not \"many\"",
        ),
        (
            b"{\"event\":\"metric\",\"name\":\"a\",\"value\":1e999}",
            "event metric: `value` must be a finite number, not 1e999",
        ),
        (b"{\"event\":\"metric\",\"value\":1}", "event metric: `name` is missing"),
        (b"{\"event\":\"partial\"}", "event partial: `result` is missing"),
        (b"{\"event\":\"result\",\"success\":1}", "event result: `success` must be true or false, not 1"),
        (b"{\"event\":\"log\",\"message\":\"\xff\"}", "a channel line is no UTF-8 at its byte 26"),
        (b"{\"event\":\"partial\",\"result\":[[[]]]}", "a channel line is nested deeper than 3 levels"),
    ];
    for (line, message) in rows {
        assert_eq!(read(line, 3).unwrap_err().to_string(), message, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn nesting_at_the_bound_is_heard() {
    let line = |levels: usize| {
        format!(r#"{{"event":"partial","result":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1))
    };
    assert!(read(line(128).as_bytes(), 128).is_ok());
    assert_eq!(read(line(129).as_bytes(), 128), Err(ChannelFault::TooDeep { limit: 128 }));
}

#[test]
fn a_bad_line_costs_only_itself() {
    let mut reader = ChannelReader::new(ChannelBounds { line: 30, ..ChannelBounds::default() });
    let mut heard = Vec::new();
    let text = format!("nonsense\n\n{}\r\n{{\"event\":\"heartbeat\"}}\r\n{{\"event\":\"hear", "x".repeat(50));
    reader.push(text.as_bytes(), Duration::ZERO, |said| heard.push(said));
    reader.finish(Duration::ZERO, |said| heard.push(said));
    assert_eq!(heard.len(), 4);
    assert_eq!((&heard[1], &heard[2]), (&Err(ChannelFault::TooLong { limit: 30 }), &Ok(Event::Heartbeat)));
    assert_eq!(reader.faults(), 3);
}

#[test]
fn a_flood_is_dropped_but_for_what_is_not_said_twice() {
    let bounds = ChannelBounds { events_per_second: 1_000, ..ChannelBounds::default() };
    let mut reader = ChannelReader::new(bounds);
    let mut heard = 0;
    let mut say = |reader: &mut ChannelReader, line: &str, times: usize| {
        for _ in 0..times {
            reader.push(line.as_bytes(), Duration::from_millis(5), |_| heard += 1);
        }
    };
    say(&mut reader, "{\"event\":\"metric\",\"name\":\"n\",\"value\":1}\n", 900);
    say(&mut reader, "nonsense\n", 200);
    assert_eq!(reader.dropped(), 100);
    for kept in [
        "{\"event\":\"heartbeat\"}\n",
        "{\"event\":\"partial\",\"result\":1}\n",
        "{\"event\":\"checkpoint\",\"data\":1}\n",
        "{\"event\":\"result\",\"success\":true}\n",
    ] {
        say(&mut reader, kept, 10);
    }
    assert_eq!(reader.dropped(), 100);
    reader.push(b"{\"event\":\"progress\",\"percent\":1}\n", Duration::from_millis(1_005), |_| heard += 1);
    assert_eq!((heard, reader.dropped(), reader.faults()), (1_000 + 40 + 1, 100, 200));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_no_cut_changes_what_is_heard(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 1_usize..40) {
        let hear = |cut: usize| {
            let mut reader = ChannelReader::new(ChannelBounds { line: 40, ..ChannelBounds::default() });
            let mut heard = Vec::new();
            bytes.chunks(cut).for_each(|chunk| reader.push(chunk, Duration::ZERO, |said| heard.push(said)));
            reader.finish(Duration::ZERO, |said| heard.push(said));
            heard
        };
        prop_assert_eq!(hear(cut), hear(300));
    }
}
