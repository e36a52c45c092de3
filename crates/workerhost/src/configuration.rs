//! Which configuration holds for a command, and where it comes from.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::terminal::Terminal;
use crate::words::some;
use std::path::{Path, PathBuf};
use wh_config::{Config, Loaded, ProblemOrigin, Problems, Severity, StoreUrl};

/// Beside each other in the working directory; the last one is the name older installations have.
const HERE: [&str; 4] = ["workerhost.yaml", "workerhost.yml", "workerhost.json", "workerhost_config.yaml"];
/// The variable that names the store.
const STORE: &str = "WORKERHOST_STORE";
/// Where tasks are when nothing says so.
const DATA_DIR: &str = ".workerhost";
/// What stands for the file in problems where there is none.
const DEFAULTS: &str = "environment.yaml";
/// What it would hold.
const NO_WORKERS: &str = "workers: []\n";

/// How much a command needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Workers: there must be a file.
    File,
    /// Tasks: a file, or a store that is there.
    Store,
    /// Anything: without a file, the defaults, with a store in the working directory.
    Nothing,
}

/// A configuration and the file it came from, if there was one.
pub(crate) struct Configuration {
    pub(crate) config: Config,
    pub(crate) file: Option<PathBuf>,
    pub(crate) warnings: Problems,
}

impl Configuration {
    /// What a host keeps for itself besides its data directory: the file, and the data directories of other projects.
    pub(crate) fn private(&self) -> Vec<PathBuf> {
        self.file.iter().chain(&self.config.state_home).cloned().collect()
    }
}

/// Why there is none.
pub(crate) enum Unfit {
    /// Nothing says what is to hold.
    Missing(Failure),
    /// What says it is wrong: the name of the file, and every problem.
    Wrong(PathBuf, Problems),
}

impl Unfit {
    /// Tells every problem, and answers how it ends.
    pub(crate) fn tell(self, terminal: &Terminal) -> Failure {
        match self {
            Self::Missing(failure) => failure,
            Self::Wrong(file, problems) => {
                terminal.complain(problems.render(terminal.colours_talk()).trim_end());
                refused(&file, &problems)
            }
        }
    }
}

/// Finds and reads the configuration that holds, and tells what is wrong with it.
pub(crate) fn find(globals: &Globals, need: Need, terminal: &Terminal) -> Result<Configuration, Failure> {
    look(globals, need).map_err(|unfit| unfit.tell(terminal))
}

/// For those who look at tasks, or change those there are: they need the store and no more, so what is wrong elsewhere
/// is no hindrance.
pub(crate) fn to_look(globals: &Globals, terminal: &Terminal) -> Result<Configuration, Failure> {
    let (file, problems) = match look(globals, Need::Store) {
        Ok(configuration) => return Ok(configuration),
        Err(Unfit::Missing(failure)) => return Err(failure),
        Err(Unfit::Wrong(file, problems)) => (file, problems),
    };
    let Some(configuration) = of_the_store(globals, &file) else {
        let failure = Unfit::Wrong(file, problems).tell(terminal);
        let is_named = globals.store.is_some();
        return Err(if is_named {
            failure
        } else {
            failure.help("--store sqlite:PATH names the tasks, too")
        });
    };
    if globals.store.is_none() {
        let count = count(&file, &problems);
        terminal.warn(&format!("{count}; `workerhost config check` tells them"));
    }
    Ok(configuration)
}

/// What a configuration that cannot be used says of its store, with the defaults for all else.
pub(crate) fn of_the_store(globals: &Globals, file: &Path) -> Option<Configuration> {
    let store = place(globals, file)?;
    let only_store = |name: &str| (name == STORE).then(|| format!("sqlite:{}", store.display()));
    let Loaded { config, warnings } = defaults(&only_store).ok()?;
    Some(Configuration { config, file: None, warnings })
}

/// Where the store is, though something else is wrong.
fn place(globals: &Globals, file: &Path) -> Option<PathBuf> {
    let store = match &globals.store {
        Some(store) => {
            let here = std::path::absolute(file).ok()?;
            let only_store = |name: &str| (name == wh_config::STORE_OPTION).then(|| store.clone());
            wh_config::parse(DEFAULTS, NO_WORKERS, here.parent()?, &only_store).ok()?.config.store
        }
        None => wh_config::locate(file, &environment(globals))?,
    };
    let StoreUrl::Sqlite(store) = store;
    Some(store)
}

/// Finds and reads the configuration that holds.
pub(crate) fn look(globals: &Globals, need: Need) -> Result<Configuration, Unfit> {
    let env = environment(globals);
    let file = globals.config.clone().or_else(found);
    let loaded = match &file {
        Some(file) => wh_config::load(file, &env).map_err(|problems| Unfit::Wrong(file.clone(), problems))?,
        None if is_enough(need, &env) => defaults(&env)?,
        None => return Err(Unfit::Missing(missing(need))),
    };
    let Loaded { config, warnings } = loaded;
    Ok(Configuration { config, file, warnings })
}

/// Warnings about variables that look as if they configured something.
pub(crate) fn idle_variables() -> Problems {
    let names: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    wh_config::check_variables(names.iter().map(String::as_str))
}

/// Reads a configuration again, for a reload. `Err` holds every problem as one text.
pub(crate) fn reread(globals: &Globals, file: &Path) -> Result<Loaded, String> {
    wh_config::load(file, &environment(globals)).map_err(|problems| problems.to_string())
}

/// Variables as the configuration sees them, and `--store` beside them.
fn environment(globals: &Globals) -> impl Fn(&str) -> Option<String> + use<> {
    let store = globals.store.clone();
    move |name| match name {
        wh_config::STORE_OPTION => store.clone(),
        // What the option says holds, so that what the variable says need not be right.
        STORE if store.is_some() => None,
        name => std::env::var(name).ok(),
    }
}

fn found() -> Option<PathBuf> {
    let here = HERE.iter().map(PathBuf::from);
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".config")));
    let elsewhere = home.map(|home| home.join("workerhost/config.yaml"));
    let everybodys = PathBuf::from("/etc/workerhost/config.yaml");
    here.chain(elsewhere).chain([everybodys]).find(|path| path.is_file())
}

fn is_enough(need: Need, env: &impl Fn(&str) -> Option<String>) -> bool {
    let is_named = env(STORE).is_some() || env(wh_config::STORE_OPTION).is_some();
    let has_store = is_named || Path::new(DATA_DIR).join("tasks.db").is_file();
    need == Need::Nothing || (need == Need::Store && has_store)
}

fn defaults(env: &impl Fn(&str) -> Option<String>) -> Result<Loaded, Unfit> {
    let here = std::env::current_dir()
        .map_err(|error| Unfit::Missing(Failure::of_io("find the working directory", &error)))?;
    wh_config::parse(DEFAULTS, NO_WORKERS, &here, env)
        .map_err(|problems| Unfit::Wrong(DEFAULTS.into(), problems))
}

fn missing(need: Need) -> Failure {
    let help = match need {
        Need::File => "write one (docs/config.md), go to its directory, or name it with -c FILE",
        Need::Store | Need::Nothing => "go to its directory, or name it with -c FILE or --store sqlite:PATH",
    };
    Failure::new(Exit::Config, "there is no configuration here (looked for workerhost.yaml)").help(help)
}

/// A configuration with errors, all of which have been told.
pub(crate) fn refused(file: &Path, problems: &Problems) -> Failure {
    let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let is_usage = errors.all(|problem| problem.origin() == ProblemOrigin::CommandLine);
    Failure::new(if is_usage { Exit::Usage } else { Exit::Config }, count(file, problems))
}

/// Who has how many errors, with the verb: "workerhost.yaml has 2 errors, and the environment has 1 error".
fn count(file: &Path, problems: &Problems) -> String {
    let errors = |origin| {
        let of = problems.iter().filter(|problem| problem.severity == Severity::Error);
        of.filter(|problem| problem.origin() == origin).count() as u64
    };
    let names = [
        (ProblemOrigin::File, file.display().to_string()),
        (ProblemOrigin::Environment, "the environment".to_owned()),
        (ProblemOrigin::CommandLine, "the command line".to_owned()),
    ];
    let told = names.into_iter().filter_map(|(origin, name)| {
        let errors = errors(origin);
        (errors > 0).then(|| format!("{name} has {}", some(errors, "error")))
    });
    told.collect::<Vec<_>>().join(", and ")
}
