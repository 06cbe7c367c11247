//! Rows as they are written in a case.

use crate::case::Side;
use crate::cells::{self, Look};
use crate::error::CaseError;
use crate::types;
use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What serde hands over for a date of TOML.
const TOML_DATE: &str = "$__toml_private_datetime";

/// Rows as texts: a header, and one cell a column in each row, none for null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The columns' names.
    pub names: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    looks: Vec<Option<Look>>,
    /// Whether columns that are not named are null, and have no order of their own.
    pub(crate) is_open: bool,
}

impl Texts {
    /// The rows of one side of a case; none if it gives none. `folder` is that of the case's file.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn of(side: &Side, folder: &Path) -> Result<Option<Self>, CaseError> {
        let file = |name: &String| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| CaseError::of_file("read", &path, &error))
        };
        let texts = if let Some(text) = &side.csv {
            Self::of_csv(text)?
        } else if let Some(name) = &side.csv_file {
            Self::of_csv(&file(name)?).map_err(|error| error.at(name))?
        } else if let Some(text) = &side.json {
            Self::of_json(text)?
        } else if let Some(name) = &side.json_file {
            Self::of_json(&file(name)?).map_err(|error| error.at(name))?
        } else if let Some(rows) = &side.rows {
            Self::of_rows(rows)?
        } else {
            return Ok(None);
        };
        Ok(Some(texts))
    }

    fn of_csv(text: &str) -> Result<Self, CaseError> {
        let told = |error: csv::Error| CaseError::new(format!("the CSV cannot be read: {error}"));
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().map_err(told)?.iter().map(str::to_owned).collect();
        if let Some(twice) =
            names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|each| each == *name))
        {
            return Err(CaseError::new(format!("the CSV has two columns `{}`", twice.1)));
        }
        let mut texts = Self { looks: vec![None; names.len()], names, rows: Vec::new(), is_open: false };
        for record in reader.records() {
            let record = record.map_err(told)?;
            let row: Vec<Option<String>> =
                record.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect();
            for (look, cell) in texts.looks.iter_mut().zip(&row) {
                if let Some(cell) = cell {
                    let seen = Look::of(cell);
                    *look = Some(look.map_or(seen, |look| look.and(seen)));
                }
            }
            texts.rows.push(row);
        }
        Ok(texts)
    }

    fn of_json(text: &str) -> Result<Self, CaseError> {
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
        let values = values.map_err(|error| CaseError::new(format!("the JSON cannot be read: {error}")))?;
        match values.as_slice() {
            [Value::Array(rows)] => Self::of_rows(rows),
            rows => Self::of_rows(rows),
        }
    }

    fn of_rows(rows: &[Value]) -> Result<Self, CaseError> {
        let mut texts = Self { is_open: true, ..Self::default() };
        for (at, row) in rows.iter().enumerate() {
            let Value::Object(row) = row else {
                return Err(CaseError::new(format!("row {at} is no object: {row}"))
                    .help("write each row as a table of its columns, e.g. { origin = \"JFK\", distance = 1089 }"));
            };
            let mut cells = vec![None; texts.names.len()];
            for (name, value) in row {
                let place = texts.names.iter().position(|known| known == name).unwrap_or_else(|| {
                    texts.names.push(name.clone());
                    texts.looks.push(None);
                    cells.push(None);
                    texts.names.len() - 1
                });
                let (text, seen) = cell(value);
                if let (Some(look), Some(seen)) = (texts.looks.get_mut(place), seen) {
                    *look = Some(look.map_or(seen, |look| look.and(seen)));
                }
                if let Some(cell) = cells.get_mut(place) {
                    *cell = text;
                }
            }
            texts.rows.push(cells);
        }
        let width = texts.names.len();
        texts.rows.iter_mut().for_each(|row| row.resize(width, None));
        Ok(texts)
    }

    /// The cells of a batch.
    pub(crate) fn of_batches(schema: &Schema, batches: &[RecordBatch]) -> Self {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Vec::new();
        for batch in batches {
            let columns: Vec<Vec<Option<String>>> =
                batch.columns().iter().map(|column| cells::texts(column.as_ref())).collect();
            rows.extend(
                (0..batch.num_rows())
                    .map(|row| columns.iter().map(|column| column.get(row).cloned().flatten()).collect::<Vec<_>>()),
            );
        }
        Self { looks: vec![None; names.len()], names, rows, is_open: false }
    }

    /// One column's cells.
    pub(crate) fn column(&self, name: &str) -> Option<Vec<Option<String>>> {
        let place = self.names.iter().position(|known| known == name)?;
        Some(self.rows.iter().map(|row| row.get(place).cloned().flatten()).collect())
    }

    /// A batch, with the types that are declared and, for all other columns, those that the values look like.
    ///
    /// # Errors
    /// A cell does not fit its column; a type does not exist.
    pub(crate) fn batch(&self, declared: Option<&Map<String, Value>>) -> Result<RecordBatch, CaseError> {
        let mut fields = declared_fields(declared)?;
        for (name, look) in self.names.iter().zip(&self.looks) {
            if !fields.iter().any(|field| field.name() == name) {
                fields.push(Field::new(name, look.unwrap_or(Look::Text).data_type(), true));
            }
        }
        let mut columns = Vec::with_capacity(fields.len());
        for field in &fields {
            let texts = self.column(field.name()).unwrap_or_else(|| vec![None; self.rows.len()]);
            if let (false, Some(row)) = (field.is_nullable(), texts.iter().position(Option::is_none)) {
                let message = format!("column `{}` is not null, and row {row} has no value there", field.name());
                return Err(CaseError::new(message).help("give it a value, or take ` not null` from its type"));
            }
            let column = cells::column(field.data_type(), &texts).map_err(|(row, text)| {
                CaseError::new(format!("column `{}`, row {row}: {text} is no {}", field.name(), types::word(field)))
            })?;
            columns.push(column);
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|error| CaseError::new(format!("the rows make no batch: {error}")))
    }
}

/// The columns that are declared, in order.
pub(crate) fn declared_fields(declared: Option<&Map<String, Value>>) -> Result<Vec<Field>, CaseError> {
    let declared = declared.into_iter().flatten();
    declared
        .map(|(name, written)| match written {
            Value::String(written) => types::field(name, written),
            other => Err(CaseError::new(format!("the type of column `{name}` is {other}, no text"))
                .help("write it as a text, e.g. \"int64\"")),
        })
        .collect()
}

/// A value of JSON or TOML as a cell.
fn cell(value: &Value) -> (Option<String>, Option<Look>) {
    match value {
        Value::Null => (None, None),
        Value::Bool(value) => (Some(value.to_string()), Some(Look::Boolean)),
        Value::Number(number) => {
            let look = if number.is_f64() { Look::Float } else { Look::Integer };
            (Some(number.to_string()), Some(look))
        }
        Value::String(text) => (Some(text.clone()), Some(Look::Text)),
        Value::Object(table) if table.contains_key(TOML_DATE) => {
            let text = table.get(TOML_DATE).and_then(Value::as_str).unwrap_or_default().to_owned();
            let look = Look::of(&text);
            (Some(text), Some(look))
        }
        nested => (Some(nested.to_string()), Some(Look::Text)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::case::Case;

    fn batch(input: &str) -> Result<RecordBatch, CaseError> {
        let cases = Case::of_text(&format!("[[case]]\nname = \"a\"\n{input}")).unwrap();
        let side = cases[0].input.clone().unwrap();
        Texts::of(&side, Path::new("."))?.unwrap().batch(side.columns.as_ref())
    }

    fn words(batch: &RecordBatch) -> Vec<String> {
        batch.schema().fields().iter().map(|field| format!("{} {}", field.name(), types::word(field))).collect()
    }

    #[test]
    fn csv_has_the_types_that_it_looks_like() {
        let made = batch("input.csv = \"a,b,c,d\\n1,x,1.5,\\n,y,2,\\n\"").unwrap();
        assert_eq!(words(&made), ["a int64", "b utf8", "c float64", "d utf8"]);
        assert_eq!(made.column(0).null_count(), 1);
    }

    #[test]
    fn rows_have_nulls_where_a_key_is_not_there() {
        let made = batch("input.rows = [{ a = 1, day = 2013-01-31 }, { b = \"x\", a = 9007199254740993 }]").unwrap();
        assert_eq!(words(&made), ["a int64", "day date32", "b utf8"]);
        let texts = Texts::of_batches(&made.schema(), &[made]);
        assert_eq!(texts.rows[1], [Some("9007199254740993".to_owned()), None, Some("x".to_owned())]);
    }

    #[test]
    fn types_are_declared() {
        let made = batch(
            "input.columns = { a = \"int8 not null\", z = \"boolean\" }\ninput.json = '''{\"a\": 1}\n{\"a\": 2}'''",
        );
        assert_eq!(words(&made.unwrap()), ["a int8 not null", "z boolean"]);
        let none = batch("input.columns = { a = \"uint64\" }\ninput.rows = []").unwrap();
        assert_eq!((none.num_rows(), words(&none)), (0, vec!["a uint64".to_owned()]));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_row() {
        let told = |input: &str| batch(input).unwrap_err().to_string();
        let wrong = told("input.columns = { a = \"int8\" }\ninput.csv = \"a\\n1\\n300\\n\"");
        assert_eq!(wrong, "column `a`, row 1: `300` is no int8");
        assert!(told("input.columns = { a = \"int8 not null\" }\ninput.rows = [{}]").contains("row 0 has no value"));
        assert!(told("input.json = \"[1]\"").contains("row 0 is no object"));
        assert!(told("input.csv = \"a,a\\n\"").contains("two columns `a`"));
        assert!(told("input.csv-file = \"none.csv\"").contains("none.csv cannot be read"));
    }
}
