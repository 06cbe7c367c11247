//! Arrow IPC streams such as a library writes them and the contract does not allow them; the guest passes on what it reads
//! from a file.

use super::{OUT, READ, evil, project};
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{Field, Schema};
use std::sync::Arc;

fn batch(column: ArrayRef) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("forged", column.data_type().clone(), true)]);
    RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap()
}

fn stream(batch: &RecordBatch, times: usize, options: IpcWriteOptions) -> Vec<u8> {
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), batch.schema_ref(), options).unwrap();
    for _ in 0..times {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn numbers() -> RecordBatch {
    batch(Arc::new(Int64Array::from_iter_values(0..10_000)))
}

#[track_caller]
fn is_refused(stream: &[u8], said: &[&str]) {
    let options = "mode = 'ipc-file', path = 'data/stream'";
    let project = project(&format!("{READ}{}{OUT}", evil("evil", options, "grants.read = [\"data\"]")));
    project.file("data/stream", stream);
    let mut words = vec!["the stage misused `from-ipc`: ", "mistake in the plugin"];
    words.extend(said);
    super::fails(&project, "contract", "process", &words);
}

#[test]
pub(super) fn a_compressed_stream() {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    is_refused(&stream(&numbers(), 1, options), &["the stream is compressed"]);
}

#[test]
fn two_batches_in_one_stream() {
    is_refused(&stream(&numbers(), 2, IpcWriteOptions::default()), &["more than one record batch"]);
}

#[test]
fn a_file_where_a_stream_belongs() {
    let mut file = Vec::new();
    let mut writer = FileWriter::try_new(&mut file, numbers().schema_ref()).unwrap();
    writer.write(&numbers()).unwrap();
    writer.finish().unwrap();
    drop(writer);
    is_refused(&file, &["this is no Arrow IPC stream"]);
}

/// The key of the last row names no value of the dictionary.
pub(crate) fn a_lying_dictionary() -> Vec<u8> {
    let values: ArrayRef = Arc::new(StringArray::from_iter_values((0..300).map(|value| format!("value {value}"))));
    let keys = arrow_array::Int32Array::from(vec![0, 1, 299]);
    let column: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values).unwrap());
    let mut bytes = stream(&batch(column), 1, IpcWriteOptions::default());
    let key = 299_i32.to_le_bytes();
    let at = bytes.windows(4).rposition(|place| place == key).unwrap();
    bytes[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    bytes
}

#[test]
fn a_dictionary_key_past_its_values() {
    is_refused(&a_lying_dictionary(), &["2147483647"]);
}

#[test]
fn lists_nested_a_hundred_deep() {
    let mut column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    for _ in 0..100 {
        let offsets = OffsetBuffer::from_lengths([column.len()]);
        let field = Arc::new(Field::new("item", column.data_type().clone(), true));
        column = Arc::new(ListArray::new(field, offsets, column, None));
    }
    is_refused(&stream(&batch(column), 1, IpcWriteOptions::default()), &["nested more than 60 deep"]);
}
