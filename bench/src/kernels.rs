//! Single steps through the sandbox beside the same step in arrow-rs: 1,000,000 rows of 20 columns.

use crate::bed::Bed;
use crate::measure::{Row, compare, thread_cpu};
use anyhow::Result;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const BATCHES: usize = 16;
const BATCH_ROWS: usize = 62_500;
const TIMES: usize = 7;
/// How often the batches go by in one measurement: the system counts CPU time in steps of some milliseconds.
const REPEATS: usize = 20;

/// Twelve float, four int and four text columns.
fn sample(seed: usize) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed as u64 + 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for index in 0..20 {
        let (name, column): (String, ArrayRef) = match index {
            0..12 => {
                let values = (0..BATCH_ROWS).map(|_| Some((next() % 10_000) as f64 / 7.0));
                (format!("f{index}"), Arc::new(values.collect::<Float64Array>()))
            }
            12..16 => {
                let values = (0..BATCH_ROWS).map(|_| (next() % 9 > 0).then_some((next() % 1_000) as i64));
                (format!("i{index}"), Arc::new(values.collect::<Int64Array>()))
            }
            _ => {
                let values = (0..BATCH_ROWS).map(|_| Some(format!("word-{:x}", next() % 100_000)));
                (format!("s{index}"), Arc::new(values.collect::<StringArray>()))
            }
        };
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// All four measurements.
pub(crate) fn rows(bed: &Bed) -> Result<Vec<Row>> {
    let batches = (0..BATCHES).map(sample).collect::<Result<Vec<_>>>()?;
    let step = |what: &str, config: serde_json::Value, native: fn(&RecordBatch) -> Result<RecordBatch>| {
        let Some(first) = batches.first() else { anyhow::bail!("no batches") };
        let mut transformer = bed.transform(&config, first)?;
        compare(
            what,
            TIMES,
            || {
                let before = thread_cpu()?;
                for batch in batches.iter().cycle().take(BATCHES * REPEATS) {
                    black_box(transformer.process(0, batch.clone())?);
                }
                Ok(thread_cpu()?.saturating_sub(before))
            },
            || {
                let before = thread_cpu()?;
                for batch in batches.iter().cycle().take(BATCHES * REPEATS) {
                    black_box(native(batch)?);
                }
                Ok(thread_cpu()?.saturating_sub(before))
            },
        )
    };
    Ok(vec![
        step("pass on, one column renamed (beside a copy of all columns)", json!({"rename": {"g0": "f0"}}), copy)?,
        step("filter", json!({"filter": "i12 is not null and f0 > 700"}), filter)?,
        step("derive one column", json!({"columns": {"made": "f0 / f1 * 60"}}), derive)?,
        step("upper-case one column", json!({"columns": {"s16": "upper(s16)"}}), upper)?,
    ])
}

fn copy(batch: &RecordBatch) -> Result<RecordBatch> {
    let all = arrow_array::UInt32Array::from_iter_values(0..u32::try_from(batch.num_rows())?);
    Ok(arrow_select::take::take_record_batch(batch, &all)?)
}

fn filter(batch: &RecordBatch) -> Result<RecordBatch> {
    let present = arrow_arith::boolean::is_not_null(batch.column(12))?;
    let large = arrow_ord::cmp::gt(batch.column(0), &Float64Array::new_scalar(700.0))?;
    Ok(arrow_select::filter::filter_record_batch(batch, &arrow_arith::boolean::and_kleene(&present, &large)?)?)
}

fn derive(batch: &RecordBatch) -> Result<RecordBatch> {
    let ratio = arrow_arith::numeric::div(
        batch.column(0).as_primitive::<Float64Type>(),
        batch.column(1).as_primitive::<Float64Type>(),
    )?;
    let made = arrow_arith::numeric::mul(&ratio, &Float64Array::new_scalar(60.0))?;
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("made", DataType::Float64, true)));
    let mut columns = batch.columns().to_vec();
    columns.push(made);
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn upper(batch: &RecordBatch) -> Result<RecordBatch> {
    let upper: StringArray =
        batch.column(16).as_string::<i32>().iter().map(|text| text.map(str::to_uppercase)).collect();
    let mut columns = batch.columns().to_vec();
    if let Some(place) = columns.get_mut(16) {
        *place = Arc::new(upper);
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// What the whole of a step took, in nanoseconds a row.
pub(crate) fn per_row(total: Duration) -> f64 {
    total.as_secs_f64() * 1e9 / (REPEATS * BATCHES * BATCH_ROWS) as f64
}
