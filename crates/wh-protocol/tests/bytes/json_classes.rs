//! Which texts are a JSON value: one row per class of the grammar, through the sifter and the channel alike.

use crate::sift::sift_cut;
use std::time::Duration;
use wh_protocol::channel::{ChannelBounds, ChannelReader, Event};
use wh_protocol::result::{self, Report};
use wh_protocol::sift::{SiftBounds, Stray};

const ACCEPTED: [&str; 46] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "1.5",
    "-1.5",
    "0.1",
    "1e1",
    "1E1",
    "1e+1",
    "1e-1",
    "1.0e10",
    "0e0",
    "1e999",
    "-1e999",
    "1e-999",
    "12345678901234567890123",
    "0.12345678901234567890123",
    "\"\"",
    "\"a\"",
    "\"é\"",
    "\"🐎\"",
    "\"\\\"\"",
    "\"\\\\\"",
    "\"\\/\\b\\f\\n\\r\\t\"",
    "\"\\u00e9\"",
    "\"\\u00E9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\u{7f}\"",
    "\"\u{2028}\"",
    "[]",
    "[ ]",
    "[1,2]",
    "[[],{}]",
    "{}",
    "{ }",
    "{\"a\":1}",
    "{\"\":1}",
    "{\"a\":1,\"a\":2}",
    "\t[\r\n1 , 2\n] ",
];

const REJECTED: [&str; 62] = [
    "",
    "nul",
    "nulll",
    "True",
    "NULL",
    "None",
    "undefined",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "+1",
    "01",
    "-01",
    "--1",
    "-",
    "1.",
    ".5",
    "-.5",
    "1.e1",
    "1e",
    "1e+",
    "1E-",
    "1e1.5",
    "1_000",
    "0x10",
    "1 2",
    "１",
    "'a'",
    "\"",
    "\"a",
    "a\"",
    "\"\\\"",
    "\"\\x41\"",
    "\"\\'\"",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\U0041\"",
    "\"\n\"",
    "\"\t\"",
    "\"\0\"",
    "\"\u{1f}\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1:2]",
    "{",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "// comment\n1",
];

fn sifted(value: &str) -> Option<String> {
    let text = format!(r#"{{"success":true,"result":{value}}}"#);
    let (found, _) = sift_cut(Stray::Logged, SiftBounds::default(), text.as_bytes(), 1);
    found.result.filter(|found| *found == text)
}

fn heard(value: &str) -> Option<Event> {
    let mut events = Vec::new();
    let mut reader = ChannelReader::new(ChannelBounds::default());
    // On the channel a line end ends the object, so only values of one line can pass.
    let line = format!(r#"{{"event":"partial","result":{value}}}"#).replace(['\n', '\r'], " ");
    reader.push(line.as_bytes(), Duration::ZERO, |said| events.push(said));
    reader.finish(Duration::ZERO, |said| events.push(said));
    events.pop().and_then(Result::ok)
}

#[test]
fn every_class_of_json_is_taken_exactly_as_written() {
    for value in ACCEPTED {
        let text = sifted(value).unwrap_or_else(|| panic!("not found: {value:?}"));
        let Report::Success(kept) = result::read(&text).unwrap().report else { panic!("{value:?}") };
        assert_eq!(&*kept, value.trim(), "from standard output");
        let flat = value.trim().replace(['\n', '\r'], " ");
        assert_eq!(heard(value), Some(Event::Partial(flat.into())), "from the channel");
    }
}

#[test]
fn what_is_no_json_is_never_taken() {
    for value in REJECTED {
        assert_eq!(sifted(value), None, "{value:?} from standard output");
        // A comment or a string over two lines is no different once its line end is a space.
        if !value.contains('\n') {
            assert_eq!(heard(value), None, "{value:?} from the channel");
        }
    }
}
