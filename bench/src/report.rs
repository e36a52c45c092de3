//! What was measured, as rows of a table for people and as lines of JSON for programs.

use crate::stats::Spread;
use serde_json::json;
use std::fmt;

/// A number with its unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) unit: Unit,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Millis,
    Mib,
    Percent,
    Count,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Millis => " ms",
            Self::Mib => " MiB",
            Self::Percent => " %",
            Self::Count => "",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.value.abs() {
            value if value >= 100.0 => 0,
            value if value >= 10.0 => 1,
            value if value >= 0.1 => 2,
            _ => 3,
        };
        let text = format!("{:.digits$}", self.value);
        // Thousands are set apart: such numbers are read by eye.
        let whole = text.split('.').next().unwrap_or_default().len();
        for (at, digit) in text.chars().enumerate() {
            if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        f.write_str(self.unit.word())
    }
}

/// What is hoped for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// The measured number to the raw limit.
    RatioAtLeast(f64),
    /// The same, where less is better.
    RatioAtMost(f64),
    /// The measured number itself.
    AtMost(f64),
    /// Nothing: the number explains others.
    None,
}

/// One thing that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The goal's name.
    pub(crate) name: &'static str,
    /// What was measured.
    pub(crate) what: String,
    pub(crate) measured: Figure,
    /// The limit in the same run.
    pub(crate) raw: Option<Figure>,
    /// Of each round, so that what slows down both cancels out.
    pub(crate) ratio: Option<Spread>,
    pub(crate) goal: Goal,
    /// How durable every task was before it counted.
    pub(crate) durability: &'static str,
    pub(crate) note: String,
    /// The largest share of the machine that others used meanwhile.
    others: f64,
}

/// What is said of everything that was acknowledged.
pub(crate) const FULL: &str = "synchronous=FULL";

impl Row {
    /// With nothing but a name, what it is and the number.
    pub(crate) fn new(name: &'static str, what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            name,
            what: what.into(),
            measured: Figure { value, unit },
            raw: None,
            ratio: None,
            goal: Goal::None,
            durability: FULL,
            note: String::new(),
            others: 0.0,
        }
    }

    /// Beside its raw limit, round by round.
    pub(crate) fn beside(mut self, raw: f64, ratios: impl IntoIterator<Item = f64>) -> Self {
        self.raw = Some(Figure { value: raw, unit: self.measured.unit });
        self.ratio = Some(Spread::of(ratios));
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = goal;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn others(mut self, share: f64) -> Self {
        self.others = share;
        self
    }

    /// Nothing has to be durable for it.
    pub(crate) fn volatile(mut self) -> Self {
        self.durability = "none";
        self
    }

    /// Whether the goal is met; `None` where there is none.
    fn is_met(&self) -> Option<bool> {
        let ratio = self.ratio.map_or(f64::NAN, |ratio| ratio.median);
        match self.goal {
            Goal::RatioAtLeast(bound) => Some(ratio >= bound),
            Goal::RatioAtMost(bound) => Some(ratio <= bound),
            Goal::AtMost(bound) => Some(self.measured.value <= bound),
            Goal::None => None,
        }
    }

    /// As a line of JSON.
    pub(crate) fn json(&self) -> String {
        let ratio = self.ratio.map(|it| json!({"median": it.median, "least": it.least, "most": it.most}));
        json!({
            "schema": "workerhost.bench/v1", "name": self.name, "what": self.what,
            "measured": self.measured.value, "unit": self.measured.unit.word().trim(),
            "raw": self.raw.map(|raw| raw.value), "ratio": ratio, "goal": self.goal_words(),
            "met": self.is_met(), "durability": self.durability, "note": self.note,
            "others": self.others,
        })
        .to_string()
    }

    fn goal_words(&self) -> Option<String> {
        match self.goal {
            Goal::RatioAtLeast(bound) => Some(format!("≥ {bound} ×")),
            Goal::RatioAtMost(bound) => Some(format!("≤ {bound} ×")),
            Goal::AtMost(value) => Some(format!("≤ {}", Figure { value, unit: self.measured.unit })),
            Goal::None => None,
        }
    }
}

/// The first two lines of the table.
pub(crate) const HEAD: &str = "\
| | what | measured | raw limit | ratio (least to most) | goal | | durability | others | |
|---|---|---|---|---|---|---|---|---|---|";

/// As a line of the table.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raw = self.raw.map_or_else(String::new, |raw| raw.to_string());
        let ratio = self
            .ratio
            .map_or_else(String::new, |it| format!("{:.2} ({:.2} to {:.2})", it.median, it.least, it.most));
        let goal = self.goal_words().unwrap_or_default();
        let met = match self.is_met() {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "",
        };
        let Self { name, what, measured, durability, note, .. } = self;
        let others = format!("{:.0} %", self.others * 100.0);
        write!(
            f,
            "| {name} | {what} | {measured} | {raw} | {ratio} | {goal} | {met} | {durability} | {others} | {note} |"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_not_and_nobody_can_tell_where_nothing_was_measured() {
        let row = |ratio| Row::new("P1", "x", 1_234.5, Unit::PerSecond).beside(1_500.0, ratio);
        let good = row(vec![0.8, 0.9, 1.0]).goal(Goal::RatioAtLeast(0.85)).others(0.07);
        assert_eq!(
            good.to_string(),
            "| P1 | x | 1,234/s | 1,500/s | 0.90 (0.80 to 1.00) | ≥ 0.85 × | met | synchronous=FULL | 7 % |  |"
        );
        assert_eq!(row(vec![0.9]).goal(Goal::RatioAtMost(0.85)).is_met(), Some(false));
        assert_eq!(row(vec![]).goal(Goal::RatioAtLeast(0.85)).is_met(), Some(false), "no ratio, no praise");
        assert_eq!(row(vec![]).is_met(), None);
        let memory = Row::new("P9", "x", 7.5, Unit::Mib).goal(Goal::AtMost(8.0)).volatile();
        assert_eq!(memory.to_string(), "| P9 | x | 7.50 MiB |  |  | ≤ 8.00 MiB | met | none | 0 % |  |");
        assert!(memory.json().contains("\"met\":true"));
    }
}
