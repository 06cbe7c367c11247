//! Who may run pipelines with a store: one process at a time. The system frees the lock of a process that dies.

use crate::error::StoreError;
use crate::store::Store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The right to run pipelines with a store; given back when it is dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Holder {
    /// The process.
    pub process: u32,
    /// Since when.
    pub since: Timestamp,
    /// What it does, for people.
    pub what: String,
}

impl Store {
    /// Takes the right to run pipelines. A lock that a dead process left is free.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it; the lock file cannot be used.
    pub fn lock_runs(&self, what: &str, now: Timestamp) -> Result<RunLock, StoreError> {
        let path = self.folder.join("run.lock");
        let told = |error: std::io::Error| StoreError::file(&path, &error);
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(told)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&self.folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(told(error)),
        }
        let holder = Holder { process: std::process::id(), since: now, what: what.to_owned() };
        let text = serde_json::to_string(&holder).unwrap_or_default();
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).and_then(|()| file.flush()).map_err(told)?;
        Ok(RunLock { _file: file })
    }
}

fn held(folder: &Path, file: &mut File) -> StoreError {
    let mut text = String::new();
    // What cannot be read was not yet written.
    let _ = file.rewind().and_then(|()| file.take(4096).read_to_string(&mut text));
    let holder = serde_json::from_str(&text).ok();
    StoreError::Locked { folder: folder.to_owned(), holder }
}
