//! The table of cases.

use std::time::Duration;

/// Whether a worker that fails the case may be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It would lose or repeat work: `workerhost verify` fails.
    Required,
    /// The host copes, but tasks are slower, retried in vain, or harder to diagnose.
    Recommended,
}

impl Level {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Recommended => "recommended",
        }
    }
}

/// What stands on standard input. All but [`Input::HeldOpen`] end with the end of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The sample task.
    Valid,
    /// The sample task without `id`.
    WithoutId,
    /// The sample task with a type that nobody knows.
    UnknownType,
    /// The sample task with `{}` for its params.
    EmptyParams,
    /// The first half of a task object.
    HalfAnObject,
    /// A JSON array.
    NotAnObject,
    /// The sample task with a large member added to its params.
    LargeParams,
    /// The sample task with text of many scripts added to its params.
    NonAscii,
    /// Nothing.
    Nothing,
    /// Nothing, and the file does not end while the worker lives.
    HeldOpen,
}

/// What is done to the worker beside sending its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Wait,
    /// `soft_timeout` stands on the channel before the input is sent.
    SoftTimeout,
    /// SIGTERM to its process group after this long; the case's time runs from there.
    Terminate {
        /// So long.
        after: Duration,
    },
}

/// What the worker is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Exit 0, `success: true` and a `result`.
    Success,
    /// Success, or a failure with error type, message and an exit code other than 0.
    Answer,
    /// Such a failure.
    Failure,
    /// Such a failure with an exit code that forbids another try.
    FinalFailure,
    /// An end by itself that is no success.
    NoSuccess,
    /// An exit code and a `retry_possible` that say the same.
    RetryAgreement,
    /// Nothing on standard output but the result.
    OnlyTheResult,
    /// An end soon after the signal.
    EndOnSignal,
    /// All of standard input read.
    InputRead,
    /// No process left behind.
    NothingLeaked,
    /// No file written outside the workspace.
    NothingOutside,
}

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name for `--case`.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Whether it must pass.
    pub level: Level,
    /// What is sent.
    pub input: Input,
    /// What is done.
    pub act: Act,
    /// What is expected.
    pub expect: Expect,
}

const fn case(id: &'static str, title: &'static str, level: Level, input: Input, expect: Expect) -> Case {
    Case { id, title, level, input, act: Act::Wait, expect }
}

use Level::{Recommended, Required};

/// All cases, in the order in which they are run.
pub const CASES: [Case; 17] = [
    case("valid", "Valid Task Processing", Required, Input::Valid, Expect::Success),
    case("missing-id", "Missing Task ID", Required, Input::WithoutId, Expect::Failure),
    case("unknown-type", "Unknown Task Type", Required, Input::UnknownType, Expect::Answer),
    case("empty-params", "Empty Params", Required, Input::EmptyParams, Expect::Answer),
    case("large-params", "Large Params", Required, Input::LargeParams, Expect::Answer),
    case("non-ascii", "Non-ASCII Text", Required, Input::NonAscii, Expect::Answer),
    case("invalid-json", "Invalid JSON", Recommended, Input::HalfAnObject, Expect::NoSuccess),
    case("not-an-object", "JSON That Is No Object", Recommended, Input::NotAnObject, Expect::NoSuccess),
    case("empty-input", "Empty Standard Input", Recommended, Input::Nothing, Expect::NoSuccess),
    case("exit-code", "Exit Code of a Useless Retry", Recommended, Input::WithoutId, Expect::FinalFailure),
    case(
        "retry-agreement",
        "Exit Code and retry_possible",
        Recommended,
        Input::WithoutId,
        Expect::RetryAgreement,
    ),
    case("stray-output", "Nothing but the Result", Recommended, Input::Valid, Expect::OnlyTheResult),
    case("input-read", "Standard Input Read", Recommended, Input::LargeParams, Expect::InputRead),
    case("leak", "No Process Left Behind", Recommended, Input::Valid, Expect::NothingLeaked),
    case("outside", "Workspace Kept", Recommended, Input::Valid, Expect::NothingOutside),
    Case {
        act: Act::SoftTimeout,
        ..case("soft-timeout", "Soft Timeout", Recommended, Input::Valid, Expect::Answer)
    },
    Case {
        act: Act::Terminate { after: Duration::from_millis(500) },
        ..case("sigterm", "SIGTERM", Recommended, Input::HeldOpen, Expect::EndOnSignal)
    },
];

impl Case {
    /// The case of that id.
    pub fn of(id: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.id == id)
    }
}
