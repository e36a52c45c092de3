//! Holds the accounts of a run against each other, and names every contradiction.

use crate::history::{Attempt, Entry, History, Seen, Task, What};
use crate::kind::Kind;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What must hold of every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// What was acknowledged is there.
    NothingLost,
    /// Every task has ended, as tasks of its kind must.
    EndedRight,
    /// Of every task exactly one ending was accepted, and it is the last.
    OneEnding,
    /// No two attempts of a task were alive at once.
    NoOverlap,
    /// No attempt was started twice, and none ended before it began.
    RunsOnce,
    /// What was accepted was seen to run to its end, and what was seen to run is recorded.
    SeenAndRecorded,
    /// Fences of a task rise, and none was given out beyond the last.
    FencesRise,
    /// A result is of the task and of the attempt that it was accepted for.
    ResultOfItsAttempt,
    /// Whoever was told that a task is cancelled, or that its worker is asked to stop, was told the truth, and no task
    /// was cancelled that nobody asked it for.
    CancelledAsTold,
    /// Follow-up tasks are there exactly where the outcome that brought them is.
    FollowUps,
    /// What was told to be durable is there.
    ToldIsTrue,
    /// A task's counters say what its records say, and its records hang together.
    CountersAgree,
    /// No task was created twice, none came from nowhere, and none was refused.
    CreatedOnce,
    /// The database is sound, and every line is whole.
    Sound,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NothingLost,
        Self::EndedRight,
        Self::OneEnding,
        Self::NoOverlap,
        Self::RunsOnce,
        Self::SeenAndRecorded,
        Self::FencesRise,
        Self::ResultOfItsAttempt,
        Self::CancelledAsTold,
        Self::FollowUps,
        Self::ToldIsTrue,
        Self::CountersAgree,
        Self::CreatedOnce,
        Self::Sound,
    ];

    /// What a breach is called.
    pub const fn breach(self) -> &'static str {
        match self {
            Self::NothingLost => "lost: acknowledged and not there",
            Self::EndedRight => "not ended, or not as it must",
            Self::OneEnding => "not exactly one accepted ending",
            Self::NoOverlap => "two live attempts of one task",
            Self::RunsOnce => "an attempt started twice",
            Self::SeenAndRecorded => "accepted unseen, or seen unrecorded",
            Self::FencesRise => "a fence that did not rise",
            Self::ResultOfItsAttempt => "a result of another attempt",
            Self::CancelledAsTold => "cancelled otherwise than told",
            Self::FollowUps => "a follow-up too many or too few",
            Self::ToldIsTrue => "told to be durable and not there",
            Self::CountersAgree => "counters and records disagree",
            Self::CreatedOnce => "created twice, from nowhere, or refused",
            Self::Sound => "damage to the database or a torn line",
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Every breach, with what it is about.
    pub breaches: BTreeMap<Rule, Vec<String>>,
    /// What was counted on the way.
    pub counts: Counts,
}

/// Numbers of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that a producer tried to send.
    pub sent: usize,
    /// Tasks that were acknowledged.
    pub acknowledged: usize,
    /// Tasks that are there though no answer ever came.
    pub recovered: usize,
    /// Tasks that a result brought forth.
    pub follow_ups: usize,
    /// Tasks that were completed.
    pub completed: usize,
    /// Tasks that were given up, as they must be.
    pub poisoned: usize,
    /// Tasks that were cancelled.
    pub cancelled: usize,
    /// Of these, those that a worker was at work on.
    pub cancelled_at_work: usize,
    /// Attempts that a worker was seen to begin.
    pub runs: usize,
    /// Of these, those that were killed before their end.
    pub killed_in_mid_run: usize,
    /// Records of attempts whose host died.
    pub lost_attempts: usize,
    /// Settlements that hosts said are durable.
    pub told: usize,
}

impl Verdict {
    /// How often a rule was broken.
    pub fn of(&self, rule: Rule) -> usize {
        self.breaches.get(&rule).map_or(0, Vec::len)
    }

    /// Whether nothing contradicts anything.
    pub fn is_clean(&self) -> bool {
        self.breaches.is_empty()
    }

    /// Adds the breaches of another look at the same run, and takes over its counts.
    pub fn add(&mut self, other: Self) {
        for (rule, breaches) in other.breaches {
            self.breaches.entry(rule).or_default().extend(breaches);
        }
        self.counts = other.counts;
    }

    fn breach(&mut self, rule: Rule, what: impl Into<String>) {
        self.breaches.entry(rule).or_default().push(what.into());
    }
}

/// Judges a run that has come to its end: everything that was acknowledged must have ended.
pub fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::default();
    let view = View::of(history);
    for damage in &history.damage {
        verdict.breach(Rule::Sound, damage);
    }
    judge_books(&view, &mut verdict);
    judge_cancellations(&view, &mut verdict);
    judge_runs(&view, &mut verdict);
    for task in &history.tasks {
        judge_task(&view, task, &mut verdict);
    }
    judge_told(&view, &mut verdict);
    verdict
}

/// Judges a run that has been interrupted: nothing that was acknowledged, told or begun may be forgotten.
pub fn judge_so_far(history: &History) -> Verdict {
    let mut verdict = Verdict::default();
    let view = View::of(history);
    for damage in &history.damage {
        verdict.breach(Rule::Sound, damage);
    }
    judge_books(&view, &mut verdict);
    judge_told(&view, &mut verdict);
    // A claim is durable before its process is started.
    for (id, fence) in view.runs.keys() {
        if view.tasks.get(id).is_none_or(|task| task.fence < *fence) {
            verdict.breach(Rule::SeenAndRecorded, format!("{id}:{fence} ran and its claim is gone"));
        }
    }
    verdict
}

/// The accounts, sorted by what they are about.
struct View<'a> {
    history: &'a History,
    tasks: HashMap<&'a str, &'a Task>,
    attempts: HashMap<i64, Vec<&'a Attempt>>,
    children: HashMap<&'a str, usize>,
    runs: BTreeMap<(&'a str, i64), Vec<&'a Seen>>,
}

impl<'a> View<'a> {
    fn of(history: &'a History) -> Self {
        let mut view = Self {
            history,
            tasks: HashMap::new(),
            attempts: HashMap::new(),
            children: HashMap::new(),
            runs: BTreeMap::new(),
        };
        for task in &history.tasks {
            view.tasks.insert(&task.id, task);
            if let Some(parent) = &task.parent {
                *view.children.entry(parent).or_default() += 1;
            }
        }
        for attempt in &history.attempts {
            view.attempts.entry(attempt.seq).or_default().push(attempt);
        }
        for seen in &history.runs {
            view.runs.entry((&seen.id, seen.fence)).or_default().push(seen);
        }
        view
    }

    fn attempts_of(&self, task: &Task) -> &[&'a Attempt] {
        self.attempts.get(&task.seq).map_or(&[], Vec::as_slice)
    }

    fn attempt(&self, id: &str, fence: i64) -> Option<&'a Attempt> {
        let task = self.tasks.get(id)?;
        self.attempts_of(task).iter().find(|attempt| attempt.fence == fence).copied()
    }
}

fn judge_books(view: &View<'_>, verdict: &mut Verdict) {
    let mut sent: HashMap<&str, usize> = HashMap::new();
    let mut created: HashMap<&str, usize> = HashMap::new();
    let mut acknowledged: BTreeSet<&str> = BTreeSet::new();
    for entry in &view.history.books {
        match entry {
            Entry::Sent(id) => *sent.entry(id).or_default() += 1,
            Entry::Acknowledged(id, status) => {
                acknowledged.insert(id);
                match status.as_str() {
                    "created" => *created.entry(id).or_default() += 1,
                    // What is there already was sent before.
                    "existing" if sent.get(id.as_str()).is_some_and(|times| *times > 1) => {}
                    _ => verdict.breach(Rule::CreatedOnce, format!("{id} was answered with {status}")),
                }
            }
            Entry::Doomed(_) | Entry::Answered(..) => {}
        }
    }
    for (id, _) in created.iter().filter(|(_, times)| **times > 1) {
        verdict.breach(Rule::CreatedOnce, format!("{id} was created twice"));
    }
    for id in acknowledged.iter().filter(|id| !view.tasks.contains_key(*id)) {
        verdict.breach(Rule::NothingLost, *id);
    }
    for task in view.history.tasks.iter().filter(|task| task.parent.is_none()) {
        if !sent.contains_key(task.id.as_str()) {
            verdict.breach(Rule::CreatedOnce, format!("nobody sent {}", task.id));
        }
        verdict.counts.recovered += usize::from(!acknowledged.contains(task.id.as_str()));
    }
    if view.tasks.len() != view.history.tasks.len() {
        verdict.breach(Rule::CreatedOnce, "two tasks share an id");
    }
    verdict.counts.sent = sent.len();
    verdict.counts.acknowledged = acknowledged.len();
}

fn judge_cancellations(view: &View<'_>, verdict: &mut Verdict) {
    let mut asked_for: BTreeSet<&str> = BTreeSet::new();
    for entry in &view.history.books {
        match entry {
            Entry::Doomed(id) => drop(asked_for.insert(id)),
            Entry::Answered(id, status) => {
                let stage = view.tasks.get(id.as_str()).map(|task| task.stage);
                let is_true = match status.as_str() {
                    "cancelled" | "asked" => stage == Some(5),
                    "unchanged" => stage.is_some_and(|stage| stage >= 3),
                    _ => false,
                };
                if !is_true {
                    verdict.breach(Rule::CancelledAsTold, format!("{id}: {status}, stage {stage:?}"));
                }
            }
            Entry::Sent(_) | Entry::Acknowledged(..) => {}
        }
    }
    for task in view.history.tasks.iter().filter(|task| task.stage == 5) {
        if !asked_for.contains(task.id.as_str()) {
            verdict.breach(Rule::CancelledAsTold, format!("nobody asked for the end of {}", task.id));
        }
        verdict.counts.cancelled += 1;
        let at_work = view.attempts_of(task).iter().any(|attempt| attempt.stage == 5);
        verdict.counts.cancelled_at_work += usize::from(at_work);
    }
}

fn judge_runs(view: &View<'_>, verdict: &mut Verdict) {
    let mut last: Option<(&str, u64, i64)> = None;
    let mut spans: Vec<(&str, u64, Option<u64>, i64)> = Vec::new();
    for ((id, fence), lines) in &view.runs {
        let begins: Vec<&&Seen> = lines.iter().filter(|seen| seen.what != What::End).collect();
        let ends: Vec<&&Seen> = lines.iter().filter(|seen| seen.what == What::End).collect();
        let told = || format!("{id}:{fence}");
        for _ in begins.iter().filter(|seen| seen.what == What::Crowded) {
            verdict.breach(Rule::NoOverlap, format!("{} was not alone", told()));
        }
        let ([begin], true) = (begins.as_slice(), ends.len() <= 1) else {
            verdict
                .breach(Rule::RunsOnce, format!("{}: {} begins, {} ends", told(), begins.len(), ends.len()));
            continue;
        };
        let end = ends.first().map(|seen| seen.at);
        if ends.first().is_some_and(|end| end.at < begin.at || end.pid != begin.pid) {
            verdict.breach(Rule::RunsOnce, format!("{}: its end is not of its beginning", told()));
        }
        let record = view.attempt(id, *fence);
        if record.is_none() {
            verdict.breach(Rule::SeenAndRecorded, format!("{} ran and has no record", told()));
        }
        verdict.counts.runs += 1;
        verdict.counts.killed_in_mid_run += usize::from(
            end.is_none() && record.is_some_and(|it| ["lost", "interrupted"].contains(&it.outcome.as_str())),
        );
        spans.push((id, begin.at, end, *fence));
    }
    spans.sort_unstable();
    for (id, begin, end, fence) in spans {
        if let Some((before, until, other)) = last
            && before == id
        {
            if begin < until {
                verdict.breach(Rule::NoOverlap, format!("{id}: fences {other} and {fence}"));
            }
            if fence <= other {
                verdict.breach(Rule::FencesRise, format!("{id}: {fence} ran after {other}"));
            }
        }
        // Of one that was killed only the beginning is known; whether it was gone, its successor's lock tells.
        last = Some((id, end.unwrap_or(begin), fence));
    }
}

fn judge_task(view: &View<'_>, task: &Task, verdict: &mut Verdict) {
    let id = &task.id;
    let attempts = view.attempts_of(task);
    let Some(kind) = Kind::at_the_end_of(&task.task_type) else {
        return verdict.breach(Rule::EndedRight, format!("{id} is of the type {}", task.task_type));
    };
    let is_of_its_kind = task.parent.is_some() || Kind::at_the_end_of(id) == Some(kind);
    if !kind.may_end(task.stage, task.poison.as_deref()) || !is_of_its_kind {
        verdict.breach(Rule::EndedRight, format!("{id}: stage {}, poison {:?}", task.stage, task.poison));
    }
    let endings = attempts.iter().filter(|attempt| attempt.stage >= 3).count();
    let last = attempts.last();
    // What was cancelled while it waited has no attempt that could have ended it.
    let ended_waiting = task.stage == 5 && endings == 0;
    if !ended_waiting && (endings != 1 || last.is_none_or(|last| last.stage != task.stage)) {
        verdict.breach(Rule::OneEnding, format!("{id} has {endings}"));
    }
    let rises = attempts.is_sorted_by(|a, b| a.fence < b.fence);
    if !rises || last.is_some_and(|last| last.fence > task.fence) {
        verdict.breach(Rule::FencesRise, id);
    }
    judge_records(task, attempts, verdict);
    let succeeded = attempts.iter().find(|attempt| attempt.outcome == "succeeded");
    let fence = succeeded.map(|attempt| attempt.fence);
    if (task.stage == 3) != succeeded.is_some() {
        verdict.breach(Rule::EndedRight, format!("{id}: stage {}, succeeded as {fence:?}", task.stage));
    }
    if task.result_fence != fence || task.result_id.as_ref() != fence.map(|_| id) {
        verdict.breach(Rule::ResultOfItsAttempt, format!("{id}: {:?} for {fence:?}", task.result_fence));
    }
    // A host's word, a worker's own word: nothing counts that no worker was seen to bring to its end.
    for attempt in
        attempts.iter().filter(|attempt| ["succeeded", "failed"].contains(&attempt.outcome.as_str()))
    {
        let lines = view.runs.get(&(id.as_str(), attempt.fence));
        if !lines.is_some_and(|lines| lines.iter().any(|seen| seen.what == What::End)) {
            verdict.breach(Rule::SeenAndRecorded, format!("{id}:{} ended unseen", attempt.fence));
        }
    }
    let children = view.children.get(id.as_str()).copied().unwrap_or(0);
    if children != usize::from(kind == Kind::Parent && task.stage == 3) {
        verdict.breach(Rule::FollowUps, format!("{id} has {children}"));
    }
    verdict.counts.follow_ups += children;
    verdict.counts.completed += usize::from(task.stage == 3);
    verdict.counts.poisoned += usize::from(task.stage == 4);
    verdict.counts.lost_attempts += attempts.iter().filter(|it| it.outcome == "lost").count();
}

fn judge_records(task: &Task, attempts: &[&Attempt], verdict: &mut Verdict) {
    let of = |wanted: &[&str]| {
        let found = attempts.iter().filter(|attempt| wanted.contains(&attempt.outcome.as_str())).count();
        i64::try_from(found).unwrap_or(i64::MAX)
    };
    let counted = of(&["failed", "timed_out", "crashed", "protocol_error"]);
    let lost = of(&["lost"]);
    let uncounted = of(&["worker_broken", "deferred", "interrupted"]);
    if (counted, lost, uncounted) != (task.counted, task.lost, task.uncounted) {
        let told = (task.counted, task.lost, task.uncounted);
        verdict.breach(
            Rule::CountersAgree,
            format!("{}: {told:?} for {:?}", task.id, (counted, lost, uncounted)),
        );
    }
    let before = std::iter::once(None).chain(attempts.iter().map(|attempt| Some(attempt.fact)));
    let hangs = attempts.iter().zip(before).all(|(attempt, before)| attempt.previous == before);
    if !hangs || task.last_attempt != attempts.last().map(|last| last.fact) {
        verdict.breach(Rule::CountersAgree, format!("the records of {} do not hang together", task.id));
    }
}

fn judge_told(view: &View<'_>, verdict: &mut Verdict) {
    for told in &view.history.told {
        let next = |stage: i64| match stage {
            3 => "completed",
            4 => "poisoned",
            5 => "cancelled",
            _ => "pending",
        };
        let is_there = view
            .attempt(&told.id, told.fence)
            .is_some_and(|attempt| attempt.outcome == told.outcome && next(attempt.stage) == told.next);
        if !is_there {
            verdict.breach(Rule::ToldIsTrue, format!("{}:{} {}", told.id, told.fence, told.outcome));
        }
    }
    verdict.counts.told = view.history.told.len();
}
