//! The workers of a host: scripts drawn for each attempt, and somebody who tells the judge what they do.

use crate::judge::expected_result;
use crate::plan::{one_in, pick};
use crate::sabotage::Sabotage;
use crate::shared::Shared;
use crate::workers::{TYPES, task_type};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use wh_domain::attempt::{OutcomeName, Progress, RetryAfter};
use wh_domain::ending::{Ending, Exit, Fault, Report, ReportedError, Stop};
use wh_domain::id::{AttemptId, Fence, HostId, Seq, TaskId, UniqueKey};
use wh_domain::task::Payload;
use wh_ports::clock::Clock;
use wh_ports::runner::{Assignment, Finished, FollowUp, Listener, Order, Runner, Said};
use wh_ports::store::BoxFuture;
use wh_testkit::script::{Script, ScriptedRunner};

/// What an attempt may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Succeed,
    SucceedSlowly,
    BringForth,
    Fail,
    FailForGood,
    Crash,
    RunOutOfTime,
    GiveUpInTime,
    DeferAtOnce,
    DeferFor,
    DeferUntil,
    TalkNonsense,
    LoseItsGuardian,
    LeaveUnread,
    LeaveACheckpoint,
    GetStuck,
}

impl Part {
    pub(crate) const ALL: [Self; 16] = [
        Self::Succeed,
        Self::SucceedSlowly,
        Self::BringForth,
        Self::Fail,
        Self::FailForGood,
        Self::Crash,
        Self::RunOutOfTime,
        Self::GiveUpInTime,
        Self::DeferAtOnce,
        Self::DeferFor,
        Self::DeferUntil,
        Self::TalkNonsense,
        Self::LoseItsGuardian,
        Self::LeaveUnread,
        Self::LeaveACheckpoint,
        Self::GetStuck,
    ];

    /// Without it nothing would ever come to a good end.
    pub(crate) fn is_vital(self) -> bool {
        self == Self::Succeed
    }
}

/// The workers of one host.
pub(crate) struct Troupe {
    shared: Arc<Shared>,
    host: HostId,
    runner: ScriptedRunner,
    /// How often the processes of the dead could not be ended.
    resisted: Mutex<BTreeMap<HostId, usize>>,
}

impl Troupe {
    pub(crate) fn new(shared: &Arc<Shared>, seat: usize, host: HostId) -> Self {
        let of = Arc::clone(shared);
        let clock: Arc<dyn Clock> = Arc::<wh_testkit::clock::FakeClock>::clone(&shared.clock);
        let runner = ScriptedRunner::new(clock, shared.witness.clone(), move |it| script(&of, seat, it));
        Self { shared: Arc::clone(shared), host, runner, resisted: Mutex::default() }
    }

    /// Whether the processes of so many attempts of the dead cannot be ended this time: up to ten times, depending on
    /// nothing but their number.
    fn resist(&self, dead: &HostId, attempts: usize) -> bool {
        let mut resisted = self.resisted.lock().unwrap();
        let times = resisted.entry(dead.clone()).or_default();
        *times += 1;
        *times < attempts * 4 % 11
    }
}

/// Tells the judge that an attempt is over, however it goes: also when its host does.
struct Presence {
    shared: Arc<Shared>,
    host: HostId,
    key: (Seq, Fence),
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.shared.judge().ended(&self.host, self.key, false);
        let (seq, fence) = self.key;
        self.shared.trace(format_args!("{} has nothing left of {}:{fence}", self.host, seq.0));
    }
}

impl Runner for Troupe {
    fn run(
        &self,
        assignment: Assignment,
        mut orders: mpsc::Receiver<Order>,
        listener: Listener,
    ) -> BoxFuture<'_, Finished> {
        Box::pin(async move {
            let (shared, key) = (&self.shared, (assignment.claim.seq, assignment.claim.fence));
            let attempt = assignment.claim.attempt_id();
            shared.judge().began(&self.host, &assignment);
            shared.trace(format_args!("{} starts {attempt} on {}", self.host, assignment.stream));
            let presence = Presence { shared: Arc::clone(shared), host: self.host.clone(), key };
            let (relay, relayed) = mpsc::channel(8);
            let mut playing = self.runner.run(assignment, relayed, listener);
            let mut finished = loop {
                tokio::select! {
                    biased;
                    Some(order) = orders.recv() => {
                        shared.judge().ordered(&self.host, key, order);
                        shared.trace(format_args!("{} orders {attempt} to {order:?}", self.host));
                        relay.try_send(order).ok();
                    }
                    finished = &mut playing => break finished,
                }
            };
            let outcome = finished.verdict.outcome.name();
            if outcome == OutcomeName::Interrupted {
                // A host that was kept from its work leaves tasks alone for up to five seconds.
                shared.judge().troubled(&self.host, shared.now() + Duration::from_secs(5));
            }
            shared.trace(format_args!("{attempt} has ended: {}", outcome.as_str()));
            if let Some(stuck) = finished.stuck.take() {
                shared.judge().ended(&self.host, key, true);
                let gone = async move {
                    let _presence = presence;
                    stuck.await;
                };
                if shared.lacks(Sabotage::EmptyBeforeSettlement) {
                    tokio::spawn(gone);
                } else {
                    finished.stuck = Some(Box::pin(gone));
                }
            }
            finished
        })
    }

    fn bury(&self, dead: HostId, attempts: Vec<AttemptId>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            self.shared.trace(format_args!("{} buries {} attempts of {dead}", self.host, attempts.len()));
            if self.shared.lacks(Sabotage::Burial) {
                return Ok(());
            }
            if self.resist(&dead, attempts.len()) {
                return Err("a process could not be ended".to_owned());
            }
            self.runner.bury(dead, attempts).await
        })
    }

    fn sweep(&self, keep: Duration, most_bytes: u64) -> BoxFuture<'_, u64> {
        self.runner.sweep(keep, most_bytes)
    }
}

/// What an attempt does: the same for the same attempt of the same life.
fn script(shared: &Shared, seat: usize, assignment: &Assignment) -> Script {
    if let Some(script) = shared.plan.script {
        return script(assignment);
    }
    let attempt = assignment.claim.attempt_id();
    let mut hasher = DefaultHasher::new();
    (shared.plan.seed, attempt.to_string()).hash(&mut hasher);
    let mut rng = Rng::with_seed(hasher.finish());
    let is_sick = shared.sick.lock().unwrap().contains(&(seat, assignment.worker.name.clone()));
    if is_sick {
        return Script::cannot_start("its interpreter does not exist");
    }
    let work = u64::try_from(shared.plan.work.as_millis()).unwrap();
    let time = Duration::from_millis(rng.u64(0..work));
    let part = pick(&mut rng, &shared.plan.parts);
    let script = play(part, time, &attempt, shared, &mut rng);
    let obeys = Duration::from_millis(if one_in(&mut rng, 2) { 0 } else { rng.u64(0..12_000) });
    let script = script.obeying_after(obeys);
    if shared.lacks(Sabotage::EmptyBeforeSettlement) {
        return script.stuck_for(Duration::from_secs(2));
    }
    script
}

fn play(part: Part, time: Duration, attempt: &AttemptId, shared: &Shared, rng: &mut Rng) -> Script {
    let result = expected_result(&attempt.task, attempt.fence.0);
    let succeeds = |time| Script::succeeds(time).giving(result.clone());
    let later = Duration::from_millis(rng.u64(0..10_000));
    match part {
        Part::Succeed => succeeds(time),
        Part::SucceedSlowly => succeeds(Duration::from_millis(rng.u64(10_000..90_000))),
        Part::BringForth => brings_forth(succeeds(time), attempt, rng),
        Part::Fail => Script::exits(time, 1),
        Part::FailForGood => reports(time, 2, ReportedError::default()),
        Part::Crash => Script::crashes(time, 11),
        Part::RunOutOfTime => stopped(time, Stop::Timeout),
        Part::GiveUpInTime => reports(time, 3, ReportedError::default()),
        Part::DeferAtOnce => defers(time, Some(RetryAfter::In(Duration::ZERO))),
        Part::DeferFor => defers(time, Some(RetryAfter::In(later))),
        Part::DeferUntil => defers(time, Some(RetryAfter::At(shared.clock.wall().after(later)))),
        Part::TalkNonsense => Script::ends(
            time,
            Ending { fault: Some(Fault::LineTooLong { limit: 10 }), ..by_itself(Exit::Code(0)) },
        ),
        Part::LoseItsGuardian => Script::ends(time, by_itself(Exit::Unseen)),
        Part::LeaveUnread => {
            Script::ends(time, Ending { stdin_untouched: true, ..by_itself(Exit::Code(127)) })
        }
        Part::LeaveACheckpoint => {
            let said = Progress { percent: Some(50.0), ..Progress::default() };
            let left: Box<str> = format!("\"{attempt}\"").into();
            let script = Script::exits(time + Duration::from_secs(3), 1);
            script.saying(time / 3, Said::Progress(said)).saying(time / 2, Said::Checkpoint(left))
        }
        Part::GetStuck => succeeds(time).stuck_for(Duration::from_millis(rng.u64(1_000..50_000))),
    }
}

fn by_itself(exit: Exit) -> Ending {
    Ending { exit, stop: None, report: None, fault: None, raw: false, stdin_untouched: false, breach: None }
}

fn stopped(time: Duration, stop: Stop) -> Script {
    Script::ends(time, Ending { stop: Some(stop), ..by_itself(Exit::Signal(15)) })
}

fn reports(time: Duration, code: u8, error: ReportedError) -> Script {
    Script::ends(time, Ending { report: Some(Report::Failure(error)), ..by_itself(Exit::Code(code)) })
}

fn defers(time: Duration, retry_after: Option<RetryAfter>) -> Script {
    reports(time, 75, ReportedError { retry_after, ..ReportedError::default() })
}

/// Brings forth a task or two, unless it was brought forth itself.
fn brings_forth(mut script: Script, attempt: &AttemptId, rng: &mut Rng) -> Script {
    let parent = attempt.task.as_str();
    if parent.starts_with("drawn") || parent.starts_with("child") {
        return script;
    }
    for no in 0..rng.u32(1..3) {
        let known = format!("given-{}", rng.u32(0..20));
        let id = match rng.u32(0..6) {
            0 => Some(known),
            1..3 => Some(format!("child-{no}-of-{parent}")),
            _ => None,
        };
        script = script.bringing(FollowUp {
            id: id.map(|id| TaskId::new(id).unwrap()),
            task_type: task_type(TYPES[rng.usize(0..TYPES.len())]),
            params: Payload::Json("\"follows\"".into()),
            priority: 0,
            unique: one_in(rng, 4).then(|| UniqueKey::new(format!("key-{}", rng.u32(0..4))).unwrap()),
            run_at: None,
        });
    }
    script
}
