//! Measuring batches.

use arrow_array::{Array, RecordBatch};

/// Bytes that the rows of a batch take up, slices counted as what they show rather than as what they keep alive; an
/// estimate of the buffers for a type whose slices cannot be measured.
pub fn batch_bytes(batch: &RecordBatch) -> u64 {
    let bytes: usize = batch
        .columns()
        .iter()
        .map(|column| {
            let data = column.to_data();
            data.get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size())
        })
        .sum();
    bytes as u64
}
