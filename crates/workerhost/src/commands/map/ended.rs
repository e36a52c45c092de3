//! How an input ended, and what is printed of it.

use super::input::Identity;
use crate::exit::Exit as CommandExit;
use crate::failure::Failure;
use crate::json::{Mapped, mapped_line};
use crate::standing::standing;
use wh_domain::attempt::{AttemptRecord, OutcomeName};
use wh_domain::exit::Exit;
use wh_domain::task::{Payload, StateName};
use wh_ports::blobs::Stored;
use wh_ports::reader::Dossier;

/// How an input ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) state: StateName,
    /// Of the last attempt, like all that follows.
    pub(super) outcome: Option<OutcomeName>,
    pub(super) exit: Option<Exit>,
    pub(super) attempt: u32,
    pub(super) sentence: Box<str>,
    /// And whether it was cut short.
    pub(super) result: Option<(Stored, bool)>,
}

impl Ended {
    /// As the host tells it of a task that was completed.
    pub(super) fn completed(record: &AttemptRecord, result: Payload) -> Self {
        Self {
            state: StateName::Completed,
            outcome: Some(record.outcome),
            exit: record.exit.clone(),
            attempt: record.attempt,
            sentence: record.sentence.clone(),
            result: Some((Stored::Inline(result), false)),
        }
    }

    /// As the store keeps it; `None` for a task that has not ended.
    pub(super) fn kept(dossier: Dossier) -> Option<Self> {
        let state = dossier.task.state.name();
        let last = dossier.attempts.last();
        state.has_ended().then(|| Self {
            state,
            outcome: last.map(|record| record.outcome),
            exit: last.and_then(|record| record.exit.clone()),
            attempt: last.map_or(0, |record| record.attempt),
            sentence: standing(&dossier.task, last, None).into(),
            result: dossier.result,
        })
    }

    /// The bytes of its result.
    pub(super) fn bytes(&self) -> usize {
        match &self.result {
            Some((Stored::Inline(payload), _)) => payload.bytes().len(),
            Some((Stored::Blob { .. }, _)) | None => 0,
        }
    }

    /// What goes to where results go: an object, or the result itself with a newline if it lacks one. Nothing for an
    /// input without a result, unless it is an object.
    pub(super) fn data(&self, identity: &Identity, json: bool) -> Result<Vec<u8>, Failure> {
        if json {
            return mapped_line(&self.object(identity));
        }
        let (Some((result, _)), StateName::Completed) = (&self.result, self.state) else {
            return Ok(Vec::new());
        };
        let mut bytes = match result {
            Stored::Inline(payload) => payload.bytes().to_vec(),
            Stored::Blob { path, .. } => std::fs::read(path)
                .map_err(|error| Failure::of_io(&format!("read the result {}", path.display()), &error))?,
        };
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    fn object(&self, identity: &Identity) -> Mapped<'_> {
        Mapped {
            index: identity.index,
            digest: identity.digest.to_string(),
            state: self.state,
            outcome: self.outcome,
            exit: self.exit.as_ref(),
            attempt: self.attempt,
            sentence: &self.sentence,
            result: self.result.as_ref(),
        }
    }

    /// What is told of an input without a result.
    pub(super) fn complaint(&self, index: u64) -> Option<String> {
        (self.state != StateName::Completed).then(|| format!("line {index}: {}", self.sentence))
    }
}

/// What the end of an input means for the exit code.
pub(super) fn exit_of(state: StateName) -> CommandExit {
    match state {
        StateName::Poisoned => CommandExit::Poisoned,
        StateName::Cancelled => CommandExit::Cancelled,
        StateName::Pending | StateName::Claimed | StateName::Completed => CommandExit::Ok,
    }
}
