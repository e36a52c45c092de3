//! Watches the system calls of a producer and of a host: nothing is promised before the disk has confirmed it.

use crate::Tried;
use crate::arena::{Arena, alive};
use crate::hooked::{STEPS, TOLD};
use crate::kind::{Kind, id_of, line_of};
use crate::producer::prepare;
use crate::trace::{Findings, Whose, read};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

/// What was seen of both.
#[derive(Debug)]
pub struct Outcome {
    /// The producer.
    pub producer: Findings,
    /// The host.
    pub host: Findings,
    /// How many tasks brought a file.
    pub files: usize,
    /// Early promises that are found when the calls that confirm are taken out of the traces.
    pub without_syncs: (usize, usize),
}

/// Traces a producer and a host in `dir`: `tasks` tasks are sent one by one, each after the answer to the one before,
/// and as many more in one piece. The inner error says why that cannot be done here.
pub fn watch(tasks: u64, dir: &Path, data: &Path, program: &Path) -> Tried<Result<Outcome, String>> {
    let probe = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    match probe {
        Err(error) => return Ok(Err(format!("strace: {error}"))),
        Ok(done) if !done.status.success() => {
            return Ok(Err(format!("strace: {}", String::from_utf8_lossy(&done.stderr).trim())));
        }
        Ok(_) => {}
    }
    let arena = Arena::new(dir, data, program)?;
    let producer = produce(tasks, &arena)?;
    let host = carry(&arena)?;
    let bare = |trace: &str, whose| {
        let lines = trace.lines().filter(|line| !line.contains("fsync(") && !line.contains("fdatasync("));
        read(&lines.collect::<Vec<_>>().join("\n"), whose).early.len()
    };
    Ok(Ok(Outcome {
        files: (0..tasks * 2).filter(|number| Kind::of(*number) == Kind::File).count(),
        without_syncs: (bare(&producer, Whose::Producers), bare(&host, Whose::Hosts)),
        producer: read(&producer, Whose::Producers),
        host: read(&host, Whose::Hosts),
    }))
}

/// The program under strace, which writes to `trace`.
fn traced(arena: &Arena, arguments: &[&str], trace: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-s", "48", "-e", "trace=fsync,fdatasync,write,pwrite64", "-o"]);
    command.arg(trace).arg(&arena.program).args(arguments).current_dir(&arena.dir).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &arena.dir);
    command.env(STEPS, arena.dir.join("steps.log")).env(TOLD, arena.told());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn produce(tasks: u64, arena: &Arena) -> Tried<String> {
    let trace: PathBuf = arena.dir.join("producer.trace");
    let mut child = traced(arena, &["enqueue", "--file", "-", "--json", "-q"], &trace).spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let mut answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    for number in 0..tasks {
        prepare(number, arena)?;
        writeln!(input, "{}", line_of(number, &arena.files()))?;
        answer(&mut answers, number)?;
    }
    let mut lines = String::new();
    for number in tasks..tasks * 2 {
        prepare(number, arena)?;
        lines.push_str(&line_of(number, &arena.files()));
        lines.push('\n');
    }
    input.write_all(lines.as_bytes())?;
    drop(input);
    for number in tasks..tasks * 2 {
        answer(&mut answers, number)?;
    }
    if !child.wait()?.success() {
        return Err("the producer failed under strace".into());
    }
    Ok(std::fs::read_to_string(trace)?)
}

fn answer(answers: &mut BufReader<ChildStdout>, number: u64) -> Tried<()> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if line.contains(&id_of(number)) {
        Ok(())
    } else {
        Err(format!("an answer to another task: {line}").into())
    }
}

fn carry(arena: &Arena) -> Tried<String> {
    // Workers under strace go on as they are; the pipe that they hold needs somebody at its other end.
    let _pulse = crate::process::Pulse::listen(&alive(&arena.ground()))?;
    let trace = arena.dir.join("host.trace");
    let done = traced(arena, &["run", "--drain", "-qq"], &trace).stdin(Stdio::null()).output()?;
    if !done.status.success() {
        return Err(format!("the host failed under strace: {}", String::from_utf8_lossy(&done.stdout)).into());
    }
    Ok(std::fs::read_to_string(trace)?)
}
