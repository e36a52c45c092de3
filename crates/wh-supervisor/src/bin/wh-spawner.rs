//! The spawner and the reviewer as a program of their own, for this crate's tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    let is_reviewer = std::env::args_os().nth(1).is_some_and(|it| it == wh_supervisor::REVIEWER_ARGUMENT);
    let code = if is_reviewer { wh_supervisor::reviewer_main() } else { wh_supervisor::spawner_main() };
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
