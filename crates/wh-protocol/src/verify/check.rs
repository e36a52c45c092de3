//! Whether a worker did what a case expects.

use super::answer::{Answer, answer, code, error_of, sifted};
use super::case::{Act, Case, Expect, Input};
use super::input::Sample;
use super::observation::{Ended, Observation};
use super::problem::{Problem, problem, shown};
use crate::result::Report;

/// A case that was not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What the worker was sent.
    pub sent: String,
    /// What it did.
    pub got: String,
    /// How to mend it.
    pub mend: &'static str,
}

/// Judges what was seen of a worker in `case`.
///
/// # Errors
/// A [`Finding`] where it did something else than the case expects.
pub fn check(case: &Case, sample: &Sample<'_>, seen: &Observation) -> Result<(), Finding> {
    judge(case.expect, seen).map_err(|Problem { got, mend }| Finding { sent: sent(case, sample), got, mend })
}

fn judge(expect: Expect, seen: &Observation) -> Result<(), Problem> {
    match expect {
        Expect::Success => success(&answer(seen)?),
        Expect::Answer => any_answer(&answer(seen)?),
        Expect::Failure => error_of(&answer(seen)?).map(drop),
        Expect::FinalFailure => final_failure(seen),
        Expect::NoSuccess => no_success(seen),
        Expect::RetryAgreement => retry_agreement(&answer(seen)?),
        Expect::OnlyTheResult => only_the_result(seen),
        Expect::EndOnSignal => end_on_signal(seen),
        Expect::InputRead => input_read(seen),
        Expect::NothingLeaked => nothing_leaked(seen),
        Expect::NothingOutside => nothing_outside(seen),
    }
}

fn success(answer: &Answer) -> Result<(), Problem> {
    let lacks_result =
        answer.result.warnings.iter().any(|warning| warning.starts_with("`result` is missing"));
    match &answer.result.report {
        Report::Success(_) if lacks_result => {
            problem("success: true without `result`", "Add `result`, `null` if there is nothing to tell.")
        }
        Report::Success(_) => Ok(()),
        Report::Failure(error) => problem(
            format!("success: false, {}: {}", error.kind, error.message),
            "If the sample does not suit this worker, give it a task that it can do with --type and --params.",
        ),
    }
}

fn any_answer(answer: &Answer) -> Result<(), Problem> {
    match &answer.result.report {
        Report::Success(_) => Ok(()),
        Report::Failure(_) => error_of(answer).map(drop),
    }
}

fn final_failure(seen: &Observation) -> Result<(), Problem> {
    let answer = answer(seen)?;
    error_of(&answer)?;
    match answer.code {
        2 | 64 | 65 => Ok(()),
        code => problem(
            format!("exit code {code}, after which the host tries again"),
            "Exit with 2 when the task itself is wrong, so that it is not tried again in vain.",
        ),
    }
}

fn no_success(seen: &Observation) -> Result<(), Problem> {
    match code(seen)? {
        0 => problem(
            format!("exit code 0; standard output was: {}", shown(&seen.stdout)),
            "When the input is no task, say so in a result with success: false and exit with 2.",
        ),
        _ => Ok(()),
    }
}

fn retry_agreement(answer: &Answer) -> Result<(), Problem> {
    let error = error_of(answer)?;
    match (answer.code, error.retry_possible) {
        (2 | 64 | 65, Some(true)) => problem(
            format!("exit code {} says no retry, retry_possible: true says retry", answer.code),
            "Exit with 1 where a retry may help. Of two that disagree, the host takes the one that says no retry.",
        ),
        (1, Some(false)) => problem(
            "exit code 1 says retry, retry_possible: false says no retry",
            "Exit with 2 where a retry cannot help. Of two that disagree, the host takes the one that says no retry.",
        ),
        _ => Ok(()),
    }
}

fn only_the_result(seen: &Observation) -> Result<(), Problem> {
    code(seen)?;
    let stray = sifted(seen).stray_bytes;
    if stray == 0 {
        return Ok(());
    }
    problem(
        format!("{stray} bytes on standard output that are not the result: {}", shown(&seen.stdout)),
        "Send prints and logs to standard error. The host finds the result all the same, unless `protocol: strict`.",
    )
}

fn end_on_signal(seen: &Observation) -> Result<(), Problem> {
    match &seen.ended {
        Ended::Signal(_) | Ended::Code(1..) => Ok(()),
        Ended::Code(0) => problem(
            "exit code 0 after SIGTERM, without a task",
            "After SIGTERM, exit with 143, or let the signal end the process.",
        ),
        Ended::Never => problem(
            format!("it was still running {:.1} s after SIGTERM and was killed", seen.elapsed.as_secs_f64()),
            "Do not ignore SIGTERM: clean up and exit within the grace period. A shell that starts another program \
             should `exec` it.",
        ),
        Ended::NotStarted(_) => code(seen).map(drop),
    }
}

fn input_read(seen: &Observation) -> Result<(), Problem> {
    code(seen)?;
    match seen.stdin_unread {
        0 => Ok(()),
        unread => problem(
            format!("{unread} bytes of standard input were left unread"),
            "Read standard input to its end before working. A worker that breaks without having read its task is \
             put aside by the host after some tries.",
        ),
    }
}

fn nothing_leaked(seen: &Observation) -> Result<(), Problem> {
    code(seen)?;
    match &seen.leaked[..] {
        [] => Ok(()),
        [first, ..] => problem(
            format!("processes outlived it ({} in all): {}", seen.leaked.len(), shown(first.as_bytes())),
            "Wait for every process you start before you exit. The host ends what is left.",
        ),
    }
}

fn nothing_outside(seen: &Observation) -> Result<(), Problem> {
    code(seen)?;
    match &seen.written_outside[..] {
        [] => Ok(()),
        [first, ..] => problem(
            format!(
                "it wrote outside its workspace ({} files in all): {}",
                seen.written_outside.len(),
                shown(first.as_bytes())
            ),
            "Write to WORKERHOST_OUTPUT_DIR, WORKERHOST_WORKING_DIR or TMPDIR.",
        ),
    }
}

fn sent(case: &Case, sample: &Sample<'_>) -> String {
    let input = match (case.input, case.stdin(sample)) {
        (Input::HeldOpen, _) => "an open standard input".to_owned(),
        (Input::Nothing, _) => "an empty standard input".to_owned(),
        (_, Ok(bytes)) => shown(&bytes),
        (_, Err(error)) => format!("nothing, for {error}"),
    };
    match case.act {
        Act::Wait => input,
        Act::SoftTimeout => format!("{{\"control\":\"soft_timeout\",…}} on the channel, then {input}"),
        Act::Terminate { after } => format!("{input}, and SIGTERM after {} ms", after.as_millis()),
    }
}
