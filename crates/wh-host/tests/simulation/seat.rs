//! A place for a host: whoever sits there joins the store and lives until it ends or is killed.

use crate::line::{Line, pass};
use crate::shared::Shared;
use crate::troupe::Troupe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, yield_now};
use wh_domain::event::Event;
use wh_domain::id::HostId;
use wh_domain::lease::LeasePolicy;
use wh_domain::time::Timestamp;
use wh_domain::watermark::Watermarks;
use wh_domain::worker::Worker;
use wh_host::{Command, Farewell, Host, Parts, Settings};
use wh_ports::claims::{Claims, Introduction};
use wh_ports::observe::Observer;
use wh_testkit::chance::SeededChance;
use wh_testkit::recorder::Recorder;

/// A host that lives.
pub(crate) struct Seat {
    pub(crate) host: HostId,
    pub(crate) line: Arc<Line>,
    pub(crate) until_idle: bool,
    /// All that it has told, where it is alone.
    pub(crate) recorder: Arc<Recorder>,
    commands: mpsc::Sender<Command>,
    life: JoinHandle<Farewell>,
    shared: Arc<Shared>,
}

impl Seat {
    /// Begins a host's life: its seat's number, how many sat there before, and its workers.
    pub(crate) fn begin(
        shared: &Arc<Shared>,
        (seat, nth): (usize, u32),
        workers: Vec<Worker>,
        until_idle: bool,
    ) -> Self {
        let plan = &shared.plan;
        let host = HostId::new(format!("host-{seat}.{nth}")).unwrap();
        let seed = plan
            .seed
            .wrapping_mul(1_000)
            .wrapping_add(u64::try_from(seat).unwrap() * 100)
            .wrapping_add(u64::from(nth));
        let line = Line::new(shared, Some(host.clone()), seed);
        let settings = Settings {
            streams: plan.streams[seat],
            drain: plan.drain,
            lease: LeasePolicy::default(),
            watermarks: Watermarks { load: Some(800), ..Watermarks::default() },
            retention: plan.retention.unwrap_or_default(),
            sweep_every: Duration::from_secs(20),
            until_idle,
        };
        shared.judge().joins(&host, settings.streams, &workers);
        shared.trace(format_args!("{host} is started"));
        let ears = Arc::new(Ears { shared: Arc::clone(shared), host: host.clone() });
        let recorder = Arc::new(Recorder::new());
        let parts = Parts {
            store: Arc::<Line>::clone(&line),
            runner: Arc::new(Troupe::new(shared, seat, host.clone())),
            clock: Arc::<wh_testkit::clock::FakeClock>::clone(&shared.clock),
            machine: Arc::<wh_testkit::machine::FakeMachine>::clone(&shared.machine),
            chance: Arc::new(SeededChance::new(seed)),
            observers: if plan.script.is_some() {
                vec![ears, Arc::<Recorder>::clone(&recorder)]
            } else {
                vec![ears]
            },
        };
        let (commands, obeyed) = mpsc::channel(16);
        let life = tokio::spawn(live(Arc::clone(&line), host.clone(), parts, workers, settings, obeyed));
        Self { host, line, until_idle, recorder, commands, life, shared: Arc::clone(shared) }
    }

    /// Tells the host something; one that is stopped hears nothing.
    pub(crate) fn tell(&self, command: Command) {
        self.commands.try_send(command).ok();
    }

    /// Nobody can tell the host anything any more.
    pub(crate) fn forget_commands(&mut self) {
        self.commands = mpsc::channel(1).0;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.life.is_finished()
    }

    /// Waits for its last words. The error says how it broke.
    pub(crate) async fn end(self) -> Result<Farewell, String> {
        let farewell = self.life.await.map_err(|error| error.to_string());
        self.shared.store.kill_host(&self.host);
        farewell
    }

    /// Its process is killed, and everything that ran under it.
    pub(crate) async fn kill(self) {
        self.life.abort();
        drop(self.life.await);
        // What ran beside the loop is dropped when the runtime comes to it.
        for _ in 0..100 {
            yield_now().await;
        }
        self.shared.store.kill_host(&self.host);
        self.shared.judge().died(&self.host);
        self.shared.trace(format_args!("{} is killed", self.host));
    }
}

async fn live(
    line: Arc<Line>,
    host: HostId,
    parts: Parts,
    workers: Vec<Worker>,
    settings: Settings,
    commands: mpsc::Receiver<Command>,
) -> Farewell {
    let slot = loop {
        let name = host.as_str().into();
        let introduction = Introduction { host: host.clone(), name, pid: 1, version: "1".into() };
        match line.join(introduction).await {
            Ok(membership) => break membership.slot,
            Err(_) => pass(Duration::from_millis(200)).await,
        }
    };
    Host::new(parts, host, slot, workers, settings).run(commands).await
}

/// Hears what a host tells.
struct Ears {
    shared: Arc<Shared>,
    host: HostId,
}

impl Observer for Ears {
    fn observe(&self, _at: Timestamp, event: &Event) {
        self.shared.judge().told(&self.host, event);
        match event {
            Event::WorkerQuarantined { worker, retry_in, .. } => {
                self.shared.trace(format_args!("{} puts {worker} aside for {retry_in:?}", self.host));
            }
            Event::WorkerRecovered { worker } => {
                self.shared.trace(format_args!("{} has {worker} back", self.host));
            }
            Event::NoWorker { task_type } => {
                self.shared.trace(format_args!("{} has no worker for {task_type}", self.host));
            }
            _ => {}
        }
    }
}
