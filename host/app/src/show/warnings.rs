//! What the stages of a run warned of.

use super::human::{self, clean_line};
use super::style::{Style, Tone};
use crate::trouble::Trouble;
use serde_json::{Value, json};
use sluicebox_model::run::RunId;
use sluicebox_model::stage::{Level, LogSource};
use sluicebox_store::{LogEntry, Store};

/// Lines that are shown.
const SHOWN: usize = 5;
/// Characters of a line that are shown.
const LINE_CHARS: usize = 200;

/// The warnings and errors in the log of a run, of its stages and of the host about them; what stages wrote to standard
/// error is none.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    warnings: u64,
    errors: u64,
    first: Vec<LogEntry>,
}

impl Warnings {
    /// Those of a run.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn of(store: &Store, run: RunId) -> Result<Self, Trouble> {
        let mut found = Self::default();
        for entry in store.logs(run, None, Level::Warn)? {
            if !matches!(entry.line.source, LogSource::Log | LogSource::Host) {
                continue;
            }
            match entry.line.level {
                Level::Error => found.errors += 1,
                _ => found.warnings += 1,
            }
            if found.first.len() < SHOWN {
                found.first.push(entry);
            }
        }
        Ok(found)
    }

    /// How many, and the first of them.
    pub fn json(&self) -> Value {
        let first = self.first.iter().map(|entry| {
            let message = human::cut(&clean_line(&entry.line.message), LINE_CHARS);
            json!({ "stage": entry.stage, "level": entry.line.level, "message": message })
        });
        json!({ "warnings": self.warnings, "errors": self.errors, "first": first.collect::<Vec<Value>>() })
    }

    /// The first of them, one a line, and the command that shows all; nothing if there are none.
    pub fn text(&self, logs: &str, style: Style) -> String {
        if self.first.is_empty() {
            return String::new();
        }
        let warnings = (self.warnings > 0).then(|| human::count(self.warnings, "warning", "warnings"));
        let errors = (self.errors > 0).then(|| human::count(self.errors, "error", "errors"));
        let both: Vec<String> = warnings.into_iter().chain(errors).collect();
        let more = self.warnings + self.errors - self.first.len() as u64;
        let first = if more > 0 { format!(", the first {}", self.first.len()) } else { String::new() };
        let mut out = format!("\nlogged by stages: {}{first}\n", both.join(" and "));
        for entry in &self.first {
            let (word, tone) = match entry.line.level {
                Level::Error => ("error", Tone::Bad),
                _ => ("warn ", Tone::Warn),
            };
            let message = human::cut(&clean_line(&entry.line.message), LINE_CHARS);
            out.push_str(&format!("  {} {}: {message}\n", style.paint(tone, word), clean_line(&entry.stage)));
        }
        out.push_str(&format!("  {}\n", style.paint(Tone::Quiet, &format!("see `{logs}`"))));
        out
    }
}
