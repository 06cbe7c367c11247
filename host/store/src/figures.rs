//! Figures for metrics. What only grows is summed up as runs end, so that nobody has to go through all runs to know it.

use crate::error::StoreError;
use crate::house::unsigned;
use crate::store::{Store, from_word, nanoseconds, timestamp};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;
use sluicebox_model::run::{RunRecord, RunState};
use std::collections::BTreeMap;
use std::time::Duration;

/// The bounds of durations, in nanoseconds; the last has no end.
pub(crate) const BOUNDS: [i64; 19] = {
    const MS: i64 = 1_000_000;
    const S: i64 = 1_000 * MS;
    [
        5 * MS,
        10 * MS,
        25 * MS,
        50 * MS,
        100 * MS,
        250 * MS,
        500 * MS,
        S,
        2_500 * MS,
        5 * S,
        10 * S,
        30 * S,
        60 * S,
        300 * S,
        900 * S,
        3_600 * S,
        14_400 * S,
        86_400 * S,
        i64::MAX,
    ]
};

/// One run adds no more than this to a sum: that no sum runs over is worth more than a figure that cannot be.
const MOST: i64 = 1 << 53;

/// What the runs of all pipelines did, and what waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// Of the runs that have ended, by pipeline and state.
    pub totals: Vec<RunTotals>,
    /// How long they took, by pipeline.
    pub durations: BTreeMap<String, Durations>,
    /// Runs without an end, by pipeline and state.
    pub unfinished: Vec<(String, RunState, u64)>,
    /// Rows and records that were set aside and not dealt with, by pipeline.
    pub quarantine_open: BTreeMap<String, u64>,
    /// Runs of the queue, by pool.
    pub queue: Vec<QueueLength>,
    /// Alerts that are not delivered.
    pub alerts_waiting: u64,
}

/// Sums over the runs of a pipeline that ended in one state.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunTotals {
    /// The pipeline's name.
    pub pipeline: String,
    /// How they ended; `crashed`: abandoned.
    pub state: RunState,
    /// How many.
    pub runs: u64,
    /// Rows that extracts made.
    pub rows_read: u64,
    /// Rows that loads show.
    pub rows_loaded: u64,
    /// Rows that rules rejected, and records that could not be made rows.
    pub rows_rejected: u64,
    /// Rows that stages failed on.
    pub rows_quarantined: u64,
    /// Bytes of the batches that extracts made.
    pub bytes_read: u64,
    /// Bytes of the batches that loads show.
    pub bytes_loaded: u64,
    /// When the last of them ended.
    pub last_ended_at: Timestamp,
}

/// How long the runs of a pipeline took that had started and have ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Durations {
    /// How many took at most so many seconds, shorter ones included; ascending. The last bound is infinite.
    pub at_most: Vec<(f64, u64)>,
    /// How many.
    pub count: u64,
    /// Together.
    pub sum: Duration,
}

/// How many runs of a pool are in the queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueueLength {
    /// None: of no pool.
    pub pool: Option<String>,
    /// They have not started.
    pub waiting: u64,
    /// They are under way.
    pub started: u64,
}

impl Figures {
    /// When a run of each pipeline last ended well.
    pub fn last_success(&self) -> BTreeMap<&str, Timestamp> {
        let well = self.totals.iter().filter(|totals| totals.state == RunState::Succeeded);
        well.map(|totals| (totals.pipeline.as_str(), totals.last_ended_at)).collect()
    }
}

impl Store {
    /// What the runs of all pipelines did, and what waits, all at one moment. Its cost grows with the pipelines and with what
    /// is open, not with the runs.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn figures(&self) -> Result<Figures, StoreError> {
        self.quick(|connection| {
            let transaction = connection.transaction()?;
            let figures = Figures {
                totals: totals(&transaction)?,
                durations: durations(&transaction)?,
                unfinished: unfinished(&transaction)?,
                quarantine_open: quarantine_open(&transaction)?,
                queue: queue(&transaction)?,
                alerts_waiting: unsigned(transaction.query_row(
                    "SELECT count(*) FROM alerts WHERE state = 'waiting'",
                    [],
                    |row| row.get(0),
                )?),
            };
            transaction.commit()?;
            Ok(figures)
        })
    }
}

fn totals(connection: &Connection) -> Result<Vec<RunTotals>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT pipeline, state, runs, rows_read, rows_loaded, rows_rejected, rows_quarantined, bytes_read, bytes_loaded,
             last_ended_at
         FROM run_totals ORDER BY pipeline, state",
    )?;
    let totals = select.query_map([], |row| {
        let count = |column: usize| Ok::<_, rusqlite::Error>(unsigned(row.get(column)?));
        Ok(RunTotals {
            pipeline: row.get(0)?,
            state: from_word(1, row.get(1)?)?,
            runs: count(2)?,
            rows_read: count(3)?,
            rows_loaded: count(4)?,
            rows_rejected: count(5)?,
            rows_quarantined: count(6)?,
            bytes_read: count(7)?,
            bytes_loaded: count(8)?,
            last_ended_at: timestamp(row.get(9)?),
        })
    })?;
    totals.collect()
}

fn durations(connection: &Connection) -> Result<BTreeMap<String, Durations>, rusqlite::Error> {
    let mut select =
        connection.prepare_cached("SELECT pipeline, at_most, runs, nanoseconds FROM run_durations ORDER BY 1, 2")?;
    let mut rows = select.query([])?;
    // Bounds that are not among today's are counted with the next.
    let mut counts: BTreeMap<String, ([u64; BOUNDS.len()], Duration)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (at_most, runs, took): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let (counts, sum) = counts.entry(row.get(0)?).or_default();
        let bound = BOUNDS.partition_point(|bound| *bound < at_most);
        if let Some(count) = counts.get_mut(bound) {
            *count += unsigned(runs);
        }
        *sum += Duration::from_nanos(unsigned(took));
    }
    let whole = |(pipeline, (counts, sum)): (String, ([u64; BOUNDS.len()], Duration))| {
        let mut count = 0;
        let mut at_most = Vec::new();
        for (bound, runs) in BOUNDS.iter().zip(counts) {
            count += runs;
            let bound = if *bound == i64::MAX { f64::INFINITY } else { *bound as f64 / 1e9 };
            at_most.push((bound, count));
        }
        (pipeline, Durations { at_most, count, sum })
    };
    Ok(counts.into_iter().map(whole).collect())
}

fn unfinished(connection: &Connection) -> Result<Vec<(String, RunState, u64)>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT pipeline, state, count(*) FROM runs INDEXED BY runs_unfinished
         WHERE (state = 'crashed' OR ended_at IS NULL) AND abandoned_at IS NULL
         GROUP BY pipeline, state ORDER BY pipeline, state",
    )?;
    let runs = select.query_map([], |row| Ok((row.get(0)?, from_word(1, row.get(1)?)?, unsigned(row.get(2)?))))?;
    runs.collect()
}

fn quarantine_open(connection: &Connection) -> Result<BTreeMap<String, u64>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT runs.pipeline, sum(open.rows)
         FROM (SELECT run, sum(rows) AS rows FROM quarantine WHERE dealt IS NULL GROUP BY run) AS open
             JOIN runs ON runs.id = open.run
         GROUP BY runs.pipeline",
    )?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
    rows.collect()
}

fn queue(connection: &Connection) -> Result<Vec<QueueLength>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT pool, sum(state = 'waiting'), sum(state = 'started') FROM queue WHERE state IN ('waiting', 'started')
         GROUP BY pool ORDER BY pool",
    )?;
    let lengths = select.query_map([], |row| {
        Ok(QueueLength { pool: row.get(0)?, waiting: unsigned(row.get(1)?), started: unsigned(row.get(2)?) })
    })?;
    lengths.collect()
}

/// What a run adds to the sums, from its record.
pub(crate) struct Counted {
    pub(crate) rows_read: i64,
    pub(crate) rows_loaded: i64,
    pub(crate) rows_rejected: i64,
    pub(crate) rows_quarantined: i64,
    pub(crate) bytes_read: i64,
    pub(crate) bytes_loaded: i64,
}

/// Adds a run to the sums, within the transaction that writes its last event.
pub(crate) fn add_ended(connection: &Connection, record: &RunRecord, of: &Counted) -> Result<(), rusqlite::Error> {
    let Some(ended_at) = record.ended_at else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO run_totals (pipeline, state, runs, rows_read, rows_loaded, rows_rejected, rows_quarantined,
                 bytes_read, bytes_loaded, last_ended_at)
             VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT DO UPDATE SET runs = runs + 1, rows_read = rows_read + excluded.rows_read,
                 rows_loaded = rows_loaded + excluded.rows_loaded,
                 rows_rejected = rows_rejected + excluded.rows_rejected,
                 rows_quarantined = rows_quarantined + excluded.rows_quarantined,
                 bytes_read = bytes_read + excluded.bytes_read, bytes_loaded = bytes_loaded + excluded.bytes_loaded,
                 last_ended_at = max(last_ended_at, excluded.last_ended_at)",
        )?
        .execute(params![
            record.pipeline,
            record.state.word(),
            of.rows_read.min(MOST),
            of.rows_loaded.min(MOST),
            of.rows_rejected.min(MOST),
            of.rows_quarantined.min(MOST),
            of.bytes_read.min(MOST),
            of.bytes_loaded.min(MOST),
            nanoseconds(ended_at),
        ])?;
    let Some(started_at) = record.started_at else { return Ok(()) };
    let took = nanoseconds(ended_at).saturating_sub(nanoseconds(started_at)).clamp(0, MOST);
    let bound = BOUNDS.iter().find(|bound| **bound >= took).unwrap_or(&i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO run_durations (pipeline, at_most, runs, nanoseconds) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT DO UPDATE SET runs = runs + 1, nanoseconds = nanoseconds + excluded.nanoseconds",
        )?
        .execute(params![record.pipeline, bound, took])?;
    Ok(())
}
