//! Record batches.

#[cfg(not(target_family = "wasm"))]
mod check;
#[cfg(not(target_family = "wasm"))]
mod forms;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
mod rows;
#[cfg(not(target_family = "wasm"))]
mod show;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
use native as held;
#[cfg(target_family = "wasm")]
use wasm as held;

use crate::{Column, Fault, Form, Mask, Schema};

/// A record batch. Within the host it is a handle: the batch stays outside, and only the columns that are asked for
/// cross. In native tests it holds its columns itself, and refuses what the host refuses.
///
/// ```
/// use sluicebox_stage::{Fault, Mask, testing::batch};
/// # fn main() -> Result<(), Fault> {
/// let flights = batch! { "origin" => ["EWR", "JFK"], "distance" => [1400_i64, 944] };
/// let distance = flights.column_named("distance")?;
/// let far = Mask::from_bools(distance.as_i64().into_iter().flatten().map(|miles| *miles > 1000));
/// assert_eq!(flights.filter(&far)?, batch! { "origin" => ["EWR"], "distance" => [1400_i64] });
/// # Ok(())
/// # }
/// ```
pub struct Batch(held::Batch);

impl Batch {
    /// A batch of new columns, one for each field, all of the same number of rows. A schema without fields makes a
    /// batch of 0 rows.
    ///
    /// # Errors
    /// Where lengths, offsets, UTF-8 or types do not fit the schema.
    pub fn from_columns(schema: Schema, columns: Vec<Column>) -> Result<Self, Fault> {
        held::Batch::from_columns(schema, columns).map(Self)
    }

    /// A batch from one Arrow IPC stream that holds exactly one record batch, uncompressed; for types that
    /// [`Values`](crate::Values) does not carry.
    ///
    /// # Errors
    /// Where the bytes are no such stream. Always, in native tests.
    pub fn from_ipc(bytes: &[u8]) -> Result<Self, Fault> {
        held::Batch::from_ipc(bytes).map(Self)
    }

    /// The rows of the batches, which share a schema, one after another.
    ///
    /// # Errors
    /// Where there is no batch, or their schemas differ.
    pub fn concat(parts: &[&Batch]) -> Result<Self, Fault> {
        let parts: Vec<&held::Batch> = parts.iter().map(|part| &part.0).collect();
        held::Batch::concat(&parts).map(Self)
    }

    /// Names and types of the columns. Asked of the host once.
    pub fn schema(&self) -> &Schema {
        self.0.schema()
    }

    /// How many rows there are. Asked of the host once.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Copies one column in, in typed form. `index` counts from 0.
    ///
    /// # Errors
    /// Where there is no such column, or its type is `other`.
    pub fn column(&self, index: usize) -> Result<Column, Fault> {
        self.column_in(index, Form::Typed)
    }

    /// Copies one column in, in this form.
    ///
    /// # Errors
    /// Where there is no such column, or its type has no such form.
    pub fn column_in(&self, index: usize, form: Form) -> Result<Column, Fault> {
        self.0.column(index, form)
    }

    /// Copies the column of this name in, in typed form.
    ///
    /// # Errors
    /// Where there is no such column, or its type is `other`.
    pub fn column_named(&self, name: &str) -> Result<Column, Fault> {
        let Some(index) = self.schema().index_of(name) else {
            return Err(no_such_column(self.schema(), name));
        };
        self.column(index)
    }

    /// Copies the columns in as one Arrow IPC stream with one record batch.
    ///
    /// # Errors
    /// Where there is no such column. Always, in native tests.
    pub fn to_ipc(&self, columns: &[usize]) -> Result<Vec<u8>, Fault> {
        self.0.to_ipc(columns)
    }

    /// The rows whose bit in `mask` is 1.
    ///
    /// # Errors
    /// Where the mask is not of so many rows.
    pub fn filter(&self, mask: &Mask) -> Result<Self, Fault> {
        self.0.filter(mask).map(Self)
    }

    /// The rows at these positions, in this order; a position may stand more than once.
    ///
    /// # Errors
    /// Where a position is past the end.
    pub fn take(&self, rows: &[u32]) -> Result<Self, Fault> {
        self.0.take(rows).map(Self)
    }

    /// `rows` rows from `offset` on.
    ///
    /// # Errors
    /// Where they pass the end.
    pub fn slice(&self, offset: usize, rows: usize) -> Result<Self, Fault> {
        self.0.slice(offset, rows).map(Self)
    }

    /// These columns, in this order, under these names.
    ///
    /// # Errors
    /// Where there is no such column, or a name stands twice.
    pub fn select(&self, columns: &[(usize, &str)]) -> Result<Self, Fault> {
        self.0.select(columns).map(Self)
    }

    /// The batch with `columns` added behind, or put in place of a column of the same name.
    ///
    /// # Errors
    /// Where lengths, offsets, UTF-8 or types do not fit the schema or the batch.
    pub fn with_columns(&self, schema: Schema, columns: Vec<Column>) -> Result<Self, Fault> {
        self.0.with_columns(schema, columns).map(Self)
    }

    /// The columns of `other` (same number of rows, other names) after these.
    ///
    /// # Errors
    /// Where rows or names do not fit.
    pub fn zip(&self, other: &Batch) -> Result<Self, Fault> {
        self.0.zip(&other.0).map(Self)
    }

    /// Another handle on the same rows; nothing is copied.
    ///
    /// # Errors
    /// Where the stage's limit of handles is reached.
    pub fn share(&self) -> Result<Self, Fault> {
        self.slice(0, self.rows())
    }
}

#[cfg(target_family = "wasm")]
impl Batch {
    pub(crate) fn from_handle(handle: crate::wasm::Handle) -> Self {
        Self(held::Batch::from_handle(handle))
    }

    /// A batch that the host lent for the length of a call; its handle is not this one's to drop.
    pub(crate) fn from_borrowed(handle: &crate::wasm::Handle) -> std::mem::ManuallyDrop<Self> {
        std::mem::ManuallyDrop::new(Self::from_handle(crate::wasm::alias(handle)))
    }

    pub(crate) fn into_handle(self) -> crate::wasm::Handle {
        self.0.into_handle()
    }
}

#[cfg(target_family = "wasm")]
impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} rows; {})", self.rows(), self.schema())
    }
}

fn no_such_column(schema: &Schema, name: &str) -> Fault {
    let names: Vec<&str> = schema.names().collect();
    Fault::invalid_data(format!("there is no column {name:?}; there are {}", names.join(", ")))
}

/// A position as the contract carries it; what is past 2^32 - 1 is past every batch.
#[cfg(target_family = "wasm")]
fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
