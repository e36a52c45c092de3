//! Tables for people.

use comfy_table::{ContentArrangement, Table as Comfy, presets};
use std::fmt;

/// A table without borders: columns with their names above.
pub(crate) struct Table(Comfy);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Comfy::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.iter().copied());
        Self(table)
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.0.lines().enumerate() {
            let gap = if at == 0 { "" } else { "\n" };
            write!(f, "{gap}{}", line.trim_end().trim_start_matches(' '))?;
        }
        Ok(())
    }
}
