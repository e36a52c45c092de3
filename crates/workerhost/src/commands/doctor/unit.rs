//! What systemd's unit files say, as far as a host is concerned. See systemd.unit(5), systemd.service(5), systemd.time(7).

use std::collections::BTreeMap;
use std::ffi::OsStr;
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
    /// The file.
    pub(super) path: PathBuf,
    /// The section `[Service]`, with what drop-ins say.
    keys: BTreeMap<String, String>,
}

impl Service {
    /// What a key says; `None` where it says nothing.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// How long it may take to stop; `None` is for ever.
    pub(super) fn stop(&self) -> Option<Duration> {
        match self.get("TimeoutStopSec").or(self.get("TimeoutSec")) {
            None => Some(DEFAULT_STOP),
            Some(text) => timespan(text).map_or(Some(DEFAULT_STOP), |time| (!time.is_zero()).then_some(time)),
        }
    }

    /// The words of what it starts, without marks and quotes.
    pub(super) fn command(&self) -> Vec<&str> {
        let line = self.get("ExecStart").unwrap_or_default().trim_start_matches(['@', '-', ':', '+', '!']);
        line.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect()
    }
}

/// The services in these directories, of which earlier ones hide later ones, that start a program of this name.
pub(super) fn services(directories: &[PathBuf], program: &str) -> Vec<Service> {
    let mut found: BTreeMap<String, Service> = BTreeMap::new();
    for directory in directories {
        for path in entries(directory, "service") {
            let Some(name) = path.file_name().and_then(OsStr::to_str) else { continue };
            if found.contains_key(name) {
                continue;
            }
            let Some(text) = read(&path).filter(|text| text.contains(program)) else { continue };
            let mut keys = BTreeMap::new();
            take_in(&mut keys, &text);
            let drop_ins = directories.iter().rev().map(|directory| directory.join(format!("{name}.d")));
            let mut drop_ins: Vec<PathBuf> =
                drop_ins.flat_map(|directory| entries(&directory, "conf")).collect();
            drop_ins.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
            for drop_in in drop_ins {
                take_in(&mut keys, &read(&drop_in).unwrap_or_default());
            }
            let service = Service { name: name.to_owned(), path: path.clone(), keys };
            let is_ours = |word: &&str| Path::new(word).file_name() == Some(OsStr::new(program));
            if service.command().first().is_some_and(is_ours) {
                found.insert(name.to_owned(), service);
            }
        }
    }
    found.into_values().collect()
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
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let count: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match rest.get(..letters)? {
            "us" | "usec" => Duration::from_micros(1),
            "ms" | "msec" => Duration::from_millis(1),
            "" | "s" | "sec" | "second" | "seconds" => Duration::from_secs(1),
            "m" | "min" | "minute" | "minutes" => Duration::from_secs(60),
            "h" | "hr" | "hour" | "hours" => Duration::from_secs(3_600),
            "d" | "day" | "days" => Duration::from_secs(86_400),
            _ => return None,
        };
        sum += unit.checked_mul(u32::try_from(count).ok()?)?;
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
        fs::write(first.join("jobs.service.d/10.conf"), "[Service]\nTimeoutStopSec=1min\nKillMode=\n")
            .unwrap();
        let services = services(&[first, second], "workerhost");
        let [service] = &services[..] else { panic!("{services:?}") };
        assert_eq!(service.command(), ["/opt/bin/workerhost", "-c", "/etc/w.yaml", "run"]);
        assert_eq!((service.stop(), service.get("KillMode")), (Some(Duration::from_secs(60)), None));
    }
}
