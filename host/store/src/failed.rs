//! The calls that failed stages, in files: `runs/RUN/failed/STAGE.json` and the batch beside it, an Arrow IPC file.

use crate::error::StoreError;
use crate::store::Store;
use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use sluicebox_model::fault::Fault;
use sluicebox_model::journal::FailedCall;
use sluicebox_model::run::RunId;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kept {
    stage: String,
    call: String,
    turn: u64,
    attempt: u32,
    input: u32,
    inputs: Vec<Schema>,
    fault: Fault,
}

impl Store {
    fn failed_path(&self, run: RunId, stage: &str, extension: &str) -> PathBuf {
        self.folder.join("runs").join(run.to_string()).join("failed").join(format!("{stage}.{extension}"))
    }

    /// Keeps the call, unless one of the stage is kept already.
    pub(crate) fn keep_failed(&self, run: RunId, call: &FailedCall) -> Result<(), StoreError> {
        let path = self.failed_path(run, &call.stage, "json");
        if path.exists() {
            return Ok(());
        }
        let rows = self.failed_path(run, &call.stage, "arrow");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::file(folder, &error))?;
        }
        let write = || -> Result<(), arrow_schema::ArrowError> {
            let mut writer = FileWriter::try_new(File::create(&rows)?, call.batch.schema_ref())?;
            writer.write(&call.batch)?;
            writer.finish()
        };
        write().map_err(|error| StoreError::file(&rows, &error))?;
        let kept = Kept {
            stage: call.stage.clone(),
            call: call.call.clone(),
            turn: call.turn,
            attempt: call.attempt,
            input: call.input,
            inputs: call.inputs.iter().map(|schema| schema.as_ref().clone()).collect(),
            fault: call.fault.clone(),
        };
        let text = serde_json::to_vec(&kept).map_err(|error| StoreError::file(&path, &error))?;
        std::fs::write(&path, text).map_err(|error| StoreError::file(&path, &error))
    }

    /// The call that failed a stage of a run; none if none is kept.
    ///
    /// # Errors
    /// It is damaged or cannot be read.
    pub fn failed_call(&self, run: RunId, stage: &str) -> Result<Option<FailedCall>, StoreError> {
        let path = self.failed_path(run, stage, "json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file(&path, &error)),
        };
        let kept: Kept = serde_json::from_slice(&text).map_err(|error| StoreError::file(&path, &error))?;
        let rows = self.failed_path(run, stage, "arrow");
        let read = || -> Result<Option<RecordBatch>, arrow_schema::ArrowError> {
            FileReader::try_new(File::open(&rows)?, None)?.next().transpose()
        };
        let batch = read().map_err(|error| StoreError::file(&rows, &error))?;
        let Some(batch) = batch else { return Ok(None) };
        Ok(Some(FailedCall {
            stage: kept.stage,
            call: kept.call,
            turn: kept.turn,
            attempt: kept.attempt,
            input: kept.input,
            inputs: kept.inputs.into_iter().map(|schema| Arc::new(schema) as SchemaRef).collect(),
            batch,
            fault: kept.fault,
        }))
    }
}
