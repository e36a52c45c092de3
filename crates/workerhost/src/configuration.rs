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

/// Finds and reads the configuration that holds.
pub(crate) fn find(globals: &Globals, need: Need, terminal: &Terminal) -> Result<Configuration, Failure> {
    let env = environment(globals);
    let file = globals.config.clone().or_else(found);
    let loaded = match &file {
        Some(file) => wh_config::load(file, &env).map_err(|problems| refused(file, &problems, terminal))?,
        None if is_enough(need, &env) => defaults(&env, terminal)?,
        None => return Err(missing(need)),
    };
    let Loaded { config, warnings } = loaded;
    Ok(Configuration { config, file, warnings })
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

fn defaults(env: &impl Fn(&str) -> Option<String>, terminal: &Terminal) -> Result<Loaded, Failure> {
    let here =
        std::env::current_dir().map_err(|error| Failure::of_io("find the working directory", &error))?;
    let name = Path::new("environment.yaml");
    wh_config::parse("environment.yaml", "workers: []\n", &here, env)
        .map_err(|problems| refused(name, &problems, terminal))
}

fn missing(need: Need) -> Failure {
    let help = match need {
        Need::File => "write one (docs/config.md), go to its directory, or name it with -c FILE",
        Need::Store | Need::Nothing => "go to its directory, or name it with -c FILE or --store sqlite:PATH",
    };
    Failure::new(Exit::Config, "there is no configuration here (looked for workerhost.yaml)").help(help)
}

fn refused(file: &Path, problems: &Problems, terminal: &Terminal) -> Failure {
    terminal.complain(problems.render(terminal.colours_talk()).trim_end());
    let errors = problems.iter().filter(|problem| problem.severity == wh_config::Severity::Error).count();
    let what = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
    Failure::new(Exit::Config, format!("{} has {what}", file.display()))
}
