//! The interface `report` for guests.

use crate::console::escape;
use crate::contract::report::{self, Host};
use crate::state::State;
use sluicebox_model::limits::COUNTERS_MAX;
use sluicebox_model::stage::{BadRecord, Level, LogSource};
use wasmtime::Result;

/// Bytes of a counter's name.
pub(crate) const COUNTER_NAME_MAX: usize = 256;
/// Bytes of what is said of a bad record.
pub(crate) const REASON_MAX: usize = 4096;

impl Host for State {
    fn log(&mut self, level: report::Level, message: String) -> Result<()> {
        self.transfer.add(message.len() as u64)?;
        let level = match level {
            report::Level::Debug => Level::Debug,
            report::Level::Info => Level::Info,
            report::Level::Warn => Level::Warn,
            report::Level::Error => Level::Error,
        };
        self.console.log(level, LogSource::Log, &message);
        Ok(())
    }

    fn count(&mut self, name: String, by: u64) -> Result<()> {
        self.transfer.add(name.len() as u64)?;
        let name = escape(&name, COUNTER_NAME_MAX);
        let counts = &mut self.pending.counts;
        if counts.len() >= COUNTERS_MAX && !counts.contains_key(&name) {
            return Ok(());
        }
        let count = counts.entry(name).or_default();
        *count = count.saturating_add(by);
        Ok(())
    }

    fn quarantine(&mut self, records: Vec<report::BadRecord>) -> Result<()> {
        // An empty record costs the host something to keep, too.
        let bytes = |record: &report::BadRecord| {
            (record.origin.len() + record.content.len() + record.reason.len()).max(96) as u64
        };
        self.transfer.add(records.iter().map(bytes).fold(0, u64::saturating_add))?;
        let kept = |record: report::BadRecord| BadRecord {
            origin: escape(&record.origin, REASON_MAX),
            content: record.content,
            reason: escape(&record.reason, REASON_MAX),
        };
        self.pending.bad_records.extend(records.into_iter().map(kept));
        Ok(())
    }
}
