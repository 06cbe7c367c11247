//! Placeholders in options: filled in as a run starts. `${env:NAME}` and `${file:PATH}` are never shown; the data interval
//! is no secret.

use arrow_array::RecordBatch;
use jiff::Timestamp;
use serde_json::Value;
use sluicebox_model::fault::Fault;
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::pipeline::placeholder::{self, Piece};
use sluicebox_model::pipeline::{Problem, StageSpec};
use sluicebox_model::run::{Event, Interval, RunId, StageOutcome};
use sluicebox_model::stage::{BadRecord, LogLine};
use std::path::Path;

/// The most bytes that are taken from a file.
pub(crate) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Shorter values are not looked for in what is shown: half of every text would be stars.
const MASKED_BYTES_MIN: usize = 4;

/// Values that must not be shown.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The text with every value replaced by stars.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in &self.0 {
            if masked.contains(secret.as_str()) {
                masked = masked.replace(secret.as_str(), "***");
            }
        }
        masked
    }

    fn add(&mut self, value: &str) {
        if value.len() >= MASKED_BYTES_MIN && !self.0.iter().any(|known| known == value) {
            self.0.push(value.to_owned());
            // Longer ones first, so that one within another does not leave a rest behind.
            self.0.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    /// What the rules of an outcome say may quote an option.
    fn mask_outcome(&self, outcome: &mut StageOutcome) {
        for result in &mut outcome.rules {
            result.rule.name = self.mask(&result.rule.name);
            result.rule.summary = self.mask(&result.rule.summary);
            result.observed = result.observed.as_deref().map(|seen| self.mask(seen));
        }
    }

    fn mask_fault(&self, fault: &mut Fault) {
        fault.message = self.mask(&fault.message);
        fault.help = fault.help.as_deref().map(|help| self.mask(help));
        fault.backtrace = fault.backtrace.as_deref().map(|backtrace| self.mask(backtrace));
    }
}

/// Where the values of placeholders come from.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// The folder of the pipeline file.
    pub root: &'a Path,
    /// The data interval of the run.
    pub interval: Interval,
}

/// A stage's options with the placeholders filled in.
pub fn fill(stage: &StageSpec, from: Filling<'_>, secrets: &mut Secrets, problems: &mut Vec<Problem>) -> Value {
    fill_value(&stage.config, "", stage, from, secrets, problems)
}

fn fill_value(
    value: &Value,
    pointer: &str,
    stage: &StageSpec,
    from: Filling<'_>,
    secrets: &mut Secrets,
    problems: &mut Vec<Problem>,
) -> Value {
    match value {
        Value::String(text) => match fill_text(text, from, secrets) {
            Ok(filled) => Value::String(filled),
            Err((message, help)) => {
                let message = format!("stage `{}`: {message}", stage.name);
                problems.push(Problem::error(stage.spans.option(pointer), message).help(help));
                Value::String(text.clone())
            }
        },
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| fill_value(item, &format!("{pointer}/{at}"), stage, from, secrets, problems))
            .collect(),
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, item)| {
                    let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    (key.clone(), fill_value(item, &pointer, stage, from, secrets, problems))
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// A text outside of a pipeline's options with its `${env:NAME}` and `${file:PATH}` filled in.
///
/// # Errors
/// Why it cannot be.
pub fn fill_one(text: &str, root: &Path) -> Result<String, String> {
    let interval = Interval { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH };
    fill_text(text, Filling { root, interval }, &mut Secrets::default()).map_err(|(message, _)| message)
}

fn fill_text(text: &str, from: Filling<'_>, secrets: &mut Secrets) -> Result<String, (String, String)> {
    if !text.contains("${") {
        return Ok(text.to_owned());
    }
    // The parser has told of a placeholder that is none.
    let Ok(pieces) = placeholder::pieces(text) else { return Ok(text.to_owned()) };
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.push_str(&text),
            Piece::Interval(part) => filled.push_str(&part.of(from.interval)),
            Piece::Env(name) => {
                let value = std::env::var(&name).map_err(|error| match error {
                    std::env::VarError::NotPresent => (
                        format!("the environment variable `{name}` is not set"),
                        format!("set it before the run: `{name}=... sluicebox run ...`"),
                    ),
                    std::env::VarError::NotUnicode(_) => {
                        (format!("the environment variable `{name}` is not UTF-8"), "options are text".to_owned())
                    }
                })?;
                secrets.add(&value);
                filled.push_str(&value);
            }
            Piece::File(path) => {
                let value = read(&from.root.join(&path)).map_err(|why| {
                    let help = "the path starts at the folder of the pipeline file".to_owned();
                    (format!("the file `{path}` cannot be read: {why}"), help)
                })?;
                secrets.add(&value);
                filled.push_str(&value);
            }
        }
    }
    Ok(filled)
}

/// The text of a file without the newline at its end.
fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > FILE_BYTES_MAX {
        return Err("it is larger than 1 MiB".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// A journal that never sees the values.
pub struct MaskedJournal<'a> {
    /// Where it goes.
    pub journal: &'a dyn Journal,
    /// What must not go there.
    pub secrets: &'a Secrets,
}

impl Journal for MaskedJournal<'_> {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        let mut events = events.to_vec();
        for event in &mut events {
            match event {
                Event::StageFailed { fault, outcome, .. } => {
                    self.secrets.mask_fault(fault);
                    self.secrets.mask_outcome(outcome);
                }
                Event::StageSucceeded { outcome, .. }
                | Event::StageUpstreamFailed { outcome, .. }
                | Event::StageCancelled { outcome, .. } => self.secrets.mask_outcome(outcome),
                Event::StageRetrying { fault, .. } | Event::CommitFailed { fault, .. } | Event::RunFailed { fault } => {
                    self.secrets.mask_fault(fault)
                }
                Event::MonitorsJudged { findings, .. } => {
                    for finding in findings {
                        finding.message = self.secrets.mask(&finding.message);
                    }
                }
                Event::RunCrashed { reason, fault } => {
                    *reason = self.secrets.mask(reason);
                    if let Some(fault) = fault {
                        self.secrets.mask_fault(fault);
                    }
                }
                // Receipts and bookmarks are what commit and the next run need, so they stay as they are.
                _ => {}
            }
        }
        self.journal.append(run, at, &events)
    }

    fn log(&self, run: RunId, stage: &str, at: Timestamp, lines: &[LogLine]) -> Result<(), JournalError> {
        let masked: Vec<LogLine> = lines
            .iter()
            .map(|line| LogLine { level: line.level, source: line.source, message: self.secrets.mask(&line.message) })
            .collect();
        self.journal.log(run, stage, at, &masked)
    }

    fn quarantine(&self, run: RunId, stage: &str, at: Timestamp, rows: &Quarantined) -> Result<(), JournalError> {
        let masked = match rows {
            Quarantined::Rejected { batch, reasons } => {
                let reasons = reasons.iter().map(|reason| self.secrets.mask(reason)).collect();
                Quarantined::Rejected { batch: RecordBatch::clone(batch), reasons }
            }
            Quarantined::Poison { batch, fault } => {
                let mut fault = fault.clone();
                self.secrets.mask_fault(&mut fault);
                Quarantined::Poison { batch: RecordBatch::clone(batch), fault }
            }
            Quarantined::Records(records) => Quarantined::Records(
                records
                    .iter()
                    .map(|record| BadRecord {
                        origin: self.secrets.mask(&record.origin),
                        content: record.content.clone(),
                        reason: self.secrets.mask(&record.reason),
                    })
                    .collect(),
            ),
        };
        self.journal.quarantine(run, stage, at, &masked)
    }

    fn keep_call(&self, run: RunId, call: &FailedCall) -> Result<(), JournalError> {
        let mut call = call.clone();
        self.secrets.mask_fault(&mut call.fault);
        self.journal.keep_call(run, &call)
    }

    fn bookmark(&self, pipeline: &str, stage: &str) -> Result<Option<String>, JournalError> {
        self.journal.bookmark(pipeline, stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_the_longer_ones_first() {
        let mut secrets = Secrets::default();
        secrets.add("abcd");
        secrets.add("abcdef");
        secrets.add("x");
        assert_eq!(secrets.mask("abcdef abcd x"), "*** *** x");
    }
}
