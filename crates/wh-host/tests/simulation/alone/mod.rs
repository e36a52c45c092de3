//! One host, and one promise at a time.

mod clocks;
mod endings;
mod expulsion;
mod going;
mod health;
mod idleness;
mod notes;
mod quiet;
mod reloading;
mod straining;
mod taking_over;

use crate::judge::{Case, Standing, expected_result};
use crate::line::{Line, pass};
use crate::plan::Plan;
use crate::seat::Seat;
use crate::shared::{Missing, Shared};
use crate::workers::{task_type, worker};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::ending::{Ending, Exit, Hindrance, Report, ReportedError};
use wh_domain::event::Event;
use wh_domain::id::TaskId;
use wh_domain::outcome::RetryAfter;
use wh_domain::task::{NewTask, Payload, StateName};
use wh_domain::worker::Worker;
use wh_host::{Command, Farewell};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::runner::Assignment;
use wh_ports::wishes::Wishes;
use wh_testkit::clock::START;
use wh_testkit::script::Script;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// What an attempt does, as the type of its task says.
fn by_type(assignment: &Assignment) -> Script {
    let claim = &assignment.claim;
    let is_first = claim.history.counters.attempts == 0;
    let result = expected_result(&claim.id, claim.fence.0);
    let succeeds = |time| Script::succeeds(time).giving(result);
    match claim.task_type.as_str() {
        "slow" => succeeds(HOUR).obeying_after(SECOND * 2),
        "fails" => Script::exits(SECOND, 1),
        "fails-once" if is_first => Script::exits(SECOND, 1),
        "slow-then-fails" => Script::exits(SECOND * 2, 1),
        "defers" => defers(RetryAfter::In(Duration::ZERO)),
        // A moment that has passed long ago.
        "defers-until" => defers(RetryAfter::At(START)),
        "slow-then-sick" => {
            let never_began = Exit::NotStarted("its interpreter does not exist".into());
            Script::ends(SECOND * 2, seen(never_began))
        }
        "sick" => Script::cannot_start("its interpreter does not exist"),
        "hindered" => Script::hindered(Hindrance::Task("it brings what no worker can be given".into())),
        "stuck" => succeeds(SECOND).stuck_for(HOUR),
        "unseen" => Script::ends(Duration::ZERO, seen(Exit::Unseen)),
        _ => succeeds(SECOND),
    }
}

fn defers(when: RetryAfter) -> Script {
    let error = ReportedError { retry_after: Some(when), ..ReportedError::default() };
    Script::ends(Duration::ZERO, Ending { report: Some(Report::Failure(error)), ..seen(Exit::Code(75)) })
}

fn seen(exit: Exit) -> Ending {
    Ending { exit, stop: None, report: None, fault: None, raw: false, stdin_untouched: false, breach: None }
}

/// A host that is alone in its world.
struct Rig {
    shared: Arc<Shared>,
    people: Arc<Line>,
    seat: Option<Seat>,
    enqueued: u32,
}

impl Rig {
    /// A host of so many streams, with one worker for everything that may use them all.
    fn new(streams: u32) -> Self {
        Self::with(Plan::alone(streams, by_type), streams)
    }

    fn with(plan: Plan, streams: u32) -> Self {
        let workers = vec![rest(&plan, streams)];
        let shared = Shared::new(plan, Missing::Nothing, false);
        let seat = Seat::begin(&shared, (0, 1), workers, shared.plan.until_idle);
        let people = Line::new(&shared, None, 0);
        people.calm();
        Self { people, shared, seat: Some(seat), enqueued: 0 }
    }

    fn seat(&self) -> &Seat {
        self.seat.as_ref().expect("the host has not gone")
    }

    fn line(&self) -> &Line {
        &self.seat().line
    }

    /// Hands over a task of that type.
    async fn enqueue(&mut self, of_type: &str) -> TaskId {
        self.enqueued += 1;
        let id = TaskId::new(format!("task-{}", self.enqueued)).unwrap();
        self.hand_over(NewTask::new(id, task_type(of_type), Payload::null())).await
    }

    async fn hand_over(&mut self, task: NewTask) -> TaskId {
        let id = task.id.clone();
        let answers = self.people.enqueue(vec![task]).await.unwrap();
        assert!(matches!(answers[..], [Enqueued::Created(_)]), "{answers:?}");
        id
    }

    fn standing(&self, id: &TaskId) -> Standing {
        self.shared.judge().of(id, |case: &Case| case.standing.clone())
    }

    fn has_ended_as(&self, id: &TaskId, state: StateName) -> bool {
        self.standing(id) == Standing::Ended(state)
    }

    fn is_claimed(&self, id: &TaskId) -> bool {
        matches!(self.standing(id), Standing::Claimed { .. })
    }

    fn is_pending(&self, id: &TaskId) -> bool {
        matches!(self.standing(id), Standing::Pending { .. })
    }

    /// How many attempts have been started so far.
    fn attempts(&self) -> usize {
        self.shared.witness.seen().len()
    }

    fn told(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.seat().recorder.count(is)
    }

    /// Waits for a fact; answers how long it took.
    async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !is(self) {
            assert!(begun.elapsed() < HOUR, "it never came to this: {what}");
            pass(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    }

    fn tell(&self, command: Command) {
        let shared = &self.shared;
        match &command {
            Command::Drain => shared.judge().asked_to_drain(&self.seat().host),
            Command::Reload(workers) => shared.judge().reloaded(&self.seat().host, workers),
            Command::Refused(_) | Command::Mended(_) => {}
        }
        self.seat().tell(command);
    }

    /// Waits for the host's last words; answers also how long it took.
    async fn farewell(&mut self) -> (Farewell, Duration) {
        let begun = Instant::now();
        let end = self.seat.take().expect("it has not gone").end();
        let farewell = tokio::time::timeout(HOUR * 2, end).await.expect("it goes some time");
        (farewell.unwrap(), begun.elapsed())
    }
}

impl Drop for Rig {
    /// Whatever a test looks at, no promise may be broken meanwhile.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.shared.judge().verdict(), None);
            assert_eq!(self.shared.witness.overlaps(), []);
        }
    }
}

/// A person wishes a task's end.
async fn cancel(rig: &Rig, id: &TaskId) {
    rig.people.cancel(vec![id.clone()]).await.unwrap();
}

/// The worker for everything.
fn rest(plan: &Plan, streams: u32) -> Worker {
    worker(crate::workers::REST, streams, plan.policy)
}

impl crate::judge::Judge {
    fn of<T>(&self, id: &TaskId, look: impl FnOnce(&Case) -> T) -> T {
        look(self.known(id).expect("it was handed over"))
    }
}
