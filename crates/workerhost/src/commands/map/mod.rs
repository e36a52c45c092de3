//! `map`: one durable task for each line of standard input.

mod count;
mod ended;
mod feed;
mod input;
mod lines;
mod mapping;
mod name;
mod order;
mod overheard;
mod place;
mod printed;
mod progress;
mod signals;
mod voice;
mod window;
mod worker;

use crate::configuration::Need;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::hosting;
use crate::numbers::whole;
use clap::{Args, ValueEnum};
use feed::{Feed, LeftOver};
use mapping::{Finish, HostParts, Mapping, Parts, Sink};
use name::Name;
use order::{Order, Output};
use place::{Definition, Maps, Place};
use printed::Printed;
use progress::Bar;
use signals::Signals;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use voice::Voice;
use wh_config::Config;
use wh_domain::worker::{Protocol, Worker};
use wh_host::Settings;
use wh_ports::upkeep::Retention;
use wh_sqlite::{Mode, SqliteStore};

/// Longer than any map: nothing is swept from its store, because it is forgotten as a whole.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Run a command once for each line of standard input, as durable tasks
///
/// Each line without its newline is the whole standard input of one COMMAND: bytes, at most 8 MiB, perhaps none. There
/// is no {} to be replaced; a command that wants an argument takes it from its input (sh -c 'read -r x; …').
/// The exit code says whether to try again: 0 is done, 2 is given up, others are tried again (docs/protocol.md). Results
/// are printed as they come, each with a newline if it lacks one; what the command writes to standard error is shown.
///
/// Stopped or killed, the same command line with the same input goes on where it stopped: no input whose result is
/// stored runs again. An input is its line's number and content, so a line that has changed is a new input. With results
/// on standard output a kill repeats at most one of them; a file of --output has each of them once.
///
/// The exit code is 0 when every line has its result, 11 when one was given up, 12 when one was cancelled, 1 when a line
/// was no input, 75 when it was stopped before the end, also because nobody read its results any more.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// At most so many at once [default: the number of cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(1..=1_024_u32))]
    streams: Option<u32>,
    /// The name under which it can be gone on with [default: a new one, told on standard error]
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    name: Option<Name>,
    /// raw: the line goes in as it is, what comes out is the result; json: the line is the params of a task object, and
    /// the result comes in its envelope
    #[arg(long, value_enum, default_value_t = Talk::Raw, value_name = "PROTOCOL")]
    protocol: Talk,
    /// Print results in the order of the lines; one that is slow holds back at most 10,000 after it
    #[arg(long)]
    keep_order: bool,
    /// Write results into a file instead, in the order of the lines: it appears whole, when every input has ended
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Try an input at most so often
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true, value_parser = whole(1..=1_000_000_u32))]
    max_attempts: u32,
    /// End an attempt that takes longer (such as 90, 5m, 1h) [default: no limit]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = super::wait::duration)]
    timeout: Option<Duration>,
    /// Try inputs again that were given up in an earlier run
    #[arg(long, requires = "name")]
    retry_failed: bool,
    /// What to run, with its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

/// What a line is to the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Talk {
    Raw,
    Json,
}

impl From<Talk> for Protocol {
    fn from(talk: Talk) -> Self {
        match talk {
            Talk::Raw => Self::Raw,
            Talk::Json => Self::Json,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  seq 1000 | workerhost map -- sh -c 'read -r n; echo $((n * n))'
  cat urls.txt | workerhost map --name fetch --json -- sh -c 'read -r url; curl -fsS \"$url\"'
  workerhost map --protocol json --output out.jsonl -- python3 worker.py < params.jsonl";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let configuration = context.configuration(Need::Nothing)?;
    let job = Job::new(options)?;
    job.output.as_deref().map_or(Ok(()), order::refuse_vain)?;
    let data_dir = &configuration.config.data_dir;
    wh_sqlite::make_data_dir(data_dir, configuration.config.data_home())?;
    let maps = Maps::of(data_dir);
    maps.sweep(configuration.config.retention.completed);
    let place = maps.open(&job.name)?;
    place.agree(&job.name, &Definition::new(&job.command, job.protocol))?;
    place.set_finished(false).map_err(|error| Failure::of_io("begin", &error))?;
    let finish = map(&job, &configuration.config, &place, context);
    let (ended, is_whole) = match finish {
        Ok((exit, is_whole)) => (Ok(exit), is_whole),
        Err(failure) => (Err(failure), false),
    };
    if matches!(ended, Ok(Exit::Ok)) && is_whole && !job.is_named {
        // What cannot be deleted now is found again by the next map.
        place.forget().ok();
        return ended;
    }
    if is_whole {
        place.set_finished(true).map_err(|error| Failure::of_io("end", &error))?;
    } else {
        context.terminal.say(&format!("To go on, give the same input to: {}", job.again));
    }
    ended
}

/// What was asked for, checked.
struct Job {
    name: Name,
    is_named: bool,
    command: Vec<String>,
    protocol: Protocol,
    worker: Worker,
    keep_order: bool,
    output: Option<PathBuf>,
    retry_failed: bool,
    /// The command line that goes on with it.
    again: String,
}

impl Job {
    fn new(options: Options) -> Result<Self, Failure> {
        let is_named = options.name.is_some();
        let name = options.name.clone().unwrap_or_else(Name::fresh);
        let command = texts(&options.command)?;
        let protocol = options.protocol.into();
        let worker = worker::worker(worker::Wanted {
            command: command.clone(),
            protocol,
            streams: options.streams.unwrap_or_else(hosting::cores),
            max_attempts: options.max_attempts,
            timeout: options.timeout,
        })?;
        Ok(Self {
            again: again(&name, &options.command),
            name,
            is_named,
            command,
            protocol,
            worker,
            keep_order: options.keep_order,
            output: options.output,
            retry_failed: options.retry_failed,
        })
    }
}

/// A task object is JSON, and so is all that is kept of a command: words that are no text cannot be remembered.
fn texts(words: &[OsString]) -> Result<Vec<String>, Failure> {
    let text = |word: &OsString| {
        word.clone().into_string().map_err(|word: OsString| {
            Failure::usage(format!("the command's `{}` is not UTF-8", word.display()))
        })
    };
    words.iter().map(text).collect()
}

/// This command line, with the name that it was given.
fn again(name: &Name, command: &[OsString]) -> String {
    let given: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    // The command stands at the end, after two dashes.
    let own = given.len().saturating_sub(command.len() + 1);
    let (options, command) = given.split_at_checked(own).unwrap_or((&given, &[]));
    let mut words: Vec<String> = options.iter().filter(|word| *word != "--retry-failed").cloned().collect();
    if !words.iter().any(|word| word == "--name" || word.starts_with("--name=")) {
        words.extend(["--name".to_owned(), name.to_string()]);
    }
    words.extend_from_slice(command);
    place::shell_words(&words)
}

/// Maps; answers the exit code, and whether every input has ended.
fn map(job: &Job, config: &Config, place: &Place, context: &Context) -> Result<(Exit, bool), Failure> {
    let output = job.output.as_deref().map(|path| Output::check(path, &job.name)).transpose()?;
    let store = SqliteStore::open(store_options(config, place, context))?;
    let sink = match &output {
        None => Printed::open(&place.dir().join("printed")).map(Sink::Printed),
        Some(_) => Order::create(place.dir().join("order")).map(Sink::Later),
    };
    let sink = sink.map_err(|error| Failure::of_io("keep account of what is printed", &error))?;
    if !job.is_named {
        context.terminal.say(&format!("If it is stopped, go on with: {}", job.again));
    }
    block_on(async {
        let signals = Signals::new().map_err(|error| Failure::of_io("listen to signals", &error))?;
        let parts = parts(job, config, place, &store, sink, context).await?;
        let (ended, mut finish) = Mapping::new(parts).run(signals).await;
        match ended {
            Err(failure) if failure.is_unread() => {
                context.terminal.say("Nobody reads the results any more.");
                // The last ones may have ended, and are not out.
                finish.is_whole = false;
            }
            ended => ended?,
        }
        conclude(job, &store, output, finish, context).await
    })
}

fn store_options(config: &Config, place: &Place, context: &Context) -> wh_sqlite::Options {
    let plain = wh_sqlite::Options::new(place.dir());
    wh_sqlite::Options {
        // The window bounds what waits.
        max_pending: u64::MAX,
        // A result goes on in one piece, so it may as well be kept in one.
        inline_result: wh_domain::worker::Bounds::default().stdout,
        ageing: config.queue.ageing,
        lease: config.lease,
        mode: Mode::Migrate,
        on_step: context.hooks.on_step.clone(),
        ..plain
    }
}

async fn parts(
    job: &Job,
    config: &Config,
    place: &Place,
    store: &Arc<SqliteStore>,
    sink: Sink,
    context: &Context,
) -> Result<Parts, Failure> {
    let failed = |error: io::Error| Failure::of_io("begin", &error);
    let printed = match &sink {
        Sink::Printed(printed) => Some(printed.try_clone().map_err(failed)?),
        Sink::Later(_) => None,
    };
    let bar = Bar::new(&context.terminal);
    let feed = Feed { store: Arc::clone(store), map: job.name.clone(), retry_failed: job.retry_failed };
    Ok(Parts {
        left_over: LeftOver::of(store).await?,
        batches: lines::read_on_a_thread(io::stdin(), job.protocol).map_err(failed)?,
        keep_order: job.keep_order,
        json: context.terminal.json,
        voice: Voice::start(context.terminal.clone(), printed, bar.clone()).map_err(failed)?,
        feed,
        sink,
        bar,
        host: HostParts {
            data_dir: place.dir().to_owned(),
            name: hosting::name(config),
            worker: job.worker.clone(),
            settings: settings(config, job.worker.streams),
            observer: context.hooks.observer.clone(),
        },
    })
}

fn settings(config: &Config, streams: u32) -> Settings {
    Settings {
        streams,
        drain: config.host.drain,
        watermarks: hosting::watermarks(config),
        lease: config.lease,
        retention: Retention {
            completed: FOR_EVER,
            poisoned: FOR_EVER,
            cancelled: FOR_EVER,
            finished: u64::MAX,
            store_size: u64::MAX,
            workspaces: FOR_EVER,
            workspaces_size: u64::MAX,
        },
        sweep_every: FOR_EVER,
        until_idle: false,
    }
}

/// Writes the file if it is time to, and says what there is to say.
async fn conclude(
    job: &Job,
    store: &Arc<SqliteStore>,
    output: Option<Output>,
    finish: Finish,
    context: &Context,
) -> Result<(Exit, bool), Failure> {
    let Finish { count, is_whole, sink } = finish;
    if !is_whole {
        let done = format!("stopped after {} of the lines that were read ({})", count.out, count.known);
        context.terminal.say(&done);
        return Ok((Exit::Killed, false));
    }
    match (sink, output) {
        (Sink::Later(order), Some(output)) => {
            output.write(order, store, &job.name, context.terminal.json).await?;
        }
        _ if count.before > 0 && count.before == count.known => context.terminal.say(
            "Every result had been printed before. --output FILE writes them all, another --name runs them all.",
        ),
        _ => {}
    }
    if let Some(complaint) = count.complaint() {
        context.terminal.warn(&complaint);
        if count.can_be_retried() {
            let words =
                format!("To try them again, give the same input and --retry-failed to: {}", job.again);
            context.terminal.say(&words);
        }
    }
    Ok((count.exit(), true))
}
