//! The table: its taken columns, kept by handle, with a row of nulls behind where rows may be missing.

use sluicebox_stage::{Batch, Column, DataType, Fault, Field, Schema, Values};

use crate::keys::Keys;
use crate::options::Missing;

/// The columns that are taken, under their new names.
pub(crate) struct Table {
    batch: Batch,
    /// the position that stands for a missing row
    null_row: u32,
}

/// Refuses a column that cannot be taken.
pub(crate) fn check(field: &Field, missing: Missing) -> Result<(), Fault> {
    if field.data_type == DataType::Other && missing == Missing::Null {
        return Err(Fault::invalid_config(format!(
            "`take`: column `{}` is of type {}, for which this stage cannot make nulls; write missing = \"drop\" or missing = \"fail\", or make it text before",
            field.name,
            field.detail.as_deref().unwrap_or("other")
        )));
    }
    Ok(())
}

impl Table {
    /// The keys of the gathered batches and their taken columns.
    pub(crate) fn of(
        gathered: &[Batch],
        keys: &[usize],
        wide: bool,
        take: &[(usize, Field)],
        missing: Missing,
    ) -> Result<(Keys, Self), Fault> {
        let schema = Schema::new(take.iter().map(|(_, field)| field.clone()));
        if gathered.is_empty() {
            let rows = usize::from(missing == Missing::Null);
            let columns = schema.iter().map(|field| empty(field, rows)).collect::<Option<Vec<_>>>();
            let Some(columns) = columns else {
                // A column of another type, and no row of it: nothing is ever taken.
                let batch = Batch::from_columns(Schema::default(), Vec::new())?;
                return Ok((Keys::none(), Self { batch, null_row: 0 }));
            };
            return Ok((Keys::none(), Self { batch: Batch::from_columns(schema, columns)?, null_row: 0 }));
        }
        let table = match gathered {
            [one] => one.select(&one.schema().names().enumerate().collect::<Vec<_>>())?,
            parts => Batch::concat(&parts.iter().collect::<Vec<_>>())?,
        };
        let rows = table.rows();
        let keys = Keys::of(&table, keys, wide)?;
        let batch = if missing == Missing::Null {
            let columns = take
                .iter()
                .map(|(position, field)| Ok(with_null(table.column(*position)?, field)))
                .collect::<Result<Vec<_>, Fault>>()?;
            Batch::from_columns(schema, columns)?
        } else {
            let wanted: Vec<_> = take.iter().map(|(position, field)| (*position, field.name.as_str())).collect();
            table.select(&wanted)?
        };
        let null_row =
            u32::try_from(rows).map_err(|_| Fault::invalid_data("the table has more than 4 billion rows"))?;
        Ok((keys, Self { batch, null_row }))
    }

    pub(crate) fn null_row(&self) -> u32 {
        self.null_row
    }

    pub(crate) fn take(&self, rows: &[u32]) -> Result<Batch, Fault> {
        self.batch.take(rows)
    }
}

/// A column of `rows` nulls; none for a type that has no values.
fn empty(field: &Field, rows: usize) -> Option<Column> {
    let values = match field.data_type {
        DataType::Boolean => Values::Bits(vec![0; rows.div_ceil(8)]),
        DataType::Int8 => Values::Int8(vec![0; rows]),
        DataType::Int16 => Values::Int16(vec![0; rows]),
        DataType::Int32 | DataType::Date32 => Values::Int32(vec![0; rows]),
        DataType::Int64 | DataType::Timestamp => Values::Int64(vec![0; rows]),
        DataType::Uint8 => Values::Uint8(vec![0; rows]),
        DataType::Uint16 => Values::Uint16(vec![0; rows]),
        DataType::Uint32 => Values::Uint32(vec![0; rows]),
        DataType::Uint64 => Values::Uint64(vec![0; rows]),
        DataType::Float32 => Values::Float32(vec![0.0; rows]),
        DataType::Float64 => Values::Float64(vec![0.0; rows]),
        DataType::Utf8 | DataType::Binary => Values::Variable { offsets: vec![0; rows + 1], data: Vec::new() },
        DataType::Decimal128 => Values::FixedBytes(vec![0; rows * 16]),
        DataType::Other => return None,
    };
    Some(Column::new(values, (rows > 0).then(|| vec![0; rows.div_ceil(8)]), rows))
}

/// The column with a null behind.
fn with_null(column: Column, field: &Field) -> Column {
    let rows = column.rows();
    let mut values = column.values;
    match &mut values {
        Values::Bits(bits) => bits.resize((rows + 1).div_ceil(8), 0),
        Values::Int8(values) => values.push(0),
        Values::Int16(values) => values.push(0),
        Values::Int32(values) => values.push(0),
        Values::Int64(values) => values.push(0),
        Values::Uint8(values) => values.push(0),
        Values::Uint16(values) => values.push(0),
        Values::Uint32(values) => values.push(0),
        Values::Uint64(values) => values.push(0),
        Values::Float32(values) => values.push(0.0),
        Values::Float64(values) => values.push(0.0),
        Values::Variable { offsets, .. } => offsets.push(offsets.last().copied().unwrap_or(0)),
        Values::FixedBytes(bytes) => bytes.resize(bytes.len() + field.data_type.width().unwrap_or(16), 0),
        Values::VariableBytes { .. } | Values::Strings(_) => {}
    }
    let mut validity = column.validity.unwrap_or_else(|| vec![0xff; rows.div_ceil(8)]);
    validity.resize((rows + 1).div_ceil(8), 0);
    if let Some(byte) = validity.get_mut(rows / 8) {
        *byte &= !(1 << (rows % 8));
    }
    Column::new(values, Some(validity), rows + 1)
}

/// The key of a row of these batches, for people.
pub(crate) fn key_text(batches: &[Batch], keys: &[usize], row: usize) -> Result<String, Fault> {
    let mut row = row;
    for batch in batches {
        if row < batch.rows() {
            let one = batch.slice(row, 1)?;
            let parts = keys.iter().map(|key| Ok(value_text(&one.column(*key)?))).collect::<Result<Vec<_>, Fault>>()?;
            return Ok(parts.join(", "));
        }
        row -= batch.rows();
    }
    Ok(String::new())
}

/// The one value of a column.
fn value_text(column: &Column) -> String {
    fn first<T: ToString>(values: &[T]) -> String {
        values.first().map(ToString::to_string).unwrap_or_default()
    }
    if column.is_null(0) {
        return "null".to_owned();
    }
    match &column.values {
        Values::Bits(bits) => (bits.first().is_some_and(|byte| byte & 1 == 1)).to_string(),
        Values::Int8(values) => first(values),
        Values::Int16(values) => first(values),
        Values::Int32(values) => first(values),
        Values::Int64(values) => first(values),
        Values::Uint8(values) => first(values),
        Values::Uint16(values) => first(values),
        Values::Uint32(values) => first(values),
        Values::Uint64(values) => first(values),
        Values::Float32(values) => first(values),
        Values::Float64(values) => first(values),
        Values::Variable { data, .. } => {
            let text = String::from_utf8_lossy(data);
            format!("\"{}\"", text.chars().take(100).collect::<String>())
        }
        Values::FixedBytes(_) => {
            column.decimals().and_then(|view| view.get(0)).map(|value| value.to_string()).unwrap_or_default()
        }
        Values::VariableBytes { .. } | Values::Strings(_) => String::new(),
    }
}
