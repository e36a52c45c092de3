//! A task on its way in: what a person or a line said, checked, and handed to the store.

use crate::chance::MachineChance;
use crate::json::{ACK, Ack};
use crate::malformed;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_domain::id::{BadName, TaskId, TaskType, UniqueKey};
use wh_domain::task::{InputFile, NewTask, Payload};
use wh_domain::time::Timestamp;
use wh_ports::clock::{Chance, Clock};
use wh_ports::intake::Enqueued;
use wh_ports::store::{Store, StoreError};
use wh_sqlite::SystemClock;

/// The longest line of a file, and the largest params, in bytes. What is larger goes in as an input file.
pub(super) const LONGEST_LINE: u64 = 16 << 20;
/// Input files of one task.
const MOST_INPUTS: usize = 1_000;

/// What was said of a task, as text.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) id: Option<String>,
    pub(super) task_type: String,
    pub(super) params: Option<String>,
    pub(super) priority: Option<i32>,
    pub(super) unique: Option<String>,
    pub(super) delay: Option<String>,
    pub(super) at: Option<String>,
    pub(super) max_attempts: Option<u32>,
    /// Paths, each perhaps with `NAME=` before it.
    pub(super) inputs: Vec<String>,
    pub(super) metadata: Option<String>,
    pub(super) traceparent: Option<String>,
}

/// A task that is right, but for its files, which are not in the store yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) task: NewTask,
    files: Vec<(String, PathBuf)>,
}

impl Draft {
    /// The first of its files that cannot be opened, and why.
    pub(super) fn missing(&self) -> Option<(&Path, io::Error)> {
        let mut files = self.files.iter();
        files.find_map(|(_, path)| Some((path.as_path(), File::open(path).err()?)))
    }
}

/// Checks what was said. Relative paths start at `base`. The error is a fragment that names the field.
pub(super) fn draft(fields: Fields, base: &Path) -> Result<Draft, String> {
    let now = SystemClock::new().wall();
    let id = fields.id.map(|id| name("id", id, TaskId::new)).transpose()?;
    let task_type = name("type", fields.task_type, TaskType::new)?;
    let params = match fields.params {
        Some(text) => Payload::Json(json("params", &text)?.into()),
        None => Payload::Json("{}".into()),
    };
    let run_at = match (fields.delay, fields.at) {
        (Some(_), Some(_)) => return Err("delay and at exclude each other; give one".to_owned()),
        (Some(delay), None) => Some(now.after(duration(&delay)?)),
        (None, Some(at)) => Some(moment(&at)?),
        (None, None) => None,
    };
    if fields.max_attempts == Some(0) {
        return Err("max_attempts is 0; the least is 1".to_owned());
    }
    if fields.inputs.len() > MOST_INPUTS {
        return Err(format!("inputs are {}; at most {MOST_INPUTS} are allowed", fields.inputs.len()));
    }
    let task = NewTask {
        id_is_given: id.is_some(),
        priority: fields.priority.unwrap_or(0),
        run_at,
        unique: fields.unique.map(|key| name("unique", key, UniqueKey::new)).transpose()?,
        max_attempts: fields.max_attempts,
        metadata: fields.metadata.as_deref().map(metadata).transpose()?.map(Into::into),
        traceparent: fields.traceparent.map(traceparent).transpose()?.map(Into::into),
        ..NewTask::new(id.unwrap_or_else(|| MachineChance.task_id()), task_type, params)
    };
    let files = fields.inputs.iter().map(|input| file(input, base)).collect::<Result<Vec<_>, _>>()?;
    all_differ(&files)?;
    Ok(Draft { task, files })
}

fn name<T>(field: &str, text: String, new: impl Fn(String) -> Result<T, BadName>) -> Result<T, String> {
    new(text).map_err(|error| format!("{field} {error}"))
}

fn json(field: &str, text: &str) -> Result<String, String> {
    let value: Result<&RawValue, _> = serde_json::from_str(text);
    value
        .map(|value| value.get().to_owned())
        .map_err(|error| format!("{field} {}", malformed::words(text, &error)))
}

fn metadata(text: &str) -> Result<String, String> {
    let value = json("metadata", text)?;
    if value.starts_with('{') {
        Ok(value)
    } else {
        Err("metadata is no JSON object; write it like {\"name\": 1}".to_owned())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    wh_config::parse_duration(text)
        .map_err(|error| format!("delay is `{text}`, which {error}; write it like 90, 5m or 1h30m"))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp = text.parse().map_err(|_| {
        format!("at is `{text}`, which is no moment of RFC 3339; write it like 2027-01-31T18:00:00Z")
    })?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

/// W3C Trace Context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`, ids not all zero.
fn traceparent(text: String) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let is_right = match parts.as_slice() {
        [version, trace, span, flags] => {
            hex(version, 2)
                && hex(trace, 32)
                && hex(span, 16)
                && hex(flags, 2)
                && trace.bytes().any(|b| b != b'0')
                && span.bytes().any(|b| b != b'0')
        }
        _ => false,
    };
    if is_right {
        return Ok(text);
    }
    Err("traceparent is not as W3C Trace Context has it: 00-<32 hex digits>-<16>-<2>, in lower case"
        .to_owned())
}

/// `NAME=PATH`, or a path whose last component is the name.
fn file(text: &str, base: &Path) -> Result<(String, PathBuf), String> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) if !name.contains('/') => (Some(name.to_owned()), path),
        _ => (None, text),
    };
    let path = base.join(path);
    let name = name.or_else(|| Some(path.file_name()?.to_str()?.to_owned()));
    let name = name.ok_or_else(|| format!("input `{text}` has no usable file name; write NAME={text}"))?;
    InputFile::check_name(&name)
        .map_err(|error| format!("input `{text}`: `{name}` {error}, as in NAME={}", path.display()))?;
    Ok((name, path))
}

/// Two files of one name would lie in the same place.
fn all_differ(files: &[(String, PathBuf)]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    match files.iter().find(|(name, _)| !names.insert(name)) {
        Some((name, path)) => Err(format!(
            "inputs: two are called `{name}`; give one another name, as in NAME={}",
            path.display()
        )),
        None => Ok(()),
    }
}

/// Brings tasks into the store; answers for each, in order, once it is durable. `Err` is a line that was wrong.
pub(super) async fn hand_in(
    store: &dyn Store,
    drafts: Vec<(Option<u64>, Result<Draft, String>)>,
) -> Result<Vec<Ack>, StoreError> {
    let mut acks = Vec::with_capacity(drafts.len());
    let mut tasks = Vec::new();
    let mut places = Vec::new();
    for (line, draft) in drafts {
        let staged = match draft {
            Ok(draft) => with_files(store, draft).await?,
            Err(error) => Err((None, error)),
        };
        let ack = Ack { schema: ACK, line, id: None, status: "refused", state: None, of: None, error: None };
        match staged {
            Ok(task) => {
                places.push(acks.len());
                acks.push(Ack { id: Some(task.id.to_string()), ..ack });
                tasks.push(task);
            }
            Err((id, error)) => acks.push(Ack { id, error: Some(error), ..ack }),
        }
    }
    if tasks.is_empty() {
        return Ok(acks);
    }
    for (place, enqueued) in places.into_iter().zip(store.enqueue(tasks).await?) {
        if let Some(ack) = acks.get_mut(place) {
            answer(ack, enqueued);
        }
    }
    Ok(acks)
}

type Refused = (Option<String>, String);

async fn with_files(store: &dyn Store, draft: Draft) -> Result<Result<NewTask, Refused>, StoreError> {
    let Draft { mut task, files } = draft;
    for (name, path) in files {
        match store.keep_file(name.into(), path.clone()).await {
            Ok(file) => task.inputs.push(file),
            // The file's own fault, or the disk's: either way this task is not in, and the others may be.
            Err(StoreError::Unavailable(why)) => {
                return Ok(Err((Some(task.id.to_string()), told(&path, &why))));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Ok(task))
}

/// The store's words, which name the file again; where it is simply not there, plain ones.
fn told(path: &Path, why: &str) -> String {
    if path.exists() {
        format!("an input file cannot be taken in: {why}")
    } else {
        format!("input {}: there is no such file", path.display())
    }
}

fn answer(ack: &mut Ack, enqueued: Enqueued) {
    match enqueued {
        Enqueued::Created(_) => ack.status = "created",
        Enqueued::Existing { state, .. } => {
            ack.status = "existing";
            ack.state = Some(state.as_str());
        }
        Enqueued::Conflict => {
            ack.status = "conflict";
            ack.error = Some("the id stands for a task with other content; choose another id".to_owned());
        }
        Enqueued::Duplicate { of } => {
            ack.status = "duplicate";
            ack.of = Some(of.to_string());
        }
        Enqueued::Full { max } => {
            ack.status = "full";
            let what = format!("{max} tasks are pending, and queue.max_size allows no more; try again later");
            ack.error = Some(what);
        }
        Enqueued::MissingInput(name) => {
            ack.error = Some(format!("the input file {name} was swept away in the meantime; try again"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl Fn(&mut Fields)) -> String {
        let mut fields = Fields { task_type: "t".to_owned(), ..Fields::default() };
        change(&mut fields);
        draft(fields, Path::new("")).unwrap_err()
    }

    #[expect(clippy::unnecessary_wraps, reason = "the rows below read better")]
    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn every_wrong_field_is_named_with_what_to_write() {
        let told = [
            refusal(|f| f.task_type = String::new()),
            refusal(|f| f.id = text("a\nb")),
            refusal(|f| f.params = text("{\"a\":")),
            refusal(|f| f.metadata = text("[1]")),
            refusal(|f| f.delay = text("soon")),
            refusal(|f| f.at = text("tomorrow")),
            refusal(|f| (f.delay, f.at) = (text("5"), text("2027-01-31T18:00:00Z"))),
            refusal(|f| f.max_attempts = Some(0)),
            refusal(|f| f.traceparent = text("00-00000000000000000000000000000000-00f067aa0ba902b7-01")),
            refusal(|f| f.inputs = vec!["/".to_owned()]),
            refusal(|f| f.inputs = vec!["x/params.json".to_owned()]),
            refusal(|f| f.inputs = vec!["x/a".to_owned(), "y/a".to_owned()]),
        ];
        let fields = [
            "type",
            "id",
            "params",
            "metadata",
            "delay",
            "at",
            "delay",
            "max_attempts",
            "traceparent",
            "input",
            "input",
            "inputs",
        ];
        for (told, field) in told.iter().zip(fields) {
            assert!(told.starts_with(field), "{told} does not begin with {field}");
        }
    }

    #[test]
    fn params_keep_every_character_but_white_space_around_them() {
        let odd = r#" {"b": 1.0, "a": 1e2, "b": "\u00e4"} "#;
        let fields = Fields { task_type: "t".to_owned(), params: text(odd), ..Fields::default() };
        let draft = draft(fields, Path::new("")).unwrap();
        assert_eq!(draft.task.params, Payload::Json(odd.trim().into()));
    }

    #[test]
    fn an_input_is_named_by_its_path_or_by_its_own_word() {
        let base = Path::new("/base");
        assert_eq!(file("a/b.txt", base).unwrap(), ("b.txt".to_owned(), "/base/a/b.txt".into()));
        assert_eq!(file("x=a/b.txt", base).unwrap(), ("x".to_owned(), "/base/a/b.txt".into()));
        assert_eq!(file("/a/b=c.txt", base).unwrap(), ("b=c.txt".to_owned(), "/a/b=c.txt".into()));
    }
}
