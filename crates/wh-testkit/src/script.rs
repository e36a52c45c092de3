//! A runner that plays scripts instead of starting processes.

use crate::witness::{Alive, Witness};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wh_domain::attempt::{Outcome, Usage};
use wh_domain::ending::{Ending, Exit, Hindrance, Report, ReportedError, Stop, judge, judge_hindered};
use wh_domain::id::{AttemptId, HostId};
use wh_domain::task::Payload;
use wh_ports::answer::BoxFuture;
use wh_ports::claims::Produced;
use wh_ports::clock::Clock;
use wh_ports::runner::{Assignment, Finished, FollowUp, Listener, Order, Runner, Said};

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// What an attempt does.
#[derive(Debug, Clone)]
pub struct Script {
    works_for: Option<Duration>,
    says: Vec<(Duration, Said)>,
    ending: Ending,
    hindrance: Option<Hindrance>,
    result: Option<Payload>,
    follow_ups: Vec<FollowUp>,
    obeys_after: Duration,
    stuck_for: Option<Duration>,
}

impl Script {
    fn new(works_for: Option<Duration>, exit: Exit, report: Option<Report>) -> Self {
        let ending = Ending {
            exit,
            stop: None,
            report,
            fault: None,
            raw: false,
            stdin_untouched: false,
            breach: None,
        };
        Self {
            works_for,
            says: Vec::new(),
            ending,
            hindrance: None,
            result: None,
            follow_ups: Vec::new(),
            obeys_after: Duration::ZERO,
            stuck_for: None,
        }
    }

    /// Works for `how_long` and succeeds with the result `null`.
    pub fn succeeds(how_long: Duration) -> Self {
        Self::new(Some(how_long), Exit::Code(0), Some(Report::Success)).giving(Payload::null())
    }

    /// Works for `how_long` and leaves with `code`, reporting a failure unless that is 0.
    pub fn exits(how_long: Duration, code: u8) -> Self {
        let report = (code != 0).then(|| Report::Failure(ReportedError::default()));
        Self::new(Some(how_long), Exit::Code(code), report)
    }

    /// Works for `how_long` and ends as said.
    pub fn ends(how_long: Duration, ending: Ending) -> Self {
        Self { ending, ..Self::new(Some(how_long), Exit::Unseen, None) }
    }

    /// Works for `how_long` and is killed by a signal that nobody of ours sent.
    pub fn crashes(how_long: Duration, signal: i32) -> Self {
        Self::new(Some(how_long), Exit::Signal(signal), None)
    }

    /// Cannot be started.
    pub fn cannot_start(why: &str) -> Self {
        Self::new(Some(Duration::ZERO), Exit::NotStarted(why.into()), None)
    }

    /// Never begins, for that reason.
    pub fn hindered(hindrance: Hindrance) -> Self {
        let (Hindrance::Worker(why) | Hindrance::Task(why) | Hindrance::Host(why)) = &hindrance;
        Self { hindrance: Some(hindrance.clone()), ..Self::cannot_start(why) }
    }

    /// Works until it is told to end.
    pub fn hangs() -> Self {
        Self::new(None, Exit::Signal(SIGTERM), None)
    }

    /// Also says this, so long after its start.
    #[must_use]
    pub fn saying(mut self, after: Duration, said: Said) -> Self {
        self.says.push((after, said));
        self.says.sort_by_key(|(after, _)| *after);
        self
    }

    /// Gives this result.
    #[must_use]
    pub fn giving(mut self, result: Payload) -> Self {
        self.result = Some(result);
        self
    }

    /// Brings forth one more task, if it succeeds.
    #[must_use]
    pub fn bringing(mut self, follow_up: FollowUp) -> Self {
        self.follow_ups.push(follow_up);
        self
    }

    /// Takes so long to end once it is told to, unless it is killed.
    #[must_use]
    pub fn obeying_after(mut self, how_long: Duration) -> Self {
        self.obeys_after = how_long;
        self
    }

    /// Leaves processes that cannot be ended for so long.
    #[must_use]
    pub fn stuck_for(mut self, how_long: Duration) -> Self {
        self.stuck_for = Some(how_long);
        self
    }
}

/// Chooses what an attempt does.
pub type Playwright = dyn Fn(&Assignment) -> Script + Send + Sync;

/// Plays a script for every attempt, in the runtime's (paused) time.
#[expect(missing_debug_implementations, reason = "a closure has nothing to show")]
pub struct ScriptedRunner {
    clock: Arc<dyn Clock>,
    witness: Witness,
    playwright: Box<Playwright>,
}

impl ScriptedRunner {
    /// A runner whose attempts do what `playwright` says, watched by `witness`.
    pub fn new(
        clock: Arc<dyn Clock>,
        witness: Witness,
        playwright: impl Fn(&Assignment) -> Script + Send + Sync + 'static,
    ) -> Self {
        Self { clock, witness, playwright: Box::new(playwright) }
    }
}

impl Runner for ScriptedRunner {
    fn run(
        &self,
        assignment: Assignment,
        orders: mpsc::Receiver<Order>,
        listener: Listener,
    ) -> BoxFuture<'_, Finished> {
        Box::pin(async move {
            let script = (self.playwright)(&assignment);
            let started_at = self.clock.wall();
            let alive = self.witness.begin(assignment.claim.attempt_id());
            let ending = play(&script, orders, &listener, &alive).await;
            let verdict = match &script.hindrance {
                Some(hindrance) => judge_hindered(hindrance),
                None => judge(&ending, &assignment.worker.exit_codes),
            };
            let succeeded = verdict.outcome == Outcome::Succeeded;
            Finished {
                ending,
                produced: script.result.map(|payload| Produced { payload, partial: !succeeded }),
                follow_ups: if succeeded { script.follow_ups } else { Vec::new() },
                started_at,
                ended_at: self.clock.wall(),
                warnings: verdict.warning.map(Into::into).into_iter().collect(),
                verdict,
                leaked: Vec::new(),
                log_tail: "".into(),
                usage: Usage::default(),
                workspace: None,
                review: None,
                isolation: None,
                stuck: script.stuck_for.map(|how_long| until_gone(alive, how_long)),
            }
        })
    }

    fn bury(&self, _dead: HostId, attempts: Vec<AttemptId>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            for attempt in &attempts {
                self.witness.kill(attempt);
            }
            Ok(())
        })
    }

    fn sweep(&self, _keep: Duration, _most_bytes: u64) -> BoxFuture<'_, u64> {
        Box::pin(async { 0 })
    }
}

/// Keeps an attempt's processes alive for so long.
fn until_gone(alive: Alive, how_long: Duration) -> BoxFuture<'static, ()> {
    let end = Instant::now() + how_long;
    Box::pin(async move {
        let _alive = alive;
        sleep_until(end).await;
    })
}

/// Plays a script to its end, whoever brings it about.
async fn play(
    script: &Script,
    mut orders: mpsc::Receiver<Order>,
    listener: &Listener,
    alive: &Alive,
) -> Ending {
    let begun = Instant::now();
    let mut end = script.works_for.map(|works_for| begun + works_for);
    let mut stop = None;
    let mut says = script.says.iter();
    let mut next = says.next();
    loop {
        tokio::select! {
            biased;
            () = alive.killed() => return killed(script, stop),
            Some(order) = orders.recv() => {
                stop = stop.or(reason(order));
                match order {
                    Order::Kill => return killed(script, stop),
                    Order::Cancel | Order::Stop => {
                        let obeyed = Instant::now() + script.obeys_after;
                        end = Some(end.map_or(obeyed, |end| end.min(obeyed)));
                    }
                    Order::Drain => {}
                }
            }
            () = until(next.map(|(after, _)| begun + *after)) => {
                if let Some((_, said)) = next {
                    listener(said.clone());
                }
                next = says.next();
            }
            () = until(end) => return ended(script, stop, begun),
        }
    }
}

/// What an order means once the attempt has ended by it; being asked to drain ends nothing.
fn reason(order: Order) -> Option<Stop> {
    match order {
        Order::Cancel => Some(Stop::Cancel),
        Order::Stop => Some(Stop::Drain),
        Order::Kill => Some(Stop::LeaseLost),
        Order::Drain => None,
    }
}

fn ended(script: &Script, stop: Option<Stop>, begun: Instant) -> Ending {
    let by_itself = script.works_for.is_some_and(|works_for| begun + works_for <= Instant::now());
    match stop {
        Some(_) if by_itself => Ending { stop, ..script.ending.clone() },
        Some(_) => Ending { stop, exit: Exit::Signal(SIGTERM), report: None, ..script.ending.clone() },
        None => script.ending.clone(),
    }
}

fn killed(script: &Script, stop: Option<Stop>) -> Ending {
    Ending { stop, exit: Exit::Signal(SIGKILL), report: None, ..script.ending.clone() }
}

/// Returns at that moment; never for none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
