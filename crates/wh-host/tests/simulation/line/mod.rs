//! The line between a host, or a person, and the store: where calls are refused, delayed, and lose their answers, where
//! a host that is stopped is cut off, and where the judge listens.

mod claims;
mod gate;
mod others;

pub(crate) use others::look;

use crate::marks::Mark;
use crate::plan::Weather;
use crate::shared::Shared;
use fastrand::Rng;
use gate::Gate;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use wh_domain::id::HostId;
use wh_ports::store::StoreError;
use wh_testkit::memory::Verb;

/// A line. What has been sent arrives, whatever becomes of the line.
pub(crate) struct Line {
    shared: Arc<Shared>,
    /// Whose it is; none for people and producers.
    host: Option<HostId>,
    gate: Arc<Gate>,
    rng: Mutex<Rng>,
    away_until: Mutex<Instant>,
    /// Whether nothing goes wrong any more.
    calm: AtomicBool,
    /// What is to go wrong, verb by verb, for as long as it stands here.
    troubles: Mutex<Vec<(Verb, Trouble)>>,
    /// All that was asked.
    asked: Mutex<Vec<Verb>>,
    /// Changes that were made over this line.
    own: Arc<AtomicU64>,
    /// Changes that others had made when it was last asked for them.
    seen: AtomicU64,
}

/// What is to go wrong with every call of a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    Refused,
    /// It reaches the store late.
    Late(Duration),
    /// It reaches the store at once, and its answer comes late.
    AnsweredLate(Duration),
    /// The store itself is in trouble.
    Answers(StoreError),
}

/// What is to happen to one call.
#[derive(Default)]
struct Fate {
    refused: bool,
    error: Option<StoreError>,
    late: Option<Duration>,
    answered_late: Option<Duration>,
    unanswered: bool,
}

impl Line {
    pub(crate) fn new(shared: &Arc<Shared>, host: Option<HostId>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            host,
            gate: Arc::default(),
            rng: Mutex::new(Rng::with_seed(seed)),
            away_until: Mutex::new(Instant::now()),
            calm: AtomicBool::new(false),
            troubles: Mutex::default(),
            asked: Mutex::default(),
            own: Arc::default(),
            seen: AtomicU64::new(0),
        })
    }

    fn who(&self) -> &str {
        self.host.as_ref().map_or("people", HostId::as_str)
    }

    /// Whoever is at its end is stopped: nothing goes out and nothing comes in.
    pub(crate) fn pause(&self) {
        self.gate.shut();
    }

    pub(crate) fn resume(&self) {
        self.gate.open();
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.gate.is_shut()
    }

    /// The store cannot be reached for so long.
    pub(crate) fn cut(&self, how_long: Duration) {
        *self.away_until.lock().unwrap() = Instant::now() + how_long;
        if let Some(host) = &self.host {
            // It asks again every five seconds at the latest: first to settle, then for more.
            let over = self.shared.now() + how_long + Duration::from_secs(10);
            self.shared.judge().troubled(host, over);
        }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
        *self.away_until.lock().unwrap() = Instant::now();
    }

    fn weather(&self) -> Weather {
        if self.calm.load(Ordering::Relaxed) { Weather::default() } else { self.shared.plan.weather }
    }

    /// From now on this goes wrong with every call of a verb.
    pub(crate) fn trouble(&self, verb: Verb, trouble: Trouble) {
        self.troubles.lock().unwrap().push((verb, trouble));
    }

    /// Nothing of that kind goes wrong any more.
    pub(crate) fn no_more_trouble(&self) {
        self.troubles.lock().unwrap().clear();
    }

    /// All that was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Verb> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn fate_by_trouble(&self, verb: Verb) -> Fate {
        let mut fate = Fate::default();
        let troubles = self.troubles.lock().unwrap();
        for (_, trouble) in troubles.iter().filter(|(of, _)| *of == verb) {
            match trouble.clone() {
                Trouble::Refused => fate.refused = true,
                Trouble::Late(wait) => fate.late = Some(wait),
                Trouble::AnsweredLate(wait) => fate.answered_late = Some(wait),
                Trouble::Answers(error) => fate.error = Some(error),
            }
        }
        fate
    }

    fn fate(&self, verb: Verb) -> Fate {
        self.asked.lock().unwrap().push(verb);
        if !self.troubles.lock().unwrap().is_empty() {
            return self.fate_by_trouble(verb);
        }
        let weather = self.weather();
        let mut rng = self.rng.lock().unwrap();
        let mut hit = |permille: u32| permille > 0 && rng.u32(0..1_000) < permille;
        let refused = hit(weather.refused);
        let (late, answered_late) = (hit(weather.late), hit(weather.answered_late));
        let unanswered = hit(weather.unanswered) && may_lose_its_answer(verb);
        let longest = u64::try_from(weather.longest.as_millis()).unwrap();
        let mut wait = |is: bool| is.then(|| Duration::from_millis(rng.u64(0..=longest)));
        let is_away = *self.away_until.lock().unwrap() > Instant::now();
        Fate {
            refused: refused || is_away,
            error: None,
            late: wait(late),
            answered_late: wait(answered_late),
            unanswered,
        }
    }

    /// Has `work` done at the other end, unless the line is bad.
    async fn call<T, W, F>(&self, verb: Verb, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Shared>) -> F + Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.gate.passes().await;
        if self.host.as_ref().is_some_and(|host| self.shared.judge().asks(host)) {
            std::future::pending::<()>().await;
        }
        let fate = self.fate(verb);
        if fate.refused {
            self.refuse(verb);
            return Err(StoreError::Unavailable("the line is bad".to_owned()));
        }
        if let Some(error) = fate.error {
            return Err(error);
        }
        let answer = match fate.late {
            None => Self::work(Arc::clone(&self.shared), Arc::clone(&self.own), work).await,
            Some(wait) => {
                let (shared, own) = (Arc::clone(&self.shared), Arc::clone(&self.own));
                let arrives = tokio::spawn(async move {
                    pass(wait).await;
                    Self::work(shared, own, work).await
                });
                arrives.await.expect("the store does not panic")
            }
        };
        if let Some(wait) = fate.answered_late {
            pass(wait).await;
        }
        self.gate.passes().await;
        if fate.unanswered {
            self.shared.trace(format_args!("{} has no answer to {verb:?}", self.who()));
            return Err(StoreError::Unavailable("the answer was lost".to_owned()));
        }
        answer
    }

    async fn work<T, W, F>(shared: Arc<Shared>, own: Arc<AtomicU64>, work: W) -> Result<T, StoreError>
    where
        W: FnOnce(Arc<Shared>) -> F,
        F: Future<Output = Result<T, StoreError>>,
    {
        let before = shared.store.changes();
        let answer = work(Arc::clone(&shared)).await;
        own.fetch_add(shared.store.changes() - before, Ordering::Relaxed);
        answer
    }

    fn refuse(&self, verb: Verb) {
        self.shared.trace(format_args!("{} cannot reach the store for {verb:?}", self.who()));
        let Some(host) = &self.host else { return };
        match verb {
            Verb::Settle => self.shared.mark(Mark::StoreAwayAtSettlement),
            Verb::Renew => self.shared.judge().renewal_refused(host),
            _ => {}
        }
    }
}

/// Whether it does no harm to repeat a call that was done already. Who lost the answer to a claim or a take-over would
/// hold tasks that it does not know of; no store loses these.
fn may_lose_its_answer(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Settle | Verb::Renew | Verb::Note | Verb::Report | Verb::Enqueue | Verb::Cancel | Verb::Retry
    )
}

/// Lets time pass.
pub(crate) async fn pass(how_long: Duration) {
    sleep_until(Instant::now() + how_long).await;
}
