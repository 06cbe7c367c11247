//! Finds values that are not among the known ones.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{
    Batch, Context, DataType, Fault, Finding, Mask, Outcome, Rule, Schema, Severity, Threshold, Validate,
};
use std::collections::HashSet;

/// What is known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The column, utf8.
    column: String,
    /// The values that it may have; null is fine.
    #[schemars(length(min = 1))]
    values: Vec<String>,
    /// What becomes of rows with another value.
    #[serde(default)]
    severity: Weight,
    /// More such rows fail the run.
    at_most: Option<u64>,
}

/// What breaking the rule means for a row.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It is told.
    Warn,
    /// It goes to quarantine.
    #[default]
    Reject,
    /// It fails the run.
    Fail,
}

/// The values, and the rows so far.
pub struct KnownValues {
    column: String,
    values: HashSet<String>,
    rows: usize,
}

impl Validate for KnownValues {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema) -> Result<(Self, Vec<Rule>), Fault> {
        match input.field(&options.column) {
            Some(field) if field.data_type == DataType::Utf8 => {}
            Some(field) => return Err(Fault::invalid_config(format!("{field}: it has to be utf8"))),
            None => return Err(Fault::invalid_config(format!("no column {:?}; there are {input}", options.column))),
        }
        let severity = match options.severity {
            Weight::Warn => Severity::Warn,
            Weight::Reject => Severity::Reject,
            Weight::Fail => Severity::Fail,
        };
        let summary = format!("{} is one of {}", options.column, options.values.join(", "));
        let mut known = Rule::new("known-values", summary, severity);
        known.at_most = options.at_most.map(Threshold::Rows);
        let rules = vec![known, Rule::new("any-rows", "there are rows", Severity::Fail)];
        Ok((Self { column: options.column, values: options.values.into_iter().collect(), rows: 0 }, rules))
    }

    fn check(&mut self, batch: &Batch) -> Result<Vec<Finding>, Fault> {
        self.rows += batch.rows();
        let column = batch.column_named(&self.column)?;
        let texts = column.strs().ok_or_else(|| Fault::internal("the column is no text any more"))?;
        let unknown = |row| texts.get(row).is_some_and(|text| !self.values.contains(text));
        Ok(vec![Finding::new(0, Mask::from_fn(batch.rows(), unknown))])
    }

    fn finish(&mut self) -> Result<Vec<Outcome>, Fault> {
        Ok(vec![Outcome { rule: 1, holds: self.rows > 0, observed: format!("{} rows", self.rows) }])
    }
}

sluicebox_stage::export!(KnownValues, kind: validate, summary: "Finds values that are not known");

#[cfg(test)]
mod tests {
    use super::*;
    use sluicebox_stage::testing::{self, batch};

    #[test]
    fn unknown_values_are_found_and_rows_counted() {
        let flights = batch! { "carrier" => [Some("UA"), Some("B6"), None] };
        let options = testing::options(r#"{ "column": "carrier", "values": ["UA"], "at-most": 3 }"#).unwrap();
        let (mut stage, rules) = KnownValues::open(&testing::context(), options, flights.schema()).unwrap();
        assert_eq!((rules[0].summary.as_str(), rules[0].at_most), ("carrier is one of UA", Some(Threshold::Rows(3))));
        let found = stage.check(&flights).unwrap();
        assert_eq!(found[0].rows.ones().collect::<Vec<_>>(), [1]);
        assert_eq!(stage.finish().unwrap()[0].observed, "3 rows");
    }

    #[test]
    fn a_column_of_numbers_is_refused() {
        let options = testing::options(r#"{ "column": "n", "values": ["1"] }"#).unwrap();
        let opened = KnownValues::open(&testing::context(), options, batch! { "n" => [1_i64] }.schema());
        assert!(opened.err().unwrap().message.contains("has to be utf8"));
    }
}
