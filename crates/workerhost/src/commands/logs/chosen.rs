//! Which attempt of a task is meant.

use super::printer::Label;
use wh_domain::attempt::AttemptRecord;
use wh_domain::id::{AttemptId, Fence, TaskId};
use wh_domain::task::TaskState;
use wh_ports::reader::Dossier;

/// An attempt by its number, as `show` tells it, or by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Number(u32),
    Id(String, Fence),
}

impl Wanted {
    /// Reads `N` or `ID:FENCE`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        let parts = text.rsplit_once(':').and_then(|(id, fence)| Some((id, fence.parse().ok()?)));
        let (id, fence) = parts.ok_or("is neither a number nor an attempt's id, such as order-4711:2")?;
        Ok(Self::Id(id.to_owned(), Fence(fence)))
    }
}

/// An attempt, with its record once it has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) fence: Fence,
    pub(super) attempt: u32,
    pub(super) record: Option<&'a AttemptRecord>,
}

impl Chosen<'_> {
    /// What its lines are labelled with.
    pub(super) fn label(&self, id: &TaskId) -> Label {
        let attempt_id = AttemptId { task: id.clone(), fence: self.fence };
        Label { id: id.to_string(), attempt_id: attempt_id.to_string(), attempt: self.attempt }
    }
}

/// All attempts that there are, first one first; the last one may be under way.
pub(super) fn attempts(dossier: &Dossier) -> Vec<Chosen<'_>> {
    let ended = |record| Chosen::of(record);
    let mut attempts: Vec<Chosen<'_>> = dossier.attempts.iter().map(ended).collect();
    let task = &dossier.task;
    if matches!(task.state, TaskState::Claimed { .. }) {
        let attempt = task.counters.attempts.saturating_add(1);
        attempts.push(Chosen { fence: task.fence, attempt, record: None });
    }
    attempts
}

impl<'a> Chosen<'a> {
    fn of(record: &'a AttemptRecord) -> Self {
        Self { fence: record.fence, attempt: record.attempt, record: Some(record) }
    }
}

/// The one that is meant; the last one if none was named, and of several with the same number.
pub(super) fn choose<'a>(dossier: &'a Dossier, wanted: Option<&Wanted>) -> Option<Chosen<'a>> {
    let attempts = attempts(dossier).into_iter().rev();
    let mut fitting = attempts.filter(|attempt| match wanted {
        None => true,
        Some(Wanted::Number(number)) => attempt.attempt == *number,
        Some(Wanted::Id(id, fence)) => dossier.task.id.as_str() == id && attempt.fence == *fence,
    });
    fitting.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_named_by_number_or_by_id_and_nothing_else() {
        assert_eq!(Wanted::parse("2"), Ok(Wanted::Number(2)));
        assert_eq!(Wanted::parse("a:b:3"), Ok(Wanted::Id("a:b".to_owned(), Fence(3))));
        for wrong in ["", "-1", "a", "a:", "a:x"] {
            assert!(Wanted::parse(wrong).is_err(), "{wrong}");
        }
    }
}
