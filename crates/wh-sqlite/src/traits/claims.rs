//! What a host does with tasks.

use crate::failure::Tried;
use crate::hosts::membership;
use crate::record;
use crate::steps::Verb;
use crate::store::SqliteStore;
use crate::tasks::claim::claim;
use crate::tasks::note::note;
use crate::tasks::settle::{Prepared, settle};
use crate::tasks::take_over::take_over;
use crate::views;
use std::sync::Arc;
use wh_domain::id::HostId;
use wh_ports::claims::{
    Claimed, Claims, Cursor, Heeded, Introduction, Lane, Membership, Note, Orphan, Settled, Settlement, Want,
    WorkerReport,
};
use wh_ports::store::{Answer, StoreError};

impl Claims for SqliteStore {
    fn join(&self, introduction: Introduction) -> Answer<'_, Membership> {
        Box::pin(async move {
            let (policy, slots) = (self.policy, self.slots.clone());
            let (slot, token) = self
                .write(Verb::Join, move |tx| membership::join(tx, &introduction, &policy, &slots))
                .await?;
            Ok(Membership { slot, token: Some(Arc::new(token)) })
        })
    }

    fn lanes(&self) -> Answer<'_, (u64, Vec<Lane>)> {
        Box::pin(self.read(views::counts::lanes))
    }

    fn claim(&self, host: HostId, wants: Vec<Want>, most: u32) -> Answer<'_, Claimed> {
        let blobs = self.blobs.clone();
        Box::pin(self.write(Verb::Claim, move |tx| {
            let member = membership::member(tx, &host)?;
            claim(tx, &member, &wants, most, &blobs)
        }))
    }

    fn renew(&self, host: HostId) -> Answer<'_, ()> {
        let policy = self.policy;
        Box::pin(self.write(Verb::Renew, move |tx| membership::renew(tx, &host, &policy)))
    }

    fn heed(&self, host: HostId, after: Cursor) -> Answer<'_, Heeded> {
        Box::pin(self.read(move |connection| views::heed::heed(connection, &host, after)))
    }

    fn note(&self, notes: Vec<Note>) -> Answer<'_, Vec<bool>> {
        let lasting = notes.iter().any(|note| note.checkpoint.is_some());
        let verb = if lasting { Verb::Note } else { Verb::Progress };
        Box::pin(self.write(verb, move |tx| notes.iter().map(|kept| note(tx, kept)).collect()))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> Answer<'_, Vec<Settled>> {
        Box::pin(async move {
            let prepared = self.prepare(settlements).await?;
            let (policy, blobs) = (self.policy, self.blobs.clone());
            self.write(Verb::Settle, move |tx| {
                prepared
                    .iter()
                    .map(|settlement| settle(tx, settlement, &policy, &blobs))
                    .collect::<Tried<Vec<_>>>()
            })
            .await
        })
    }

    fn take_over(&self, host: HostId, most: u32) -> Answer<'_, Vec<Orphan>> {
        let (policy, slots) = (self.policy, self.slots.clone());
        Box::pin(self.write(Verb::TakeOver, move |tx| {
            let reaper = membership::member(tx, &host)?;
            take_over(tx, &reaper, most, &policy, &slots)
        }))
    }

    fn report(&self, host: HostId, workers: Vec<WorkerReport>) -> Answer<'_, ()> {
        Box::pin(
            self.write(Verb::Report, move |tx| {
                membership::report(tx, &host, &record::write_reports(&workers)?)
            }),
        )
    }

    fn leave(&self, host: HostId) -> Answer<'_, ()> {
        Box::pin(self.write(Verb::Leave, move |tx| membership::leave(tx, &host)))
    }
}

impl SqliteStore {
    /// Moves large contents into blobs, on the thread for files.
    async fn prepare(&self, settlements: Vec<Settlement>) -> Result<Vec<Prepared>, StoreError> {
        let policy = self.policy;
        let prepare = move |settlements: Vec<Settlement>, blobs: &_| {
            settlements.into_iter().map(|settlement| Prepared::prepare(settlement, &policy, blobs)).collect()
        };
        if settlements.iter().any(|settlement| Prepared::is_large(settlement, &self.policy)) {
            self.files.ask(move |blobs| prepare(settlements, blobs)).await
        } else {
            prepare(settlements, &self.blobs)
        }
    }
}
