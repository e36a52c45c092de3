//! `logs -f`: one attempt after the other, until the task has ended.

use super::chosen::{Chosen, attempts};
use super::printer::Printer;
use super::{instead, show};
use crate::commands::show::no_such_task;
use crate::commands::wait;
use crate::context::Context;
use crate::failure::{Ended, Failure};
use crate::opened::Opened;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use wh_domain::id::{Fence, Seq, TaskId};
use wh_ports::reader::Dossier;
use wh_ports::store::Store;
use wh_supervisor::AttemptLog;

/// How often the log is looked at.
const READ_EVERY: Duration = Duration::from_millis(100);
/// A bell that was lost costs at most so long. (A claim rings none: its log shows it.)
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is being followed.
struct Follower<'a> {
    data_dir: &'a Path,
    context: &'a Context,
    printer: Printer<'a>,
    /// The log that is open.
    open: Option<(Fence, AttemptLog)>,
    /// All attempts up to this one have been shown.
    done: Option<Fence>,
}

/// Shows the last attempt and all that follow.
pub(super) async fn follow(opened: &Opened, id: TaskId, context: &Context) -> Ended {
    let store: &dyn Store = &*opened.store;
    let data_dir = &opened.configuration.config.data_dir;
    let mut bell = store.listen().await?;
    let mut tick = interval(READ_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let printer = Printer::new(&context.terminal);
    let mut follower = Follower { data_dir, context, printer, open: None, done: None };
    let mut is_first = true;
    loop {
        let found = store.dossier(id.clone()).await?;
        let dossier = found.ok_or_else(|| no_such_task(id.as_str()))?;
        if std::mem::take(&mut is_first) {
            follower.skip_earlier(&dossier);
            wait::tell_hindrances(std::iter::once(&dossier.task), opened, context).await?;
        }
        follower.take(&dossier)?;
        let state = dossier.task.state.name();
        if state.has_ended() {
            context.terminal.say(&wait::line(&dossier));
            return Ok(wait::exit_of(state));
        }
        let look = Instant::now() + LOOK_EVERY;
        let mut is_time = false;
        while !is_time && Instant::now() < look {
            tokio::select! {
                () = bell.rung() => {
                    is_time = true;
                    // However often it rings, one look in a tick is enough.
                    tick.tick().await;
                }
                _ = tick.tick() => {}
            }
            is_time |= follower.read_on(dossier.task.seq)?;
        }
    }
}

impl Follower<'_> {
    /// What came before the last attempt is not asked for.
    fn skip_earlier(&mut self, dossier: &Dossier) {
        self.done = attempts(dossier).iter().rev().nth(1).map(|attempt| attempt.fence);
    }

    /// Shows all that has ended, and what there is of the attempt under way.
    fn take(&mut self, dossier: &Dossier) -> Result<(), Failure> {
        let task = &dossier.task;
        for attempt in attempts(dossier) {
            if self.done.is_some_and(|done| attempt.fence <= done) {
                continue;
            }
            self.turn_to(task.seq, &attempt, &task.id)?;
            if attempt.record.is_some() {
                self.close(task.seq, &attempt)?;
            }
        }
        Ok(())
    }

    /// Opens the attempt's log, unless it is open, and reads it as far as it goes.
    fn turn_to(&mut self, seq: Seq, attempt: &Chosen<'_>, id: &TaskId) -> Result<(), Failure> {
        let label = attempt.label(id);
        let is_open = self.open.as_ref().is_some_and(|(fence, _)| *fence == attempt.fence);
        if !is_open {
            self.context.terminal.say(&format!("Attempt {} ({}):", label.attempt, label.attempt_id));
            self.open = Some((attempt.fence, AttemptLog::new(self.data_dir, seq, attempt.fence)));
        }
        self.printer.begin(label);
        self.read()
    }

    /// The attempt has ended, and its log has been read since.
    fn close(&mut self, seq: Seq, attempt: &Chosen<'_>) -> Result<(), Failure> {
        if self.open.take().is_some_and(|(_, log)| !log.is_found()) {
            instead(seq, attempt, self.data_dir, &mut self.printer, self.context)?;
        }
        self.done = Some(attempt.fence);
        self.printer.end()
    }

    fn read(&mut self) -> Result<(), Failure> {
        match &mut self.open {
            Some((_, log)) => show(log, &mut self.printer, self.context),
            None => Ok(()),
        }
    }

    /// Reads what has come; tells whether a new attempt has begun.
    fn read_on(&mut self, seq: Seq) -> Result<bool, Failure> {
        self.read()?;
        let youngest = AttemptLog::youngest(self.data_dir, seq);
        let youngest = youngest.map_err(|error| Failure::of_io("look for the log", &error))?;
        Ok(self.open.is_none() && youngest > self.done)
    }
}
