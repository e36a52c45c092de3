//! Cases for workers without an envelope: bytes in, bytes out, and the exit code alone decides.

use wh_protocol::verify::{Case, Ended, Finding, Input, Observation};

/// The cases that mean something without an envelope.
pub(super) const APPLICABLE: [&str; 5] = ["valid", "input-read", "leak", "outside", "sigterm"];
/// As much as the large input of the other protocols.
const LARGE: usize = 768 * 1024;

/// What is sent.
pub(super) fn stdin(case: &Case, params: &str) -> Vec<u8> {
    match case.input {
        Input::LargeParams if !params.is_empty() => params.repeat(LARGE.div_ceil(params.len())).into_bytes(),
        Input::LargeParams => vec![b'x'; LARGE],
        _ => params.as_bytes().to_vec(),
    }
}

/// Judges the sample.
pub(super) fn check(params: &str, seen: &Observation) -> Result<(), Finding> {
    let (got, mend) = match &seen.ended {
        Ended::Code(0) => return Ok(()),
        Ended::Code(code) => (
            format!("exit code {code}"),
            "Exit with 0 after a success. If the sample does not suit this worker, give it another with --params.",
        ),
        Ended::Signal(signal) => (
            format!("signal {signal} ended it"),
            "Find the crash: run the worker by hand with the same input.",
        ),
        Ended::Never => (
            format!("it was still running after {:.1} s and was killed", seen.elapsed.as_secs_f64()),
            "Read standard input to its end, write the result, flush it, and exit; wait for nothing else.",
        ),
        Ended::NotStarted(why) => {
            (format!("it could not be started: {why}"), "Check the command, its path and its interpreter.")
        }
    };
    let sent: String = params.chars().take(300).collect();
    Err(Finding { sent, got, mend })
}
