//! The environment variables that stand in for keys of the file, and those that never do.

use crate::problem::{COMMAND_LINE, ENVIRONMENT, Problem, Problems, Severity};
use crate::report::Report;
use crate::secret;
use crate::source::Source;
use crate::suggest;
use crate::tree::{Entry, Node, Scalar, What};

/// A variable that wins over a key of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Override {
    /// The variable.
    pub(crate) name: &'static str,
    /// The key, from the top of the file.
    pub(crate) path: &'static [&'static str],
}

const fn of(name: &'static str, path: &'static [&'static str]) -> Override {
    Override { name, path }
}

/// All of them. Those of the `task_manager` section are written without the inner underscore, as older
/// installations have them.
pub(crate) const OVERRIDES: [Override; 21] = [
    of("WORKERHOST_STORE", &["store"]),
    of("WORKERHOST_DATA_DIR", &["data_dir"]),
    of("WORKERHOST_HOST_NAME", &["host", "name"]),
    of("WORKERHOST_HOST_STREAMS", &["host", "streams"]),
    of("WORKERHOST_HOST_DRAIN", &["host", "drain"]),
    of("WORKERHOST_QUEUE_MAX_SIZE", &["queue", "max_size"]),
    of("WORKERHOST_QUEUE_AGEING", &["queue", "ageing"]),
    of("WORKERHOST_LOGGING_LEVEL", &["logging", "level"]),
    of("WORKERHOST_LOGGING_STRUCTURED", &["logging", "structured"]),
    of("WORKERHOST_LOGGING_FILE", &["logging", "file"]),
    of("WORKERHOST_LOGGING_MAX_BYTES", &["logging", "max_bytes"]),
    of("WORKERHOST_LOGGING_BACKUP_COUNT", &["logging", "backup_count"]),
    of("WORKERHOST_LOGGING_CAPTURE_WORKER_OUTPUT", &["logging", "capture_worker_output"]),
    of("WORKERHOST_TASKMANAGER_TYPE", &["task_manager", "type"]),
    of("WORKERHOST_TASKMANAGER_URL", &["task_manager", "url"]),
    of("WORKERHOST_TASKMANAGER_API_KEY", &["task_manager", "api_key"]),
    of("WORKERHOST_TASKMANAGER_POLL_INTERVAL", &["task_manager", "poll_interval"]),
    of("WORKERHOST_TASKMANAGER_TIMEOUT", &["task_manager", "timeout"]),
    of("WORKERHOST_TASKMANAGER_MAX_RETRIES", &["task_manager", "max_retries"]),
    of("WORKERHOST_TASKMANAGER_RETRY_BACKOFF", &["task_manager", "retry_backoff"]),
    of("WORKERHOST_MONITORING_ENABLED", &["monitoring", "enabled"]),
];

/// What the command line says with its option `--store`, which is nearer than any variable.
pub const STORE_OPTION: &str = "--store";
const OPTION: Override = of(STORE_OPTION, &["store"]);

/// All overrides with the keys they stand in for, dotted.
pub(crate) fn overrides() -> impl Iterator<Item = (&'static str, String)> {
    OVERRIDES.iter().map(|known| (known.name, known.path.join(".")))
}

/// What the host tells a worker about its task. A worker that starts a host of its own must not configure it so.
const GIVEN_TO_WORKERS: [&str; 18] = [
    "WORKERHOST_PROTOCOL",
    "WORKERHOST_TASK_ID",
    "WORKERHOST_TASK_TYPE",
    "WORKERHOST_ATTEMPT",
    "WORKERHOST_MAX_ATTEMPTS",
    "WORKERHOST_WORKER",
    "WORKERHOST_STREAM",
    "WORKERHOST_WORKSPACE",
    "WORKERHOST_INPUT_DIR",
    "WORKERHOST_WORKING_DIR",
    "WORKERHOST_OUTPUT_DIR",
    "WORKERHOST_LOGS_DIR",
    "WORKERHOST_DEADLINE_MS",
    "WORKERHOST_SOFT_DEADLINE_MS",
    "WORKERHOST_CHANNEL_FD",
    "WORKERHOST_ATTEMPT_ID",
    "WORKERHOST_HOST_ID",
    "WORKERHOST_CREDENTIAL",
];

/// Names the file to read; the command line looks at it, not the file.
const CONFIG_FILE: &str = "WORKERHOST_CONFIG";

/// Whether a variable describes a task to its worker.
pub(crate) fn is_given_to_workers(name: &str) -> bool {
    GIVEN_TO_WORKERS.contains(&name)
}

/// Puts the values of set variables, and what the command line says, in the place of the file's.
pub(crate) fn apply(root: &mut Node, env: &dyn Fn(&str) -> Option<String>, report: &mut Report) {
    for Override { name, path } in OVERRIDES.into_iter().chain([OPTION]) {
        let Some(value) = env(name).filter(|value| !value.is_empty()) else { continue };
        let from = if name == STORE_OPTION { COMMAND_LINE } else { ENVIRONMENT };
        let mut source = Source::new(from, &format!("{name}={value}"));
        let start = name.len() + 1;
        let secret = secret::looks_secret(name);
        if secret {
            source.hide(Some(start..start + value.len()));
        }
        let mut at = report.add_source(source);
        at.start = start;
        let text = Scalar { secret, ..Scalar::new(&value, at, true) };
        put(root, path, Node { at, what: What::Scalar(text) });
    }
}

/// Warns of variables that look as if they configured something but do not.
pub fn check_variables<'n>(names: impl IntoIterator<Item = &'n str>) -> Problems {
    let mut problems = Vec::new();
    for name in names {
        let known = OVERRIDES.iter().any(|known| known.name == name);
        if !name.starts_with("WORKERHOST_") || known || is_given_to_workers(name) || name == CONFIG_FILE {
            continue;
        }
        let help = match suggest::nearest(name, OVERRIDES.iter().map(|known| known.name)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "docs/config.md lists the variables that are read".to_owned(),
        };
        problems.push(Problem {
            severity: Severity::Warning,
            message: format!("the environment variable `{name}` has no effect"),
            help: Some(help),
            place: None,
        });
    }
    Problems::sorted(problems)
}

fn put(node: &mut Node, path: &[&str], value: Node) {
    let [first, rest @ ..] = path else {
        *node = value;
        return;
    };
    if node.is_null() {
        node.what = What::Map(Vec::new());
    }
    // Any other shape is a mistake of the file's, which is told when the file is checked.
    let What::Map(entries) = &mut node.what else { return };
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key.text == *first) {
        return put(&mut entry.value, rest, value);
    }
    let key = Scalar::new(first, value.at, true);
    let mut inner = Node { at: value.at, what: What::Map(Vec::new()) };
    put(&mut inner, rest, value);
    entries.push(Entry { key, value: inner });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_does_nothing_is_told_with_the_nearest_that_does() {
        let told = check_variables([
            "PATH",
            "WORKERHOST_TASK_ID",
            "WORKERHOST_LOGGING_LEVEL",
            "WORKERHOST_CONFIG",
            "WORKERHOST_LOGING_LEVEL",
            "WORKERHOST_COLOURS_OF_THE_SEA",
        ]);
        let lines: Vec<_> = told.iter().map(|p| (p.message.as_str(), p.help.as_deref())).collect();
        assert_eq!(
            lines,
            [
                (
                    "the environment variable `WORKERHOST_LOGING_LEVEL` has no effect",
                    Some("did you mean `WORKERHOST_LOGGING_LEVEL`?")
                ),
                (
                    "the environment variable `WORKERHOST_COLOURS_OF_THE_SEA` has no effect",
                    Some("docs/config.md lists the variables that are read")
                ),
            ]
        );
        assert!(!told.has_errors());
    }
}
