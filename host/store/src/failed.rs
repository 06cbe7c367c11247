//! The calls that failed stages, in files: `runs/RUN/failed/STAGE.json` and the batch beside it, an Arrow IPC
//! file, where the call was given one.

use crate::error::StoreError;
use crate::store::Store;
use crate::whole;
use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use sluicebox_model::caught::caught;
use sluicebox_model::fault::Fault;
use sluicebox_model::journal::{FailedCall, SourceCall};
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
    #[serde(default)]
    before: u64,
    input: u32,
    inputs: Vec<Schema>,
    /// Whether a batch stands beside it.
    #[serde(default = "yes")]
    has_batch: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<SourceCall>,
    fault: Fault,
}

fn yes() -> bool {
    true
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
        let write = |batch: &RecordBatch| -> Result<(), arrow_schema::ArrowError> {
            let mut writer = FileWriter::try_new(File::create(&rows)?, batch.schema_ref())?;
            writer.write(batch)?;
            writer.finish()
        };
        if let Some(batch) = &call.batch {
            write(batch).map_err(|error| StoreError::file(&rows, &error))?;
        }
        let kept = Kept {
            stage: call.stage.clone(),
            call: call.call.clone(),
            turn: call.turn,
            attempt: call.attempt,
            before: call.before,
            input: call.input,
            has_batch: call.batch.is_some(),
            source: call.source.clone(),
            inputs: call.inputs.iter().map(|schema| schema.as_ref().clone()).collect(),
            fault: call.fault.clone(),
        };
        let text = serde_json::to_vec(&kept).map_err(|error| StoreError::file(&path, &error))?;
        std::fs::write(&path, text).map_err(|error| StoreError::file(&path, &error))
    }

    /// Whether a call that failed a stage of a run is kept.
    pub fn has_failed_call(&self, run: RunId, stage: &str) -> bool {
        self.failed_path(run, stage, "json").exists()
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
        let read = || -> Result<Option<RecordBatch>, ArrowError> {
            let mut file = File::open(&rows)?;
            whole::blocks(&mut file).map_err(ArrowError::IpcError)?;
            let read = || FileReader::try_new(file, None)?.next().transpose();
            caught(read).unwrap_or_else(|text| Err(ArrowError::IpcError(text)))
        };
        let batch = if kept.has_batch {
            let batch = read().map_err(|error| StoreError::file(&rows, &error))?;
            Some(batch.ok_or_else(|| StoreError::file(&rows, &"it holds no batch"))?)
        } else {
            None
        };
        Ok(Some(FailedCall {
            stage: kept.stage,
            call: kept.call,
            turn: kept.turn,
            attempt: kept.attempt,
            before: kept.before,
            input: kept.input,
            source: kept.source,
            inputs: kept.inputs.into_iter().map(|schema| Arc::new(schema) as SchemaRef).collect(),
            batch,
            fault: kept.fault,
        }))
    }
}
