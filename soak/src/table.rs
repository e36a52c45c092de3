//! Tables of two columns, for people.

use std::fmt::{Display, Write};
use std::time::Duration;

/// A table of two columns under a title.
#[derive(Debug, Default)]
pub struct Table(Vec<(String, String)>);

impl Table {
    /// Adds a row.
    pub fn row(&mut self, what: impl Display, value: impl Display) {
        self.0.push((what.to_string(), value.to_string()));
    }

    /// Adds a row with two values.
    pub fn pair(&mut self, what: impl Display, one: impl Display, other: impl Display) {
        self.row(what, format!("{one}, {other}"));
    }

    /// The table as text: what stands left, numbers right.
    pub fn text(&self, title: &str) -> String {
        let width = |column: fn(&(String, String)) -> &String| {
            self.0.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
        };
        let (left, right) = (width(|row| &row.0), width(|row| &row.1));
        let mut text = format!("{title}\n");
        for (what, value) in &self.0 {
            // Writing to a string does not fail.
            writeln!(text, "  {what:<left$}  {value:>right$}").ok();
        }
        text
    }
}

/// The middle and the greatest of some times.
pub fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |share: usize| sorted.get((sorted.len().saturating_sub(1)) * share / 100).copied();
    match (at(50), at(100)) {
        (Some(middle), Some(most)) => {
            format!("{:.1} ms, at most {:.1} ms", middle.as_secs_f64() * 1e3, most.as_secs_f64() * 1e3)
        }
        _ => "never looked at".to_owned(),
    }
}
