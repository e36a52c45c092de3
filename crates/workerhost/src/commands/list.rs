//! `list`: which tasks there are.

use super::table::Table;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::json::{Page, TaskObject};
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
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Go on where the last page ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<i64>,
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
        let next = page.next.map(|seq| seq.0.to_string());
        if context.terminal.json {
            for task in &page.tasks {
                context.terminal.object(&TaskObject::short(task, Some(&outlook)))?;
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
        context.terminal.print(&table(&page.tasks, &outlook))?;
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

fn table(tasks: &[Task], outlook: &Outlook) -> String {
    let mut table = Table::new(&["ID", "TYPE", "STATE", "ATTEMPTS", ""]);
    for task in tasks {
        table.row([
            task.id.to_string(),
            task.task_type.to_string(),
            task.state.name().as_str().to_owned(),
            task.counters.attempts.to_string(),
            standing(task, None, Some(outlook)),
        ]);
    }
    table.to_string()
}
