//! YAML.

use crate::flaw::Flaw;
use crate::text;
use granit_parser::{Event, Parser};

/// Documents that can be read to their ends, at least one of which says something.
pub(crate) fn well_formed(bytes: &[u8]) -> Result<(), Flaw> {
    text::utf8(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    let mut parser = Parser::new_from_str(&text);
    let mut says_something = false;
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|error| Flaw::format("yaml", error.to_string()))?;
        says_something |=
            matches!(event, Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..));
    }
    if says_something { Ok(()) } else { Err(Flaw::format("yaml", "there is nothing in it")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn yaml_can_be_read_to_its_end() {
        let said =
            |text: &str| well_formed(text.as_bytes()).err().map(|flaw| flaw.to_string()).unwrap_or_default();
        for good in ["a: 1\nb: [2, 3]\n", "---\na\n---\nb\n", "- &x 1\n- *x\n"] {
            assert_eq!(said(good), "", "{good:?}");
        }
        for bad in ["a: [1, 2", "a: \"open", "a: 1\n b: 2\n  - c", "{a: 1"] {
            assert!(said(bad).starts_with("is no yaml: "), "{bad:?}: {}", said(bad));
        }
        assert_eq!(said("# nothing\n"), "is no yaml: there is nothing in it");
    }

    #[test]
    fn what_refers_to_itself_over_and_over_takes_no_time() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..30 {
            let before = vec![format!("*a{}", at - 1); 9].join(", ");
            writeln!(text, "a{at}: &a{at} [{before}]").unwrap();
        }
        well_formed(text.as_bytes()).unwrap();
    }
}
