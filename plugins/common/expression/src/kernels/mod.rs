//! What computes columns: typed loops over slices. Nulls are kept in bitmaps beside the values, so that the loops have no
//! branches; what stands in the place of a null is computed too and not looked at.

pub(crate) mod arithmetic;
pub(crate) mod cast;
pub(crate) mod choose;
pub(crate) mod compare;
pub(crate) mod decimal;
pub(crate) mod like;
pub(crate) mod logic;
pub(crate) mod text_cast;

use crate::{
    bits,
    node::{RowError, Rows},
    vector::{Data, Slice, Value},
};

/// The rows at which no argument is null; none = all.
pub(crate) fn present(arguments: &[Value], rows: usize) -> Option<Vec<u8>> {
    let mut present: Option<Vec<u8>> = None;
    for argument in arguments {
        let Some(validity) = argument.validity() else { continue };
        if argument.scalar {
            return Some(bits::filled(rows, false));
        }
        match &mut present {
            None => present = Some(validity.to_vec()),
            Some(present) => bits::and_in_place(present, validity),
        }
    }
    present
}

/// Whether the answer at a row is looked at: it is not null, and asked for.
pub(crate) fn counts(rows: Rows<'_>, present: Option<&[u8]>, row: usize) -> bool {
    rows.looked_at(row) && present.is_none_or(|present| bits::get(present, row))
}

/// Applies `of` to each value.
pub(crate) fn map<A: Copy, O>(a: Slice<'_, A>, rows: usize, mut of: impl FnMut(A) -> O) -> Vec<O> {
    match a {
        Slice::Column(a) => a.iter().map(|a| of(*a)).collect(),
        Slice::One(a) => (0..rows).map(|_| of(a)).collect(),
    }
}

/// Applies `of` to each pair of values.
pub(crate) fn zip<A: Copy, B: Copy, O>(
    a: Slice<'_, A>,
    b: Slice<'_, B>,
    rows: usize,
    mut of: impl FnMut(A, B) -> O,
) -> Vec<O> {
    match (a, b) {
        (Slice::Column(a), Slice::Column(b)) => a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect(),
        (Slice::Column(a), Slice::One(b)) => a.iter().map(|a| of(*a, b)).collect(),
        (Slice::One(a), Slice::Column(b)) => b.iter().map(|b| of(a, *b)).collect(),
        (Slice::One(a), Slice::One(b)) => (0..rows).map(|_| of(a, b)).collect(),
    }
}

/// The answers of `of` for each row that counts; a row for which it has none is null where `try_`, and fails otherwise.
pub(crate) fn attempt<O: Default + Clone>(
    rows: Rows<'_>,
    mut present: Option<Vec<u8>>,
    try_: bool,
    of: impl Fn(usize) -> Option<O>,
    message: impl Fn(usize) -> String,
) -> Result<(Vec<O>, Option<Vec<u8>>), RowError> {
    let mut values = vec![O::default(); rows.count];
    let mut failed: Option<Vec<u8>> = None;
    for (row, value) in values.iter_mut().enumerate() {
        if !present.as_ref().is_none_or(|present| bits::get(present, row)) {
            continue;
        }
        match of(row) {
            Some(answer) => *value = answer,
            None if try_ => bits::set(failed.get_or_insert_with(|| bits::filled(rows.count, true)), row, false),
            None if rows.looked_at(row) => return Err(RowError::new(row, message(row))),
            None => {}
        }
    }
    if let Some(failed) = failed {
        present = bits::both(present.as_deref(), Some(&failed));
    }
    Ok((values, present))
}

/// A kernel of texts: pushes the answer for each row that is not null.
pub(crate) fn texts(
    rows: Rows<'_>,
    arguments: &[Value],
    bytes: usize,
    of: impl Fn(usize, &mut Vec<u8>),
) -> Result<Value, RowError> {
    let present = present(arguments, rows.count);
    let mut builder = crate::vector::TextBuilder::new(rows.count, bytes);
    for row in 0..rows.count {
        if present.as_ref().is_none_or(|present| bits::get(present, row)) {
            of(row, &mut builder.strings.data);
        }
        builder.end();
    }
    match builder.finish() {
        Ok(data) => Ok(Value::column(data, present, rows.count)),
        Err(error) => Err(error),
    }
}

/// A kernel of whole numbers out of texts.
pub(crate) fn numbers(rows: Rows<'_>, arguments: &[Value], of: impl Fn(usize) -> i64) -> Value {
    let values = (0..rows.count).map(of).collect();
    Value::column(Data::Int64(values), present(arguments, rows.count), rows.count)
}

/// A kernel of booleans.
pub(crate) fn tests(rows: Rows<'_>, arguments: &[Value], of: impl FnMut(usize) -> bool) -> Value {
    Value::column(Data::Bool(bits::pack(rows.count, of)), present(arguments, rows.count), rows.count)
}
