//! From what is left of an attempt to its record: what was heard is judged, what was written is kept.

use crate::hearing::Hearing;
use crate::hindrance::in_words;
use crate::orders::{Orders, Patience};
use crate::reviewing;
use crate::wire::Ended;
use crate::workspace::harvest::{self, Harvest, Shelf};
use crate::workspace::heartbeat::Heartbeat;
use crate::workspace::logfile::LogFile;
use crate::workspace::place::Place;
use crate::workspace::records::Facts;
use crate::workspace::review::Claims;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use wh_domain::attempt::{Outcome, Progress, Usage};
use wh_domain::ending::{Ending, Exit, Hindrance, Stop, Verdict, judge, judge_hindered};
use wh_domain::isolation::Enforcement;
use wh_domain::limits::{Breach, Limits, Resource};
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_domain::worker::Protocol;
use wh_ports::claims::Produced;
use wh_ports::runner::{Assignment, Finished};

/// What is told of an attempt that was refused processes.
const CROWDED: &str =
    "it could not make more processes, because it had as many as it may (`limits.processes`)";

/// The signal to who writes a file beyond its limit.
const XFSZ: u8 = 25;

/// What is known of an attempt besides what its worker said.
pub(crate) struct Closing {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) exit: Exit,
    pub(crate) stop: Option<Stop>,
    pub(crate) stdin_untouched: bool,
    pub(crate) ended: Ended,
    pub(crate) isolation: Option<Enforcement>,
    /// The workspace with its heartbeat, if there is one and nobody writes into it any more.
    pub(crate) ground: Option<(Place, Heartbeat)>,
}

/// Makes the record of an attempt that lasted `age`; also gives the workspace back, clean. Where there is no room for
/// the attempt's files, it is waited for until something is `freed` or the host orders something else.
pub(crate) async fn conclude(
    closing: Closing,
    (hearing, age): (Hearing, Duration),
    (orders, freed, reviewer): (&mut Orders, &Notify, &Path),
) -> (Finished, Option<Place>) {
    let worker = &closing.assignment.worker;
    let (progress, measured) = (hearing.progress.clone(), hearing.measured());
    let redactor = hearing.log.redactor();
    let (heard, log) = hearing.conclude(age, closing.ended_at);
    let breach = closing.ended.breach.or_else(|| of_file_size(&closing.exit, &worker.limits));
    let (exit, stop, stdin_untouched) = (closing.exit, closing.stop, closing.stdin_untouched);
    // Before anything is made of it: what is shortened first hides nothing any more.
    let report = heard.report.map(|report| report.without(&|words| redactor.hide(words).into()));
    let (fault, raw) = (heard.fault, worker.protocol == Protocol::Raw);
    let ending = Ending { exit, stop, report, fault, raw, stdin_untouched, breach };
    let untold = log.untold();
    let (log_tail, file) = log.finish();
    let judged = judge(&ending, &worker.exit_codes).quoting(&ending, &log_tail);
    let claims = Claims { outputs: heard.outputs, quality: heard.quality, progress: measured };
    let (place, tools) =
        (closing.ground.as_ref().map(|(place, _)| place), (reviewer, &*redactor, &mut *orders));
    let (mut verdict, review) = reviewing::review((judged, &ending), place, (worker, claims), tools).await;
    verdict.sentence = redactor.hide(&verdict.sentence).into_owned();
    let mut warnings = heard.warnings;
    warnings.extend(verdict.warning.map(Box::from));
    warnings.extend(of_the_log(untold, file).chain(of_the_tree(&closing.ended)));
    let mut kept = match closing.ground {
        Some((place, heartbeat)) => {
            let filing = Filing {
                place,
                heartbeat,
                shelf: Shelf::default(),
                assignment: closing.assignment,
                verdict: verdict.clone(),
                moments: (closing.started_at, closing.ended_at),
                exit: ending.exit.clone(),
                usage: closing.ended.usage,
                log_tail: log_tail.clone(),
                progress,
                payload: heard.payload,
                quality: review.quality(),
            };
            put_away(filing, orders, freed).await
        }
        None => Kept { place: None, harvest: Ok(Harvest::default()), payload: heard.payload },
    };
    let harvest = kept.harvest.unwrap_or_else(|why| without_files(&why, (&mut verdict, &mut kept.payload)));
    let succeeded = verdict.outcome == Outcome::Succeeded;
    warnings.extend(harvest.warnings);
    let finished = Finished {
        ending,
        verdict,
        produced: kept.payload.map(|payload| Produced { payload, partial: !succeeded }),
        follow_ups: if succeeded { heard.follow_ups } else { Vec::new() },
        started_at: closing.started_at,
        ended_at: closing.ended_at,
        warnings: warnings.iter().map(|words| redactor.hide(words).into()).collect(),
        leaked: closing.ended.leaked.iter().map(|line| redactor.hide(line).into()).collect(),
        log_tail,
        usage: closing.ended.usage,
        workspace: harvest.kept,
        review: (!review.is_empty()).then_some(review),
        isolation: closing.isolation,
        stuck: None,
    };
    (finished, kept.place)
}

/// The limit that a signal of the kernel's speaks of.
fn of_file_size(exit: &Exit, limits: &Limits) -> Option<Breach> {
    // A shell leaves with 128 and the number of the signal that ended its command.
    let is_it = *exit == Exit::Signal(XFSZ.into()) || *exit == Exit::Code(128 + XFSZ);
    let limit = limits.file_size.filter(|_| is_it)?;
    Some(Breach { resource: Resource::FileSize, limit, used: limit })
}

/// What is told of processes that it could not have, and of memory that outlived those it had.
fn of_the_tree(ended: &Ended) -> impl Iterator<Item = Box<str>> {
    let mib = ended.left.div_ceil(1 << 20);
    let left = (mib > 0).then(|| {
        format!("it left {mib} MiB of memory behind, in files in memory or shared by System V").into()
    });
    ended.is_crowded.then(|| CROWDED.into()).into_iter().chain(left)
}

/// What is missing in the log as it was shown, and in its file.
fn of_the_log(untold: u64, file: Option<LogFile>) -> impl Iterator<Item = Box<str>> {
    let untold = (untold > 0).then(|| format!("{untold} log lines came too fast to be shown live").into());
    let finished = file.map(LogFile::finish).and_then(Result::err);
    untold
        .into_iter()
        .chain(finished.map(|error| format!("lines are missing in its log file: {error}").into()))
}

/// What is left where the files of an attempt could not be put away: a result whose files are gone is none.
fn without_files(why: &str, (verdict, payload): (&mut Verdict, &mut Option<Payload>)) -> Harvest {
    if verdict.outcome == Outcome::Succeeded {
        (*verdict, *payload) = (unkept(why), None);
    }
    let warnings = vec![format!("its files could not be kept: {why}").into()];
    Harvest { warnings, ..Harvest::default() }
}

/// What a success means whose files could not be put away.
fn unkept(why: &str) -> Verdict {
    Verdict {
        outcome: Outcome::Interrupted,
        sentence: format!(
            "The worker succeeded, but the host could not put its files away: {why}. It does not count."
        ),
        warning: None,
    }
}

/// All that is needed to put a workspace away.
struct Filing {
    place: Place,
    heartbeat: Heartbeat,
    shelf: Shelf,
    assignment: Arc<Assignment>,
    verdict: Verdict,
    moments: (Timestamp, Timestamp),
    exit: Exit,
    usage: Usage,
    log_tail: Box<str>,
    progress: Option<Progress>,
    payload: Option<Payload>,
    quality: Option<u8>,
}

/// What comes back from putting a workspace away.
struct Kept {
    place: Option<Place>,
    /// Why its files could not be put away, where they could not.
    harvest: Result<Harvest, String>,
    payload: Option<Payload>,
}

/// Keeps what is worth it. A few looks are made here, work on files elsewhere: there may be many.
async fn put_away(mut filing: Filing, orders: &mut Orders, freed: &Notify) -> Kept {
    let facts = (filing.verdict.outcome, filing.moments.1);
    if harvest::is_untouched(&mut filing.place, &filing.heartbeat, facts) {
        return Kept { place: Some(filing.place), harvest: Ok(Harvest::default()), payload: filing.payload };
    }
    let mut patience = Patience::new();
    loop {
        let tried = tokio::task::spawn_blocking(move || {
            let harvest = filing.file();
            (filing, harvest)
        });
        let harvest = match tried.await {
            Ok((back, harvest)) => {
                filing = back;
                harvest
            }
            Err(error) => return Kept { place: None, harvest: Err(error.to_string()), payload: None },
        };
        let harvest = match harvest {
            Ok(harvest) => Ok(harvest),
            Err(_) if patience.wait(orders, freed).await => continue,
            Err(error) => Err(in_words(&error)),
        };
        // A tree that is not clean is cleaned before it is used again.
        let is_clean = harvest.as_ref().is_ok_and(|harvest| harvest.is_clean);
        return Kept { place: is_clean.then_some(filing.place), harvest, payload: filing.payload };
    }
}

impl Filing {
    fn file(&mut self) -> std::io::Result<Harvest> {
        let facts = Facts {
            assignment: &self.assignment,
            outcome: self.verdict.outcome,
            sentence: &self.verdict.sentence,
            started_at: self.moments.0,
            ended_at: self.moments.1,
            exit: &self.exit,
            usage: self.usage,
            log_tail: &self.log_tail,
            progress: self.progress.as_ref(),
            result: self.payload.as_ref(),
            quality: self.quality,
        };
        harvest::harvest(&mut self.place, &mut self.heartbeat, &facts, &mut self.shelf)
    }
}

/// The record of an attempt that something kept from beginning.
pub(crate) fn never_ran(
    assignment: &Assignment,
    moments: (Timestamp, Timestamp),
    hindrance: &Hindrance,
) -> Finished {
    let verdict = judge_hindered(hindrance);
    let (Hindrance::Worker(why) | Hindrance::Task(why) | Hindrance::Host(why)) = hindrance;
    Finished { verdict, ..without_process(assignment, moments, Exit::NotStarted(why.clone())) }
}

/// The record of an attempt that has no process of its own yet.
pub(crate) fn without_process(
    assignment: &Assignment,
    (started_at, ended_at): (Timestamp, Timestamp),
    exit: Exit,
) -> Finished {
    let ending = Ending {
        exit,
        stop: None,
        report: None,
        fault: None,
        raw: assignment.worker.protocol == Protocol::Raw,
        stdin_untouched: true,
        breach: None,
    };
    Finished {
        verdict: judge(&ending, &assignment.worker.exit_codes),
        ending,
        produced: None,
        follow_ups: Vec::new(),
        started_at,
        ended_at,
        warnings: Vec::new(),
        leaked: Vec::new(),
        log_tail: "".into(),
        usage: Usage::default(),
        workspace: None,
        review: None,
        isolation: None,
        stuck: None,
    }
}
