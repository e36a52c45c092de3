//! Records as lines.

use crate::plain::{plain, plain_json};
use crate::record::{Record, Value};
use serde_json::{Map, json};
use wh_domain::time::Timestamp;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// The record as one line, with its line feed.
    pub(crate) fn line(self, record: &Record) -> String {
        let mut line = match self {
            Self::Text => text(record),
            Self::Json => json_object(record),
        };
        line.push('\n');
        line
    }
}

fn text(record: &Record) -> String {
    let mut line = format!("{} {:<7} {}", moment(record.at), record.level.as_str(), record.event);
    for (key, value) in &record.fields {
        line.push(' ');
        line.push_str(key);
        line.push('=');
        match value {
            Value::Text(text) => line.push_str(&quoted(text)),
            Value::Number(number) => line.push_str(&number.to_string()),
        }
    }
    line.push_str(" - ");
    line.push_str(&plain(&record.message));
    line
}

/// A value as it is, or in quotes where it would run into its neighbours.
fn quoted(text: &str) -> String {
    let bare = !text.is_empty() && !text.contains([' ', '"', '=']);
    if bare { plain(text) } else { plain_json(&json!(text).to_string()) }
}

fn json_object(record: &Record) -> String {
    let mut object = Map::new();
    object.insert("at".to_owned(), json!(moment(record.at)));
    object.insert("level".to_owned(), json!(record.level.as_str()));
    object.insert("event".to_owned(), json!(record.event));
    object.insert("message".to_owned(), json!(record.message));
    for (key, value) in &record.fields {
        let value = match value {
            Value::Text(text) => json!(text),
            Value::Number(number) => json!(number),
        };
        object.insert((*key).to_owned(), value);
    }
    plain_json(&serde_json::Value::Object(object).to_string())
}

/// RFC 3339 in UTC with milliseconds; the bare milliseconds for a moment that no calendar holds.
fn moment(at: Timestamp) -> String {
    let millis = at.as_millis();
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |moment| format!("{moment:.3}"))
}
