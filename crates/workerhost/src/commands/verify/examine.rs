//! One worker's way through the cases.
//!
//! Each case is played by the supervisor's own trial and not by a runner: a runner sends whole tasks and tells what
//! they came to, while the cases send half tasks and judge bytes. Everything below is the same: program, variables,
//! descriptors, workspace, guardian.

use super::outside::Files;
use super::raw;
use super::report::Report;
use super::subject::Subject;
use super::verdict::Verdict;
use crate::exit::Exit;
use crate::failure::{Ended as CommandEnded, Failure};
use crate::moment::rfc3339;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use wh_domain::worker::Protocol;
use wh_ports::clock::Clock;
use wh_protocol::verify::{
    Act, CASES, Case, Ended, Expect, Finding, Input, Level, Observation, Sample, check,
};
use wh_sqlite::SystemClock;
use wh_supervisor::{RunnerOptions, Trial, Trials};

/// What is sent where no type is known: see the cases' own input.
const UNKNOWN_TYPE: &str = "workerhost.verify.unknown-type";

/// Takes a worker through the cases.
pub(super) struct Examiner {
    subject: Subject,
    cases: Vec<Case>,
    trials: Trials,
    workspace: Option<String>,
    created_at: String,
    /// Cases that send and do the same look at one trial from several sides.
    seen: Vec<((Input, Act), Observation)>,
    /// Where the trials take place; goes with this.
    ground: TempDir,
}

impl Examiner {
    /// Gets everything ready. `wanted` are the ids of cases; none is all.
    pub(super) fn new(
        mut subject: Subject,
        wanted: &[String],
        limit: Option<Duration>,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::of_io("try the worker", &error);
        let ground = tempfile::Builder::new().prefix("workerhost-verify-").tempdir().map_err(failed)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let created_at = rfc3339(clock.wall());
        let private = subject.private.iter().chain(&subject.data_dir).cloned().collect();
        let options = RunnerOptions { private, ..RunnerOptions::new(ground.path().to_owned(), clock) };
        let trials = Trials::new(options, subject.worker.clone()).map_err(failed)?;
        let workspace = trials.workspace().map_err(failed)?;
        subject.limit = limit.unwrap_or(subject.limit);
        let cases = CASES.iter().filter_map(|case| {
            let is_wanted = wanted.is_empty() || wanted.iter().any(|id| id == case.id);
            is_wanted.then(|| for_protocol(*case, subject.worker.protocol)).flatten()
        });
        let cases = cases.collect();
        Ok(Self { subject, cases, trials, workspace, created_at, seen: Vec::new(), ground })
    }

    /// Takes it through, and tells of each case as it ends.
    pub(super) async fn examine(mut self, report: &mut Report<'_>) -> CommandEnded {
        let mut exit = Exit::Ok;
        report.begin(&self.subject.title, self.cases.len())?;
        for case in std::mem::take(&mut self.cases) {
            report.working_on(&case);
            let observation = self.observe(&case).await?;
            let finding = self.judge(&case, &observation).err();
            if let (Ended::NotStarted(why), 0) = (&observation.ended, report.told()) {
                return Err(cannot_start(why));
            }
            if finding.is_some() && case.level == Level::Required {
                exit = Exit::WorkerFailed;
            }
            report.tell(Verdict { case, elapsed: observation.elapsed, finding })?;
        }
        report.end()?;
        Ok(exit)
    }

    async fn observe(&mut self, case: &Case) -> Result<Observation, Failure> {
        let key = (case.input, case.act);
        if let Some((_, observation)) = self.seen.iter().find(|(known, _)| *known == key) {
            return Ok(observation.clone());
        }
        let trial = Trial {
            task_type: match case.input {
                Input::UnknownType => UNKNOWN_TYPE.to_owned(),
                _ => self.subject.task_type.clone(),
            },
            stdin: self.stdin(case)?,
            act: case.act,
            limit: match case.act {
                Act::Terminate { .. } => self.subject.worker.timeout.grace,
                Act::Wait | Act::SoftTimeout => self.subject.limit,
            },
        };
        let look = || {
            let spared = [Some(self.ground.path()), self.subject.data_dir.as_deref()];
            Files::below(&self.subject.worker.program.directory, &spared)
        };
        let before = look();
        let mut observation =
            self.trials.run(trial).await.map_err(|error| Failure::of_io("try the worker", &error))?;
        observation.written_outside = before.changed(&look());
        self.seen.push((key, observation.clone()));
        Ok(observation)
    }

    fn sample(&self) -> Sample<'_> {
        Sample {
            task_type: &self.subject.task_type,
            params: &self.subject.params,
            created_at: &self.created_at,
            workspace: self.workspace.as_deref(),
        }
    }

    fn stdin(&self, case: &Case) -> Result<Option<Vec<u8>>, Failure> {
        if case.input == Input::HeldOpen {
            return Ok(None);
        }
        if self.subject.worker.protocol == Protocol::Raw {
            return Ok(Some(raw::stdin(case, &self.subject.params)));
        }
        let bytes = case.stdin(&self.sample());
        bytes.map(Some).map_err(|error| Failure::usage(format!("--params: {error}")))
    }

    fn judge(&self, case: &Case, observation: &Observation) -> Result<(), Finding> {
        if self.subject.worker.protocol == Protocol::Raw && case.expect == Expect::Success {
            return raw::check(&self.subject.params, observation);
        }
        check(case, &self.sample(), observation)
    }
}

/// The case as it is for a worker of this protocol; `None` where it has nothing to say to it.
fn for_protocol(case: Case, protocol: Protocol) -> Option<Case> {
    match protocol {
        Protocol::Json => Some(case),
        // What others should not do, the host does not let these do.
        Protocol::Strict if case.expect == Expect::OnlyTheResult => {
            Some(Case { level: Level::Required, ..case })
        }
        Protocol::Strict => Some(case),
        Protocol::Raw => raw::APPLICABLE.contains(&case.id).then_some(case),
    }
}

fn cannot_start(why: &str) -> Failure {
    Failure::new(Exit::WorkerFailed, format!("the worker cannot be started: {why}"))
        .help("check the command, its path and its interpreter; no case was run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_cases() {
        let of = |protocol| CASES.iter().filter_map(move |case| for_protocol(*case, protocol));
        assert_eq!(of(Protocol::Json).count(), CASES.len());
        let stray = |case: &Case| case.id == "stray-output";
        assert!(of(Protocol::Json).any(|case| stray(&case) && case.level == Level::Recommended));
        assert!(of(Protocol::Strict).any(|case| stray(&case) && case.level == Level::Required));
        assert_eq!(of(Protocol::Raw).count(), raw::APPLICABLE.len(), "each is the id of a case");
    }

    #[test]
    fn the_type_that_nobody_knows_is_the_one_that_is_sent() {
        let sample = Sample { task_type: "t", params: "{}", created_at: "", workspace: None };
        let sent = Case::of("unknown-type").unwrap().stdin(&sample).unwrap();
        assert!(String::from_utf8(sent).unwrap().contains(&format!("\"type\":\"{UNKNOWN_TYPE}\"")));
    }
}
