//! `docs/lifecycle.md` is written from the rules, so that it cannot say anything else.

use crate::lifecycle::every_outcome;
use crate::samples::{DICE, With, ended, error, history, in_words, left, policy};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use wh_domain::ending::{
    Ending, Exit, ExitTable, Hindrance, Report, ReportedError, Stop, Verdict, judge, judge_hindered,
};
use wh_domain::lifecycle::{Next, Wait, after_attempt};
use wh_domain::outcome::{Outcome, RetryAfter};
use wh_domain::retry::RetryPolicy;
use wh_domain::task::{Counters, PoisonReason};

const TOP: &str = "\
<!-- Written by `WH_BLESS=1 cargo test -p wh-domain the_page_of_the_lifecycle`; change the rules, not the page. -->
# The life of a task

A task waits (*pending*), is carried by a host (*claimed*), and ends as *completed*, *poisoned* or *cancelled*. What
happens after an attempt is chosen by one function, `wh_domain::lifecycle::after_attempt`; what the end of an attempt
means is read by one other, `wh_domain::ending::judge`. This page is written from both.

";

const ENDINGS: &str = "\
## How an attempt ended, and what that means

Of two that disagree, the one that says *no retry* wins. *Counts as* is what the ending adds to the task's counters.

| ending | outcome | counts as | told as |
|---|---|---|---|
";

const STOPS: &str = "\
## What an ending means that the host asked for

| why the host asked | outcome | counts as | told as |
|---|---|---|---|
";

const CAPS: &str = "\
## Counters and caps

The ending that brings a counter to its cap poisons the task. A person's `retry` sets all counters to zero. The caps
below are the defaults; each has a key under `retry:`, and a task may bring its own `max_attempts`.

| counter | cap | poisoned as | then |
|---|---|---|---|
";

const WAITS: &str = "\
## How long a task waits

`base × factor^(n − 1)`, at most `max`. With jitter (the default) the wait is drawn from nothing up to the time shown.

";

#[test]
fn the_page_of_the_lifecycle_says_what_the_rules_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lifecycle.md");
    let page = page();
    if std::env::var_os("WH_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, page, "write it anew: WH_BLESS=1 cargo test -p wh-domain the_page_of_the_lifecycle");
}

fn page() -> String {
    [TOP, &diagram(), ENDINGS, &endings(), STOPS, &stops(), CAPS, &caps(), WAITS, &waits(), &reasons()]
        .concat()
}

/// A state as one word, with the words of the outcomes that lead to it.
fn diagram() -> String {
    let spent = Counters {
        attempts: 2,
        lost: 4,
        worker_broken: 9,
        deferrals: 99,
        interruptions: 99,
        ..Counters::default()
    };
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for before in [Counters::default(), spent] {
        for outcome in every_outcome() {
            let next = after_attempt(&history(before), &policy(), outcome, DICE).next;
            arrows.entry(state(next)).or_default().insert(outcome.name().as_str());
        }
    }
    let mut text = "```mermaid\nstateDiagram-v2\n    [*] --> pending: enqueued\n    pending --> claimed: claimed by a host\n".to_owned();
    for (to, outcomes) in arrows {
        let words: Vec<&str> = outcomes.into_iter().collect();
        let cap = if to == "poisoned" { ", at a cap or final" } else { "" };
        writeln!(text, "    claimed --> {to}: {}{cap}", words.join(", ")).unwrap();
    }
    text + "    pending --> cancelled: a person's wish\n    claimed --> cancelled: a person's wish, after any outcome\n    \
            poisoned --> pending: a person's retry\n    cancelled --> pending: a person's retry\n```\n\n"
}

fn state(next: Next) -> &'static str {
    match next {
        Next::Pending { .. } => "pending",
        Next::Completed => "completed",
        Next::Poisoned(_) => "poisoned",
        Next::Cancelled => "cancelled",
    }
}

fn endings() -> String {
    let says = |change: fn(&mut ReportedError)| {
        let mut said = error();
        change(&mut said);
        said
    };
    let fatal = says(|it| it.retry_possible = Some(false));
    let later = says(|it| it.retry_after = Some(RetryAfter::In(Duration::from_secs(30))));
    let rows: Vec<(&str, Ending)> = vec![
        ("exit 0 with `success: true`", left(0).success()),
        ("exit 0 without an envelope (`protocol: raw`)", left(0).raw()),
        ("exit 0 with `success: false`", left(0).failure(error())),
        ("exit 0 without a result", left(0)),
        ("exit 1, or any code not named here", left(1)),
        ("exit 1 with `success: false`", left(1).failure(error())),
        ("exit 1 with `retry_possible: false`", left(1).failure(fatal)),
        ("exit 2, 64, 65", left(2)),
        ("exit 3, 124", left(3)),
        ("exit 75", left(75)),
        ("any exit but 3 and 124 with `retry_after`, where a retry may help", left(1).failure(later)),
        ("exit 126 with its input unread", left(126).unread()),
        ("exit 127 with its input unread", left(127).unread()),
        ("exit 78 with its input unread", left(78).unread()),
        ("exit 2 with its input unread and no report, with an envelope", left(2).unread()),
        ("exit 126, 127 with its input read", left(127)),
        ("exit 78 with its input read", left(78)),
        ("exit 130, 143 with no signal of the host's", left(143)),
        ("any exit but 0 with `success: true`", left(1).success()),
        ("a signal that the host did not send", ended(Exit::Signal(11))),
        ("out of memory", ended(Exit::Signal(9)).out_of_memory()),
    ];
    let hindered = [
        ("it could not be started", Hindrance::Worker("its interpreter does not exist".into())),
        (
            "what the task brings cannot be given to it",
            Hindrance::Task("its params are bytes, which only `protocol: raw` takes".into()),
        ),
        (
            "the host had no room for it",
            Hindrance::Host("there is no space left on the disk (ENOSPC)".into()),
        ),
    ];
    let rows = rows.iter().map(|(name, ending)| row(name, ending));
    let hindered = hindered.iter().map(|(name, hindrance)| told(name, &judge_hindered(hindrance)));
    rows.chain(hindered).chain([row("nobody saw its end", &ended(Exit::Unseen)), "\n".to_owned()]).collect()
}

fn stops() -> String {
    let name = |stop| match stop {
        Stop::Timeout => "its time limit",
        Stop::Stall => "no sign of life for `stall_after`",
        Stop::Cancel => "a person's wish",
        Stop::Drain => "the host goes down",
        Stop::LeaseLost => "the host lost its claim",
        Stop::Output => "it wrote more than it may",
        Stop::Limit => "its files reached a limit",
    };
    let mut rows: String =
        Stop::ALL.into_iter().map(|stop| row(name(stop), &ended(Exit::Signal(15)).stopped(stop))).collect();
    let done = Ending { report: Some(Report::Success), ..left(0) }.stopped(Stop::Drain);
    rows += &row("the host goes down, and the worker finished all the same", &done);
    rows + "\n"
}

fn row(name: &str, ending: &Ending) -> String {
    told(name, &judge(ending, &ExitTable::default()))
}

fn told(name: &str, verdict: &Verdict) -> String {
    format!(
        "| {name} | {} | {} | {} |\n",
        in_words(&verdict.outcome),
        counted(verdict.outcome),
        verdict.sentence
    )
}

/// The counters that an outcome adds to.
fn counted(outcome: Outcome) -> String {
    let after = after_attempt(&history(Counters::default()), &policy(), outcome, DICE).counters;
    let names: Vec<&str> =
        named(&after).into_iter().filter(|(_, value)| *value > 0).map(|(name, _)| name).collect();
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}

fn named(counters: &Counters) -> [(&'static str, u32); 7] {
    let Counters { attempts, crashes, timeouts, lost, worker_broken, deferrals, interruptions } = *counters;
    [
        ("attempts", attempts),
        ("crashes", crashes),
        ("timeouts", timeouts),
        ("lost", lost),
        ("worker_broken", worker_broken),
        ("deferrals", deferrals),
        ("interruptions", interruptions),
    ]
}

fn caps() -> String {
    let RetryPolicy {
        max_attempts,
        max_crashes,
        max_timeouts,
        max_lost,
        max_worker_broken,
        max_deferrals,
        max_interruptions,
        backoff: _,
        on_lost: _,
    } = RetryPolicy::default();
    let failed = Outcome::Failed { class: wh_domain::failure::FailureClass::Transient, retriable: true };
    let rows = [
        ("attempts", max_attempts, PoisonReason::Attempts, failed),
        ("crashes", max_crashes, PoisonReason::Crashes, Outcome::Crashed),
        ("timeouts", max_timeouts, PoisonReason::Timeouts, Outcome::TimedOut { retriable: true }),
        ("lost", max_lost, PoisonReason::Lost, Outcome::Lost),
        ("worker_broken", max_worker_broken, PoisonReason::WorkerBroken, Outcome::WorkerBroken),
        ("deferrals", max_deferrals, PoisonReason::Deferrals, Outcome::Deferred(None)),
        ("interruptions", max_interruptions, PoisonReason::Interruptions, Outcome::Interrupted),
    ];
    let line = |(counter, cap, reason, outcome): (&str, u32, PoisonReason, Outcome)| {
        format!("| {counter} | {cap} | `{}` | {} |\n", reason.as_str(), below_the_cap(outcome))
    };
    rows.map(line).concat() + "\n"
}

/// What becomes of a task while the cap is not reached.
fn below_the_cap(outcome: Outcome) -> &'static str {
    let once = after_attempt(&history(Counters::default()), &policy(), outcome, DICE);
    let twice = after_attempt(&history(once.counters), &policy(), outcome, DICE);
    match once.next {
        Next::Pending { wait: Wait::Now, .. } if twice.next == once.next => "tried again at once",
        Next::Pending { wait: Wait::Now, .. } => "tried again at once, then after a wait that grows",
        Next::Pending { .. } => "tried again after a wait",
        Next::Completed | Next::Poisoned(_) | Next::Cancelled => "ended",
    }
}

fn waits() -> String {
    let exact = policy().backoff;
    let (head, line, cells) = (1..=8_u32).fold(
        ("| n |".to_owned(), "|---|".to_owned(), "| seconds |".to_owned()),
        |(head, line, cells), n| {
            (format!("{head} {n} |"), line + "---|", format!("{cells} {} |", exact.wait(n, DICE).as_secs()))
        },
    );
    let least = RetryAfter::LEAST.as_millis();
    format!(
        "{head}\n{line}\n{cells}\n\nA deferral waits as long as the worker asked, but at least {least} ms.\n\n"
    )
}

fn reasons() -> String {
    let mut text = "## Why a task was given up\n\n| reason | in words |\n|---|---|\n".to_owned();
    for reason in PoisonReason::ALL {
        writeln!(text, "| `{}` | {} |", reason.as_str(), reason.sentence()).unwrap();
    }
    text
}
