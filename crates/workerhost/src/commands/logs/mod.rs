//! `logs`: what a task's worker wrote to its log.

mod chosen;
mod follow;
mod printer;

use super::show::{no_such_task, task_id};
use crate::context::{Context, block_on_wait};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::opened::Opened;
use chosen::{Chosen, Wanted, choose};
use clap::Args;
use printer::Printer;
use std::path::Path;
use wh_domain::attempt::AttemptRecord;
use wh_domain::id::Seq;
use wh_ports::reader::Reader;
use wh_supervisor::AttemptLog;

/// Show what a task's worker wrote to its log
///
/// That is what came on standard error, stray lines of standard output, and what its channel and its result said
/// for the log; of the last attempt, unless another one is named. On a terminal, characters that would act on it are shown as escapes; elsewhere the log is as it was written. With
/// --json each line is an object.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The task
    #[arg(value_name = "ID")]
    id: String,
    /// Go on until the task has ended, through all attempts to come; the exit code is that of `wait`
    #[arg(short, long)]
    follow: bool,
    /// Of this attempt, as `show` numbers them, or by its own id
    #[arg(long, value_name = "N|ID:FENCE", conflicts_with = "follow", value_parser = Wanted::parse)]
    attempt: Option<Wanted>,
}

const EXAMPLES: &str = "\
Examples:
  workerhost logs order-4711 -f
  workerhost logs order-4711 --attempt 1";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let id = task_id(&options.id)?;
    let opened = Opened::to_look(context)?;
    let (store, data_dir) = (&opened.store, &opened.configuration.config.data_dir);
    block_on_wait(async {
        if options.follow {
            return follow::follow(&opened, id, context).await;
        }
        let Some(dossier) = store.dossier(id).await? else { return Err(no_such_task(&options.id)) };
        let Some(chosen) = choose(&dossier, options.attempt.as_ref()) else {
            if options.attempt.is_some() {
                return Err(Failure::new(Exit::NotFound, "there is no such attempt")
                    .help(format!("`workerhost show {}` shows the attempts there are", options.id)));
            }
            context.terminal.say("It has not been tried yet.");
            return Ok(Exit::Ok);
        };
        let mut printer = Printer::new(&context.terminal);
        printer.begin(chosen.label(&dossier.task.id));
        let mut log = AttemptLog::new(data_dir, dossier.task.seq, chosen.fence);
        show(&mut log, &mut printer, context)?;
        if !log.is_found() {
            instead(dossier.task.seq, &chosen, data_dir, &mut printer, context)?;
        }
        printer.end()?;
        Ok(Exit::Ok)
    })
}

/// Shows what there is now.
fn show(log: &mut AttemptLog, printer: &mut Printer<'_>, context: &Context) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    while log.read(&mut bytes).map_err(|error| Failure::of_io("read the log", &error))? > 0 {
        if log.take_gap() {
            context.terminal.warn("lines were left out here: the log had more than its bound (bounds.log)");
        }
        printer.show(&bytes)?;
        bytes.clear();
    }
    Ok(())
}

/// What can be said where there is no log file.
fn instead(
    seq: Seq,
    chosen: &Chosen<'_>,
    data_dir: &Path,
    printer: &mut Printer<'_>,
    context: &Context,
) -> Result<(), Failure> {
    match chosen.record {
        Some(record) if record.log_tail.is_empty() => context.terminal.say("It wrote nothing to its log."),
        Some(record) => {
            context.terminal.say(why_only_the_end(record));
            printer.show(record.log_tail.as_bytes())?;
        }
        // A workspace has its marker from the beginning on.
        None if AttemptLog::youngest(data_dir, seq).ok().flatten() == Some(chosen.fence) => {
            context.terminal.say("It has written nothing to its log yet.");
        }
        None => context.terminal.say(
            "It has no log file: its worker has just been started, or keeps no files (workspace: none); then the end \
             of its log can be read when it has ended.",
        ),
    }
    Ok(())
}

/// The file is not there; the task's record has the last lines.
fn why_only_the_end(record: &AttemptRecord) -> &'static str {
    if record.workspace.is_some() {
        "Its files have been swept away; these are the last lines, as they are kept with the task."
    } else {
        "Its log was kept in no file; these are the last lines, as they are kept with the task."
    }
}
