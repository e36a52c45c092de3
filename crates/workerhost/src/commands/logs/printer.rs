//! How a log's lines are shown: as they are where programs read, harmless on a terminal, or as objects.

use crate::failure::Failure;
use crate::terminal::Terminal;
use serde::Serialize;
use std::io::IsTerminal;
use wh_protocol::lines::LineFramer;
use wh_telemetry::plain::plain;

/// The longest line that is shown whole.
const LINE: usize = 1 << 20;

/// Whose lines they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) attempt_id: String,
    pub(super) attempt: u32,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Raw,
    Plain,
    Json,
}

/// Shows lines on standard output.
pub(super) struct Printer<'a> {
    terminal: &'a Terminal,
    form: Form,
    framer: LineFramer,
    label: Label,
}

/// A line as `--json` shows it.
#[derive(Serialize)]
struct LineObject<'a> {
    schema: &'static str,
    id: &'a str,
    attempt_id: &'a str,
    attempt: u32,
    text: &'a str,
}

impl<'a> Printer<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Self {
        let form = match () {
            () if terminal.json => Form::Json,
            () if std::io::stdout().is_terminal() => Form::Plain,
            () => Form::Raw,
        };
        Self { terminal, form, framer: LineFramer::new(LINE), label: Label::default() }
    }

    /// From now on the lines are those of another attempt.
    pub(super) fn begin(&mut self, label: Label) {
        self.label = label;
    }

    /// Shows what has come; a last line that is not whole yet waits for its rest.
    pub(super) fn show(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.form == Form::Raw {
            return self.terminal.raw(bytes);
        }
        let (form, label) = (self.form, &self.label);
        let mut text = String::new();
        self.framer.push(bytes, |line| text.push_str(&shown(form, label, &line.log_text())));
        self.terminal.raw(text.as_bytes())
    }

    /// Shows what is left of a last line.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        let (form, label) = (self.form, &self.label);
        let mut text = String::new();
        self.framer.finish(|line| text.push_str(&shown(form, label, &line.log_text())));
        self.terminal.raw(text.as_bytes())
    }
}

fn shown(form: Form, label: &Label, text: &str) -> String {
    let mut line = match form {
        Form::Raw => text.to_owned(),
        // A tab only moves on.
        Form::Plain => text.split('\t').map(plain).collect::<Vec<_>>().join("\t"),
        Form::Json => {
            let Label { id, attempt_id, attempt } = label;
            let object = LineObject { schema: "workerhost.log/v1", id, attempt_id, attempt: *attempt, text };
            // Texts and numbers are always JSON.
            serde_json::to_string(&object).unwrap_or_default()
        }
    };
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_shown_no_character_that_acts_on_it_but_the_tab() {
        let label = Label::default();
        assert_eq!(shown(Form::Plain, &label, "a\tb \u{1b}[31mred\u{7}"), "a\tb \\u{1b}[31mred\\u{7}\n");
    }

    #[test]
    fn an_object_says_whose_line_it_is() {
        let label = Label { id: "a".to_owned(), attempt_id: "a:3".to_owned(), attempt: 2 };
        let object =
            r#"{"schema":"workerhost.log/v1","id":"a","attempt_id":"a:3","attempt":2,"text":"x\u001b"}"#;
        assert_eq!(shown(Form::Json, &label, "x\u{1b}"), format!("{object}\n"));
    }
}
