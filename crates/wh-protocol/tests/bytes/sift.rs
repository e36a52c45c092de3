//! The result is found whatever stands around it, and however its bytes are cut.

use wh_protocol::sift::{SiftBounds, SiftFault, Sifted, Sifter, Stray};

/// What was sifted, and the log lines, with the bytes pushed in pieces of `cut`.
pub(crate) fn sift_cut(stray: Stray, bounds: SiftBounds, bytes: &[u8], cut: usize) -> (Sifted, Vec<String>) {
    let mut lines = Vec::new();
    let mut sifter = Sifter::new(stray, bounds);
    for chunk in bytes.chunks(cut.max(1)) {
        sifter.push(chunk, &mut |line| lines.push(line.log_text()));
    }
    assert!(
        sifter.examined() <= 3 * bytes.len() as u64,
        "{} looks at {} bytes",
        sifter.examined(),
        bytes.len()
    );
    let sifted = sifter.finish(&mut |line| lines.push(line.log_text()));
    (sifted, lines)
}

/// Sifts `bytes` whole, in halves and byte by byte; all must agree.
pub(crate) fn sift(stray: Stray, bounds: SiftBounds, bytes: &[u8]) -> (Sifted, Vec<String>) {
    let whole = sift_cut(stray, bounds, bytes, bytes.len());
    for cut in [1, 2, 3, 7, bytes.len() / 2] {
        assert_eq!(sift_cut(stray, bounds, bytes, cut), whole, "in pieces of {cut}");
    }
    whole
}

/// Checks the result and the log lines of `bytes`.
fn check(bytes: impl AsRef<[u8]>, result: Option<&str>, log: &[&str]) {
    let bytes = bytes.as_ref();
    let (sifted, lines) = sift(Stray::Logged, SiftBounds::default(), bytes);
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(sifted.result.as_deref(), result, "the result of {shown:?}");
    assert_eq!(lines, log, "the log of {shown:?}");
    assert_eq!(sifted.fault, None, "of {shown:?}");
}

pub(crate) const OK: &str = r#"{"success":true}"#;

#[test]
fn the_result_is_found_among_stray_text() {
    check(OK, Some(OK), &[]);
    check(format!("{OK}\n"), Some(OK), &[]);
    check(format!("{OK}\r\n"), Some(OK), &[]);
    check(format!("\u{feff}{OK}"), Some(OK), &[]);
    check(format!("  \n\t{OK}  \n\n"), Some(OK), &[]);
    check(format!("Loading... {OK}"), Some(OK), &["Loading... "]);
    check(format!("Loading... {OK} done"), Some(OK), &["Loading... ", " done"]);
    check(format!("before\n{OK}\nafter\n"), Some(OK), &["before", "after"]);
    check(format!("\0{OK}\0"), Some(OK), &["\0", "\0"]);
    check(
        "{\n  \"success\": true,\n  \"result\": [1, {}]\n}\n",
        Some("{\n  \"success\": true,\n  \"result\": [1, {}]\n}"),
        &[],
    );
    check("{\r\n  \"success\": false\r\n}\r\n", Some("{\r\n  \"success\": false\r\n}"), &[]);
    check(
        "Loading model... {\"layers\": 12}\n{\"success\": true, \"result\": 7} done in 3 s\n",
        Some("{\"success\": true, \"result\": 7}"),
        &["Loading model... {\"layers\": 12}", " done in 3 s"],
    );
    check("", None, &[]);
    check("\n\n", None, &[]);
    check("no json\n", None, &["no json"]);
    check("no line end", None, &["no line end"]);
}

#[test]
fn braces_in_stray_text_do_not_hide_the_result() {
    check(format!("{{ {OK}"), Some(OK), &["{ "]);
    check(format!("{{{OK}}}"), Some(OK), &["{", "}"]);
    check(format!("{{'python': 1}} {OK}"), Some(OK), &["{'python': 1} "]);
    check(format!("{{\"a {OK}"), Some(OK), &["{\"a "]);
    check(format!("{{\"a\": \"cut off {OK}"), Some(OK), &["{\"a\": \"cut off "]);
    check(format!("{{\"a\": \"cut off\n{OK}"), Some(OK), &["{\"a\": \"cut off"]);
    check(format!("{{\"a\": [1, 2, \n{OK}"), Some(OK), &["{\"a\": [1, 2, "]);
    check(format!("{{\"a\": [1, 2, \n{OK}\n"), Some(OK), &["{\"a\": [1, 2, "]);
    check(format!("{{\"config\":{{\"x\":1}}}}\n{OK}\n"), Some(OK), &[r#"{"config":{"x":1}}"#]);
    check(format!("[{OK}]"), Some(OK), &["[", "]"]);
}

#[test]
fn half_an_answer_is_no_answer() {
    check(
        r#"{"success":true,"result":{"success":false}"#,
        None,
        &[r#"{"success":true,"result":{"success":false}"#],
    );
    check(
        "{\n  \"success\": true,\n  \"items\": [\n    {\n      \"success\": false\n    },\n",
        None,
        &["{", "  \"success\": true,", "  \"items\": [", "    {", "      \"success\": false", "    },"],
    );
    let (sifted, _) = sift(Stray::Logged, SiftBounds::default(), br#"{"success":tr"#);
    assert!(sifted.unfinished);
}

#[test]
fn only_a_boolean_success_makes_a_result_and_the_last_one_counts() {
    for text in [
        r#"{"success":1}"#,
        r#"{"success":"true"}"#,
        r#"{"success":null}"#,
        r#"{"successful":true}"#,
        r#"{"s":{"success":true}}"#,
        r#"{"success":true,"success":1}"#,
        r#"{"Success":true}"#,
    ] {
        check(text, None, &[text]);
    }
    check(r#"{"success":1,"success":true}"#, Some(r#"{"success":1,"success":true}"#), &[]);
    check(
        r#"{"success":true,"n":1}{"success":false}"#,
        Some(r#"{"success":false}"#),
        &[r#"{"success":true,"n":1}"#],
    );
    check(format!("{OK}\n{{\"other\":1}}\n"), Some(OK), &[r#"{"other":1}"#]);
}

#[test]
fn no_utf8_is_told_with_its_offset() {
    let (sifted, lines) = sift(Stray::Logged, SiftBounds::default(), b"caf\xe9\n{\"success\":true}\n");
    assert_eq!(sifted.fault, Some(SiftFault::NotUtf8 { offset: 3 }));
    assert_eq!((sifted.result.as_deref(), lines), (Some(OK), vec!["caf\u{fffd}".to_owned()]));
    let (sifted, _) = sift(Stray::Logged, SiftBounds::default(), b"{\"success\":true,\"n\":\"\xff\"}");
    assert_eq!((sifted.fault, sifted.result), (Some(SiftFault::NotUtf8 { offset: 21 }), None));
}
