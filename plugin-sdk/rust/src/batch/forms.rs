//! The contract's three forms of a column, one into another.

use crate::{Column, DataType, Fault, Field, Form, Values};

macro_rules! numbers {
    ($values:expr, $($variant:ident),*) => {
        match $values {
            $(Values::$variant(values) => Some(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()),)*
            _ => None,
        }
    };
}

fn chunks<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
    let (values, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| values.iter().map(|value| read(*value)).collect())
}

/// The column in typed form, whatever form it came in; what does not fit is left for the check to name.
pub(super) fn typed(field: &Field, column: Column) -> Result<Column, Fault> {
    let (rows, validity) = (column.rows(), column.validity.clone());
    let values = match (&column.values, field.data_type) {
        (Values::FixedBytes(bytes), data_type) => match data_type {
            DataType::Int8 => chunks(bytes, i8::from_le_bytes).map(Values::Int8),
            DataType::Int16 => chunks(bytes, i16::from_le_bytes).map(Values::Int16),
            DataType::Int32 | DataType::Date32 => chunks(bytes, i32::from_le_bytes).map(Values::Int32),
            DataType::Int64 | DataType::Timestamp => chunks(bytes, i64::from_le_bytes).map(Values::Int64),
            DataType::Uint8 => Some(Values::Uint8(bytes.clone())),
            DataType::Uint16 => chunks(bytes, u16::from_le_bytes).map(Values::Uint16),
            DataType::Uint32 => chunks(bytes, u32::from_le_bytes).map(Values::Uint32),
            DataType::Uint64 => chunks(bytes, u64::from_le_bytes).map(Values::Uint64),
            DataType::Float32 => chunks(bytes, f32::from_le_bytes).map(Values::Float32),
            DataType::Float64 => chunks(bytes, f64::from_le_bytes).map(Values::Float64),
            _ => return Ok(column),
        },
        (Values::VariableBytes { offsets, data }, DataType::Utf8 | DataType::Binary) => {
            chunks(offsets, i32::from_le_bytes).map(|offsets| Values::Variable { offsets, data: data.clone() })
        }
        (Values::Strings(strings), DataType::Utf8) => {
            if validity.is_some() {
                return Err(Fault::invalid_data(format!(
                    "column {:?}: strings hold their nulls themselves; leave the validity out",
                    field.name
                )));
            }
            return Ok(Column::from_options(strings.iter().map(|value| value.as_deref())));
        }
        _ => return Ok(column),
    };
    match values {
        Some(values) => Ok(Column::new(values, validity, rows)),
        None => Err(Fault::invalid_data(format!(
            "column {:?}: the bytes are not a whole number of {} values",
            field.name, field.data_type
        ))),
    }
}

/// A column in typed form in another form.
pub(super) fn in_form(field: &Field, column: &Column, form: Form) -> Result<Column, Fault> {
    let values = match (form, &column.values) {
        (Form::Typed, _) | (Form::Raw, Values::Bits(_) | Values::FixedBytes(_)) => return Ok(column.clone()),
        (Form::Raw, Values::Variable { offsets, data }) => Values::VariableBytes {
            offsets: offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect(),
            data: data.clone(),
        },
        (Form::Raw, values) => {
            match numbers!(values, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Float32, Float64) {
                Some(bytes) => Values::FixedBytes(bytes),
                None => return Err(no_form(field, form)),
            }
        }
        (Form::Strings, _) => match column.strs() {
            Some(strings) if field.data_type == DataType::Utf8 => {
                let strings = strings.iter().map(|value| value.map(str::to_owned)).collect();
                return Ok(Column::new(Values::Strings(strings), None, column.rows()));
            }
            _ => return Err(no_form(field, form)),
        },
    };
    Ok(Column::new(values, column.validity.clone(), column.rows()))
}

fn no_form(field: &Field, form: Form) -> Fault {
    let form = match form {
        Form::Typed => "typed",
        Form::Raw => "raw",
        Form::Strings => "strings",
    };
    Fault::invalid_data(format!("column {:?} is {}, which has no {form} form", field.name, field.data_type))
}
