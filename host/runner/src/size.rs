//! Batches of a good size: large ones are cut (free of copies), small ones joined. Order and rows stay as they are, and
//! the outcome depends on the batches alone, never on time.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use sluicebox_model::batch::batch_bytes;
use std::collections::VecDeque;

/// The size that stages are given batches in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GoodSize {
    pub(crate) rows: usize,
    pub(crate) bytes: u64,
}

impl Default for GoodSize {
    fn default() -> Self {
        Self { rows: 65_536, bytes: 1024 * 1024 }
    }
}

/// Cuts and joins the batches of one input.
pub(crate) struct Sizer {
    size: GoodSize,
    schema: SchemaRef,
    small: Vec<RecordBatch>,
    small_rows: usize,
    small_bytes: u64,
    ready: VecDeque<RecordBatch>,
}

impl Sizer {
    pub(crate) fn new(schema: SchemaRef, size: GoodSize) -> Self {
        Self { size, schema, small: Vec::new(), small_rows: 0, small_bytes: 0, ready: VecDeque::new() }
    }

    /// Takes a batch in.
    pub(crate) fn put(&mut self, batch: RecordBatch) -> Result<(), ArrowError> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let bytes = batch_bytes(&batch);
        // At half of the good size a batch is good enough: joining costs a copy.
        let is_small = rows * 2 <= self.size.rows && bytes * 2 <= self.size.bytes;
        if !is_small {
            self.join()?;
            self.cut(batch, bytes);
            return Ok(());
        }
        if self.small_rows + rows > self.size.rows || self.small_bytes + bytes > self.size.bytes {
            self.join()?;
        }
        self.small.push(batch);
        self.small_rows += rows;
        self.small_bytes += bytes;
        Ok(())
    }

    /// A batch of a good size, if there is one.
    pub(crate) fn take(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    /// No batch follows: what is left is ready.
    pub(crate) fn finish(&mut self) -> Result<(), ArrowError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), ArrowError> {
        let small = std::mem::take(&mut self.small);
        self.small_rows = 0;
        self.small_bytes = 0;
        match small.as_slice() {
            [] => {}
            [one] => self.ready.push_back(one.clone()),
            many => self.ready.push_back(concat_batches(&self.schema, many)?),
        }
        Ok(())
    }

    fn cut(&mut self, batch: RecordBatch, bytes: u64) {
        let rows = batch.num_rows();
        let by_bytes = usize::try_from(bytes.div_ceil(self.size.bytes.max(1))).unwrap_or(rows);
        let pieces = rows.div_ceil(self.size.rows.max(1)).max(by_bytes).clamp(1, rows.max(1));
        let step = rows.div_ceil(pieces).max(1);
        let mut from = 0;
        while from < rows {
            let some = step.min(rows - from);
            self.ready.push_back(batch.slice(from, some));
            from += some;
        }
    }
}
