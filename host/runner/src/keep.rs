//! Keeping batches as a checkpoint while they stream by, outside of a run.

use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointWriter};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::path::{Path, PathBuf};

/// A checkpoint in the making; what is not finished is not kept.
pub struct Keeping {
    folder: PathBuf,
    stage: String,
    schema: SchemaRef,
    writer: CheckpointWriter,
}

impl Keeping {
    /// Begins the checkpoint of a stage in a folder, which is made if it is missing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(folder: &Path, stage: &str, schema: &SchemaRef) -> Result<Self, CheckpointError> {
        let writer = CheckpointWriter::create(folder, stage, schema)?;
        Ok(Self { folder: folder.to_owned(), stage: stage.to_owned(), schema: schema.clone(), writer })
    }

    /// What its batches look like.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds a batch of this schema.
    ///
    /// # Errors
    /// The file cannot be written, or the batch has another schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), CheckpointError> {
        self.writer.write(batch)
    }

    /// Ends it, and reads it once to see that it is whole.
    ///
    /// # Errors
    /// The file cannot be written or read.
    pub fn finish(self) -> Result<Checkpoint, CheckpointError> {
        self.writer.finish(None)?;
        Checkpoint::open(&self.folder, &self.stage)?
            .ok_or_else(|| CheckpointError { path: self.folder.join(&self.stage), reason: "is gone".to_owned() })
    }
}
