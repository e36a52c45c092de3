//! Who is verified, and with what task.

use super::Options;
use crate::commands::{enqueue, list};
use crate::configuration::Need;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::malformed;
use std::path::PathBuf;
use std::time::Duration;
use wh_domain::exit::ExitTable;
use wh_domain::id::WorkerName;
use wh_domain::isolation::Isolation;
use wh_domain::limits::Limits;
use wh_domain::retry::RetryPolicy;
use wh_domain::routing::TypePattern;
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Bounds, Program, Protocol, Worker, Workspace};

/// How long a worker may take for a case, unless told otherwise.
const LIMIT: Duration = Duration::from_secs(30);
/// The sample's params where nothing says any.
const NO_PARAMS: &str = "{}";
/// The sample's type where nothing says one.
const TYPE: &str = "Example.Verify";

/// A worker with the task that it should be able to do.
pub(super) struct Subject {
    pub(super) worker: Worker,
    /// How it is called.
    pub(super) title: String,
    pub(super) task_type: String,
    /// JSON, unless the worker speaks `raw`.
    pub(super) params: String,
    /// How long it may take for a case.
    pub(super) limit: Duration,
    /// Where a host may be writing at this moment.
    pub(super) data_dir: Option<PathBuf>,
    /// What else a host of the same configuration keeps for itself.
    pub(super) private: Vec<PathBuf>,
}

/// Those that the command line names.
pub(super) fn of(options: &Options, context: &Context) -> Result<Vec<Subject>, Failure> {
    let params = enqueue::params(options.params.as_deref().unwrap_or(NO_PARAMS))?;
    if let Some(task_type) = &options.task_type {
        list::task_type(task_type.clone())?;
    }
    let mut subjects = if options.command.is_empty() {
        configured(options, context, &params)?
    } else {
        vec![command(options, params)?]
    };
    for subject in &mut subjects {
        if let Some(spoken) = options.protocol {
            subject.worker.protocol = spoken.protocol();
        }
        if subject.worker.protocol != Protocol::Raw {
            serde_json::from_str::<&serde_json::value::RawValue>(&subject.params).map_err(|error| {
                Failure::usage(format!("--params {}", malformed::words(&subject.params, &error)))
            })?;
        }
    }
    Ok(subjects)
}

fn configured(options: &Options, context: &Context, params: &str) -> Result<Vec<Subject>, Failure> {
    let configuration = context.configuration(Need::File)?;
    let private = configuration.private();
    let (workers, data_dir) = (configuration.config.workers, configuration.config.data_dir);
    let names = workers.iter().map(|worker| worker.name.to_string()).collect::<Vec<_>>().join(", ");
    let named = |worker: &Worker| options.name.as_deref().is_none_or(|name| name == worker.name.as_str());
    let subjects: Vec<Subject> = workers
        .into_iter()
        .filter(named)
        .map(|worker| Subject {
            title: worker.name.to_string(),
            task_type: options.task_type.clone().unwrap_or_else(|| fitting(&worker)),
            params: params.to_owned(),
            limit: LIMIT.min(worker.timeout.hard),
            data_dir: Some(data_dir.clone()),
            private: private.clone(),
            worker,
        })
        .collect();
    match (&options.name, subjects.is_empty()) {
        (Some(name), true) => {
            let words = format!("the configuration has no worker `{name}`");
            let help = format!("its workers are {names}; a program of no configuration goes after `--`");
            Err(Failure::new(Exit::NotFound, words).help(help))
        }
        (None, true) => {
            let words = "the configuration has no workers";
            Err(Failure::new(Exit::NotFound, words).help("name a program after `--`"))
        }
        (_, false) => Ok(subjects),
    }
}

/// A type that the worker takes.
fn fitting(worker: &Worker) -> String {
    match worker.task_types.first() {
        Some(TypePattern::Exact(task_type)) => task_type.to_string(),
        Some(TypePattern::Below(prefix)) => format!("{prefix}Verify"),
        Some(TypePattern::Any) | None => TYPE.to_owned(),
    }
}

fn command(options: &Options, params: String) -> Result<Subject, Failure> {
    let directory =
        std::env::current_dir().map_err(|error| Failure::of_io("find the working directory", &error))?;
    let name = WorkerName::new("command").map_err(|error| Failure::usage(error.to_string()))?;
    let worker = Worker {
        name,
        task_types: vec![TypePattern::Any],
        streams: 1,
        program: Program { argv: options.command.clone(), directory, env: Vec::new(), secrets: Vec::new() },
        protocol: Protocol::Json,
        workspace: Workspace::Full,
        isolation: Isolation::default(),
        limits: Limits::default(),
        timeout: TimeoutPolicy::default(),
        retry: RetryPolicy::default(),
        outputs: Vec::new(),
        exit_codes: ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    };
    let task_type = options.task_type.clone().unwrap_or_else(|| TYPE.to_owned());
    Ok(Subject {
        worker,
        title: options.command.join(" "),
        task_type,
        params,
        limit: LIMIT,
        data_dir: None,
        private: Vec::new(),
    })
}
