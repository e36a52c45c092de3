//! `config check`: every mistake at once, or what was found.

use super::problem::Problem;
use crate::commands::table::Table;
use crate::configuration::{self, Configuration, Need, Unfit};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::words::some;
use clap::Args;
use serde::Serialize;
use wh_config::{Problems, StoreUrl, format_duration};
use wh_domain::worker::Worker;

/// Check the configuration: every mistake at once, with its place and its mend
///
/// Nothing is started and no store is opened. The exit code is 0 when it can be used, 9 when it cannot.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {}

const EXAMPLES: &str = "\
Examples:
  workerhost config check
  workerhost -c /etc/workerhost/config.yaml config check --json";

/// What was found, as `--json` shows it after the warnings.
#[derive(Serialize)]
struct Found {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    warnings: usize,
    store: String,
    data_dir: String,
    streams: u32,
    workers: Vec<FoundWorker>,
}

#[derive(Serialize)]
struct FoundWorker {
    name: String,
    task_types: Vec<String>,
    streams: u32,
    program: String,
    timeout_ms: i64,
}

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    let idle = configuration::idle_variables();
    match configuration::look(&context.globals, Need::File) {
        Ok(configuration) => {
            tell(&configuration.warnings, context)?;
            tell(&idle, context)?;
            fine(&configuration, configuration.warnings.len() + idle.len(), context)
        }
        Err(Unfit::Wrong(file, problems)) => {
            tell(&problems, context)?;
            tell(&idle, context)?;
            Err(configuration::refused(&file, &problems))
        }
        Err(Unfit::Missing(failure)) => Err(failure),
    }
}

/// Here problems are the answer, so they are told to whoever asked for JSON as data.
fn tell(problems: &Problems, context: &Context) -> Result<(), Failure> {
    if context.terminal.json {
        return problems.iter().try_for_each(|problem| context.terminal.object(&Problem::of(problem)));
    }
    if !problems.is_empty() {
        context.terminal.complain(problems.render(context.terminal.colours_talk()).trim_end());
    }
    Ok(())
}

fn fine(configuration: &Configuration, warnings: usize, context: &Context) -> Ended {
    let Configuration { config, file, .. } = configuration;
    let StoreUrl::Sqlite(store) = &config.store;
    let file = file.as_ref().map(|file| file.display().to_string());
    let found = Found {
        schema: "workerhost.config-check/v1",
        file,
        warnings,
        store: format!("sqlite:{}", store.display()),
        data_dir: config.data_dir.display().to_string(),
        streams: config.host.streams_on(cores()),
        workers: config.workers.iter().map(FoundWorker::of).collect(),
    };
    if context.terminal.json {
        context.terminal.object(&found)?;
    } else {
        context.terminal.print(&words(&found))?;
    }
    Ok(Exit::Ok)
}

/// As many as the machine has.
fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

impl FoundWorker {
    fn of(worker: &Worker) -> Self {
        Self {
            name: worker.name.to_string(),
            task_types: worker.task_types.iter().map(ToString::to_string).collect(),
            streams: worker.streams,
            // Not its arguments: they may hold secrets.
            program: worker.program.argv.first().cloned().unwrap_or_default(),
            timeout_ms: wh_domain::time::millis(worker.timeout.hard),
        }
    }
}

fn words(found: &Found) -> String {
    let name = found.file.as_deref().unwrap_or("the environment");
    let how = match found.warnings {
        0 => "is fine".to_owned(),
        warnings => format!("can be used, with {}", some(warnings as u64, "warning")),
    };
    let count = some(found.workers.len() as u64, "worker");
    let streams = some(u64::from(found.streams), "stream");
    let head = format!(
        "{name} {how}: {count}, at most {streams} at once.\n\nstore     {}\ndata_dir  {}",
        found.store, found.data_dir
    );
    if found.workers.is_empty() { head } else { format!("{head}\n\n{}", table(&found.workers)) }
}

fn table(workers: &[FoundWorker]) -> String {
    let mut table = Table::new(&["WORKER", "STREAMS", "TIMEOUT", "TYPES"]);
    for worker in workers {
        let timeout = std::time::Duration::from_millis(worker.timeout_ms.unsigned_abs());
        table.row([
            worker.name.clone(),
            worker.streams.to_string(),
            format_duration(timeout),
            worker.task_types.join(", "),
        ]);
    }
    table.to_string()
}
