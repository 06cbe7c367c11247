//! What the host refuses, refused here in the same way.

use crate::mask::bit;
use crate::{Column, DataType, Fault, Field, Values};

/// Whether a column in typed form fits its field and the number of rows.
pub(super) fn column(field: &Field, column: &Column, rows: usize) -> Result<(), Fault> {
    let wrong = |what: String| Err(Fault::invalid_data(format!("column {:?}: {what}", field.name)));
    let held = match (&column.values, field.data_type) {
        (_, DataType::Other) => {
            return wrong("the type other is made by Arrow IPC in the host; native tests cannot hold it".into());
        }
        (Values::Bits(bits), DataType::Boolean) => {
            if bits.len() != rows.div_ceil(8) || column.rows() != rows {
                return wrong(format!("{} bytes of bits where {rows} rows need {}", bits.len(), rows.div_ceil(8)));
            }
            rows
        }
        (Values::Int8(values), DataType::Int8) => values.len(),
        (Values::Int16(values), DataType::Int16) => values.len(),
        (Values::Int32(values), DataType::Int32 | DataType::Date32) => values.len(),
        (Values::Int64(values), DataType::Int64 | DataType::Timestamp) => values.len(),
        (Values::Uint8(values), DataType::Uint8) => values.len(),
        (Values::Uint16(values), DataType::Uint16) => values.len(),
        (Values::Uint32(values), DataType::Uint32) => values.len(),
        (Values::Uint64(values), DataType::Uint64) => values.len(),
        (Values::Float32(values), DataType::Float32) => values.len(),
        (Values::Float64(values), DataType::Float64) => values.len(),
        (Values::FixedBytes(bytes), DataType::Decimal128) => {
            if !bytes.len().is_multiple_of(16) {
                return wrong(format!("{} bytes are not a whole number of decimal128 values", bytes.len()));
            }
            if field.precision_and_scale().is_none() {
                return wrong("a decimal128 needs \"precision,scale\" as the detail of its field".into());
            }
            bytes.len() / 16
        }
        (Values::Variable { offsets, data }, DataType::Utf8 | DataType::Binary) => {
            if let Err(what) = variable(offsets, data, field.data_type == DataType::Utf8) {
                return wrong(what);
            }
            offsets.len().saturating_sub(1)
        }
        (values, data_type) => return wrong(format!("{} do not fit the type {data_type}", name(values))),
    };
    if held != rows {
        return wrong(format!("{held} rows where the batch has {rows}"));
    }
    match &column.validity {
        None => Ok(()),
        Some(bits) if bits.len() != rows.div_ceil(8) => {
            wrong(format!("{} bytes of validity where {rows} rows need {}", bits.len(), rows.div_ceil(8)))
        }
        Some(bits) if !field.nullable => match (0..rows).find(|row| !bit(bits, *row)) {
            Some(row) => wrong("a null where the schema says that there are none".into()).map_err(|f| f.at_row(row)),
            None => Ok(()),
        },
        Some(_) => Ok(()),
    }
}

fn variable(offsets: &[i32], data: &[u8], is_text: bool) -> Result<(), String> {
    if offsets.first() != Some(&0) {
        return Err("the first offset is not 0".into());
    }
    if let Some(row) = offsets.windows(2).position(|pair| pair.first() > pair.last()) {
        return Err(format!("the offsets fall after row {row}"));
    }
    let end = offsets.last().copied().unwrap_or(0);
    let used = usize::try_from(end).ok().and_then(|end| data.get(..end));
    let Some(used) = used else {
        return Err(format!("the last offset is {end}, but there are {} bytes", data.len()));
    };
    if is_text {
        let Ok(text) = std::str::from_utf8(used) else {
            return Err("the text is not UTF-8".into());
        };
        if let Some(row) = offsets.iter().position(|offset| !text.is_char_boundary(*offset as usize)) {
            return Err(format!("the text of row {row} starts within a character"));
        }
    }
    Ok(())
}

fn name(values: &Values) -> &'static str {
    match values {
        Values::Bits(_) => "bits",
        Values::Int8(_) => "int8 values",
        Values::Int16(_) => "int16 values",
        Values::Int32(_) => "int32 values",
        Values::Int64(_) => "int64 values",
        Values::Uint8(_) => "uint8 values",
        Values::Uint16(_) => "uint16 values",
        Values::Uint32(_) => "uint32 values",
        Values::Uint64(_) => "uint64 values",
        Values::Float32(_) => "float32 values",
        Values::Float64(_) => "float64 values",
        Values::Variable { .. } => "variable values",
        Values::FixedBytes(_) => "fixed bytes",
        Values::VariableBytes { .. } => "variable bytes",
        Values::Strings(_) => "strings",
    }
}
