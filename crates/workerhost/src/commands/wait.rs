//! `wait`: until tasks have ended.

use super::show::{no_such_task, task_id};
use crate::context::{Context, block_on_wait};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::json::TaskObject;
use crate::opened::Opened;
use crate::outlook::Outlook;
use crate::standing::standing;
use crate::words;
use clap::Args;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::TaskId;
use wh_domain::task::{StateName, Task};
use wh_ports::reader::Dossier;
use wh_ports::store::Store;

/// A bell that was lost costs at most so long.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Ids asked for at once.
const MOST_AT_ONCE: usize = 500;

/// Wait until tasks have ended, and say how
///
/// The exit code is 0 when all completed, 11 when one was given up, 12 when one was cancelled, 6 when the time ran
/// out first.
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost wait order-4711 order-4712 --timeout 10m")]
pub(crate) struct Options {
    /// The tasks
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Give up after so long (such as 90, 5m, 1h)
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    timeout: Option<Duration>,
}

/// A duration from the command line.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    wh_config::parse_duration(text).map_err(|error| format!("it {error}; write it like 90, 5m or 1h30m"))
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let ids = options.ids.iter().map(|id| task_id(id)).collect::<Result<Vec<_>, _>>()?;
    let opened = Opened::to_look(context)?;
    block_on_wait(until_ended(&opened, ids, options.timeout, context))
}

/// Waits for tasks and tells each ending as it comes.
pub(crate) async fn until_ended(
    opened: &Opened,
    ids: Vec<TaskId>,
    timeout: Option<Duration>,
    context: &Context,
) -> Ended {
    let store: &dyn Store = &*opened.store;
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut bell = store.listen().await?;
    let mut open: BTreeSet<TaskId> = ids.into_iter().collect();
    let mut exit = Exit::Ok;
    let mut is_first = true;
    loop {
        for task in ended(store, &open).await? {
            open.remove(&task.id);
            exit = exit.worse(tell(store, task, context).await?);
        }
        if open.is_empty() {
            return Ok(exit);
        }
        if std::mem::take(&mut is_first) {
            let some: Vec<TaskId> = open.iter().take(MOST_AT_ONCE).cloned().collect();
            let tasks = store.tasks(some).await?;
            tell_hindrances(tasks.iter().flatten(), opened, context).await?;
        }
        let look = Instant::now() + LOOK_EVERY;
        let until = deadline.map_or(look, |deadline| deadline.min(look));
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            let what = words::some(open.len().try_into().unwrap_or(u64::MAX), "task");
            return Err(Failure::new(Exit::TimedOut, format!("the time is over and {what} had not ended")));
        }
        tokio::select! {
            () = bell.rung() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// Says why nothing will happen to these tasks as things are, so that nobody waits for it in vain.
pub(crate) async fn tell_hindrances(
    tasks: impl Iterator<Item = &Task>,
    opened: &Opened,
    context: &Context,
) -> Result<(), Failure> {
    let outlook = Outlook::of(opened, context).await?;
    let pending = tasks.filter(|task| task.state.name() == StateName::Pending);
    let hindrances: BTreeSet<String> =
        pending.filter_map(|task| outlook.hindrance(&task.task_type)).collect();
    for hindrance in hindrances {
        context.terminal.say(&format!("{hindrance} This waits until that changes."));
    }
    Ok(())
}

/// Those of `ids` that have ended.
async fn ended(store: &dyn Store, ids: &BTreeSet<TaskId>) -> Result<Vec<Task>, Failure> {
    let mut ended = Vec::new();
    let ids: Vec<TaskId> = ids.iter().cloned().collect();
    for some in ids.chunks(MOST_AT_ONCE) {
        for (id, task) in some.iter().zip(store.tasks(some.to_vec()).await?) {
            let task = task.ok_or_else(|| no_such_task(id.as_str()))?;
            if task.state.name().has_ended() {
                ended.push(task);
            }
        }
    }
    Ok(ended)
}

async fn tell(store: &dyn Store, task: Task, context: &Context) -> Ended {
    let state = task.state.name();
    // A task that retention deletes in this very moment is told as it was.
    let dossier = store.dossier(task.id.clone()).await?;
    match &dossier {
        found if context.terminal.json => {
            let short = || TaskObject::short(&task, None, None);
            let object = found.as_ref().map_or_else(short, |dossier| TaskObject::whole(dossier, None));
            context.terminal.object(&object)?;
        }
        Some(dossier) => context.terminal.print(&line(dossier))?,
        None => context.terminal.print(&format!("{} {}", task.id, state.as_str()))?,
    }
    Ok(exit_of(state))
}

/// What a task's end means for whoever waited for it.
pub(crate) fn exit_of(state: StateName) -> Exit {
    match state {
        StateName::Poisoned => Exit::Poisoned,
        StateName::Cancelled => Exit::Cancelled,
        StateName::Pending | StateName::Claimed | StateName::Completed => Exit::Ok,
    }
}

/// A task's end as a line.
pub(crate) fn line(dossier: &Dossier) -> String {
    let task = &dossier.task;
    format!("{} {}: {}", task.id, task.state.name().as_str(), standing(task, dossier.attempts.last(), None))
}
