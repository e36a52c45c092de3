//! Whether the service that starts the host lets it do what it is for.

use super::Subject;
use super::directory::quoted;
use super::finding::{Check, Findings, Mend};
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
/// It is there where control groups of version 2 are the machine's own.
const VERSION_2: &str = "/sys/fs/cgroup/cgroup.controllers";

pub(super) fn look(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(file) = &subject.configuration.file else { return };
    let user = user_directories();
    let system: Vec<PathBuf> = SYSTEM.map(PathBuf::from).to_vec();
    for (directories, systemctl) in [(system, "systemctl"), (user, "systemctl --user")] {
        let ours = services(&directories, "workerhost").into_iter().filter(|service| starts(service, file));
        for service in ours {
            judge(subject, (&service, systemctl), findings);
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
    let named =
        words.windows(2).find(|pair| matches!(pair, ["-c" | "--config", _])).and_then(|pair| pair.get(1));
    let place = service.get("WorkingDirectory").map(|place| Path::new(place.trim_start_matches('-')));
    match (named, place) {
        (Some(named), place) => is(&place.unwrap_or(Path::new("/")).join(named)),
        (None, Some(place)) => file.file_name().is_some_and(|name| is(&place.join(name))),
        (None, None) => false,
    }
}

/// Whether control groups of this machine are of version 2, which a service delegates.
pub(super) fn has_groups_of_version_2() -> bool {
    Path::new(VERSION_2).exists()
}

/// What is to be said in it, and why.
fn judge(subject: &Subject<'_>, (service, systemctl): (&Service, &str), findings: &mut Findings) {
    let drain = subject.configuration.config.host.drain;
    let needed = drain + AFTER_DRAIN;
    let (mut lines, mut words) = (Vec::new(), Vec::new());
    if let Some(stop) = service.stop().filter(|stop| *stop < needed) {
        words.push(format!(
            "it is killed {} after it was to stop, and `host.drain` gives attempts {}",
            lasting(stop),
            lasting(drain)
        ));
        lines.push(format!("TimeoutStopSec={}", needed.as_secs()));
    }
    if !matches!(service.get("KillMode"), Some("mixed" | "process" | "none")) {
        words.push("workers are signalled with the host, and none can finish".to_owned());
        lines.push("KillMode=mixed".to_owned());
    }
    if service.get("Restart").is_none_or(|restart| restart == "no") {
        words.push("it is not started again after a crash".to_owned());
        lines.push("Restart=on-failure".to_owned());
    }
    let delegates =
        service.get("Delegate").is_some_and(|value| !matches!(value, "no" | "false" | "0" | "off"));
    if has_groups_of_version_2() && !(delegates && service.get("DelegateSubgroup") == Some("host")) {
        words.push("it may make no control groups, so limits are measured and not held".to_owned());
        lines.push("Delegate=yes\\nDelegateSubgroup=host".to_owned());
    }
    if words.is_empty() {
        return findings.ok(Check::Service, format!("{} lets its host finish", service.name));
    }
    let drop_ins = format!("{}.d", quoted(&service.path));
    let command = format!(
        "mkdir -p {drop_ins} && printf '[Service]\\n{}\\n' > {drop_ins}/workerhost.conf && {systemctl} daemon-reload",
        lines.join("\\n")
    );
    findings.warning(Check::Service, format!("{}: {}", service.name, words.join("; ")), Mend::Run(command));
}
