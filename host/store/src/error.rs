//! What goes wrong with the store, for people.

use crate::lock::Holder;
use std::path::{Path, PathBuf};

/// The store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be used.
    #[error("cannot use `{}`: {reason}; {help}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// The database refuses a statement.
    #[error("the store `{}` failed: {reason}; {help}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What it says.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// The database belongs to something else or to a later sluicebox.
    #[error("the store `{}` {reason}", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
        /// What is the matter, and what to do.
        reason: String,
    },
    /// The database does not hold the last commit that was decided with it.
    #[error(
        "the store `{}` has lost events: run {run} of `{pipeline}` was committed with it, and it does not know that; it is \
         damaged, or an older copy. Put back the newest copy of the whole folder. Or delete `{}` to go on with the store as it \
         is: extracts then resume where `sluicebox bookmarks` says, and rows that are loaded already may be loaded again",
        path.display(), witness.display()
    )]
    Lost {
        /// The database file.
        path: PathBuf,
        /// The file that tells what is lost.
        witness: PathBuf,
        /// A run that it does not know as committed.
        run: String,
        /// The pipeline of the last run.
        pipeline: String,
    },
    /// An event does not fit the state of its run.
    #[error("run {run}: {reason}")]
    Illegal {
        /// The run.
        run: String,
        /// Why the event was refused.
        reason: String,
    },
    /// Another process runs pipelines with the store.
    #[error("{}", locked(folder, holder.as_ref()))]
    Locked {
        /// The state folder.
        folder: PathBuf,
        /// Who, as far as it can be read.
        holder: Option<Holder>,
    },
    /// No run has this id.
    #[error("there is no run `{0}`; `sluicebox runs` lists them")]
    NoRun(String),
    /// There is no run at all.
    #[error("there are no runs yet; `sluicebox run PIPELINE.toml` makes one")]
    NoRuns,
    /// Several runs have ids that begin or end so.
    #[error("`{wanted}` may be {}; give more of the id", near.join(", "))]
    AmbiguousRun {
        /// What was asked for.
        wanted: String,
        /// The ids that fit, the newest first; at most ten.
        near: Vec<String>,
    },
}

/// A new store knows no bookmarks: that is said before somebody makes one.
const DAMAGED: &str = "it is damaged or no store: put back a copy of its folder; where there is none, `sqlite3 store.sqlite \
    .recover` saves what can be read. If you move it away, a new one is made: every extract then reads from its beginning, and what is \
    loaded already may be loaded again";

/// Whether what stands in a table cannot be what was written to it.
fn is_garbled(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    matches!(
        error,
        E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..) | E::Utf8Error(..)
    )
}

fn locked(folder: &Path, holder: Option<&Holder>) -> String {
    let who = match holder {
        Some(Holder { process, since, what }) => format!("process {process} ({what}), since {since:.0}"),
        None => "another process".to_owned(),
    };
    format!("pipelines of the state folder `{}` are being run by {who}", folder.display())
}

impl StoreError {
    pub(crate) fn database(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let help = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another process has held it for long: wait for it, or end it"
            }
            Some(ErrorCode::DiskFull) => "its disk is full: make room, and try again",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "make the folder writable, or choose another",
            Some(ErrorCode::CannotOpen) => "see that the folder is there and can be read and written",
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => DAMAGED,
            None if is_garbled(error) => DAMAGED,
            // Not every system says of a full disk that it is full.
            Some(ErrorCode::SystemIoFailure) => {
                "its disk is full or fails: make room, see that the disk works, and try again"
            }
            _ => "look at the file and its folder, and try again",
        };
        Self::Database { path: path.to_owned(), reason: error.to_string(), help }
    }

    pub(crate) fn file(path: &Path, error: &dyn std::fmt::Display) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
            help: "see that its folder is there, writable, and on a disk with room",
        }
    }
}
