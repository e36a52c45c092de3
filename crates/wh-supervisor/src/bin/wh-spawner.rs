//! The spawner as a program of its own, for this crate's tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    u8::try_from(wh_supervisor::spawner_main()).map_or(ExitCode::FAILURE, ExitCode::from)
}
