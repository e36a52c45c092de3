//! A worker's answer: its result and its exit code, where it gave both.

use super::observation::{Ended, Observation};
use super::problem::{Problem, problem, shown};
use crate::channel::{ChannelBounds, ChannelReader, Event};
use crate::result::{self, ErrorReport, Report, WorkerResult};
use crate::sift::{SiftBounds, Sifted, Sifter, Stray};
use std::time::Duration;

/// Both halves of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) result: WorkerResult,
    pub(super) code: u8,
}

/// What stood on standard output.
pub(super) fn sifted(seen: &Observation) -> Sifted {
    let mut sifter = Sifter::new(Stray::Logged, SiftBounds::default());
    sifter.push(&seen.stdout, &mut |_| {});
    sifter.finish(&mut |_| {})
}

/// The code with which the worker ended by itself.
pub(super) fn code(seen: &Observation) -> Result<u8, Problem> {
    match &seen.ended {
        Ended::Code(code) => Ok(*code),
        Ended::Signal(signal) => problem(
            format!("signal {signal} ended it{}", last_words(seen)),
            "Find the crash: run the worker by hand with the same input. A worker should catch what goes wrong and \
             report it.",
        ),
        Ended::Never => problem(
            format!(
                "it was still running after {:.1} s and was killed{}",
                seen.elapsed.as_secs_f64(),
                last_words(seen)
            ),
            "Read standard input to its end, write the result, flush it, and exit; wait for nothing else.",
        ),
        Ended::NotStarted(why) => problem(
            format!("it could not be started: {why}"),
            "Check the command, its path and its interpreter.",
        ),
    }
}

/// The worker's answer, if it gave one that the host can take.
pub(super) fn answer(seen: &Observation) -> Result<Answer, Problem> {
    let code = code(seen)?;
    if let Some(result) = heard(seen) {
        return agree(result, code);
    }
    let sifted = sifted(seen);
    if let Some(fault) = sifted.fault {
        return problem(
            format!("standard output held {fault}: {}", shown(&seen.stdout)),
            "Write UTF-8 within the bounds of docs/protocol.md; put files and large data into the workspace.",
        );
    }
    let Some(text) = sifted.result else {
        return problem(
            format!(
                "exit code {code} and no result; standard output was: {}{}",
                or_nothing(seen),
                last_words(seen)
            ),
            "Write one JSON object with a boolean `success` to standard output, and flush it before the exit.",
        );
    };
    agree(read(&text)?, code)
}

/// The error of a failure that says what went wrong.
pub(super) fn error_of(answer: &Answer) -> Result<&ErrorReport, Problem> {
    let Report::Failure(error) = &answer.result.report else {
        return problem(
            format!("success: true with exit code {}", answer.code),
            "Check the task before working on it, and answer success: false with an error.",
        );
    };
    if error.kind.is_empty() || error.message.is_empty() {
        return problem(
            "a failure whose error lacks `type` or `message`",
            "Give `error` a `type` (the exception's name) and a `message` (what happened, in words).",
        );
    }
    Ok(error)
}

fn heard(seen: &Observation) -> Option<WorkerResult> {
    let mut last = None;
    let mut reader = ChannelReader::new(ChannelBounds::default());
    let mut hear = |said| {
        if let Ok(Event::Result(result)) = said {
            last = Some(*result);
        }
    };
    reader.push(&seen.channel, Duration::ZERO, &mut hear);
    reader.finish(Duration::ZERO, &mut hear);
    last
}

fn read(text: &str) -> Result<WorkerResult, Problem> {
    result::read(text).or_else(|error| {
        problem(
            format!("a result of a wrong shape, {error}: {}", shown(text.as_bytes())),
            "Give the result the shape that docs/protocol.md describes.",
        )
    })
}

fn agree(result: WorkerResult, code: u8) -> Result<Answer, Problem> {
    match (&result.report, code) {
        (Report::Success(_), 0) | (Report::Failure(_), 1..) => Ok(Answer { result, code }),
        (Report::Success(_), _) => problem(
            format!("success: true with exit code {code}, which the host takes for a failure"),
            "Exit with 0 after a success.",
        ),
        (Report::Failure(_), _) => problem(
            "success: false with exit code 0",
            "Exit with 1 after a failure that may pass, with 2 after one that will not.",
        ),
    }
}

fn or_nothing(seen: &Observation) -> String {
    if seen.stdout.trim_ascii().is_empty() { "nothing".to_owned() } else { shown(&seen.stdout) }
}

/// The last line of standard error, where errors that nobody caught are found.
fn last_words(seen: &Observation) -> String {
    let last = seen.stderr.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    if last.trim_ascii().is_empty() { String::new() } else { format!("; its last words: {}", shown(last)) }
}
