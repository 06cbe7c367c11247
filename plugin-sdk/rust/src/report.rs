//! What a stage tells its run: its log, its counters, and records that it sets aside.

use std::fmt;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// for those who write the stage
    Debug,
    /// what went as it should
    Info,
    /// what somebody may want to look at
    Warn,
    /// what went wrong
    Error,
}

/// A record that could not be made a row, e.g. a broken line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// Where it stood, e.g. "data/flights.csv:17".
    pub origin: String,
    /// The record as it was found, as text.
    pub content: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Lines of the stage's log. Standard output and standard error go there too.
pub mod log {
    use super::{Level, write};
    use std::fmt;

    /// A line for those who write the stage.
    pub fn debug(message: impl fmt::Display) {
        write(Level::Debug, &message);
    }

    /// A line on what went as it should.
    pub fn info(message: impl fmt::Display) {
        write(Level::Info, &message);
    }

    /// A line on what somebody may want to look at.
    pub fn warn(message: impl fmt::Display) {
        write(Level::Warn, &message);
    }

    /// A line on what went wrong.
    pub fn error(message: impl fmt::Display) {
        write(Level::Error, &message);
    }
}

fn write(level: Level, message: &dyn fmt::Display) {
    let message = message.to_string();
    #[cfg(target_family = "wasm")]
    crate::wasm::log(level, &message);
    #[cfg(not(target_family = "wasm"))]
    crate::testing::with_report(|report| report.log.push((level, message)));
}

/// Adds to a counter of the stage, shown with its outcome.
pub fn count(name: &str, by: u64) {
    #[cfg(target_family = "wasm")]
    crate::wasm::count(name, by);
    #[cfg(not(target_family = "wasm"))]
    crate::testing::with_report(|report| {
        let counter = report.counters.entry(name.to_owned()).or_default();
        *counter = counter.saturating_add(by);
    });
}

/// Sets records aside instead of losing them or failing. They count as rejected rows of the stage. What is quarantined
/// in a call that then fails does not count.
pub fn quarantine(records: Vec<BadRecord>) {
    #[cfg(target_family = "wasm")]
    crate::wasm::quarantine(records);
    #[cfg(not(target_family = "wasm"))]
    crate::testing::with_report(|report| report.quarantined.extend(records));
}
