//! A validate: columns that must not be null, and a least number of rows.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Context, Fault, Finding, Outcome, Rule, Schema, Severity, Validate};

/// Finds nulls.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The columns that must not be null.
    pub not_null: Vec<String>,
    /// The fewest rows there may be.
    #[serde(default)]
    pub rows: u64,
}

/// Columns by position, and rows seen.
pub struct {{NamePascal}} {
    columns: Vec<usize>,
    least: u64,
    seen: u64,
}

impl Validate for {{NamePascal}} {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema) -> Result<(Self, Vec<Rule>), Fault> {
        let mut columns = Vec::new();
        let mut rules = Vec::new();
        for name in &options.not_null {
            match input.index_of(name) {
                Some(index) => columns.push(index),
                None => return Err(Fault::invalid_config(format!("there is no column {name:?} in {input}"))),
            }
            rules.push(Rule::new(format!("{name}-not-null"), format!("{name} is not null"), Severity::Reject));
        }
        rules.push(Rule::new("rows", format!("at least {} rows", options.rows), Severity::Fail));
        Ok((Self { columns, least: options.rows, seen: 0 }, rules))
    }

    fn check(&mut self, batch: &Batch) -> Result<Vec<Finding>, Fault> {
        self.seen += batch.rows() as u64;
        let find = |(rule, index): (usize, &usize)| Ok(Finding::new(rule, batch.column(*index)?.valid().not()));
        self.columns.iter().enumerate().map(find).collect()
    }

    fn finish(&mut self) -> Result<Vec<Outcome>, Fault> {
        let rule = self.columns.len() as u32;
        Ok(vec![Outcome { rule, holds: self.seen >= self.least, observed: format!("{} rows", self.seen) }])
    }
}

sluicebox_stage::export!({{NamePascal}}, kind: validate, summary: "Finds nulls");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sluicebox_stage::testing::{self, batch};

    #[test]
    fn nulls_are_found_and_rows_counted() {
        let flights = batch! { "origin" => [Some("EWR"), None] };
        let options = testing::options(r#"{"not-null": ["origin"], "rows": 3}"#).unwrap();
        let (mut stage, rules) = {{NamePascal}}::open(&testing::context(), options, flights.schema()).unwrap();
        assert_eq!(rules.len(), 2);
        let found = stage.check(&flights).unwrap();
        assert_eq!(found.first().unwrap().rows.ones().collect::<Vec<_>>(), [1]);
        let outcomes = stage.finish().unwrap();
        assert_eq!(outcomes, [Outcome { rule: 1, holds: false, observed: "2 rows".into() }]);
    }
}
