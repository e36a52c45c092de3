//! Every bound of standard output is hit, and reading goes on behind it.

use crate::sift::{OK, sift};
use wh_protocol::sift::{SiftBounds, SiftFault, Sifted, Sifter, Stray};

fn bounds(line: u64, total: u64, nesting: u32) -> SiftBounds {
    SiftBounds { line, total, nesting }
}

fn lenient(bounds: SiftBounds, bytes: impl AsRef<[u8]>) -> Sifted {
    sift(Stray::Logged, bounds, bytes.as_ref()).0
}

#[test]
fn a_line_at_the_bound_is_fine_and_one_byte_more_is_a_fault() {
    let at = |line| lenient(bounds(line, 1 << 20, 128), format!("first\n{OK}\r\nlast")).fault;
    assert_eq!(at(16), None);
    assert_eq!(at(15), Some(SiftFault::LineTooLong { limit: 15 }));
}

#[test]
fn a_line_that_is_too_long_costs_only_itself() {
    let text = format!("{}\n{OK}\n", "x".repeat(100));
    let (sifted, log) = sift(Stray::Logged, bounds(20, 1 << 20, 128), text.as_bytes());
    assert_eq!(sifted.fault, Some(SiftFault::LineTooLong { limit: 20 }));
    assert_eq!(sifted.result.as_deref(), Some(OK));
    assert_eq!(log, ["x".repeat(100)]);
}

#[test]
fn a_result_on_a_line_that_is_too_long_is_not_taken() {
    let padded = format!(r#"{{"success":true,"result":"{}"}}"#, "x".repeat(100));
    let sifted = lenient(bounds(50, 1 << 20, 128), format!("{padded}\n"));
    assert_eq!(sifted.fault, Some(SiftFault::LineTooLong { limit: 50 }));
    assert_eq!(sifted.result, None);
    let spread = padded.replace("\"x", "\n\"x");
    assert_eq!(lenient(bounds(110, 1 << 20, 128), spread).fault, None);
}

#[test]
fn output_at_the_bound_is_fine_and_the_rest_is_skipped_and_counted() {
    let text = format!("{OK}\n{}", "y".repeat(83));
    assert_eq!(lenient(bounds(1 << 20, 100, 128), &text).fault, None);
    let sifted = lenient(bounds(1 << 20, 99, 128), format!("{text}{OK}"));
    assert_eq!(sifted.fault, Some(SiftFault::OutputTooLarge { limit: 99 }));
    assert_eq!((sifted.results, sifted.total_bytes), (1, 116));
}

#[test]
fn nesting_at_the_bound_is_fine_and_one_level_more_is_a_fault() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!(r#"{{"success":true,"result":{open}"] \" }}"{close}}}"#)
    };
    let sifted = lenient(SiftBounds::default(), nested(128));
    assert_eq!((sifted.fault, sifted.results), (None, 1));
    let sifted = lenient(SiftBounds::default(), nested(129));
    assert_eq!((sifted.fault, sifted.results), (Some(SiftFault::TooDeep { limit: 128 }), 0));
    let sifted = lenient(SiftBounds::default(), nested(100_000));
    assert_eq!((sifted.fault, sifted.results), (Some(SiftFault::TooDeep { limit: 128 }), 0));
    let sifted = lenient(SiftBounds::default(), format!("{}\n{OK}", nested(129)));
    assert_eq!((sifted.fault, sifted.results), (None, 1), "a result after it clears the fault");
}

#[test]
fn no_part_of_an_object_that_is_too_deep_is_the_result() {
    let text = format!(r#"{{"a":[[[[1]]]],"b":{OK}}}"#);
    let sifted = lenient(bounds(1 << 20, 1 << 20, 3), text);
    assert_eq!((sifted.fault, sifted.result), (Some(SiftFault::TooDeep { limit: 3 }), None));
}

#[test]
fn strict_forbids_every_stray_byte_but_white_space() {
    let strict = |text: &str| sift(Stray::Forbidden, SiftBounds::default(), text.as_bytes()).0;
    for text in [OK.to_owned(), format!("\u{feff}\r\n\t {OK} \r\n")] {
        assert_eq!(strict(&text).fault, None, "{text:?}");
    }
    let rows = [
        (format!("banner\n{OK}"), 0),
        (format!("{OK}\n  x"), 19),
        (format!("{OK}\n{OK}"), 0),
        (format!("  {{\"a\":1}}{OK}"), 2),
        (format!("{OK}{{\"a\""), 16),
    ];
    for (text, offset) in rows {
        let sifted = strict(&text);
        assert_eq!(sifted.fault, Some(SiftFault::StrayOutput { offset }), "{text:?}");
        assert_eq!(sifted.result.as_deref(), Some(OK), "{text:?}");
    }
}

/// Text that looks like the beginning of a result at every turn.
const BAIT: [&str; 10] = [
    "{",
    "{\"",
    "{\":",
    "{\"{\"",
    "{\"   \"",
    "{\"a\":[",
    "{\"a\":{\"b\":1},",
    "{\"success\":true,\n\"a\":\n",
    "{\"success\":tru ",
    "{\"a\":\"{\\\"success\\\":true",
];

#[test]
fn no_text_is_looked_at_more_than_three_times() {
    for bait in BAIT {
        let text = bait.repeat(200_000 / bait.len());
        let mut sifter = Sifter::new(Stray::Logged, SiftBounds::default());
        sifter.push(text.as_bytes(), &mut |_| {});
        let looks = sifter.examined();
        assert!(looks <= 3 * text.len() as u64, "{looks} looks at {} bytes of {bait:?}", text.len());
    }
}

#[test]
fn memory_stays_within_the_bound_of_the_output() {
    const TOTAL: u64 = 100_000;
    for bait in BAIT.into_iter().chain([OK, "x", "x\n", "{\"a\":\"x"]) {
        let mut sifter = Sifter::new(Stray::Logged, bounds(TOTAL, TOTAL, 128));
        for _ in 0..200_000 / bait.len() {
            sifter.push(bait.as_bytes(), &mut |_| {});
            assert!(sifter.held() as u64 <= TOTAL, "{} bytes held of {bait:?}", sifter.held());
        }
        assert_eq!(sifter.fault(), Some(SiftFault::OutputTooLarge { limit: TOTAL }), "{bait:?}");
    }
}

#[test]
fn endless_text_without_a_brace_holds_one_log_line_at_most() {
    let mut sifter = Sifter::new(Stray::Logged, SiftBounds::default());
    for _ in 0..1_000 {
        sifter.push(&[b'x'; 10_000], &mut |_| {});
        assert!(sifter.held() <= wh_protocol::lines::LOG_LINE);
    }
}
