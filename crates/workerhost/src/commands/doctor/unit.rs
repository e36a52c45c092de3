//! What systemd's unit files say, as far as a host is concerned. See systemd.unit(5), systemd.service(5), systemd.time(7).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No unit is larger.
const MOST_BYTES: u64 = 64 << 10;
/// No directory has more of them.
const MOST_UNITS: usize = 4_096;
/// How long systemd waits for a service to stop, where nothing else is said.
const DEFAULT_STOP: Duration = Duration::from_secs(90);

/// A service that starts a program of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    /// The section `[Service]`, with what drop-ins say.
    keys: BTreeMap<String, String>,
}

impl Service {
    /// What a key says; `None` where it says nothing.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What it says of how long it may take to stop.
    pub(super) fn said_of_stopping(&self) -> Option<&str> {
        self.get("TimeoutStopSec").or(self.get("TimeoutSec"))
    }

    /// How long it may take to stop; `None` is for ever.
    pub(super) fn stop(&self) -> Option<Duration> {
        match self.said_of_stopping() {
            None => Some(DEFAULT_STOP),
            Some(text) => timespan(text).map_or(Some(DEFAULT_STOP), |time| (!time.is_zero()).then_some(time)),
        }
    }

    /// What it starts, without marks, quotes and `env`.
    pub(super) fn command(&self) -> Vec<&str> {
        let line = self.get("ExecStart").unwrap_or_default().trim_start_matches(['@', '-', ':', '+', '!']);
        let words = line.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        let is_env = |word: &&str| Path::new(word).file_name() == Some(OsStr::new("env"));
        words.skip_while(is_env).collect()
    }
}

/// The services in these directories, of which earlier ones hide later ones, that start a program of this name.
pub(super) fn services(directories: &[PathBuf], program: &str) -> Vec<Service> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for directory in directories {
        for path in entries(directory, "service") {
            let Some(name) = path.file_name().and_then(OsStr::to_str) else { continue };
            // Another name of a unit is no other one; and a masked one, an empty file, hides those behind it.
            let is_alias =
                path.is_symlink() && path.canonicalize().is_ok_and(|to| to.file_name() != path.file_name());
            if is_alias || !seen.insert(name.to_owned()) {
                continue;
            }
            let Some(keys) = keys(directories, &path, name) else { continue };
            let service = Service { name: name.to_owned(), keys };
            let is_ours = |word: &&str| Path::new(word).file_name() == Some(OsStr::new(program));
            if service.command().first().is_some_and(is_ours) {
                found.push(service);
            }
        }
    }
    found
}

/// What a unit says, with its drop-ins: they count in the order of their names, wherever they lie.
fn keys(directories: &[PathBuf], path: &Path, name: &str) -> Option<BTreeMap<String, String>> {
    let mut keys = BTreeMap::new();
    take_in(&mut keys, &read(path)?);
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for directory in directories {
        for drop_in in entries(&directory.join(format!("{name}.d")), "conf") {
            let Some(name) = drop_in.file_name().map(OsStr::to_owned) else { continue };
            drop_ins.entry(name).or_insert(drop_in);
        }
    }
    for drop_in in drop_ins.values() {
        take_in(&mut keys, &read(drop_in).unwrap_or_default());
    }
    Some(keys)
}

fn entries(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.take(MOST_UNITS).flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension() == Some(OsStr::new(extension))).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok().filter(|about| about.is_file() && about.len() <= MOST_BYTES)?;
    fs::read_to_string(path).ok().filter(|_| about.len() > 0)
}

/// Takes in the section `[Service]` of a file. Of a key that is said twice the last holds; an empty one takes back.
fn take_in(keys: &mut BTreeMap<String, String>, text: &str) {
    let (mut is_inside, mut begun) = (false, String::new());
    for line in text.lines() {
        let line = line.trim();
        if begun.is_empty() && (line.starts_with('#') || line.starts_with(';')) {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            begun.push_str(part);
            begun.push(' ');
            continue;
        }
        let whole = std::mem::take(&mut begun) + line;
        if whole.starts_with('[') {
            is_inside = whole == "[Service]";
        } else if let Some((key, value)) = whole.split_once('=').filter(|_| is_inside) {
            keys.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
}

/// A time as systemd reads it: `90`, `1min 30s`, `500ms`; zero for `infinity` and for 0, which mean the same here.
fn timespan(text: &str) -> Option<Duration> {
    if text == "infinity" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut sum) = (text.trim(), Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let count: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match rest.get(..letters)? {
            "us" | "usec" => 0.000_001,
            "ms" | "msec" => 0.001,
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            _ => return None,
        };
        sum += Duration::try_from_secs_f64(count * unit).ok()?;
        rest = rest.get(letters..)?.trim_start();
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_systemd_reads_them() {
        let rows = [
            ("90", Some(90_000)),
            ("1min 30s", Some(90_000)),
            ("2h5m", Some(7_500_000)),
            ("500ms", Some(500)),
            ("0.5min", Some(30_000)),
            ("infinity", Some(0)),
            ("soon", None),
            ("5 parsecs", None),
        ];
        for (text, millis) in rows {
            assert_eq!(timespan(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn a_service_is_what_its_file_says_and_then_its_drop_ins() {
        let dir = tempfile::tempdir().unwrap();
        let [first, second] = ["etc", "lib"].map(|name| dir.path().join(name));
        for directory in [&first, &second, &first.join("jobs.service.d")] {
            fs::create_dir_all(directory).unwrap();
        }
        let unit = "[Unit]\nDescription=x\n[Service]\n# a word\nExecStart=-/opt/bin/workerhost \\\n  -c \"/etc/w.yaml\" run\nKillMode=mixed\nTimeoutStopSec=5\n";
        fs::write(first.join("jobs.service"), unit).unwrap();
        fs::write(second.join("jobs.service"), "[Service]\nExecStart=/bin/workerhost hidden\n").unwrap();
        fs::write(second.join("other.service"), "[Service]\nExecStart=/bin/other workerhost\n").unwrap();
        fs::write(first.join("masked.service"), "").unwrap();
        fs::write(second.join("masked.service"), "[Service]\nExecStart=/bin/workerhost run\n").unwrap();
        std::os::unix::fs::symlink("jobs.service", first.join("alias.service")).unwrap();
        fs::write(first.join("jobs.service.d/10.conf"), "[Service]\nTimeoutStopSec=1min\nKillMode=\n")
            .unwrap();
        let services = services(&[first, second], "workerhost");
        let [service] = &services[..] else { panic!("{services:?}") };
        assert_eq!(service.command(), ["/opt/bin/workerhost", "-c", "/etc/w.yaml", "run"]);
        assert_eq!((service.stop(), service.get("KillMode")), (Some(Duration::from_secs(60)), None));
    }
}
