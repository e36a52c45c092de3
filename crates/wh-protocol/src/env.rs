//! The variables that tell a worker what it works on.

use std::num::NonZeroU32;

/// The protocol's version, as the value of [`PROTOCOL`].
pub const VERSION: &str = "1";
/// Where the channel's descriptor stands.
pub const CHANNEL_FD_NUMBER: u32 = 3;

/// The version of this protocol.
pub const PROTOCOL: &str = "WORKERHOST_PROTOCOL";
/// The task's id.
pub const TASK_ID: &str = "WORKERHOST_TASK_ID";
/// The task's type.
pub const TASK_TYPE: &str = "WORKERHOST_TASK_TYPE";
/// The host that started it; every start of a host has an id of its own.
pub const HOST_ID: &str = "WORKERHOST_HOST_ID";
/// Counted tries before this one, plus one.
pub const ATTEMPT: &str = "WORKERHOST_ATTEMPT";
/// `id:fence`: names this attempt for ever.
pub const ATTEMPT_ID: &str = "WORKERHOST_ATTEMPT_ID";
/// How many counted tries there may be.
pub const MAX_ATTEMPTS: &str = "WORKERHOST_MAX_ATTEMPTS";
/// The worker's configured name.
pub const WORKER: &str = "WORKERHOST_WORKER";
/// The worker's stream, from 1.
pub const STREAM: &str = "WORKERHOST_STREAM";
/// The attempt's own tree of files.
pub const WORKSPACE: &str = "WORKERHOST_WORKSPACE";
/// `input/` of the workspace.
pub const INPUT_DIR: &str = "WORKERHOST_INPUT_DIR";
/// `working/` of the workspace.
pub const WORKING_DIR: &str = "WORKERHOST_WORKING_DIR";
/// `output/` of the workspace.
pub const OUTPUT_DIR: &str = "WORKERHOST_OUTPUT_DIR";
/// `logs/` of the workspace.
pub const LOGS_DIR: &str = "WORKERHOST_LOGS_DIR";
/// The hard limit, in Unix milliseconds.
pub const DEADLINE_MS: &str = "WORKERHOST_DEADLINE_MS";
/// The soft limit, in Unix milliseconds.
pub const SOFT_DEADLINE_MS: &str = "WORKERHOST_SOFT_DEADLINE_MS";
/// The descriptor of the channel.
pub const CHANNEL_FD: &str = "WORKERHOST_CHANNEL_FD";
/// W3C trace context.
pub const TRACEPARENT: &str = "TRACEPARENT";

/// The variables that pass from the host's environment to every worker.
pub const PASSED_ON: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// The tree of files of one attempt, as absolute paths.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The tree's root.
    pub workspace: &'a str,
    /// Where the input lies.
    pub input: &'a str,
    /// Where to work.
    pub working: &'a str,
    /// Where results go.
    pub output: &'a str,
    /// Where logs go.
    pub logs: &'a str,
}

/// What the variables say.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// See [`TASK_ID`].
    pub task_id: &'a str,
    /// See [`TASK_TYPE`].
    pub task_type: &'a str,
    /// See [`HOST_ID`].
    pub host_id: &'a str,
    /// See [`ATTEMPT`].
    pub attempt: u32,
    /// See [`ATTEMPT_ID`].
    pub attempt_id: &'a str,
    /// See [`MAX_ATTEMPTS`].
    pub max_attempts: u32,
    /// See [`WORKER`].
    pub worker: &'a str,
    /// See [`STREAM`].
    pub stream: u32,
    /// `None` for `workspace: none`.
    pub places: Option<Places<'a>>,
    /// See [`DEADLINE_MS`].
    pub deadline_ms: i64,
    /// See [`SOFT_DEADLINE_MS`].
    pub soft_deadline_ms: i64,
    /// See [`CHANNEL_FD`]; `None` where there is no channel.
    pub channel_fd: Option<NonZeroU32>,
    /// See [`TRACEPARENT`].
    pub traceparent: Option<&'a str>,
}

impl Environment<'_> {
    /// The variables with their values.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            (PROTOCOL, VERSION.to_owned()),
            (TASK_ID, self.task_id.to_owned()),
            (TASK_TYPE, self.task_type.to_owned()),
            (HOST_ID, self.host_id.to_owned()),
            (ATTEMPT, self.attempt.to_string()),
            (ATTEMPT_ID, self.attempt_id.to_owned()),
            (MAX_ATTEMPTS, self.max_attempts.to_string()),
            (WORKER, self.worker.to_owned()),
            (STREAM, self.stream.to_string()),
            (DEADLINE_MS, self.deadline_ms.to_string()),
            (SOFT_DEADLINE_MS, self.soft_deadline_ms.to_string()),
        ];
        if let Some(places) = self.places {
            variables.extend([
                (WORKSPACE, places.workspace.to_owned()),
                (INPUT_DIR, places.input.to_owned()),
                (WORKING_DIR, places.working.to_owned()),
                (OUTPUT_DIR, places.output.to_owned()),
                (LOGS_DIR, places.logs.to_owned()),
            ]);
        }
        variables.extend(self.channel_fd.map(|fd| (CHANNEL_FD, fd.to_string())));
        variables.extend(self.traceparent.map(|trace| (TRACEPARENT, trace.to_owned())));
        variables
    }
}
