//! The options of the stage.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// What the rows have to fulfil.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The rules, each with exactly one check.
    pub rules: Vec<RuleOptions>,
}

/// One rule: what it is about, exactly one check, and what breaking it means. A null fulfils every check but `not-null`
/// and `null-rate`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RuleOptions {
    /// How the rule is called in the outcome and in quarantine; unique. Without it, made from the column and the check.
    pub name: Option<String>,
    /// "warn": told in the outcome, the row goes on. "reject": the row goes to quarantine (the default for rules about
    /// rows). "fail": the run fails (the default for `row-count` and `null-rate`).
    pub severity: Option<SeverityOption>,
    /// More rows than this that break the rule fail the run: a number of rows (10) or a share of those seen ("5%").
    pub at_most: Option<AtMost>,
    /// The column that the check is about.
    pub column: Option<String>,

    /// Check: the column has no nulls.
    pub not_null: Option<bool>,
    /// Check: no value comes twice, over all the data; every row after the first that has it breaks the rule. `true` for
    /// the values of `column`, or a list of columns for their combinations. Takes about 50 bytes of memory a row.
    pub unique: Option<Unique>,
    /// Check: the value is one of these.
    #[serde(rename = "in")]
    pub is_in: Option<Vec<Literal>>,
    /// Check: the value is none of these.
    pub not_in: Option<Vec<Literal>>,
    /// Check: the value is not less than the first and not more than the second.
    pub between: Option<(Literal, Literal)>,
    /// Check: the text matches this regular expression somewhere; write ^ and $ to match all of it.
    pub regex: Option<String>,
    /// Check: the text has so many characters (bytes, for a binary column): a number, or { min = 1, max = 3 }.
    pub length: Option<Length>,
    /// Check: the text can be read as this type.
    #[serde(rename = "type")]
    pub is_type: Option<TypeName>,
    /// Check of all the data: how many rows there are, { at-least = 1, at-most = 1000 }.
    pub row_count: Option<RowCount>,
    /// Check of all the data: the share of nulls in the column, { at-most = "5%" }.
    pub null_rate: Option<NullRate>,
    /// Check: a comparison of two columns, e.g. "dep_time <= arr_time" (= != < <= > >=; a name in double quotes if it
    /// has other characters than letters, digits and _).
    pub compare: Option<String>,
    /// Check: any SQL expression that says true or false of a row, e.g. "air_time > 0 or distance = 0".
    pub expression: Option<String>,
}

/// What breaking a rule means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SeverityOption {
    /// Told in the outcome; the row goes on.
    Warn,
    /// The row goes to quarantine.
    Reject,
    /// The run fails.
    Fail,
}

/// A bound: rows, or a share.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AtMost {
    /// So many rows.
    Rows(u64),
    /// A share, e.g. "5%" or "0.1%".
    Share(String),
}

/// What is unique.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Unique {
    /// `true`: the values of `column`.
    Column(bool),
    /// The values of this column.
    Name(String),
    /// Combinations of these columns.
    Columns(Vec<String>),
}

/// A value in the file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// true or false
    Boolean(bool),
    /// a number, e.g. 5000 or 0.5
    Number(serde_json::Number),
    /// text, a date ("2013-01-31"), a time ("2013-01-31T05:00:00"), or a decimal with all its digits ("12.30")
    Text(String),
}

/// Bounds of a length.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Length {
    /// Exactly so many.
    Exactly(u64),
    /// From `min` to `max`, both included; either may be left out.
    Range(LengthRange),
}

/// From `min` to `max`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LengthRange {
    /// At least so many.
    pub min: Option<u64>,
    /// At most so many.
    pub max: Option<u64>,
}

/// A type that text can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TypeName {
    /// A whole number of 64 bits, e.g. -12.
    Int,
    /// A number, e.g. -1.5e3.
    Float,
    /// true or false, in any case.
    Boolean,
    /// A date as 2013-01-31.
    Date,
    /// A date and time as 2013-01-31T05:17:00, with a space or a T, with or without a fraction and a zone.
    Timestamp,
}

/// How many rows there are.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RowCount {
    /// At least so many.
    pub at_least: Option<u64>,
    /// At most so many.
    pub at_most: Option<u64>,
}

/// The share of nulls.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NullRate {
    /// A share, e.g. "5%", or as a number from 0 to 1, e.g. 0.05.
    pub at_most: Share,
}

/// A share.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Share {
    /// From 0 to 1.
    Number(f64),
    /// In per cent, e.g. "5%".
    PerCent(String),
}

/// Keys of a rule by name, to say which of them it has.
impl RuleOptions {
    /// The names of the checks that the rule has.
    pub(crate) fn checks(&self) -> Vec<&'static str> {
        let has = BTreeMap::from([
            ("not-null", self.not_null.is_some()),
            ("unique", self.unique.is_some()),
            ("in", self.is_in.is_some()),
            ("not-in", self.not_in.is_some()),
            ("between", self.between.is_some()),
            ("regex", self.regex.is_some()),
            ("length", self.length.is_some()),
            ("type", self.is_type.is_some()),
            ("row-count", self.row_count.is_some()),
            ("null-rate", self.null_rate.is_some()),
            ("compare", self.compare.is_some()),
            ("expression", self.expression.is_some()),
        ]);
        has.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }
}
