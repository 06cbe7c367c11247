//! Records that cannot be used: the first fails the stage, or all are set aside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_stage::{BadRecord, Fault, quarantine};

/// What becomes of records that cannot be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BrokenRows {
    /// the stage fails and names the place
    #[default]
    Fail,
    /// they are set aside with the place and the reason
    Quarantine,
}

/// More of a record than this is not kept.
const CONTENT_BYTES_MAX: usize = 64 * 1024;
/// So many are handed over at once.
const RECORDS_AT_ONCE: usize = 1000;

/// Fails at the first record that cannot be used, or sets such records aside.
#[derive(Debug)]
pub struct Rejects {
    quarantine: bool,
    records: Vec<BadRecord>,
    bytes: usize,
}

impl Rejects {
    /// `quarantine`: sets aside instead of failing.
    #[must_use]
    pub fn new(quarantine: bool) -> Self {
        Self { quarantine, records: Vec::new(), bytes: 0 }
    }

    /// A record, found at `origin` (`file:line`), that cannot be used.
    ///
    /// # Errors
    /// The stage is to fail at the first.
    pub fn add(&mut self, origin: String, content: &[u8], reason: String) -> Result<(), Fault> {
        if !self.quarantine {
            return Err(Fault::invalid_data(format!(
                "{origin}: {reason}; to set such records aside, write broken-rows = \"quarantine\""
            )));
        }
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let mut text = String::from_utf8_lossy(content.get(..CONTENT_BYTES_MAX).unwrap_or(content)).into_owned();
        if content.len() > CONTENT_BYTES_MAX {
            text.push('…');
        }
        self.bytes += text.len();
        self.records.push(BadRecord { origin, content: text, reason });
        if self.records.len() >= RECORDS_AT_ONCE || self.bytes > 1 << 20 {
            self.flush();
        }
        Ok(())
    }

    /// Hands over what was set aside; to be called at the end of a call.
    pub fn flush(&mut self) {
        if !self.records.is_empty() {
            quarantine(std::mem::take(&mut self.records));
            self.bytes = 0;
        }
    }
}

/// A name as a key of a TOML table.
#[must_use]
pub fn toml_key(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !name.is_empty() && name.bytes().all(bare) { name.into() } else { crate::shown(name.as_bytes()) }
}
