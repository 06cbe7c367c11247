//! What `prepare` tells `commit`.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sluicebox_stage::Fault;

use crate::disk::{self, folder_of};
use crate::target::Target;

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
    /// of its bytes: XXH3 of 128 bits, as hexadecimal digits
    #[serde(default)]
    pub digest: Option<String>,
}

impl Receipt {
    /// Receipts as they were written, each once; one that names other files than this load's is refused.
    pub(crate) fn read_all(target: &Target, load_id: &str, receipts: &[String]) -> Result<Vec<Self>, Fault> {
        let mut read: Vec<Self> = Vec::with_capacity(receipts.len());
        for text in receipts {
            let receipt = Self::read(target, load_id, text)?;
            if !read.contains(&receipt) {
                read.push(receipt);
            }
        }
        Ok(read)
    }

    fn read(target: &Target, load_id: &str, text: &str) -> Result<Self, Fault> {
        let receipt: Self = serde_json::from_str(text)
            .map_err(|error| Fault::internal(format!("a receipt of this load cannot be read: {error}: {text}")))?;
        let folder = target.folder();
        let name = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let ours = folder_of(&receipt.temporary) == folder
            && folder_of(&receipt.path) == folder
            && name(&receipt.temporary).is_some_and(|name| target.is_temporary(&name, load_id))
            && name(&receipt.path).is_some_and(|name| target.is_shown(&name, load_id));
        if ours {
            Ok(receipt)
        } else {
            Err(Fault::invalid_config(format!(
                "this load was prepared for `{}`, and its options now name `{}`; write the old path, or run the pipeline again",
                receipt.path.display(),
                target.path().display()
            )))
        }
    }

    /// Whether the file at the target is the one that was prepared: a file, not a link to one, of the same length and
    /// digest.
    pub(crate) fn is_shown(&self) -> io::Result<bool> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if found.is_file() && found.len() == self.bytes => match &self.digest {
                Some(digest) => Ok(disk::digest(&self.path)? == *digest),
                None => Ok(true),
            },
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
