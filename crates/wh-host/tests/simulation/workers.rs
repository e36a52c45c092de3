//! The workers that hosts may have, and the types of tasks there are.

use std::path::PathBuf;
use wh_domain::ending::ExitTable;
use wh_domain::id::{TaskType, WorkerName};
use wh_domain::isolation::Isolation;
use wh_domain::limits::Limits;
use wh_domain::retry::{OnLost, RetryPolicy};
use wh_domain::routing::TypePattern;
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Bounds, Program, Protocol, Worker, Workspace};

/// Names and patterns. The second one is the first one's equal; the last one is for what is nobody's else.
const CATALOGUE: [(&str, &str); 6] =
    [("first", "a"), ("second", "a"), ("media", "m.*"), ("once", "once"), ("late", "late"), ("rest", "*")];

/// How many workers there are.
pub(crate) const WORKERS: usize = CATALOGUE.len();

/// The one for everything.
pub(crate) const REST: usize = WORKERS - 1;

/// The types that tasks are of.
pub(crate) const TYPES: [&str; 5] = ["a", "b", "m.x", "once", "late"];

pub(crate) fn name(text: &str) -> WorkerName {
    WorkerName::new(text).unwrap()
}

pub(crate) fn task_type(text: &str) -> TaskType {
    TaskType::new(text).unwrap()
}

/// The worker at that place of the catalogue.
pub(crate) fn worker(at: usize, streams: u32, policy: RetryPolicy) -> Worker {
    let (text, pattern) = CATALOGUE[at];
    let on_lost = if text == "once" { OnLost::Fail } else { OnLost::Retry };
    Worker {
        name: name(text),
        task_types: vec![TypePattern::parse(pattern).unwrap()],
        streams,
        program: Program {
            argv: vec!["true".into()],
            directory: PathBuf::from("/"),
            env: Vec::new(),
            secrets: Vec::new(),
        },
        protocol: Protocol::Json,
        workspace: Workspace::None,
        isolation: Isolation::default(),
        limits: Limits::NONE,
        timeout: TimeoutPolicy::default(),
        retry: RetryPolicy { on_lost, ..policy },
        outputs: Vec::new(),
        exit_codes: ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    }
}

/// All of them, with so many streams each.
pub(crate) fn everybody(streams: u32, policy: RetryPolicy) -> Vec<Worker> {
    (0..WORKERS).map(|at| worker(at, streams, policy)).collect()
}
