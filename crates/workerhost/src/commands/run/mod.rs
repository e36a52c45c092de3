//! `run`: a host, from its first breath to its last.

mod board;
mod life;
mod logging;
mod screen;
mod steering;
mod tally;
mod watch;
mod wiring;

use super::enqueue;
use crate::configuration::{Configuration, Need, idle_variables};
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use clap::Args;
use life::Life;
use screen::Screen;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use steering::Steering;
use tally::Tally;
use wh_host::Why;
use wh_sqlite::{Mode, SqliteStore, Writing};

/// Carry tasks with the workers of the configuration
///
/// With --drain on a terminal, its streams, counts and pace are shown while it runs, unless -q is given; warnings go
/// above, and -v lets through more of the log. Elsewhere the log is on standard error.
///
/// Runs until SIGTERM or SIGINT: then it claims nothing more and lets workers finish; a second signal makes it
/// faster. SIGHUP, or a change of the file, takes a new configuration. SIGUSR1 opens the log file anew.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// First enqueue the tasks of this file of JSON lines (- for standard input)
    #[arg(long, value_name = "FILE|-")]
    enqueue: Option<PathBuf>,
    /// Leave when nothing is left that a worker could be given
    #[arg(long)]
    drain: bool,
    /// Leave with code 11 when a task was given up, or a worker is put aside in the end
    #[arg(long, requires = "drain")]
    fail_on_poisoned: bool,
}

const EXAMPLES: &str = "\
Examples:
  workerhost run                                  carry tasks until it is stopped
  workerhost run --enqueue tasks.jsonl --drain    add tasks, carry all that is there, leave";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let configuration = context.configuration(Need::File)?;
    tell_warnings(&configuration, context);
    let store = context.store_of(&configuration, Mode::Migrate, Writing::Apart)?;
    let tally = Arc::new(Tally::default());
    block_on(async {
        let fed = match &options.enqueue {
            Some(file) => bring_in(file, &store, context).await?,
            None => Exit::Ok,
        };
        let exit = host(&options, configuration, store, &tally, context).await?;
        if options.drain {
            tally.tell(context)?;
        }
        let is_incomplete = options.fail_on_poisoned && tally.counts().is_incomplete();
        Ok(if is_incomplete { Exit::Poisoned } else { fed.worse(exit) })
    })
}

fn tell_warnings(configuration: &Configuration, context: &Context) {
    for problems in [&configuration.warnings, &idle_variables()] {
        if !problems.is_empty() && context.terminal.verbosity() > -2 {
            context.terminal.complain(problems.render(context.terminal.colours_talk()).trim_end());
        }
    }
}

/// Enqueues a file before the host begins. Lines that are wrong are told; the others are in.
async fn bring_in(file: &Path, store: &Arc<SqliteStore>, context: &Context) -> Ended {
    let source = enqueue::open(file).map_err(|error| enqueue::cannot_open(file, &error))?;
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let name = file.display();
    let fed = enqueue::feed(&**store, source, base, |ack| {
        if let (Some(error), Some(line)) = (&ack.error, ack.line) {
            context.terminal.warn(&format!("{name}:{line}: {error}"));
        }
        Ok(())
    });
    let fed = fed.await?;
    context.terminal.say(&format!("{name}: {fed}"));
    Ok(fed.exit)
}

/// One host after the other, until one ends for good: a host that was given up for dead is followed by a new one.
async fn host(
    options: &Options,
    configuration: Configuration,
    store: Arc<SqliteStore>,
    tally: &Arc<Tally>,
    context: &Context,
) -> Ended {
    let cannot_draw = |error| Failure::of_io("start the screen", &error);
    // A run with an end is watched; one without is a service, whose log is its story.
    let screen = if options.drain { Screen::begin(&context.terminal).map_err(cannot_draw)? } else { None };
    let log = logging::start(&configuration.config.logging, &context.terminal, screen.as_ref())?;
    let mut steering = Steering::new(&configuration, context)
        .map_err(|error| Failure::of_io("listen to signals", &error))?;
    let (log, tally) = (Arc::new(log), Arc::clone(tally));
    let mut life = Life { configuration, store, log, tally, screen, until_idle: options.drain };
    loop {
        let farewell = life.live(&mut steering, context).await?;
        match farewell.why {
            Why::Drained if farewell.killed > 0 => return Ok(Exit::Killed),
            Why::Drained | Why::Idle => return Ok(Exit::Ok),
            Why::Expelled => life.note("others gave this host up for dead; it begins anew"),
            Why::Failed(error) => return Err(error.into()),
        }
    }
}
