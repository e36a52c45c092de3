//! What is measured: each a file with one goal, or a few that share their rounds.

mod carrying;
mod deaths;
mod depth;
mod idling;
mod intake;
mod latency;
mod neighbours;

use crate::ground::Ground;
use crate::report::Row;
use crate::trouble::Trouble;

/// One measurement.
#[derive(Debug)]
pub(crate) struct Measure {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it is, as the end of "measures …".
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Ground) -> Result<Vec<Row>, Trouble>,
}

/// All of them.
pub(crate) const ALL: &[Measure] = &[
    Measure {
        name: "carrying",
        what: "whole tasks a second against starting the same program (P1, P2)",
        run: carrying::measure,
    },
    Measure {
        name: "intake",
        what: "tasks that come in a second against plain SQLite (P5)",
        run: intake::measure,
    },
    Measure {
        name: "latency",
        what: "the time from a task to its worker against two commits and a start (P6, P12)",
        run: latency::measure,
    },
    Measure { name: "deaths", what: "the time from a death to the next attempt (P7)", run: deaths::measure },
    Measure {
        name: "depth",
        what: "claiming beside a million tasks against a thousand (P8)",
        run: depth::measure,
    },
    Measure {
        name: "neighbours",
        what: "what a stream suffers from another that runs out of memory",
        run: neighbours::measure,
    },
    Measure { name: "idling", what: "what a host uses that has nothing to do (P9)", run: idling::measure },
];
