//! Runs any program as a durable worker.

use std::process::ExitCode;

fn main() -> ExitCode {
    workerhost::start(workerhost::Hooks::default())
}
