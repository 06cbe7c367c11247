//! A load: counts rows and writes the number into a file, in two steps.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Context, Fault, Load, Schema};
use std::fs;

/// Writes how many rows came.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The file to write.
    pub path: String,
}

/// The rows so far.
pub struct {{NamePascal}} {
    rows: usize,
    hidden: String,
}

fn hidden(path: &str, load_id: &str) -> String {
    format!("{path}.{load_id}.tmp")
}

impl Load for {{NamePascal}} {
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

sluicebox_stage::export!({{NamePascal}}, kind: load, summary: "Writes how many rows came", capabilities: [WriteFiles]);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sluicebox_stage::testing::{self, batch};

    #[test]
    fn nothing_shows_before_commit_and_commit_can_be_repeated() {
        let path = std::env::temp_dir().join(format!("sluicebox-count-{}", std::process::id()));
        let options = || Options { path: path.to_string_lossy().into_owned() };
        let schema = batch! { "n" => [1_i64] }.schema().clone();
        let mut stage = {{NamePascal}}::open(&testing::context(), options(), &schema, "l1", 0).unwrap();
        stage.write(batch! { "n" => [1_i64, 2] }).unwrap();
        let receipt = stage.prepare().unwrap();
        assert!(!path.exists());
        for _ in 0..2 {
            {{NamePascal}}::commit(options(), "l1", std::slice::from_ref(&receipt)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
        }
        for _ in 0..2 {
            {{NamePascal}}::abort(options(), "l1", &[]).unwrap();
        }
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
    }
}
