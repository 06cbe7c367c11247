//! What holds of every batch that the host took from a guest.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;
use std::collections::{BTreeMap, HashSet};

/// Panics unless every value of the batch is sound, and the batch as a whole what the rest of the host takes for granted.
pub fn check(batch: &RecordBatch) {
    let schema = batch.schema_ref();
    let names: HashSet<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names.len(), batch.num_columns(), "two columns of one name");
    assert!(schema.metadata().is_empty(), "metadata that no guest can say");
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        assert_eq!(column.len(), batch.num_rows(), "column `{}`", field.name());
        assert_eq!(column.data_type(), field.data_type(), "column `{}`", field.name());
        assert!(field.metadata().is_empty(), "metadata that no guest can say");
        assert!(sluicebox_sandbox::fuzzing::takes_type(field.data_type()), "{}", field.data_type());
        if !field.is_nullable() {
            assert_eq!(column.logical_null_count(), 0, "column `{}` promises no nulls", field.name());
        }
        column.to_data().validate_full().unwrap_or_else(|error| panic!("column `{}`: {error}", field.name()));
        digits(column);
    }
}

/// No decimal has more digits than its type says.
fn digits(column: &dyn Array) {
    match column.data_type() {
        DataType::Decimal128(precision, _) => {
            let most = 10_i128.pow(u32::from(*precision)) - 1;
            let values = column.as_primitive::<Decimal128Type>();
            assert!(values.iter().flatten().all(|value| (-most..=most).contains(&value)), "too many digits");
        }
        DataType::Decimal256(precision, _) => {
            let values = column.as_primitive::<Decimal256Type>();
            assert!(
                values
                    .iter()
                    .flatten()
                    .all(|value| value.to_string().trim_start_matches('-').len() <= usize::from(*precision)),
                "too many digits"
            );
        }
        _ => {}
    }
}

/// Bytes of the allocations that these batches keep alive, each counted once.
pub fn allocated<'a>(batches: impl Iterator<Item = &'a RecordBatch>) -> u64 {
    fn walk(data: &ArrayData, seen: &mut BTreeMap<usize, u64>) {
        let nulls = data.nulls().map(|nulls| nulls.buffer());
        for buffer in data.buffers().iter().chain(nulls) {
            seen.insert(address(buffer), buffer.capacity().max(buffer.len()) as u64);
        }
        data.child_data().iter().for_each(|child| walk(child, seen));
    }
    let mut seen = BTreeMap::new();
    for batch in batches {
        batch.columns().iter().for_each(|column| walk(&column.to_data(), &mut seen));
    }
    seen.values().sum()
}

fn address(buffer: &Buffer) -> usize {
    buffer.data_ptr().as_ptr().addr()
}
