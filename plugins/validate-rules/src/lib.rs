//! Checks rows and whole data against rules.

mod bits;
mod bounds;
mod compare;
mod literal;
mod options;
mod parse;
mod plan;
mod unique;
mod values;

use std::collections::{BTreeMap, HashSet};

use sluicebox_stage::{Batch, Column, Context, Fault, Finding, Mask, Outcome, Rule, Schema, Validate};

pub use options::{
    AtMost, Length, LengthRange, Literal, NullRate, Options, RowCount, RuleOptions, SeverityOption, Share, TypeName,
    Unique,
};
use plan::{Check, plan};

/// Finds the rows that break rules.
pub struct Rules {
    checks: Vec<Check>,
    rows: u64,
}

impl Validate for Rules {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema) -> Result<(Self, Vec<Rule>), Fault> {
        if options.rules.is_empty() {
            return Err(Fault::invalid_config(
                "`rules` is empty; write at least one, e.g. rules = [ { column = \"id\", not-null = true } ]",
            ));
        }
        let (mut rules, mut checks) = (Vec::<Rule>::new(), Vec::new());
        let mut names = HashSet::new();
        for (at, rule_options) in options.rules.iter().enumerate() {
            let (mut rule, check) = plan(rule_options, input).map_err(|fault| fault.within(format!("rules[{at}]")))?;
            if rule_options.name.is_some() && names.contains(&rule.name) {
                return Err(Fault::invalid_config(format!(
                    "rules[{at}]: there is a rule `{}` already; give this one another name",
                    rule.name
                )));
            }
            let (base, mut number) = (rule.name.clone(), 2);
            while !names.insert(rule.name.clone()) {
                rule.name = format!("{base}-{number}");
                number += 1;
            }
            rules.push(rule);
            checks.push(check);
        }
        Ok((Self { checks, rows: 0 }, rules))
    }

    fn check(&mut self, batch: &Batch) -> Result<Vec<Finding>, Fault> {
        let rows = batch.rows();
        self.rows += rows as u64;
        let mut columns = Columns { batch, read: BTreeMap::new() };
        let mut findings = Vec::new();
        for (rule, check) in self.checks.iter_mut().enumerate() {
            let broken = match check {
                Check::Always | Check::RowCount(..) => continue,
                Check::NotNull(column) => match &columns.get(*column)?.validity {
                    None => continue,
                    Some(valid) => Mask::from_bits(valid.clone(), rows).not(),
                },
                Check::Value(column, check) => Mask::from_bits(values::breaks(check, columns.get(*column)?), rows),
                Check::Unique(positions, seen) => {
                    for position in positions.iter() {
                        columns.get(*position)?;
                    }
                    let keys: Vec<&Column> =
                        positions.iter().filter_map(|position| columns.read.get(position)).collect();
                    seen.add(&keys, rows)
                }
                Check::Condition(expression) => expression.evaluate_truth(batch)?.fails,
                Check::NullRate(column, _, nulls) => {
                    *nulls += columns.get(*column)?.null_count() as u64;
                    continue;
                }
            };
            if broken.any() {
                findings.push(Finding::new(rule, broken));
            }
        }
        Ok(findings)
    }

    fn finish(&mut self) -> Result<Vec<Outcome>, Fault> {
        let rows = self.rows;
        let judge = |(rule, check): (usize, &Check)| {
            let (holds, observed) = match check {
                Check::RowCount(low, high) => {
                    (low.is_none_or(|low| rows >= low) && high.is_none_or(|high| rows <= high), format!("{rows} rows"))
                }
                Check::NullRate(_, at_most, nulls) => {
                    #[allow(clippy::cast_precision_loss, reason = "a share, for people and a bound")]
                    let share = if rows == 0 { 0.0 } else { *nulls as f64 / rows as f64 };
                    (share <= *at_most, format!("{nulls} of {rows} rows are null ({:.2} %)", share * 100.0))
                }
                _ => return None,
            };
            Some(Outcome { rule: u32::try_from(rule).unwrap_or(u32::MAX), holds, observed })
        };
        Ok(self.checks.iter().enumerate().filter_map(judge).collect())
    }
}

/// Columns of a batch, each copied in once, when it is first needed.
struct Columns<'a> {
    batch: &'a Batch,
    read: BTreeMap<usize, Column>,
}

impl Columns<'_> {
    fn get(&mut self, position: usize) -> Result<&Column, Fault> {
        match self.read.entry(position) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::btree_map::Entry::Vacant(entry) => Ok(entry.insert(self.batch.column(position)?)),
        }
    }
}

sluicebox_stage::export!(Rules, kind: validate, summary: "Checks rows and whole data against rules", stateless: false);
sluicebox_stage::readme_test!();
