//! What became of rows that were set aside: nothing yet, dropped, or replayed.

use crate::error::StoreError;
use crate::quarantine::QuarantineKind;
use crate::store::{Store, from_word, timestamp};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sluicebox_model::run::{RunId, RunRecord, StageState, Trigger};

/// How rows that were set aside were dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dealt {
    /// They went through the pipeline again.
    Replayed,
    /// Nobody wants them.
    Dropped,
}

/// What a stage of a run set aside.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SetAside {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// Why, roughly.
    pub kind: QuarantineKind,
    /// The reason of most of them.
    pub reason: Option<String>,
    /// Rows or records.
    pub rows: u64,
    /// When the last of them was set aside.
    pub at: Timestamp,
    /// What became of them; none: nothing yet.
    pub dealt: Option<Dealt>,
    /// The run that replayed them.
    pub dealt_by: Option<String>,
}

/// Rows of an earlier run that a replay has loaded since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedByReplay {
    /// The run that set them aside.
    pub run: String,
    /// Its stage that did.
    pub stage: String,
    /// The replay.
    pub by: String,
}

impl Store {
    /// What runs with this load key set aside and replays have loaded since: a run that gives a stage those rows again would
    /// load them a second time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn loaded_by_replays(&self, pipeline: &str, load_key: &str) -> Result<Vec<LoadedByReplay>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT DISTINCT q.run, q.stage, q.dealt_by
                 FROM runs AS r JOIN quarantine AS q ON q.run = r.id JOIN runs AS p ON p.id = q.dealt_by
                 WHERE r.load_key = ?1 AND r.pipeline = ?2 AND q.dealt = 'replayed' AND p.\"trigger\" = 'replay'
                 ORDER BY r.rowid, q.id",
            )?;
            let rows = select.query_map([load_key, pipeline], |row| {
                Ok(LoadedByReplay { run: row.get(0)?, stage: row.get(1)?, by: row.get(2)? })
            })?;
            rows.collect()
        })
    }

    /// What runs set aside, the newest first; of one run, or of all. With `all`, what was dealt with, too.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn set_aside_by(&self, run: Option<RunId>, all: bool) -> Result<Vec<SetAside>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT q.run, r.pipeline, q.stage, q.kind,
                        (SELECT reason FROM quarantine_reasons AS why
                         WHERE why.run = q.run AND why.stage = q.stage AND why.kind = q.kind
                         ORDER BY why.rows DESC, reason LIMIT 1),
                        sum(q.rows), max(q.at), q.dealt, q.dealt_by
                 FROM quarantine AS q JOIN runs AS r ON r.id = q.run
                 WHERE (?1 IS NULL OR q.run = ?1) AND (?2 OR q.dealt IS NULL)
                 GROUP BY q.run, q.stage, q.kind, q.dealt, q.dealt_by
                 ORDER BY max(r.rowid) DESC, min(q.id)",
            )?;
            let rows = select.query_map(params![run.map(|run| run.to_string()), all], |row| {
                let dealt: Option<String> = row.get(7)?;
                Ok(SetAside {
                    run: row.get(0)?,
                    pipeline: row.get(1)?,
                    stage: row.get(2)?,
                    kind: from_word(3, row.get(3)?)?,
                    reason: row.get(4)?,
                    rows: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
                    at: timestamp(row.get(6)?),
                    dealt: dealt.map(|dealt| from_word(7, dealt)).transpose()?,
                    dealt_by: row.get(8)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Marks what a run set aside, of one stage or of all, as dropped; answers with how many rows and records. With `replayed`
    /// those that were replayed, whose loaded rows somebody has taken out again; else those that nothing became of yet.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn drop_set_aside(&self, run: RunId, stage: Option<&str>, replayed: bool) -> Result<u64, StoreError> {
        self.durable(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let of = params![run.to_string(), stage];
            let dealt = if replayed { "dealt = 'replayed'" } else { "dealt IS NULL" };
            let open = format!("run = ?1 AND (?2 IS NULL OR stage = ?2) AND {dealt}");
            let rows: i64 = transaction.query_row(
                &format!("SELECT coalesce(sum(rows), 0) FROM quarantine WHERE {open}"),
                of,
                |row| row.get(0),
            )?;
            transaction
                .execute(&format!("UPDATE quarantine SET dealt = 'dropped', dealt_by = NULL WHERE {open}"), of)?;
            transaction.commit()?;
            Ok(u64::try_from(rows).unwrap_or(0))
        })
    }

    /// Marks the rows that a stage of a run set aside as replayed, if a run whose load key begins with `prefix` has reached
    /// its commit: a replay takes all that are open. Answers with whether there was such a run. Records, which cannot be
    /// replayed, stay open.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn settle_replays(&self, run: RunId, stage: &str, prefix: &str) -> Result<bool, StoreError> {
        self.durable(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let by: Option<String> = transaction
                .query_row(
                    "SELECT id FROM runs WHERE substr(load_key, 1, length(?1)) = ?1 AND committing_at IS NOT NULL
                 ORDER BY rowid DESC LIMIT 1",
                    [prefix],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(by) = &by {
                transaction.execute(
                    "UPDATE quarantine SET dealt = 'replayed', dealt_by = ?3
                     WHERE run = ?1 AND stage = ?2 AND kind <> 'record' AND dealt IS NULL",
                    params![run.to_string(), stage, by],
                )?;
            }
            transaction.commit()?;
            Ok(by.is_some())
        })
    }
}

/// What earlier runs for the same rows set aside is dealt with by the run that commits: each of its stages that ran was given
/// those rows again, and either passed them on or set them aside anew. A replay is given the rows of one run alone, and says so
/// itself ([`Store::settle_replays`]).
pub(crate) fn take_over_set_aside(connection: &Connection, by: &RunRecord) -> Result<(), rusqlite::Error> {
    if by.trigger == Trigger::Replay {
        return Ok(());
    }
    let mut update = connection.prepare_cached(
        "UPDATE quarantine SET dealt = 'replayed', dealt_by = ?1
         WHERE dealt IS NULL AND stage = ?4
             AND run IN (SELECT id FROM runs WHERE load_key = ?2 AND pipeline = ?3 AND id <> ?1)",
    )?;
    let id = by.id.to_string();
    for stage in by.stages.iter().filter(|stage| stage.state == StageState::Succeeded) {
        update.execute(params![id, by.load_key, by.pipeline, stage.entry.name])?;
    }
    Ok(())
}
