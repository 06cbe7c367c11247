//! The transform of the conformance suite: what a stage can do, by mode.

mod modes;

use modes::Work;
use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Column, Context, DataType, Fault, FaultKind, Field, Input, Schema, Transform};
use std::collections::VecDeque;

/// The mode, and what belongs to some of the modes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// What is done.
    mode: String,
    /// copy: the form in which columns cross.
    #[serde(default)]
    form: CopyForm,
    /// add-one, length, filter: the column that is worked on.
    #[serde(default)]
    column: String,
    /// select: pairs of the old and the new name.
    #[serde(default)]
    columns: Vec<(String, String)>,
    /// slice: the first row.
    #[serde(default)]
    offset: usize,
    /// slice: how many rows.
    #[serde(default)]
    rows: usize,
    /// fault: its kind.
    #[serde(default = "internal")]
    kind: String,
    /// fault: its message.
    #[serde(default)]
    message: String,
    /// fault: its row.
    row: Option<u32>,
    /// fault: the call that fails.
    #[serde(default)]
    call: Call,
}

/// A call.
#[derive(Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    Open,
    #[default]
    Process,
    Finish,
}

fn internal() -> String {
    "internal".into()
}

/// The form in which columns cross.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CopyForm {
    #[default]
    Typed,
    Raw,
    Strings,
}

pub struct Conform {
    options: Options,
    context: Context,
    work: Work,
    kept: VecDeque<Batch>,
    names: Vec<String>,
    batches: Vec<i64>,
    rows: Vec<i64>,
    told: bool,
}

fn length() -> Field {
    Field::new("length", DataType::Int32)
}

fn totals() -> Schema {
    Schema::new([
        Field::new("input", DataType::Utf8).not_null(),
        Field::new("batches", DataType::Int64).not_null(),
        Field::new("rows", DataType::Int64).not_null(),
    ])
}

fn context_schema() -> Schema {
    let text = |name| Field::new(name, DataType::Utf8).not_null();
    let attempt = Field::new("attempt", DataType::Int32).not_null();
    Schema::new([text("pipeline"), text("stage"), attempt, text("interval-start"), text("interval-end")])
}

/// A column that the mode cannot do without, of this type if one is given.
fn need<'a>(schema: &'a Schema, name: &str, data_type: Option<DataType>) -> Result<&'a Field, Fault> {
    match schema.field(name) {
        Some(field) if data_type.is_none_or(|wanted| wanted == field.data_type) => Ok(field),
        Some(field) => Err(Fault::invalid_config(format!("{field}: it has another type; there are {schema}"))),
        None => Err(Fault::invalid_config(format!("no column {name:?}; there are {schema}"))),
    }
}

/// The schema of what comes out.
fn schema_of(options: &Options, input: &Schema) -> Result<Schema, Fault> {
    let mut out = input.clone();
    match options.mode.as_str() {
        "length" => {
            need(input, &options.column, Some(DataType::Utf8))?;
            out.put(length());
        }
        "add-one" => drop(need(input, &options.column, Some(DataType::Int64))?),
        "filter" => drop(need(input, &options.column, Some(DataType::Boolean))?),
        "select" => {
            let pairs = options.columns.iter();
            let fields: Result<Vec<Field>, Fault> =
                pairs.map(|(from, to)| Ok(need(input, from, None)?.clone().named(to))).collect();
            out = Schema::new(fields?);
        }
        "zip" => input.iter().for_each(|field| out.push(field.clone().named(format!("{}_2", field.name)))),
        "totals" => out = totals(),
        "context" => out = context_schema(),
        _ => {}
    }
    Ok(out)
}

impl Transform for Conform {
    type Options = Options;

    fn open(context: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        let work = modes::of(&options.mode)
            .ok_or_else(|| Fault::invalid_config(format!("there is no mode {:?}", options.mode)))?;
        fail_in(Call::Open, &options)?;
        let first = inputs.first().map(|input| input.schema.clone()).unwrap_or_default();
        let schema = schema_of(&options, &first)?;
        let conform = Self {
            options,
            context: context.clone(),
            work,
            kept: VecDeque::new(),
            names: inputs.iter().map(|input| input.name.clone()).collect(),
            batches: vec![0; inputs.len()],
            rows: vec![0; inputs.len()],
            told: false,
        };
        Ok((conform, schema))
    }

    fn process(&mut self, input: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        self.batches[input] += 1;
        self.rows[input] += batch.rows() as i64;
        let work = self.work;
        Ok(work(self, batch)?.into_iter().collect())
    }

    fn finish(&mut self) -> Result<Option<Batch>, Fault> {
        fail_in(Call::Finish, &self.options)?;
        if let Some(first) = self.kept.pop_front() {
            return Ok(Some(first));
        }
        if self.options.mode != "totals" || self.told {
            return Ok(None);
        }
        self.told = true;
        let columns = vec![
            Column::from_strs(&self.names),
            Column::from_i64(self.batches.clone()),
            Column::from_i64(self.rows.clone()),
        ];
        Batch::from_columns(totals(), columns).map(Some)
    }
}

/// The fault that the options name for a call.
fn fail_in(call: Call, options: &Options) -> Result<(), Fault> {
    match options.mode.as_str() {
        "fault" if options.call == call => Err(fault(&options.kind, &options.message, options.row)),
        _ => Ok(()),
    }
}

/// The fault that the options name.
fn fault(kind: &str, message: &str, row: Option<u32>) -> Fault {
    let kind = match kind {
        "invalid-config" => FaultKind::InvalidConfig,
        "invalid-data" => FaultKind::InvalidData,
        "denied" => FaultKind::Denied,
        "unavailable" => FaultKind::Unavailable,
        _ => FaultKind::Internal,
    };
    let mut fault = Fault::new(kind, message);
    fault.row = row;
    fault
}

sluicebox_stage::export!(Conform, kind: transform, summary: "What a transform can do, for the conformance suite");
