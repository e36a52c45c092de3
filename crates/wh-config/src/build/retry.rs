//! How often a worker's tasks are tried, and what its exit codes mean.

use crate::report::Report;
use crate::value::{Block, Sense, Value};
use std::collections::BTreeMap;
use wh_domain::ending::{ExitTable, Meaning};
use wh_domain::retry::{Backoff, Jitter, OnLost, RetryPolicy};

/// `attempts` under `retry` is another name of the worker's `max_attempts`; only the latter is left.
pub(super) fn unite_attempts(worker: &mut Block, report: &mut Report) {
    let Some(inner) = worker.inner_mut("retry").first_mut().and_then(|retry| retry.take("attempts")) else {
        return;
    };
    if !worker.is_given("max_attempts") {
        worker.take("max_attempts");
        worker.set("max_attempts", inner);
        return;
    }
    let same = matches!((worker.leaf("max_attempts"), &inner.value),
        (Some(outer), Value::Leaf(inner)) if outer.sense == inner.sense);
    if !same {
        report.error(
            inner.at,
            "`retry.attempts` and `max_attempts` of the worker say different numbers",
            "they are names of the same thing: keep one, best `max_attempts`",
        );
    }
}

pub(super) fn retry(worker: &Block, report: &mut Report) -> Option<RetryPolicy> {
    let block = worker.block("retry")?;
    let backoff = Backoff {
        base: block.time("base")?,
        factor: block.count("factor")?,
        max: block.time("max")?,
        jitter: if block.word("jitter")? == "none" { Jitter::None } else { Jitter::Full },
    };
    if backoff.base > backoff.max {
        report.error(
            block.at(if block.is_given("base") { "base" } else { "max" }),
            "`retry.base` is longer than `retry.max`",
            "write for example `retry: {base: 1s, max: 1m}`",
        );
        return None;
    }
    Some(RetryPolicy {
        max_attempts: worker.count("max_attempts")?,
        max_crashes: block.count("crashes")?,
        max_timeouts: block.count("timeouts")?,
        max_lost: block.count("lost")?,
        max_worker_broken: block.count("worker_broken")?,
        max_deferrals: block.count("deferrals")?,
        max_interruptions: block.count("interruptions")?,
        backoff,
        on_lost: if worker.word("on_lost")? == "fail" { OnLost::Fail } else { OnLost::Retry },
    })
}

pub(super) fn exit_codes(worker: &Block, report: &mut Report) -> Option<ExitTable> {
    let mut exceptions = BTreeMap::new();
    for (code, meaning) in worker.map("exit_codes") {
        let Ok(number) = code.text.parse::<u8>() else {
            report.error(
                code.at,
                format!("{} is no exit code", code.quoted()),
                "write a number from 0 to 255, for example `exit_codes: {1: succeeded}`",
            );
            continue;
        };
        if let Sense::Word(word) = meaning.sense
            && let Some(meaning) = Meaning::parse(word)
            && exceptions.insert(number, meaning).is_some_and(|earlier| earlier != meaning)
        {
            report.error(
                code.at,
                format!("the exit code {number} has two meanings here"),
                "keep one of the two lines",
            );
        }
    }
    Some(ExitTable { exceptions, unknown_is_final: worker.word("on_unknown_exit")? == "fail" })
}
