//! A load: counts rows and writes the number into a file, in two steps.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Context, Fault, Load, Schema};
use std::fs;

/// Writes how many rows came.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The file to write.
    pub path: String,
}

/// The rows so far.
pub struct CountRows {
    rows: usize,
    hidden: String,
}

fn hidden(path: &str, load_id: &str) -> String {
    format!("{path}.{load_id}.tmp")
}

impl Load for CountRows {
    type Options = Options;

    fn open(_: &Context, options: Options, _: &Schema, load_id: &str, _: u32) -> Result<Self, Fault> {
        Ok(Self { rows: 0, hidden: hidden(&options.path, load_id) })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
        self.rows += batch.rows();
        Ok(())
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        fs::write(&self.hidden, format!("{}\n", self.rows))?;
        Ok(self.hidden.clone())
    }

    fn commit(options: Options, _: &str, receipts: &[String]) -> Result<(), Fault> {
        for hidden in receipts {
            // a second commit finds the file shown already
            if fs::exists(hidden)? {
                fs::rename(hidden, &options.path)?;
            }
        }
        Ok(())
    }

    fn abort(options: Options, load_id: &str, _: &[String]) -> Result<(), Fault> {
        let hidden = hidden(&options.path, load_id);
        if fs::exists(&hidden)? {
            fs::remove_file(hidden)?;
        }
        Ok(())
    }
}

sluicebox_stage::export!(CountRows, kind: load, summary: "Writes how many rows came", capabilities: [WriteFiles]);
