//! From what is left of an attempt to its record: what was heard is judged, what was written is kept.

use crate::hearing::Hearing;
use crate::wire::Ended;
use crate::workspace::harvest::{self, Harvest};
use crate::workspace::heartbeat::Heartbeat;
use crate::workspace::place::Place;
use crate::workspace::records::Facts;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::attempt::{Outcome, Progress};
use wh_domain::ending::{Ending, Exit, Hindrance, Stop, Verdict, judge, judge_hindered};
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_domain::worker::Protocol;
use wh_ports::claims::Produced;
use wh_ports::runner::{Assignment, Finished};

/// What is known of an attempt besides what its worker said.
pub(crate) struct Closing {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) exit: Exit,
    pub(crate) stop: Option<Stop>,
    pub(crate) stdin_untouched: bool,
    pub(crate) ended: Ended,
    /// The workspace with its heartbeat, if there is one and nobody writes into it any more.
    pub(crate) ground: Option<(Place, Heartbeat)>,
}

/// Makes the record of an attempt that lasted `age`; also gives the workspace back, clean.
pub(crate) async fn conclude(closing: Closing, hearing: Hearing, age: Duration) -> (Finished, Option<Place>) {
    let worker = &closing.assignment.worker;
    let progress = hearing.progress.clone();
    let (heard, log) = hearing.conclude(age, closing.ended_at);
    let ending = Ending {
        exit: closing.exit,
        stop: closing.stop,
        report: heard.report,
        fault: heard.fault,
        raw: worker.protocol == Protocol::Raw,
        stdin_untouched: closing.stdin_untouched,
        out_of_memory: false,
    };
    let untold = log.untold();
    let (log_tail, file) = log.finish();
    let verdict = judge(&ending, &worker.exit_codes).quoting(&ending, &log_tail);
    let succeeded = verdict.outcome == Outcome::Succeeded;
    let mut warnings = heard.warnings;
    warnings.extend(verdict.warning.map(Box::from));
    if untold > 0 {
        warnings.push(format!("{untold} log lines came too fast to be shown live").into());
    }
    if let Some(Err(error)) = file.map(crate::workspace::logfile::LogFile::finish) {
        warnings.push(format!("lines are missing in its log file: {error}").into());
    }
    let moments = (closing.started_at, closing.ended_at);
    let kept = match closing.ground {
        Some(ground) => {
            put_away(ground, closing.assignment, &verdict, moments, progress, heard.payload).await
        }
        None => Kept { place: None, harvest: Harvest::default(), payload: heard.payload },
    };
    warnings.extend(kept.harvest.warnings);
    let finished = Finished {
        ending,
        verdict,
        produced: kept.payload.map(|payload| Produced { payload, partial: !succeeded }),
        follow_ups: if succeeded { heard.follow_ups } else { Vec::new() },
        started_at: closing.started_at,
        ended_at: closing.ended_at,
        warnings,
        leaked: closing.ended.leaked,
        log_tail,
        usage: closing.ended.usage,
        workspace: kept.harvest.kept,
        stuck: None,
    };
    (finished, kept.place)
}

/// What comes back from putting a workspace away.
struct Kept {
    place: Option<Place>,
    harvest: Harvest,
    payload: Option<Payload>,
}

/// Keeps what is worth it. A few looks are made here, work on files elsewhere: there may be many.
async fn put_away(
    (mut place, mut heartbeat): (Place, Heartbeat),
    assignment: Arc<Assignment>,
    verdict: &Verdict,
    (started_at, ended_at): (Timestamp, Timestamp),
    progress: Option<Progress>,
    payload: Option<Payload>,
) -> Kept {
    if harvest::is_untouched(&mut place, &heartbeat, (verdict.outcome, ended_at)) {
        return Kept { place: Some(place), harvest: Harvest::default(), payload };
    }
    let (outcome, sentence) = (verdict.outcome, verdict.sentence.clone());
    let kept = tokio::task::spawn_blocking(move || {
        let facts = Facts {
            assignment: &assignment,
            outcome,
            sentence: &sentence,
            started_at,
            ended_at,
            progress: progress.as_ref(),
            result: payload.as_ref(),
        };
        let harvest = harvest::harvest(&mut place, &mut heartbeat, &facts);
        Kept { place: Some(place), harvest, payload }
    });
    kept.await.unwrap_or_else(|error| {
        let warnings = vec![format!("its files could not be kept: {error}").into()];
        Kept { place: None, harvest: Harvest { kept: None, warnings }, payload: None }
    })
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
        out_of_memory: false,
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
        usage: wh_domain::attempt::Usage::default(),
        workspace: None,
        stuck: None,
    }
}
