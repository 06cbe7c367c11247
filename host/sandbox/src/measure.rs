//! How many bytes some rows of an array are, so that a limit can be held before a kernel makes a copy of them.

use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;
use arrow_schema::DataType;

/// Bytes that `len` rows from `start` on take up; an upper bound for the types whose rows lie scattered.
pub(crate) fn range_bytes(data: &ArrayData, start: usize, len: usize) -> u64 {
    let validity = len as u64 / 8 + 1;
    let child = |index: usize, start: usize, len: usize| {
        data.child_data().get(index).map_or(0, |child| range_bytes(child, start, len))
    };
    let rows = len as u64;
    let own = match data.data_type() {
        DataType::Boolean => rows / 8 + 1,
        DataType::Utf8 | DataType::Binary => {
            let (from, to) = span::<i32>(data, start, len);
            (to - from) as u64 + rows * 4 + 4
        }
        DataType::LargeUtf8 | DataType::LargeBinary => {
            let (from, to) = span::<i64>(data, start, len);
            (to - from) as u64 + rows * 8 + 8
        }
        // The text itself is shared, not copied.
        DataType::Utf8View | DataType::BinaryView => rows * 16,
        DataType::FixedSizeBinary(width) => rows * u64::from(width.unsigned_abs()),
        DataType::List(_) | DataType::Map(_, _) => {
            let (from, to) = span::<i32>(data, start, len);
            child(0, from, to - from) + rows * 4 + 4
        }
        DataType::LargeList(_) => {
            let (from, to) = span::<i64>(data, start, len);
            child(0, from, to - from) + rows * 8 + 8
        }
        DataType::FixedSizeList(_, width) => {
            let width = width.unsigned_abs() as usize;
            child(0, (data.offset() + start) * width, len * width)
        }
        DataType::Struct(_) => (0..data.child_data().len()).map(|index| child(index, data.offset() + start, len)).sum(),
        DataType::Dictionary(key, _) => rows * key.primitive_width().unwrap_or(8) as u64,
        DataType::Null => 0,
        other => match other.primitive_width() {
            Some(width) => rows * width as u64,
            // Views of lists, unions, runs: at worst each row is all of it.
            None => rows.saturating_mul(whole_bytes(data)),
        },
    };
    own.saturating_add(validity)
}

/// First and last offset of some rows of a variable array.
fn span<O: Copy + TryInto<usize> + arrow_buffer::ArrowNativeType>(
    data: &ArrayData,
    start: usize,
    len: usize,
) -> (usize, usize) {
    let Some(buffer) = data.buffers().first() else { return (0, 0) };
    let offsets: &[O] = buffer.typed_data();
    let at = |row: usize| offsets.get(data.offset() + row).and_then(|offset| (*offset).try_into().ok()).unwrap_or(0);
    let from = at(start);
    (from, at(start + len).max(from))
}

fn whole_bytes(data: &ArrayData) -> u64 {
    data.get_slice_memory_size().unwrap_or_else(|_| data.get_buffer_memory_size()) as u64
}

/// Bytes that a copy of the array would take up.
pub(crate) fn array_bytes(array: &dyn Array) -> u64 {
    let data = array.to_data();
    match data.data_type() {
        DataType::Union(_, _)
        | DataType::RunEndEncoded(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Dictionary(_, _)
        | DataType::Utf8View
        | DataType::BinaryView => whole_bytes(&data),
        _ => range_bytes(&data, 0, data.len()),
    }
}

/// Bytes that a copy of the batch would take up.
pub(crate) fn batch_bytes(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(|column| array_bytes(column)).fold(0, u64::saturating_add)
}

/// Bytes that the rows at these positions would take up, repeated ones as often as they stand there. The positions are
/// within the batch.
pub(crate) fn taken_bytes(batch: &RecordBatch, rows: &[u32]) -> u64 {
    let column = |column: &arrow_array::ArrayRef| {
        let data = column.to_data();
        match data.data_type() {
            DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => {
                rows.iter().map(|&row| range_bytes(&data, row as usize, 1)).fold(0, u64::saturating_add)
            }
            other if other.is_nested() => {
                rows.iter().map(|&row| range_bytes(&data, row as usize, 1)).fold(0, u64::saturating_add)
            }
            _ => range_bytes(&data, 0, 1).saturating_mul(rows.len() as u64),
        }
    };
    batch.columns().iter().map(column).fold(0, u64::saturating_add)
}
