//! Bookmarks as people see and set them. Runs set them with their committing event.

use crate::error::StoreError;
use crate::store::{Store, nanoseconds, timestamp};
use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use sluicebox_model::run::RunId;

/// Where an extract resumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Bookmark {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// As the stage gave it.
    pub bookmark: String,
    /// Since when.
    pub at: Timestamp,
    /// The run that left it; none: it was set by hand.
    pub run: Option<RunId>,
}

impl Store {
    /// The bookmarks of a pipeline, or of all, by pipeline and stage.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn bookmarks(&self, pipeline: Option<&str>) -> Result<Vec<Bookmark>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT pipeline, stage, bookmark, at, run FROM bookmarks WHERE ?1 IS NULL OR pipeline = ?1
                 ORDER BY pipeline, stage",
            )?;
            let rows = select.query_map([pipeline], |row| {
                let run: Option<String> = row.get(4)?;
                Ok(Bookmark {
                    pipeline: row.get(0)?,
                    stage: row.get(1)?,
                    bookmark: row.get(2)?,
                    at: timestamp(row.get(3)?),
                    run: run.map(|run| crate::store::from_word(4, run)).transpose()?,
                })
            })?;
            rows.collect()
        })
    }

    /// Sets where an extract resumes, by hand; none: at its beginning. Answers with what was there before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn set_bookmark(
        &self,
        pipeline: &str,
        stage: &str,
        at: Timestamp,
        bookmark: Option<&str>,
    ) -> Result<Option<Bookmark>, StoreError> {
        let before = self.bookmarks(Some(pipeline))?.into_iter().find(|bookmark| bookmark.stage == stage);
        self.durable(|connection| match bookmark {
            Some(bookmark) => connection.execute(
                "INSERT INTO bookmarks (pipeline, stage, bookmark, at, run) VALUES (?1, ?2, ?3, ?4, NULL)
                 ON CONFLICT DO UPDATE SET bookmark = excluded.bookmark, at = excluded.at, run = NULL",
                params![pipeline, stage, bookmark, nanoseconds(at)],
            ),
            None => connection.execute("DELETE FROM bookmarks WHERE pipeline = ?1 AND stage = ?2", [pipeline, stage]),
        })?;
        Ok(before)
    }
}
