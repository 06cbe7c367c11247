//! A transform: keeps the rows whose number in a column is at least so great, and passes all columns on.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Context, DataType, Fault, Input, Mask, Schema, Transform, count};

/// Keeps rows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The column to look at; of type float64.
    pub column: String,
    /// The smallest number that is kept.
    pub at_least: f64,
}

/// What to keep.
pub struct {{NamePascal}} {
    index: usize,
    bound: f64,
}

impl Transform for {{NamePascal}} {
    type Options = Options;

    fn open(_: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        let [input] = inputs else {
            return Err(Fault::invalid_config(format!("it takes one input, not {}", inputs.len())));
        };
        match input.schema.index_of(&options.column) {
            Some(index) if input.schema.get(index).is_some_and(|field| field.data_type == DataType::Float64) => {
                Ok((Self { index, bound: options.at_least }, input.schema.clone()))
            }
            Some(_) => Err(Fault::invalid_config(format!("column {:?} is not float64", options.column))),
            None => Err(Fault::invalid_config(format!("there is no column {:?} in {}", options.column, input.schema))),
        }
    }

    fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let column = batch.column(self.index)?;
        let values = column.as_f64().unwrap_or_default();
        let keep = Mask::from_bools(values.iter().map(|value| *value >= self.bound)).and(&column.valid());
        count("kept", keep.count_ones() as u64);
        Ok(vec![batch.filter(&keep)?])
    }
}

sluicebox_stage::export!({{NamePascal}}, kind: transform, summary: "Keeps rows by a number", stateless: true);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sluicebox_stage::testing::{self, batch};

    #[test]
    fn nulls_and_small_numbers_go() {
        let flights = batch! { "delay" => [Some(2.0), None, Some(30.0)], "origin" => ["EWR", "JFK", "LGA"] };
        let input = Input { name: "read".into(), schema: flights.schema().clone() };
        let options = testing::options(r#"{"column": "delay", "at-least": 15}"#).unwrap();
        let (mut stage, schema) = {{NamePascal}}::open(&testing::context(), options, &[input]).unwrap();
        let late = stage.process(0, flights).unwrap();
        assert_eq!(late, [batch! { "delay" => [Some(30.0)], "origin" => ["LGA"] }]);
        assert_eq!(schema, *late.first().unwrap().schema());
        assert_eq!(testing::report().counters.get("kept"), Some(&1));
    }
}
