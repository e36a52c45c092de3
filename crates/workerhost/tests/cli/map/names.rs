//! Maps have names: one command each, one process at a time, and an end.

use super::{NOTING, Ran, dir, map, maps, ran, start};
use crate::place::{Place, Said};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, SystemTime};

#[test]
fn a_name_stands_for_one_command_and_one_protocol() {
    let place = Place::with("");
    assert_eq!(map(&place, &["--name", "n"], &["cat", "-u"], "1\n").code, Some(0));
    for (options, command) in
        [(&["--name", "n"][..], &["cat"][..]), (&["--name", "n", "--protocol", "json"], &["cat", "-u"])]
    {
        let said = map(&place, options, command, "1\n");
        assert_eq!((said.code, said.text()), (Some(5), ""), "{said:?}");
        assert!(said.err.contains("the map n runs `cat -u` with protocol raw"), "{said:?}");
    }
    assert_eq!(map(&place, &["--name", "m"], &["cat"], "1\n").text(), "1\n", "another name is free");
}

#[test]
fn two_maps_of_one_name_do_not_run_at_the_same_time() {
    let place = Place::with("");
    let mut child = start(&place, &["--name", "n"], &["cat"]);
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "1").unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(results.next().unwrap().unwrap(), "1");
    let said = map(&place, &["--name", "n"], &["cat"], "1\n");
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.err.contains("a map called n is at work"), "{said:?}");
    assert_eq!(map(&place, &["--name", "m"], &["cat"], "1\n").code, Some(0), "another one may");
    drop(stdin);
    assert_eq!(Ran::of(child).code, Some(0));
}

#[test]
fn without_a_name_everything_runs_afresh_and_nothing_is_left_of_a_good_end() {
    let place = Place::with("");
    for _ in 0..2 {
        let said = map(&place, &[], NOTING, "1\n");
        assert_eq!((said.code, said.text()), (Some(0), "1\n"), "{said:?}");
        assert!(
            said.err.contains("If it is stopped, go on with: ") && said.err.contains(" --name "),
            "{said:?}"
        );
    }
    assert_eq!(ran(&place), ["1", "1"]);
    assert!(maps(&place).is_empty());
}

#[test]
fn a_map_with_failures_is_kept_with_its_sentences_until_its_retention_is_over() {
    let place = Place::with("");
    let said = map(&place, &["-q"], &["sh", "-c", "exit 2"], "1\n");
    assert_eq!(said.code, Some(11), "{said:?}");
    let kept = maps(&place);
    let [name] = &*kept else { panic!("{kept:?}") };
    let store = format!("sqlite:{}", dir(&place, name).join("tasks.db").display());
    let listed: Said = place.ok(&["--store", &store, "list", "--json"]);
    assert_eq!(listed.objects()[0]["state"], "poisoned");
    let days = |days: u64| SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
    let finished = File::options().write(true).open(dir(&place, name).join("finished")).unwrap();
    finished.set_modified(days(6)).unwrap();
    map(&place, &[], &["cat"], "");
    assert_eq!(maps(&place), kept, "the usual retention is seven days");
    finished.set_modified(days(7)).unwrap();
    map(&place, &[], &["cat"], "");
    assert!(maps(&place).is_empty());
}

#[test]
fn a_name_that_is_no_file_name_is_refused() {
    let place = Place::with("");
    for name in ["", "a/b", "..", "-x", "a b"] {
        let said = map(&place, &[&format!("--name={name}")], &["cat"], "1\n");
        assert_eq!(said.code, Some(2), "{name}: {said:?}");
    }
}
