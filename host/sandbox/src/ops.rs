//! What the host does with batches for a guest: pure functions on Arrow's kernels. What comes from a guest is checked
//! here; bytes are bounded by the caller's `budget` before a kernel copies them.

use crate::column;
use crate::contract::batches::Column;
use crate::contract::types;
use crate::isolation::{self, Part};
use crate::measure::{batch_bytes, taken_bytes};
use crate::refusal::{Refusal, caught, refuse};
use crate::schema;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::{Field, Schema, SchemaRef};
use sluicebox_model::limits::EMPTY_ROWS_MAX;
use std::collections::HashMap;
use std::sync::Arc;

/// Why an operation did not happen.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the guest asked for makes no sense: a fault for the guest.
    Refused(Refusal),
    /// The result would have so many bytes, more than the instance may hold.
    TooLarge(u64),
}

impl<E: Into<Refusal>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

type Answer<T = RecordBatch> = Result<T, Failure>;

fn refused<T>(reason: String) -> Answer<T> {
    Err(Failure::Refused(Refusal(reason)))
}

/// A batch that keeps its number of rows when it has no columns.
pub(crate) fn batch(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Refusal> {
    if columns.is_empty() && rows as u64 > EMPTY_ROWS_MAX {
        refuse!("a batch without columns has at most {EMPTY_ROWS_MAX} rows, not {rows}");
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

fn within(bytes: impl FnOnce() -> u64, budget: u64) -> Answer<()> {
    if !isolation::is_on(Part::Limits) {
        return Ok(());
    }
    match bytes() {
        bytes if bytes > budget => Err(Failure::TooLarge(bytes)),
        _ => Ok(()),
    }
}

/// A batch of new columns.
pub(crate) fn from_columns(fields: &[types::Field], rows: u32, columns: Vec<Column>) -> Answer {
    let schema = schema::of_values(fields)?;
    check_count(&schema, &columns)?;
    let rows = rows as usize;
    let arrays = raise_all(&schema, columns, rows)?;
    Ok(batch(schema, arrays, rows)?)
}

fn check_count(schema: &Schema, columns: &[Column]) -> Answer<()> {
    if schema.fields().len() != columns.len() {
        return refused(format!("the schema has {} columns, but {} were given", schema.fields().len(), columns.len()));
    }
    Ok(())
}

fn check_rows(rows: usize) -> Answer<()> {
    if u32::try_from(rows).is_err() {
        return refused(format!("{rows} rows are more than a batch may have ({})", u32::MAX));
    }
    Ok(())
}

fn raise_all(schema: &Schema, columns: Vec<Column>, rows: usize) -> Answer<Vec<ArrayRef>> {
    let raised = schema.fields().iter().zip(columns).map(|(field, column)| column::raise(field, rows, column));
    Ok(raised.collect::<Result<_, _>>()?)
}

/// The batch with columns added behind, or put in place of those of the same name.
pub(crate) fn with_columns(old: &RecordBatch, fields: &[types::Field], columns: Vec<Column>) -> Answer {
    let schema = schema::of_values(fields)?;
    check_count(&schema, &columns)?;
    let arrays = raise_all(&schema, columns, old.num_rows())?;
    let mut all_fields: Vec<Arc<Field>> = old.schema_ref().fields().to_vec();
    let mut all: Vec<ArrayRef> = old.columns().to_vec();
    // Names of a batch are unique, so there is one place for each.
    let places: HashMap<&str, usize> =
        old.schema_ref().fields().iter().enumerate().map(|(place, field)| (field.name().as_str(), place)).collect();
    for (field, array) in schema.fields().iter().zip(arrays) {
        let place = places.get(field.name().as_str()).copied();
        match place.and_then(|place| Some((all_fields.get_mut(place)?, all.get_mut(place)?))) {
            Some((old_field, old_array)) => {
                *old_field = Arc::clone(field);
                *old_array = array;
            }
            None => {
                all_fields.push(Arc::clone(field));
                all.push(array);
            }
        }
    }
    schema::check_names(all_fields.iter().map(|field| field.name().as_str()))?;
    Ok(batch(Arc::new(Schema::new(all_fields)), all, old.num_rows())?)
}

/// The rows whose bit is 1.
pub(crate) fn filter(old: &RecordBatch, mask: Vec<u8>, budget: u64) -> Answer {
    let rows = old.num_rows();
    let mask = column::mask(mask, rows).map_err(|Refusal(reason)| Refusal(format!("the mask {reason}")))?;
    let kept = mask.count_set_bits();
    if kept == rows {
        return Ok(old.clone());
    }
    if old.num_columns() == 0 {
        return Ok(batch(Arc::clone(old.schema_ref()), Vec::new(), kept)?);
    }
    within(|| batch_bytes(old), budget)?;
    Ok(caught(|| Ok(arrow_select::filter::filter_record_batch(old, &BooleanArray::new(mask, None))?))?)
}

/// The rows at these positions.
pub(crate) fn take(old: &RecordBatch, rows: Vec<u32>, budget: u64) -> Answer {
    let count = old.num_rows();
    if isolation::is_on(Part::Checks)
        && let Some(beyond) = rows.iter().copied().max().filter(|&row| row as usize >= count)
    {
        return refused(format!("row {beyond} does not exist; the batch has {count} rows"));
    }
    check_rows(rows.len())?;
    within(|| taken_bytes(old, &rows), budget)?;
    let taken = rows.len();
    let rows = UInt32Array::from(rows);
    let columns = caught(|| {
        let take = |column: &ArrayRef| Ok(arrow_select::take::take(column, &rows, None)?);
        old.columns().iter().map(take).collect::<Result<Vec<_>, Refusal>>()
    })?;
    Ok(batch(Arc::clone(old.schema_ref()), columns, taken)?)
}

/// Some rows from one on.
pub(crate) fn slice(old: &RecordBatch, offset: u32, rows: u32) -> Answer {
    let (offset, rows) = (offset as usize, rows as usize);
    if offset + rows > old.num_rows() {
        return refused(format!(
            "rows {offset} to {} pass the end; the batch has {} rows",
            offset + rows,
            old.num_rows()
        ));
    }
    Ok(old.slice(offset, rows))
}

/// These columns under these names.
pub(crate) fn select(old: &RecordBatch, columns: Vec<(u32, String)>) -> Answer {
    schema::check_names(columns.iter().map(|(_, name)| name.as_str()))?;
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for (index, name) in columns {
        let (field, array) = column_at(old, index)?;
        fields.push(match *field.name() == name {
            true => Arc::clone(field),
            false => Arc::new(field.as_ref().clone().with_name(name)),
        });
        arrays.push(Arc::clone(array));
    }
    Ok(batch(Arc::new(Schema::new(fields)), arrays, old.num_rows())?)
}

/// A column by its position.
pub(crate) fn column_at(batch: &RecordBatch, index: u32) -> Result<(&Arc<Field>, &ArrayRef), Refusal> {
    match (batch.schema_ref().fields().get(index as usize), batch.columns().get(index as usize)) {
        (Some(field), Some(array)) => Ok((field, array)),
        _ => refuse!("column {index} does not exist; the batch has {} columns, counted from 0", batch.num_columns()),
    }
}

/// The columns of one batch after those of another.
pub(crate) fn zip(left: &RecordBatch, right: &RecordBatch) -> Answer {
    if left.num_rows() != right.num_rows() {
        return refused(format!("batches of {} and of {} rows do not zip", left.num_rows(), right.num_rows()));
    }
    let fields: Vec<Arc<Field>> =
        left.schema_ref().fields().iter().chain(right.schema_ref().fields()).map(Arc::clone).collect();
    schema::check_names(fields.iter().map(|field| field.name().as_str()))?;
    let columns = left.columns().iter().chain(right.columns()).map(Arc::clone).collect();
    Ok(batch(Arc::new(Schema::new(fields)), columns, left.num_rows())?)
}

/// The rows of the batches one after another.
pub(crate) fn concat(parts: &[RecordBatch], budget: u64) -> Answer {
    let Some(first) = parts.first() else { return refused("there is no batch to concatenate".to_owned()) };
    let mut fields: Vec<Arc<Field>> = first.schema_ref().fields().to_vec();
    for (number, part) in parts.iter().enumerate().skip(1) {
        join_fields(&mut fields, part).map_err(|Refusal(reason)| Refusal(format!("batch {number} {reason}")))?;
    }
    if let [only] = parts {
        return Ok(only.clone());
    }
    let rows = parts.iter().map(RecordBatch::num_rows).fold(0_usize, usize::saturating_add);
    check_rows(rows)?;
    within(|| parts.iter().map(batch_bytes).fold(0, u64::saturating_add), budget)?;
    let columns = caught(|| {
        let column = |index: usize| {
            let arrays: Vec<_> =
                parts.iter().filter_map(|part| part.columns().get(index)).map(|a| a.as_ref()).collect();
            Ok(arrow_select::concat::concat(&arrays)?)
        };
        (0..fields.len()).map(column).collect::<Result<Vec<_>, Refusal>>()
    })?;
    Ok(batch(Arc::new(Schema::new(fields)), columns, rows)?)
}

/// One schema holds for both; a column has nulls if it has some in either.
fn join_fields(fields: &mut [Arc<Field>], part: &RecordBatch) -> Result<(), Refusal> {
    let others = part.schema_ref().fields();
    if others.len() != fields.len() {
        refuse!("has {} columns, the first has {}", others.len(), fields.len());
    }
    for (field, other) in fields.iter_mut().zip(others) {
        if field.name() != other.name() || field.data_type() != other.data_type() {
            refuse!(
                "has the column `{}` of type {} where the first has `{}` of type {}",
                other.name(),
                other.data_type(),
                field.name(),
                field.data_type()
            );
        }
        if other.is_nullable() && !field.is_nullable() {
            *field = Arc::clone(other);
        }
    }
    Ok(())
}

/// A mask of a finding as a boolean array.
pub(crate) fn finding_rows(bytes: Vec<u8>, rows: usize) -> Result<BooleanArray, Refusal> {
    Ok(BooleanArray::new(column::mask(bytes, rows)?, None))
}

/// The batch under the schema that was promised, if it fits: the same names and types in the same order, and no nulls
/// where none were promised.
pub(crate) fn fit(given: RecordBatch, promised: &SchemaRef) -> Result<RecordBatch, Refusal> {
    if given.schema_ref() == promised {
        return Ok(given);
    }
    let (fields, wanted) = (given.schema_ref().fields(), promised.fields());
    for (number, (field, want)) in fields.iter().zip(wanted).enumerate() {
        if field.name() != want.name() || field.data_type() != want.data_type() {
            refuse!(
                "column {number} is `{}` of type {}, but `{}` of type {} was promised by `open`",
                field.name(),
                field.data_type(),
                want.name(),
                want.data_type()
            );
        }
    }
    if fields.len() != wanted.len() {
        refuse!("it has {} columns, but {} were promised by `open`", fields.len(), wanted.len());
    }
    for (want, array) in wanted.iter().zip(given.columns()) {
        let nulls = array.logical_null_count();
        if !want.is_nullable() && nulls > 0 {
            let nulls = column::nulls_of(nulls);
            refuse!("column `{}` has {nulls}, but `open` promised that it has none", want.name());
        }
    }
    let rows = given.num_rows();
    batch(Arc::clone(promised), given.columns().to_vec(), rows)
}
