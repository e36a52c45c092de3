//! `${NAME}` and `${NAME:-default}`: put in after the file has been read, so no value can change its shape.

use crate::overrides;
use crate::report::Report;
use crate::source::At;
use crate::tree::{Node, Scalar, What, quote};

/// The most bytes that all substituted texts of a file may come to.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// What stands between `${` and `}`.
#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Literal(&'t str),
    Variable { name: &'t str, default: Option<&'t str>, whole: &'t str },
}

/// Why a text cannot be taken apart; holds the rest of it from the mistake on.
#[derive(Debug, PartialEq, Eq)]
enum BadForm<'t> {
    Unclosed(&'t str),
    Name(&'t str),
}

/// Puts the environment's values into every scalar below `node`.
pub(crate) fn substitute(node: &mut Node, env: &dyn Fn(&str) -> Option<String>, report: &mut Report) {
    let mut filler = Filler { env, report, room: MOST_BYTES };
    filler.node(node);
}

struct Filler<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    report: &'a mut Report,
    room: usize,
}

impl Filler<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.what {
            What::Scalar(text) if text.text.contains("${") => {
                if !self.text(text) {
                    node.what = What::Broken;
                }
            }
            What::Scalar(_) | What::Broken => {}
            What::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            What::Map(entries) => entries.iter_mut().for_each(|entry| self.node(&mut entry.value)),
        }
    }

    /// Fills one text; `false` when it could not be, which has been reported.
    fn text(&mut self, text: &mut Scalar) -> bool {
        let written = text.written.clone();
        let parts = match split(&written) {
            Ok(parts) => parts,
            Err(error) => {
                self.bad_form(text, &error);
                return false;
            }
        };
        let (mut filled, mut complete) = (String::new(), true);
        for part in parts {
            match part {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Variable { name, default, whole } => {
                    text.substituted = true;
                    match self.value(name, default) {
                        Ok(value) => filled.push_str(&value),
                        Err((message, help)) => {
                            let at = self.within(text.at, whole);
                            self.report.error(at, message, help);
                            complete = false;
                        }
                    }
                }
            }
            if filled.len() > self.room {
                let message = format!("the values of variables come to more than {MOST_BYTES} bytes");
                self.report.error(text.at, message, "give large values as files");
                return false;
            }
        }
        self.room -= filled.len();
        text.text = filled;
        complete
    }

    fn value(&self, name: &str, default: Option<&str>) -> Result<String, (String, String)> {
        if overrides::is_given_to_workers(name) {
            return Err((
                format!("`{name}` is given to workers by the host and is never read as configuration"),
                "use a variable of another name".to_owned(),
            ));
        }
        // As in a shell, `:-` also stands in for an empty value.
        let value = (self.env)(name);
        match (value, default) {
            (Some(value), None) => Ok(value),
            (Some(value), Some(_)) if !value.is_empty() => Ok(value),
            (_, Some(default)) => Ok(default.to_owned()),
            (None, None) => Err((
                format!("the environment variable `{name}` is not set"),
                format!(
                    "set it, give a default with `${{{name}:-default}}`, or write `$${{{name}}}` for the text itself"
                ),
            )),
        }
    }

    fn bad_form(&mut self, text: &Scalar, error: &BadForm<'_>) {
        let (rest, message) = match error {
            BadForm::Unclosed(rest) => (rest, "`${` is never closed".to_owned()),
            BadForm::Name(rest) if text.secret => (rest, "this names no variable".to_owned()),
            BadForm::Name(rest) => (rest, format!("{} names no variable", quote(rest))),
        };
        let at = self.within(text.at, rest);
        self.report.error(
            at,
            message,
            "write `${NAME}` or `${NAME:-default}`; for the text itself double the sign: `$${`",
        );
    }

    /// The place of a part of a scalar, where it stands there as it is; else the scalar's.
    fn within(&self, at: At, part: &str) -> At {
        match self.report.slice(at).find(part) {
            Some(offset) => At { start: at.start + offset, end: at.start + offset + part.len(), ..at },
            None => at,
        }
    }
}

/// Takes a text apart.
fn split(text: &str) -> Result<Vec<Part<'_>>, BadForm<'_>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(sign) = rest.find("${") {
        let (before, from) = rest.split_at(sign);
        if let Some(before) = before.strip_suffix('$') {
            parts.push(Part::Literal(before));
            let (literal, after) = from.split_at(2);
            parts.push(Part::Literal(literal));
            rest = after;
            continue;
        }
        parts.push(Part::Literal(before));
        let end = from.find('}').ok_or(BadForm::Unclosed(from))?;
        let (whole, after) = from.split_at(end + 1);
        let inner = whole.strip_prefix("${").and_then(|inner| inner.strip_suffix('}')).unwrap_or_default();
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        if !is_name(name) {
            return Err(BadForm::Name(whole));
        }
        parts.push(Part::Variable { name, default, whole });
        rest = after;
    }
    parts.push(Part::Literal(rest));
    Ok(parts)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(text: &str) -> Result<String, BadForm<'_>> {
        let show = |part: Part<'_>| match part {
            Part::Literal(literal) => literal.to_owned(),
            Part::Variable { name, default, .. } => format!("<{name}|{}>", default.unwrap_or("!")),
        };
        split(text).map(|parts| parts.into_iter().map(show).collect())
    }

    #[test]
    fn every_form_is_taken_apart() {
        let check = |text: &str, parts: &str| assert_eq!(join(text), Ok(parts.to_owned()), "{text}");
        check("plain $5 $NAME {x}", "plain $5 $NAME {x}");
        check("${A}", "<A|!>");
        check("a${A}b${B_1:-x y}c", "a<A|!>b<B_1|x y>c");
        check("${A:-}", "<A|>");
        check("$${A}", "${A}");
        check("$$${A}", "$${A}");
        check("$${A} ${A}", "${A} <A|!>");
    }

    #[test]
    fn a_form_that_is_none_is_refused() {
        assert_eq!(split("x${A"), Err(BadForm::Unclosed("${A")));
        for text in ["${}", "${1A}", "${A-B}", "${A:?no}", "${ A }", "${Ä}"] {
            assert_eq!(split(text), Err(BadForm::Name(text)), "{text}");
        }
    }
}
