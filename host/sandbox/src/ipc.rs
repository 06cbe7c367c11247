//! Columns as Arrow IPC streams, for types that cross in no other way.
//!
//! A stream from a guest is walked first: whole messages, nothing behind the end, one record batch, no compression, no
//! length or buffer that passes what is there. Only then arrow reads it, with all its own validation.

use crate::column::check_digits;
use crate::refusal::{Refusal, caught, refuse};
use crate::schema::check_type;
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{DataType, Field, Schema};
use sluicebox_model::limits::EMPTY_ROWS_MAX;
use std::sync::Arc;

/// These columns of the batch as a stream with one record batch.
pub(crate) fn write(batch: &RecordBatch, columns: &[u32]) -> Result<Vec<u8>, Refusal> {
    for &index in columns {
        crate::ops::column_at(batch, index)?;
    }
    caught(|| {
        let columns: Vec<usize> = columns.iter().map(|&index| index as usize).collect();
        let mut part = batch.project(&columns)?;
        if part.num_rows() == 0 {
            // The writer makes a broken stream of run-end encoded columns that were cut down to nothing.
            part = RecordBatch::new_empty(part.schema());
        }
        let mut stream = StreamWriter::try_new(Vec::new(), part.schema_ref())?;
        stream.write(&part)?;
        Ok(stream.into_inner()?)
    })
}

/// The one batch of a stream from a guest.
pub(crate) fn read(bytes: Vec<u8>) -> Result<RecordBatch, Refusal> {
    walk(&bytes)?;
    let batch = caught(|| decode(bytes))?;
    crate::schema::check_names(batch.schema_ref().fields().iter().map(|field| field.name().as_str()))?;
    for field in batch.schema_ref().fields() {
        check_runs(field.data_type())?;
    }
    for column in batch.columns() {
        check_decimals(&column.to_data())?;
    }
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if !field.is_nullable() && column.logical_null_count() > 0 {
            refuse!("column `{}` has nulls, but its schema says that it has none", field.name());
        }
    }
    let fields: Vec<Arc<Field>> = batch.schema_ref().fields().iter().map(without_metadata).collect();
    let rows = batch.num_rows();
    crate::ops::batch(Arc::new(Schema::new(fields)), batch.columns().to_vec(), rows)
}

/// A guest cannot say metadata in its schemas, so what it left in a stream would make two schemas of one.
fn without_metadata(field: &Arc<Field>) -> Arc<Field> {
    Arc::new(Field::new(field.name(), field.data_type().clone(), field.is_nullable()))
}

/// Arrow's kernels make the parts of a run-end encoded column anew as they usually are, whatever they were: a batch with others
/// would not be what its schema says once it was worked on. How deep types may be nested has been looked at.
fn check_runs(data_type: &DataType) -> Result<(), Refusal> {
    match data_type {
        DataType::RunEndEncoded(ends, values) => {
            let usual = ends.name() == "run_ends" && values.name() == "values";
            if !usual || ends.is_nullable() || !values.is_nullable() {
                refuse!(
                    "the parts of a run-end encoded column are `run_ends`, without nulls, and `values`, with nulls; this one has \
                     {ends} and {values}"
                );
            }
            check_runs(values.data_type())
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => check_runs(field.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check_runs(field.data_type())),
        DataType::Union(fields, _) => fields.iter().try_for_each(|(_, field)| check_runs(field.data_type())),
        DataType::Dictionary(_, values) => check_runs(values),
        _ => Ok(()),
    }
}

fn decode(bytes: Vec<u8>) -> Result<RecordBatch, Refusal> {
    let mut bytes = Buffer::from_vec(bytes);
    let mut decoder = StreamDecoder::new();
    let mut batch = None;
    while let Some(next) = decoder.decode(&mut bytes)? {
        if batch.replace(next).is_some() {
            refuse!("the stream has more than one record batch");
        }
    }
    decoder.finish()?;
    match batch {
        Some(batch) => Ok(batch),
        None => refuse!("the stream has no record batch"),
    }
}

/// How deep the type of a column may be nested in a stream: what reads its description, which is a tree itself, goes no
/// further.
pub(crate) const STREAM_DEPTH_MAX: usize = 60;

/// Whether a description goes deeper than it is read.
fn is_too_deep(error: &impl std::fmt::Display) -> bool {
    // Its type has no name here.
    error.to_string().contains("depth limit reached")
}

/// Refuses a stream that is not what `read` takes, without making anything of it.
fn walk(bytes: &[u8]) -> Result<(), Refusal> {
    let (mut rest, mut schemas, mut batches) = (bytes, 0_u32, 0_u32);
    while let Some((metadata, behind)) = next_message(rest)? {
        let message = match root_as_message(metadata) {
            Ok(message) => message,
            Err(error) if is_too_deep(&error) => {
                refuse!("the stream has a column of a type that is nested more than {STREAM_DEPTH_MAX} deep")
            }
            Err(error) => refuse!("the stream has a broken message: {error}"),
        };
        let length = usize::try_from(message.bodyLength()).ok().filter(|&length| length <= behind.len());
        let Some((body, behind)) = length.and_then(|length| behind.split_at_checked(length)) else {
            refuse!("the stream ends within a message of {} bytes", message.bodyLength())
        };
        match message.header_type() {
            MessageHeader::Schema if schemas == 0 => {
                schemas = 1;
                check_schema(metadata)?;
            }
            MessageHeader::DictionaryBatch if schemas == 1 && batches == 0 => {
                let dictionary = message.header_as_dictionary_batch();
                if dictionary.is_some_and(|dictionary| dictionary.isDelta()) {
                    refuse!("the stream has a dictionary in parts; give each dictionary whole");
                }
                check_body(dictionary.and_then(|dictionary| dictionary.data()), body)?;
            }
            MessageHeader::RecordBatch if schemas == 1 && batches == 0 => {
                batches = 1;
                check_body(message.header_as_record_batch(), body)?;
            }
            MessageHeader::RecordBatch => refuse!("the stream has more than one record batch, or no schema"),
            other => refuse!("the stream has a message of kind {other:?} where none belongs"),
        }
        rest = behind;
    }
    if batches != 1 {
        refuse!("the stream has no record batch");
    }
    Ok(())
}

/// The metadata of a message, and the bytes behind them.
type MessageAndRest<'a> = (&'a [u8], &'a [u8]);

/// The metadata of the next message and all that follows it; none at the end of the stream.
fn next_message(bytes: &[u8]) -> Result<Option<MessageAndRest<'_>>, Refusal> {
    let number = |bytes: &[u8]| bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
    let (marker, behind) = match bytes {
        [] => return Ok(None),
        _ => (number(bytes), bytes.get(4..).unwrap_or_default()),
    };
    if marker != Some(u32::MAX) {
        refuse!("this is no Arrow IPC stream (each message starts with FF FF FF FF)");
    }
    let (length, behind) = (number(behind), behind.get(4..).unwrap_or_default());
    match length {
        Some(0) if behind.is_empty() => Ok(None),
        Some(0) => refuse!("the stream goes on for {} bytes behind its end", behind.len()),
        Some(length) => match behind.split_at_checked(length as usize) {
            Some(parts) => Ok(Some(parts)),
            None => refuse!("the stream ends within a message"),
        },
        None => refuse!("the stream ends within a message"),
    }
}

fn check_schema(metadata: &[u8]) -> Result<(), Refusal> {
    let schema = caught(|| {
        let message = root_as_message(metadata).map_err(|error| Refusal(error.to_string()))?;
        match message.header_as_schema() {
            Some(schema) if schema.endianness() == arrow_ipc::Endianness::Little => {
                Ok(arrow_ipc::convert::fb_to_schema(schema))
            }
            Some(_) => refuse!("the stream is big-endian"),
            None => refuse!("the stream has no schema"),
        }
    })?;
    for field in schema.fields() {
        check_type(field.data_type(), field.name())?;
    }
    Ok(())
}

/// Lengths and buffers that the body holds.
fn check_body(batch: Option<arrow_ipc::RecordBatch<'_>>, body: &[u8]) -> Result<(), Refusal> {
    let Some(batch) = batch else { refuse!("the stream has a batch without a header") };
    if batch.compression().is_some() {
        refuse!("the stream is compressed; write it without compression");
    }
    let rows_max = (body.len() as u64).saturating_mul(8).saturating_add(EMPTY_ROWS_MAX);
    let fits = |length: i64| u64::try_from(length).is_ok_and(|length| length <= rows_max);
    if !fits(batch.length()) {
        refuse!("the stream says that it has {} rows, which its bytes do not hold", batch.length());
    }
    for node in batch.nodes().into_iter().flatten() {
        if !fits(node.length()) || !fits(node.null_count()) || node.null_count() > node.length() {
            refuse!("the stream has a column of {} rows and {} nulls", node.length(), node.null_count());
        }
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        if range.and_then(|(offset, length)| offset.checked_add(length)).is_none_or(|end| end > body.len()) {
            refuse!("the stream has a buffer that passes the end of its message");
        }
    }
    let variadic = batch.variadicBufferCounts().into_iter().flatten();
    if variadic.into_iter().any(|count| !(0..=body.len() as i64).contains(&count)) {
        refuse!("the stream has a count of buffers that its message does not hold");
    }
    Ok(())
}

/// Decimals have no more digits than their type says, at any depth; arrow's own validation leaves that out.
fn check_decimals(data: &ArrayData) -> Result<(), Refusal> {
    match data.data_type() {
        DataType::Decimal128(precision, _) => {
            check_digits(&arrow_array::Decimal128Array::from(data.clone()), *precision)?;
        }
        DataType::Decimal256(precision, _) => {
            check_digits(&arrow_array::Decimal256Array::from(data.clone()), *precision)?;
        }
        _ => {}
    }
    data.child_data().iter().try_for_each(check_decimals)
}
