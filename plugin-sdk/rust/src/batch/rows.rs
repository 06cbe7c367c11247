//! Rows of a typed column gathered and joined.

use crate::{BinaryBuilder, BooleanBuilder, Column, Mask, Values};

fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|row| values.get(*row).copied()).collect()
}

/// The rows at these positions, which are within the column.
pub(super) fn gather(column: &Column, rows: &[usize]) -> Column {
    let values = match &column.values {
        Values::Int8(values) => Values::Int8(pick(values, rows)),
        Values::Int16(values) => Values::Int16(pick(values, rows)),
        Values::Int32(values) => Values::Int32(pick(values, rows)),
        Values::Int64(values) => Values::Int64(pick(values, rows)),
        Values::Uint8(values) => Values::Uint8(pick(values, rows)),
        Values::Uint16(values) => Values::Uint16(pick(values, rows)),
        Values::Uint32(values) => Values::Uint32(pick(values, rows)),
        Values::Uint64(values) => Values::Uint64(pick(values, rows)),
        Values::Float32(values) => Values::Float32(pick(values, rows)),
        Values::Float64(values) => Values::Float64(pick(values, rows)),
        Values::FixedBytes(bytes) => {
            let width = bytes.len().checked_div(column.rows()).unwrap_or(0);
            Values::FixedBytes(
                rows.iter()
                    .flat_map(|row| bytes.get(row * width..(row + 1) * width).unwrap_or_default())
                    .copied()
                    .collect(),
            )
        }
        Values::Strings(values) => Values::Strings(rows.iter().filter_map(|row| values.get(*row).cloned()).collect()),
        Values::Bits(_) | Values::Variable { .. } | Values::VariableBytes { .. } => {
            return rebuild(column, rows.iter().map(|row| (column, *row)));
        }
    };
    Column::new(values, validity(column, rows), rows.len())
}

fn validity(column: &Column, rows: &[usize]) -> Option<Vec<u8>> {
    let validity = Mask::from_bools(rows.iter().map(|row| column.is_valid(*row)));
    (validity.count_ones() < rows.len()).then(|| validity.into_bytes())
}

/// Bits, text and bytes, row by row; `like` is of their type.
fn rebuild<'a>(like: &Column, rows: impl Iterator<Item = (&'a Column, usize)>) -> Column {
    if matches!(like.values, Values::Bits(_)) {
        let mut builder = BooleanBuilder::new();
        rows.for_each(|(column, row)| builder.push_option(column.bits().and_then(|bits| bits.get(row))));
        builder.finish()
    } else {
        let mut builder = BinaryBuilder::new();
        rows.for_each(|(column, row)| builder.push_option(column.bytes().and_then(|bytes| bytes.get(row))));
        builder.finish()
    }
}

/// The rows of columns of one type, one after another.
pub(super) fn concat(columns: &[&Column]) -> Column {
    macro_rules! join {
        ($($variant:ident),*) => {
            match columns.first().map(|column| &column.values) {
                $(Some(Values::$variant(_)) => Some(Values::$variant(
                    columns
                        .iter()
                        .filter_map(|column| match &column.values {
                            Values::$variant(values) => Some(values.iter().cloned()),
                            _ => None,
                        })
                        .flatten()
                        .collect(),
                )),)*
                _ => None,
            }
        };
    }
    let all = || columns.iter().flat_map(|column| (0..column.rows()).map(move |row| (*column, row)));
    let joined = join!(Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Float32, Float64, FixedBytes, Strings);
    match (joined, columns.first()) {
        (Some(values), _) => {
            let valid = Mask::from_bools(all().map(|(column, row)| column.is_valid(row)));
            let rows = valid.rows();
            Column::new(values, (valid.count_ones() < rows).then(|| valid.into_bytes()), rows)
        }
        (None, Some(like)) => rebuild(like, all()),
        // no column at all has no type; the batch makes sure that there is one
        (None, None) => Column::from_u8(Vec::new()),
    }
}
