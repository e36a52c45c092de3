//! The worker of a map: the command as it stands on the command line, with what the person's shell would give it.

use super::input::TASK_TYPE;
use crate::exit::Exit;
use crate::failure::Failure;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use wh_domain::exit::ExitTable;
use wh_domain::id::{TaskType, WorkerName};
use wh_domain::isolation::{Isolation, Level};
use wh_domain::limits::Limits;
use wh_domain::retry::RetryPolicy;
use wh_domain::routing::TypePattern;
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Bounds, Program, Protocol, Worker, Workspace};

/// A map is stopped by its user, again and again if need be, and not by its inputs: being under way then must not give
/// an input up. A worker's task may lose fewer hosts.
const MOST_LOST: u32 = 1_000;

/// What a person may say of it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) command: Vec<String>,
    pub(super) protocol: Protocol,
    pub(super) streams: u32,
    pub(super) max_attempts: u32,
    /// `None` is no limit.
    pub(super) timeout: Option<Duration>,
}

/// The worker, if its program can be found.
pub(super) fn worker(wanted: Wanted) -> Result<Worker, Failure> {
    let directory =
        std::env::current_dir().map_err(|error| Failure::of_io("find the working directory", &error))?;
    if let Some(program) = wanted.command.first() {
        find(program, &directory)?;
    }
    let impossible = |error: &dyn std::fmt::Display| Failure::usage(format!("the command {error}"));
    let hard = wanted.timeout.unwrap_or(wh_config::LONGEST);
    let grace = TimeoutPolicy::default().grace;
    Ok(Worker {
        name: WorkerName::new(TASK_TYPE).map_err(|error| impossible(&error))?,
        task_types: vec![TypePattern::Exact(TaskType::new(TASK_TYPE).map_err(|error| impossible(&error))?)],
        streams: wanted.streams,
        program: Program { argv: wanted.command, directory, env: environment(), secrets: Vec::new() },
        protocol: wanted.protocol,
        workspace: Workspace::None,
        // Whoever writes a command line counts on files being written where they stand.
        isolation: Isolation { level: Level::None, ..Isolation::default() },
        limits: Limits::NONE,
        timeout: TimeoutPolicy::new(hard, None, grace)
            .map_err(|error| Failure::usage(format!("--timeout: {error}")))?,
        retry: RetryPolicy {
            max_attempts: wanted.max_attempts,
            max_lost: MOST_LOST,
            ..RetryPolicy::default()
        },
        outputs: Vec::new(),
        exit_codes: ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    })
}

/// All of this process's variables, because the command is the user's own. A variable that is no text is left out: a
/// program cannot be told of it from here.
fn environment() -> Vec<(String, String)> {
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.filter(|(name, _)| !name.starts_with("WORKERHOST_")).collect()
}

/// A misspelt command is told before anything is read.
fn find(program: &str, directory: &Path) -> Result<(), Failure> {
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        let path = directory.join(program);
        return if is_program(&path) {
            Ok(())
        } else {
            Err(Failure::new(Exit::NotFound, format!("there is no program {program}")))
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|place| is_program(&directory.join(place).join(program))) {
        return Ok(());
    }
    Err(Failure::new(Exit::NotFound, format!("there is no program {program} on PATH"))
        .help("a shell's own commands and pipes need a shell: -- sh -c 'COMMAND'"))
}
