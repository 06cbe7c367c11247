//! The flights job natively in arrow-rs: what sluicebox is held against. One thread, no checks between the steps.

use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_csv::reader::Format;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

/// Rows of a batch.
const BATCH_ROWS: usize = 65_536;

/// What the job did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Rows that broke a rule.
    pub(crate) rejected: usize,
    /// Rows without `arr_delay`.
    pub(crate) dropped: usize,
    /// Rows in the Parquet file.
    pub(crate) loaded: usize,
    /// Over all rows loaded, in miles an hour.
    pub(crate) speed_sum: f64,
}

/// Opens a CSV file with a header, `NA` and nothing as null, types inferred from 1,000 rows.
pub(crate) fn csv_reader(path: &Path) -> Result<arrow_csv::Reader<File>> {
    let mut file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    let format = Format::default().with_header(true).with_null_regex(regex::Regex::new("^(NA)?$")?);
    let (schema, _) = format.infer_schema(BufReader::new(&file), Some(1_000))?;
    file.rewind()?;
    Ok(arrow_csv::ReaderBuilder::new(Arc::new(schema)).with_format(format).with_batch_size(BATCH_ROWS).build(file)?)
}

/// Runs the job on `flights` and `airlines` into the Parquet file `out`.
pub(crate) fn run(flights: &Path, airlines: &Path, out: &Path) -> Result<Done> {
    let carriers = carriers(airlines)?;
    let mut done = Done::default();
    let mut writer = None;
    for batch in csv_reader(flights)? {
        let batch = batch?;
        let valid = arrow_select::filter::filter_record_batch(&batch, &passes(&batch)?)?;
        done.rejected += batch.num_rows() - valid.num_rows();
        let arrived = arrow_arith::boolean::is_not_null(column(&valid, "arr_delay")?)?;
        let kept = arrow_select::filter::filter_record_batch(&valid, &arrived)?;
        done.dropped += valid.num_rows() - kept.num_rows();
        done.loaded += kept.num_rows();
        let made = derive(&kept, &carriers)?;
        done.speed_sum +=
            arrow_arith::aggregate::sum(column(&made, "speed")?.as_primitive::<Float64Type>()).unwrap_or(0.0);
        if writer.is_none() {
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            writer = Some(ArrowWriter::try_new(File::create(out)?, made.schema(), Some(properties))?);
        }
        if let Some(writer) = &mut writer {
            writer.write(&made)?;
        }
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(done)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).with_context(|| format!("no column {name}"))
}

fn carriers(path: &Path) -> Result<(HashMap<String, u32>, StringArray)> {
    let batches = csv_reader(path)?.collect::<Result<Vec<_>, _>>()?;
    let schema = batches.first().context("no carriers")?.schema();
    let table = arrow_select::concat::concat_batches(&schema, &batches)?;
    let keys = column(&table, "carrier")?.as_string::<i32>();
    let positions = keys.iter().flatten().zip(0..).map(|(key, position)| (key.to_owned(), position)).collect();
    Ok((positions, column(&table, "name")?.as_string::<i32>().clone()))
}

/// The rules: dep_delay not null, origin one of three, distance between 0 and 5000.
fn passes(batch: &RecordBatch) -> Result<BooleanArray> {
    let departed = arrow_arith::boolean::is_not_null(column(batch, "dep_delay")?)?;
    let origin = column(batch, "origin")?.as_string::<i32>();
    let known: BooleanArray =
        origin.iter().map(|origin| Some(matches!(origin, None | Some("EWR" | "JFK" | "LGA")))).collect();
    let distance = column(batch, "distance")?.as_primitive::<Int64Type>();
    let near: BooleanArray =
        distance.iter().map(|miles| Some(miles.is_none_or(|miles| (0..=5000).contains(&miles)))).collect();
    Ok(arrow_arith::boolean::and(&departed, &arrow_arith::boolean::and(&known, &near)?)?)
}

fn derive(batch: &RecordBatch, (positions, names): &(HashMap<String, u32>, StringArray)) -> Result<RecordBatch> {
    let carrier = column(batch, "carrier")?.as_string::<i32>();
    let at: UInt32Array = carrier.iter().map(|key| key.and_then(|key| positions.get(key).copied())).collect();
    let carrier_name = arrow_select::take::take(names, &at, None)?;
    let float = |name: &str| -> Result<ArrayRef> { Ok(arrow_cast::cast(column(batch, name)?, &DataType::Float64)?) };
    let ratio = arrow_arith::numeric::div(&float("distance")?, &float("air_time")?)?;
    let speed = arrow_arith::numeric::mul(&ratio, &Float64Array::new_scalar(60.0))?;
    let upper: StringArray =
        column(batch, "dest")?.as_string::<i32>().iter().map(|dest| dest.map(str::to_uppercase)).collect();
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    let dest = batch.schema().index_of("dest")?;
    if let Some(place) = columns.get_mut(dest) {
        *place = Arc::new(upper);
    }
    fields.push(Arc::new(Field::new("carrier_name", carrier_name.data_type().clone(), true)));
    columns.push(carrier_name);
    fields.push(Arc::new(Field::new("speed", DataType::Float64, true)));
    columns.push(speed);
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new(schema, columns)?)
}
