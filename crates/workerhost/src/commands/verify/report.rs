//! What was found, as it is told: in one of several formats, case by case.

use super::Format;
use super::formats;
use super::page;
use super::verdict::Verdict;
use crate::context::Context;
use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use wh_protocol::verify::Case;

/// Tells verdicts as they come.
pub(super) struct Report<'a> {
    format: Format,
    context: &'a Context,
    worker: String,
    cases: usize,
    verdicts: Vec<Verdict>,
    /// Whether any worker could not do the sample task itself.
    has_failed_valid: bool,
    /// JUnit's document is written at its end.
    suites: Vec<String>,
    spinner: ProgressBar,
}

impl<'a> Report<'a> {
    pub(super) fn new(format: Format, context: &'a Context) -> Self {
        let spinner = if context.terminal.is_watched() {
            // A template of our own that is wrong would only lose the spinner's looks.
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let spinner = ProgressBar::new_spinner().with_style(style);
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        } else {
            ProgressBar::hidden()
        };
        let (worker, verdicts, suites) = (String::new(), Vec::new(), Vec::new());
        Self { format, context, worker, cases: 0, verdicts, has_failed_valid: false, suites, spinner }
    }

    /// The next worker.
    pub(super) fn begin(&mut self, worker: &str, cases: usize) -> Result<(), Failure> {
        worker.clone_into(&mut self.worker);
        self.cases = cases;
        self.verdicts.clear();
        match self.format {
            Format::Human => self.print(&page::head(worker, cases)),
            Format::Tap => self.print(&formats::tap_head(worker, cases)),
            Format::Json | Format::Junit => Ok(()),
        }
    }

    /// The case that the worker is at.
    pub(super) fn working_on(&self, case: &Case) {
        let at = self.verdicts.len() + 1;
        self.spinner.set_message(format!("case {at} of {}: {}", self.cases, case.title));
    }

    /// How many cases of this worker have been told.
    pub(super) fn told(&self) -> usize {
        self.verdicts.len()
    }

    /// What it came to.
    pub(super) fn tell(&mut self, verdict: Verdict) -> Result<(), Failure> {
        match self.format {
            Format::Human => self.print(&page::line(&verdict, self.context.terminal.colours_data()))?,
            Format::Json => self.context.terminal.object(&formats::json(&self.worker, &verdict))?,
            Format::Tap => self.print(&formats::tap(self.verdicts.len() + 1, &verdict))?,
            Format::Junit => {}
        }
        self.has_failed_valid |= verdict.case.id == "valid" && verdict.finding.is_some();
        self.verdicts.push(verdict);
        Ok(())
    }

    /// All cases of the worker have been told.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        match self.format {
            Format::Human => self.print(&page::foot(&self.verdicts, self.context.terminal.colours_data())),
            Format::Junit => {
                self.suites.push(formats::junit_suite(&self.worker, &self.verdicts));
                Ok(())
            }
            Format::Json | Format::Tap => Ok(()),
        }
    }

    /// All workers have been told. Answers whether one could not even do the sample task.
    pub(super) fn finish(self) -> Result<bool, Failure> {
        self.spinner.finish_and_clear();
        if self.format == Format::Junit {
            self.context.terminal.print(&formats::junit(&self.suites))?;
        }
        Ok(self.has_failed_valid)
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        self.spinner.suspend(|| self.context.terminal.print(text))
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}
