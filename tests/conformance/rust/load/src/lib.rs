//! The load of the conformance suite: lines of JSON, and a fault where it is told to.

mod encode;

use encode::{Encoder, Texts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_stage::{Batch, Column, Context, Fault, FaultKind, Load, Schema};
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

/// Where to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The file to write, e.g. `out/flights.jsonl`; its folder has to be granted.
    #[schemars(length(min = 1))]
    path: String,
    /// The call that fails.
    #[serde(default)]
    fail: Call,
    /// The kind of that fault.
    #[serde(default = "unavailable")]
    kind: String,
}

fn unavailable() -> String {
    "unavailable".into()
}

/// A call.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// None.
    #[default]
    #[serde(rename = "")]
    None,
    Open,
    Write,
    Prepare,
    Commit,
    Abort,
}

fn fail_in(fail: Call, kind: &str, call: Call) -> Result<(), Fault> {
    if fail != call {
        return Ok(());
    }
    let name = serde_json::to_value(call).unwrap_or_default();
    let kind = match kind {
        "invalid-config" => FaultKind::InvalidConfig,
        "invalid-data" => FaultKind::InvalidData,
        "denied" => FaultKind::Denied,
        "unavailable" => FaultKind::Unavailable,
        _ => FaultKind::Internal,
    };
    Err(Fault::new(kind, format!("told to fail in {}", name.as_str().unwrap_or_default())))
}

/// What `commit` has to know.
#[derive(Deserialize, Serialize)]
struct Receipt {
    temporary: String,
    path: String,
}

/// The file that is being written.
pub struct Conform {
    columns: Vec<(String, Encoder)>,
    path: String,
    temporary: String,
    file: Option<BufWriter<File>>,
    fail: Call,
    kind: String,
}

/// How the temporary files of a load begin: beside the target, so that they can take its place in one step.
fn temporary_prefix(path: &str, load_id: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    let id: String = load_id.chars().map(safe).collect();
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let slash = if folder.is_empty() && !path.starts_with('/') { "" } else { "/" };
    format!("{folder}{slash}.{name}.{id}.part-")
}

impl Conform {
    /// What an earlier try left there is replaced.
    fn file(&mut self) -> Result<&mut BufWriter<File>, Fault> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(BufWriter::new(File::create(&self.temporary).map_err(Fault::of_file(&self.path))?))),
        }
    }
}

impl Load for Conform {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema, load_id: &str, part: u32) -> Result<Self, Fault> {
        fail_in(options.fail, &options.kind, Call::Open)?;
        let mut columns = Vec::new();
        for field in input.iter() {
            let encoder = Encoder::of(field.data_type).ok_or_else(|| {
                Fault::invalid_config(format!("{field}: it cannot be written; drop it, or cast it before"))
            })?;
            columns.push((format!("{}:", encode::quoted(&field.name)), encoder));
        }
        let temporary = format!("{}{part}", temporary_prefix(&options.path, load_id));
        Ok(Self { columns, path: options.path, temporary, file: None, fail: options.fail, kind: options.kind })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
        fail_in(self.fail, &self.kind, Call::Write)?;
        let values: Vec<Column> = (0..self.columns.len()).map(|at| batch.column(at)).collect::<Result<_, _>>()?;
        let columns = self.columns.iter().zip(&values);
        let columns: Vec<(&str, Texts<'_>)> =
            columns.map(|((name, encoder), column)| (name.as_str(), encoder.texts(column))).collect();
        let mut lines = String::new();
        for row in 0..batch.rows() {
            lines.push('{');
            for (at, (name, texts)) in columns.iter().enumerate() {
                if at > 0 {
                    lines.push(',');
                }
                lines.push_str(name);
                lines.push_str(texts(row).as_deref().unwrap_or("null"));
            }
            lines.push_str("}\n");
        }
        Ok(self.file()?.write_all(lines.as_bytes())?)
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        fail_in(self.fail, &self.kind, Call::Prepare)?;
        // Without a batch there is a file as well, an empty one.
        let file = self.file()?;
        file.flush()?;
        file.get_ref().sync_all()?;
        let receipt = Receipt { temporary: self.temporary.clone(), path: self.path.clone() };
        serde_json::to_string(&receipt).map_err(|error| Fault::internal(error.to_string()))
    }

    fn commit(options: Options, _: &str, receipts: &[String]) -> Result<(), Fault> {
        fail_in(options.fail, &options.kind, Call::Commit)?;
        for receipt in receipts {
            let Receipt { temporary, path } =
                serde_json::from_str(receipt).map_err(|error| Fault::internal(format!("the receipt: {error}")))?;
            match fs::rename(&temporary, &path) {
                // Committed before.
                Err(error) if error.kind() == ErrorKind::NotFound && Path::new(&path).exists() => {}
                renamed => renamed.map_err(Fault::of_file(&path))?,
            }
        }
        Ok(())
    }

    fn abort(options: Options, load_id: &str, _: &[String]) -> Result<(), Fault> {
        fail_in(options.fail, &options.kind, Call::Abort)?;
        let prefix = temporary_prefix(&options.path, load_id);
        let (folder, start) = prefix.rsplit_once('/').unwrap_or((".", &prefix));
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Fault::of_file(folder))?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(start) {
                fs::remove_file(entry.path()).map_err(Fault::of_file(entry.path()))?;
            }
        }
        Ok(())
    }
}

sluicebox_stage::export!(
    Conform,
    kind: load,
    summary: "What a load can do, for the conformance suite",
    capabilities: [WriteFiles]
);
