//! What is wrong with a configuration: a list of problems, each with its place and its mend.

/// The name under which environment variables are quoted.
pub(crate) const ENVIRONMENT: &str = "environment";
/// The name under which the command line is quoted.
pub(crate) const COMMAND_LINE: &str = "command line";

/// Who said something wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemOrigin {
    /// The file.
    File,
    /// A variable.
    Environment,
    /// An option.
    CommandLine,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but something in it will surprise.
    Warning,
}

impl Severity {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Where a problem stands, with the line itself. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named, `environment` or `command line`.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column of the first character that is meant.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub length: usize,
    /// The line as it stands in the file, with secrets masked and very long lines cut around the place.
    pub text: String,
    /// The bytes of `text` that are meant.
    pub(crate) highlight: std::ops::Range<usize>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where; `None` when the file could not be read at all.
    pub place: Option<Place>,
}

impl Problem {
    /// Who said what is wrong.
    pub fn origin(&self) -> ProblemOrigin {
        match self.place.as_ref().map(|place| place.file.as_str()) {
            Some(ENVIRONMENT) => ProblemOrigin::Environment,
            Some(COMMAND_LINE) => ProblemOrigin::CommandLine,
            Some(_) | None => ProblemOrigin::File,
        }
    }
}

/// All problems of a configuration, in the order in which they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// One problem that has no line to show.
    pub(crate) fn without_place(file: &str, message: &str, help: &str) -> Self {
        Self(vec![Problem {
            severity: Severity::Error,
            message: format!("{file}: {message}"),
            help: Some(help.to_owned()),
            place: None,
        }])
    }

    pub(crate) fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_cached_key(order);
        Self(problems)
    }

    /// Every problem.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them keeps the configuration from being used.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { "; " };
            match &problem.place {
                Some(at) => write!(f, "{gap}{}:{}:{}: {}", at.file, at.line, at.column, problem.message)?,
                None => write!(f, "{gap}{}", problem.message)?,
            }
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// What came from elsewhere follows what stands in the file.
fn order(problem: &Problem) -> Option<(ProblemOrigin, usize, usize)> {
    problem.place.as_ref().map(|at| (problem.origin(), at.line, at.column))
}
