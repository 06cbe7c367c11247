//! Opening the store.

use crate::error::StoreError;
use crate::quarantine::Files;
use crate::schema::migrate;
use crate::watch::Watchers;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};
use sluicebox_model::run::{RunId, RunRecord};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a statement waits for another process.
pub(crate) const BUSY: Duration = Duration::from_secs(15);

/// Statements that a connection keeps ready: all that a run and its place in the queue need, and then some.
const STATEMENTS: usize = 64;

/// How long it waits before it tries again what SQLite does not try again by itself.
const AGAIN_AFTER: Duration = Duration::from_millis(2);

/// The journal of runs and what they left behind, in one folder.
pub struct Store {
    pub(crate) folder: PathBuf,
    pub(crate) file: PathBuf,
    /// The database's log: beside the file itself, also where that is behind a link.
    log: PathBuf,
    /// What has to be on disk in the order of its writing.
    events: Mutex<Durable>,
    /// Logs and quarantine, and all reading: the last moments may be lost with the power, never with the process.
    bulk: Mutex<Connection>,
    /// Runs under way: their records, with the number of events that they fold.
    pub(crate) records: Mutex<BTreeMap<RunId, (i64, RunRecord)>>,
    pub(crate) files: Mutex<Files>,
    pub(crate) watchers: Watchers,
}

/// A connection, and whether a commit on it waits for the disk.
struct Durable {
    connection: Connection,
    waits: bool,
}

impl Durable {
    fn set(&mut self, waits: bool) -> Result<&mut Connection, rusqlite::Error> {
        if self.waits != waits {
            self.connection.pragma_update(None, "synchronous", if waits { "FULL" } else { "NORMAL" })?;
            self.waits = waits;
        }
        Ok(&mut self.connection)
    }
}

impl Store {
    /// Opens the store in this folder, which is made if it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// The folder or the database cannot be used; the message says which and what to do.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::file(folder, &error))?;
        let file = folder.join("store.sqlite");
        let mut events = connect(&file, "FULL")?;
        migrate(&mut events, &file)?;
        let bulk = connect(&file, "NORMAL")?;
        let mut log = std::fs::canonicalize(&file).map_err(|error| StoreError::file(&file, &error))?.into_os_string();
        log.push("-wal");
        Ok(Self {
            folder: folder.to_owned(),
            file,
            log: log.into(),
            events: Mutex::new(Durable { connection: events, waits: true }),
            bulk: Mutex::new(bulk),
            records: Mutex::default(),
            files: Mutex::default(),
            watchers: Watchers::default(),
        })
    }

    /// Runs statements on the durable connection: what they commit is on disk when this returns, and so is all that was
    /// committed before.
    pub(crate) fn durable<R>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<R, rusqlite::Error>,
    ) -> Result<R, StoreError> {
        lock(&self.events).set(true).and_then(work).map_err(|error| self.failed(&error))
    }

    /// Runs statements on the durable connection: what they commit survives this process, and is on disk with the next that
    /// is durable. See [`crate::journal`] for what may be written so.
    pub(crate) fn soon_durable<R>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<R, rusqlite::Error>,
    ) -> Result<R, StoreError> {
        lock(&self.events).set(false).and_then(work).map_err(|error| self.failed(&error))
    }

    /// Waits until all that was committed so far is on disk, while others go on writing.
    ///
    /// # Errors
    /// The disk fails: what did not wait for it may be lost with the power.
    pub fn flush(&self) -> Result<(), StoreError> {
        // The log of the database, see `journal.rs`; what has left it is on disk. SQLite has no locks on it that closing it here
        // would give up.
        match std::fs::OpenOptions::new().write(true).open(&self.log).and_then(|file| file.sync_data()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file(&self.log, &error)),
            _ => Ok(()),
        }
    }

    /// Looks at the durable connection as the last call left it.
    #[cfg(test)]
    #[allow(clippy::panic)]
    pub(crate) fn as_it_is<R>(&self, work: impl FnOnce(&mut Connection) -> Result<R, rusqlite::Error>) -> R {
        work(&mut lock(&self.events).connection).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs statements on the other connection.
    pub(crate) fn quick<R>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<R, rusqlite::Error>,
    ) -> Result<R, StoreError> {
        work(&mut lock(&self.bulk)).map_err(|error| self.failed(&error))
    }

    pub(crate) fn failed(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::database(&self.file, error)
    }
}

fn connect(file: &Path, synchronous: &str) -> Result<Connection, StoreError> {
    let connect = || {
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        write_ahead(&connection)?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    };
    connect().map_err(|error| StoreError::database(file, &error))
}

/// Has the database write ahead. Of several processes that open a new one at once only one can change that, and here SQLite
/// does not wait by itself for the others.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let end = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end => {
                std::thread::sleep(AGAIN_AFTER);
            }
            done => return done,
        }
    }
}

/// Locks, also after a panic of another thread: transactions that it had begun are rolled back.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As in the tables. Good until the year 2262.
pub(crate) fn nanoseconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

/// Back from the tables.
pub(crate) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A word that serde knows, e.g. of an enum.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A JSON text of the tables as a value; an error is told as one of the column.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(column: usize, text: &str) -> Result<T, rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| conversion(column, error))
}

/// A word of the tables as a value.
pub(crate) fn from_word<T: serde::de::DeserializeOwned>(column: usize, word: String) -> Result<T, rusqlite::Error> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| conversion(column, error))
}

/// A value as JSON text for the tables.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, rusqlite::Error> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn conversion(column: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}
