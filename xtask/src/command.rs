//! Runs other programs and keeps what they print.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program printed, and whether it went well.
#[derive(Debug)]
pub(crate) struct Printed {
    /// Whether it left with exit code 0.
    pub(crate) ok: bool,
    /// Standard output and error in the order in which they were written.
    pub(crate) text: String,
}

/// Runs `cargo ARGUMENTS` in `root` with `variables` set.
pub(crate) fn cargo(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Printed {
    let mut command = Command::new(own_cargo());
    command
        .args(arguments)
        .current_dir(root)
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        // A run is the same whatever the caller's shell has set.
        .env_remove("WH_SLOW_TESTS")
        .env_remove("WH_BLESS")
        .envs(variables.iter().copied());
    match run(command) {
        Ok(printed) => printed,
        Err(error) => Printed { ok: false, text: format!("cargo could not be run: {error}") },
    }
}

/// Runs a program in `root`; `None` where there is no such program.
pub(crate) fn program(root: &Path, name: &str, arguments: &[&str]) -> Option<Printed> {
    let mut command = Command::new(name);
    // Nothing is left in the tree by looking at it.
    command.args(arguments).current_dir(root).env("PYTHONDONTWRITEBYTECODE", "1");
    match run(command) {
        Ok(printed) => Some(printed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(Printed { ok: false, text: format!("{name} could not be run: {error}") }),
    }
}

/// Runs `cargo ARGUMENTS` in `root`, where the caller reads what it prints; true when it left with exit code 0.
pub(crate) fn cargo_aloud(root: &Path, arguments: &[&str]) -> bool {
    Command::new(own_cargo()).args(arguments).current_dir(root).status().is_ok_and(|status| status.success())
}

/// The cargo that runs us, so that everything is built by one toolchain.
fn own_cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn run(mut command: Command) -> std::io::Result<Printed> {
    let (mut reader, writer) = std::io::pipe()?;
    let mut child = command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The command holds the pipe's writing ends; while it lives, reading would never end.
    drop(command);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let ok = child.wait()?.success();
    Ok(Printed { ok, text: String::from_utf8_lossy(&bytes).into_owned() })
}

/// Whether `cargo NAME` is installed.
pub(crate) fn has_cargo(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(format!("cargo-{name}")).is_file())
    })
}
