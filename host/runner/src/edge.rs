//! What joins two stages: a queue of batches, bounded by their bytes, that blocks its producer when it is full.

use crate::spill::Spill;
use crate::stop::{Stop, Wake, lock};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::batch::batch_bytes;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Why an edge gives or takes nothing any more.
#[derive(Debug)]
pub(crate) enum EdgeError {
    /// The run stops.
    Stopped,
    /// The scratch folder cannot be used. The message is for people.
    Scratch(String),
    /// More than so many bytes would wait on the disk.
    Full(u64),
}

/// One producer, one consumer.
pub(crate) struct Edge {
    state: Mutex<State>,
    bell: Condvar,
    stop: Arc<Stop>,
    bytes_max: u64,
    /// Where to spill, and how much; none: block.
    scratch: Option<Scratch>,
}

/// Where an edge keeps what does not fit.
pub(crate) struct Scratch {
    pub(crate) folder: PathBuf,
    pub(crate) bytes_max: u64,
}

#[derive(Default)]
struct State {
    schema: Option<SchemaRef>,
    queue: VecDeque<(RecordBatch, u64)>,
    bytes: u64,
    /// The most bytes that were queued at once.
    peak_bytes: u64,
    /// Batches behind those of the queue.
    spill: Option<Spill>,
    finished: bool,
}

/// Tiny batches are bounded by their number.
pub(crate) const BATCHES_MAX: usize = 64;

impl Edge {
    /// An edge that holds `bytes_max` bytes of batches, or one batch that is larger. With a scratch folder it never
    /// blocks: what does not fit is written there.
    pub(crate) fn new(stop: &Arc<Stop>, bytes_max: u64, scratch: Option<Scratch>) -> Arc<Self> {
        let edge = Arc::new(Self {
            state: Mutex::new(State::default()),
            bell: Condvar::new(),
            stop: stop.clone(),
            bytes_max,
            scratch,
        });
        stop.register(&edge);
        edge
    }

    /// Says what the batches look like; before the first of them.
    pub(crate) fn announce(&self, schema: &SchemaRef) {
        lock(&self.state).schema = Some(schema.clone());
        self.bell.notify_all();
    }

    /// Waits until the producer has said what its batches look like.
    pub(crate) fn schema(&self) -> Result<SchemaRef, EdgeError> {
        let mut state = lock(&self.state);
        loop {
            if self.stop.is_stopped() {
                return Err(EdgeError::Stopped);
            }
            if let Some(schema) = &state.schema {
                return Ok(schema.clone());
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands a batch over; waits while the edge is full.
    pub(crate) fn push(&self, batch: RecordBatch) -> Result<(), EdgeError> {
        let bytes = batch_bytes(&batch);
        let mut state = lock(&self.state);
        loop {
            if self.stop.is_stopped() {
                return Err(EdgeError::Stopped);
            }
            let spilled = state.spill.as_ref().is_some_and(|spill| !spill.is_drained());
            let fits =
                state.queue.is_empty() || (state.bytes + bytes <= self.bytes_max && state.queue.len() < BATCHES_MAX);
            if fits && !spilled {
                state.bytes += bytes;
                state.peak_bytes = state.peak_bytes.max(state.bytes);
                state.queue.push_back((batch, bytes));
                break;
            }
            if let Some(Scratch { folder, bytes_max }) = &self.scratch {
                let waits = state.spill.as_ref().map_or(0, Spill::bytes);
                if waits.saturating_add(bytes) > *bytes_max {
                    return Err(EdgeError::Full(*bytes_max));
                }
                if state.spill.is_none() {
                    let spill = Spill::create(folder, &batch.schema()).map_err(EdgeError::Scratch)?;
                    state.spill = Some(spill);
                }
                if let Some(spill) = &mut state.spill {
                    spill.write(&batch, bytes).map_err(EdgeError::Scratch)?;
                }
                break;
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.bell.notify_all();
        Ok(())
    }

    /// No batch follows.
    pub(crate) fn finish(&self) {
        lock(&self.state).finished = true;
        self.bell.notify_all();
    }

    /// The next batch, or none at the end; waits while there is none yet.
    pub(crate) fn pop(&self) -> Result<Option<RecordBatch>, EdgeError> {
        let mut state = lock(&self.state);
        loop {
            if self.stop.is_stopped() {
                return Err(EdgeError::Stopped);
            }
            if let Some((batch, bytes)) = state.queue.pop_front() {
                state.bytes -= bytes;
                drop(state);
                self.bell.notify_all();
                return Ok(Some(batch));
            }
            if let Some(spill) = &mut state.spill
                && let Some(batch) = spill.read().map_err(EdgeError::Scratch)?
            {
                if spill.is_drained() {
                    // The room on the disk is for others.
                    state.spill = None;
                }
                return Ok(Some(batch));
            }
            if state.finished {
                // The file, if there is one, has been read: let it go before the run ends.
                state.spill = None;
                return Ok(None);
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets go of all batches: the run stops.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.state);
        state.queue.clear();
        state.spill = None;
    }

    #[cfg(test)]
    pub(crate) fn peak_bytes(&self) -> u64 {
        lock(&self.state).peak_bytes
    }
}

impl Wake for Edge {
    fn wake(&self) {
        // Taking the lock once makes sure that nobody is between looking at the flag and waiting.
        drop(lock(&self.state));
        self.bell.notify_all();
    }
}
