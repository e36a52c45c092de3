//! `doctor`: what is wrong with this machine, this configuration and this store, each with its mend.

mod attempts;
mod backlog;
mod directory;
mod finding;
mod hosts;
mod machine;
mod page;
mod service;
mod shell;
mod subject;
mod unit;
mod workers;

use self::finding::{Check, Findings, Level, Mend};
use self::shell::quoted;
use self::subject::Subject;
use crate::configuration::{self, Configuration, Need, Unfit};
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Ended;
use crate::words::some;
use clap::Args;
use std::sync::Arc;
use std::time::Duration;
use wh_config::{Problems, Severity};
use wh_domain::task::StateName;
use wh_domain::time::Timestamp;
use wh_ports::clock::Clock;
use wh_ports::reader::{Backlog, Filter, HostView, Reader, RecentAttempt};
use wh_ports::store::StoreError;
use wh_sqlite::{SqliteStore, SystemClock};
use wh_supervisor::{Fitness, RunnerOptions};

/// So many tasks of each type are counted.
const MOST_COUNTED: u32 = 10_000;
/// So many of the last attempts are looked at, of all workers together.
const MOST_ATTEMPTS: u32 = 10_000;
/// So many tasks that were given up are counted.
const MOST_GIVEN_UP: u32 = 1_000;
const DAY: Duration = Duration::from_secs(86_400);

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
    let configuration = configured(context, &mut findings);
    if let Some((configuration, is_whole)) = &configuration {
        let subject = Subject { configuration, is_whole: *is_whole, program: program(context) };
        block_on(async {
            look(&subject, context, &mut findings).await;
            Ok(())
        })?;
        findings.hide(&configuration.config.hidden_values());
    }
    if context.terminal.json {
        findings.iter().try_for_each(|finding| context.terminal.object(&page::Object::of(finding)))?;
    } else {
        context.terminal.print(&page::page(&findings, context.terminal.colours_data()))?;
    }
    Ok(if findings.count(Level::Error) > 0 { Exit::Unwell } else { Exit::Ok })
}

/// What is configured, and whether that is all of it: of a configuration that cannot be used, only where its store is.
fn configured(context: &Context, findings: &mut Findings) -> Option<(Configuration, bool)> {
    match configuration::look(&context.globals, Need::Nothing) {
        Ok(configuration) => {
            tell(&configuration.warnings, findings);
            tell(&configuration::idle_variables(), findings);
            tell_file(&configuration, findings);
            Some((configuration, true))
        }
        Err(Unfit::Missing(failure)) => {
            let mend = Mend::Do(failure.help.unwrap_or_default());
            findings.error(Check::Configuration, failure.message, mend);
            None
        }
        Err(Unfit::Wrong(file, problems)) => {
            tell(&problems, findings);
            configuration::of_the_store(&context.globals, &file).map(|configuration| (configuration, false))
        }
    }
}

fn tell_file(configuration: &Configuration, findings: &mut Findings) {
    match &configuration.file {
        Some(file) if findings.is_fine(Check::Configuration) => {
            let workers = some(configuration.config.workers.len() as u64, "worker");
            findings.ok(Check::Configuration, format!("{} is fine, with {workers}", file.display()));
        }
        Some(_) => {}
        // Whoever looks from the wrong place is not told that all is well.
        None => findings.error(
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

/// What a store remembers.
struct Remembered {
    hosts: Vec<HostView>,
    backlog: Vec<Backlog>,
    /// Tasks that hosts have claimed: at most a page.
    claimed: u64,
    attempts: Vec<RecentAttempt>,
    /// Tasks that were given up since yesterday: at most a page.
    given_up: u64,
    now: Timestamp,
}

async fn look(subject: &Subject<'_>, context: &Context, findings: &mut Findings) {
    directory::look(subject, findings);
    let memory = match directory::store(subject, context, findings) {
        Some(store) => match remember(&store).await {
            Ok(remembered) => Some(remembered),
            Err(error) => {
                findings.error(Check::Store, error.to_string(), subject.run("db check"));
                None
            }
        },
        None => None,
    };
    let hosts = memory.as_ref().map_or(&[][..], |memory| &memory.hosts);
    let attempts = memory.as_ref().map_or(&[][..], |memory| &memory.attempts);
    if subject.is_whole {
        machine::look(subject, hosts, findings);
        service::look(subject, findings);
        match fitness(subject) {
            Ok(fitness) => workers::look(subject, (&fitness, attempts), findings).await,
            Err(error) => findings.error(
                Check::Program,
                format!("no process can be started: {error}"),
                Mend::Do("give this user more processes (`ulimit -u`), or end some".to_owned()),
            ),
        }
    }
    let Some(memory) = &memory else { return };
    machine::clock(attempts, memory.now, findings);
    hosts::look(subject, memory, findings);
    if subject.is_whole {
        backlog::look(subject, memory, findings);
        attempts::look(subject, memory, findings);
    }
}

fn fitness(subject: &Subject<'_>) -> std::io::Result<Fitness> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let private = subject.configuration.private();
    let data_dir = subject.configuration.config.data_dir.clone();
    Fitness::new(RunnerOptions { private, ..RunnerOptions::new(data_dir, clock) })
}

async fn remember(store: &SqliteStore) -> Result<Remembered, StoreError> {
    let claimed = Filter { states: vec![StateName::Claimed], most: 100, ..Filter::default() };
    let now = SystemClock::new().wall();
    let poisoned = Filter { states: vec![StateName::Poisoned], most: MOST_GIVEN_UP, ..Filter::default() };
    let poisoned = store.list(poisoned).await?.tasks;
    let given_up = poisoned.iter().filter(|task| now.since(task.changed_at) < DAY).count() as u64;
    Ok(Remembered {
        hosts: store.hosts().await?,
        backlog: store.backlog(MOST_COUNTED).await?,
        claimed: store.list(claimed).await?.tasks.len() as u64,
        attempts: store.recent_attempts(MOST_ATTEMPTS).await?,
        given_up,
        now,
    })
}

/// How this program is called so that it looks at the same again.
fn program(context: &Context) -> String {
    let file = context.globals.config.as_ref();
    let file = file.map_or(String::new(), |file| format!(" -c {}", quoted(&file.to_string_lossy())));
    let store = context.globals.store.as_ref();
    let store = store.map_or(String::new(), |store| format!(" --store {}", quoted(store)));
    format!("workerhost{file}{store}")
}
