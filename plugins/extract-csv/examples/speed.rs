//! How quick it is beside arrow-csv, in CPU time (Linux): `cargo run --release -p extract-csv --example speed -- FILE`.

use extract_csv::{ExtractCsv, Options};
use sluicebox_stage::{Extract, Schema, testing};
use std::error::Error;
use std::fs::File;
use std::sync::Arc;

const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a CSV file")?;
    let nulls_are_na = std::fs::read_to_string(&path)?.contains(",NA");
    let bytes = std::fs::metadata(&path)?.len() as f64;
    let (mut ours, mut arrow) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (rows, schema, seconds) = read_ours(&path)?;
        ours.push(seconds);
        let (arrow_rows, seconds) = read_arrow(&path, &schema, nulls_are_na)?;
        arrow.push(seconds);
        if rows != arrow_rows {
            return Err(format!("{rows} rows here, {arrow_rows} by arrow-csv").into());
        }
    }
    let rate = |seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        bytes / 1e6 / seconds.get(ROUNDS / 2).copied().unwrap_or(f64::NAN)
    };
    let (ours, arrow) = (rate(&mut ours), rate(&mut arrow));
    println!("extract-csv  {ours:8.0} MB/s\narrow-csv    {arrow:8.0} MB/s\nratio        {:8.2}", ours / arrow);
    Ok(())
}

fn read_ours(path: &str) -> Result<(usize, Schema, f64), Box<dyn Error>> {
    let options: Options = serde_json::from_value(serde_json::json!({ "path": path }))?;
    let start = cpu_seconds();
    let (mut extract, schema) = ExtractCsv::open(&testing::context(), options, None)?;
    let mut rows = 0;
    while let Some(page) = extract.next()? {
        rows += page.batch.rows();
    }
    Ok((rows, schema, cpu_seconds() - start))
}

fn read_arrow(path: &str, schema: &Schema, nulls_are_na: bool) -> Result<(usize, f64), Box<dyn Error>> {
    use arrow_schema::{DataType, Field, TimeUnit};
    use sluicebox_stage::DataType as Ours;
    let fields: Vec<Field> = schema
        .iter()
        .map(|field| {
            let data_type = match field.data_type {
                Ours::Boolean => DataType::Boolean,
                Ours::Int64 => DataType::Int64,
                Ours::Float64 => DataType::Float64,
                Ours::Date32 => DataType::Date32,
                Ours::Timestamp => {
                    DataType::Timestamp(TimeUnit::Microsecond, field.detail.as_ref().map(|_| "+00:00".into()))
                }
                _ => DataType::Utf8,
            };
            Field::new(&field.name, data_type, true)
        })
        .collect();
    let start = cpu_seconds();
    let mut reader = arrow_csv::ReaderBuilder::new(Arc::new(arrow_schema::Schema::new(fields)))
        .with_header(true)
        .with_batch_size(32_768);
    if nulls_are_na {
        // Without, arrow-csv is quicker, but takes empty fields only.
        reader = reader.with_null_regex(regex::Regex::new("^(NA)?$")?);
    }
    let reader = reader.build(File::open(path)?)?;
    let mut rows = 0;
    for batch in reader {
        rows += batch?.num_rows();
    }
    Ok((rows, cpu_seconds() - start))
}

/// What this thread has spent on a processor, so that others on the machine do not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).map_or(f64::NAN, |nanos| nanos / 1e9)
}
