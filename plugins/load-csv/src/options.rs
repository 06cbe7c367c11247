//! The options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_file_load::{Compression, Mode, Target};
use sluicebox_stage::Fault;

/// How the file is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The file to write, e.g. "out/flights.csv"; its folder has to be granted with grants.write. With mode =
    /// "append", a folder.
    pub path: String,
    /// "replace": the file takes the place of what is there. "append": `path` is a folder, and every run adds a file;
    /// a later run for the same data interval replaces it.
    #[serde(default)]
    pub mode: Mode,
    /// Whether the first line holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// One ASCII character between fields, e.g. "," or ";" or "\t".
    #[serde(default = "comma")]
    pub delimiter: String,
    /// "minimal": text is quoted where it has to be. "always": every text, and the header, is quoted.
    #[serde(default)]
    pub quote: Quote,
    /// What stands for a null. Text that is the same is quoted, so that the two can be told apart.
    #[serde(default)]
    pub null: String,
    /// "lf" or "crlf".
    #[serde(default)]
    pub line_ending: LineEnding,
    /// "none", "gzip" or "zstd"; without it, what the path ends in: ".gz" or ".zst".
    #[serde(default)]
    pub compression: Option<Compression>,
}

/// When a field stands between quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// Text that holds a delimiter, a quote or a line break, or that would read as a null.
    #[default]
    Minimal,
    /// Every text; numbers and nulls never are.
    Always,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnding {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return and a line feed, as RFC 4180 has it.
    Crlf,
}

fn yes() -> bool {
    true
}

fn comma() -> String {
    ",".to_owned()
}

impl Options {
    /// Where the load goes.
    pub(crate) fn target(&self) -> Result<Target, Fault> {
        Target::new(&self.path, self.mode, &self.compression().extension(".csv"))
    }

    pub(crate) fn compression(&self) -> Compression {
        Compression::chosen(self.compression, &self.path)
    }

    /// The delimiter as a byte; one that occurs in numbers or dates is refused.
    pub(crate) fn delimiter_byte(&self) -> Result<u8, Fault> {
        let refuse = || {
            Err(Fault::invalid_config(format!(
                "`delimiter` is {:?}; write one ASCII character that is no letter, digit, quote, line break, or one of + - . : e.g. \",\", \";\", \"|\" or \"\\t\"",
                self.delimiter
            )))
        };
        match self.delimiter.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n+-.:/=\0".contains(byte) => {
                Ok(*byte)
            }
            _ => refuse(),
        }
    }

    /// The null text; one that would need quotes is refused.
    pub(crate) fn null_bytes(&self, delimiter: u8) -> Result<Vec<u8>, Fault> {
        let bytes = self.null.as_bytes();
        if bytes.iter().any(|byte| b"\"\r\n".contains(byte) || *byte == delimiter) {
            return Err(Fault::invalid_config(format!(
                "`null` is {:?}, which holds a delimiter, a quote or a line break; write e.g. null = \"\" or null = \"NA\"",
                self.null
            )));
        }
        Ok(bytes.to_vec())
    }
}
