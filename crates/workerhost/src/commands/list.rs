//! `list`: which tasks there are.

use super::table::Table;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::json::{Page, TaskObject};
use crate::numbers::whole;
use crate::opened::Opened;
use crate::outlook::Outlook;
use crate::standing::standing;
use clap::Args;
use wh_domain::id::{Seq, TaskType};
use wh_domain::task::{StateName, Task};
use wh_ports::reader::{Filter, Reader};

/// List tasks, newest first
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost list --state poisoned --type shop.invoice")]
pub(crate) struct Options {
    /// Only in this state: pending, claimed, completed, poisoned or cancelled; may be given more than once
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<StateName>,
    /// Only of this type
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = whole(1..=10_000_u32))]
    limit: u32,
    /// Go on where the last page ended
    #[arg(long, value_name = "CURSOR", allow_negative_numbers = true, value_parser = cursor)]
    cursor: Option<i64>,
}

fn cursor(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "write the number with which the page before ended".to_owned())
}

fn state(word: &str) -> Result<StateName, String> {
    StateName::parse(word)
        .ok_or_else(|| format!("the states are {}", StateName::ALL.map(StateName::as_str).join(", ")))
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let task_type = options.task_type.map(task_type).transpose()?;
    let opened = Opened::to_look(context)?;
    let filter =
        Filter { states: options.state, task_type, before: options.cursor.map(Seq), most: options.limit };
    block_on(async {
        let page = opened.store.list(filter).await?;
        let outlook = Outlook::of(&opened, context).await?;
        let made = opened.store.attempts_made(page.tasks.iter().map(|task| task.seq).collect()).await?;
        let tasks = page.tasks.iter().zip(made);
        let next = page.next.map(|seq| seq.0.to_string());
        if context.terminal.json {
            for (task, made) in tasks {
                context.terminal.object(&TaskObject::short(task, Some(made), Some(&outlook)))?;
            }
            if let Some(next) = next {
                context.terminal.object(&Page::new(next))?;
            }
            return Ok(Exit::Ok);
        }
        if page.tasks.is_empty() {
            context.terminal.say("There are no such tasks.");
            return Ok(Exit::Ok);
        }
        context.terminal.print(&table(tasks, &outlook))?;
        if let Some(next) = next {
            context.terminal.say(&format!("There are more: --cursor {next}"));
        }
        Ok(Exit::Ok)
    })
}

/// A type from the command line.
pub(crate) fn task_type(text: String) -> Result<TaskType, Failure> {
    TaskType::new(text).map_err(|error| Failure::usage(format!("the task type {error}")))
}

fn table<'a>(tasks: impl Iterator<Item = (&'a Task, u32)>, outlook: &Outlook) -> String {
    let mut table = Table::new(&["ID", "TYPE", "STATE", "ATTEMPTS", ""]);
    for (task, made) in tasks {
        table.row([
            task.id.to_string(),
            task.task_type.to_string(),
            task.state.name().as_str().to_owned(),
            made.to_string(),
            standing(task, None, Some(outlook)),
        ]);
    }
    table.to_string()
}
