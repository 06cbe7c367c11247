//! Arrow IPC from and to guests, whole and broken.

use super::random::{Rng, batch, other_types, rows_of, value_types};
use crate::ipc;
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, RecordBatch};
use arrow_buffer::OffsetBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use std::sync::Arc;

fn types() -> Vec<DataType> {
    value_types().into_iter().chain(other_types()).collect()
}

fn all(batch: &RecordBatch) -> Vec<u32> {
    (0..batch.num_columns() as u32).collect()
}

/// Looks at every value: what the host took from a guest must be sound.
fn look_at(batch: &RecordBatch) {
    for column in batch.columns() {
        column.to_data().validate_full().unwrap();
    }
    assert_eq!(rows_of(batch).len(), batch.num_rows());
}

/// Lists in lists, so many about a number.
fn nested(levels: usize) -> RecordBatch {
    let mut column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    for _ in 0..levels {
        let offsets = OffsetBuffer::from_lengths([column.len()]);
        let field = Arc::new(Field::new("item", column.data_type().clone(), true));
        column = Arc::new(ListArray::new(field, offsets, column, None));
    }
    let schema = Schema::new(vec![Field::new("deep", column.data_type().clone(), true)]);
    RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap()
}

#[test]
fn types_are_nested_no_deeper_than_is_said() {
    let stream = |levels| ipc::write(&nested(levels), &[0]).unwrap();
    let most = ipc::STREAM_DEPTH_MAX;
    assert_eq!(ipc::read(stream(most)).unwrap(), nested(most));
    let error = ipc::read(stream(most + 1)).unwrap_err().to_string();
    assert!(error.contains(&format!("nested more than {most} deep")), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_type_comes_back_as_it_went(seed: u64, rows in 0_usize..80) {
        let mut rng = Rng::new(seed);
        let before = batch(&mut rng, &types(), rows);
        let after = ipc::read(ipc::write(&before, &all(&before)).unwrap()).unwrap();
        prop_assert_eq!(rows_of(&after), rows_of(&before));
        prop_assert_eq!(after.schema(), before.schema());
    }

    #[test]
    fn broken_bytes_are_refused_or_sound(seed: u64) {
        let mut rng = Rng::new(seed);
        // One type at a time, so that what is broken is not always the same part.
        let types = types();
        let data_type = types[rng.below(types.len())].clone();
        let before = batch(&mut rng, &[data_type], 5);
        let bytes = ipc::write(&before, &[0]).unwrap();
        for _ in 0..40 {
            let mut broken = bytes.clone();
            for _ in 0..1 + rng.below(3) {
                let place = rng.below(broken.len());
                broken[place] = match rng.below(4) {
                    0 => 0xff,
                    1 => 0,
                    2 => broken[place] ^ (1 << rng.below(8)),
                    _ => rng.next() as u8,
                };
            }
            if rng.one_in(8) {
                broken.truncate(rng.below(broken.len()));
            }
            if let Ok(batch) = ipc::read(broken) {
                look_at(&batch);
            }
        }
    }
}

fn refused(bytes: Vec<u8>) -> String {
    ipc::read(bytes).unwrap_err().0
}

fn stream(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), batches[0].schema_ref(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

#[test]
fn a_stream_has_one_batch_and_nothing_else() {
    let one = batch(&mut Rng::new(1), &[DataType::Int64, DataType::Utf8], 100);
    let plain = || stream(std::slice::from_ref(&one), IpcWriteOptions::default());
    assert_eq!(rows_of(&ipc::read(plain()).unwrap()), rows_of(&one));
    assert!(
        refused(stream(&[one.clone(), one.clone()], IpcWriteOptions::default())).contains("more than one record batch")
    );
    let mut trailing = plain();
    trailing.extend([0; 8]);
    assert!(refused(trailing).contains("goes on for 8 bytes behind its end"));
    let compressed = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    assert!(refused(stream(std::slice::from_ref(&one), compressed)).contains("compressed"));
    assert!(refused(Vec::new()).contains("no record batch"));
    assert!(refused(vec![0xff; 1000]).contains("ends within a message"));
    assert!(refused(b"PK\x03\x04 not arrow".to_vec()).contains("no Arrow IPC stream"));
    let cut = plain();
    assert!(refused(cut[..cut.len() / 2].to_vec()).contains("ends within"));
}

#[test]
fn names_are_unique_and_metadata_stays_behind() {
    let field = |name: &str| Field::new(name, DataType::Int64, true).with_metadata([("k".into(), "v".into())].into());
    let made = |names: &[&str]| {
        let fields: Vec<Field> = names.iter().map(|name| field(name)).collect();
        let schema = Schema::new(fields).with_metadata([("k".into(), "v".into())].into());
        let columns = batch(&mut Rng::new(1), &vec![DataType::Int64; names.len()], 3).columns().to_vec();
        stream(&[RecordBatch::try_new(Arc::new(schema), columns).unwrap()], IpcWriteOptions::default())
    };
    assert_eq!(refused(made(&["a", "a"])), "two columns are named `a`");
    let read = ipc::read(made(&["a", "b"])).unwrap();
    assert!(read.schema().metadata().is_empty());
    assert!(read.schema().field(0).metadata().is_empty());
}
