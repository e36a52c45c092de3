//! The reviewer: a process that looks at what a worker has left. Files may be large, and made to hurt whoever reads them, so
//! they are read where little can be hurt: with bounds on memory and time, and nothing of the host's in reach but the workspace.
//!
//! Standard input is the workspace's directory, standard error a file with the request, standard output the answer.

use crate::workspace::review::{Claims, Looked, look};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use wh_domain::attempt::Progress;
use wh_domain::outputs::{Check, FailedCheck, Format, Output, OutputPath, Review};
use wh_protocol::result::ClaimedOutput;

/// The argument with which a program starts itself again as a reviewer; it then calls [`reviewer_main`] before anything else
/// and leaves with the code that returns.
pub const REVIEWER_ARGUMENT: &str = "__reviewer";

/// The memory that it may use, in bytes.
const MEMORY: u64 = 1 << 30;
/// The processor time that it may use, in seconds.
const CPU_SECONDS: u64 = 60;
/// What ends it at its limits: of processor time, of memory, of its stack.
const AT_A_LIMIT: [i32; 3] = [libc::SIGXCPU, libc::SIGABRT, libc::SIGSEGV];
/// How long it may take in all.
const PATIENCE: Duration = Duration::from_secs(120);
/// No answer is longer, in bytes.
const MOST_ANSWERED: u64 = 4 << 20;

#[derive(Serialize, Deserialize)]
struct Request {
    /// The process that asks.
    host: u32,
    outputs: Vec<OutputJson>,
    claims: Vec<(String, String)>,
    progress: Option<[Option<f64>; 3]>,
}

#[derive(Serialize, Deserialize)]
struct OutputJson {
    path: String,
    format: String,
    schema: Option<PathBuf>,
    min_size: u64,
    min_count: u32,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    passed: u32,
    failed: u32,
    failures: Vec<(String, String, String)>,
    /// Why a declared schema cannot be used.
    bad_schema: Option<String>,
    /// The error with which the machine has run short of something.
    shortage: Option<i32>,
}

/// What came of a review.
#[derive(Debug)]
pub(crate) enum Reviewed {
    /// What was looked at.
    Told(Review),
    /// A declared schema cannot be used: why.
    BadSchema(String),
    /// It was more than may be looked at.
    TooMuch,
}

/// Has a reviewer look at what lies in the output of a workspace. Dropping this ends it.
///
/// # Errors
/// What the machine ran short of, or refused.
pub(crate) async fn ask(
    program: &Path,
    root: OwnedFd,
    (declared, claims): (&[Output], &Claims),
) -> io::Result<Reviewed> {
    let mut request = File::from(memfd_create("request", MemfdFlags::CLOEXEC)?);
    request.write_all(&serde_json::to_vec(&request_of(declared, claims))?)?;
    let (answer, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&answer, rustix::fs::OFlags::NONBLOCK)?;
    let mut command = Command::new(program);
    command.arg(REVIEWER_ARGUMENT).env_clear().current_dir("/");
    let mut running = Running(command.stdin(root).stdout(theirs).stderr(request).spawn()?);
    // With the command goes this process's copy of their end.
    drop(command);
    let mut bytes = Vec::new();
    let mut answer = pipe::Receiver::from_owned_fd(answer)?.take(MOST_ANSWERED);
    let read = tokio::time::timeout(PATIENCE, answer.read_to_end(&mut bytes)).await;
    let Ok(read) = read else { return Ok(Reviewed::TooMuch) };
    read?;
    match serde_json::from_slice::<Answer>(&bytes) {
        Ok(answer) => told(answer, claims.quality),
        Err(_) if running.0.wait()?.signal().is_some_and(|signal| AT_A_LIMIT.contains(&signal)) => {
            Ok(Reviewed::TooMuch)
        }
        // Whoever or whatever has ended it: the files are not to blame.
        Err(_) => Err(io::Error::other("the process that looked at it has died")),
    }
}

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn told(answer: Answer, claimed: Option<u8>) -> io::Result<Reviewed> {
    if let Some(errno) = answer.shortage {
        return Err(io::Error::from_raw_os_error(errno));
    }
    if let Some(why) = answer.bad_schema {
        return Ok(Reviewed::BadSchema(why));
    }
    let failure = |(check, path, why): (String, String, String)| {
        Some(FailedCheck { check: Check::parse(&check)?, path: path.into(), why: why.into() })
    };
    Ok(Reviewed::Told(Review {
        passed: answer.passed,
        failed: answer.failed,
        failures: answer.failures.into_iter().filter_map(failure).collect(),
        claimed,
    }))
}

fn request_of(declared: &[Output], claims: &Claims) -> Request {
    let output = |output: &Output| OutputJson {
        path: output.path.as_str().to_owned(),
        format: output.format.as_str().to_owned(),
        schema: match &output.format {
            Format::JsonSchema(schema) => Some(schema.clone()),
            _ => None,
        },
        min_size: output.min_size,
        min_count: output.min_count,
    };
    Request {
        host: std::process::id(),
        outputs: declared.iter().map(output).collect(),
        claims: claims.outputs.iter().map(|it| (it.path.clone(), it.sha256.clone())).collect(),
        progress: claims.progress.as_ref().map(|it| [it.current, it.total, it.percent]),
    }
}

/// Looks and answers; returns the exit code. To be called first of all by a program that was started with
/// [`REVIEWER_ARGUMENT`].
pub fn reviewer_main() -> i32 {
    match serve() {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(1),
    }
}

fn serve() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let limit =
        |resource, most, never| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(never) });
    limit(Resource::As, MEMORY, MEMORY)?;
    // At the first one it is told by a signal of its own.
    limit(Resource::Cpu, CPU_SECONDS, CPU_SECONDS + 5)?;
    limit(Resource::Core, 0, 0)?;
    let mut text = Vec::new();
    let mut request = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    seek(&request, SeekFrom::Start(0))?;
    request.read_to_end(&mut text)?;
    let request: Request = serde_json::from_slice(&text)?;
    // Who died before it could be heard of has left this process to somebody else.
    if getppid().map(Pid::as_raw_nonzero).map(|pid| pid.get().unsigned_abs()) != Some(request.host) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    let root = io::stdin().as_fd().try_clone_to_owned()?;
    let outputs: Vec<Output> = request.outputs.into_iter().filter_map(output_of).collect();
    let claims = Claims {
        outputs: request.claims.into_iter().map(|(path, sha256)| ClaimedOutput { path, sha256 }).collect(),
        // That is for the host to know.
        quality: None,
        progress: request.progress.map(|[current, total, percent]| Progress {
            current,
            total,
            percent,
            message: None,
        }),
    };
    let Looked { review, bad_schema, shortage } = look(&root, &outputs, &claims);
    let failure = |it: FailedCheck| (it.check.as_str().to_owned(), it.path.into(), it.why.into());
    let answer = Answer {
        passed: review.passed,
        failed: review.failed,
        failures: review.failures.into_iter().map(failure).collect(),
        bad_schema,
        shortage,
    };
    io::stdout().lock().write_all(&serde_json::to_vec(&answer)?)
}

fn output_of(json: OutputJson) -> Option<Output> {
    let format = match (json.format.as_str(), json.schema) {
        ("json", _) => Format::Json,
        ("json_schema", Some(schema)) => Format::JsonSchema(schema),
        ("markdown", _) => Format::Markdown,
        ("csv", _) => Format::Csv,
        ("yaml", _) => Format::Yaml,
        ("utf8", _) => Format::Utf8,
        _ => Format::Any,
    };
    let path = OutputPath::parse(&json.path).ok()?;
    Some(Output { path, format, min_size: json.min_size, min_count: json.min_count })
}
