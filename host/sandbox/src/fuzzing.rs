//! Doors for `fuzz/` to what only guests come to: the host's side of the contract without a component, and a stage of a
//! component that was in no catalog. Only with the feature `fuzzing`, which nothing that is shipped turns on.

pub use crate::contract::batches::{Column, Form, Values, Variable, VariableBytes};
pub use crate::contract::report::{BadRecord, Level};
pub use crate::contract::types::{DataType as Word, Field};

use crate::column;
use crate::console::{Console, LogBudget};
use crate::contract::batches::{Host as _, HostBatch as _};
use crate::contract::report::Host as _;
use crate::contract::types;
use crate::counts::{Counters, Living};
use crate::describe;
use crate::end;
use crate::held::{self, HeldBatch};
use crate::network::{Access, Net, NetworkFiles};
use crate::ops;
use crate::ready::make_ready;
use crate::refusal::Refusal;
use crate::sandbox::{Sandbox, StageSetup};
use crate::schema;
use crate::stage::ComponentStage;
use crate::state::State;
use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::plugin::{Description, Kind};
use sluicebox_model::stage::{LogLine, Stage};
use std::sync::Arc;
use wasmtime::component::{Component, Resource};
use wasmtime_wasi::WasiCtx;

/// How a call of a guest ended.
#[derive(Debug)]
pub enum Answer<T> {
    /// With what it asked for.
    Done(T),
    /// With a fault that is the guest's to deal with; its message.
    Refused(String),
    /// With the end of the instance: no other call may follow.
    Ended(Fault),
}

/// What an instance asks of the host with its batches and its report; handles are numbers, as in a guest.
pub struct Guest {
    state: State,
    limits: Limits,
    console: Console,
}

impl Guest {
    /// An instance that holds nothing.
    pub fn new(limits: &Limits) -> Self {
        let console = Console::new(Arc::new(LogBudget::new(limits.log_bytes_max)));
        let living = Living::new(&Arc::<Counters>::default());
        let access = Access::new("fuzz", &Grants::default(), limits, &NetworkFiles::default());
        let net = Net::new(access, limits, console.clone());
        let state = State::new(WasiCtx::builder().build(), net, limits, console.clone(), Cancel::new(), living);
        Self { state, limits: limits.clone(), console }
    }

    /// Makes it as good as new, once it holds nothing: cheaper than another one.
    pub fn begin_anew(&mut self) {
        self.console = Console::new(Arc::new(LogBudget::new(self.limits.log_bytes_max)));
        self.state.console = self.console.clone();
        self.state.start_call("fuzz");
    }

    /// What the bytes are counted from that may cross in a call.
    pub fn start_call(&mut self) {
        self.state.start_call("fuzz");
    }

    /// What a handle of the batch costs beside its buffers.
    pub fn frame_bytes(batch: &RecordBatch) -> u64 {
        held::frame_bytes(batch)
    }

    /// Bytes of the batches that are held, and of their handles.
    pub fn held_bytes(&self) -> u64 {
        self.state.held.bytes()
    }

    /// Handles of batches that are held.
    pub fn handles(&mut self) -> usize {
        self.state.table.iter_mut().count()
    }

    /// Counters and bad records of the call under way.
    pub fn told(&self) -> (usize, usize) {
        (self.state.pending.counts.len(), self.state.pending.bad_records.len())
    }

    /// The log so far.
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.console.take()
    }

    /// The batch of a handle.
    pub fn batch(&self, handle: u32) -> Option<&RecordBatch> {
        crate::held::get(&self.state.table, &resource(handle)).ok()
    }

    fn ended<T>(&self, call: &str, answer: wasmtime::Result<Result<T, types::Fault>>) -> Answer<T> {
        match answer {
            Ok(Ok(done)) => Answer::Done(done),
            Ok(Err(fault)) => Answer::Refused(fault.message),
            Err(error) => Answer::Ended(end::of_error(call, &error, &[], &self.limits, None)),
        }
    }

    fn made(&self, call: &str, answer: wasmtime::Result<Result<Resource<HeldBatch>, types::Fault>>) -> Answer<u32> {
        match self.ended(call, answer) {
            Answer::Done(handle) => Answer::Done(handle.rep()),
            Answer::Refused(reason) => Answer::Refused(reason),
            Answer::Ended(fault) => Answer::Ended(fault),
        }
    }

    /// A batch that the host gives, as `process` does.
    pub fn given(&mut self, batch: RecordBatch) -> Answer<u32> {
        let given = self.state.held.given(&mut self.state.table, batch);
        self.made("process", given.map(Ok))
    }

    /// `batch.from-columns`.
    pub fn from_columns(&mut self, fields: Vec<Field>, rows: u32, columns: Vec<Column>) -> Answer<u32> {
        let answer = self.state.from_columns(fields, rows, columns);
        self.made("from-columns", answer)
    }

    /// `batch.from-ipc`.
    pub fn from_ipc(&mut self, bytes: Vec<u8>) -> Answer<u32> {
        let answer = self.state.from_ipc(bytes);
        self.made("from-ipc", answer)
    }

    /// `batch.schema`.
    pub fn schema(&mut self, handle: u32) -> Answer<Vec<Field>> {
        let answer = self.state.schema(resource(handle));
        self.ended("schema", answer.map(Ok))
    }

    /// `batch.rows`.
    pub fn rows(&mut self, handle: u32) -> Answer<u32> {
        let answer = self.state.rows(resource(handle));
        self.ended("rows", answer.map(Ok))
    }

    /// `batch.column`.
    pub fn column(&mut self, handle: u32, index: u32, form: Form) -> Answer<Column> {
        let answer = self.state.column(resource(handle), index, form);
        self.ended("column", answer)
    }

    /// `batch.to-ipc`.
    pub fn to_ipc(&mut self, handle: u32, columns: Vec<u32>) -> Answer<Vec<u8>> {
        let answer = self.state.to_ipc(resource(handle), columns);
        self.ended("to-ipc", answer)
    }

    /// `batch.filter`.
    pub fn filter(&mut self, handle: u32, mask: Vec<u8>) -> Answer<u32> {
        let answer = self.state.filter(resource(handle), mask);
        self.made("filter", answer)
    }

    /// `batch.take`.
    pub fn take(&mut self, handle: u32, rows: Vec<u32>) -> Answer<u32> {
        let answer = self.state.take(resource(handle), rows);
        self.made("take", answer)
    }

    /// `batch.slice`.
    pub fn slice(&mut self, handle: u32, offset: u32, rows: u32) -> Answer<u32> {
        let answer = self.state.slice(resource(handle), offset, rows);
        self.made("slice", answer)
    }

    /// `batch.select`.
    pub fn select(&mut self, handle: u32, columns: Vec<(u32, String)>) -> Answer<u32> {
        let answer = self.state.select(resource(handle), columns);
        self.made("select", answer)
    }

    /// `batch.with-columns`.
    pub fn with_columns(&mut self, handle: u32, fields: Vec<Field>, columns: Vec<Column>) -> Answer<u32> {
        let answer = self.state.with_columns(resource(handle), fields, columns);
        self.made("with-columns", answer)
    }

    /// `batch.zip`.
    pub fn zip(&mut self, handle: u32, other: u32) -> Answer<u32> {
        let answer = self.state.zip(resource(handle), resource(other));
        self.made("zip", answer)
    }

    /// `concat`.
    pub fn concat(&mut self, parts: &[u32]) -> Answer<u32> {
        let answer = self.state.concat(parts.iter().map(|part| resource(*part)).collect());
        self.made("concat", answer)
    }

    /// Drops a handle.
    pub fn release(&mut self, handle: u32) -> Answer<()> {
        let answer = crate::contract::batches::HostBatch::drop(&mut self.state, Resource::new_own(handle));
        self.ended("drop", answer.map(Ok))
    }

    /// `log`.
    pub fn log(&mut self, level: Level, message: String) -> Answer<()> {
        let answer = self.state.log(level, message);
        self.ended("log", answer.map(Ok))
    }

    /// `count`.
    pub fn count(&mut self, name: String, by: u64) -> Answer<()> {
        let answer = self.state.count(name, by);
        self.ended("count", answer.map(Ok))
    }

    /// `quarantine`.
    pub fn quarantine(&mut self, records: Vec<BadRecord>) -> Answer<()> {
        let answer = self.state.quarantine(records);
        self.ended("quarantine", answer.map(Ok))
    }
}

fn resource(handle: u32) -> Resource<HeldBatch> {
    Resource::new_borrow(handle)
}

fn told<T>(answer: Result<T, Refusal>) -> Result<T, String> {
    answer.map_err(|Refusal(reason)| reason)
}

/// Bytes that a column takes up as it crosses.
pub fn crossing_bytes(column: &Column) -> u64 {
    column::crossing_bytes(column)
}

/// Bytes that are counted before a column is lowered.
pub fn lowered_bytes(array: &dyn Array, form: Form) -> u64 {
    column::lowered_bytes(array, form)
}

/// A column as a guest is given it.
///
/// # Errors
/// The type has no such form.
pub fn lower(array: &dyn Array, form: Form) -> Result<Column, String> {
    told(column::lower(array, form))
}

/// A schema as a guest is told it.
pub fn to_guest(schema: &arrow_schema::Schema) -> Vec<Field> {
    schema::to_guest(schema)
}

/// The schema that a guest promises by these fields.
///
/// # Errors
/// It makes no sense.
pub fn promised(fields: &[Field], known: &[SchemaRef]) -> Result<SchemaRef, String> {
    told(schema::promised(fields, known))
}

/// The batch under the schema that was promised.
///
/// # Errors
/// It does not fit.
pub fn fit(given: RecordBatch, promised: &SchemaRef) -> Result<RecordBatch, String> {
    told(ops::fit(given, promised))
}

/// Whether the host takes an Arrow type from a guest.
pub fn takes_type(data_type: &arrow_schema::DataType) -> bool {
    schema::check_type(data_type, "it").is_ok()
}

/// A text of a guest as people are shown it, cut behind so many bytes.
pub fn escape(text: &str, max: usize) -> String {
    crate::console::escape(text, max)
}

/// A stage of a component that was in no catalog, and what the component says of itself, which is asked first as the
/// catalog asks.
///
/// # Errors
/// It cannot be compiled or is no plugin; why, for people.
pub fn stage(sandbox: &Sandbox, bytes: &[u8], setup: StageSetup) -> Result<(Arc<dyn Stage>, Said), String> {
    let linked = sandbox.linked(&setup.limits).map_err(|error| error.to_string())?;
    let component = Component::from_binary(&linked.engine, bytes).map_err(|error| format!("{error:#}"))?;
    let ready = Arc::new(make_ready(&linked, &component)?);
    let digest = crate::compiled::digest_of(bytes);
    let said = describe::ask(sandbox, &digest, &ready, &setup.limits);
    let (said, description) = match said {
        describe::Known::Plugin { description, .. } => (Ok(description.clone()), description),
        describe::Known::Refused { reason, .. } => (Err(reason), unknown(ready.exports.kind())),
    };
    let runtime = Arc::clone(sandbox.runtime());
    Ok((Arc::new(ComponentStage::new(description, digest, setup, ready, runtime, None)), said))
}

/// What a component says of itself, or why that is not taken.
pub type Said = Result<Description, String>;

fn unknown(kind: Kind) -> Description {
    Description {
        name: "unknown".to_owned(),
        version: "0.0.0".to_owned(),
        kind,
        summary: String::new(),
        config_schema: serde_json::Value::Null,
        capabilities: Vec::new(),
        stateless: false,
        splittable: false,
    }
}
