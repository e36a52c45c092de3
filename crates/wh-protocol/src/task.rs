//! Writes the task object: the one line that a worker reads on standard input.

use crate::fields::Fields;
use serde_json::json;

/// A task as its worker sees it.
#[derive(Debug, Clone, Copy)]
pub struct TaskObject<'a> {
    /// The producer's id.
    pub id: &'a str,
    /// The type, exactly as enqueued.
    pub task_type: &'a str,
    /// What goes in.
    pub params: Params<'a>,
    /// What the host adds.
    pub metadata: Metadata<'a>,
}

/// `params`, or where they lie.
#[derive(Debug, Clone, Copy)]
pub enum Params<'a> {
    /// One JSON value as its producer wrote it. Only line ends between its tokens become spaces.
    Inline(&'a str),
    /// Too large for the line: `{"$file": …, "size": …, "sha256": …}` stands in their place.
    File {
        /// Relative to the workspace.
        path: &'a str,
        /// In bytes.
        size: u64,
        /// Of the content, in lower-case hexadecimal.
        sha256: &'a str,
    },
}

/// Where large params lie, relative to the workspace.
pub const PARAMS_FILE: &str = "input/params.json";

/// The members of `metadata` that are the host's own. An object of anybody else cannot set them, not even those
/// that are absent.
#[derive(Debug, Clone, Copy)]
pub struct Metadata<'a> {
    /// Higher goes first.
    pub priority: i32,
    /// When the task was enqueued, in RFC 3339, UTC.
    pub created_at: &'a str,
    /// The host.
    pub worker_id: &'a str,
    /// Counted tries before this one, plus one.
    pub attempt: u32,
    /// `id:fence`.
    pub attempt_id: &'a str,
    /// How many counted tries there may be.
    pub max_attempts: u32,
    /// The hard limit, in RFC 3339, UTC.
    pub deadline: Option<&'a str>,
    /// The soft limit, in RFC 3339, UTC.
    pub soft_deadline: Option<&'a str>,
    /// W3C trace context.
    pub traceparent: Option<&'a str>,
    /// The attempt's own tree of files, as an absolute path.
    pub workspace: Option<&'a str>,
    /// What an earlier attempt left for this one: a JSON value as written.
    pub checkpoint: Option<&'a str>,
    /// JSON objects whose members are added as written; of members with the same name in two of them, the earlier
    /// object's counts.
    pub added: &'a [&'a str],
}

/// Why a task cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTask {
    /// The params are no JSON value.
    #[error("the task's params are no JSON: {0}")]
    Params(String),
    /// Something to be added to the metadata is no JSON object.
    #[error("the task's metadata is no JSON object: {0}")]
    Metadata(String),
    /// The checkpoint is no JSON value.
    #[error("the task's checkpoint is no JSON: {0}")]
    Checkpoint(String),
}

impl TaskObject<'_> {
    /// Appends the object and a line end to `out`; the object itself holds none.
    ///
    /// # Errors
    /// [`BadTask`] where something that should be JSON is not; then `out` is as it was.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), BadTask> {
        let before = out.len();
        let written = self.write_members(out);
        match &written {
            Ok(()) => out.push(b'\n'),
            Err(_) => out.truncate(before),
        }
        written
    }

    fn write_members(&self, out: &mut Vec<u8>) -> Result<(), BadTask> {
        out.extend_from_slice(
            format!(r#"{{"id":{},"type":{},"params":"#, json!(self.id), json!(self.task_type)).as_bytes(),
        );
        match self.params {
            Params::Inline(text) => splice(text, out).map_err(BadTask::Params)?,
            Params::File { path, size, sha256 } => {
                let place = json!({"$file": path, "size": size, "sha256": sha256});
                out.extend_from_slice(place.to_string().as_bytes());
            }
        }
        out.extend_from_slice(br#","metadata":{"#);
        self.metadata.write(out)?;
        out.extend_from_slice(b"}}");
        Ok(())
    }
}

/// The names that only the host may set.
pub const RESERVED: [&str; 11] = [
    "priority",
    "created_at",
    "worker_id",
    "attempt",
    "attempt_id",
    "max_attempts",
    "deadline",
    "soft_deadline",
    "traceparent",
    "workspace",
    "checkpoint",
];

impl Metadata<'_> {
    fn write(&self, out: &mut Vec<u8>) -> Result<(), BadTask> {
        let optional = [
            ("deadline", self.deadline),
            ("soft_deadline", self.soft_deadline),
            ("traceparent", self.traceparent),
            ("workspace", self.workspace),
        ];
        out.extend_from_slice(
            format!(
                r#""priority":{},"created_at":{},"worker_id":{},"attempt":{},"attempt_id":{},"max_attempts":{}"#,
                self.priority,
                json!(self.created_at),
                json!(self.worker_id),
                self.attempt,
                json!(self.attempt_id),
                self.max_attempts
            )
            .as_bytes(),
        );
        for (name, value) in optional {
            if let Some(value) = value {
                out.extend_from_slice(format!(r#","{name}":{}"#, json!(value)).as_bytes());
            }
        }
        if let Some(checkpoint) = self.checkpoint {
            out.extend_from_slice(br#","checkpoint":"#);
            splice(checkpoint, out).map_err(BadTask::Checkpoint)?;
        }
        self.write_added(out)
    }

    fn write_added(&self, out: &mut Vec<u8>) -> Result<(), BadTask> {
        let mut taken: Vec<String> = RESERVED.iter().map(|name| (*name).to_owned()).collect();
        for object in self.added {
            let fields = Fields::read(object).map_err(|error| BadTask::Metadata(error.to_string()))?;
            let mut names = Vec::new();
            for (name, value) in fields.0 {
                if taken.iter().any(|taken| *taken == name) {
                    continue;
                }
                out.extend_from_slice(format!(",{}:", json!(name)).as_bytes());
                one_line(value.get(), out);
                names.push(name.into_owned());
            }
            taken.extend(names);
        }
        Ok(())
    }
}

/// Appends a JSON value as written, once it is known to be one.
fn splice(value: &str, out: &mut Vec<u8>) -> Result<(), String> {
    serde_json::from_str::<serde::de::IgnoredAny>(value).map_err(|error| error.to_string())?;
    one_line(value.trim(), out);
    Ok(())
}

/// A line end in valid JSON stands between tokens, where a space means the same. A worker that reads a line then
/// gets the whole task.
fn one_line(value: &str, out: &mut Vec<u8>) {
    out.extend(value.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}
