//! Extracts rows from newline-delimited JSON: a plugin of sluicebox. Each line is checked to its last byte in one pass, which
//! also finds where the wanted values stand; they go from there to typed columns.

mod json;
mod layout;
mod lines;
mod options;
mod path;
mod reader;
#[cfg(test)]
mod tests;

pub use options::Options;
pub use reader::Jsonl;

sluicebox_file_read::file_extract!(ExtractJsonl, Jsonl);

sluicebox_stage::export!(
    ExtractJsonl,
    kind: split_extract,
    summary: "Reads newline-delimited JSON into typed columns",
    capabilities: [ReadFiles],
);

sluicebox_stage::readme_test!();
