//! The steps of a part: write and prepare.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sluicebox_stage::Fault;

use crate::block::{BlockWriter, Compression};
use crate::disk::{self, Out, folder_of};
use crate::error::{fault, not_granted};
use crate::receipt::Receipt;
use crate::target::{Target, temporary};

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
    /// `invalid-config` for a second part of a load that replaces one file, and where the path is a folder and a file is
    /// needed or the other way round; `denied` where the folder was not granted.
    pub fn new(target: &Target, compression: Compression, load_id: &str, part: u32) -> Result<Self, Fault> {
        target.look()?;
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
        disk::make_folders(&folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Fault::invalid_config(format!(
                "`{}` is to be a folder, and there is a file of that name; write another path",
                folder.display()
            )),
            ErrorKind::NotFound => not_granted(&self.path),
            _ => fault("make the folder", &folder, &error),
        })?;
        if fs::symlink_metadata(&self.temporary).is_ok_and(|found| found.is_dir()) {
            return Err(Fault::unavailable(format!(
                "`{}` is a folder, and a file of this name is needed for a while; remove it, then run again",
                self.temporary.display()
            )));
        }
        let out = Out::create(&self.temporary).map_err(|error| self.fault("write to", &error))?;
        Ok(BlockWriter::new(out, self.compression))
    }

    /// What a failed write to the temporary file means, for people.
    #[must_use]
    pub fn fault(&self, verb: &str, error: &std::io::Error) -> Fault {
        fault(verb, &self.temporary, error)
    }

    /// Makes what was written durable, its name too; the receipt as JSON.
    ///
    /// # Errors
    /// `unavailable` where the system refuses.
    pub fn prepare(&self, writer: BlockWriter, rows: u64) -> Result<String, Fault> {
        let (bytes, digest) = writer.end().map_err(|error| self.fault("finish", &error))?;
        disk::sync_folder(&folder_of(&self.temporary)).map_err(|error| self.fault("make durable", &error))?;
        let receipt =
            Receipt { path: self.path.clone(), temporary: self.temporary.clone(), rows, bytes, digest: Some(digest) };
        serde_json::to_string(&receipt).map_err(|error| Fault::internal(format!("cannot write the receipt: {error}")))
    }
}
