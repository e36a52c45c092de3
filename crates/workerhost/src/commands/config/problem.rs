//! A problem of a configuration as `--json` shows it.

use serde::Serialize;

/// See [`wh_config::Problem`].
#[derive(Serialize)]
pub(super) struct Problem<'a> {
    schema: &'static str,
    severity: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(flatten)]
    place: Option<Place<'a>>,
}

/// Where it stands, for problems that stand somewhere.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    length: usize,
    text: &'a str,
}

impl<'a> Problem<'a> {
    pub(super) fn of(problem: &'a wh_config::Problem) -> Self {
        Self {
            schema: "workerhost.config-problem/v1",
            severity: problem.severity.as_str(),
            message: &problem.message,
            help: problem.help.as_deref(),
            place: problem.place.as_ref().map(|place| Place {
                file: &place.file,
                line: place.line,
                column: place.column,
                length: place.length,
                text: &place.text,
            }),
        }
    }
}
