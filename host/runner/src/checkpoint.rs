//! What a stage passed on, kept in a file so that a later run can start behind it: an Arrow IPC stream compressed by LZ4
//! where that pays, and behind it a trailer with its length and checksum, by which a torn file is noticed. Whoever reads the
//! stream never comes to the trailer, since a stream tells its own end.
//!
//! It is not forced to the disk (no fsync): what the power takes is noticed as torn, and the stage runs again.

mod pack;
#[cfg(test)]
mod tests;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_schema::SchemaRef;
use pack::Packer;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::hash::Hasher;
use std::io::{BufReader, IoSlice, Read, Seek, SeekFrom, Take, Write};
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_64;

/// Ends the file.
const MAGIC: &[u8; 8] = b"SLBXCKP1";
/// A longer trailer is none.
pub(crate) const TRAILER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes that are checked at once.
const PIECE_BYTES: usize = 256 * 1024;

/// A checkpoint cannot be written or used.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoint {} {reason}", path.display())]
pub struct CheckpointError {
    /// The file.
    pub path: PathBuf,
    /// For people.
    pub reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Trailer {
    stream_bytes: u64,
    xxh3: u64,
    rows: u64,
    bookmark: Option<String>,
}

/// A checkpoint that is whole.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    stream_bytes: u64,
    schema: SchemaRef,
    /// Its rows.
    pub rows: u64,
    /// An extract: where the next run was to resume.
    pub bookmark: Option<String>,
}

/// The file of a stage in a run's folder of checkpoints.
pub(crate) fn path(folder: &Path, stage: &str) -> PathBuf {
    folder.join(format!("{stage}.arrows"))
}

/// The file of what a stage had passed on when the run failed because of another stage.
fn part_path(folder: &Path, stage: &str) -> PathBuf {
    // No stage's name has a dot.
    folder.join(format!("{stage}.part.arrows"))
}

fn failed(path: &Path, reason: impl std::fmt::Display) -> CheckpointError {
    CheckpointError { path: path.to_owned(), reason: reason.to_string() }
}

impl Checkpoint {
    /// Opens the checkpoint of a stage in a run's folder of checkpoints, and reads all of it once to see that it is whole.
    /// None if there is none.
    ///
    /// # Errors
    /// It is torn, damaged or cannot be read.
    pub fn open(folder: &Path, stage: &str) -> Result<Option<Self>, CheckpointError> {
        Self::open_file(path(folder, stage))
    }

    /// Opens what a stage had passed on when its run failed because of another stage: not all that it would have given, so that
    /// no run starts behind it, but all that the others were given. None if there is none.
    ///
    /// # Errors
    /// It is torn, damaged or cannot be read.
    pub fn open_part(folder: &Path, stage: &str) -> Result<Option<Self>, CheckpointError> {
        Self::open_file(part_path(folder, stage))
    }

    fn open_file(path: PathBuf) -> Result<Option<Self>, CheckpointError> {
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, format!("cannot be read: {error}"))),
        };
        let trailer = trailer(&mut file).map_err(|reason| failed(&path, reason))?;
        let io = |error: std::io::Error| failed(&path, format!("cannot be read: {error}"));
        file.rewind().map_err(io)?;
        let mut hash = XxHash3_64::new();
        let mut piece = vec![0; PIECE_BYTES];
        let mut stream = (&mut file).take(trailer.stream_bytes);
        loop {
            match stream.read(&mut piece).map_err(io)? {
                0 => break,
                read => hash.write(piece.get(..read).unwrap_or_default()),
            }
        }
        if hash.finish() != trailer.xxh3 {
            return Err(failed(&path, "is damaged: its checksum does not fit"));
        }
        let mut whole = Self {
            path,
            stream_bytes: trailer.stream_bytes,
            schema: SchemaRef::new(arrow_schema::Schema::empty()),
            rows: trailer.rows,
            bookmark: trailer.bookmark,
        };
        whole.schema = whole.batches()?.schema();
        Ok(Some(whole))
    }

    /// What its batches look like.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its batches, in order.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn batches(&self) -> Result<StreamReader<BufReader<Take<File>>>, CheckpointError> {
        let file = File::open(&self.path).map_err(|error| failed(&self.path, format!("cannot be read: {error}")))?;
        let stream = BufReader::new(file.take(self.stream_bytes));
        StreamReader::try_new(stream, None).map_err(|error| failed(&self.path, format!("is damaged: {error}")))
    }
}

/// The last part of the file. Errors are for people.
fn trailer(file: &mut File) -> Result<Trailer, String> {
    let torn = || "is torn: it was not written to its end".to_owned();
    let told = |error: std::io::Error| format!("cannot be read: {error}");
    let size = file.metadata().map_err(told)?.len();
    let Some(end) = size.checked_sub(16) else { return Err(torn()) };
    file.seek(SeekFrom::Start(end)).map_err(told)?;
    let (mut length, mut magic) = ([0; 8], [0; 8]);
    file.read_exact(&mut length).and_then(|()| file.read_exact(&mut magic)).map_err(told)?;
    let length = u64::from_le_bytes(length);
    let start = end.checked_sub(length).filter(|_| &magic == MAGIC && length <= TRAILER_BYTES_MAX).ok_or_else(torn)?;
    file.seek(SeekFrom::Start(start)).map_err(told)?;
    let mut text = String::new();
    file.take(length).read_to_string(&mut text).map_err(told)?;
    let trailer: Trailer = serde_json::from_str(&text).map_err(|_| torn())?;
    if trailer.stream_bytes == start { Ok(trailer) } else { Err(torn()) }
}

/// Counts and sums what goes through.
struct Summed {
    file: File,
    hash: XxHash3_64,
    bytes: u64,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.write(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> std::io::Result<usize> {
        let written = self.file.write_vectored(slices)?;
        let mut left = written;
        for slice in slices {
            let part = slice.get(..left).unwrap_or(slice);
            self.hash.write(part);
            left -= part.len();
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes a checkpoint while batches stream by. What is not finished is not kept.
pub(crate) struct CheckpointWriter {
    half: PathBuf,
    path: PathBuf,
    part: PathBuf,
    out: Summed,
    /// Until it is finished.
    packer: Option<Packer>,
    rows: u64,
}

impl CheckpointWriter {
    pub(crate) fn create(folder: &Path, stage: &str, schema: &SchemaRef) -> Result<Self, CheckpointError> {
        let path = path(folder, stage);
        let half = path.with_extension("half");
        let make = || -> Result<_, String> {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
            let file = File::create(&half).map_err(|error| error.to_string())?;
            let packer = Packer::new(schema).map_err(|error| error.to_string())?;
            Ok((Summed { file, hash: XxHash3_64::new(), bytes: 0 }, Some(packer)))
        };
        match make() {
            Ok((out, packer)) => Ok(Self { half, path, part: part_path(folder, stage), out, packer, rows: 0 }),
            Err(reason) => Err(failed(&path, format!("cannot be written: {reason}"))),
        }
    }

    /// Bytes that were written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.out.bytes
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), CheckpointError> {
        self.rows += batch.num_rows() as u64;
        let Some(packer) = &mut self.packer else { return Ok(()) };
        packer.write(batch, &mut self.out).map_err(|error| failed(&self.path, format!("cannot be written: {error}")))
    }

    /// Writes the trailer and gives the file its name; answers with its bytes.
    pub(crate) fn finish(self, bookmark: Option<String>) -> Result<u64, CheckpointError> {
        let path = self.path.clone();
        self.close(bookmark, &path)
    }

    /// Keeps what was written so far, as a part; see [`Checkpoint::open_part`]. Nothing where nothing was written.
    pub(crate) fn finish_part(self) -> Result<(), CheckpointError> {
        if self.rows == 0 {
            return Ok(());
        }
        let part = self.part.clone();
        self.close(None, &part).map(drop)
    }

    fn close(mut self, bookmark: Option<String>, path: &Path) -> Result<u64, CheckpointError> {
        let mut end = || -> Result<u64, String> {
            if let Some(packer) = self.packer.take() {
                packer.finish(&mut self.out).map_err(|error| error.to_string())?;
            }
            let (stream_bytes, xxh3) = (self.out.bytes, self.out.hash.finish());
            let trailer = Trailer { stream_bytes, xxh3, rows: self.rows, bookmark: bookmark.clone() };
            let mut trailer = serde_json::to_vec(&trailer).map_err(|error| error.to_string())?;
            let length = trailer.len() as u64;
            trailer.extend_from_slice(&length.to_le_bytes());
            trailer.extend_from_slice(MAGIC);
            self.out
                .file
                .write_all(&trailer)
                .and_then(|()| std::fs::rename(&self.half, path))
                .map_err(|error| error.to_string())?;
            Ok(stream_bytes + length + 16)
        };
        end().map_err(|reason| failed(path, format!("cannot be written: {reason}")))
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        // After `finish` there is none.
        let _ = std::fs::remove_file(&self.half);
    }
}

/// Writes batches as the checkpoint of a stage into a folder, which is made if it is missing.
///
/// # Errors
/// There are none, they have not the same columns, or the file cannot be written.
pub fn keep_batches(folder: &Path, stage: &str, batches: &[RecordBatch]) -> Result<Checkpoint, CheckpointError> {
    let path = path(folder, stage);
    let first = batches.first().ok_or_else(|| failed(&path, "would be without rows"))?;
    let mut writer = CheckpointWriter::create(folder, stage, &first.schema())?;
    for batch in batches {
        if batch.schema() != first.schema() {
            return Err(failed(&path, "cannot be written: the rows do not all have the same columns"));
        }
        writer.write(batch)?;
    }
    writer.finish(None)?;
    Checkpoint::open(folder, stage)?.ok_or_else(|| failed(&path, "is gone"))
}
