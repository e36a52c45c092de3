//! Each number that bounds a configuration, at it and beyond it.

use crate::{errors, loaded, messages, nothing, refused, worker, yaml};
use std::path::Path;
use wh_config::{MOST_BYTES, load, parse};

#[test]
fn a_file_has_at_most_one_mebibyte() {
    let filled = |bytes: usize| format!("#{}", "x".repeat(bytes - 1));
    assert_eq!(MOST_BYTES, 1 << 20);
    assert!(yaml(&filled(MOST_BYTES)).is_ok());
    assert_eq!(
        messages(&refused(&filled(MOST_BYTES + 1))),
        ["w.yaml: the file is larger than 1048576 bytes"]
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("w.yaml");
    std::fs::write(&file, filled(MOST_BYTES + 1)).unwrap();
    assert!(load(&file, &nothing).unwrap_err().to_string().contains("larger than 1048576 bytes"));
}

#[test]
fn values_nest_at_most_thirty_two_deep() {
    // The file's own keys, the list of workers and the worker are three; `metadata` is the fourth.
    let flow =
        |levels: usize| worker(&format!("metadata: {{a: {}{}}}", "[".repeat(levels), "]".repeat(levels)));
    assert!(yaml(&flow(28)).is_ok());
    assert_eq!(messages(&refused(&flow(29))), ["values are nested more than 32 deep"]);
    assert_eq!(messages(&refused(&flow(100_000))), ["values are nested more than 32 deep"]);
    let block: String = (0..40).map(|level| " ".repeat(level) + "a:\n").collect();
    assert_eq!(messages(&refused(&block)), ["values are nested more than 32 deep"]);
    let json = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let problems = parse("w.json", &json, Path::new("/"), &nothing).unwrap_err();
    assert_eq!(messages(&problems), ["values are nested more than 32 deep"]);
}

#[test]
fn at_most_a_thousand_problems_are_told() {
    let keys = |count: usize| (0..count).map(|n| format!("zz{n}zz: 1")).collect::<Vec<_>>().join("\n");
    assert_eq!(errors(&refused(&keys(999))).len(), 999);
    let problems = refused(&keys(50_000));
    assert_eq!(problems.len(), 1_001);
    assert!(messages(&problems).contains(&"too many problems; the rest is not told".to_owned()));
}

#[test]
fn a_thousand_problems_on_one_long_line_are_told_at_once() {
    let keys: Vec<_> = (0..80_000).map(|n| format!("\"zz{n}\": 1")).collect();
    let text = format!("{{{}}}", keys.join(","));
    assert!(text.len() > MOST_BYTES / 2);
    let problems = parse("w.json", &text, Path::new("/"), &nothing).unwrap_err();
    assert_eq!(problems.len(), 1_001);
    assert!(problems.render(false).len() < 2_000_000);
}

#[test]
fn variables_come_to_at_most_one_mebibyte() {
    let env = |name: &str| (name == "BIG").then(|| "x".repeat(1 << 18));
    let read = |count: usize| {
        let list = vec!["\"${BIG}\""; count].join(", ");
        parse("w.yaml", &format!("host: {{labels: [{list}]}}"), Path::new("/"), &env)
    };
    assert!(read(4).is_ok());
    let problems = read(5).unwrap_err();
    assert_eq!(errors(&problems), ["the values of variables come to more than 1048576 bytes"]);
}

#[test]
fn numbers_hold_their_limits() {
    let check = |lines: &str, good: bool| {
        assert_eq!(yaml(&worker(lines)).is_ok(), good, "{lines}");
    };
    for (key, least, most) in [
        ("streams", "1", "1024"),
        ("timeout", "1ms", "365d"),
        ("grace", "0", "1h"),
        ("max_attempts", "1", "1000000"),
        ("soft", "1%", "99%"),
    ] {
        check(&format!("{key}: {least}"), true);
        check(&format!("{key}: {most}"), true);
    }
    for line in [
        "streams: 0",
        "streams: 1025",
        "timeout: 0",
        "timeout: 365d1ms",
        "grace: 61m",
        "max_attempts: 0",
        "max_attempts: 1000001",
        "soft: 0%",
        "soft: 100%",
        "bounds: {line: 1023}",
        "bounds: {nesting: 1001}",
        "bounds: {params: 65MiB}",
        "retry: {factor: 101}",
        "retry: {max: 31d}",
        "retry: {base: -1}",
        "streams: 99999999999999999999999",
        "bounds: {stdout: 99999999TiB}",
        "timeout: 1e9",
    ] {
        check(line, false);
    }
    assert!(yaml("lease: {length: 30s, renew_every: 10s}").is_ok());
    assert!(yaml("lease: {length: 30s, renew_every: 10001ms}").is_err());
}

#[test]
fn names_have_at_most_two_hundred_bytes() {
    let named = |length: usize| worker("").replace("name: w", &format!("name: {}", "n".repeat(length)));
    assert_eq!(loaded(&named(200)).config.workers.len(), 1);
    assert_eq!(
        messages(&refused(&named(201))),
        ["the name of this worker is 201 bytes long; at most 200 are allowed"]
    );
}
