//! Rows as JSON: numbers, booleans and text as what they are, everything else as Arrow displays it.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType};
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Serializes a batch as a list of objects.
pub(crate) fn json_rows<S: Serializer>(batch: &Option<RecordBatch>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(batch) = batch else { return serializer.serialize_none() };
    let schema = batch.schema();
    let columns: Vec<Vec<Value>> = batch
        .columns()
        .iter()
        .map(|column| json_column(column.as_ref()))
        .collect::<Result<_, _>>()
        .map_err(S::Error::custom)?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let mut rows = serializer.serialize_seq(Some(batch.num_rows()))?;
    for _ in 0..batch.num_rows() {
        let row: Map<String, Value> = schema
            .fields()
            .iter()
            .zip(&mut columns)
            .map(|(field, column)| (field.name().clone(), column.next().unwrap_or(Value::Null)))
            .collect();
        rows.serialize_element(&row)?;
    }
    rows.end()
}

fn json_column(column: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    Ok(match column.data_type() {
        DataType::Boolean => column.as_boolean().iter().map(Value::from).collect(),
        DataType::Int8 => numbers::<Int8Type>(column),
        DataType::Int16 => numbers::<Int16Type>(column),
        DataType::Int32 => numbers::<Int32Type>(column),
        DataType::Int64 => numbers::<Int64Type>(column),
        DataType::UInt8 => numbers::<UInt8Type>(column),
        DataType::UInt16 => numbers::<UInt16Type>(column),
        DataType::UInt32 => numbers::<UInt32Type>(column),
        DataType::UInt64 => numbers::<UInt64Type>(column),
        DataType::Float32 => floats::<Float32Type>(column),
        DataType::Float64 => floats::<Float64Type>(column),
        DataType::Utf8 => column.as_string::<i32>().iter().map(Value::from).collect(),
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(column, &options)?;
            (0..column.len())
                .map(|row| match column.is_null(row) {
                    true => Ok(Value::Null),
                    false => formatter.value(row).try_to_string().map(Value::from),
                })
                .collect::<Result<_, _>>()?
        }
    })
}

fn numbers<T: ArrowPrimitiveType<Native: Into<Value>>>(column: &dyn Array) -> Vec<Value> {
    column.as_primitive::<T>().iter().map(|number| number.map_or(Value::Null, Into::into)).collect()
}

/// JSON has no word for what is not finite: that is text.
fn floats<T: ArrowPrimitiveType<Native: Into<f64> + Serialize>>(column: &dyn Array) -> Vec<Value> {
    let json = |number: T::Native| {
        let wide: f64 = number.into();
        if wide.is_finite() { serde_json::to_value(number).unwrap_or(Value::Null) } else { wide.to_string().into() }
    };
    column.as_primitive::<T>().iter().map(|number| number.map_or(Value::Null, json)).collect()
}
