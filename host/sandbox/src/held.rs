//! The batches that an instance holds, and how many bytes they keep alive.
//!
//! A slice keeps the whole of its buffers alive and a `select` shares them, so bytes are counted by allocation: each
//! once, whole, for as long as any batch of the instance uses it.

use crate::isolation::{self, Part};
use crate::limiter::Passed;
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};

/// What a guest's handle stands for.
#[derive(Debug)]
#[allow(unreachable_pub)] // the generated bindings re-export it
pub struct HeldBatch(RecordBatch);

/// Counts what an instance holds.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: u64,
    bytes_max: u64,
    handles_max: u32,
    /// By the address of the allocation: its bytes, and how many uses of it are held.
    allocations: HashMap<usize, (u64, u32)>,
}

impl Held {
    pub(crate) fn new(bytes_max: u64, handles_max: u32) -> Self {
        Self { bytes: 0, bytes_max, handles_max, allocations: HashMap::new() }
    }

    /// Bytes that one operation may make at most.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A handle of a batch that the guest made. Fails with [`Passed`] where it would hold too much.
    pub(crate) fn made(
        &mut self,
        table: &mut ResourceTable,
        batch: RecordBatch,
    ) -> wasmtime::Result<Resource<HeldBatch>> {
        let handle = self.given(table, batch)?;
        if self.bytes > self.bytes_max {
            return Err(Passed::Held { wanted: self.bytes, max: self.bytes_max }.into());
        }
        Ok(handle)
    }

    /// A handle of a batch that the host gives to the guest: counted, but never refused for its bytes.
    pub(crate) fn given(
        &mut self,
        table: &mut ResourceTable,
        batch: RecordBatch,
    ) -> wasmtime::Result<Resource<HeldBatch>> {
        self.add(&batch);
        match table.push(HeldBatch(batch)) {
            Ok(handle) => Ok(handle),
            Err(ResourceTableError::Full) => Err(Passed::Handles { max: self.handles_max }.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the batch of a handle away.
    pub(crate) fn release(
        &mut self,
        table: &mut ResourceTable,
        handle: Resource<HeldBatch>,
    ) -> Result<RecordBatch, ResourceTableError> {
        let HeldBatch(batch) = table.delete(handle)?;
        self.remove(&batch);
        Ok(batch)
    }

    fn add(&mut self, batch: &RecordBatch) {
        self.bytes = self.bytes.saturating_add(frame_bytes(batch));
        each_buffer(batch, &mut |buffer| {
            let (address, bytes) = allocation(buffer);
            let (_, uses) = self.allocations.entry(address).or_insert_with(|| {
                self.bytes = self.bytes.saturating_add(bytes);
                (bytes, 0)
            });
            *uses = uses.saturating_add(1);
        });
    }

    fn remove(&mut self, batch: &RecordBatch) {
        self.bytes = self.bytes.saturating_sub(frame_bytes(batch));
        each_buffer(batch, &mut |buffer| {
            if let Entry::Occupied(mut entry) = self.allocations.entry(allocation(buffer).0) {
                let (bytes, uses) = entry.get_mut();
                *uses = uses.saturating_sub(1);
                if *uses == 0 {
                    self.bytes = self.bytes.saturating_sub(*bytes);
                    entry.remove();
                }
            }
        });
    }
}

/// Bytes of the host for a handle and for each of its columns, which no two handles share.
const HANDLE_BYTES: u64 = 256;
const COLUMN_BYTES: u64 = 256;

/// What a handle costs beside the buffers: without it, many handles of batches with many columns would cost nothing.
pub(crate) fn frame_bytes(batch: &RecordBatch) -> u64 {
    HANDLE_BYTES + COLUMN_BYTES * batch.num_columns() as u64
}

/// The batch of a handle.
pub(crate) fn get<'a>(
    table: &'a ResourceTable,
    handle: &Resource<HeldBatch>,
) -> Result<&'a RecordBatch, ResourceTableError> {
    Ok(&table.get(handle)?.0)
}

/// The address and the bytes of the allocation that the buffer is part of.
fn allocation(buffer: &Buffer) -> (usize, u64) {
    // An allocation that arrow did not make says no capacity; what the buffer shows is all that is known of it.
    (buffer.data_ptr().as_ptr().addr(), buffer.capacity().max(buffer.len()) as u64)
}

fn each_buffer(batch: &RecordBatch, visit: &mut impl FnMut(&Buffer)) {
    if !isolation::is_on(Part::Limits) {
        return;
    }
    fn walk(data: &ArrayData, visit: &mut impl FnMut(&Buffer)) {
        data.buffers().iter().for_each(&mut *visit);
        if let Some(nulls) = data.nulls() {
            visit(nulls.buffer());
        }
        data.child_data().iter().for_each(|child| walk(child, visit));
    }
    batch.columns().iter().for_each(|column| walk(&column.to_data(), visit));
}
