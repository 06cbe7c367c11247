//! The validate of the conformance suite: what a stage can say, by mode.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{
    Batch, Context, DataType, Fault, FaultKind, Finding, Mask, Outcome, Rule, Schema, Severity, Threshold, Validate,
};

/// The mode, and what belongs to some of the modes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// What is done.
    mode: Mode,
    /// odd: the column that is looked at.
    #[serde(default)]
    column: String,
    /// finish: how many rows are enough.
    #[serde(default)]
    rows: usize,
    /// fault: the call that fails.
    #[serde(default)]
    call: Call,
    /// fault: its kind.
    #[serde(default = "internal")]
    kind: String,
    /// fault: its message.
    #[serde(default)]
    message: String,
    /// fault: its row.
    row: Option<u32>,
}

fn internal() -> String {
    "internal".into()
}

/// What is done.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    None,
    Odd,
    Nulls,
    Severities,
    Finish,
    Fault,
    Crash,
}

/// A call that fails.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    Open,
    #[default]
    Check,
    Finish,
}

pub struct Conform {
    options: Options,
    seen: usize,
}

impl Validate for Conform {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema) -> Result<(Self, Vec<Rule>), Fault> {
        fail_in(Call::Open, &options)?;
        let rules = match options.mode {
            Mode::Nulls => {
                let rule = |name: &str| Rule::new(name, format!("{name} has a value"), Severity::Reject);
                input.names().map(rule).collect()
            }
            Mode::Odd => {
                let name = &options.column;
                match input.field(name) {
                    Some(field) if field.data_type == DataType::Int64 => {}
                    Some(field) => return Err(Fault::invalid_config(format!("{field}: it has to be int64"))),
                    None => return Err(Fault::invalid_config(format!("no column {name:?}; there are {input}"))),
                }
                vec![Rule::new("even", format!("{name} is even"), Severity::Reject)]
            }
            Mode::Severities => vec![
                Rule::new("warn", "rows 0, 3, 6, ... break it", Severity::Warn).at_most(Threshold::Rows(2)),
                Rule::new("reject", "rows 1, 4, 7, ... break it", Severity::Reject).at_most(Threshold::PerCent(50.0)),
                Rule::new("fail", "rows 2, 5, 8, ... break it", Severity::Fail),
            ],
            Mode::Finish => {
                vec![Rule::new("enough", format!("there are at least {} rows", options.rows), Severity::Warn)]
            }
            Mode::None | Mode::Fault | Mode::Crash => Vec::new(),
        };
        Ok((Self { options, seen: 0 }, rules))
    }

    fn check(&mut self, batch: &Batch) -> Result<Vec<Finding>, Fault> {
        self.seen += batch.rows();
        fail_in(Call::Check, &self.options)?;
        match self.options.mode {
            Mode::Crash => panic!("told to crash"),
            Mode::Nulls => {
                let of = |rule: usize| {
                    let column = batch.column(rule)?;
                    Ok(Finding::new(rule, Mask::from_fn(batch.rows(), |row| !column.is_valid(row))))
                };
                (0..batch.schema().len()).map(of).collect()
            }
            Mode::Odd => {
                let column = batch.column_named(&self.options.column)?;
                let values = column.as_i64().unwrap_or_default();
                let is_odd = |row: usize| column.is_valid(row) && values[row] % 2 != 0;
                Ok(vec![Finding::new(0, Mask::from_fn(batch.rows(), is_odd))])
            }
            Mode::Severities => {
                let of = |rule: usize| Finding::new(rule, Mask::from_fn(batch.rows(), |row| row % 3 == rule));
                Ok((0..3).map(of).collect())
            }
            Mode::None | Mode::Finish | Mode::Fault => Ok(Vec::new()),
        }
    }

    fn finish(&mut self) -> Result<Vec<Outcome>, Fault> {
        fail_in(Call::Finish, &self.options)?;
        let Mode::Finish = self.options.mode else { return Ok(Vec::new()) };
        let (seen, enough) = (self.seen, self.options.rows);
        Ok(vec![Outcome { rule: 0, holds: seen >= enough, observed: format!("{seen} rows") }])
    }
}

/// The fault that the options name for a call.
fn fail_in(call: Call, options: &Options) -> Result<(), Fault> {
    match options.mode {
        Mode::Fault if options.call == call => Err(fault(&options.kind, &options.message, options.row)),
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

sluicebox_stage::export!(Conform, kind: validate, summary: "What a validate can say, for the conformance suite");
