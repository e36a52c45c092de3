//! `show`: all that is kept of a task.

use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::json::TaskObject;
use crate::opened::Opened;
use crate::outlook::Outlook;
use clap::Args;
use wh_domain::id::TaskId;
use wh_ports::reader::Reader;

/// Show all that is kept of a task: where it stands and why, its attempts, its result
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost show order-4711 --json")]
pub(crate) struct Options {
    /// The task
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let id = task_id(&options.id)?;
    let opened = Opened::to_look(context)?;
    block_on(async {
        let Some(dossier) = opened.store.dossier(id).await? else { return Err(no_such_task(&options.id)) };
        let outlook = Outlook::of(&opened, context).await?;
        if context.terminal.json {
            context.terminal.object(&TaskObject::whole(&dossier, Some(&outlook)))?;
        } else {
            let data_dir = &opened.configuration.config.data_dir;
            context.terminal.print(&super::sheet::of(&dossier, data_dir, &outlook))?;
        }
        Ok(Exit::Ok)
    })
}

/// An id from the command line.
pub(crate) fn task_id(text: &str) -> Result<TaskId, Failure> {
    TaskId::new(text).map_err(|error| Failure::usage(format!("the task id {error}")))
}

/// Nobody knows that id.
pub(crate) fn no_such_task(id: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no task `{id}`"))
        .help("`workerhost list` shows the tasks there are; ended ones are forgotten after their retention")
}
