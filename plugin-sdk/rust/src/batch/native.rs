//! Batches of native tests: they hold their columns and follow the contract as the host does.

use super::{check, forms, rows};
use crate::{Column, Fault, Form, Mask, Schema};
use std::collections::HashSet;
use std::rc::Rc;

/// Columns are kept in typed form and shared between the batches that hold them.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) schema: Schema,
    pub(super) columns: Vec<Rc<Column>>,
    rows: usize,
}

impl Batch {
    pub(super) fn from_columns(schema: Schema, columns: Vec<Column>) -> Result<Self, Fault> {
        let rows = columns.first().map_or(0, Column::rows);
        Self::checked(schema, columns, rows)
    }

    fn checked(schema: Schema, columns: Vec<Column>, rows: usize) -> Result<Self, Fault> {
        unique(&schema)?;
        if schema.len() != columns.len() {
            let (fields, columns) = (schema.len(), columns.len());
            return Err(Fault::invalid_data(format!(
                "the schema has {fields} fields, but there are {columns} columns"
            )));
        }
        let columns = schema
            .iter()
            .zip(columns)
            .map(|(field, column)| {
                let column = forms::typed(field, column)?;
                check::column(field, &column, rows)?;
                Ok(Rc::new(column))
            })
            .collect::<Result<_, Fault>>()?;
        Ok(Self { schema, columns, rows })
    }

    pub(super) fn from_ipc(_bytes: &[u8]) -> Result<Self, Fault> {
        Err(no_ipc())
    }

    pub(super) fn to_ipc(&self, _columns: &[usize]) -> Result<Vec<u8>, Fault> {
        Err(no_ipc())
    }

    pub(super) fn concat(parts: &[&Self]) -> Result<Self, Fault> {
        let Some(first) = parts.first() else {
            return Err(Fault::invalid_data("concat needs at least one batch"));
        };
        if let Some(other) = parts.iter().find(|part| part.schema != first.schema) {
            let (first, other) = (&first.schema, &other.schema);
            return Err(Fault::invalid_data(format!("concat: the schemas differ: [{first}] and [{other}]")));
        }
        let columns = (0..first.columns.len())
            .map(|index| {
                let columns: Vec<&Column> =
                    parts.iter().filter_map(|part| part.columns.get(index)).map(Rc::as_ref).collect();
                Rc::new(rows::concat(&columns))
            })
            .collect();
        Ok(Self { schema: first.schema.clone(), columns, rows: parts.iter().map(|part| part.rows).sum() })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn column(&self, index: usize, form: Form) -> Result<Column, Fault> {
        match (self.schema.get(index), self.columns.get(index)) {
            (Some(field), Some(column)) => forms::in_form(field, column, form),
            _ => Err(past(index, self.columns.len())),
        }
    }

    pub(super) fn filter(&self, mask: &Mask) -> Result<Self, Fault> {
        if mask.rows() != self.rows {
            let (mask, rows) = (mask.rows(), self.rows);
            return Err(Fault::invalid_data(format!("filter: the mask is of {mask} rows, the batch of {rows}")));
        }
        let rows: Vec<usize> = mask.ones().collect();
        Ok(self.gather(&rows))
    }

    pub(super) fn take(&self, positions: &[u32]) -> Result<Self, Fault> {
        let positions: Vec<usize> = positions.iter().map(|row| *row as usize).collect();
        if let Some(row) = positions.iter().find(|row| **row >= self.rows) {
            return Err(Fault::invalid_data(format!("take: there is no row {row} in a batch of {} rows", self.rows)));
        }
        Ok(self.gather(&positions))
    }

    pub(super) fn slice(&self, offset: usize, rows: usize) -> Result<Self, Fault> {
        match offset.checked_add(rows) {
            Some(end) if end <= self.rows => Ok(self.gather(&(offset..end).collect::<Vec<_>>())),
            _ => {
                let held = self.rows;
                Err(Fault::invalid_data(format!("slice: {rows} rows from {offset} on pass the end of {held} rows")))
            }
        }
    }

    pub(super) fn select(&self, columns: &[(usize, &str)]) -> Result<Self, Fault> {
        let mut selected = Self { schema: Schema::default(), columns: Vec::new(), rows: self.rows };
        for (index, name) in columns {
            let (Some(field), Some(column)) = (self.schema.get(*index), self.columns.get(*index)) else {
                return Err(past(*index, self.columns.len()));
            };
            selected.schema.push(field.clone().named(*name));
            selected.columns.push(Rc::clone(column));
        }
        unique(&selected.schema)?;
        if columns.is_empty() {
            selected.rows = 0;
        }
        Ok(selected)
    }

    pub(super) fn with_columns(&self, schema: Schema, columns: Vec<Column>) -> Result<Self, Fault> {
        let rows = if self.columns.is_empty() { columns.first().map_or(0, Column::rows) } else { self.rows };
        let added = Self::checked(schema, columns, rows)?;
        let mut all = Self { schema: self.schema.clone(), columns: self.columns.clone(), rows };
        for (field, column) in added.schema.into_iter().zip(added.columns) {
            match all.schema.index_of(&field.name).and_then(|index| all.columns.get_mut(index)) {
                Some(old) => *old = column,
                None => all.columns.push(column),
            }
            all.schema.put(field);
        }
        Ok(all)
    }

    pub(super) fn zip(&self, other: &Self) -> Result<Self, Fault> {
        if self.rows != other.rows {
            let (rows, others) = (self.rows, other.rows);
            return Err(Fault::invalid_data(format!("zip: one batch is of {rows} rows, the other of {others}")));
        }
        let schema: Schema = self.schema.iter().chain(&other.schema).cloned().collect();
        unique(&schema)?;
        let columns = self.columns.iter().chain(&other.columns).cloned().collect();
        Ok(Self { schema, columns, rows: self.rows })
    }

    fn gather(&self, positions: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| Rc::new(rows::gather(column, positions))).collect();
        Self { schema: self.schema.clone(), columns, rows: positions.len() }
    }
}

fn unique(schema: &Schema) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    match schema.names().find(|name| !seen.insert(*name)) {
        Some(name) => Err(Fault::invalid_data(format!("the column {name:?} stands twice; names are unique"))),
        None => Ok(()),
    }
}

fn past(index: usize, columns: usize) -> Fault {
    Fault::invalid_data(format!("there is no column {index} in a batch of {columns} columns"))
}

fn no_ipc() -> Fault {
    Fault::internal(
        "Arrow IPC is made and read by the host; batches of native tests hold no other types. \
         Test this path with the stage in a pipeline",
    )
}
