//! Extracts rows from CSV files: a plugin of sluicebox. Fields go from the file's bytes to typed columns in one pass of
//! finding where they end and one of reading them, column by column, without an allocation per field.

mod field;
mod layout;
mod lines;
mod options;
mod parse;
mod reader;
mod records;
mod reject;
mod sample;
mod scan;
mod simd;
#[cfg(test)]
mod tests;

pub use options::Options;
pub use reader::Csv;

sluicebox_file_read::file_extract!(ExtractCsv, Csv);

sluicebox_stage::export!(
    ExtractCsv,
    kind: split_extract,
    summary: "Reads CSV files into typed columns",
    capabilities: [ReadFiles],
);

sluicebox_stage::readme_test!();
