//! The interface `batches` for guests: handles and limits here, the work in [`ops`](crate::ops).

use crate::column;
use crate::contract::batches::{Column, Form, Host, HostBatch};
use crate::contract::types::{self, Fault, FaultKind};
use crate::end::MISUSED;
use crate::held::{self, HeldBatch};
use crate::ipc;
use crate::limiter::Passed;
use crate::ops::{self, Failure};
use crate::refusal::Refusal;
use crate::schema;
use crate::state::State;
use arrow_array::RecordBatch;
use wasmtime::Result;
use wasmtime::component::Resource;

/// What a guest is answered: the outer error ends the instance, the inner one is the guest's to deal with.
type Answer<T = Resource<HeldBatch>> = Result<Result<T, Fault>>;

/// Bytes of the host for each part of a `concat`.
const PART_BYTES: u64 = 256;

/// The contract says of which kind it is; whoever reads it later is told that it is a mistake in the plugin, see
/// [`end::told`](crate::end::told).
fn misused(call: &str, Refusal(reason): Refusal) -> Fault {
    Fault { kind: FaultKind::InvalidData, message: format!("{MISUSED}{call}`: {reason}"), row: None }
}

impl State {
    fn answer(&mut self, call: &str, done: std::result::Result<RecordBatch, Failure>) -> Answer {
        match done {
            Ok(batch) => Ok(Ok(self.held.made(&mut self.table, batch)?)),
            Err(Failure::Refused(refusal)) => Ok(Err(misused(call, refusal))),
            Err(Failure::TooLarge(wanted)) => Err(Passed::Held { wanted, max: self.held.bytes_max() }.into()),
        }
    }

    fn batch(&self, handle: &Resource<HeldBatch>) -> Result<&RecordBatch> {
        Ok(held::get(&self.table, handle)?)
    }

    fn cross_in(&mut self, fields: &[types::Field], columns: &[Column]) -> Result<()> {
        let names: usize = fields.iter().map(|field| field.name.len() + 16).sum();
        let columns = columns.iter().map(column::crossing_bytes).fold(0, u64::saturating_add);
        self.transfer.add(columns.saturating_add(names as u64))
    }
}

impl types::Host for State {}

impl Host for State {
    fn concat(&mut self, parts: Vec<Resource<HeldBatch>>) -> Answer {
        // A guest may name one handle a million times: what comes of it is reckoned before there are a million batches.
        let max = self.held.bytes_max();
        let (mut batches, mut wanted) = (Vec::new(), 0_u64);
        for part in &parts {
            let batch = self.batch(part)?;
            wanted = wanted.saturating_add(crate::measure::batch_bytes(batch)).saturating_add(PART_BYTES);
            if wanted > max {
                return Err(Passed::Held { wanted, max }.into());
            }
            batches.push(batch.clone());
        }
        self.answer("concat", ops::concat(&batches, max))
    }
}

impl HostBatch for State {
    fn from_columns(&mut self, fields: Vec<types::Field>, rows: u32, columns: Vec<Column>) -> Answer {
        self.cross_in(&fields, &columns)?;
        self.answer("from-columns", ops::from_columns(&fields, rows, columns))
    }

    fn from_ipc(&mut self, bytes: Vec<u8>) -> Answer {
        self.transfer.add(bytes.len() as u64)?;
        let batch = ipc::read(bytes).map_err(Failure::Refused);
        // Columns of a stream may share their bytes; what they come to when each is copied is bounded all the same.
        let batch = batch.and_then(|batch| match crate::measure::batch_bytes(&batch) {
            bytes if bytes > self.held.bytes_max() => Err(Failure::TooLarge(bytes)),
            _ => Ok(batch),
        });
        self.answer("from-ipc", batch)
    }

    fn schema(&mut self, this: Resource<HeldBatch>) -> Result<Vec<types::Field>> {
        let schema = schema::to_guest(self.batch(&this)?.schema_ref());
        self.transfer.add(schema.iter().map(|field| field.name.len() as u64 + 16).sum())?;
        Ok(schema)
    }

    fn rows(&mut self, this: Resource<HeldBatch>) -> Result<u32> {
        // No batch has more: see `ops`; those of the runner are far smaller.
        Ok(u32::try_from(self.batch(&this)?.num_rows()).unwrap_or(u32::MAX))
    }

    fn column(&mut self, this: Resource<HeldBatch>, index: u32, form: Form) -> Answer<Column> {
        let array = match ops::column_at(self.batch(&this)?, index) {
            Ok((_, array)) => array.clone(),
            Err(refusal) => return Ok(Err(misused("column", refusal))),
        };
        self.transfer.add(column::lowered_bytes(&array, form))?;
        Ok(column::lower(&array, form).map_err(|refusal| misused("column", refusal)))
    }

    fn to_ipc(&mut self, this: Resource<HeldBatch>, columns: Vec<u32>) -> Answer<Vec<u8>> {
        let batch = self.batch(&this)?.clone();
        let bytes = columns
            .iter()
            .filter_map(|&index| batch.columns().get(index as usize))
            .map(|array| crate::measure::array_bytes(array))
            .fold(0, u64::saturating_add);
        self.transfer.add(bytes)?;
        Ok(ipc::write(&batch, &columns).map_err(|refusal| misused("to-ipc", refusal)))
    }

    fn filter(&mut self, this: Resource<HeldBatch>, mask: Vec<u8>) -> Answer {
        self.transfer.add(mask.len() as u64)?;
        let done = ops::filter(self.batch(&this)?, mask, self.held.bytes_max());
        self.answer("filter", done)
    }

    fn take(&mut self, this: Resource<HeldBatch>, rows: Vec<u32>) -> Answer {
        self.transfer.add(rows.len() as u64 * 4)?;
        let done = ops::take(self.batch(&this)?, rows, self.held.bytes_max());
        self.answer("take", done)
    }

    fn slice(&mut self, this: Resource<HeldBatch>, offset: u32, rows: u32) -> Answer {
        let done = ops::slice(self.batch(&this)?, offset, rows);
        self.answer("slice", done)
    }

    fn select(&mut self, this: Resource<HeldBatch>, columns: Vec<(u32, String)>) -> Answer {
        self.transfer.add(columns.iter().map(|(_, name)| name.len() as u64 + 8).sum())?;
        let done = ops::select(self.batch(&this)?, columns);
        self.answer("select", done)
    }

    fn with_columns(&mut self, this: Resource<HeldBatch>, fields: Vec<types::Field>, columns: Vec<Column>) -> Answer {
        self.cross_in(&fields, &columns)?;
        let done = ops::with_columns(self.batch(&this)?, &fields, columns);
        self.answer("with-columns", done)
    }

    fn zip(&mut self, this: Resource<HeldBatch>, other: Resource<HeldBatch>) -> Answer {
        let done = ops::zip(self.batch(&this)?, self.batch(&other)?);
        self.answer("zip", done)
    }

    fn drop(&mut self, this: Resource<HeldBatch>) -> Result<()> {
        self.held.release(&mut self.table, this)?;
        Ok(())
    }
}
