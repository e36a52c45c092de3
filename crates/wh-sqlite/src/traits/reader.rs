//! What people and other programs ask.

use crate::connection::READ_AT_MOST;
use crate::failure::Tried;
use crate::store::SqliteStore;
use crate::views;
use wh_domain::id::{LaneId, Seq, TaskId};
use wh_domain::task::Task;
use wh_ports::claims::Cursor;
use wh_ports::reader::{Backlog, Count, Dossier, Fact, Filter, HostView, Page, Reader, RecentAttempt};
use wh_ports::store::Answer;

impl Reader for SqliteStore {
    fn tasks(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Option<Task>>> {
        Box::pin(self.read(move |connection| {
            ids.iter().map(|id| views::tasks::by_id(connection, id)).collect::<Tried<Vec<_>>>()
        }))
    }

    fn tasks_by_seq(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<Option<Task>>> {
        Box::pin(self.read(move |connection| {
            seqs.iter().map(|seq| views::tasks::by_seq(connection, *seq)).collect::<Tried<Vec<_>>>()
        }))
    }

    fn dossier(&self, id: TaskId) -> Answer<'_, Option<Dossier>> {
        let blobs = self.blobs.clone();
        Box::pin(self.read(move |connection| views::tasks::dossier(connection, &id, &blobs)))
    }

    fn attempts_made(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<u32>> {
        Box::pin(self.survey(Some(READ_AT_MOST), move |connection| {
            seqs.iter().map(|seq| views::tasks::attempts_made(connection, *seq)).collect::<Tried<Vec<_>>>()
        }))
    }

    fn list(&self, filter: Filter) -> Answer<'_, Page> {
        Box::pin(self.survey(Some(READ_AT_MOST), move |connection| views::tasks::list(connection, &filter)))
    }

    fn counts(&self) -> Answer<'_, Vec<Count>> {
        Box::pin(self.survey(Some(READ_AT_MOST), views::counts::counts))
    }

    fn retrying(&self, lanes: Vec<LaneId>) -> Answer<'_, u64> {
        let (wall, now) = (self.clock.wall(), self.clock.instant());
        Box::pin(self.read(move |connection| views::counts::retrying(connection, &lanes, wall, now)))
    }

    fn backlog(&self, most: u32) -> Answer<'_, Vec<Backlog>> {
        let wall = self.clock.wall();
        Box::pin(self.read(move |connection| views::backlog::backlog(connection, most, wall)))
    }

    fn recent_attempts(&self, most: u32) -> Answer<'_, Vec<RecentAttempt>> {
        Box::pin(self.read(move |connection| views::tasks::recent_attempts(connection, most)))
    }

    fn facts(&self, after: Cursor, most: u32) -> Answer<'_, (Vec<Fact>, Cursor)> {
        Box::pin(self.read(move |connection| views::facts::facts(connection, after, most)))
    }

    fn latest(&self) -> Answer<'_, Cursor> {
        Box::pin(self.read(views::facts::latest))
    }

    fn hosts(&self) -> Answer<'_, Vec<HostView>> {
        let (slots, now) = (self.slots.clone(), self.clock.instant());
        Box::pin(self.read(move |connection| views::hosts::hosts(connection, &slots, now)))
    }
}
