//! Batches as handles of the host.

use super::position;
use crate::wasm::{Handle, from_fault, from_field, to_column, to_form, to_own_column, to_own_schema};
use crate::{Column, Fault, Form, Mask, Schema};
use std::cell::OnceCell;

/// What was asked once is not asked again: a call of the host costs more than a look.
pub(super) struct Batch {
    handle: Handle,
    schema: OnceCell<Schema>,
    rows: OnceCell<usize>,
}

impl Batch {
    pub(super) fn from_handle(handle: Handle) -> Self {
        Self { handle, schema: OnceCell::new(), rows: OnceCell::new() }
    }

    pub(super) fn into_handle(self) -> Handle {
        self.handle
    }

    fn answer(handle: Result<Handle, crate::wasm::WitFault>) -> Result<Self, Fault> {
        handle.map(Self::from_handle).map_err(from_fault)
    }

    pub(super) fn from_columns(schema: Schema, columns: Vec<Column>) -> Result<Self, Fault> {
        let rows = position(columns.first().map_or(0, Column::rows));
        let columns: Vec<_> = columns.into_iter().map(to_column).collect();
        let fields: Vec<_> = schema.into_iter().map(from_field).collect();
        Self::answer(Handle::from_columns(&fields, rows, &columns))
    }

    pub(super) fn from_ipc(bytes: &[u8]) -> Result<Self, Fault> {
        Self::answer(Handle::from_ipc(bytes))
    }

    pub(super) fn to_ipc(&self, columns: &[usize]) -> Result<Vec<u8>, Fault> {
        let columns: Vec<u32> = columns.iter().map(|index| position(*index)).collect();
        self.handle.to_ipc(&columns).map_err(from_fault)
    }

    pub(super) fn concat(parts: &[&Self]) -> Result<Self, Fault> {
        let parts: Vec<&Handle> = parts.iter().map(|part| &part.handle).collect();
        Self::answer(crate::wasm::concat(&parts))
    }

    pub(super) fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| to_own_schema(self.handle.schema()))
    }

    pub(super) fn rows(&self) -> usize {
        *self.rows.get_or_init(|| self.handle.rows() as usize)
    }

    pub(super) fn column(&self, index: usize, form: Form) -> Result<Column, Fault> {
        let column = self.handle.column(position(index), to_form(form)).map_err(from_fault)?;
        Ok(to_own_column(column, self.rows()))
    }

    pub(super) fn filter(&self, mask: &Mask) -> Result<Self, Fault> {
        Self::answer(self.handle.filter(mask.as_bytes()))
    }

    pub(super) fn take(&self, rows: &[u32]) -> Result<Self, Fault> {
        Self::answer(self.handle.take(rows))
    }

    pub(super) fn slice(&self, offset: usize, rows: usize) -> Result<Self, Fault> {
        Self::answer(self.handle.slice(position(offset), position(rows)))
    }

    pub(super) fn select(&self, columns: &[(usize, &str)]) -> Result<Self, Fault> {
        let columns: Vec<(u32, String)> =
            columns.iter().map(|(index, name)| (position(*index), (*name).to_owned())).collect();
        Self::answer(self.handle.select(&columns))
    }

    pub(super) fn with_columns(&self, schema: Schema, columns: Vec<Column>) -> Result<Self, Fault> {
        let columns: Vec<_> = columns.into_iter().map(to_column).collect();
        let fields: Vec<_> = schema.into_iter().map(from_field).collect();
        Self::answer(self.handle.with_columns(&fields, &columns))
    }

    pub(super) fn zip(&self, other: &Self) -> Result<Self, Fault> {
        Self::answer(self.handle.zip(&other.handle))
    }
}
