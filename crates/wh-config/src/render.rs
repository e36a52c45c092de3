//! Problems as people read them: the line, the place in it, and what to write instead.

use crate::problem::{Place, Problem, Problems, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

impl Problems {
    /// All problems as text; `colour` is for terminals.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.iter() {
            let text = renderer.render(&[group(problem)]);
            out.push_str(&match &problem.place {
                Some(place) => with_column(place, text),
                None => text,
            });
            out.push_str("\n\n");
        }
        out
    }
}

fn group(problem: &Problem) -> Group<'_> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&problem.message));
    if let Some(place) = &problem.place {
        let line = Snippet::source(&place.text)
            .path(&place.file)
            .line_start(place.line)
            .annotation(AnnotationKind::Primary.span(place.highlight.clone()));
        group = group.element(line);
    }
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The renderer counts the column in the line that it is given; in a masked or cut one that is not the file's.
fn with_column(place: &Place, text: String) -> String {
    let before = place.text.get(..place.highlight.start).unwrap_or_default();
    let counted = before.chars().count() + 1;
    if counted == place.column {
        return text;
    }
    let told = |column: usize| format!("{}:{}:{column}\n", place.file, place.line);
    text.replacen(&told(counted), &told(place.column), 1)
}
