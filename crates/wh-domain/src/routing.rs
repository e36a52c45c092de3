//! Which worker does a task of a type: the exact one, then the most specific pattern, then a fallback.

use crate::id::{BadName, TaskType};
use std::fmt;

/// What a worker lists under `task_types`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypePattern {
    /// This type and no other.
    Exact(TaskType),
    /// Every type below this prefix: `Media.YouTube.*` takes `Media.YouTube.Video` and
    /// `Media.YouTube.Video.Short`, but not `Media.YouTube`. Holds the prefix with its last dot.
    Below(Box<str>),
    /// `*`: a fallback for what nobody else takes.
    Any,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPattern {
    /// It is no name at all.
    Name(BadName),
    /// A `*` stands elsewhere than alone or after the last dot.
    Star,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Star => {
                write!(f, "has a * in the wrong place; write a whole type, `Some.Prefix.*`, or `*` alone")
            }
        }
    }
}

impl std::error::Error for BadPattern {}

impl TypePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadPattern`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let name = TaskType::new(text).map_err(BadPattern::Name)?;
        match text.find('*') {
            None => Ok(Self::Exact(name)),
            Some(0) if text.len() == 1 => Ok(Self::Any),
            Some(at) if at + 1 == text.len() && text.len() > 2 && text.ends_with(".*") => {
                Ok(Self::Below(text.trim_end_matches('*').into()))
            }
            Some(_) => Err(BadPattern::Star),
        }
    }

    /// How well the pattern fits `task_type`: higher is more specific, `None` is not at all.
    pub fn fit(&self, task_type: &TaskType) -> Option<usize> {
        match self {
            Self::Exact(name) => (name == task_type).then_some(usize::MAX),
            Self::Below(prefix) => {
                let name = task_type.as_str();
                (name.len() > prefix.len() && name.starts_with(&**prefix)).then_some(prefix.len())
            }
            Self::Any => Some(0),
        }
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(f),
            Self::Below(prefix) => write!(f, "{prefix}*"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// The workers that may do tasks of `task_type`, best first; among equals, in the order they are configured.
/// `workers` yields each worker's patterns; the answer holds positions in it.
pub fn candidates<'a>(
    task_type: &TaskType,
    workers: impl IntoIterator<Item = &'a [TypePattern]>,
) -> Vec<usize> {
    let mut fits: Vec<(usize, usize)> = workers
        .into_iter()
        .enumerate()
        .filter_map(|(at, patterns)| {
            patterns.iter().filter_map(|pattern| pattern.fit(task_type)).max().map(|fit| (fit, at))
        })
        .collect();
    fits.sort_by_key(|&(fit, at)| (std::cmp::Reverse(fit), at));
    fits.into_iter().map(|(_, at)| at).collect()
}

/// The first of the workers that fit `task_type` best and are `fit_to_run`. A worker that is put aside hands over to
/// its equals only: a mere fallback must not take what a specific worker was meant to do.
pub fn route<'a>(
    task_type: &TaskType,
    workers: impl IntoIterator<Item = (&'a [TypePattern], bool)>,
) -> Route {
    let mut best: Option<(usize, Option<usize>)> = None;
    for (at, (patterns, fit_to_run)) in workers.into_iter().enumerate() {
        let Some(fit) = patterns.iter().filter_map(|pattern| pattern.fit(task_type)).max() else { continue };
        match &mut best {
            Some((most, _)) if *most > fit => {}
            Some((most, chosen)) if *most == fit => *chosen = chosen.or(fit_to_run.then_some(at)),
            _ => best = Some((fit, fit_to_run.then_some(at))),
        }
    }
    match best {
        None => Route::Nobody,
        Some((_, None)) => Route::Waiting,
        Some((_, Some(at))) => Route::To(at),
    }
}

/// Where tasks of a type go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To the worker at this position.
    To(usize),
    /// Nowhere for now: the workers for it are put aside.
    Waiting,
    /// Nowhere: no worker takes the type.
    Nobody,
}
