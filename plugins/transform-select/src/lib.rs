//! Selects, derives, casts and filters with SQL expressions.

mod options;
mod output;

use sluicebox_expression::Expression;
use sluicebox_stage::{Batch, Context, Fault, Input, Schema, Transform, count};

pub use options::{Options, Pairs};
use output::Output;

/// The stage. Columns that are not computed pass on by handle; only those that an expression uses are copied in.
pub struct Select {
    filter: Option<Expression>,
    output: Output,
}

impl Transform for Select {
    type Options = Options;

    fn open(_: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        let [input] = inputs else {
            return Err(Fault::invalid_config(format!("transform-select takes one input, not {}", inputs.len())));
        };
        let filter = options.filter.as_deref().map(|text| Expression::plan_condition(text, &input.schema));
        let filter = filter.transpose().map_err(|error| Fault::from(error).within("`filter`"))?;
        let (output, schema) = Output::plan(&options, &input.schema)?;
        Ok((Self { filter, output }, schema))
    }

    fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let Some(filter) = &self.filter else { return Ok(vec![self.output.make(batch)?]) };
        let rows = batch.rows();
        let keep = filter.evaluate_mask(&batch).map_err(|fault| fault.within("`filter`"))?;
        let kept = keep.count_ones();
        count("filtered", (rows - kept) as u64);
        if kept == 0 {
            return Ok(Vec::new());
        }
        let batch = if kept < rows { batch.filter(&keep)? } else { batch };
        // A fault names the row of the batch that came in.
        let row_before = |mut fault: Fault| {
            let row = fault.row.and_then(|row| keep.ones().nth(row as usize));
            fault.row = row.and_then(|row| u32::try_from(row).ok());
            fault
        };
        Ok(vec![self.output.make(batch).map_err(row_before)?])
    }
}

sluicebox_stage::export!(Select, kind: transform, summary: "Selects, derives, casts and filters with SQL expressions", stateless: true);
sluicebox_stage::readme_test!();
