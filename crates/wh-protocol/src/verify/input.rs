//! What a case sends.

use super::case::{Case, Input};
use crate::fields::Fields;
use crate::task::{BadTask, Metadata, Params, TaskObject};
use serde_json::json;

/// A task that the worker under test should be able to do.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Its type (`--type`).
    pub task_type: &'a str,
    /// Its params (`--params`): one JSON value.
    pub params: &'a str,
    /// Now, in RFC 3339, UTC.
    pub created_at: &'a str,
    /// The workspace, as an absolute path.
    pub workspace: Option<&'a str>,
}

/// How much [`Input::LargeParams`] adds: more than any pipe holds, less than what travels in a file instead.
const LARGE: usize = 768 * 1024;

/// Text of several scripts, with characters of two to four bytes, one of them a line separator.
const SCRIPTS: &str = "Příliš žluťoučký kůň; Ελληνικά; עברית; 日本語; e\u{301}; \u{2028}; 🐎";

const ID_MEMBER: &str = r#""id":"verify-1","#;

impl Case {
    /// The bytes of standard input.
    ///
    /// # Errors
    /// [`BadTask`] where the sample's params are no JSON.
    pub fn stdin(&self, sample: &Sample<'_>) -> Result<Vec<u8>, BadTask> {
        let valid = task(sample, sample.task_type, sample.params)?;
        Ok(match self.input {
            Input::Valid => valid,
            Input::WithoutId => String::from_utf8_lossy(&valid).replacen(ID_MEMBER, "", 1).into_bytes(),
            Input::UnknownType => task(sample, "workerhost.verify.unknown-type", sample.params)?,
            Input::EmptyParams => task(sample, sample.task_type, "{}")?,
            Input::HalfAnObject => valid.get(..valid.len() / 2).unwrap_or_default().to_vec(),
            Input::NotAnObject => b"[1,2,3]\n".to_vec(),
            Input::LargeParams => with_member(sample, &"x".repeat(LARGE))?,
            Input::NonAscii => with_member(sample, SCRIPTS)?,
            Input::Nothing | Input::HeldOpen => Vec::new(),
        })
    }
}

fn task(sample: &Sample<'_>, task_type: &str, params: &str) -> Result<Vec<u8>, BadTask> {
    let mut line = Vec::new();
    let metadata = Metadata {
        priority: 0,
        created_at: sample.created_at,
        worker_id: "workerhost-verify",
        attempt: 1,
        attempt_id: "verify-1:1",
        max_attempts: 3,
        deadline: None,
        soft_deadline: None,
        traceparent: None,
        workspace: sample.workspace,
        checkpoint: None,
        added: &[],
    };
    TaskObject { id: "verify-1", task_type, params: Params::Inline(params), metadata }.write(&mut line)?;
    Ok(line)
}

/// The sample with a member `workerhost_verify` in its params; params that are no object become one.
fn with_member(sample: &Sample<'_>, text: &str) -> Result<Vec<u8>, BadTask> {
    let member = format!(r#""workerhost_verify":{}"#, json!(text));
    let params = match Fields::read(sample.params) {
        Ok(fields) if fields.0.is_empty() => format!("{{{member}}}"),
        Ok(_) => sample.params.trim().replacen('{', &format!("{{{member},"), 1),
        Err(_) => format!("{{{member}}}"),
    };
    task(sample, sample.task_type, &params)
}
