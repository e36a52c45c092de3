//! Understands one text as the kind its key wants, or says what to write instead.

use crate::duration::{BadDuration, format_duration, parse_duration};
use crate::signal;
use crate::size::{BadSize, format_size, parse_size};
use crate::suggest;
use crate::table::{Kind, Means, Word};
use crate::tree::Scalar;
use crate::value::Sense;
use std::time::Duration;

/// Why a text is not of a kind.
pub(crate) struct Refusal {
    /// The end of a sentence that begins with the text.
    pub(crate) why: String,
    /// What to write instead, where the kind knows.
    pub(crate) help: Option<String>,
    /// Whether it may be of quite another kind: a word where a number is wanted.
    stranger: bool,
}

/// Reads `text` as `kind`; kinds that are no scalars refuse every text.
pub(crate) fn understand(kind: &Kind, text: &Scalar) -> Result<Sense, Refusal> {
    let word = text.text.as_str();
    match kind {
        Kind::Text => Ok(Sense::Text),
        Kind::Path => path(word),
        Kind::Bool => flag(word),
        Kind::Whole(least, most) => whole(word, *least, *most),
        Kind::Time(least, most) => time(word, *least, *most),
        Kind::Size(least, most) => size(word, *least, *most),
        Kind::Percent => percent(word),
        Kind::Signal => signal::parse(word).map(Sense::Signal).ok_or_else(|| {
            refusal(
                "is no signal that a worker can catch",
                "write a name or its number, for example `USR1` or `10`",
            )
        }),
        Kind::Word(words) => one_of(text, words),
        Kind::Either(kinds) => either(kinds, text),
        Kind::Texts | Kind::Map(_) | Kind::Object | Kind::Section(_) | Kind::Sections(_) => {
            Err(Refusal { why: format!("is not {}", kind.expected()), help: None, stranger: true })
        }
    }
}

/// The text is of the kind, but not a good one.
fn refusal(why: &str, help: &str) -> Refusal {
    Refusal { why: why.to_owned(), help: Some(help.to_owned()), stranger: false }
}

/// The text is of quite another kind.
fn stranger(why: &str, help: &str) -> Refusal {
    Refusal { stranger: true, ..refusal(why, help) }
}

fn path(word: &str) -> Result<Sense, Refusal> {
    if word.is_empty() || word.contains('\0') {
        return Err(refusal("is no path", "write a path; relative ones start at the file's directory"));
    }
    if word == "~" || word.starts_with("~/") {
        return Err(refusal(
            "begins with `~`, which only a shell understands",
            "write `${HOME}` instead of `~`",
        ));
    }
    Ok(Sense::Text)
}

fn flag(word: &str) -> Result<Sense, Refusal> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(Sense::Bool(true)),
        "false" | "no" | "off" => Ok(Sense::Bool(false)),
        _ => Err(refusal("is neither true nor false", "write `true` or `false`")),
    }
}

fn whole(word: &str, least: u64, most: u64) -> Result<Sense, Refusal> {
    let help = format!("write a whole number from {least} to {most}");
    let digits = word.replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let below = digits.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        return Err(if below && digits.len() > 1 {
            refusal("is below zero", &help)
        } else {
            stranger("is no whole number", &help)
        });
    }
    match digits.parse::<u64>() {
        Ok(number) if number < least => Err(refusal("is too small", &help)),
        Ok(number) if number <= most => Ok(Sense::Whole(number)),
        Ok(_) | Err(_) => Err(refusal("is too large", &help)),
    }
}

fn time(word: &str, least: u64, most: u64) -> Result<Sense, Refusal> {
    let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
    let range = || format!("write a duration from {} to {}", format_duration(least), format_duration(most));
    match parse_duration(word) {
        Ok(time) if time < least => Err(refusal("is too short", &range())),
        Ok(time) if time > most => Err(refusal("is too long", &range())),
        Ok(time) => Ok(Sense::Time(time)),
        Err(BadDuration::Form) => Err(stranger(
            "is no duration",
            "write for example `300` (seconds), `5m`, `1h30m`, `500ms` or `15_minutes`",
        )),
        Err(bad @ (BadDuration::Negative | BadDuration::TooLong)) => Err(refusal(&bad.to_string(), &range())),
    }
}

fn size(word: &str, least: u64, most: u64) -> Result<Sense, Refusal> {
    let range = || format!("write a size from {} to {}", format_size(least), format_size(most));
    match parse_size(word) {
        Ok(bytes) if bytes < least => Err(refusal("is too small", &range())),
        Ok(bytes) if bytes > most => Err(refusal("is too large", &range())),
        Ok(bytes) => Ok(Sense::Size(bytes)),
        Err(BadSize::Form) => {
            Err(stranger("is no size", "write for example `1048576` (bytes), `10MB` or `1MiB`"))
        }
        Err(bad @ (BadSize::Negative | BadSize::TooLarge)) => Err(refusal(&bad.to_string(), &range())),
    }
}

fn percent(word: &str) -> Result<Sense, Refusal> {
    let help = "write for example `80%`";
    let Some(digits) = word.trim().strip_suffix('%') else { return Err(stranger("is no share", help)) };
    match digits.trim().parse() {
        Ok(share @ 1..=99) => Ok(Sense::Percent(share)),
        Ok(0_u32..) => Err(refusal("is not from 1% to 99%", help)),
        Err(_) => Err(stranger("is no share", help)),
    }
}

fn one_of(text: &Scalar, words: &'static [Word]) -> Result<Sense, Refusal> {
    let found = words.iter().find(|word| word.text.eq_ignore_ascii_case(&text.text));
    match found.map(|word| (word.text, word.means)) {
        Some((word, Means::Itself)) => Ok(Sense::Word(word)),
        Some((_, Means::SameAs(word))) => Ok(Sense::Word(word)),
        Some((_, Means::Refused(help))) => Err(refusal("is not available", help)),
        None => Err(no_word(text, words)),
    }
}

fn no_word(text: &Scalar, words: &'static [Word]) -> Refusal {
    let offered: Vec<_> = words.iter().filter(|word| matches!(word.means, Means::Itself)).collect();
    // A suggestion would give part of a hidden value away.
    let near = if text.is_hidden() {
        None
    } else {
        suggest::nearest(&text.text, offered.iter().map(|word| word.text))
    };
    let expected = Kind::Word(words).expected();
    Refusal {
        why: "is none of the possible words".to_owned(),
        stranger: near.is_none(),
        help: Some(match near {
            Some(near) if offered.len() == 1 => format!("did you mean `{near}`?"),
            Some(near) => format!("did you mean `{near}`? Possible: {expected}"),
            None => format!("write {expected}"),
        }),
    }
}

fn either(kinds: &'static [Kind], text: &Scalar) -> Result<Sense, Refusal> {
    let mut nearest: Option<Refusal> = None;
    for kind in kinds {
        match understand(kind, text) {
            Ok(sense) => return Ok(sense),
            // Of all kinds the one speaks that the text was meant for: a number out of range, a mistyped word.
            Err(refused) if !refused.stranger => nearest = Some(refused),
            Err(_) => {}
        }
    }
    let expected = kinds.iter().map(Kind::expected).collect::<Vec<_>>().join(", or ");
    Err(nearest.unwrap_or(Refusal { why: format!("is not {expected}"), help: None, stranger: true }))
}
