//! Between the SDK's types and those of the contract. Values move; none is copied.

use super::common::sluicebox::stage::{batches, types};
use crate::{Column, Context, DataType, Fault, FaultKind, Field, Form, Schema, Values};

pub(crate) fn to_form(form: Form) -> batches::Form {
    match form {
        Form::Typed => batches::Form::Typed,
        Form::Raw => batches::Form::Raw,
        Form::Strings => batches::Form::Strings,
    }
}

macro_rules! same_names {
    ($to:ident, $from:ident, $own:ident, $wit:path, $($case:ident),*) => {
        pub(crate) fn $to(own: $own) -> $wit {
            use $wit as Wit;
            match own {
                $($own::$case => Wit::$case,)*
            }
        }

        pub(crate) fn $from(wit: $wit) -> $own {
            use $wit as Wit;
            match wit {
                $(Wit::$case => $own::$case,)*
            }
        }
    };
}

same_names!(
    to_data_type,
    from_data_type,
    DataType,
    types::DataType,
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    Utf8,
    Binary,
    Date32,
    Timestamp,
    Decimal128,
    Other
);

same_names!(
    to_fault_kind,
    from_fault_kind,
    FaultKind,
    types::FaultKind,
    InvalidConfig,
    InvalidData,
    Denied,
    Unavailable,
    Internal
);

pub(crate) fn to_fault(fault: Fault) -> types::Fault {
    types::Fault { kind: to_fault_kind(fault.kind), message: fault.message, row: fault.row }
}

pub(crate) fn from_fault(fault: types::Fault) -> Fault {
    Fault { kind: from_fault_kind(fault.kind), message: fault.message, row: fault.row }
}

pub(crate) fn from_field(field: Field) -> types::Field {
    let Field { name, data_type, nullable, detail } = field;
    types::Field { name, data_type: to_data_type(data_type), nullable, detail }
}

pub(crate) fn to_own_schema(fields: Vec<types::Field>) -> Schema {
    fields
        .into_iter()
        .map(|types::Field { name, data_type, nullable, detail }| Field {
            name,
            data_type: from_data_type(data_type),
            nullable,
            detail,
        })
        .collect()
}

pub(crate) fn to_column(column: Column) -> batches::Column {
    use batches::Values as Wit;
    let values = match column.values {
        Values::Bits(values) => Wit::Bits(values),
        Values::Int8(values) => Wit::Int8(values),
        Values::Int16(values) => Wit::Int16(values),
        Values::Int32(values) => Wit::Int32(values),
        Values::Int64(values) => Wit::Int64(values),
        Values::Uint8(values) => Wit::Uint8(values),
        Values::Uint16(values) => Wit::Uint16(values),
        Values::Uint32(values) => Wit::Uint32(values),
        Values::Uint64(values) => Wit::Uint64(values),
        Values::Float32(values) => Wit::Float32(values),
        Values::Float64(values) => Wit::Float64(values),
        Values::Variable { offsets, data } => Wit::Variable(batches::Variable { offsets, data }),
        Values::FixedBytes(values) => Wit::FixedBytes(values),
        Values::VariableBytes { offsets, data } => Wit::VariableBytes(batches::VariableBytes { offsets, data }),
        Values::Strings(values) => Wit::Strings(values),
    };
    batches::Column { values, validity: column.validity }
}

pub(crate) fn to_own_column(column: batches::Column, rows: usize) -> Column {
    use batches::Values as Wit;
    let values = match column.values {
        Wit::Bits(values) => Values::Bits(values),
        Wit::Int8(values) => Values::Int8(values),
        Wit::Int16(values) => Values::Int16(values),
        Wit::Int32(values) => Values::Int32(values),
        Wit::Int64(values) => Values::Int64(values),
        Wit::Uint8(values) => Values::Uint8(values),
        Wit::Uint16(values) => Values::Uint16(values),
        Wit::Uint32(values) => Values::Uint32(values),
        Wit::Uint64(values) => Values::Uint64(values),
        Wit::Float32(values) => Values::Float32(values),
        Wit::Float64(values) => Values::Float64(values),
        Wit::Variable(batches::Variable { offsets, data }) => Values::Variable { offsets, data },
        Wit::FixedBytes(values) => Values::FixedBytes(values),
        Wit::VariableBytes(batches::VariableBytes { offsets, data }) => Values::VariableBytes { offsets, data },
        Wit::Strings(values) => Values::Strings(values),
    };
    Column::new(values, column.validity, rows)
}

pub(crate) fn to_context(context: types::RunContext) -> Context {
    let types::RunContext { run_id, pipeline, stage, attempt, interval_start, interval_end } = context;
    Context { run_id, pipeline, stage, attempt, interval_start, interval_end }
}
