//! What an input is, and what comes out for it.

use super::{Ran, map, start, tasks};
use crate::place::{Place, until_so};
use rustix::io::Errno;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn each_line_is_one_standard_input_and_each_result_ends_with_a_newline() {
    let place = Place::with("");
    let said = map(&place, &["--keep-order"], &["cat"], b"a\n\n\xff\x00b\r\nlast");
    assert_eq!((said.code, &*said.out), (Some(0), &b"a\n\n\xff\x00b\r\nlast\n"[..]), "{said:?}");
    let said = map(&place, &["--keep-order"], &["sh", "-c", "wc -c; echo more"], "ab\n\n");
    assert_eq!(said.text(), "2\nmore\n0\nmore\n");
}

#[test]
fn no_input_is_no_work_and_a_good_end() {
    let place = Place::with("");
    let said = map(&place, &["-q"], &["false"], "");
    assert_eq!((said.code, said.text(), &*said.err), (Some(0), "", ""));
}

#[test]
fn the_first_result_comes_while_the_input_is_still_open() {
    let place = Place::with("");
    let mut child = start(&place, &[], &["cat"]);
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut results = BufReader::new(stdout).lines();
    for line in ["first", "second"] {
        writeln!(stdin, "{line}").unwrap();
        assert_eq!(results.next().unwrap().unwrap(), line);
    }
    drop(stdin);
    assert!(results.next().is_none());
    assert_eq!(Ran::of(child).code, Some(0));
}

#[test]
fn results_keep_the_order_of_the_lines_where_that_is_asked_for() {
    let place = Place::with("");
    let first_waits = [
        "sh",
        "-c",
        "read -r x; [ $x != 1 ] || until [ -e last ]; do :; done; [ $x != 9 ] || : > last; echo $x",
    ];
    let said = map(&place, &["--keep-order", "--streams", "2"], &first_waits, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    assert_eq!(said.text(), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    std::fs::remove_file(place.path().join("last")).unwrap();
    let said = map(&place, &["--streams", "2"], &first_waits, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    assert!(said.text().starts_with("2\n"), "as they come: {said:?}");
}

#[test]
fn an_object_tells_which_input_it_was_and_what_became_of_it() {
    let place = Place::with("");
    let words = ["sh", "-c", "read -r x; [ $x = good ] || { echo half; exit 2; }; printf '\\377'"];
    let said = map(&place, &["--json", "--keep-order"], &words, "good\nbad\n");
    assert_eq!(said.code, Some(11), "{said:?}");
    let objects = said.objects();
    assert_eq!(objects.len(), 2);
    for (object, index) in objects.iter().zip([1, 2]) {
        assert_eq!((&object["schema"], &object["index"]), (&"workerhost.map/v1".into(), &index.into()));
    }
    // printf good | sha256sum
    let digest = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c";
    assert_eq!((&objects[0]["digest"], &objects[0]["state"]), (&digest.into(), &"completed".into()));
    assert_eq!((&objects[0]["result"], &objects[0]["result_encoding"]), (&"/w==".into(), &"base64".into()));
    assert_eq!((&objects[1]["state"], &objects[1]["outcome"]), (&"poisoned".into(), &"failed".into()));
    assert_eq!((&objects[1]["exit_code"], &objects[1]["partial"]), (&2.into(), &true.into()));
    let sentence = objects[1]["sentence"].as_str().unwrap();
    assert!(sentence.contains("Given up") && said.err.contains(sentence), "{said:?}");
}

#[test]
fn a_worker_with_an_envelope_gets_each_line_as_params() {
    let place = Place::with("");
    let worker = "import json, sys\n\
        task = json.load(sys.stdin)\n\
        print(json.dumps({'success': True, 'result': [task['params'], task['type']]}))\n";
    place.write("worker.py", worker);
    let options = ["--protocol", "json", "--keep-order"];
    let said = map(&place, &options, &["python3", "worker.py"], "{\"n\": 1.0}\n\n7\nnot json\n");
    assert_eq!(said.text(), "[{\"n\": 1.0}, \"map\"]\n[7, \"map\"]\n");
    assert_eq!(said.code, Some(1), "lines that are no inputs have no results: {said:?}");
    assert!(said.err.contains("line 2 is no input: it is no JSON value"), "{said:?}");
    assert!(said.err.contains("line 4 is no input") && said.err.contains("2 of 4 lines failed"), "{said:?}");
}

#[test]
fn a_command_has_its_users_environment_and_the_name_of_its_task() {
    let place = Place::with("");
    let mut child = super::command(&place, &["--name", "n"], &["sh", "-c", "echo $MINE $WORKERHOST_TASK_ID"]);
    let said = Ran::of(
        child.env("MINE", "own").stdin(std::fs::File::open(place.write("in", "x")).unwrap()).spawn().unwrap(),
    );
    assert_eq!(said.text(), "own n/1/2d711642b726b04401627ca9fbac32f5\n");
}

#[test]
fn a_longer_line_than_is_allowed_is_told_and_spoils_no_other() {
    let place = Place::with("");
    let mut input = vec![b'x'; (8 << 20) + 1];
    input.extend(b"\nshort\n");
    let said = map(&place, &[], &["wc", "-c"], input);
    assert_eq!((said.code, said.text()), (Some(1), "5\n"), "{said:?}");
    assert!(said.err.contains("line 1 is no input: it is longer than 8388608 bytes"), "{said:?}");
    let said = map(&place, &[], &["wc", "-c"], vec![b'x'; 8 << 20]);
    assert_eq!((said.code, said.text()), (Some(0), "8388608\n"), "{said:?}");
}

/// Against a producer that never ends, with a command that never does.
#[test]
fn no_more_is_read_ahead_than_is_promised() {
    let place = Place::with("");
    let mut child = start(&place, &["--name", "n", "--streams", "1"], &["sleep", "600"]);
    let stdin = child.stdin.take().unwrap();
    rustix::io::ioctl_fionbio(&stdin, true).unwrap();
    let line = [vec![b'x'; 1_023], vec![b'\n']].concat();
    let (mut written, mut last_went) = (0_usize, Instant::now());
    // Until nothing has gone for a while: then the map has stopped to read.
    until_so("the map reads no more", || {
        loop {
            match rustix::io::write(&stdin, &line[written % line.len()..]) {
                Ok(taken) => (written, last_went) = (written + taken, Instant::now()),
                Err(Errno::AGAIN) => break,
                Err(error) => panic!("{error}"),
            }
        }
        last_went.elapsed() > Duration::from_secs(2) && tasks(&place, "n") >= 1_000
    });
    let lines = written / line.len();
    // In the store, in two batches on their way, in the reader's hand and buffer, and in the pipe.
    assert!((1_000..=1_250 + 3 * 250 + 64 + 64).contains(&lines), "{lines} lines were taken");
    assert!(tasks(&place, "n") <= 1_250, "{}", tasks(&place, "n"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_command_that_cannot_be_found_is_told_before_anything_is_read() {
    let place = Place::with("");
    let said =
        Ran::of(super::command(&place, &[], &["no-such-program"]).stdin(Stdio::piped()).spawn().unwrap());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("there is no program no-such-program on PATH"), "{said:?}");
    assert!(!place.path().join(".workerhost").exists());
}

#[test]
fn a_command_that_never_starts_ends_the_map_instead_of_all_its_inputs() {
    let place = Place::with("");
    let said = map(&place, &["--name", "n"], &["sh", "-c", "no-such-program"], "a\nb\nc\nd\n");
    assert_eq!((said.code, said.text()), (Some(1), ""), "{said:?}");
    assert!(said.err.contains("the command cannot be run"), "{said:?}");
    assert!(said.err.contains("To go on, give the same input to"), "{said:?}");
    until_so("the store", || tasks(&place, "n") == 4);
}
