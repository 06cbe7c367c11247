//! Comparisons. Floats are ordered as in Postgres: NaN equals itself and is greater than every number; -0 equals 0.

use std::{cmp::Ordering, collections::HashSet};

use crate::{
    bits,
    kernels::{logic, present},
    node::{Kernel, RowError, Rows},
    types::Type,
    vector::{Data, Slice, Value},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
}

/// Whether a kernel compares values of this type as they are.
pub(crate) fn comparable(ty: &Type) -> bool {
    use Type::*;
    matches!(ty, Boolean | Int32 | Int64 | UInt64 | Float64 | Utf8 | Binary | Date | Timestamp(_) | Decimal(..))
}

fn test<T: Copy>(a: Slice<'_, T>, b: Slice<'_, T>, rows: usize, test: impl Fn(T, T) -> bool) -> Vec<u8> {
    match (a, b) {
        (Slice::Column(a), Slice::Column(b)) => bits::pack_pairs(a, b, test),
        (Slice::Column(a), Slice::One(b)) => bits::pack_slice(a, |a| test(a, b)),
        (Slice::One(a), Slice::Column(b)) => bits::pack_slice(b, |b| test(a, b)),
        (Slice::One(a), Slice::One(b)) => bits::filled(rows, test(a, b)),
    }
}

fn numbers<T: Copy>(
    how: Comparison,
    (a, b): (Slice<'_, T>, Slice<'_, T>),
    rows: usize,
    equal: impl Fn(T, T) -> bool,
    less: impl Fn(T, T) -> bool,
) -> Vec<u8> {
    match how {
        Comparison::Equal => test(a, b, rows, equal),
        Comparison::NotEqual => test(a, b, rows, |a, b| !equal(a, b)),
        Comparison::Less => test(a, b, rows, less),
        Comparison::LessOrEqual => test(a, b, rows, |a, b| !less(b, a)),
    }
}

/// The bits of `a how b`, whatever is null.
pub(crate) fn bits(how: Comparison, a: &Value, b: &Value, rows: usize) -> Vec<u8> {
    match (a.data(), b.data()) {
        (Data::Int32(_), _) => numbers(how, (a.int32s(), b.int32s()), rows, |a, b| a == b, |a, b| a < b),
        (Data::Int64(_), _) => numbers(how, (a.int64s(), b.int64s()), rows, |a, b| a == b, |a, b| a < b),
        (Data::UInt64(_), _) => numbers(how, (a.uint64s(), b.uint64s()), rows, |a, b| a == b, |a, b| a < b),
        (Data::Decimal(_), _) => numbers(how, (a.decimals(), b.decimals()), rows, |a, b| a == b, |a, b| a < b),
        (Data::Float64(_), _) => numbers(
            how,
            (a.float64s(), b.float64s()),
            rows,
            |a, b| (a == b) | (a.is_nan() & b.is_nan()),
            |a, b| (a < b) | (!a.is_nan() & b.is_nan()),
        ),
        (Data::Bool(_), _) => {
            let ((a, not_a), (b, not_b)) = (logic::split(a, rows), logic::split(b, rows));
            let different = bits::or(&bits::and(&a, &not_b), &bits::and(&not_a, &b));
            match how {
                Comparison::NotEqual => different,
                Comparison::Equal => bits::not(&different, rows),
                Comparison::Less => bits::and(&not_a, &b),
                Comparison::LessOrEqual => bits::or(&not_a, &b),
            }
        }
        _ => {
            let (a, b) = (a.strings(), b.strings());
            bits::pack(rows, |row| {
                let (a, b) = (a.bytes(row), b.bytes(row));
                match how {
                    Comparison::Equal => a == b,
                    Comparison::NotEqual => a != b,
                    Comparison::Less => a < b,
                    Comparison::LessOrEqual => a <= b,
                }
            })
        }
    }
}

pub(crate) fn compare(how: Comparison) -> Kernel {
    Box::new(move |rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let set = bits(how, a, b, rows.count);
        Ok(Value::column(Data::Bool(set), present(&arguments, rows.count), rows.count))
    })
}

fn valid(value: &Value, rows: usize) -> Vec<u8> {
    match value.validity() {
        None => bits::filled(rows, true),
        Some(_) if value.scalar => bits::filled(rows, value.valid(0)),
        Some(validity) => validity.to_vec(),
    }
}

/// `IS [NOT] DISTINCT FROM`: two nulls are the same, and a null differs from every value.
pub(crate) fn distinct(negated: bool) -> Kernel {
    Box::new(move |rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let equal = bits(Comparison::Equal, a, b, rows.count);
        let (a, b) = (valid(a, rows.count), valid(b, rows.count));
        let both_null = bits::not(&bits::or(&a, &b), rows.count);
        let same = bits::or(&both_null, &bits::and(&equal, &bits::and(&a, &b)));
        let chosen = if negated { same } else { bits::not(&same, rows.count) };
        Ok(Value::column(Data::Bool(chosen), None, rows.count))
    })
}

/// NULLIF: the first value, null where the second equals it.
pub(crate) fn null_if() -> Kernel {
    Box::new(|rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let equal = bits(Comparison::Equal, a, b, rows.count);
        let equal = bits::and(&equal, &bits::and(&valid(a, rows.count), &valid(b, rows.count)));
        let kept = bits::minus(&valid(a, rows.count), &equal);
        let mut vector = a.clone().spread(rows.count)?;
        vector.validity = (kept != bits::filled(rows.count, true)).then_some(kept);
        Ok(Value { vector: vector.into(), scalar: false })
    })
}

/// The values of an IN list.
pub(crate) enum Set {
    Numbers(Vec<i64>),
    Texts(HashSet<Vec<u8>>),
}

impl Set {
    /// A set of literals; none for types that are compared one by one.
    pub(crate) fn of(literals: &[Value]) -> Option<Set> {
        let mut numbers = Vec::new();
        let mut texts = HashSet::new();
        for literal in literals {
            match literal.data() {
                Data::Int32(_) => numbers.push(i64::from(literal.int32s().get(0))),
                Data::Int64(_) => numbers.push(literal.int64s().get(0)),
                Data::Text(_) => {
                    texts.insert(literal.strings().bytes(0).to_vec());
                }
                _ => return None,
            }
        }
        numbers.sort_unstable();
        Some(if texts.is_empty() { Set::Numbers(numbers) } else { Set::Texts(texts) })
    }

    fn matches(&self, value: &Value, rows: usize) -> Vec<u8> {
        match (self, value.data()) {
            (Set::Numbers(set), Data::Int32(_)) => {
                member(value.int32s(), rows, |v| set.binary_search(&i64::from(v)).is_ok())
            }
            (Set::Numbers(set), _) => member(value.int64s(), rows, |v| set.binary_search(&v).is_ok()),
            (Set::Texts(set), _) => {
                let texts = value.strings();
                bits::pack(rows, |row| set.contains(texts.bytes(row)))
            }
        }
    }
}

fn member<T: Copy>(values: Slice<'_, T>, rows: usize, test: impl Fn(T) -> bool) -> Vec<u8> {
    match values {
        Slice::Column(values) => bits::pack_slice(values, test),
        Slice::One(value) => bits::filled(rows, test(value)),
    }
}

/// `IN` a list of literals. With a null in the list, what is not found is unknown.
pub(crate) fn within(literals: Vec<Value>, with_null: bool, negated: bool) -> Kernel {
    let set = if literals.len() > 8 { Set::of(&literals) } else { None };
    Box::new(move |rows: Rows<'_>, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let found = match &set {
            Some(set) => set.matches(value, rows.count),
            None => literals.iter().fold(bits::filled(rows.count, false), |found, literal| {
                bits::or(&found, &bits(Comparison::Equal, value, literal, rows.count))
            }),
        };
        let validity = present(&arguments, rows.count);
        let validity = if with_null { bits::both(validity.as_deref(), Some(&found)) } else { validity };
        let chosen = if negated { bits::not(&found, rows.count) } else { found };
        Ok(Value::column(Data::Bool(chosen), validity, rows.count))
    })
}

/// How two rows of columns of one type are ordered.
fn order(a: &Value, b: &Value, row: usize) -> Ordering {
    match a.data() {
        Data::Int32(_) => a.int32s().get(row).cmp(&b.int32s().get(row)),
        Data::Int64(_) => a.int64s().get(row).cmp(&b.int64s().get(row)),
        Data::UInt64(_) => a.uint64s().get(row).cmp(&b.uint64s().get(row)),
        Data::Decimal(_) => a.decimals().get(row).cmp(&b.decimals().get(row)),
        Data::Float64(_) => {
            let (a, b) = (a.float64s().get(row), b.float64s().get(row));
            a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        _ => Ordering::Equal,
    }
}

/// GREATEST or LEAST of what is not null.
pub(crate) fn extreme(greatest: bool, ty: Type) -> Kernel {
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    Box::new(move |rows, arguments| {
        let texts: Vec<_> = arguments.iter().map(Value::strings).collect();
        let text = matches!(ty, Type::Utf8 | Type::Binary);
        let mut taken = vec![bits::filled(rows.count, false); arguments.len()];
        for row in 0..rows.count {
            let mut best: Option<(usize, &Value)> = None;
            for (at, value) in arguments.iter().enumerate() {
                if !value.valid(row) {
                    continue;
                }
                let better = best.is_none_or(|(other, best)| {
                    let found = match (texts.get(at), texts.get(other)) {
                        (Some(a), Some(b)) if text => a.bytes(row).cmp(b.bytes(row)),
                        _ => order(value, best, row),
                    };
                    found == wanted
                });
                if better {
                    best = Some((at, value));
                }
            }
            if let Some(taken) = best.and_then(|(at, _)| taken.get_mut(at)) {
                bits::set(taken, row, true);
            }
        }
        super::choose::merge(arguments.into_iter().zip(taken).collect(), &ty, rows.count)
    })
}
