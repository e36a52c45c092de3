//! Killed again and again at random moments, a map still brings every result, and each the right number of times.
//!
//! With `WH_SLOW_TESTS=1` it is a hundred thousand lines and twenty kills, and what was measured is printed
//! (`--nocapture` shows it).

use super::{Ran, command};
use crate::place::Place;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Prints its line again and notes the task's name: one process, no more.
const NOTING: &[&str] = &["sh", "-c", "IFS= read -r x; echo $WORKERHOST_TASK_ID >> ran; echo \"$x\""];
const STREAMS: usize = 2;
/// The most memory that the map's own process may ever hold, in KiB.
const MOST_RSS: u64 = 64 << 10;

/// How much is done to it.
#[derive(Debug, Clone, Copy)]
struct Trial {
    lines: usize,
    kills: usize,
    patience: Duration,
}

impl Trial {
    fn of_this_run() -> Self {
        if std::env::var_os("WH_SLOW_TESTS").is_some() {
            Self { lines: 100_000, kills: 20, patience: Duration::from_secs(3_600) }
        } else {
            Self { lines: 2_000, kills: 6, patience: Duration::from_secs(300) }
        }
    }

    /// Every third line is like another one, and some are no text.
    fn input(self) -> Vec<Vec<u8>> {
        let line = |at: usize| match at % 9 {
            0 | 3 | 6 => format!("again {}", at % 7).into_bytes(),
            1 => vec![0xff, b'a', 0xfe],
            2 => Vec::new(),
            _ => format!("line {at}").into_bytes(),
        };
        (1..=self.lines).map(line).collect()
    }
}

/// What was seen on the way.
#[derive(Debug, Default)]
struct Seen {
    kills: usize,
    took: Duration,
    /// The highest resident size of any of the map's processes, in KiB.
    rss: u64,
    /// How often each task was begun.
    begun: BTreeMap<String, usize>,
}

#[test]
fn a_file_of_results_has_each_of_them_once_however_often_the_map_was_killed() {
    let (place, trial) = (Place::with(""), Trial::of_this_run());
    let lines = trial.input();
    let seen = until_done(&place, trial, &["--output", "out"], &lines, Stdio::null);
    check(trial, &seen);
    let results = objects(&fs::read_to_string(place.path().join("out")).unwrap());
    let indexes: Vec<u64> = results.iter().map(|object| object["index"].as_u64().unwrap()).collect();
    assert!(indexes.iter().copied().eq(1..=trial.lines as u64), "each index once, in order");
    check_results(&results, &lines);
    report("--output", trial, &seen, 0);
}

#[test]
fn of_printed_results_none_is_missing_and_few_come_twice_however_often_the_map_was_killed() {
    printed("standard output", &[], Trial::of_this_run());
}

#[test]
fn results_stay_in_order_over_all_runs_however_often_the_map_was_killed() {
    let trial = Trial::of_this_run();
    let results =
        printed("standard output in order", &["--keep-order"], Trial { lines: trial.lines / 4, ..trial });
    let mut indexes: Vec<u64> = results.iter().map(|object| object["index"].as_u64().unwrap()).collect();
    indexes.dedup();
    assert!(indexes.is_sorted(), "what comes again comes at once");
}

/// A trial whose results are appended to a file; answers all of them as they came.
fn printed(what: &str, options: &[&str], trial: Trial) -> Vec<Value> {
    let place = Place::with("");
    let lines = trial.input();
    let path = place.path().join("out");
    let append = || Stdio::from(OpenOptions::new().create(true).append(true).open(&path).unwrap());
    let seen = until_done(&place, trial, options, &lines, append);
    check(trial, &seen);
    let results = objects(&fs::read_to_string(&path).unwrap());
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    for object in &results {
        *times.entry(object["index"].as_u64().unwrap()).or_default() += 1;
    }
    assert!(times.keys().copied().eq(1..=trial.lines as u64), "none is missing");
    let repeats = results.len() - times.len();
    assert!(repeats <= trial.kills * STREAMS, "{repeats} results came again after {} kills", trial.kills);
    check_results(&results, &lines);
    report(what, trial, &seen, repeats);
    results
}

/// Runs the map, kills it at a random moment, and runs it again, until it has been killed so often; then to its end.
fn until_done(
    place: &Place,
    trial: Trial,
    options: &[&str],
    lines: &[Vec<u8>],
    out: impl Fn() -> Stdio,
) -> Seen {
    let input: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    place.write("input", input);
    let (begin, mut seen) = (Instant::now(), Seen::default());
    while seen.kills < trial.kills {
        let mut child = spawn(place, options, out());
        // Anything from at once to so far that the kills reach to about the end.
        let most = u64::try_from(trial.lines / trial.kills * 2).unwrap();
        let target = begun(place) + fastrand::u64(0..most);
        let early = fastrand::u64(0..4) == 0;
        let moment = Instant::now() + Duration::from_millis(fastrand::u64(0..100));
        let is_time = || if early { Instant::now() >= moment } else { begun(place) >= target };
        if watch(&mut child, &mut seen, begin + trial.patience, is_time) {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        seen.kills += 1;
    }
    let mut last = spawn(place, options, out());
    watch(&mut last, &mut seen, begin + trial.patience, || false);
    let said = Ran::of(last);
    assert_eq!(said.code, Some(0), "{}", said.err);
    seen.took = begin.elapsed();
    for id in fs::read_to_string(place.path().join("ran")).unwrap().lines() {
        *seen.begun.entry(id.to_owned()).or_default() += 1;
    }
    seen
}

fn spawn(place: &Place, options: &[&str], out: Stdio) -> Child {
    let streams = STREAMS.to_string();
    let own = ["--name", "n", "--json", "--quiet", "--streams", &*streams];
    let options: Vec<&str> = own.iter().chain(options).copied().collect();
    let input = File::open(place.path().join("input")).unwrap();
    command(place, &options, NOTING).stdin(input).stdout(out).spawn().unwrap()
}

/// Looks at the process until it is time, or until it has ended by itself: then the answer is true.
fn watch(child: &mut Child, seen: &mut Seen, deadline: Instant, is_time: impl Fn() -> bool) -> bool {
    let status = format!("/proc/{}/status", child.id());
    while !is_time() {
        if let Some(rss) = fs::read_to_string(&status).ok().as_deref().and_then(highest_rss) {
            seen.rss = seen.rss.max(rss);
        }
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        assert!(Instant::now() < deadline, "it takes too long: {seen:?}");
        pause();
    }
    false
}

/// Between two looks.
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

/// `VmHWM` in KiB; none of a process that has ended.
fn highest_rss(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// How many attempts were begun, from the size of what they noted.
fn begun(place: &Place) -> u64 {
    let size = fs::metadata(place.path().join("ran")).map_or(0, |about| about.len());
    // `n/12345/` and 32 digits.
    size / 40
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// No result that was stored ran again: only what was under way at a kill did.
fn check(trial: Trial, seen: &Seen) {
    assert_eq!(seen.begun.len(), trial.lines, "every input ran");
    let again: usize = seen.begun.values().map(|times| times - 1).sum();
    assert!(again <= seen.kills * STREAMS, "{again} inputs ran again after {} kills", seen.kills);
    assert!(seen.rss > 0 && seen.rss <= MOST_RSS, "{} KiB", seen.rss);
}

/// Each is its own line's, judged by its digest, and says what that line said.
fn check_results(results: &[Value], lines: &[Vec<u8>]) {
    for object in results {
        let index = usize::try_from(object["index"].as_u64().unwrap()).unwrap();
        let line = &lines[index - 1];
        let digest = Sha256::digest(line).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!((&object["digest"], &object["state"]), (&digest.into(), &"completed".into()));
        if let Ok(text) = std::str::from_utf8(line) {
            assert_eq!(object["result"], format!("{text}\n"));
        } else {
            assert_eq!(object["result_encoding"], "base64");
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was measured is for whoever runs it")]
fn report(what: &str, trial: Trial, seen: &Seen, repeats: usize) {
    let again: usize = seen.begun.values().map(|times| times - 1).sum();
    println!(
        "map to {what}: {} lines, killed {} times, {:.1} s, highest resident size {} KiB, {again} inputs ran again, \
         {repeats} results came again",
        trial.lines,
        seen.kills,
        seen.took.as_secs_f64(),
        seen.rss
    );
}
