//! The few things that are done to the file system. All of them go through here, so that a test can have the disk fail,
//! or the process die, before any one of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use twox_hash::xxhash3_128::Hasher;

/// A file is made durable whenever so much was added to it, so that `prepare`, which has to end within the time of one
/// call, does not wait for all of a large file.
const SYNC_EVERY: u64 = 256 * 1024 * 1024;

/// A new file that knows what was written to it.
pub(crate) struct Out {
    file: File,
    digest: Hasher,
    bytes: u64,
    synced: u64,
}

impl Out {
    /// Makes the file. What is there under this name goes first: a link is not followed, and whoever still has the old
    /// file open writes to that.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        remove(path)?;
        trip()?;
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self { file, digest: Hasher::new(), bytes: 0, synced: 0 })
    }

    /// Makes the file durable; its length, and the digest of its bytes.
    pub(crate) fn end(self) -> io::Result<(u64, String)> {
        trip()?;
        self.file.sync_all()?;
        let length = self.file.metadata()?.len();
        if length != self.bytes {
            return Err(io::Error::other(format!(
                "it holds {length} bytes, and {} were written to it; something else writes to it",
                self.bytes
            )));
        }
        Ok((self.bytes, hex(&self.digest)))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(test)]
        trip().inspect_err(|_| {
            // As a disk that runs full within a write.
            let half = bytes.split_at(bytes.len() / 2).0;
            let _ = self.file.write(half);
        })?;
        let written = self.file.write(bytes)?;
        self.digest.write(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        if self.bytes - self.synced >= SYNC_EVERY {
            self.file.sync_data()?;
            self.synced = self.bytes;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digest of a file's bytes: XXH3 of 128 bits, as hexadecimal digits.
pub(crate) fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Hasher::new();
    let mut block = vec![0; 256 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&digest)),
            read => digest.write(block.get(..read).unwrap_or_default()),
        }
    }
}

fn hex(digest: &Hasher) -> String {
    format!("{:032x}", digest.finish_128())
}

/// Makes a folder and those above it, durably.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    trip()?;
    fs::create_dir_all(folder)?;
    for made in missing {
        sync_folder(&folder_of(made))?;
    }
    Ok(())
}

/// Gives a file its place, and takes away what is there.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    trip()?;
    fs::rename(from, to)
}

/// Removes a file, or a link and not what it leads to. One that is not there is removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    trip()?;
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Listings of a folder in which others are at work.
const LISTINGS_MAX: usize = 100;

/// The names in a folder that are text, as all of ours are.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    for _ in 1..LISTINGS_MAX {
        match list(folder) {
            // In a guest, a file of another load that goes while the folder is listed fails the listing as a whole.
            Err(error) if error.kind() == ErrorKind::NotFound && folder.is_dir() => {}
            done => return done,
        }
    }
    list(folder)
}

fn list(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}

/// Makes what was made, renamed and removed in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    trip()?;
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Not every system lets a folder be opened or synced; those that do not keep its entries by themselves.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput
                    | ErrorKind::Unsupported
                    | ErrorKind::PermissionDenied
                    | ErrorKind::IsADirectory
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// The folder of a file, "." for a bare name.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps, reason = "a test's disk fails here")]
#[inline]
fn trip() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use trips::trip;

#[cfg(test)]
pub(crate) mod trips {
    //! A disk that fails.

    use std::cell::Cell;
    use std::io::{Error, ErrorKind, Result};

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// What is done while so many steps succeed, and all that follow fail; `None`: none does.
    pub(crate) fn failing<R>(after: Option<u32>, work: impl FnOnce() -> R) -> R {
        LEFT.set(after);
        let done = work();
        LEFT.set(None);
        done
    }

    /// A step.
    pub(crate) fn trip() -> Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some(0) => Err(Error::from(ErrorKind::StorageFull)),
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }
}
