//! What a worker executes, and which files it is made of.

use super::surroundings::{ShownPath, Surroundings, is_executable};
use crate::report::Report;
use crate::secret;
use crate::source::At;
use crate::tree::Scalar;
use crate::value::{Block, Leaf};
use std::path::{Path, PathBuf};
use wh_domain::worker::Program;

/// Programs whose first argument is the file that they run, unless it is an option. Without their versions.
const INTERPRETERS: [&str; 6] = ["python", "node", "nodejs", "ruby", "perl", "php"];
const SHELLS: [&str; 2] = ["bash", "sh"];
/// The most files whose change is watched for one worker.
const MOST_FILES: usize = 16;

/// Program and files, or `None` when it cannot be said what to run, which has been reported.
pub(super) fn program(
    worker: &Block,
    around: &Surroundings<'_>,
    report: &mut Report,
) -> Option<(Program, Vec<PathBuf>)> {
    let directory = directory(worker, around, report);
    let argv = argv(worker, report)?;
    let (first, rest) = argv.split_first()?;
    let program = locate(first, &directory, around, report);
    let mut files: Vec<PathBuf> = program.iter().cloned().collect();
    files.extend(scripts(worker, rest, &directory.path));
    files.truncate(MOST_FILES);
    if worker.is_given("command") {
        check_script(first, rest.first(), &directory, around, report);
    }
    let name = match &program {
        // A bare name stays one: the search along PATH belongs to the start of the process.
        Some(path) if first.text.contains('/') => path.to_string_lossy().into_owned(),
        _ => first.text.clone(),
    };
    let argv = std::iter::once(name).chain(rest.iter().map(|text| text.text.clone())).collect();
    let variables = worker.map("env");
    let env = variables.iter().map(|(name, leaf)| (name.text.clone(), leaf.text.text.clone())).collect();
    let is_secret =
        |(name, leaf): &&(Scalar, Leaf)| leaf.text.is_hidden() || secret::looks_secret(&name.text);
    let secrets =
        variables.iter().filter(is_secret).map(|(_, leaf)| leaf.text.text.as_str().into()).collect();
    check_env(worker, report);
    Some((Program { argv, directory: directory.path, env, secrets }, files))
}

/// Whether anything says what to run.
pub(super) fn is_given(worker: &Block) -> bool {
    ["command", "venv_python", "module"].iter().any(|key| worker.is_given(key))
}

fn directory(worker: &Block, around: &Surroundings<'_>, report: &mut Report) -> ShownPath {
    let Some(text) = worker.text("project_path") else { return around.directory() };
    let directory = around.directory().join(text);
    if !directory.path.is_dir() {
        report.warn(
            text.at,
            format!("`project_path`: there is no directory {directory}"),
            "the worker cannot start until it is there",
        );
    }
    directory
}

fn argv(worker: &Block, report: &mut Report) -> Option<Vec<Scalar>> {
    let python = worker.is_given("venv_python") || worker.is_given("module");
    if worker.is_given("command") && python {
        report.error(
            worker.at("command"),
            "`command` and `venv_python` with `module` are two ways to say what to run",
            "keep one of the two",
        );
        return None;
    }
    if worker.is_given("command") {
        return command(worker, report);
    }
    let mut missing = |key: &str, help: &str| {
        if !worker.is_given(key) {
            report.error(worker.at, format!("this worker has no `{key}`"), help);
        }
    };
    if !python {
        missing("command", "say what to run, for example `command: [python3, worker.py]`");
        return None;
    }
    missing("venv_python", "name the interpreter, for example `venv_python: venv/bin/python`");
    missing("module", "name the module, for example `module: workers.video`");
    let (python, module) = (worker.text("venv_python")?, worker.text("module")?);
    let flag = Scalar::new("-m", module.at, true);
    let function = worker.text("function").cloned();
    Some([python.clone(), flag, module.clone()].into_iter().chain(function).collect())
}

fn command(worker: &Block, report: &mut Report) -> Option<Vec<Scalar>> {
    let argv = worker.texts("command")?;
    match argv.first() {
        Some(first) if !first.text.is_empty() => {}
        _ => {
            report.error(
                worker.at("command"),
                "`command` names no program",
                "write for example `command: [python3, worker.py]`",
            );
            return None;
        }
    }
    if let Some(text) = argv.iter().find(|text| text.text.contains('\0')) {
        report.error(
            text.at,
            "an argument holds a NUL character",
            "no program can be given one; take it out",
        );
        return None;
    }
    Some(argv.to_vec())
}

/// Where the program is. Warns when it is nowhere, because a host may be configured before its workers arrive.
fn locate(
    program: &Scalar,
    directory: &ShownPath,
    around: &Surroundings<'_>,
    report: &mut Report,
) -> Option<PathBuf> {
    if !program.text.contains('/') {
        let found = around.on_path(&program.text);
        if found.is_none() && (around.env)("PATH").is_some() {
            report.warn(
                program.at,
                format!("there is no program {} on PATH", program.quoted()),
                "install it, or write a path with a slash in it",
            );
        }
        return found;
    }
    let (near, far) = (directory.join(program), around.directory().join(program));
    if !near.path.exists() && !far.path.exists() {
        let tried = if near.path == far.path { near.to_string() } else { format!("{near}, nor {far}") };
        report.warn(
            program.at,
            format!("there is no program {tried}"),
            "the worker is put aside until it is there",
        );
        return Some(near.path);
    }
    let place = if near.path.exists() { near } else { far };
    if !is_executable(&place.path) {
        report.warn(
            program.at,
            format!("{place} is no program that may be run"),
            "make it executable, or put its interpreter first: `command: [python3, worker.py]`",
        );
    }
    Some(place.path)
}

/// The files that a worker consists of besides its program: arguments that are files, or the module's source.
fn scripts(worker: &Block, arguments: &[Scalar], directory: &Path) -> Vec<PathBuf> {
    if let Some(module) = worker.text("module") {
        let path = directory.join(module.text.replace('.', "/"));
        let package = path.join("__main__.py");
        return vec![if package.is_file() { package } else { path.with_extension("py") }];
    }
    let paths = arguments.iter().map(|text| directory.join(&text.text));
    paths.filter(|path| path.is_file()).collect()
}

/// Warns of an interpreter whose script is nowhere. It starts and fails, so the host takes it for the tasks' own fault
/// and gives up one after the other.
fn check_script(
    program: &Scalar,
    script: Option<&Scalar>,
    directory: &ShownPath,
    around: &Surroundings<'_>,
    report: &mut Report,
) {
    let name = Path::new(&program.text).file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let Some(script) = script.filter(|script| !script.text.is_empty() && !script.text.starts_with('-'))
    else {
        return;
    };
    // A shell looks for a bare name along PATH, too.
    let is_found =
        SHELLS.contains(&name) && !script.text.contains('/') && around.on_path(&script.text).is_some();
    let place = directory.join(script);
    if is_found || place.path.exists() || !(SHELLS.contains(&name) || INTERPRETERS.contains(&name)) {
        return;
    }
    report.warn(
        script.at,
        format!("there is no file {place} for {} to run", program.quoted()),
        "a relative path starts at `project_path`; every task fails until it is there",
    );
}

fn check_env(worker: &Block, report: &mut Report) {
    let mut refuse = |at: At, message: String, help: &str| report.error(at, message, help);
    for (name, leaf) in worker.map("env") {
        if name.text.is_empty() || name.text.contains(['=', '\0']) {
            refuse(
                name.at,
                format!("{} is no name of a variable", name.quoted()),
                "use letters, digits and `_`",
            );
        } else if name.text.starts_with("WORKERHOST_") {
            refuse(
                name.at,
                format!("{} belongs to the host, which sets it for every task", name.quoted()),
                "use another name",
            );
        }
        if leaf.text.text.contains('\0') {
            refuse(leaf.text.at, "the value holds a NUL character".to_owned(), "take it out");
        }
    }
}
