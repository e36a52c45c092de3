//! `workers`: how the workers are doing, and a new chance for one that was put aside.

mod page;
mod survey;

use super::table::Table;
use crate::configuration::Configuration;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::json::{Heard, WorkerObject};
use crate::opened::Opened;
use crate::words::some;
use clap::{Args, Subcommand};
use survey::{Depths, Seen};
use wh_domain::id::WorkerName;
use wh_ports::reader::{HostView, Reader};
use wh_ports::wishes::Wishes;

/// Show how the workers are doing on the living hosts
///
/// Hosts tell of changes at most once a second.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List all workers, once for each host that has them
    #[command(after_help = "Example: workerhost workers list --counts")]
    List(ListOptions),
    /// Show all that is known of a worker: why it is put aside, its last error, what it takes
    #[command(after_help = "Example: workerhost workers show video")]
    Show(Named),
    /// End a worker's quarantine on every host, because it is mended
    ///
    /// A change of the configuration, or of the worker's own files, does the same without being asked.
    #[command(after_help = "Example: workerhost workers resume video")]
    Resume(Named),
}

#[derive(Debug, Args)]
struct ListOptions {
    /// Also count the tasks that wait for each worker (takes a moment where there are millions)
    #[arg(long)]
    counts: bool,
}

#[derive(Debug, Args)]
struct Named {
    /// The worker
    #[arg(value_name = "NAME")]
    name: String,
}

const EXAMPLES: &str = "\
Examples:
  workerhost workers --counts
  workerhost workers show video
  workerhost workers resume video";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    match options.verb {
        None => list(options.list.counts, context),
        Some(Verb::List(options)) => list(options.counts, context),
        Some(Verb::Show(named)) => show(&named.name, context),
        Some(Verb::Resume(named)) => resume(&named.name, context),
    }
}

fn list(counts: bool, context: &Context) -> Ended {
    let Opened { store, configuration } = Opened::to_look(context)?;
    block_on(async {
        let hosts = store.hosts().await?;
        let seen = survey::seen(&hosts, &configuration.config.workers);
        let counts = if counts { Some(store.counts().await?) } else { None };
        let depths = counts.map(|counts| survey::depths(counts, &seen));
        if context.terminal.json {
            for seen in &seen {
                context.terminal.object(&object(seen, &configuration, depths.as_ref()))?;
            }
        } else if seen.is_empty() {
            context.terminal.say("There are no workers: none is configured, and no host is running.");
        } else {
            context.terminal.print(&table(&seen, &configuration, depths.as_ref()))?;
        }
        for (task_type, tasks) in depths.iter().flat_map(|depths| &depths.nobody) {
            let wait = if *tasks == 1 { "waits" } else { "wait" };
            let tasks = some(*tasks, "task");
            context
                .terminal
                .warn(&format!("{tasks} of type {task_type} {wait}, and no worker takes the type"));
        }
        Ok(Exit::Ok)
    })
}

fn table(seen: &[Seen<'_>], configuration: &Configuration, depths: Option<&Depths>) -> String {
    let rows = seen.iter().map(|seen| (cells(seen, configuration), waiting(seen, depths)));
    if depths.is_none() {
        let mut table =
            Table::new(&["NAME", "HOST", "STREAMS", "HEALTH", "SUCCEEDED", "FAILED", "TYPES", ""]);
        rows.for_each(|(cells, _)| table.row(cells));
        return table.to_string();
    }
    let columns = ["NAME", "HOST", "STREAMS", "HEALTH", "SUCCEEDED", "FAILED", "PENDING", "TYPES", ""];
    let mut table = Table::new(&columns);
    for ([name, host, streams, health, succeeded, failed, types, standing], pending) in rows {
        let pending = pending.unwrap_or(0).to_string();
        table.row([name, host, streams, health, succeeded, failed, pending, types, standing]);
    }
    table.to_string()
}

fn cells(seen: &Seen<'_>, configuration: &Configuration) -> [String; 8] {
    match seen {
        Seen::On(host, report) => [
            report.worker.to_string(),
            page::host(host),
            format!("{}/{}", report.busy, report.streams),
            report.health.to_owned(),
            report.succeeded.to_string(),
            report.failed.to_string(),
            report.task_types.join(", "),
            page::standing(report, is_configured(&report.worker, configuration)),
        ],
        Seen::Idle(worker) => [
            worker.name.to_string(),
            "-".to_owned(),
            format!("0/{}", worker.streams),
            "-".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            page::types(worker),
            "no host is running that has it".to_owned(),
        ],
    }
}

fn waiting(seen: &Seen<'_>, depths: Option<&Depths>) -> Option<u64> {
    depths.map(|depths| depths.waiting.get(seen.name()).copied().unwrap_or(0))
}

/// `None` where there is no configuration that could have it.
fn is_configured(name: &WorkerName, configuration: &Configuration) -> Option<bool> {
    configuration.file.as_ref()?;
    Some(configuration.config.workers.iter().any(|worker| worker.name == *name))
}

fn object(seen: &Seen<'_>, configuration: &Configuration, depths: Option<&Depths>) -> WorkerObject {
    let pending = waiting(seen, depths);
    match seen {
        Seen::On(host, report) => {
            WorkerObject::reported(host, report, is_configured(&report.worker, configuration), pending)
        }
        Seen::Idle(worker) => WorkerObject::idle(worker, pending),
    }
}

fn show(name: &str, context: &Context) -> Ended {
    let name = worker_name(name)?;
    let Opened { store, configuration } = Opened::to_look(context)?;
    block_on(async {
        let hosts = store.hosts().await?;
        let seen = known(&name, &hosts, &configuration)?;
        for (at, seen) in seen.iter().enumerate() {
            if context.terminal.json {
                context.terminal.object(&object(seen, &configuration, None))?;
                continue;
            }
            if at > 0 {
                context.terminal.print("")?;
            }
            let is_configured = is_configured(&name, &configuration);
            context.terminal.print(&page::of(seen, is_configured))?;
        }
        Ok(Exit::Ok)
    })
}

fn resume(name: &str, context: &Context) -> Ended {
    let name = worker_name(name)?;
    let Opened { store, configuration } = Opened::to_look(context)?;
    block_on(async {
        let hosts = store.hosts().await?;
        let seen = known(&name, &hosts, &configuration)?;
        // Also where no host has told of a quarantine: it may be younger than what was told.
        store.resume_worker(name.clone()).await?;
        if context.terminal.json {
            context.terminal.object(&Heard::new("workerhost.resume/v1", name.as_str(), "resumed"))?;
            return Ok(Exit::Ok);
        }
        let aside =
            seen.iter().filter(|seen| matches!(seen, Seen::On(_, report) if report.quarantine.is_some()));
        let words = match aside.count() {
            0 => ": no host has told that it is put aside".to_owned(),
            hosts => format!(": it is put aside on {} no longer", some(hosts as u64, "host")),
        };
        context.terminal.print(&format!("resumed {name}{words}"))?;
        Ok(Exit::Ok)
    })
}

/// What is known of one worker: at least something.
fn known<'a>(
    name: &WorkerName,
    hosts: &'a [HostView],
    configuration: &'a Configuration,
) -> Result<Vec<Seen<'a>>, Failure> {
    let mut seen = survey::seen(hosts, &configuration.config.workers);
    seen.retain(|seen| seen.name() == name);
    if seen.is_empty() {
        let what = format!("there is no worker `{name}`, neither configured nor on a living host");
        return Err(
            Failure::new(Exit::NotFound, what).help("`workerhost workers` shows the workers there are")
        );
    }
    Ok(seen)
}

fn worker_name(text: &str) -> Result<WorkerName, Failure> {
    WorkerName::new(text).map_err(|error| Failure::usage(format!("the worker's name {error}")))
}
