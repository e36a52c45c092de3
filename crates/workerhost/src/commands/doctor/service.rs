//! Whether the service that starts the host lets it do what it is for.

use super::finding::{Check, Findings, Mend};
use super::machine::has_groups_of_version_2;
use super::shell::quoted;
use super::subject::Subject;
use super::unit::{Service, services};
use crate::words::lasting;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A second request gives workers three seconds; the rest is for what is to be written at the end.
const AFTER_DRAIN: Duration = Duration::from_secs(10);
/// Where units of the system are, those that hide others first.
const SYSTEM: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];
/// Where those of a user are, beside what is in his home.
const USER: [&str; 3] = ["/etc/systemd/user", "/run/systemd/user", "/usr/lib/systemd/user"];
/// What our own words for a unit are kept in: its name comes late, so that it holds.
const DROP_IN: &str = "zz-workerhost-doctor.conf";

pub(super) fn look(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(file) = &subject.configuration.file else { return };
    let user = user_directories();
    let system: Vec<PathBuf> = SYSTEM.map(PathBuf::from).to_vec();
    for (directories, systemctl) in [(system, "systemctl"), (user, "systemctl --user")] {
        let ours = services(&directories, "workerhost").into_iter().filter(|service| starts(service, file));
        for service in ours {
            // What is said for all of them stands where it hides all else.
            let Some(first) = directories.first() else { continue };
            judge(subject, (&service, first, systemctl), findings);
        }
    }
}

fn user_directories() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let configured = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let own =
        configured.or_else(|| home.map(|home| home.join(".config"))).map(|home| home.join("systemd/user"));
    own.into_iter().chain(USER.map(PathBuf::from)).collect()
}

/// Whether it starts a host with this configuration: it names it, or starts where it lies.
fn starts(service: &Service, file: &Path) -> bool {
    let words = service.command();
    let is = |path: &Path| {
        path.canonicalize().ok().zip(file.canonicalize().ok()).is_some_and(|(one, other)| one == other)
    };
    let behind = words
        .windows(2)
        .find_map(|pair| matches!(pair, ["-c" | "--config", _]).then(|| pair.get(1).copied())?);
    let named = behind.or_else(|| words.iter().find_map(|word| word.strip_prefix("--config=")));
    let place = service.get("WorkingDirectory").map(|place| Path::new(place.trim_start_matches('-')));
    let is_its_file = match (named, place) {
        (Some(named), place) => is(&place.unwrap_or(Path::new("/")).join(named)),
        (None, Some(place)) => file.file_name().is_some_and(|name| is(&place.join(name))),
        (None, None) => false,
    };
    is_its_file && words.contains(&"run")
}

/// A key of a unit: what it should say, whether it does, and what comes of it if it does not.
struct Wanted {
    key: &'static str,
    value: String,
    is_so: bool,
    otherwise: String,
}

fn wanted(service: &Service, drain: Duration) -> Vec<Wanted> {
    let needed = drain + AFTER_DRAIN;
    let says = |key: &str, good: &[&str]| service.get(key).is_some_and(|value| good.contains(&value));
    let kept = |key: &str, good: &[&str], best: &str| {
        service.get(key).filter(|value| good.contains(value)).unwrap_or(best).to_owned()
    };
    let stop = service.stop();
    let (modes, restarts) =
        (["mixed", "process", "none"], ["always", "on-failure", "on-abnormal", "on-abort"]);
    let mut wanted = vec![
        Wanted {
            key: "TimeoutStopSec",
            // What is long enough stays as it is written.
            value: match (stop.is_none_or(|stop| stop >= needed), service.said_of_stopping()) {
                (true, Some(text)) => text.to_owned(),
                _ => needed.as_secs().max(stop.unwrap_or_default().as_secs()).to_string(),
            },
            is_so: stop.is_none_or(|stop| stop >= needed),
            otherwise: format!(
                "it is killed {} after it was to stop, and `host.drain` gives attempts {}",
                lasting(stop.unwrap_or_default()),
                lasting(drain)
            ),
        },
        Wanted {
            key: "KillMode",
            value: kept("KillMode", &modes, "mixed"),
            is_so: says("KillMode", &modes),
            otherwise: "workers are signalled with the host, and none can finish".to_owned(),
        },
        Wanted {
            key: "Restart",
            value: kept("Restart", &restarts, "on-failure"),
            is_so: says("Restart", &restarts),
            otherwise: "it is not started again after a crash".to_owned(),
        },
    ];
    if has_groups_of_version_2() {
        let otherwise = || "it may make no control groups, so limits are measured and not held".to_owned();
        let delegates =
            service.get("Delegate").filter(|value| !matches!(*value, "no" | "false" | "0" | "off"));
        let subgroup = service.get("DelegateSubgroup");
        wanted.push(Wanted {
            key: "Delegate",
            value: delegates.unwrap_or("yes").to_owned(),
            is_so: delegates.is_some(),
            otherwise: otherwise(),
        });
        wanted.push(Wanted {
            key: "DelegateSubgroup",
            value: "host".to_owned(),
            is_so: subgroup == Some("host"),
            otherwise: otherwise(),
        });
    }
    wanted
}

/// What is to be said in it, and why. All of it is written whatever is missing: what was written before is in the same file.
fn judge(
    subject: &Subject<'_>,
    (service, directory, systemctl): (&Service, &Path, &str),
    findings: &mut Findings,
) {
    let wanted = wanted(service, subject.configuration.config.host.drain);
    let mut words: Vec<&str> = wanted.iter().filter(|it| !it.is_so).map(|it| it.otherwise.as_str()).collect();
    words.dedup();
    if words.is_empty() {
        return findings.ok(Check::Service, format!("{} lets its host finish", service.name));
    }
    let lines = wanted.iter().map(|it| format!("{}={}", it.key, it.value)).collect::<Vec<_>>().join("\\n");
    let drop_ins = directory.join(format!("{}.d", service.name));
    let (drop_ins, file) = (drop_ins.to_string_lossy(), drop_ins.join(DROP_IN));
    let command = format!(
        "mkdir -p {} && printf '[Service]\\n{lines}\\n' > {} && {systemctl} daemon-reload",
        quoted(&drop_ins),
        quoted(&file.to_string_lossy())
    );
    findings.warning(Check::Service, format!("{}: {}", service.name, words.join("; ")), Mend::Run(command));
}
