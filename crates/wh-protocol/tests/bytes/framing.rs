//! Lines of every critical length, with every line end, in every cut, through every reader of lines.

use std::time::Duration;
use wh_protocol::channel::{ChannelBounds, ChannelFault, ChannelReader, Event};
use wh_protocol::lines::LineFramer;
use wh_protocol::sift::{SiftBounds, SiftFault, Sifter, Stray};

const BOUND: usize = 70_000;
const LENGTHS: [usize; 9] = [0, 1, 2, 65_535, 65_536, 65_537, BOUND - 1, BOUND, BOUND + 1];
const ENDS: [&str; 3] = ["\n", "\r\n", ""];
const CUTS: [usize; 31] = [
    1, 2, 3, 7, 16, 31, 64, 100, 255, 256, 333, 511, 1_000, 4_095, 4_096, 4_097, 8_192, 12_345, 32_767,
    50_000, 65_535, 65_536, 65_537, 65_538, 69_999, 70_000, 70_001, 70_002, 70_003, 70_016, 200_000,
];
const FILLS: [&[u8]; 3] = [b"a", "é".as_bytes(), b"\rb"];

/// Calls `each` with a line, its line end and a cut, for all of them; returns how many there were.
fn for_every_input(mut each: impl FnMut(&[u8], &str, usize)) -> usize {
    let mut count = 0;
    for length in LENGTHS {
        for fill in FILLS {
            let line: Vec<u8> = fill.iter().copied().cycle().take(length).collect();
            // A CR at the very end belongs to the line end, so it is no part of a line.
            let line: Vec<u8> = line.strip_suffix(b"\r").map_or(line.clone(), |rest| [rest, b"c"].concat());
            for end in ENDS {
                for cut in CUTS {
                    each(&line, end, cut);
                    count += 1;
                }
            }
        }
    }
    count
}

fn framed(line: &[u8], end: &str, cut: usize) -> Vec<(Vec<u8>, u64)> {
    let mut framer = LineFramer::new(BOUND);
    let mut out = Vec::new();
    for chunk in [line, end.as_bytes()].concat().chunks(cut) {
        framer.push(chunk, |line| out.push((line.bytes.to_vec(), line.lost)));
        assert!(framer.held() <= BOUND);
    }
    framer.finish(|line| out.push((line.bytes.to_vec(), line.lost)));
    out
}

#[test]
fn the_framer_gives_every_line_whole_up_to_the_bound() {
    let inputs = for_every_input(|line, end, cut| {
        let expected = match (line.len(), end) {
            (0, "") => vec![],
            (length, _) if length > BOUND => vec![(line[..BOUND].to_vec(), 1)],
            _ => vec![(line.to_vec(), 0)],
        };
        assert!(framed(line, end, cut) == expected, "{} bytes, {end:?}, in {cut}", line.len());
    });
    assert_eq!(inputs, LENGTHS.len() * ENDS.len() * CUTS.len() * FILLS.len());
}

#[test]
fn the_sifter_faults_exactly_beyond_the_bound() {
    let bounds = SiftBounds { line: BOUND as u64, ..SiftBounds::default() };
    let inputs = for_every_input(|line, end, cut| {
        let mut sifter = Sifter::new(Stray::Logged, bounds);
        for chunk in [line, end.as_bytes(), br#"{"success":true}"#].concat().chunks(cut) {
            sifter.push(chunk, &mut |_| {});
        }
        let shares_its_line = end.is_empty() && line.len() + 16 > BOUND;
        let sifted = sifter.finish(&mut |_| {});
        // Cutting a character in two at the bound makes a line of broken text, but too long is the graver fault.
        let too_long = Some(SiftFault::LineTooLong { limit: BOUND as u64 });
        let is_utf8 = std::str::from_utf8(line).is_ok();
        let fault = sifted.fault;
        let what = format!("{} bytes, {end:?}, in {cut}", line.len());
        if line.len() > BOUND || shares_its_line {
            assert_eq!(fault, too_long, "{what}");
        } else {
            assert_eq!(fault.is_none(), is_utf8, "{what}");
        }
        assert_eq!(sifted.result.is_some(), !shares_its_line, "{what}");
    });
    assert_eq!(inputs, LENGTHS.len() * ENDS.len() * CUTS.len() * FILLS.len());
}

#[test]
fn the_channel_hears_every_line_up_to_the_bound() {
    const FRAME: usize = r#"{"event":"checkpoint","data":""}"#.len();
    let bounds = ChannelBounds { line: BOUND, ..ChannelBounds::default() };
    let mut inputs = 0;
    for length in LENGTHS.into_iter().filter(|length| *length >= FRAME) {
        let line = format!(r#"{{"event":"checkpoint","data":"{}"}}"#, "d".repeat(length - FRAME));
        for (end, cut) in ENDS.into_iter().flat_map(|end| CUTS.map(|cut| (end, cut))) {
            let mut heard = Vec::new();
            let mut reader = ChannelReader::new(bounds);
            for chunk in [line.as_bytes(), end.as_bytes()].concat().chunks(cut) {
                reader.push(chunk, Duration::ZERO, |said| heard.push(said));
            }
            reader.finish(Duration::ZERO, |said| heard.push(said));
            match &heard[..] {
                [Ok(Event::Checkpoint(data))] => {
                    assert!(length <= BOUND && data.len() == length - FRAME + 2);
                }
                [Err(ChannelFault::TooLong { limit: BOUND })] => assert!(length > BOUND),
                _ => panic!("{length} bytes, {end:?}, in {cut}: {} things heard", heard.len()),
            }
            inputs += 1;
        }
    }
    assert_eq!(inputs, 6 * ENDS.len() * CUTS.len());
}

#[test]
fn short_lines_byte_by_byte_are_the_same_as_whole() {
    for text in [
        "",
        "\n",
        "\r\n",
        "\r",
        "a\r",
        "a\rb\n",
        "\r\r\n",
        "a\n\nb\r\n",
        "a\r\nb",
        "aaaaa\r\n",
        "aaaaa\r",
        "aaaaaa\r\r\nb",
    ] {
        for bound in 1..7 {
            let lines = |cut: usize| {
                let mut framer = LineFramer::new(bound);
                let mut out = Vec::new();
                text.as_bytes().chunks(cut).for_each(|chunk| {
                    framer.push(chunk, |line| out.push((line.bytes.to_vec(), line.lost)));
                });
                framer.finish(|line| out.push((line.bytes.to_vec(), line.lost)));
                out
            };
            let whole = lines(100);
            (1..6).for_each(|cut| assert_eq!(lines(cut), whole, "{text:?} within {bound} in {cut}"));
        }
    }
}

#[test]
fn a_log_line_tells_what_was_cut_off_and_never_cuts_a_character() {
    let mut framer = LineFramer::new(4);
    let mut lines = Vec::new();
    framer.push("abcdef\nabcéf\n\u{fffd}\n".as_bytes(), |line| lines.push(line.log_text()));
    framer.push(b"a\xffb\n", |line| lines.push(line.log_text()));
    assert_eq!(lines, ["abcd [2 more bytes]", "abc [3 more bytes]", "\u{fffd}", "a\u{fffd}b"]);
}
