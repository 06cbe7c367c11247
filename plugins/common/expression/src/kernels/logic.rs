//! Three-valued logic.

use crate::{
    bits,
    node::{Node, RowError, Rows, Scope},
    vector::{Data, Value},
};

/// Rows of a boolean column that are true, and those that are false; a null is in neither.
pub(crate) fn split(value: &Value, rows: usize) -> (Vec<u8>, Vec<u8>) {
    let spread;
    let (data, validity) = if value.scalar {
        let (set, valid) = (matches!(value.data(), Data::Bool(bits) if bits::get(bits, 0)), value.valid(0));
        spread = (bits::filled(rows, set), bits::filled(rows, valid));
        (spread.0.as_slice(), Some(spread.1.as_slice()))
    } else {
        let data: &[u8] = match value.data() {
            Data::Bool(bits) => bits,
            _ => &[],
        };
        (data, value.validity())
    };
    match validity {
        Some(validity) => (bits::and(data, validity), bits::minus(validity, data)),
        None => {
            let mut set = data.to_vec();
            bits::trim(&mut set, rows);
            let unset = bits::not(&set, rows);
            (set, unset)
        }
    }
}

fn join(set: Vec<u8>, unset: &[u8], rows: usize) -> Value {
    let known = bits::or(&set, unset);
    let validity = (known != bits::filled(rows, true)).then_some(known);
    Value::column(Data::Bool(set), validity, rows)
}

/// AND (`decides` = false) or OR (`decides` = true) of all parts. What comes behind a part that decides a row is not
/// looked at for that row: `x <> 0 and 10 / x > 1`.
pub(crate) fn chain(parts: &[Node], scope: Scope<'_>, rows: Rows<'_>, decides: bool) -> Result<Value, RowError> {
    let everything = bits::filled(rows.count, true);
    let mut decided = bits::filled(rows.count, false);
    // Rows at which every part so far is the opposite of what decides.
    let mut opposite = everything.clone();
    for part in parts {
        let open = bits::minus(rows.looked_at.unwrap_or(&everything), &decided);
        if !bits::any(&open) {
            break;
        }
        let value = part.evaluate(scope, Rows { count: rows.count, looked_at: Some(&open) })?;
        let (set, unset) = split(&value, rows.count);
        let (deciding, other) = if decides { (set, unset) } else { (unset, set) };
        decided = bits::or(&decided, &deciding);
        opposite = bits::and(&opposite, &other);
    }
    Ok(if decides { join(decided, &opposite, rows.count) } else { join(opposite, &decided, rows.count) })
}

pub(crate) fn not(rows: Rows<'_>, value: &Value) -> Value {
    let (set, unset) = split(value, rows.count);
    join(unset, &set, rows.count)
}

/// `IS TRUE` or `IS FALSE`, turned round where `negated`.
pub(crate) fn is(rows: Rows<'_>, value: &Value, what: bool, negated: bool) -> Value {
    let (set, unset) = split(value, rows.count);
    let chosen = if what { set } else { unset };
    Value::column(Data::Bool(if negated { bits::not(&chosen, rows.count) } else { chosen }), None, rows.count)
}

/// `IS NULL`, or `IS NOT NULL`; looks at the validity only.
pub(crate) fn is_null(rows: Rows<'_>, value: &Value, negated: bool) -> Value {
    let valid = match value.validity() {
        None => bits::filled(rows.count, true),
        Some(_) if value.scalar => bits::filled(rows.count, value.valid(0)),
        Some(validity) => validity.to_vec(),
    };
    let chosen = if negated { valid } else { bits::not(&valid, rows.count) };
    Value::column(Data::Bool(chosen), None, rows.count)
}
