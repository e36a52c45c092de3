//! How an attempt ended, and what that means: the table of endings, as one pure function.

pub use crate::exit::{Exit, ExitTable, Meaning, Stop, signal_name};
pub use crate::report::{Fault, Report, ReportedError};

use crate::failure::{FailureClass, Remedy};
use crate::limits::Breach;
use crate::outcome::Outcome;

/// Everything that is known about the end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How the process ended.
    pub exit: Exit,
    /// Why the host had asked it to end, if it had.
    pub stop: Option<Stop>,
    /// What the worker reported. Always `None` for `protocol: raw`.
    pub report: Option<Report>,
    /// How it broke the protocol, if it did.
    pub fault: Option<Fault>,
    /// Whether the worker has no envelope, so that its exit code alone decides.
    pub raw: bool,
    /// Whether nothing of its input had been read.
    pub stdin_untouched: bool,
    /// The limit for which some of its processes were ended, if any were.
    pub breach: Option<Breach>,
}

/// So many characters of a log's last line are quoted at most.
const LAST_WORDS: usize = 200;

/// What kept an attempt from beginning, by whose fault it is; each holds why, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// The worker's: its program is not there or cannot be executed.
    Worker(Box<str>),
    /// The task's: what it brings along cannot be given to this worker, today or tomorrow.
    Task(Box<str>),
    /// The host's: it ran short of descriptors, processes, memory or disk, or may not do what it has to.
    Host(Box<str>),
}

/// An ending, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it means for the task.
    pub outcome: Outcome,
    /// The same as one plain sentence.
    pub sentence: String,
    /// A slip of the worker's that did not change the outcome.
    pub warning: Option<&'static str>,
}

impl Verdict {
    fn new(outcome: Outcome, sentence: impl Into<String>) -> Self {
        Self { outcome, sentence: sentence.into(), warning: None }
    }

    /// The same with the last line of the attempt's log, for a worker that failed and reported nothing: an
    /// interpreter's last line says what went wrong.
    #[must_use]
    pub fn quoting(mut self, ending: &Ending, log: &str) -> Self {
        let is_silent = ending.report.is_none() && ending.stop.is_none();
        let has_failed = matches!(
            self.outcome,
            Outcome::Failed { .. } | Outcome::Crashed | Outcome::ProtocolError | Outcome::WorkerBroken
        );
        if is_silent
            && has_failed
            && let Some(line) = log.lines().map(str::trim).rfind(|line| !line.is_empty())
        {
            let mut words = line.chars().filter(|c| !c.is_control());
            let cut: String = words.by_ref().take(LAST_WORDS).collect();
            let more = if words.next().is_some() { "…" } else { "" };
            self.sentence = format!("{} Its last words: \"{cut}{more}\".", self.sentence);
        }
        self
    }
}

/// Reads an ending. Every combination has an answer, and of two that disagree the one that says *no retry* wins.
pub fn judge(ending: &Ending, table: &ExitTable) -> Verdict {
    if let Exit::NotStarted(why) = &ending.exit {
        return judge_hindered(&Hindrance::Worker(why.clone()));
    }
    if let Some(verdict) = ending.stop.and_then(|stop| judge_stopped(stop, ending, table)) {
        return verdict;
    }
    if let Some(breach) = ending.breach {
        return judge_breach(breach, ending, table);
    }
    match ending.exit {
        Exit::Code(code) => judge_code(code, table.meaning(code), ending),
        Exit::Signal(signal) => Verdict::new(
            Outcome::Crashed,
            format!("The worker was ended by {}, which the host did not send.", signal_name(signal)),
        ),
        Exit::NotStarted(_) | Exit::Unseen => Verdict::new(
            Outcome::Interrupted,
            "The process that watched the worker was killed, so the attempt was ended and does not count.",
        ),
    }
}

/// Reads what kept an attempt from beginning. Who is not at fault does not pay: a worker is put aside only for its
/// own, and a host's shortage costs no task an attempt.
pub fn judge_hindered(hindrance: &Hindrance) -> Verdict {
    match hindrance {
        Hindrance::Worker(why) => {
            Verdict::new(Outcome::WorkerBroken, format!("The worker could not be started: {why}."))
        }
        Hindrance::Task(why) => Verdict::new(
            Outcome::Failed { class: FailureClass::Logic, retriable: false },
            format!("The task cannot be given to its worker: {why}."),
        ),
        // Like an ending that nobody saw: it tells nothing about the task, nothing about the worker.
        Hindrance::Host(why) => Verdict::new(
            Outcome::Interrupted,
            format!("The host could not begin the attempt: {why}. It does not count."),
        ),
    }
}

/// What an ending means that the host asked for; `None` when the worker came to its own end all the same.
fn judge_stopped(stop: Stop, ending: &Ending, table: &ExitTable) -> Option<Verdict> {
    let kept =
        if matches!(ending.report, Some(Report::Success)) { " What it had written is kept." } else { "" };
    let timed_out = Outcome::TimedOut { retriable: true };
    Some(match stop {
        Stop::Timeout => {
            Verdict::new(timed_out, format!("The worker reached its time limit and was ended.{kept}"))
        }
        Stop::Stall => Verdict::new(
            timed_out,
            format!("The worker sent no sign of life for its stall limit and was ended.{kept}"),
        ),
        Stop::Cancel => Verdict::new(Outcome::Cancelled, "The task was cancelled and its worker was ended."),
        Stop::Output => {
            let what = ending.fault.as_ref().map_or("it wrote too much".to_owned(), ToString::to_string);
            Verdict::new(Outcome::ProtocolError, format!("The worker was ended: {what}."))
        }
        Stop::Limit => {
            let outcome = Outcome::Failed { class: FailureClass::Resource, retriable: true };
            let what =
                ending.breach.map_or("its files reached a limit".to_owned(), |breach| breach.to_string());
            Verdict::new(outcome, format!("The worker was ended: {what}."))
        }
        Stop::LeaseLost => Verdict::new(
            Outcome::Interrupted,
            "The host lost its claim on the task, so the worker was ended and nothing it wrote counts.",
        ),
        Stop::Drain if finished_well(ending, table) => return None,
        Stop::Drain => Verdict::new(
            Outcome::Interrupted,
            "The host was stopped before the worker was done; the attempt does not count.",
        ),
    })
}

/// Reads the ending of a worker that lost processes to a limit. One that came to an end of its own all the same, and says which,
/// got along without them.
fn judge_breach(breach: Breach, ending: &Ending, table: &ExitTable) -> Verdict {
    const LOST: &str = "some of its processes were ended at a limit";
    if let Exit::Code(code) = ending.exit {
        let meaning = table.meaning(code);
        let is_said = ending.report.is_some() || !matches!(meaning, Meaning::Failed | Meaning::Succeeded);
        if is_said || finished_well(ending, table) {
            let verdict = judge_code(code, meaning, ending);
            return Verdict { warning: verdict.warning.or(Some(LOST)), ..verdict };
        }
    }
    let outcome = Outcome::Failed { class: FailureClass::Resource, retriable: true };
    Verdict::new(outcome, format!("The worker was ended: {breach}."))
}

fn finished_well(ending: &Ending, table: &ExitTable) -> bool {
    let Exit::Code(code) = ending.exit else { return false };
    table.meaning(code) == Meaning::Succeeded
        && ending.fault.is_none()
        && (ending.raw || ending.report == Some(Report::Success))
}

fn judge_code(code: u8, meaning: Meaning, ending: &Ending) -> Verdict {
    if meaning == Meaning::Succeeded {
        return judge_success(code, ending);
    }
    if ending.report == Some(Report::Success) {
        return Verdict::new(
            Outcome::ProtocolError,
            format!("The worker reported success but left with exit code {code}."),
        );
    }
    let said = match &ending.report {
        Some(Report::Failure(error)) => Some(error),
        Some(Report::Success) | None => None,
    };
    // A task that was not read cannot have been judged: an interpreter leaves with 2 that does not find its script.
    let is_unjudged = code == 2 && meaning == Meaning::NotRetriable && said.is_none() && !ending.raw;
    let meaning = if is_unjudged && ending.stdin_untouched { Meaning::WorkerBroken } else { meaning };
    let meaning = match meaning {
        Meaning::WorkerBroken if ending.stdin_untouched => {
            return Verdict::new(
                Outcome::WorkerBroken,
                format!(
                    "The worker left with exit code {code} before it read its task: {}.",
                    broken_hint(code)
                ),
            );
        }
        Meaning::WorkerBroken if code == 78 => Meaning::NotRetriable,
        Meaning::WorkerBroken => Meaning::Failed,
        other => other,
    };
    judge_failure(code, meaning, said, ending.fault.as_ref())
}

fn judge_success(code: u8, ending: &Ending) -> Verdict {
    let failed = match &ending.report {
        Some(Report::Failure(error)) => Some(Verdict {
            warning: Some("exit code 0 came with success: false; a failure should leave with 1 or 2"),
            ..judge_failure(code, Meaning::Failed, Some(error), None)
        }),
        Some(Report::Success) | None => None,
    };
    match (failed, &ending.fault) {
        // It said that trying again cannot help; a fault on top of that makes no retry out of it.
        (Some(failed), Some(_)) if matches!(failed.outcome, Outcome::Failed { retriable: false, .. }) => {
            failed
        }
        (_, Some(fault)) => Verdict::new(
            Outcome::ProtocolError,
            format!("The worker left with exit code {code}, but {fault}."),
        ),
        (Some(failed), None) => failed,
        (None, None) if ending.raw || ending.report == Some(Report::Success) => {
            Verdict::new(Outcome::Succeeded, "The worker finished the task.")
        }
        (None, None) => Verdict::new(
            Outcome::ProtocolError,
            format!("The worker left with exit code {code} but wrote no result."),
        ),
    }
}

fn judge_failure(code: u8, meaning: Meaning, said: Option<&ReportedError>, fault: Option<&Fault>) -> Verdict {
    let explicit = said.and_then(|error| error.retry_possible);
    let retriable = meaning != Meaning::NotRetriable
        && explicit
            .unwrap_or(said.and_then(|error| error.class).map(FailureClass::remedy) != Some(Remedy::GiveUp));
    let class = class_of(said, retriable);
    let retry_after = said.and_then(|error| error.retry_after);
    let outcome = match meaning {
        Meaning::TimedOut => Outcome::TimedOut { retriable },
        Meaning::Deferred if retriable => Outcome::Deferred(retry_after),
        _ if retriable && retry_after.is_some() => Outcome::Deferred(retry_after),
        _ => Outcome::Failed { class, retriable },
    };
    let what = match outcome {
        Outcome::TimedOut { .. } => {
            format!("The worker gave up with exit code {code} because its own time ran out")
        }
        Outcome::Deferred(_) => format!("The worker asked to be tried later (exit code {code})"),
        _ => format!("The worker failed with exit code {code}"),
    };
    let words = match (said, fault) {
        (Some(error), _) => format!(": {}", spoken(error)),
        (None, Some(fault)) => format!(", and {fault}"),
        (None, None) => String::new(),
    };
    Verdict::new(outcome, format!("{what}{words}."))
}

/// The class a worker named, or the one that its upstream's status or the end of all tries speaks of.
fn class_of(said: Option<&ReportedError>, retriable: bool) -> FailureClass {
    let named = said.and_then(|error| error.class);
    let status = said.and_then(|error| error.status);
    named.unwrap_or(match status {
        Some(429) => FailureClass::Quota,
        _ if retriable => FailureClass::Transient,
        _ => FailureClass::Logic,
    })
}

/// The worker's words on one line, at most 300 characters, without a full stop.
fn spoken(error: &ReportedError) -> String {
    const MOST: usize = 300;
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (kind, message) = (flat(&error.kind), flat(&error.message));
    let text = match (kind.is_empty(), message.is_empty()) {
        (true, true) => "it gave no reason".to_owned(),
        (true, false) => message,
        (false, true) => kind,
        (false, false) => format!("{kind}: {message}"),
    };
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.trim_end_matches('.').to_owned()
}

fn broken_hint(code: u8) -> &'static str {
    match code {
        2 => "perhaps its script does not exist",
        126 => "its command is not executable",
        127 => "its command was not found",
        _ => "it says that its configuration is wrong",
    }
}
