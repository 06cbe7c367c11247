//! The steps of a load: write, prepare, commit, abort.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sluicebox_stage::Fault;

use crate::block::{BlockWriter, Compression};
use crate::error::{fault, not_granted};
use crate::target::{Target, folder_of, temporary};

/// What `commit` needs to know of one prepared file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// the file to show
    pub path: PathBuf,
    /// where its bytes are until then
    pub temporary: PathBuf,
    /// rows in it
    pub rows: u64,
    /// its length
    pub bytes: u64,
}

/// One part of one load, from its first write to `prepare`.
#[derive(Debug, Clone)]
pub struct FileLoad {
    path: PathBuf,
    temporary: PathBuf,
    compression: Compression,
}

impl FileLoad {
    /// Changes nothing outside; files are made by [`FileLoad::create`].
    ///
    /// # Errors
    /// `invalid-config` for a second part of a load that replaces one file, `denied` where the folder was not granted.
    pub fn new(target: &Target, compression: Compression, load_id: &str, part: u32) -> Result<Self, Fault> {
        let path = target.file(load_id, part)?;
        let folder = folder_of(&path);
        // What is granted is there, and all else looks as if it were not. Outside of a sandbox, "." is always there.
        let granted = folder.ancestors().any(|above| !above.as_os_str().is_empty() && above.exists());
        if !granted && !Path::new(".").exists() {
            return Err(not_granted(&path));
        }
        Ok(Self { temporary: temporary(&path, load_id, part), path, compression })
    }

    /// The file that `commit` will show.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the temporary file, and the folders above it; what an earlier try left is replaced.
    ///
    /// # Errors
    /// `denied` where the folder was not granted, `unavailable` where the system refuses.
    pub fn create(&self) -> Result<BlockWriter, Fault> {
        let folder = folder_of(&self.path);
        fs::create_dir_all(&folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Fault::invalid_config(format!(
                "`{}` is to be a folder, and there is a file of that name; write another path",
                folder.display()
            )),
            ErrorKind::NotFound => not_granted(&self.path),
            _ => fault("make the folder", &folder, &error),
        })?;
        let file = File::create(&self.temporary).map_err(|error| self.fault("write to", &error))?;
        Ok(BlockWriter::new(file, self.compression))
    }

    /// What a failed write to the temporary file means, for people.
    #[must_use]
    pub fn fault(&self, verb: &str, error: &std::io::Error) -> Fault {
        fault(verb, &self.temporary, error)
    }

    /// Makes what was written durable; the receipt as JSON.
    ///
    /// # Errors
    /// `unavailable` where the system refuses.
    pub fn prepare(&self, writer: BlockWriter, rows: u64) -> Result<String, Fault> {
        let bytes = writer.end().map_err(|error| self.fault("finish", &error))?;
        sync_folder(&folder_of(&self.temporary));
        let receipt = Receipt { path: self.path.clone(), temporary: self.temporary.clone(), rows, bytes };
        serde_json::to_string(&receipt).map_err(|error| Fault::internal(format!("cannot write the receipt: {error}")))
    }
}

/// Renames every prepared file onto its target. Again after it succeeded, it finds the targets as the receipts say and
/// does nothing.
///
/// # Errors
/// `internal` for a receipt that is not ours, `invalid-data` where a prepared file is gone or has another length,
/// `unavailable` where the system refuses. All files are looked at before the first is renamed.
pub fn commit(target: &Target, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
    let receipts = read_receipts(target, load_id, receipts)?;
    let mut waiting = Vec::with_capacity(receipts.len());
    for receipt in &receipts {
        if let Some(length) = length(&receipt.temporary)? {
            if length != receipt.bytes {
                return Err(Fault::invalid_data(format!(
                    "`{}` holds {length} bytes and was prepared with {}; something wrote to it since: run the pipeline again",
                    receipt.temporary.display(),
                    receipt.bytes
                )));
            }
            waiting.push(receipt);
        } else if length(&receipt.path)? != Some(receipt.bytes) {
            return Err(Fault::invalid_data(format!(
                "`{}` was prepared and is gone, and `{}` is not the file of this load; something removed it since: run the pipeline again",
                receipt.temporary.display(),
                receipt.path.display()
            )));
        }
    }
    for receipt in waiting {
        fs::rename(&receipt.temporary, &receipt.path).map_err(|error| fault("show", &receipt.path, &error))?;
        sync_folder(&folder_of(&receipt.path));
    }
    Ok(())
}

/// Removes the temporary files of a load, those of the receipts and any other that bears its id. Never the target.
///
/// # Errors
/// `unavailable` where a file is there and cannot be removed.
pub fn abort(target: &Target, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
    for receipt in read_receipts(target, load_id, receipts)? {
        remove(&receipt.temporary)?;
    }
    let folder = target.folder();
    // A folder that is not there holds nothing to take back.
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| target.is_temporary(name, load_id)) {
            remove(&folder.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Receipts as they were written; one that names other files than this load's is refused.
fn read_receipts(target: &Target, load_id: &str, receipts: &[String]) -> Result<Vec<Receipt>, Fault> {
    let parse = |text: &String| {
        let receipt: Receipt = serde_json::from_str(text)
            .map_err(|error| Fault::internal(format!("a receipt of this load cannot be read: {error}: {text}")))?;
        let folder = target.folder();
        let ours = folder_of(&receipt.temporary) == folder
            && folder_of(&receipt.path) == folder
            && receipt
                .temporary
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| target.is_temporary(name, load_id));
        if ours {
            Ok(receipt)
        } else {
            Err(Fault::invalid_config(format!(
                "this load was prepared for `{}`, and its options now name `{}`; write the old path, or run the pipeline again",
                receipt.path.display(),
                folder.display()
            )))
        }
    };
    receipts.iter().map(parse).collect()
}

fn length(path: &Path) -> Result<Option<u64>, Fault> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault("look at", path, &error)),
    }
}

fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(fault("remove", path, &error)),
    }
}

/// Makes a rename durable, where the system lets a folder be synced: not every one does, and none loses the file.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
