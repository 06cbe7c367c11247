//! Reading: what command line, API and pages ask.

use crate::error::StoreError;
use crate::journal::{read_events, read_record};
use crate::store::{Store, from_json, from_word, nanoseconds, timestamp, word};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use serde::Serialize;
use sluicebox_model::fault::Fault;
use sluicebox_model::run::{Event, Interval, RunId, RunRecord, RunState, Trigger};
use sluicebox_model::stage::{Level, LogLine};
use std::time::Duration;

/// Which runs.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Of this pipeline.
    pub pipeline: Option<String>,
    /// In one of these states; empty: in any.
    pub states: Vec<RunState>,
    /// By one of these triggers; empty: by any.
    pub triggers: Vec<Trigger>,
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Made before this time.
    pub until: Option<Timestamp>,
    /// For exactly this interval.
    pub interval: Option<Interval>,
    /// Made before this run: for the next page, the last of this one. None are if there is no such run.
    pub before: Option<RunId>,
    /// At most so many, the newest; none: 20.
    pub limit: Option<u32>,
}

/// A run in one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// What caused it.
    pub trigger: Trigger,
    /// For when it ran.
    pub interval: Interval,
    /// Its state.
    pub state: RunState,
    /// When the trigger made it.
    pub queued_at: Timestamp,
    /// When the stages began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// From the start of the stages to the end.
    pub duration: Option<Duration>,
    /// Rows that extracts made.
    pub rows_read: u64,
    /// Rows that loads show; none unless the run succeeded.
    pub rows_loaded: u64,
    /// Rows that rules rejected, and records that could not be made rows.
    pub rows_rejected: u64,
    /// Rows that stages failed on.
    pub rows_quarantined: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A line of a stage's log, with where it belongs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogEntry {
    /// When the line was kept.
    pub at: Timestamp,
    /// The stage.
    pub stage: String,
    /// The line.
    #[serde(flatten)]
    pub line: LogLine,
}

/// Runs are in the order in which they were made, which the table's own numbers tell: a clock may be set back.
const SUMMARY: &str =
    "SELECT id, pipeline, trigger, interval_start, interval_end, state, queued_at, started_at, ended_at,
    rows_read, rows_loaded, rows_rejected, rows_quarantined, fault FROM runs";

impl Store {
    /// Runs in one line each, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        let mut wanted = Wanted::default();
        if let Some(pipeline) = &filter.pipeline {
            wanted.need("pipeline = ?", [Value::from(pipeline.clone())]);
        }
        wanted.one_of("state", filter.states.iter().map(|state| state.word().to_owned()));
        wanted.one_of("trigger", filter.triggers.iter().map(word));
        if let Some(since) = filter.since {
            wanted.need("queued_at >= ?", [nanoseconds(since).into()]);
        }
        if let Some(until) = filter.until {
            wanted.need("queued_at < ?", [nanoseconds(until).into()]);
        }
        if let Some(Interval { start, end }) = filter.interval {
            wanted
                .need("interval_start = ? AND interval_end = ?", [nanoseconds(start).into(), nanoseconds(end).into()]);
        }
        if let Some(before) = filter.before {
            wanted.need("rowid < (SELECT rowid FROM runs WHERE id = ?)", [before.to_string().into()]);
        }
        let (conditions, mut values) = wanted.sql();
        values.push(i64::from(filter.limit.unwrap_or(20)).into());
        self.quick(|connection| {
            let mut select =
                connection.prepare_cached(&format!("{SUMMARY} {conditions} ORDER BY rowid DESC LIMIT ?"))?;
            select.query_map(params_from_iter(values), summary)?.collect()
        })
    }

    /// The last runs of a pipeline that ended well, the newest first; with `before`, those that were made before that run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn history(&self, pipeline: &str, before: Option<RunId>, limit: u32) -> Result<Vec<RunSummary>, StoreError> {
        self.runs(&RunFilter {
            pipeline: Some(pipeline.to_owned()),
            states: vec![RunState::Succeeded],
            before,
            limit: Some(limit),
            ..RunFilter::default()
        })
    }

    /// When a run of a pipeline last loaded rows.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn last_loaded(&self, pipeline: &str) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = self.quick(|connection| {
            connection.query_row(
                "SELECT max(ended_at) FROM runs WHERE pipeline = ?1 AND state = 'succeeded' AND rows_loaded > 0",
                [pipeline],
                |row| row.get(0),
            )
        })?;
        Ok(at.map(timestamp))
    }

    /// The runs that have no end, the oldest first: another process is at them, or died.
    ///
    /// # Errors
    /// The database cannot be read, or the events of a run do not fold.
    pub fn unfinished(&self) -> Result<Vec<RunRecord>, StoreError> {
        let ids = self.quick(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id FROM runs INDEXED BY runs_unfinished WHERE (state = 'crashed' OR ended_at IS NULL) AND abandoned_at IS NULL
                 ORDER BY rowid",
            )?;
            let ids = select.query_map([], |row| run_id(row, 0))?;
            ids.collect::<Result<Vec<RunId>, _>>()
        })?;
        ids.into_iter().map(|id| self.run(&id.to_string())).collect()
    }

    /// The last run of a pipeline.
    ///
    /// # Errors
    /// The database cannot be read, or the events of the run do not fold.
    pub fn last_of(&self, pipeline: &str) -> Result<Option<RunRecord>, StoreError> {
        let filter = RunFilter { pipeline: Some(pipeline.to_owned()), limit: Some(1), ..RunFilter::default() };
        self.runs(&filter)?.first().map(|run| self.run(&run.id.to_string())).transpose()
    }

    /// Whether a run whose loads have ids that begin so has loaded.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn has_loaded(&self, load_key: &str) -> Result<bool, StoreError> {
        self.quick(|connection| {
            connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM runs WHERE load_key = ?1 AND committing_at IS NOT NULL)")?
                .query_row([load_key], |row| row.get(0))
        })
    }

    /// The last run of a pipeline whose loads have ids that begin so and that succeeded.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn succeeded(&self, pipeline: &str, load_key: &str) -> Result<Option<RunId>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id FROM runs WHERE load_key = ?1 AND pipeline = ?2 AND state = 'succeeded'
                 ORDER BY rowid DESC LIMIT 1",
            )?;
            let ids = select.query_map([load_key, pipeline], |row| run_id(row, 0))?;
            Ok(ids.collect::<Result<Vec<RunId>, _>>()?.into_iter().next())
        })
    }

    /// The id of the run that `wanted` means: `last`, a whole id, or as much of its beginning or end as only one run has.
    ///
    /// # Errors
    /// No run or several runs fit; the database cannot be read.
    pub fn find(&self, wanted: &str) -> Result<RunId, StoreError> {
        // A whole id, which is what programs ask for, needs no look at all runs.
        let whole = self.quick(|connection| {
            let mut select = connection.prepare_cached("SELECT id FROM runs WHERE id = ?1")?;
            select.query_row([wanted.to_lowercase()], |row| run_id(row, 0)).optional()
        })?;
        if let Some(id) = whole {
            return Ok(id);
        }
        let ids = self.quick(|connection| {
            let (sql, with) = if wanted == "last" {
                ("SELECT id FROM runs ORDER BY rowid DESC LIMIT 1", None)
            } else {
                (
                    "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1
                     ORDER BY rowid DESC LIMIT 10",
                    Some(wanted.to_lowercase()),
                )
            };
            let mut select = connection.prepare(sql)?;
            let ids = select.query_map(rusqlite::params_from_iter(with), |row| run_id(row, 0))?;
            ids.collect::<Result<Vec<RunId>, _>>()
        })?;
        match ids.as_slice() {
            [] if wanted == "last" => Err(StoreError::NoRuns),
            _ if wanted.is_empty() => Err(StoreError::NoRun(wanted.to_owned())),
            [] => Err(StoreError::NoRun(wanted.to_owned())),
            [id] => Ok(*id),
            many => Err(StoreError::AmbiguousRun {
                wanted: wanted.to_owned(),
                near: many.iter().map(RunId::to_string).collect(),
            }),
        }
    }

    /// A run's record: the fold of its events. See [`Store::find`] for what `wanted` may be.
    ///
    /// # Errors
    /// No run or several runs fit; the database cannot be read, or its events do not fold.
    pub fn run(&self, wanted: &str) -> Result<RunRecord, StoreError> {
        let id = self.find(wanted)?;
        self.quick(|connection| read_record(connection, id))?
            .map_err(|reason| StoreError::Illegal { run: id.to_string(), reason })
    }

    /// A run in one line.
    ///
    /// # Errors
    /// No run or several runs fit; the database cannot be read.
    pub fn summary(&self, wanted: &str) -> Result<RunSummary, StoreError> {
        let id = self.find(wanted)?;
        self.quick(|connection| connection.query_row(&format!("{SUMMARY} WHERE id = ?1"), [id.to_string()], summary))
    }

    /// The events of a run, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn events(&self, run: RunId) -> Result<Vec<(Timestamp, Event)>, StoreError> {
        self.quick(|connection| read_events(connection, run))
    }

    /// The log of a run, of one stage or of all, as loud as `level` and louder, in the order of telling.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn logs(&self, run: RunId, stage: Option<&str>, level: Level) -> Result<Vec<LogEntry>, StoreError> {
        let levels: Vec<String> = [Level::Debug, Level::Info, Level::Warn, Level::Error]
            .iter()
            .filter(|loud| **loud >= level)
            .map(word)
            .collect();
        let levels = format!(",{},", levels.join(","));
        self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT at, stage, level, source, message FROM logs
                 WHERE run = ?1 AND (?2 IS NULL OR stage = ?2) AND instr(?3, ',' || level || ',') > 0 ORDER BY id",
            )?;
            select.query_map(params![run.to_string(), stage, levels], log_entry)?.collect()
        })
    }
}

/// What is wanted of rows: conditions, and the values of their places.
#[derive(Default)]
struct Wanted {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Wanted {
    fn need<const N: usize>(&mut self, condition: &str, values: [Value; N]) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    /// No words: any.
    fn one_of(&mut self, column: &str, words: impl Iterator<Item = String>) {
        let words: Vec<Value> = words.map(Value::from).collect();
        if !words.is_empty() {
            let places = vec!["?"; words.len()].join(", ");
            self.conditions.push(format!("{column} IN ({places})"));
            self.values.extend(words);
        }
    }

    fn sql(self) -> (String, Vec<Value>) {
        match self.conditions.join(" AND ") {
            none if none.is_empty() => (none, self.values),
            all => (format!("WHERE {all}"), self.values),
        }
    }
}

/// A line of a log: at, stage, level, source and message.
pub(crate) fn log_entry(row: &Row<'_>) -> Result<LogEntry, rusqlite::Error> {
    Ok(LogEntry {
        at: timestamp(row.get(0)?),
        stage: row.get(1)?,
        line: LogLine { level: from_word(2, row.get(2)?)?, source: from_word(3, row.get(3)?)?, message: row.get(4)? },
    })
}

fn run_id(row: &Row<'_>, column: usize) -> Result<RunId, rusqlite::Error> {
    from_word(column, row.get(column)?)
}

fn summary(row: &Row<'_>) -> Result<RunSummary, rusqlite::Error> {
    let time = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(timestamp));
    let count = |column: usize| Ok::<_, rusqlite::Error>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
    let (started_at, ended_at) = (time(7)?, time(8)?);
    let duration = started_at.zip(ended_at).map(|(start, end)| {
        // A clock that was set back makes no duration.
        Duration::try_from(end.duration_since(start)).unwrap_or_default()
    });
    Ok(RunSummary {
        id: run_id(row, 0)?,
        pipeline: row.get(1)?,
        trigger: from_word(2, row.get(2)?)?,
        interval: Interval { start: timestamp(row.get(3)?), end: timestamp(row.get(4)?) },
        state: from_word(5, row.get(5)?)?,
        queued_at: timestamp(row.get(6)?),
        started_at,
        ended_at,
        duration,
        rows_read: count(9)?,
        rows_loaded: count(10)?,
        rows_rejected: count(11)?,
        rows_quarantined: count(12)?,
        fault: row.get::<_, Option<String>>(13)?.map(|fault| from_json(13, &fault)).transpose()?,
    })
}
