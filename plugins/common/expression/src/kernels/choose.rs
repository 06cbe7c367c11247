//! CASE and COALESCE: each answer is computed for the rows that take it.

use std::sync::Arc;

use crate::{
    bits,
    kernels::logic,
    node::{Node, RowError, Rows, Scope},
    types::Type,
    vector::{Data, TextBuilder, Value},
};

pub(crate) fn case(
    branches: &[(Node, Node)],
    otherwise: &Node,
    ty: &Type,
    scope: Scope<'_>,
    rows: Rows<'_>,
) -> Result<Value, RowError> {
    let mut left = rows.looked_at.map_or_else(|| bits::filled(rows.count, true), <[u8]>::to_vec);
    let mut pieces = Vec::with_capacity(branches.len() + 1);
    for (when, then) in branches {
        if !bits::any(&left) {
            break;
        }
        let condition = when.evaluate(scope, Rows { count: rows.count, looked_at: Some(&left) })?;
        let taken = bits::and(&logic::split(&condition, rows.count).0, &left);
        if bits::any(&taken) {
            let value = then.evaluate(scope, Rows { count: rows.count, looked_at: Some(&taken) })?;
            left = bits::minus(&left, &taken);
            pieces.push((value, taken));
        }
    }
    if bits::any(&left) {
        let value = otherwise.evaluate(scope, Rows { count: rows.count, looked_at: Some(&left) })?;
        pieces.push((value, left));
    }
    merge(pieces, ty, rows.count)
}

pub(crate) fn coalesce(parts: &[Node], ty: &Type, scope: Scope<'_>, rows: Rows<'_>) -> Result<Value, RowError> {
    let mut left = rows.looked_at.map_or_else(|| bits::filled(rows.count, true), <[u8]>::to_vec);
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        if !bits::any(&left) {
            break;
        }
        let value = part.evaluate(scope, Rows { count: rows.count, looked_at: Some(&left) })?;
        let taken = match value.validity() {
            None => left.clone(),
            Some(_) if value.scalar => bits::filled(rows.count, false),
            Some(validity) => bits::and(validity, &left),
        };
        left = bits::minus(&left, &taken);
        pieces.push((value, taken));
    }
    merge(pieces, ty, rows.count)
}

/// The column whose rows come from the piece that claims them; null where none does.
pub(crate) fn merge(mut pieces: Vec<(Value, Vec<u8>)>, ty: &Type, rows: usize) -> Result<Value, RowError> {
    let whole = bits::filled(rows, true);
    if pieces.len() == 1
        && let Some((value, taken)) = pieces.pop()
    {
        if taken == whole {
            return Ok(Value { vector: Arc::new(value.spread(rows)?), scalar: false });
        }
        pieces.push((value, taken));
    }
    let mut validity = bits::filled(rows, false);
    for (value, taken) in &pieces {
        let valid = match value.validity() {
            None => taken.clone(),
            Some(_) if value.scalar => continue,
            Some(valid) => bits::and(taken, valid),
        };
        validity = bits::or(&validity, &valid);
    }
    let data = match Data::zeros(ty, if matches!(ty, Type::Utf8 | Type::Binary) { 0 } else { rows }) {
        Data::Text(_) => texts(&pieces, rows)?,
        Data::Bool(mut out) => {
            for (value, taken) in &pieces {
                let (set, _) = logic::split(value, rows);
                out = bits::or(&out, &bits::and(&set, taken));
            }
            Data::Bool(out)
        }
        mut data => {
            for (value, taken) in &pieces {
                copy(&mut data, value, taken);
            }
            data
        }
    };
    Ok(Value::column(data, (validity != whole).then_some(validity), rows))
}

fn texts(pieces: &[(Value, Vec<u8>)], rows: usize) -> Result<Data, RowError> {
    let strings: Vec<_> = pieces.iter().map(|(value, taken)| (value.strings(), taken)).collect();
    let mut builder = TextBuilder::new(rows, 0);
    for row in 0..rows {
        if let Some((texts, _)) = strings.iter().find(|(_, taken)| bits::get(taken, row)) {
            builder.strings.data.extend_from_slice(texts.bytes(row));
        }
        builder.end();
    }
    builder.finish()
}

fn copy(out: &mut Data, value: &Value, taken: &[u8]) {
    fn rows<T: Copy>(out: &mut [T], from: &[T], scalar: bool, taken: &[u8]) {
        let first = from.first().copied();
        for ((chunk, byte), at) in out.chunks_mut(8).zip(taken).zip((0..).step_by(8)) {
            for (bit, out) in chunk.iter_mut().enumerate() {
                let value = if scalar { first } else { from.get(at + bit).copied() };
                if let Some(value) = value
                    && byte >> bit & 1 == 1
                {
                    *out = value;
                }
            }
        }
    }
    macro_rules! same {
        ($($variant:ident),*) => {
            match (out, value.data()) {
                $((Data::$variant(out), Data::$variant(from)) => rows(out, from, value.scalar, taken),)*
                _ => {}
            }
        };
    }
    same!(Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64, Float32, Float64, Decimal)
}
