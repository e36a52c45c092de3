//! What a worker would find on this machine: why it could not be started, and what would be kept from it. It is not started
//! for that; a program that does nothing takes its place.

use crate::link::{Guardian, Unsent};
use crate::nursery::Nursery;
use crate::program::{self, Home, Obstacle};
use crate::runner::RunnerOptions;
use crate::wire::Notice;
use rustix::fd::AsFd;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wh_domain::ending::Hindrance;
use wh_domain::isolation::Enforcement;
use wh_domain::limits::Limits;
use wh_domain::worker::{Program, Worker};

/// Programs that do nothing.
const IDLERS: [&str; 2] = ["/bin/true", "/usr/bin/true"];
/// One that does nothing is done by then.
const PATIENCE: Duration = Duration::from_secs(5);
/// Programs whose first argument is another one.
const INTERPRETERS: [&str; 10] =
    ["python", "pypy", "node", "ruby", "perl", "sh", "bash", "dash", "php", "Rscript"];
/// Options of Python's that come before the script and take no value.
const PLAIN_OPTIONS: [&str; 4] = ["-u", "-B", "-E", "-I"];

/// Looks at workers on this machine.
#[expect(missing_debug_implementations, reason = "variables may be secrets")]
pub struct Fitness {
    nursery: Nursery,
    environment: Vec<(OsString, OsString)>,
    private: Vec<PathBuf>,
}

impl Fitness {
    /// Starts the spawner.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn new(options: RunnerOptions) -> io::Result<Self> {
        let RunnerOptions { data_dir, spawner, token, environment, private, .. } = options;
        let private = private.into_iter().chain([data_dir]).collect();
        Ok(Self { nursery: Nursery::new(spawner, token)?, environment, private })
    }

    /// What keeps a worker from being started; `None` where nothing speaks against it.
    pub fn obstacle(&self, worker: &Worker) -> Option<Obstacle> {
        let home = Home { own: None, private: &self.private };
        let other = |why| Obstacle { why, not_executable: None };
        match program::resolve(worker, &self.environment, home) {
            Ok(program) => program::obstacle(&program),
            Err(Hindrance::Worker(why) | Hindrance::Task(why) | Hindrance::Host(why)) => {
                Some(other(why.into()))
            }
        }
    }

    /// The script that a worker's interpreter is given and that this user cannot read, where it looks like one.
    pub fn missing_script(&self, worker: &Worker) -> Option<PathBuf> {
        let may_read = |path: &PathBuf| rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok();
        script(&worker.program).filter(|script| !may_read(script))
    }

    /// What would hold for a worker here. A limit on processor time is tried whether the worker has one or not: what it lacks
    /// tells why there are no control groups.
    ///
    /// # Errors
    /// Where nothing could be started.
    pub async fn enforcement(&self, worker: &Worker) -> io::Result<Enforcement> {
        let idler = IDLERS.into_iter().find(|path| Path::new(path).exists()).unwrap_or(IDLERS[0]);
        let mut idle = worker.clone();
        idle.program.argv = vec![idler.to_owned()];
        // So that all that is missing is told.
        idle.isolation.required = false;
        let home = Home { own: None, private: &self.private };
        let program = program::resolve(&idle, &self.environment, home).map_err(|hindrance| {
            let (Hindrance::Worker(why) | Hindrance::Task(why) | Hindrance::Host(why)) = hindrance;
            io::Error::other(why.into_string())
        })?;
        let limits = Limits { cpu_percent: worker.limits.cpu_percent.or(Some(100)), ..worker.limits };
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        let mut guardian = self.nursery.hire(None).await?;
        let started = guardian.start(&Arc::new(program), (&[], &limits), [nothing.as_fd(); 4]).await;
        started.map_err(|unsent| match unsent {
            Unsent::Refused(error) => error,
            Unsent::TooLong => io::Error::other("its environment is too long"),
            Unsent::Gone => gone(),
        })?;
        tokio::time::timeout(PATIENCE, until_ended(&mut guardian))
            .await
            .map_err(|_| io::Error::other(format!("{idler} does not end")))??;
        Ok(guardian.entered().cloned().unwrap_or_else(Enforcement::nothing))
    }
}

async fn until_ended(guardian: &mut Guardian) -> io::Result<()> {
    loop {
        match guardian.notice().await.map_err(|_| gone())? {
            Notice::Ended(_) => return Ok(()),
            Notice::NotStarted(errno) => return Err(io::Error::from_raw_os_error(errno)),
            Notice::NotIsolated => return Err(io::Error::other("it was not isolated")),
            Notice::Hello(_) | Notice::Entered(_) | Notice::Exited(_) | Notice::MemoryHigh { .. } => {}
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the process that watched it is gone")
}

/// The script that an interpreter is given, where it can be told from its options.
fn script(program: &Program) -> Option<PathBuf> {
    let mut words = program.argv.iter();
    let interpreter = Path::new(words.next()?).file_name()?.to_str()?;
    let name = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_python = name.starts_with('p') && name.contains("py");
    let word = words.find(|word| !(is_python && PLAIN_OPTIONS.contains(&word.as_str())))?;
    // Interpreters also take names that are no files: of modules, and of scripts that they look for themselves.
    let is_script = INTERPRETERS.contains(&name) && !word.starts_with('-') && word.contains(['.', '/']);
    is_script.then(|| program.directory.join(word))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_script_is_told_from_options_and_from_code() {
        let told = |words: &[&str]| {
            script(&Program {
                argv: words.iter().map(ToString::to_string).collect(),
                directory: "/p".into(),
                env: Vec::new(),
                secrets: Vec::new(),
            })
        };
        let rows: [(&[&str], Option<&str>); 10] = [
            (&["python3", "w.py"], Some("/p/w.py")),
            (&["/v/bin/python3.11", "-u", "-B", "w.py", "more"], Some("/p/w.py")),
            (&["node", "/s/w.js"], Some("/s/w.js")),
            (&["sh", "w.sh"], Some("/p/w.sh")),
            (&["sh", "-c", "echo"], None),
            (&["python3", "-m", "package"], None),
            (&["node", "--require", "x", "w.js"], None),
            (&["./worker", "config.json"], None),
            (&["python3"], None),
            (&["node", "w"], None),
        ];
        for (words, expected) in rows {
            assert_eq!(told(words), expected.map(PathBuf::from), "{words:?}");
        }
    }
}
