//! What is wrong with a text that should be JSON, in words for whoever wrote it.

use serde_json::Error;
use serde_json::error::Category;

/// What is wrong, where, and what to write: a fragment that follows a name, such as "is no JSON at column 2: …".
pub(crate) fn words(text: &str, error: &Error) -> String {
    if text.trim().is_empty() {
        return "is empty; the least that is JSON is {}".to_owned();
    }
    let line = if error.line() > 1 { format!("line {}, ", error.line()) } else { String::new() };
    let place = format!("{line}column {}", error.column());
    if error.classify() == Category::Eof {
        return format!("is no JSON: it ends too early, at {place}; a quote, a {{ or a [ is not closed");
    }
    let told = error.to_string();
    let what = told.split(" at line ").next().unwrap_or(&told);
    format!("is no JSON at {place}: {}", mend(what, at(text, error)))
}

/// The character at which reading stopped.
fn at(text: &str, error: &Error) -> Option<char> {
    let line = text.split('\n').nth(error.line().saturating_sub(1))?;
    // Columns count bytes.
    line.get(error.column().saturating_sub(1)..)?.chars().next()
}

/// The parser's words as a person needs them; those it does not name speak for themselves.
fn mend(what: &str, at: Option<char>) -> String {
    let mended = match (what, at) {
        (_, Some('\'' | '‘' | '’' | '“' | '”')) => {
            "JSON has no quotes but \", as in {\"name\": \"text\"}"
        }
        ("key must be a string", Some('}')) | ("trailing comma", _) => {
            "a comma has nothing after it; take it out"
        }
        ("key must be a string", _) => "a name stands in double quotes, as in {\"name\": 1}",
        ("expected value" | "expected ident", _) => {
            "no value looks so; a text stands in double quotes, other values are numbers, true, false, null, {} and []"
        }
        ("trailing characters", _) => "the value has ended, and something follows",
        ("expected `:`", _) => "a colon and a value follow a name, as in {\"name\": 1}",
        ("expected `,` or `}`" | "expected `,` or `]`", _) => "a comma or the closing bracket is missing",
        ("invalid escape", _) => "a backslash begins no escape of JSON; write \\\\ for the backslash itself",
        ("invalid number", _) => "a number is written like 5, -1.5 or 2e10",
        (what, _) if what.starts_with("control character") => {
            "a text may not hold a line break or another control character; write it as \\n or \\u0009"
        }
        (what, _) => what,
    };
    mended.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slip_is_told_with_its_place_and_what_to_write() {
        let rows = [
            ("", "is empty"),
            ("{'a':1}", "is no JSON at column 2: JSON has no quotes but \""),
            ("{a:1}", "is no JSON at column 2: a name stands in double quotes"),
            ("{\"a\":1,}", "is no JSON at column 8: a comma has nothing after it"),
            ("{\"a\":", "is no JSON: it ends too early, at column 5"),
            ("not json", "is no JSON at column 2: no value looks so"),
            ("hello", "is no JSON at column 1: no value looks so"),
            ("{} {}", "is no JSON at column 4: the value has ended"),
            ("{\"a\" 1}", "is no JSON at column 6: a colon and a value"),
            ("{\"a\":1 \"b\":2}", "is no JSON at column 8: a comma"),
            ("\"a\\x\"", "is no JSON at column 4: a backslash"),
            ("01", "is no JSON at column 2: a number is written like"),
            ("{\n\"a\":\nx}", "is no JSON at line 3, column 1: no value looks so"),
            ("\"a\tb\"", "is no JSON at column 2: a text may not hold"),
        ];
        for (text, expected) in rows {
            let error = serde_json::from_str::<&serde_json::value::RawValue>(text).unwrap_err();
            let told = words(text, &error);
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }
}
