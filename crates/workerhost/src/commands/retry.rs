//! `retry`: a new chance for tasks that were given up or cancelled.

use super::list::task_type;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::ids::{Ids, answered, known};
use crate::json::Heard;
use crate::opened::Opened;
use crate::words::some;
use clap::Args;
use wh_domain::id::TaskType;
use wh_ports::store::Store;
use wh_ports::wishes::{Retried, Wishes};

const SCHEMA: &str = "workerhost.retry/v1";
/// Poisoned tasks that share a commit.
const AT_ONCE: u32 = 500;

/// Try tasks again that were given up or cancelled
///
/// They are pending again at once, with all counters at zero; what their earlier attempts left is kept.
///
/// The exit code is 3 when there is no such task, 4 when there was nothing to try again, 5 when another unfinished
/// task holds the unique key.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The tasks; - reads them from standard input, one a line
    #[arg(value_name = "ID", conflicts_with = "poisoned")]
    ids: Vec<String>,
    /// All tasks that were given up
    #[arg(long)]
    poisoned: bool,
    /// Of these, only the ones of this type
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "ids")]
    task_type: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  workerhost retry order-4711
  workerhost retry --poisoned --type shop.invoice";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    if !options.poisoned && options.ids.is_empty() {
        return Err(nothing_named(options.task_type.as_deref()));
    }
    let task_type = options.task_type.map(task_type).transpose()?;
    let mut ids = Ids::of(&options.ids)?;
    let store = Opened::to_look(context)?.store;
    block_on(async {
        if options.poisoned {
            return poisoned(&*store, task_type, context).await;
        }
        let mut exit = Exit::Ok;
        loop {
            let batch = ids.next_batch().map_err(|error| Failure::of_io("read the ids", &error))?;
            if batch.is_empty() {
                return Ok(exit);
            }
            let answers = store.retry(known(&batch)).await?;
            for (asked, answer) in answered(batch, answers, Retried::Unknown) {
                exit = exit.worse(tell(&asked.text, answer, context)?);
            }
        }
    })
}

/// Nobody is tried again by mistake: all that were given up must be asked for by name.
fn nothing_named(task_type: Option<&str>) -> Failure {
    let Some(task_type) = task_type else {
        return Failure::usage("which tasks? Name them, or write --poisoned for all that were given up");
    };
    Failure::usage("--type says which of the tasks that were given up")
        .help(format!("write `workerhost retry --poisoned --type {task_type}`"))
}

async fn poisoned(store: &dyn Store, task_type: Option<TaskType>, context: &Context) -> Ended {
    let (mut tasks, mut after) = (0, None);
    loop {
        let (retried, next) = store.retry_poisoned(task_type.clone(), after, AT_ONCE).await?;
        tasks += retried;
        after = next;
        if after.is_none() {
            break;
        }
    }
    if context.terminal.json {
        let heard =
            Heard { schema: SCHEMA, id: None, status: "retried", state: None, of: None, tasks: Some(tasks) };
        context.terminal.object(&heard)?;
    } else {
        context.terminal.print(&format!("retried {}", some(tasks, "task")))?;
    }
    Ok(if tasks == 0 { Exit::Nothing } else { Exit::Ok })
}

fn tell(id: &str, answer: Retried, context: &Context) -> Ended {
    let (status, words, exit) = match &answer {
        Retried::Done => ("retried", String::new(), Exit::Ok),
        Retried::NotEnded(state) => ("unchanged", format!(": it is {}", state.as_str()), Exit::Nothing),
        Retried::Duplicate { of } => {
            ("duplicate", format!(": {of} holds its unique key and has not ended"), Exit::Conflict)
        }
        Retried::Unknown => ("unknown", ": there is no such task".to_owned(), Exit::NotFound),
    };
    if context.terminal.json {
        let (mut state, mut holder) = (None, None);
        match answer {
            Retried::NotEnded(name) => state = Some(name.as_str()),
            Retried::Duplicate { of } => holder = Some(of.to_string()),
            Retried::Done | Retried::Unknown => {}
        }
        context.terminal.object(&Heard { state, of: holder, ..Heard::new(SCHEMA, id, status) })?;
    } else {
        context.terminal.print(&format!("{status} {}{words}", wh_telemetry::plain::plain(id)))?;
    }
    Ok(exit)
}
