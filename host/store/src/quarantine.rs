//! Rows set aside: Arrow IPC streams beside the database, which says what stands where.

mod each;

use crate::error::StoreError;
use crate::json::json_rows;
use crate::store::{Store, from_word, lock, nanoseconds, to_json};
use crate::whole;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use jiff::Timestamp;
use rusqlite::{TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sluicebox_model::caught::caught;
use sluicebox_model::fault::Fault;
use sluicebox_model::journal::Quarantined;
use sluicebox_model::run::RunId;
use sluicebox_model::stage::BadRecord;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the files' last column. It is known by its place, so a stage's own column may have the same name.
const REASON: &str = "sluicebox_reason";

/// Why rows were set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuarantineKind {
    /// They broke rules.
    Rejected,
    /// A stage failed on them.
    Poison,
    /// They could not be made rows.
    Record,
}

/// Rows or records that were set aside together.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct QuarantineEntry {
    /// The stage.
    pub stage: String,
    /// When.
    pub at: Timestamp,
    /// Why, roughly.
    pub kind: QuarantineKind,
    /// Rows or records that were set aside, also where they cannot be read any more.
    pub count: u64,
    /// Why, one for each of `batch` or `records`.
    pub reasons: Vec<String>,
    /// The rows.
    #[serde(serialize_with = "json_rows", rename = "rows", skip_serializing_if = "Option::is_none")]
    pub batch: Option<RecordBatch>,
    /// The records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<BadRecord>,
    /// How the stage failed on the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Why the rows cannot be read, e.g. because the machine lost its power while they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// How many were set aside for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReasonCount {
    /// The stage.
    pub stage: String,
    /// Why, roughly.
    pub kind: QuarantineKind,
    /// Names of rules joined by `, `, the message of a fault, or the reason of a record.
    pub reason: String,
    /// Rows or records.
    pub count: u64,
}

/// Files that are being written, by run and stage.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<(RunId, String), Writing>);

struct Writing {
    /// A message is dozens of small pieces; it is flushed with each.
    writer: StreamWriter<BufWriter<File>>,
    schema: SchemaRef,
    /// Relative to the store's folder.
    name: String,
    batches: i64,
}

/// Reasons beyond so many of a run, stage and kind are counted as one.
pub(crate) const REASONS_MAX: i64 = 1_000;
/// Rows that are set aside together mostly fit into so much.
const MESSAGE_BYTES: usize = 256 * 1024;
/// Longer reasons are cut.
pub(crate) const REASON_BYTES_MAX: usize = 500;

impl Store {
    pub(crate) fn set_aside(
        &self,
        run: RunId,
        stage: &str,
        at: Timestamp,
        rows: &Quarantined,
    ) -> Result<(), StoreError> {
        let (kind, count, place, fault, records, counts) = match rows {
            Quarantined::Rejected { batch, reasons } => {
                let place = self.write_rows(run, stage, batch, reasons)?;
                (QuarantineKind::Rejected, batch.num_rows(), Some(place), None, None, tally(reasons))
            }
            Quarantined::Poison { batch, fault } => {
                let reasons = vec![fault.message.clone(); batch.num_rows()];
                let place = self.write_rows(run, stage, batch, &reasons)?;
                (QuarantineKind::Poison, batch.num_rows(), Some(place), Some(fault), None, tally(&reasons))
            }
            Quarantined::Records(records) => {
                let reasons: Vec<String> = records.iter().map(|record| record.reason.clone()).collect();
                (QuarantineKind::Record, records.len(), None, None, Some(records), tally(&reasons))
            }
        };
        let (file, batch) = place.unzip();
        let kind = crate::store::word(&kind);
        self.quick(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let fault = fault.map(to_json).transpose()?;
            let records = records.map(to_json).transpose()?;
            transaction
                .prepare_cached(
                    "INSERT INTO quarantine (run, stage, at, kind, rows, file, batch, fault, records)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    run.to_string(),
                    stage,
                    nanoseconds(at),
                    kind,
                    count as i64,
                    file,
                    batch,
                    fault,
                    records
                ])?;
            for (reason, rows) in counts {
                transaction
                    .prepare_cached(
                        "INSERT INTO quarantine_reasons (run, stage, kind, reason, rows)
                         SELECT ?1, ?2, ?3, CASE WHEN count(*) < ?6 OR max(reason = ?4) THEN ?4 ELSE '(other reasons)' END, ?5
                         FROM quarantine_reasons WHERE run = ?1 AND stage = ?2 AND kind = ?3
                         ON CONFLICT DO UPDATE SET rows = rows + excluded.rows",
                    )?
                    .execute(params![run.to_string(), stage, kind, reason, rows, REASONS_MAX])?;
            }
            transaction.commit()
        })
    }

    /// Writes rows to the stage's file; answers with its name and the number of the batch in it.
    fn write_rows(
        &self,
        run: RunId,
        stage: &str,
        batch: &RecordBatch,
        reasons: &[String],
    ) -> Result<(String, i64), StoreError> {
        let mut files = lock(&self.files);
        let key = (run, stage.to_owned());
        let schema = with_reason(batch.schema_ref());
        // A stage that dies and comes back, or has several instances, gives the same schema; a stream holds only one.
        let writing = match files.0.remove(&key) {
            Some(writing) if writing.schema == schema => writing,
            before => {
                if let Some(mut before) = before {
                    before.close(&self.folder)?;
                }
                self.new_file(run, stage, schema)?
            }
        };
        let writing = files.0.entry(key.clone()).or_insert(writing);
        let path = self.folder.join(&writing.name);
        let reasons: ArrayRef = Arc::new(StringArray::from_iter_values(reasons));
        let columns = batch.columns().iter().cloned().chain([reasons]).collect();
        let written = RecordBatch::try_new(writing.schema.clone(), columns)
            .and_then(|batch| writing.writer.write(&batch))
            .and_then(|()| writing.writer.flush());
        match written {
            Ok(()) => {
                let place = (writing.name.clone(), writing.batches);
                writing.batches += 1;
                Ok(place)
            }
            Err(error) => {
                // Who knows what stands at the end of the file now: the next rows go to another.
                files.0.remove(&key);
                Err(StoreError::file(&path, &error))
            }
        }
    }

    fn new_file(&self, run: RunId, stage: &str, schema: SchemaRef) -> Result<Writing, StoreError> {
        let folder = format!("runs/{run}/quarantine");
        let stage: String =
            stage.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
        let whole = self.folder.join(&folder);
        std::fs::create_dir_all(&whole).map_err(|error| StoreError::file(&whole, &error))?;
        let mut number = 0;
        loop {
            let name = format!("{folder}/{stage}-{number}.arrow");
            let path = self.folder.join(&name);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let file = BufWriter::with_capacity(MESSAGE_BYTES, file);
                    let writer =
                        StreamWriter::try_new(file, &schema).map_err(|error| StoreError::file(&path, &error))?;
                    return Ok(Writing { writer, schema, name, batches: 0 });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(StoreError::file(&path, &error)),
            }
        }
    }

    /// Ends the files of a run, and has them on disk.
    pub(crate) fn close_files(&self, run: RunId) -> Result<(), StoreError> {
        let mut files = lock(&self.files);
        let mine: Vec<_> = files.0.keys().filter(|(of, _)| *of == run).cloned().collect();
        for key in mine {
            if let Some(mut writing) = files.0.remove(&key) {
                writing.close(&self.folder)?;
            }
        }
        Ok(())
    }

    /// What a run set aside, of one stage or of all, in the order of setting aside; `offset` and `limit` count rows and
    /// records. An entry that `limit` cuts through is given in part.
    ///
    /// # Errors
    /// The database cannot be read. Rows whose file cannot be read are told within their entry.
    pub fn quarantine(
        &self,
        run: RunId,
        stage: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<QuarantineEntry>, StoreError> {
        let places = self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT stage, at, kind, rows, file, batch, fault, records FROM (
                     SELECT *, sum(rows) OVER (ORDER BY id) AS until FROM quarantine
                     WHERE run = ?1 AND (?2 IS NULL OR stage = ?2))
                 WHERE until > ?3 AND until - rows < ?4 ORDER BY id",
            )?;
            let end = offset.saturating_add(limit);
            let clamp = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
            let range = params![run.to_string(), stage, clamp(offset), clamp(end)];
            let places = select.query_map(range, each::place)?;
            places.collect::<Result<Vec<_>, _>>()
        })?;
        let before: u64 = self.quick(|connection| {
            // Rows before the first entry that is given.
            let mut select = connection.prepare(
                "SELECT coalesce(max(until), 0) FROM (SELECT sum(rows) OVER (ORDER BY id) AS until FROM quarantine
                 WHERE run = ?1 AND (?2 IS NULL OR stage = ?2)) WHERE until <= ?3",
            )?;
            let offset = i64::try_from(offset).unwrap_or(i64::MAX);
            let rows: i64 = select.query_row(params![run.to_string(), stage, offset], |row| row.get(0))?;
            Ok(u64::try_from(rows).unwrap_or(0))
        })?;
        let mut reading = Reading::default();
        let (mut skip, mut left) = (offset.saturating_sub(before), limit);
        let mut entries = Vec::new();
        for (mut entry, file, batch) in places {
            if let (Some(file), Some(batch)) = (file, batch) {
                match reading.rows(&self.folder, file, batch) {
                    Ok((rows, reasons)) => (entry.batch, entry.reasons) = (Some(rows), reasons),
                    Err(reason) => entry.unreadable = Some(reason),
                }
            } else {
                entry.reasons = entry.records.iter().map(|record| record.reason.clone()).collect();
            }
            let take = left.min(entry.count.saturating_sub(skip));
            entry.cut(skip, take);
            (skip, left) = (0, left - take);
            entries.push(entry);
        }
        Ok(entries)
    }

    /// How many rows and records a run set aside, by stage and reason, the most first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quarantine_counts(&self, run: RunId) -> Result<Vec<ReasonCount>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT stage, kind, reason, rows FROM quarantine_reasons WHERE run = ?1
                 ORDER BY rows DESC, stage, kind, reason",
            )?;
            let counts = select.query_map([run.to_string()], |row| {
                Ok(ReasonCount {
                    stage: row.get(0)?,
                    kind: from_word(1, row.get(1)?)?,
                    reason: row.get(2)?,
                    count: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
                })
            })?;
            counts.collect()
        })
    }

    /// The files with the rows that a run set aside, as Arrow IPC streams; the last column is the reason.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quarantine_files(&self, run: RunId) -> Result<Vec<PathBuf>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT file FROM quarantine WHERE run = ?1 AND file IS NOT NULL GROUP BY file ORDER BY min(id)",
            )?;
            let files = select.query_map([run.to_string()], |row| row.get::<_, String>(0))?;
            files.map(|file| file.map(|file| self.folder.join(file))).collect()
        })
    }
}

impl QuarantineEntry {
    /// Leaves `rows` rows from `from` on.
    fn cut(&mut self, from: u64, rows: u64) {
        let (from, rows) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(rows).unwrap_or(usize::MAX));
        self.reasons = std::mem::take(&mut self.reasons).into_iter().skip(from).take(rows).collect();
        self.records = std::mem::take(&mut self.records).into_iter().skip(from).take(rows).collect();
        self.batch = self.batch.take().map(|batch| {
            let from = from.min(batch.num_rows());
            batch.slice(from, rows.min(batch.num_rows() - from))
        });
    }
}

impl Writing {
    fn close(&mut self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(&self.name);
        let ended = self.writer.finish().and_then(|()| self.writer.flush());
        ended.map_err(|error| StoreError::file(&path, &error))?;
        self.writer.get_ref().get_ref().sync_all().map_err(|error| StoreError::file(&path, &error))
    }
}

fn with_reason(schema: &Schema) -> SchemaRef {
    let reason = Arc::new(Field::new(REASON, DataType::Utf8, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([reason]).collect::<Vec<_>>()))
}

/// Counts equal reasons.
fn tally(reasons: &[String]) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for reason in reasons {
        let reason = reason.get(..reason.floor_char_boundary(REASON_BYTES_MAX)).unwrap_or_default();
        *counts.entry(reason.to_owned()).or_default() += 1;
    }
    counts
}

/// A file that is read from its beginning on.
#[derive(Default)]
struct Reading {
    /// Its name, how many batches of it were read, and how many can be.
    open: Option<(String, StreamReader<BufReader<File>>, i64, i64)>,
}

impl Reading {
    /// Rows and reasons of one batch. Errors are for people.
    fn rows(&mut self, folder: &Path, file: String, batch: i64) -> Result<(RecordBatch, Vec<String>), String> {
        let path = folder.join(&file);
        // One that panicked is not used again.
        let read = caught(|| self.read(&path, file, batch));
        read.unwrap_or_else(|text| {
            self.open = None;
            Err(text)
        })
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
    }

    fn read(&mut self, path: &Path, file: String, batch: i64) -> Result<(RecordBatch, Vec<String>), String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let is_behind = self.open.as_ref().is_none_or(|(name, _, next, _)| *name != file || *next > batch);
        if is_behind {
            let mut opened = File::open(path).map_err(|error| told(&error))?;
            let whole = whole::batches(&mut opened)?;
            let reader = StreamReader::try_new(BufReader::new(opened), None).map_err(|error| told(&error))?;
            self.open = Some((file, reader, 0, whole));
        }
        let Some((_, reader, next, whole)) = &mut self.open else { return Err(told(&"it is not open")) };
        loop {
            if *next >= *whole {
                return Err(told(&"it ends before these rows, or is damaged there"));
            }
            let rows = match reader.next() {
                Some(Ok(rows)) => rows,
                Some(Err(error)) => return Err(told(&error)),
                None => return Err(told(&"it ends before these rows")),
            };
            *next += 1;
            if *next > batch {
                return parted(&rows).map_err(|error| told(&error));
            }
        }
    }
}

/// The rows, and the last column.
fn parted(rows: &RecordBatch) -> Result<(RecordBatch, Vec<String>), ArrowError> {
    let columns = rows.num_columns().saturating_sub(1);
    let reasons = rows
        .columns()
        .last()
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
        .ok_or_else(|| ArrowError::SchemaError("the last column is not the reason".into()))?;
    let reasons = reasons.iter().map(|reason| reason.unwrap_or_default().to_owned()).collect();
    let rows = rows.project(&(0..columns).collect::<Vec<_>>())?;
    Ok((rows, reasons))
}
