//! Batches on disk, for the edges that must not block: one Arrow IPC stream, read while it is written.

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A queue in a file.
pub(crate) struct Spill {
    path: PathBuf,
    writer: StreamWriter<BufWriter<File>>,
    reader: Option<StreamReader<File>>,
    written: u64,
    read: u64,
    /// Bytes of all that was written.
    bytes: u64,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Spill {
    /// Makes the file. Errors are for people.
    pub(crate) fn create(folder: &Path, schema: &SchemaRef) -> Result<Self, String> {
        let path = folder.join(format!("{}-{}.arrows", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let writer = std::fs::create_dir_all(folder)
            .and_then(|()| File::options().write(true).create_new(true).open(&path))
            .map_err(|error| error.to_string())
            .and_then(|file| StreamWriter::try_new(BufWriter::new(file), schema).map_err(|error| error.to_string()))
            .map_err(|error| Self::told("make", &path, &error))?;
        Ok(Self { path, writer, reader: None, written: 0, read: 0, bytes: 0 })
    }

    /// Bytes of all batches that were written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether every batch has been read.
    pub(crate) fn is_drained(&self) -> bool {
        self.written == self.read
    }

    /// Writes a batch of so many bytes.
    pub(crate) fn write(&mut self, batch: &RecordBatch, bytes: u64) -> Result<(), String> {
        self.writer
            .write(batch)
            .and_then(|()| self.writer.flush())
            .map_err(|error| Self::told("write", &self.path, &error.to_string()))?;
        self.written += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// The next batch; none if there is none now.
    pub(crate) fn read(&mut self) -> Result<Option<RecordBatch>, String> {
        if self.is_drained() {
            return Ok(None);
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            empty => {
                let reader = File::open(&self.path)
                    .map_err(|error| error.to_string())
                    .and_then(|file| StreamReader::try_new(file, None).map_err(|error| error.to_string()))
                    .map_err(|error| Self::told("open", &self.path, &error))?;
                empty.insert(reader)
            }
        };
        match reader.next() {
            Some(Ok(batch)) => {
                self.read += 1;
                Ok(Some(batch))
            }
            Some(Err(error)) => Err(Self::told("read", &self.path, &error.to_string())),
            None => Err(Self::told("read", &self.path, "it ends too early")),
        }
    }

    fn told(verb: &str, path: &Path, error: &str) -> String {
        format!("cannot {verb} the scratch file `{}`: {error}; is there room on the disk?", path.display())
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // The folder is scratch: a file that cannot be taken out is taken out with it.
        let _ = std::fs::remove_file(&self.path);
    }
}
