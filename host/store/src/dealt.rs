//! What became of rows that were set aside: nothing yet, dropped, or replayed.

use crate::error::StoreError;
use crate::quarantine::QuarantineKind;
use crate::store::{Store, from_word, timestamp};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sluicebox_model::run::RunId;

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

impl Store {
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

    /// Marks what a run set aside, of one stage or of all, as dropped; answers with how many rows and records.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn drop_set_aside(&self, run: RunId, stage: Option<&str>) -> Result<u64, StoreError> {
        self.durable(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let of = params![run.to_string(), stage];
            let open = "run = ?1 AND (?2 IS NULL OR stage = ?2) AND dealt IS NULL";
            let rows: i64 = transaction.query_row(
                &format!("SELECT coalesce(sum(rows), 0) FROM quarantine WHERE {open}"),
                of,
                |row| row.get(0),
            )?;
            transaction.execute(&format!("UPDATE quarantine SET dealt = 'dropped' WHERE {open}"), of)?;
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
