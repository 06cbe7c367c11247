//! All that a run set aside, one entry after another: no more than one batch is in memory.

use super::{QuarantineEntry, Reading};
use crate::error::StoreError;
use crate::store::{Store, from_json, from_word, timestamp};
use rusqlite::{Row, params};
use sluicebox_model::run::RunId;

/// An entry without its rows, and where they stand.
type Place = (QuarantineEntry, Option<String>, Option<i64>);

impl Store {
    /// Hands over what a run set aside, of one stage or of all, in the order of setting aside, until `each` fails. Rows that
    /// cannot be read are told within their entry.
    ///
    /// # Errors
    /// The database cannot be read, or `each` failed.
    pub fn each_quarantined<E: From<StoreError>>(
        &self,
        run: RunId,
        stage: Option<&str>,
        mut each: impl FnMut(QuarantineEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let ids: Vec<i64> = self.quick(|connection| {
            let mut select = connection
                .prepare("SELECT id FROM quarantine WHERE run = ?1 AND (?2 IS NULL OR stage = ?2) ORDER BY id")?;
            let ids = select.query_map(params![run.to_string(), stage], |row| row.get(0))?;
            ids.collect()
        })?;
        let mut reading = Reading::default();
        for id in ids {
            let (mut entry, file, batch) = self.quick(|connection| {
                let columns = "stage, at, kind, rows, file, batch, fault, records";
                connection.query_row(&format!("SELECT {columns} FROM quarantine WHERE id = ?1"), [id], place)
            })?;
            if let (Some(file), Some(batch)) = (file, batch) {
                match reading.rows(&self.folder, file, batch) {
                    Ok((rows, reasons)) => (entry.batch, entry.reasons) = (Some(rows), reasons),
                    Err(reason) => entry.unreadable = Some(reason),
                }
            } else {
                entry.reasons = entry.records.iter().map(|record| record.reason.clone()).collect();
            }
            each(entry)?;
        }
        Ok(())
    }
}

pub(super) fn place(row: &Row<'_>) -> Result<Place, rusqlite::Error> {
    let fault: Option<String> = row.get(6)?;
    let records: Option<String> = row.get(7)?;
    let entry = QuarantineEntry {
        stage: row.get(0)?,
        at: timestamp(row.get(1)?),
        kind: from_word(2, row.get(2)?)?,
        count: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
        reasons: Vec::new(),
        batch: None,
        records: records.map(|text: String| from_json(7, &text)).transpose()?.unwrap_or_default(),
        fault: fault.map(|text: String| from_json(6, &text)).transpose()?,
        unreadable: None,
    };
    Ok((entry, row.get(4)?, row.get(5)?))
}
