//! SQL expressions over the columns of a batch: planned once against a schema, evaluated column by column.
//!
//! ```
//! use sluicebox_expression::Expression;
//! use sluicebox_stage::{DataType, testing::batch};
//!
//! let batch = batch! { "distance" => [1400i64, 2133], "air_time" => [Some(227i64), None], "dest" => ["iah", "lax"] };
//! let speed = Expression::plan("distance / air_time * 60", batch.schema())?;
//! assert_eq!(speed.data_type(), DataType::Float64);
//! assert_eq!(speed.columns(), [0, 1]);
//! let column = speed.evaluate(&batch)?;
//! assert_eq!(column.null_count(), 1);
//!
//! let error = Expression::plan("distance / upper(dest)", batch.schema()).err().map(|error| error.to_string());
//! assert_eq!(
//!     error.as_deref(),
//!     Some("`/` takes numbers, this is utf8\n  distance / upper(dest)\n             ^^^^^^^^^^\nhelp: write cast(... as float64), or try_cast to get null where the text does not fit")
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What expressions mean
//!
//! The language is SQL as Postgres and DataFusion know it, with these decisions:
//!
//! - **`/` always divides to a float64**, also whole numbers: `7 / 2` is `3.5`. `7 // 2` and `div(7, 2)` are `3`.
//! - **Dividing by zero gives null**, for `/`, `//`, `%`, `div` and `mod`, on floats too.
//! - `+ - *` on integers of any width answer with int64, on floats with float64, on decimals with a decimal. A number that
//!   does not fit is a fault that names the row; nothing wraps around.
//! - Numbers with a point are float64. Against a decimal column they make the comparison one of floats; write
//!   `cast('1.10' as decimal(10, 2))`, or the number in quotes, to stay exact.
//! - NULL is as in SQL: three-valued logic, and null from every operator and function that has a null argument, unless its
//!   description says otherwise. A filter keeps the rows where it is true.
//! - NaN equals itself and is greater than every number; `-0.0` equals `0.0`.
//! - A text literal becomes what its place asks for: `day >= '2013-02-01'`, `delay > '5'`. A text *column* has to be cast.
//! - Names: as the column is written, or else in any letter case; in double quotes exactly as it is. Text stands in single
//!   quotes. `'it''s'` holds one quote.
//! - `CASE`, `COALESCE`, `AND` and `OR` look only at the rows that need their parts: `case when x <> '' then cast(x as
//!   int64) end` does not fail at the empty ones.
//! - Casting floats to whole numbers cuts off; to decimals rounds half away from zero. A value that does not fit is a
//!   fault; `TRY_CAST` makes it null.
//! - `int8` is 8 bits (as float64 is 64), not the 8 bytes that Postgres means. `timestamptz` is a timestamp in UTC. A text
//!   with an offset becomes UTC; parts of times are those of the column's zone, which is UTC or a fixed offset.
//! - There is no clock and no dice (`now()`, `random()`): the same input gives the same output.
//! - LIKE takes a backslash as its escape unless `ESCAPE` says otherwise.
//!
//! # Functions
//!
//! [`functions`] lists them with their signatures, and [`functions_markdown`] makes the page.
//!
//! # Where the answers differ from DataFusion
//!
//! `tests/differential` holds random expressions against DataFusion 55. It writes around just these differences, which are
//! meant:
//!
//! - `/` on integers, and division by zero: above; DataFusion cuts off, fails for whole numbers and gives infinity for
//!   floats. The root of a negative number is NaN and `power(0, -1)` infinity; there both fail.
//! - Integer arithmetic is of int64, and a fault on overflow; there of the operands' type, wrapping around.
//! - `-0.0` equals `0.0`, and every NaN is greater than every number; there `-0.0` is smaller, and so are some NaNs.
//! - `power`, `sign` and `round` of whole numbers answer with float64, int64 and int64; rounding a float beyond what
//!   floats hold leaves it as it is, there it gives infinity.
//! - `$1` in the replacement of `regexp_replace` is plain text; there a group. `regexp_match` gives text; there a list.
//! - `sha256` gives hexadecimal digits; there bytes. `isodow` counts Monday as 1; there as 0.
//! - Casts from text read blanks around a number, and `1e3` as a decimal; there a fault.
//! - ILIKE compares in lower case; there by folding, which differs beyond ASCII.
//! - A part that does not decide is not looked at (above), and what is null whatever its parts say is null; there either
//!   may fail.
//! - A date and an interval with hours give a timestamp; there a date.
//!
//! Left out as mistakes there: comparisons of casts that its optimiser unwraps, `-(a & b)`, and `lpad` to a negative
//! length, which panics.

mod bits;
mod calendar;
mod columns;
mod error;
mod functions;
mod kernels;
mod node;
mod parse;
mod plan;
#[cfg(test)]
mod tests;
mod types;
mod vector;

use std::{cell::RefCell, sync::Arc};

use sluicebox_stage::{Batch, Column, DataType, Fault, Field, Mask, Schema};
use sqlparser::tokenizer::{Location, Span};

pub use error::ExpressionError;
pub use functions::{Function, Group, functions, functions_markdown};

use kernels::logic;
use node::{Node, RowError, Rows, Scope};
use plan::{Planner, coerce};
use types::Type;
use vector::{Value, Vector};

impl From<ExpressionError> for Fault {
    fn from(error: ExpressionError) -> Self {
        Fault::invalid_config(error.to_string())
    }
}

/// A planned expression. See the page of this crate for what expressions mean.
pub struct Expression {
    root: Node,
    used: Vec<usize>,
}

/// What a condition says of each row: it holds, it fails, or it is null. Every row is in just one of the three.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// the rows where it is true
    pub holds: Mask,
    /// the rows where it is false
    pub fails: Mask,
    /// the rows where it is null
    pub unknown: Mask,
}

impl Expression {
    /// Plans an expression over the columns of a schema.
    ///
    /// # Errors
    /// Where it cannot be read, names an unknown column or function, or its types do not fit.
    pub fn plan(text: &str, schema: &Schema) -> Result<Self, ExpressionError> {
        Self::planned(text, schema).map_err(|error| error.within(text))
    }

    fn planned(text: &str, schema: &Schema) -> Result<Self, ExpressionError> {
        let syntax = parse::expression(text)?;
        let columns = columns::columns_of(schema);
        let mut planner = Planner::new(&columns);
        let root = planner.plan(&syntax)?;
        if let Type::Other(name) = &root.ty {
            return Err(ExpressionError::new(format!("columns of type {name} can only be passed on"), root.span)
                .help("`keep` and `rename` pass columns on"));
        }
        Ok(Self { root, used: planner.used })
    }

    /// Plans a condition: an expression that answers with a boolean.
    ///
    /// # Errors
    /// As [`Expression::plan`], and where the answer is of another type.
    pub fn plan_condition(text: &str, schema: &Schema) -> Result<Self, ExpressionError> {
        let mut expression = Self::plan(text, schema)?;
        let what = "a condition is true or false";
        expression.root = coerce::coerce(expression.root, &Type::Boolean, what).map_err(|error| error.within(text))?;
        Ok(expression)
    }

    /// Plans the cast of a column to a type, e.g. `decimal(10, 2)`. Places in errors are within the type.
    ///
    /// # Errors
    /// Where there is no such column, type or cast.
    pub fn plan_cast(column: &str, data_type: &str, schema: &Schema) -> Result<Self, ExpressionError> {
        let first = Location::new(1, 1);
        let whole = Span::new(first, Location::new(1, data_type.chars().count() as u64 + 1));
        let planned = || {
            let to = parse::data_type(data_type)?;
            let mut expression = Self::plan(&format!("\"{}\"", column.replace('"', "\"\"")), schema)?;
            expression.root = coerce::cast(expression.root, &to, false, whole)?;
            Ok(expression)
        };
        planned().map_err(|error: ExpressionError| error.within(data_type))
    }

    /// The type of the answer.
    pub fn data_type(&self) -> DataType {
        columns::data_type(&self.root.ty).0
    }

    /// The time zone of a timestamp, or precision and scale of a decimal, as in [`Field::detail`].
    pub fn detail(&self) -> Option<String> {
        columns::data_type(&self.root.ty).1
    }

    /// Whether the answer may be null.
    pub fn nullable(&self) -> bool {
        self.root.nullable
    }

    /// The field of a column that holds the answer.
    pub fn field(&self, name: impl Into<String>) -> Field {
        let (data_type, detail) = columns::data_type(&self.root.ty);
        Field { name: name.into(), data_type, nullable: self.root.nullable, detail }
    }

    /// Positions of the columns that it uses, in no order.
    pub fn columns(&self) -> &[usize] {
        &self.used
    }

    fn value(&self, columns: &Columns<'_>) -> Result<Value, Fault> {
        let rows = Rows { count: columns.batch.rows(), looked_at: None };
        let columns = self.used.iter().map(|index| columns.get(*index)).collect::<Result<Vec<_>, _>>()?;
        self.root.evaluate(Scope { columns: &columns, local: None }, rows).map_err(fault)
    }

    /// The answer for each row.
    ///
    /// # Errors
    /// At the first row that has no answer, e.g. because a number does not fit.
    pub fn evaluate(&self, batch: &Batch) -> Result<Column, Fault> {
        self.evaluate_over(&Columns::of(batch))
    }

    /// The answer for each row, over columns that other expressions use too.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate_over(&self, columns: &Columns<'_>) -> Result<Column, Fault> {
        let vector = self.value(columns)?.spread(columns.batch.rows()).map_err(fault)?;
        Ok(columns::write(vector))
    }

    /// The rows where a condition is true, for a filter.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and where the expression is no condition.
    pub fn evaluate_mask(&self, batch: &Batch) -> Result<Mask, Fault> {
        self.evaluate_truth(batch).map(|truth| truth.holds)
    }

    /// What a condition says of each row.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and where the expression is no condition.
    pub fn evaluate_truth(&self, batch: &Batch) -> Result<Truth, Fault> {
        if self.root.ty != Type::Boolean {
            return Err(Fault::internal(format!("an expression of type {} is no condition", self.root.ty)));
        }
        let rows = batch.rows();
        let value = self.value(&Columns::of(batch))?;
        let (holds, fails) = logic::split(&value, rows);
        let unknown = bits::not(&bits::or(&holds, &fails), rows);
        let mask = |bits: Vec<u8>| Mask::from_bits(bits, rows);
        Ok(Truth { holds: mask(holds), fails: mask(fails), unknown: mask(unknown) })
    }
}

/// The columns of a batch, each copied in when an expression first uses it, once for all expressions.
pub struct Columns<'b> {
    batch: &'b Batch,
    read: RefCell<Vec<Option<Arc<Vector>>>>,
}

impl<'b> Columns<'b> {
    /// Those of this batch.
    pub fn of(batch: &'b Batch) -> Self {
        Self { batch, read: RefCell::new(vec![None; batch.schema().len()]) }
    }

    fn get(&self, index: usize) -> Result<Arc<Vector>, Fault> {
        let mut read = self.read.borrow_mut();
        if let Some(Some(vector)) = read.get(index) {
            return Ok(vector.clone());
        }
        let vector = Arc::new(columns::read(self.batch, index)?);
        if let Some(slot) = read.get_mut(index) {
            *slot = Some(vector.clone());
        }
        Ok(vector)
    }
}

/// The position of a column by its name: as it is written, or else in any letter case.
///
/// # Errors
/// Where there is no such column, with the name that is most like it.
pub fn find_column(name: &str, schema: &Schema) -> Result<usize, ExpressionError> {
    Planner::new(&columns::columns_of(schema)).find(name, false, Span::empty())
}

fn fault(error: RowError) -> Fault {
    Fault::invalid_data(error.message).at_row(error.row)
}
