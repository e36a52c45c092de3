//! What people and other programs ask.

use super::MemoryStore;
use super::faults::Verb;
use super::ledger::{Entry, Ledger, Now};
use super::row::Row;
use std::collections::BTreeMap;
use std::ops::Bound;
use wh_domain::id::{Fence, LaneId, Seq, TaskId, TaskType};
use wh_domain::priority::Rank;
use wh_domain::task::{Task, TaskState};
use wh_domain::time::Timestamp;
use wh_ports::answer::Answer;
use wh_ports::claims::Cursor;
use wh_ports::reader::{Backlog, Count, Dossier, Fact, Filter, HostView, Page, Reader, RecentAttempt};

/// The length of a page, if none is asked for.
const PAGE: u32 = 100;
/// The longest page.
const LONGEST_PAGE: u32 = 10_000;

impl Reader for MemoryStore {
    fn tasks(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Option<Task>>> {
        self.answer(Verb::Read, move |ledger, _| {
            Ok(ids.iter().map(|id| ledger.row_of(id).map(|row| row.task.clone())).collect())
        })
    }

    fn tasks_by_seq(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<Option<Task>>> {
        self.answer(Verb::Read, move |ledger, _| {
            Ok(seqs.iter().map(|seq| ledger.rows.get(seq).map(|row| row.task.clone())).collect())
        })
    }

    fn dossier(&self, id: TaskId) -> Answer<'_, Option<Dossier>> {
        self.answer(Verb::Read, move |ledger, _| Ok(ledger.row_of(&id).cloned().map(dossier)))
    }

    fn attempts_made(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<u32>> {
        self.answer(Verb::Read, move |ledger, _| {
            let made = |seq: &Seq| ledger.rows.get(seq).map_or(0, |row| row.attempts.len());
            Ok(seqs.iter().map(|seq| u32::try_from(made(seq)).unwrap_or(u32::MAX)).collect())
        })
    }

    fn list(&self, filter: Filter) -> Answer<'_, Page> {
        self.answer(Verb::Read, move |ledger, _| Ok(ledger.list(&filter)))
    }

    fn counts(&self) -> Answer<'_, Vec<Count>> {
        self.answer(Verb::Read, |ledger, _| {
            let mut counts = BTreeMap::new();
            for row in ledger.rows.values() {
                *counts.entry((row.task.task_type.clone(), row.state())).or_insert(0) += 1;
            }
            Ok(counts
                .into_iter()
                .map(|((task_type, state), tasks)| Count { task_type, state, tasks })
                .collect())
        })
    }

    fn retrying(&self, lanes: Vec<LaneId>) -> Answer<'_, u64> {
        self.answer(Verb::Read, move |ledger, now| {
            let waits = |row: &&Row| match row.task.state {
                TaskState::Pending { due, waiting_for: Some(_) } => !row.ready && !ledger.has_come(due, now),
                _ => false,
            };
            let waiting = ledger.rows.values().filter(|row| lanes.contains(&row.lane)).filter(waits).count();
            Ok(u64::try_from(waiting).unwrap_or(u64::MAX))
        })
    }

    fn backlog(&self, most: u32) -> Answer<'_, Vec<Backlog>> {
        self.answer(Verb::Read, move |ledger, now| Ok(ledger.backlog(most, now)))
    }

    fn recent_attempts(&self, most: u32) -> Answer<'_, Vec<RecentAttempt>> {
        self.answer(Verb::Read, move |ledger, _| Ok(ledger.recent_attempts(most)))
    }

    fn facts(&self, after: Cursor, most: u32) -> Answer<'_, (Vec<Fact>, Cursor)> {
        self.answer(Verb::Read, move |ledger, _| Ok(ledger.facts(after, most)))
    }

    fn latest(&self) -> Answer<'_, Cursor> {
        self.answer(Verb::Read, |ledger, _| Ok(Cursor(ledger.last_entry())))
    }

    fn hosts(&self) -> Answer<'_, Vec<HostView>> {
        self.answer(Verb::Read, |ledger, now| {
            let views = ledger.members.views(now.instant).map(|(member, alive)| HostView {
                host: member.introduction.host.clone(),
                name: member.introduction.name.clone(),
                pid: member.introduction.pid,
                version: member.introduction.version.clone(),
                joined_at: member.joined_at,
                alive,
                workers: member.workers.clone(),
            });
            Ok(views.collect())
        })
    }
}

/// The pending tasks of a type.
#[derive(Default)]
struct Line {
    /// Their places in line, and when they were due.
    due: Vec<(Rank, Seq, Timestamp)>,
    later: u64,
}

impl Ledger {
    fn list(&self, filter: &Filter) -> Page {
        let most = if filter.most == 0 { PAGE } else { filter.most.min(LONGEST_PAGE) };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let older = (Bound::Unbounded, filter.before.map_or(Bound::Unbounded, Bound::Excluded));
        let is_asked_for = |row: &&Row| {
            (filter.states.is_empty() || filter.states.contains(&row.state()))
                && filter.task_type.as_ref().is_none_or(|task_type| row.task.task_type == *task_type)
        };
        let rows = self.rows.range::<Seq, _>(older).rev().map(|(_, row)| row).filter(is_asked_for);
        let mut tasks: Vec<Task> = rows.take(most.saturating_add(1)).map(|row| row.task.clone()).collect();
        let more = tasks.len() > most;
        tasks.truncate(most);
        let next = tasks.last().map(|task| task.seq).filter(|_| more);
        Page { tasks, next }
    }

    fn backlog(&self, most: u32, now: Now) -> Vec<Backlog> {
        let mut lines: BTreeMap<TaskType, Line> = BTreeMap::new();
        for row in self.rows.values() {
            let TaskState::Pending { due, .. } = row.task.state else { continue };
            let Line { due: line, later } = lines.entry(row.task.task_type.clone()).or_default();
            if row.ready || due.at <= now.wall {
                line.push((row.rank, row.task.seq, due.at.max(row.task.created_at)));
            } else {
                *later += 1;
            }
        }
        let told = |(task_type, line): (TaskType, Line)| Backlog {
            task_type,
            due: u64::from(most).min(line.due.len() as u64),
            since: line.due.iter().min().map(|(_, _, due)| *due),
            later: line.later.min(most.into()),
        };
        lines.into_iter().map(told).collect()
    }

    fn recent_attempts(&self, most: u32) -> Vec<RecentAttempt> {
        let settled = self.entries.values().rev().filter_map(|entry| match entry {
            Entry::Fact(Fact::Settled { seq, fence, .. }) => Some((seq, fence)),
            Entry::Fact(_) | Entry::Resume(_) => None,
        });
        let attempt = |(seq, fence): (&Seq, &Fence)| {
            let row = self.rows.get(seq)?;
            let record = row.attempts.iter().find(|attempt| attempt.fence == *fence)?.clone();
            Some(RecentAttempt { task: row.task.id.clone(), task_type: row.task.task_type.clone(), record })
        };
        settled.filter_map(attempt).take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
    }

    fn facts(&self, after: Cursor, most: u32) -> (Vec<Fact>, Cursor) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut facts = Vec::new();
        let mut cursor = after;
        for (no, entry) in self.entries.range(after.0.saturating_add(1)..) {
            if facts.len() == most {
                break;
            }
            cursor = Cursor(*no);
            match entry {
                Entry::Fact(fact) => facts.push(fact.clone()),
                Entry::Resume(_) => {}
            }
        }
        (facts, cursor)
    }
}

fn dossier(row: Row) -> Dossier {
    Dossier {
        task: row.task,
        params: row.params,
        metadata: row.metadata,
        inputs: row.inputs,
        traceparent: row.traceparent,
        result: row.result,
        checkpoint: row.checkpoint,
        progress: row.progress,
        attempts: row.attempts,
    }
}
