//! What became of one input of a map, as an object.

use crate::exit::Exit as CommandExit;
use crate::failure::Failure;
use crate::json::content::Content;
use serde::Serialize;
use serde_json::value::RawValue;
use wh_domain::attempt::OutcomeName;
use wh_domain::exit::{Exit, signal_name};
use wh_domain::task::StateName;
use wh_ports::blobs::Stored;

/// The schema's name.
const MAP: &str = "workerhost.map/v1";

/// What became of an input.
pub(crate) struct Mapped<'a> {
    /// The line's number, from 1.
    pub(crate) index: u64,
    /// SHA-256 of the line without its newline.
    pub(crate) digest: String,
    pub(crate) state: StateName,
    /// Of the last attempt, like the exit and the sentence.
    pub(crate) outcome: Option<OutcomeName>,
    pub(crate) exit: Option<&'a Exit>,
    /// The number of the last attempt; 0 where there was none.
    pub(crate) attempt: u32,
    pub(crate) sentence: &'a str,
    /// And whether it was cut short.
    pub(crate) result: Option<&'a (Stored, bool)>,
}

#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    index: u64,
    digest: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    attempt: u32,
    sentence: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_encoding: Option<&'static str>,
    /// Whether the result was cut short by the attempt's end.
    partial: bool,
}

/// The object as a line.
pub(crate) fn mapped_line(mapped: &Mapped<'_>) -> Result<Vec<u8>, Failure> {
    let (exit_code, signal) = match mapped.exit {
        Some(Exit::Code(code)) => (Some(*code), None),
        Some(Exit::Signal(signal)) => (None, Some(signal_name(*signal))),
        Some(Exit::NotStarted(_) | Exit::Unseen) | None => (None, None),
    };
    let (result, result_encoding) = match mapped.result.map(|(stored, _)| Content::of(stored)) {
        Some(content) => (Some(content.value), Some(content.encoding)),
        None => (None, None),
    };
    let object = Object {
        schema: MAP,
        index: mapped.index,
        digest: &mapped.digest,
        state: mapped.state.as_str(),
        outcome: mapped.outcome.map(OutcomeName::as_str),
        exit_code,
        signal,
        attempt: mapped.attempt,
        sentence: mapped.sentence,
        result,
        result_encoding,
        partial: mapped.result.is_some_and(|(_, partial)| *partial),
    };
    let mut line = serde_json::to_vec(&object)
        .map_err(|error| Failure::new(CommandExit::Failed, format!("an answer is no JSON: {error}")))?;
    line.push(b'\n');
    Ok(line)
}
