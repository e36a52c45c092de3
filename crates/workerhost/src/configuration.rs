//! Which configuration holds for a command, and where it comes from.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::terminal::Terminal;
use std::path::{Path, PathBuf};
use wh_config::{Config, Loaded, Problems};

/// Beside each other in the working directory; the last one is the name older installations have.
const HERE: [&str; 4] = ["workerhost.yaml", "workerhost.yml", "workerhost.json", "workerhost_config.yaml"];
/// The variable that names the store.
const STORE: &str = "WORKERHOST_STORE";
/// Where tasks are when nothing says so.
const DATA_DIR: &str = ".workerhost";
/// What stands for the file in problems where there is none.
const DEFAULTS: &str = "environment.yaml";

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

/// Variables as the configuration sees them: `--store` is what the variable would be, but nearer.
fn environment(globals: &Globals) -> impl Fn(&str) -> Option<String> + use<> {
    let store = globals.store.clone();
    move |name| match name {
        STORE if store.is_some() => store.clone(),
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
    let has_store = env(STORE).is_some() || Path::new(DATA_DIR).join("tasks.db").is_file();
    need == Need::Nothing || (need == Need::Store && has_store)
}

fn defaults(env: &impl Fn(&str) -> Option<String>) -> Result<Loaded, Unfit> {
    let here = std::env::current_dir()
        .map_err(|error| Unfit::Missing(Failure::of_io("find the working directory", &error)))?;
    wh_config::parse(DEFAULTS, "workers: []\n", &here, env)
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
    let errors = problems.iter().filter(|problem| problem.severity == wh_config::Severity::Error).count();
    let what = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
    Failure::new(Exit::Config, format!("{} has {what}", file.display()))
}
