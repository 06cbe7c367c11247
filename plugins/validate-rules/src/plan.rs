//! Rules of the file as checks of columns.

use regex::bytes::Regex;
use sluicebox_expression::Expression;
use sluicebox_stage::{DataType, Fault, Field, Rule, Schema, Severity, Threshold};
use strsim::jaro_winkler;

use crate::bounds::{cannot, length_bounds, literal_text, range, set};
use crate::compare::{comparison, quoted};
use crate::options::{AtMost, RuleOptions, SeverityOption, Share, TypeName, Unique};
use crate::unique::Seen;
use crate::values::ValueCheck;

/// What a rule checks. Columns by their position.
pub(crate) enum Check {
    NotNull(usize),
    Unique(Vec<usize>, Box<Seen>),
    Value(usize, ValueCheck),
    /// false of the rows that break the rule
    Condition(Box<Expression>),
    /// at least, at most
    RowCount(Option<u64>, Option<u64>),
    /// at most, from 0 to 1; nulls seen
    NullRate(usize, f64, u64),
    /// holds for every row by the column's type
    Always,
}

impl Check {
    fn is_about_all_data(&self) -> bool {
        matches!(self, Self::RowCount(..) | Self::NullRate(..))
    }
}

/// The rule and its check.
///
/// # Errors
/// `invalid-config` that says what is wrong with the rule.
pub(crate) fn plan(options: &RuleOptions, schema: &Schema) -> Result<(Rule, Check), Fault> {
    let name = match options.checks().as_slice() {
        [one] => *one,
        [] => {
            return Err(Fault::invalid_config(
                "the rule has no check; write one of not-null, unique, in, not-in, between, regex, length, type, row-count, null-rate, compare, expression",
            ));
        }
        several => {
            return Err(Fault::invalid_config(format!(
                "the rule has {} checks ({}); write a rule for each",
                several.len(),
                several.join(", ")
            )));
        }
    };
    let (check, about, summary) = planned(options, name, schema)?;
    let severity = match options.severity {
        Some(SeverityOption::Warn) => Severity::Warn,
        Some(SeverityOption::Reject) => Severity::Reject,
        Some(SeverityOption::Fail) => Severity::Fail,
        None if check.is_about_all_data() => Severity::Fail,
        None => Severity::Reject,
    };
    let at_most = options.at_most.as_ref().map(threshold).transpose()?;
    if at_most.is_some() && check.is_about_all_data() {
        return Err(Fault::invalid_config(format!(
            "`at-most` is about rows that break the rule, and `{name}` is about all the data; write it within, e.g. {name} = {{ at-most = ... }}"
        )));
    }
    let rule_name = options.name.clone().unwrap_or_else(|| match about.as_str() {
        "" => name.to_owned(),
        about => format!("{about}-{name}"),
    });
    Ok((Rule { name: rule_name, summary, severity, at_most }, check))
}

/// The check, what it is about (for its name), and what it says (for people).
fn planned(options: &RuleOptions, name: &str, schema: &Schema) -> Result<(Check, String, String), Fault> {
    let column = || about_column(options, name, schema);
    let no_column = || match &options.column {
        Some(_) => Err(Fault::invalid_config(format!("`{name}` is not about one column; leave `column` out"))),
        None => Ok(()),
    };
    if let Some(wanted) = options.not_null {
        only_true(wanted, "not-null")?;
        let (position, field) = column()?;
        let check = if field.nullable { Check::NotNull(position) } else { Check::Always };
        return Ok((check, field.name.clone(), format!("{} is not null", field.name)));
    }
    if let Some(unique) = &options.unique {
        let names = match unique {
            Unique::Column(wanted) => {
                only_true(*wanted, "unique")?;
                vec![column()?.1.name.clone()]
            }
            Unique::Name(name) => {
                no_column()?;
                vec![name.clone()]
            }
            Unique::Columns(names) => {
                no_column()?;
                names.clone()
            }
        };
        if names.is_empty() {
            return Err(Fault::invalid_config("`unique` is an empty list; name at least one column"));
        }
        let found = names.iter().map(|name| find(schema, name)).collect::<Result<Vec<_>, _>>()?;
        for (_, field) in &found {
            if field.data_type == DataType::Other {
                return Err(cannot(name, field));
            }
        }
        let positions = found.into_iter().map(|(position, _)| position).collect();
        let summary = format!("{} {} unique", names.join(", "), if names.len() == 1 { "is" } else { "are together" });
        return Ok((Check::Unique(positions, Box::default()), names.join("-"), summary));
    }
    if let Some(values) = options.is_in.as_ref().or(options.not_in.as_ref()) {
        let (position, field) = column()?;
        let is_in = options.is_in.is_some();
        let shown = values.iter().map(literal_text).collect::<Vec<_>>().join(", ");
        let check = set(name, values, field, is_in)?;
        let summary = format!("{} is {} {shown}", field.name, if is_in { "one of" } else { "none of" });
        return Ok((Check::Value(position, check), field.name.clone(), summary));
    }
    if let Some((low, high)) = &options.between {
        let (position, field) = column()?;
        let check = range(low, high, field)?;
        let summary = format!("{} is from {} to {}", field.name, literal_text(low), literal_text(high));
        return Ok((Check::Value(position, check), field.name.clone(), summary));
    }
    if let Some(pattern) = &options.regex {
        let (position, field) = column()?;
        only_text(name, field, false)?;
        let regex = Regex::new(pattern).map_err(|error| Fault::invalid_config(format!("`regex`: {error}")))?;
        let summary = format!("{} matches {pattern}", field.name);
        return Ok((Check::Value(position, ValueCheck::Regex(regex)), field.name.clone(), summary));
    }
    if let Some(length) = &options.length {
        let (position, field) = column()?;
        only_text(name, field, true)?;
        let (min, max, shown) = length_bounds(length)?;
        let check = ValueCheck::Length { min, max, characters: field.data_type == DataType::Utf8 };
        return Ok((Check::Value(position, check), field.name.clone(), format!("{} has {shown}", field.name)));
    }
    if let Some(kind) = options.is_type {
        let (position, field) = column()?;
        let summary = format!("{} is of type {}", field.name, type_name(kind));
        let check = if has_type(field.data_type, kind) {
            Check::Always
        } else {
            only_text(name, field, false)?;
            Check::Value(position, ValueCheck::Type(kind))
        };
        return Ok((check, field.name.clone(), summary));
    }
    if let Some(rows) = &options.row_count {
        no_column()?;
        let summary = match (rows.at_least, rows.at_most) {
            (None, None) => return Err(Fault::invalid_config("`row-count` is empty; write at-least, at-most or both")),
            (Some(low), Some(high)) if low > high => {
                return Err(Fault::invalid_config(format!(
                    "`row-count`: at-least = {low} is more than at-most = {high}"
                )));
            }
            (Some(low), Some(high)) => format!("there are {low} to {high} rows"),
            (Some(low), None) => format!("there are at least {low} rows"),
            (None, Some(high)) => format!("there are at most {high} rows"),
        };
        return Ok((Check::RowCount(rows.at_least, rows.at_most), String::new(), summary));
    }
    if let Some(rate) = &options.null_rate {
        let (position, field) = column()?;
        let share = match &rate.at_most {
            Share::Number(share) if (0.0..=1.0).contains(share) => *share,
            Share::Number(share) => {
                return Err(Fault::invalid_config(format!(
                    "`null-rate`: at-most = {share} is no share; write a number from 0 to 1, or per cent, e.g. \"5%\""
                )));
            }
            Share::PerCent(text) => per_cent(text)? / 100.0,
        };
        let summary = format!("at most {} % of {} are null", share * 100.0, field.name);
        return Ok((Check::NullRate(position, share, 0), field.name.clone(), summary));
    }
    no_column()?;
    if let Some(text) = &options.compare {
        let (left, operator, right) = comparison(text, schema)?;
        let sql = format!("{} {operator} {}", quoted(left), quoted(right));
        let check = condition(&sql, schema).map_err(|fault| fault.within("`compare`"))?;
        return Ok((check, format!("{left}-{right}"), format!("{left} {operator} {right}")));
    }
    let text = options.expression.as_deref().unwrap_or_default();
    let check = condition(text, schema).map_err(|fault| fault.within("`expression`"))?;
    Ok((check, String::new(), text.to_owned()))
}

/// The rows of which the expression is false; where it is null, nothing is broken.
fn condition(sql: &str, schema: &Schema) -> Result<Check, Fault> {
    Ok(Check::Condition(Box::new(Expression::plan_condition(sql, schema)?)))
}

fn about_column<'a>(options: &RuleOptions, name: &str, schema: &'a Schema) -> Result<(usize, &'a Field), Fault> {
    match &options.column {
        Some(column) => find(schema, column),
        None => Err(Fault::invalid_config(format!("`{name}` is about a column; write column = \"...\" beside it"))),
    }
}

/// A column by name, and what it may have been meant to be.
pub(crate) fn find<'a>(schema: &'a Schema, name: &str) -> Result<(usize, &'a Field), Fault> {
    if let Some(found) = schema.iter().enumerate().find(|(_, field)| field.name == name) {
        return Ok(found);
    }
    let alike = schema.names().map(|column| (jaro_winkler(column, name), column));
    let closest = alike.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match closest {
        Some((_, column)) => format!("did you mean `{column}`?"),
        None => format!("there are {}", schema.names().collect::<Vec<_>>().join(", ")),
    };
    Err(Fault::invalid_config(format!("there is no column `{name}`; {hint}")))
}

fn only_true(wanted: bool, name: &str) -> Result<(), Fault> {
    if wanted {
        return Ok(());
    }
    Err(Fault::invalid_config(format!("{name} = false checks nothing; leave the rule out")))
}

fn only_text(name: &str, field: &Field, bytes_too: bool) -> Result<(), Fault> {
    match field.data_type {
        DataType::Utf8 => Ok(()),
        DataType::Binary if bytes_too => Ok(()),
        other => Err(Fault::invalid_config(format!(
            "`{name}` is about text, and `{}` is {other}; take another check, or expression = \"...\" with a cast",
            field.name
        ))),
    }
}

fn threshold(at_most: &AtMost) -> Result<Threshold, Fault> {
    match at_most {
        AtMost::Rows(rows) => Ok(Threshold::Rows(*rows)),
        AtMost::Share(text) => per_cent(text).map(Threshold::PerCent),
    }
}

fn per_cent(text: &str) -> Result<f64, Fault> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    number.filter(|number| (0.0..=100.0).contains(number)).ok_or_else(|| {
        Fault::invalid_config(format!(
            "`at-most` is \"{text}\"; write a number of rows, e.g. 10, or per cent, e.g. \"5%\""
        ))
    })
}

fn type_name(kind: TypeName) -> &'static str {
    match kind {
        TypeName::Int => "int",
        TypeName::Float => "float",
        TypeName::Boolean => "boolean",
        TypeName::Date => "date",
        TypeName::Timestamp => "timestamp",
    }
}

/// Whether every value of a column is of this type already.
fn has_type(data_type: DataType, kind: TypeName) -> bool {
    match kind {
        TypeName::Int => data_type.is_integer(),
        TypeName::Float => data_type.is_integer() || data_type.is_float() || data_type == DataType::Decimal128,
        TypeName::Boolean => data_type == DataType::Boolean,
        TypeName::Date => data_type == DataType::Date32,
        TypeName::Timestamp => data_type == DataType::Timestamp,
    }
}
