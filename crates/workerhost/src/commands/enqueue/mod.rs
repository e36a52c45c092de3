//! `enqueue`: brings tasks in, one from the command line or many from JSON lines.

mod draft;
mod feed;
mod line;
mod refusal;

pub(crate) use feed::feed;

use super::wait;
use crate::configuration::Need;
use crate::context::{Context, block_on, block_on_wait};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::json::Ack;
use crate::numbers::whole;
use crate::opened::Opened;
use crate::outlook::Outlook;
use crate::words::some;
use clap::Args;
use draft::{Draft, Fields};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_domain::id::{TaskId, TaskType};
use wh_sqlite::{Mode, Writing};

/// Enqueue a task, or many from a file of JSON lines
///
/// With --file each line is an object: {"type", "params", "id", "priority", "unique", "delay", "at",
/// "max_attempts", "inputs", "metadata", "traceparent"}; only the type is required. For each line one
/// acknowledgement is printed, once the task is on stable storage.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// What kind of work it is; decides which worker gets it
    #[arg(value_name = "TYPE", required_unless_present = "file", conflicts_with = "file")]
    task_type: Option<String>,
    /// What goes into the worker: JSON, or @FILE to read it from a file (@- for standard input) [default: {}]
    #[arg(long, value_name = "JSON|@FILE", conflicts_with = "file")]
    params: Option<String>,
    /// Your own id: the same id with the same content is no second task
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    id: Option<String>,
    /// Higher goes first [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with = "file", value_parser = whole(i32::MIN..=i32::MAX))]
    priority: Option<i32>,
    /// At most one unfinished task may hold this key
    #[arg(long, value_name = "KEY", conflicts_with = "file")]
    unique: Option<String>,
    /// Not before so long from now (such as 90, 5m, 1h)
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, conflicts_with_all = ["file", "at"])]
    delay: Option<String>,
    /// Not before this moment (RFC 3339, such as 2027-01-31T18:00:00Z)
    #[arg(long, value_name = "MOMENT", conflicts_with = "file")]
    at: Option<String>,
    /// Try at most so often, whatever the worker's configuration says
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with = "file", value_parser = whole(1..=u32::MAX))]
    max_attempts: Option<u32>,
    /// A file for the worker's input directory; may be given more than once
    #[arg(long = "input", value_name = "[NAME=]FILE", conflicts_with = "file")]
    inputs: Vec<String>,
    /// A JSON object of your own, given to the worker with the task's metadata
    #[arg(long, value_name = "JSON", conflicts_with = "file")]
    metadata: Option<String>,
    /// The W3C trace context that the task belongs to
    #[arg(long, value_name = "TRACEPARENT", conflicts_with = "file")]
    traceparent: Option<String>,
    /// Wait for the task's end and say how it ended
    #[arg(long, conflicts_with = "file")]
    wait: bool,
    /// Give up waiting after so long
    #[arg(long, value_name = "TIME", requires = "wait", allow_negative_numbers = true, value_parser = wait::duration)]
    timeout: Option<Duration>,
    /// JSON lines, one task each (- for standard input)
    #[arg(long, value_name = "FILE|-")]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  workerhost enqueue shop.invoice --params '{\"order\": 4711}' --id order-4711
  workerhost enqueue video.transcode --input film.mp4 --wait --timeout 1h
  produce | workerhost enqueue --file - --json | consume-acknowledgements";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    match options.file.clone() {
        Some(file) => many(&file, context),
        None => one(options, context),
    }
}

fn one(options: Options, context: &Context) -> Ended {
    let (wait, timeout) = (options.wait, options.timeout);
    let draft = from_options(options)?;
    if let Some((file, why)) = draft.missing() {
        return Err(cannot_open(file, &why));
    }
    let opened = open_or_make(context, Writing::Apart)?;
    block_on_wait(async {
        let (id, task_type) = (draft.task.id.clone(), draft.task.task_type.clone());
        let acks = draft::hand_in(&*opened.store, vec![(None, Ok(draft))]).await?;
        let Some(ack) = acks.into_iter().next() else { return Ok(Exit::Failed) };
        let exit = exit_of(&ack);
        if exit != Exit::Ok || !wait {
            tell(&ack, context)?;
            if exit == Exit::Ok {
                warn_of_nobody(&[task_type], &opened, context).await?;
            }
            return Ok(exit);
        }
        // Standard output is for the task's end.
        context.terminal.say(&words(&ack));
        let id = ack.of.as_ref().and_then(|of| TaskId::new(of).ok()).unwrap_or(id);
        wait::until_ended(&opened, vec![id], timeout, context).await
    })
}

/// The store, which is made if it is not there.
fn open_or_make(context: &Context, writing: Writing) -> Result<Opened, Failure> {
    let configuration = context.configuration(Need::Store)?;
    let store = context.store_of(&configuration, Mode::AsIs, writing)?;
    Ok(Opened { configuration, store })
}

/// So many types that nobody takes are named.
const MOST_WARNINGS: usize = 3;

/// Names the types that nobody is known to take: most likely they are misspelt.
async fn warn_of_nobody<'a>(
    types: impl IntoIterator<Item = &'a TaskType>,
    opened: &Opened,
    context: &Context,
) -> Result<(), Failure> {
    let outlook = Outlook::of(opened, context).await?;
    let mut warnings = types.into_iter().filter_map(|task_type| outlook.is_for_nobody(task_type));
    for warning in warnings.by_ref().take(MOST_WARNINGS) {
        context.terminal.warn(&warning);
    }
    let more = warnings.count();
    if more > 0 {
        let types = some(more as u64, "more type");
        context
            .terminal
            .warn(&format!("and {types} that nobody takes; `workerhost workers --counts` names them"));
    }
    Ok(())
}

fn from_options(options: Options) -> Result<Draft, Failure> {
    let params = options.params.map(|text| params(&text)).transpose()?;
    let fields = Fields {
        id: options.id,
        task_type: options.task_type.unwrap_or_default(),
        params,
        priority: options.priority,
        unique: options.unique,
        delay: options.delay,
        at: options.at,
        max_attempts: options.max_attempts,
        inputs: options.inputs,
        metadata: options.metadata,
        traceparent: options.traceparent,
    };
    draft::draft(fields, Path::new("")).map_err(Failure::usage)
}

/// Params as an option gives them: the text, or what a file holds.
pub(crate) fn params(text: &str) -> Result<String, Failure> {
    let Some(file) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let file = Path::new(file);
    let mut content = String::new();
    let source = open(file).map_err(|error| cannot_open(file, &error))?;
    let most = draft::LONGEST_LINE;
    source
        .take(most + 1)
        .read_to_string(&mut content)
        .map_err(|error| Failure::usage(format!("--params {text} cannot be read: {error}")))?;
    if content.len() as u64 > most {
        let what = format!("--params {text} is larger than {most} bytes; give large files with --input");
        return Err(Failure::usage(what));
    }
    Ok(content)
}

fn many(file: &Path, context: &Context) -> Ended {
    let source = open(file).map_err(|error| cannot_open(file, &error))?;
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let opened = open_or_make(context, Writing::InPlace)?;
    block_on(async {
        let fed = feed(&*opened.store, source, base, |ack| tell(ack, context)).await?;
        context.terminal.detail(&fed.to_string());
        warn_of_nobody(&fed.types, &opened, context).await?;
        Ok(fed.exit)
    })
}

/// Opens a file; `-` is standard input.
pub(crate) fn open(file: &Path) -> io::Result<Box<dyn Read + Send>> {
    Ok(if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(file)?) })
}

/// A file that cannot be opened.
pub(crate) fn cannot_open(file: &Path, error: &io::Error) -> Failure {
    let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
    Failure::new(exit, format!("{} cannot be opened: {error}", file.display()))
}

fn tell(ack: &Ack, context: &Context) -> Result<(), Failure> {
    if context.terminal.json {
        return context.terminal.object(ack);
    }
    context.terminal.print(&words(ack))
}

/// An acknowledgement as a line.
fn words(ack: &Ack) -> String {
    let at =
        ack.line.filter(|_| ack.error.is_some()).map_or_else(String::new, |line| format!("line {line}: "));
    let Some(id) = ack.id.as_deref() else {
        let at = ack.line.map_or_else(String::new, |line| format!(" line {line}"));
        return format!("{}{at}: {}", ack.status, ack.error.as_deref().unwrap_or_default());
    };
    match (ack.state, &ack.of, &ack.error) {
        (_, _, Some(error)) => format!("{} {id}: {at}{error}", ack.status),
        (Some(state), _, _) => format!("{} {id}: it is {state}", ack.status),
        (_, Some(of), _) => format!("{} of {of}: it holds the key and has not ended", ack.status),
        (None, None, None) => format!("{} {id}", ack.status),
    }
}

/// What an acknowledgement means for the exit code.
fn exit_of(ack: &Ack) -> Exit {
    match ack.status {
        "created" | "existing" | "duplicate" => Exit::Ok,
        "conflict" => Exit::Conflict,
        _ => Exit::Failed,
    }
}
