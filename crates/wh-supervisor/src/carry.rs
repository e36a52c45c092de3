//! One attempt, from its assignment to its record.

use crate::attempt::{Attempt, Beginning, NotBegun, NotRun};
use crate::briefing::{self, Moments};
use crate::conclude::{self, Closing};
use crate::ground::{Ground, aside};
use crate::hearing::Hearing;
use crate::hindrance;
use crate::link::Gone;
use crate::log::Log;
use crate::machine::State;
use crate::nursery::Nursery;
use crate::orders::{Orders, Patience};
use crate::program::{self, Home, HostEnv, Resolved};
use crate::redact::Redactor;
use crate::register::Register;
use crate::seat::{Lent, Seat, Seats};
use crate::timers::STUCK_AFTER;
use crate::wire::Notice;
use crate::workspace::heartbeat::Heartbeat;
use crate::workspace::logfile::LogFile;
use crate::workspace::space::SpaceWatch;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use tokio::sync::{Mutex, MutexGuard, Notify, mpsc};
use wh_domain::attempt::Outcome;
use wh_domain::ending::{Exit, Hindrance, Stop};
use wh_domain::isolation::Enforcement;
use wh_domain::limits::Limits;
use wh_domain::time::Timestamp;
use wh_domain::worker::Worker;
use wh_ports::clock::Clock;
use wh_ports::runner::{Assignment, Finished, Listener, Order};
use wh_ports::store::BoxFuture;

/// A guardian that waited may have been killed meanwhile; one that has only just been hired should live.
const GUARDIANS: u32 = 4;

/// What every attempt of a runner needs.
pub(crate) struct Tools {
    /// The streams' places. Dropped first: guardians end when they are let go, and a spawner after its guardians.
    pub(crate) seats: Seats,
    pub(crate) nursery: Arc<Nursery>,
    /// Where attempts are written down.
    pub(crate) register: Arc<Register>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) data_dir: PathBuf,
    /// What is started to look at what a worker has left.
    pub(crate) reviewer: PathBuf,
    pub(crate) environment: Arc<HostEnv>,
    /// How much memory the machine has, in bytes.
    pub(crate) memory: u64,
    /// What no worker may reach that is to be isolated.
    pub(crate) private: Arc<[PathBuf]>,
    /// How many guardians are without work.
    pub(crate) idle: Arc<AtomicUsize>,
    /// Whose turn it is among those who lacked something the first time: if all tried at once, each would get a
    /// part of what it needs and none the whole.
    pub(crate) turn: Mutex<()>,
    /// Rung when an attempt has ended and gives back what it had.
    pub(crate) freed: Notify,
}

/// Carries an attempt to its end, on a stream that sits in `seat`.
pub(crate) async fn carry(
    tools: &Tools,
    seat: &Arc<Seat>,
    assignment: Assignment,
    orders: mpsc::Receiver<Order>,
    listener: Listener,
) -> Finished {
    let assignment = Arc::new(assignment);
    let started_at = tools.clock.wall();
    let (mut orders, mut patience) = (Orders::new(orders), Patience::new());
    let mut turn = None;
    loop {
        if !is_free(tools, seat).await {
            return still_taken(tools, seat, &assignment, started_at);
        }
        let tried = attempt(tools, seat, &assignment, &mut orders, Arc::clone(&listener), turn.take()).await;
        let hindrance = match tried {
            Ok(finished) => {
                tools.freed.notify_waiters();
                return finished;
            }
            Err(hindrance) => hindrance,
        };
        // What the host lacks is often there again a moment later. It is waited for here, with the stream held: a
        // host with a full disk would otherwise run through its queue, and one task after the other would use up
        // its interruptions. But then nobody keeps anything that he does not need at once: streams that each keep a
        // little would wait for each other for ever.
        if matches!(hindrance, Hindrance::Host(_)) {
            tools.seats.clear(&tools.nursery, &tools.idle).await;
        }
        let waits = matches!(hindrance, Hindrance::Host(_))
            && is_free(tools, seat).await
            && patience.wait(&mut orders, &tools.freed).await;
        if waits {
            turn = tokio::select! {
                turn = tools.turn.lock() => Some(turn),
                _ = orders.next() => None,
            };
        }
        if turn.is_none() {
            return conclude::never_ran(&assignment, (started_at, tools.clock.wall()), &hindrance);
        }
    }
}

/// Whether nothing is left of whoever had the stream before; waits for that as long as may be.
async fn is_free(tools: &Tools, seat: &Arc<Seat>) -> bool {
    let Some(mut predecessor) = seat.predecessor() else { return true };
    tokio::time::timeout(STUCK_AFTER, predecessor.gone(&tools.nursery)).await.is_ok()
}

/// The end of an attempt that could not begin, because what had the stream before cannot be ended.
fn still_taken(
    tools: &Tools,
    seat: &Arc<Seat>,
    assignment: &Arc<Assignment>,
    started_at: Timestamp,
) -> Finished {
    let (nursery, seat) = (Arc::clone(&tools.nursery), Arc::clone(seat));
    let stuck = Box::pin(async move {
        if let Some(mut predecessor) = seat.predecessor() {
            predecessor.gone(&nursery).await;
        }
    });
    let unseen = conclude::without_process(assignment, (started_at, tools.clock.wall()), Exit::Unseen);
    Finished { stuck: Some(stuck), ..unseen }
}

/// Carries an attempt to its end, if it can begin.
async fn attempt(
    tools: &Tools,
    seat: &Arc<Seat>,
    assignment: &Arc<Assignment>,
    orders: &mut Orders,
    listener: Listener,
    turn: Option<MutexGuard<'_, ()>>,
) -> Result<Finished, Hindrance> {
    let started_at = tools.clock.wall();
    let written = tools.register.serve(&assignment.host);
    written.map_err(|error| hindrance::host("its processes could not be written down", &error))?;
    let ground = Ground::prepare(&tools.data_dir, seat, assignment, tools.clock.wall()).await?;
    let begun = begin(tools, seat, assignment, (started_at, &ground), orders, listener).await?;
    drop(turn);
    let left = begun.carry().await;
    let isolation = left.lent.entered();
    let stuck = let_go(tools, left.state, left.is_gone, left.lent).await;
    let (exit, isolation) = match left.exit {
        Ok(exit) => (exit, isolation),
        Err(NotRun::NotIsolated) => {
            let gaps = isolation.as_ref().and_then(Enforcement::shortfall).unwrap_or_default();
            return Err(hindrance::worker(gaps));
        }
        Err(NotRun::NotStarted(errno)) => match not_started(tools, seat, assignment, &ground, errno).await {
            Hindrance::Worker(why) => (Exit::NotStarted(why), None),
            other => return Err(other),
        },
    };
    let ended_at = tools.clock.wall();
    let timeout = &assignment.worker.timeout;
    let was_warned = ended_at.since(started_at) >= timeout.soft;
    let closing = Closing {
        assignment: Arc::clone(assignment),
        started_at,
        ended_at,
        stop: left
            .state
            .stop()
            .or_else(|| warned_to_death(&exit, timeout.soft_signal.filter(|_| was_warned))),
        exit,
        stdin_untouched: left.stdin_untouched,
        ended: left.ended,
        isolation,
        // What is not empty may still write.
        ground: ground.place.zip(left.heartbeat).filter(|_| stuck.is_none()),
    };
    let (finished, place) =
        conclude::conclude(closing, (left.hearing, left.age), (orders, &tools.freed, &tools.reviewer)).await;
    if let Some(place) = place {
        seat.put_place(place);
    }
    if let Some(scratch) = ground.scratch.filter(|_| stuck.is_none()) {
        seat.put_scratch(scratch);
    }
    if finished.isolation.is_some() && finished.verdict.outcome != Outcome::Succeeded {
        // What it was granted may have been replaced since: by an editor, by a deployment.
        seat.forget_program();
    }
    Ok(Finished { stuck, ..finished })
}

/// The signal that is to warn a worker ends one that does not handle it: then its time ended it, not a crash.
fn warned_to_death(exit: &Exit, soft_signal: Option<i32>) -> Option<Stop> {
    match exit {
        Exit::Signal(signal) if Some(*signal) == soft_signal => Some(Stop::Timeout),
        _ => None,
    }
}

/// Whose fault it is that the kernel refused to execute the program.
async fn not_started(
    tools: &Tools,
    seat: &Seat,
    assignment: &Assignment,
    ground: &Ground,
    errno: i32,
) -> Hindrance {
    if hindrance::is_shortage(errno) {
        return hindrance::host("no process could be made", &io::Error::from_raw_os_error(errno));
    }
    let program = resolve(tools, seat, assignment, ground).await;
    seat.forget_program();
    match program {
        Ok(resolved) => hindrance::worker(program::explain(errno, &resolved.program)),
        Err(hindrance) => hindrance,
    }
}

/// The worker's program. What it may reach is looked up beside the host's loop: hundreds of looks at the file system.
async fn resolve(
    tools: &Tools,
    seat: &Seat,
    assignment: &Assignment,
    ground: &Ground,
) -> Result<Resolved, Hindrance> {
    if let Some(resolved) = seat.program(&assignment.worker) {
        return Ok(resolved);
    }
    let worker = Arc::clone(&assignment.worker);
    let (environment, private) = (Arc::clone(&tools.environment), Arc::clone(&tools.private));
    let own = ground.home().map(|(root, temp)| (root.to_owned(), temp.to_owned()));
    let program = aside(move || {
        let own = own.as_ref().map(|(root, temp)| (root.as_path(), temp.as_path()));
        let home = Home { own, private: &private };
        let program = Arc::new(program::resolve(&worker, &environment, home)?);
        Ok(Resolved { program, redactor: Arc::new(Redactor::new(&worker.program.secrets)) })
    });
    let resolved = program.await?;
    seat.keep_program(Arc::clone(&assignment.worker), resolved.clone());
    Ok(resolved)
}

/// Has the worker started.
async fn begin<'a>(
    tools: &'a Tools,
    seat: &'a Arc<Seat>,
    assignment: &'a Assignment,
    (started_at, ground): (Timestamp, &Ground),
    orders: &'a mut Orders,
    listener: Listener,
) -> Result<Attempt<'a>, Hindrance> {
    let worker = &assignment.worker;
    let Resolved { program, redactor } = resolve(tools, seat, assignment, ground).await?;
    let place = ground.place.as_ref();
    let names = place.map(|place| &place.names);
    let moments = Moments::of(assignment, started_at);
    let stdin = briefing::input(assignment, moments, names, ground.digest.as_ref())?;
    let file = place.map(|place| LogFile::new(Arc::clone(&place.root), worker.bounds.log));
    let log = Log::new((listener, redactor), worker.bounds.events_per_second, file);
    let lend = || async {
        let lent = seat.lend(&tools.nursery, &tools.register, &tools.idle).await;
        lent.map_err(|error| hindrance::host("the process that is to watch it could not be started", &error))
    };
    let mut beginning = Beginning {
        lent: lend().await?,
        program,
        env: briefing::variables(assignment, moments, names),
        stdin: Arc::new(stdin),
        hearing: Hearing::new(worker.protocol, &worker.bounds, log),
        orders,
        timeout: worker.timeout,
        space: ground.root().and_then(|root| SpaceWatch::new(root, &worker.limits)),
        limits: limits(worker, ground).after(assignment.claim.history.counters.attempts, tools.memory),
        bounds: worker.bounds,
        heartbeat: place.map(|place| {
            Heartbeat::new(
                Arc::clone(&place.root),
                Arc::clone(&tools.clock),
                assignment.stream,
                place.progress_look,
            )
        }),
    };
    let attempt = assignment.claim.attempt_id();
    for _ in 0..GUARDIANS {
        // Before it is started, so that whoever has to bury it finds its guardian.
        let written = beginning.lent.write_down((&assignment.host, &attempt));
        written.map_err(|error| hindrance::host("its processes could not be written down", &error))?;
        match Attempt::begin(beginning).await {
            Ok(attempt) => return Ok(attempt),
            Err(NotBegun::GuardianGone(back)) => {
                beginning = *back;
                beginning.lent = lend().await?;
            }
            Err(NotBegun::NoPipes(error)) => {
                return Err(hindrance::host("its pipes could not be made", &error));
            }
            Err(NotBegun::Refused(error)) => {
                return Err(hindrance::host("its pipes could not be handed over", &error));
            }
            Err(NotBegun::TooLong) => {
                return Err(hindrance::worker("its command line and environment are too long"));
            }
        }
    }
    let why = io::Error::other("one after the other is killed before it can begin");
    Err(hindrance::host("the processes that are to watch it do not live", &why))
}

/// The worker's limits, without those of files where it has none of its own.
fn limits(worker: &Worker, ground: &Ground) -> Limits {
    match ground.root() {
        Some(_) => worker.limits,
        None => Limits { workspace: None, inodes: None, output: None, ..worker.limits },
    }
}

/// Gives the guardian back; where there is still something to wait for, returns that.
async fn let_go(tools: &Tools, state: State, is_gone: bool, lent: Lent) -> Option<BoxFuture<'static, ()>> {
    if !is_gone && matches!(state, State::Over(_)) {
        lent.give_back();
        return None;
    }
    let mut guardian = lent.keep()?;
    let nursery = Arc::clone(&tools.nursery);
    let mut gone = Box::pin(async move {
        // As long as it speaks of other things, the tree has not ended.
        while !matches!(guardian.notice().await, Ok(Notice::Ended(_)) | Err(Gone)) {}
        nursery.gone(&guardian.let_go()).await;
    });
    if is_gone && tokio::time::timeout(STUCK_AFTER, &mut gone).await.is_ok() {
        return None;
    }
    Some(gone)
}
