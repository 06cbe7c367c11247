//! What a stage is given: the batches of its inputs in the order of the contract, cut and joined to a good size.

use crate::run::host_fault;
use crate::size::Sizer;
use crate::station::Station;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::Fault;

/// One batch for one call.
pub(crate) struct Job {
    /// Counted over all inputs.
    pub(crate) sequence: u64,
    pub(crate) input: u32,
    /// Counted within the input.
    pub(crate) number: u64,
    /// Rows of the input before this batch.
    pub(crate) first_row: u64,
    pub(crate) batch: RecordBatch,
}

impl Job {
    /// What the call is counted as, from 1 on: the same on whichever instance.
    pub(crate) fn turn(&self) -> u64 {
        self.sequence + 1
    }

    /// Says in a fault where it happened; `from` and `rows` are the part of the batch that the call was given. Rows that
    /// the fault names count within that part.
    pub(crate) fn locate(&self, mut fault: Fault, from: usize, rows: usize) -> Fault {
        let first = self.first_row + from as u64;
        let last = first + rows as u64;
        fault.batch = Some(self.number);
        fault.rows = Some(match fault.rows {
            Some((start, end)) if first + start < last => (first + start, (first + end).clamp(first + start + 1, last)),
            _ => (first, last),
        });
        fault
    }
}

/// The inputs of a stage: all but the first, then the first.
pub(crate) struct Feed<'a> {
    station: &'a Station<'a>,
    inputs: Vec<Drained>,
    at: usize,
    sequence: u64,
}

struct Drained {
    slot: usize,
    sizer: Sizer,
    is_finished: bool,
    batches: u64,
    rows: u64,
}

impl<'a> Feed<'a> {
    /// `schemas` by slot.
    pub(crate) fn new(station: &'a Station<'a>, schemas: &[SchemaRef]) -> Self {
        let mut inputs: Vec<Drained> = schemas
            .iter()
            .enumerate()
            .map(|(slot, schema)| Drained {
                slot,
                sizer: Sizer::new(schema.clone(), station.run.tuning.size),
                is_finished: false,
                batches: 0,
                rows: 0,
            })
            .collect();
        if !inputs.is_empty() {
            inputs.rotate_left(1);
        }
        Self { station, inputs, at: 0, sequence: 0 }
    }

    /// How many batches were given so far.
    pub(crate) fn given(&self) -> u64 {
        self.sequence
    }

    /// The next batch; none after the last one of the last input.
    pub(crate) fn next(&mut self) -> Result<Option<Job>, Fault> {
        let sizing = |error: arrow_schema::ArrowError| {
            host_fault("join", &format!("batches cannot be joined: {error}")).of_stage(self.station.name())
        };
        while let Some(input) = self.inputs.get_mut(self.at) {
            if let Some(batch) = input.sizer.take() {
                let job = Job {
                    sequence: self.sequence,
                    input: u32::try_from(input.slot).unwrap_or(u32::MAX),
                    number: input.batches,
                    first_row: input.rows,
                    batch,
                };
                self.sequence += 1;
                input.batches += 1;
                input.rows += job.batch.num_rows() as u64;
                self.station.count_in(&job.batch);
                return Ok(Some(job));
            }
            if input.is_finished {
                self.at += 1;
                continue;
            }
            let Some(edge) = self.station.inputs.get(input.slot) else {
                self.at += 1;
                continue;
            };
            match edge.pop().map_err(|error| self.station.edge_fault(error))? {
                Some(batch) => input.sizer.put(batch).map_err(sizing)?,
                None => {
                    input.is_finished = true;
                    input.sizer.finish().map_err(sizing)?;
                }
            }
        }
        Ok(None)
    }
}
