//! Writing the rows that a call was given.

use crate::trouble::Trouble;
use crate::wiring::Host;
use arrow_array::RecordBatch;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::stage::RunContext;
use sluicebox_sandbox::{NetworkFiles, StageSetup};
use std::path::Path;

/// Writes rows by the load that fits the file's name.
pub(super) fn write(host: &Host, batch: &RecordBatch, file: &Path) -> Result<(), Trouble> {
    let plugin = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => "load-csv",
        Some("jsonl" | "ndjson") => "load-jsonl",
        Some("parquet") => "load-parquet",
        _ => {
            return Err(Trouble::new(format!("{} is no name for the rows", file.display()))
                .help("let it end in .csv, .jsonl or .parquet"));
        }
    };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let told = |error: std::io::Error| Trouble::new(format!("{} cannot be used: {error}", parent.display()));
    let root = parent.canonicalize().map_err(told)?;
    let found = host.catalog.get(plugin).ok_or_else(|| Trouble::new(format!("there is no plugin `{plugin}`")))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let setup = StageSetup {
        name: "rows".to_owned(),
        config: json!({ "path": format!("./{name}") }).to_string(),
        grants: Grants { write: vec![".".to_owned()], ..Grants::default() },
        limits: Limits::default(),
        network: NetworkFiles::default(),
        root,
    };
    let context = RunContext {
        run_id: "replay".to_owned(),
        randomness: String::new(),
        pipeline: "replay".to_owned(),
        stage: "rows".to_owned(),
        attempt: 1,
        interval_start: jiff::Timestamp::UNIX_EPOCH,
        interval_end: jiff::Timestamp::UNIX_EPOCH,
    };
    let failed = |fault: Fault| Trouble::new(format!("the rows cannot be written to {}: {fault}", file.display()));
    let stage = host.sandbox.stage(found, setup)?;
    let mut load = stage.loader(&context, &Cancel::new()).map_err(failed)?;
    load.open(&batch.schema(), "replay-rows", 0).map_err(failed)?;
    load.write(batch.clone()).map_err(failed)?;
    let receipt = load.prepare().map_err(failed)?;
    load.commit("replay-rows", &[receipt]).map_err(failed)
}
