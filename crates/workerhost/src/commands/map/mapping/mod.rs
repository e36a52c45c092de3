//! A map at work: one loop that reads, hands over, listens and prints, and everything slow beside it.

mod delivering;
mod feeding;

use super::count::Count;
use super::ended::Ended;
use super::feed::{Fed, Feed, LeftOver};
use super::input::index_of;
use super::lines::Batch;
use super::order::Order;
use super::overheard::{Ear, News};
use super::printed::Printed;
use super::progress::Bar;
use super::signals::Signals;
use super::voice::{Said, Voice};
use super::window::{How, Known, Window};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hosting::{Hosted, Hosting};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wh_domain::id::TaskId;
use wh_host::{Command, Farewell, Settings, Why};
use wh_ports::observe::Observer;
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;

/// As many results may be on their way to standard output.
const MOST_SPOKEN: usize = 16;
/// An end that nobody told (a task that another program cancelled) is found after so long.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Tasks asked for at once.
const MOST_AT_ONCE: usize = 500;

/// What comes back from the things that run beside the loop.
enum Arrival {
    Fed(Result<Fed, Failure>),
    Fetched(Known, Result<Option<Box<Ended>>, StoreError>),
    /// Indexes whose tasks have ended.
    Looked(Result<Vec<u64>, StoreError>),
}

/// One thing that happened.
enum Happened {
    Asked(u32),
    Left(Farewell),
    Arrived(Arrival),
    Told(News),
    Said(Said),
    Read(Option<io::Result<Batch>>),
    Nothing,
}

/// Where the host is.
enum Stage {
    /// Left-over tasks are not all known to be inputs.
    NotYet,
    Living(Hosted),
    Gone,
}

/// What a map is made of.
pub(super) struct Parts {
    pub(super) feed: Feed,
    pub(super) left_over: LeftOver,
    pub(super) batches: mpsc::Receiver<io::Result<Batch>>,
    pub(super) keep_order: bool,
    /// Whether results are objects.
    pub(super) json: bool,
    pub(super) sink: Sink,
    pub(super) voice: Voice,
    pub(super) bar: Bar,
    pub(super) host: HostParts,
}

/// Where results go.
pub(super) enum Sink {
    /// To standard output, as they come; what has been printed before is not printed again.
    Printed(Printed),
    /// Into a file, when all are there: until then only the order of the inputs is kept.
    Later(Order),
}

/// What every host of the map is made of.
pub(super) struct HostParts {
    pub(super) data_dir: std::path::PathBuf,
    pub(super) name: String,
    pub(super) worker: wh_domain::worker::Worker,
    pub(super) settings: Settings,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

/// See the module.
pub(super) struct Mapping {
    feed: Feed,
    left_over: LeftOver,
    batches: mpsc::Receiver<io::Result<Batch>>,
    batch: Option<Batch>,
    feeding: bool,
    input_ended: bool,
    json: bool,
    sink: Sink,
    voice: Voice,
    bar: Bar,
    host_parts: HostParts,
    stage: Stage,
    window: Window,
    ear: Ear,
    news: mpsc::UnboundedReceiver<News>,
    beside: JoinSet<Arrival>,
    fetching: bool,
    spoken: usize,
    look_at: Instant,
    heard_since: bool,
    /// How often it was asked to stop, by people or by itself.
    asked: u32,
    failure: Option<Failure>,
    count: Count,
}

impl Mapping {
    pub(super) fn new(parts: Parts) -> Self {
        let (ear, news) = Ear::new(parts.voice.speaker());
        Self {
            feed: parts.feed,
            left_over: parts.left_over,
            batches: parts.batches,
            batch: None,
            feeding: false,
            input_ended: false,
            json: parts.json,
            sink: parts.sink,
            voice: parts.voice,
            bar: parts.bar,
            host_parts: parts.host,
            stage: Stage::NotYet,
            window: Window::new(parts.keep_order),
            ear,
            news,
            beside: JoinSet::new(),
            fetching: false,
            spoken: 0,
            look_at: Instant::now() + LOOK_EVERY,
            heard_since: false,
            asked: 0,
            failure: None,
            count: Count::new(),
        }
    }

    /// Works until every input is out, or until it is stopped; answers what there was, and whether that is all.
    pub(super) async fn run(mut self, mut signals: Signals) -> (Result<(), Failure>, Finish) {
        while !self.is_over() {
            if let Err(failure) = self.go_on().await {
                self.fail(failure);
            }
            let happened = self.next(&mut signals).await;
            if let Err(failure) = self.take(happened) {
                self.fail(failure);
            }
            self.bar.set(self.count.out, self.count.known, self.count.failed, self.input_ended);
        }
        self.bar.end();
        let is_whole = self.has_all_out();
        let Self { voice, sink, ear, news, failure, count, asked, beside, stage, .. } = self;
        drop((ear, news, beside, stage));
        if asked < 2 {
            voice.end();
        }
        (failure.map_or(Ok(()), Err), Finish { count, is_whole, sink })
    }

    /// Begins whatever can be begun.
    async fn go_on(&mut self) -> Result<(), Failure> {
        self.bring();
        self.deliver();
        if matches!(self.stage, Stage::NotYet) && self.may_begin() {
            self.clear_left_over().await?;
            self.begin().await?;
        }
        if let Stage::Living(hosted) = &self.stage
            && self.asked == 0
            && self.has_all_out()
        {
            self.asked = 1;
            hosted.commands.try_send(Command::Drain).ok();
        }
        Ok(())
    }

    async fn next(&mut self, signals: &mut Signals) -> Happened {
        let wants_lines = self.batch.is_none() && !self.input_ended && self.asked == 0;
        let stage = &mut self.stage;
        let life = async move {
            match stage {
                Stage::Living(hosted) => (&mut hosted.life).await,
                Stage::NotYet | Stage::Gone => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            times = signals.next() => Happened::Asked(times),
            Some(arrival) = self.beside.join_next() => match arrival {
                Ok(arrival) => Happened::Arrived(arrival),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => Happened::Nothing,
            },
            Some(news) = self.news.recv() => Happened::Told(news),
            Some(said) = self.voice.said() => Happened::Said(said),
            farewell = life => Happened::Left(farewell),
            batch = self.batches.recv(), if wants_lines => Happened::Read(batch),
            () = tokio::time::sleep_until(self.look_at) => {
                self.look();
                Happened::Nothing
            }
        }
    }

    fn take(&mut self, happened: Happened) -> Result<(), Failure> {
        match happened {
            Happened::Asked(times) => (0..times).for_each(|_| self.stop()),
            Happened::Left(farewell) => self.left(farewell)?,
            Happened::Arrived(Arrival::Fed(fed)) => {
                self.feeding = false;
                self.fed(fed?)?;
            }
            Happened::Arrived(Arrival::Fetched(known, ended)) => {
                self.fetching = false;
                self.fetched(known, ended)?;
            }
            // A store that is away is asked again the next time.
            Happened::Arrived(Arrival::Looked(ended)) => {
                for index in ended.unwrap_or_default() {
                    self.window.ended(index, How::InStore);
                }
            }
            Happened::Told(news) => self.told(news)?,
            Happened::Said(said) => {
                self.spoken -= 1;
                self.window.is_out();
                said?;
            }
            Happened::Read(None) => self.input_ended = true,
            Happened::Read(Some(batch)) => {
                let batch = batch.map_err(|error| Failure::of_io("read standard input", &error))?;
                self.count.known += batch.len() as u64;
                self.batch = Some(batch);
            }
            Happened::Nothing => {}
        }
        Ok(())
    }

    /// Whether every line was read and everything that came of it is out.
    fn has_all_out(&self) -> bool {
        self.input_ended && !self.feeding && self.batch.is_none() && self.window.is_empty()
    }

    fn is_over(&self) -> bool {
        let is_gone = match self.stage {
            Stage::NotYet => self.asked > 0,
            Stage::Living(_) => false,
            Stage::Gone => true,
        };
        // Asked twice, it does not wait for a reader that does not read.
        let is_quiet = self.spoken == 0 && !self.fetching && !self.feeding && !self.window.has_next();
        is_gone && (self.has_all_out() || self.asked >= 2 || (self.asked > 0 && is_quiet))
    }

    /// Asks the host to go down, or to go down faster.
    fn stop(&mut self) {
        self.asked = self.asked.saturating_add(1);
        if let Stage::Living(hosted) = &self.stage {
            hosted.commands.try_send(Command::Drain).ok();
        }
    }

    /// Remembers the first failure and stops. The host finishes what it carries.
    fn fail(&mut self, failure: Failure) {
        if self.failure.is_none() {
            self.failure = Some(failure);
            if self.asked == 0 {
                self.stop();
            }
        }
    }

    async fn begin(&mut self) -> Result<(), Failure> {
        let parts = &self.host_parts;
        let hosting = Hosting {
            store: Arc::clone(&self.feed.store),
            data_dir: parts.data_dir.clone(),
            name: parts.name.clone(),
            workers: vec![parts.worker.clone()],
            private: Vec::new(),
            settings: parts.settings.clone(),
            observers: parts.observer.iter().cloned().chain([self.ear.observer()]).collect(),
        };
        let hosted = hosting.begin(|runner| self.ear.around(runner)).await?;
        self.stage = Stage::Living(hosted);
        self.bar.begin();
        Ok(())
    }

    fn left(&mut self, farewell: Farewell) -> Result<(), Failure> {
        self.stage = Stage::Gone;
        match farewell.why {
            Why::Drained | Why::Idle => Ok(()),
            Why::Expelled => {
                self.voice.speaker().warn("others gave this host up for dead; it begins anew".to_owned());
                self.stage = Stage::NotYet;
                Ok(())
            }
            Why::Failed(error) => Err(error.into()),
        }
    }

    fn told(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Ended(id, ended) => {
                self.heard_since = true;
                if let Some(index) = self.index_of_open(&id) {
                    self.window.ended(index, ended.map_or(How::InStore, How::Told));
                }
                Ok(())
            }
            News::Reclaimed => {
                (self.heard_since, self.look_at) = (false, Instant::now());
                Ok(())
            }
            News::Broken(why, Some(retry_in)) if self.count.completed > 0 => {
                let wait = crate::words::lasting(retry_in);
                self.voice
                    .speaker()
                    .warn(format!("the command cannot be run for now: {why} It waits {wait}."));
                Ok(())
            }
            // Nothing has come of it yet, so this is more likely a mistake than bad luck.
            News::Broken(why, _) => {
                Err(Failure::new(Exit::Failed, format!("the command cannot be run: {why}")))
            }
        }
    }

    fn index_of_open(&self, id: &TaskId) -> Option<u64> {
        let index = index_of(id)?;
        let known = self.window.find(index)?;
        // A left-over task of the same line is another input.
        known.identity.task_id(&self.feed.map).is_ok_and(|own| own == *id).then_some(index)
    }

    /// Looks whether something ended unseen, unless ends are heard of all the time.
    fn look(&mut self) {
        self.look_at = Instant::now() + LOOK_EVERY;
        if std::mem::take(&mut self.heard_since) || !matches!(self.stage, Stage::Living(_)) {
            return;
        }
        let (open, feed) = (self.window.all_open(), self.feed.clone());
        self.beside.spawn(async move { Arrival::Looked(ended(&feed, &open).await) });
    }
}

/// What is left when a map has ended.
pub(super) struct Finish {
    pub(super) count: Count,
    /// Whether every line was read and every input is out.
    pub(super) is_whole: bool,
    pub(super) sink: Sink,
}

/// The indexes of those that have ended.
async fn ended(feed: &Feed, open: &[Known]) -> Result<Vec<u64>, StoreError> {
    let mut ended = Vec::new();
    for some in open.chunks(MOST_AT_ONCE) {
        let seqs = some.iter().map(|known| known.seq).collect();
        for (known, task) in some.iter().zip(feed.store.tasks_by_seq(seqs).await?) {
            if task.is_some_and(|task| task.state.name().has_ended()) {
                ended.push(known.identity.index);
            }
        }
    }
    Ok(ended)
}
