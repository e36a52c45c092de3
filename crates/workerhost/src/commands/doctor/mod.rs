//! `doctor`: what is wrong with this machine, this configuration and this store, each with its mend.

mod attempts;
mod backlog;
mod directory;
mod finding;
mod machine;
mod page;
mod service;
mod unit;
mod workers;

use self::finding::{Check, Findings, Level, Mend, Setting};
use crate::configuration::{self, Configuration, Need, Unfit};
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Ended;
use crate::words::some;
use clap::Args;
use std::path::Path;
use std::sync::Arc;
use wh_config::{Problems, Severity};
use wh_ports::clock::Clock;
use wh_ports::reader::Reader;
use wh_sqlite::SystemClock;
use wh_supervisor::{Fitness, RunnerOptions};

/// So many tasks of each type are counted.
const MOST_COUNTED: u32 = 10_000;
/// So many of the last attempts are looked at.
const MOST_ATTEMPTS: u32 = 1_000;

/// Look for what is wrong: with this machine, the configuration, the store and its hosts, each with its mend
///
/// Tells why tasks are not carried, why they run out of time and why they fail, from what the store remembers. Nothing is
/// changed, and no worker is started. The exit code is 0 where no error was found, 13 otherwise.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {}

const EXAMPLES: &str = "\
Examples:
  workerhost doctor
  workerhost doctor --json | jq 'select(.level == \"error\")'";

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    let mut findings = Findings::default();
    match configuration::look(&context.globals, Need::Nothing) {
        Ok(configuration) => {
            let subject = Subject { configuration: &configuration, program: program(context) };
            configured(&configuration, &mut findings);
            directory::look(&subject, &mut findings);
            machine::look(&subject, &mut findings);
            service::look(&subject, &mut findings);
            block_on(async {
                on_this_machine(&subject, &mut findings).await;
                in_this_store(&subject, context, &mut findings).await;
                Ok(())
            })?;
        }
        Err(Unfit::Missing(failure)) => {
            findings.error(Check::Configuration, failure.message, Mend::Do(failure.help.unwrap_or_default()));
        }
        Err(Unfit::Wrong(_, problems)) => tell(&problems, &mut findings),
    }
    if context.terminal.json {
        findings.iter().try_for_each(|finding| context.terminal.object(&page::Object::of(finding)))?;
    } else {
        context.terminal.print(&page::page(&findings, context.terminal.colours_data()))?;
    }
    Ok(if findings.count(Level::Error) > 0 { Exit::Unwell } else { Exit::Ok })
}

fn configured(configuration: &Configuration, findings: &mut Findings) {
    tell(&configuration.warnings, findings);
    tell(&configuration::idle_variables(), findings);
    match &configuration.file {
        Some(file) if findings.is_fine(Check::Configuration) => {
            let workers = some(configuration.config.workers.len() as u64, "worker");
            findings.ok(Check::Configuration, format!("{} is fine, with {workers}", file.display()));
        }
        Some(_) => {}
        None => findings.warning(
            Check::Configuration,
            "there is no workerhost.yaml here, so there are no workers",
            Mend::Do("go to its directory, or name it with -c FILE".to_owned()),
        ),
    }
}

fn tell(problems: &Problems, findings: &mut Findings) {
    for problem in problems.iter() {
        let level = match problem.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        let place = problem.place.as_ref();
        let at = place.map_or(String::new(), |at| format!("{}:{}:{}: ", at.file, at.line, at.column));
        let help = problem.help.clone().unwrap_or_else(|| "docs/config.md has every key".to_owned());
        findings.found((Check::Configuration, level), format!("{at}{}", problem.message), Mend::Do(help));
    }
}

async fn on_this_machine(subject: &Subject<'_>, findings: &mut Findings) {
    let configuration = subject.configuration;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let private = configuration.private();
    let options =
        RunnerOptions { private, ..RunnerOptions::new(configuration.config.data_dir.clone(), clock) };
    match Fitness::new(options) {
        Ok(fitness) => workers::look(subject, &fitness, findings).await,
        Err(error) => findings.error(
            Check::Program,
            format!("no process can be started: {error}"),
            Mend::Do("give this user more processes (`ulimit -u`), or end some".to_owned()),
        ),
    }
}

async fn in_this_store(subject: &Subject<'_>, context: &Context, findings: &mut Findings) {
    let Some(store) = directory::store(subject, context, findings) else { return };
    let now = SystemClock::new().wall();
    let looked = async {
        let (hosts, backlog) = (store.hosts().await?, store.backlog(MOST_COUNTED).await?);
        let attempts = store.recent_attempts(MOST_ATTEMPTS).await?;
        Ok::<_, wh_ports::store::StoreError>((hosts, backlog, attempts))
    };
    match looked.await {
        Ok((hosts, backlog, attempts)) => {
            machine::clock(&attempts, now, findings);
            backlog::look(subject, &hosts, (&backlog, now), findings);
            attempts::look(subject, &attempts, findings);
        }
        Err(error) => {
            findings.error(Check::Store, error.to_string(), subject.run("db check"));
        }
    }
}

/// Who is looked at.
struct Subject<'a> {
    configuration: &'a Configuration,
    /// How this program is called so that it looks at the same again.
    program: String,
}

impl Subject<'_> {
    /// The mend that sets a key of the configuration, or of one of its workers.
    fn set(&self, worker: Option<&str>, key: &'static str, value: String) -> Mend {
        let (file, worker) = (self.configuration.file.clone(), worker.map(str::to_owned));
        Mend::Set(Setting { file, worker, key, value })
    }

    /// The mend that runs a command of ours.
    fn run(&self, arguments: &str) -> Mend {
        Mend::Run(format!("{} {arguments}", self.program))
    }
}

fn program(context: &Context) -> String {
    let file = context.globals.config.as_ref();
    let file = file.map_or(String::new(), |file| format!(" -c {}", directory::quoted(file)));
    let store = context.globals.store.as_ref();
    let store =
        store.map_or(String::new(), |store| format!(" --store {}", directory::quoted(Path::new(store))));
    format!("workerhost{file}{store}")
}
