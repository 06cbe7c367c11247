//! Casts between types that are not text.

use crate::{
    bits, calendar,
    kernels::{attempt, decimal, map, present, text_cast},
    node::{Kernel, RowError, Rows},
    types::Type,
    vector::{Data, Slice, Value},
};

/// One step of a cast: the type that it leads to, its kernel, and whether it may fail at a row.
pub(crate) struct Step {
    pub(crate) to: Type,
    pub(crate) kernel: Kernel,
    pub(crate) fallible: bool,
}

/// The steps of a cast; none where there is no cast. With `try_` a value that does not fit becomes null.
pub(crate) fn steps(from: &Type, to: &Type, try_: bool) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut at = from.clone();
    while at != *to {
        let next = next(&at, to)?;
        let (kernel, fallible) = single(&at, &next, to, try_)?;
        steps.push(Step { to: next.clone(), kernel, fallible });
        at = next;
    }
    Some(steps)
}

/// The type that the next step leads to: small types go by way of int64 and float64.
fn next(from: &Type, to: &Type) -> Option<Type> {
    use Type::*;
    let small = |ty: &Type| ty.is_integer() && !matches!(ty, Int64 | UInt64);
    Some(match (from, to) {
        (Boolean, Utf8 | Int64) => to.clone(),
        (Boolean, to) if to.is_integer() || to.is_float() => Int64,
        (from, to) if small(from) && (*to == Boolean || *to == Utf8 || to.is_number()) => Int64,
        (Float32, Utf8 | Float64) => to.clone(),
        (Float32, to) if *to == Boolean || to.is_number() => Float64,
        (Int64, Boolean | Float32 | Float64 | UInt64 | Decimal(..) | Utf8) => to.clone(),
        (UInt64, Int64 | Float32 | Float64 | Decimal(..) | Utf8) => to.clone(),
        (UInt64, Boolean) => Float64,
        (Float64, Boolean | Float32 | Int64 | UInt64 | Decimal(..) | Utf8) => to.clone(),
        (Decimal(..), Decimal(..) | Int64 | UInt64 | Float64 | Utf8) => to.clone(),
        (Decimal(..), Float32) => Float64,
        (Utf8, Float32) => Float64,
        (Utf8, Boolean | Int64 | UInt64 | Float64 | Decimal(..) | Date | Timestamp(_) | Binary) => to.clone(),
        (Int64, to) if small(to) => to.clone(),
        (UInt64 | Float64 | Decimal(..) | Utf8, to) if small(to) => Int64,
        (Binary, Utf8) | (Date, Utf8 | Timestamp(_)) | (Timestamp(_), Utf8 | Date | Timestamp(_)) => to.clone(),
        _ => return None,
    })
}

fn single(from: &Type, to: &Type, wanted: &Type, try_: bool) -> Option<(Kernel, bool)> {
    use Type::*;
    Some(match (from, to) {
        (Utf8, _) | (_, Utf8) => return text_cast::single(from, to, wanted, try_),
        (Boolean, Int64) => (
            kernel(|rows, value| {
                let (set, _) = super::logic::split(value, rows);
                Data::Int64((0..rows).map(|row| i64::from(bits::get(&set, row))).collect())
            }),
            false,
        ),
        (Int64, Boolean) => {
            (kernel(|rows, value| Data::Bool(bits::pack(rows, |row| value.int64s().get(row) != 0))), false)
        }
        (Float64, Boolean) => {
            (kernel(|rows, value| Data::Bool(bits::pack(rows, |row| value.float64s().get(row) != 0.0))), false)
        }
        (Int64, Float64) => (kernel(|rows, value| Data::Float64(map(value.int64s(), rows, |v| v as f64))), false),
        (Int64, Float32) => (kernel(|rows, value| Data::Float32(map(value.int64s(), rows, |v| v as f32))), false),
        (UInt64, Float64) => (kernel(|rows, value| Data::Float64(map(value.uint64s(), rows, |v| v as f64))), false),
        (UInt64, Float32) => (kernel(|rows, value| Data::Float32(map(value.uint64s(), rows, |v| v as f32))), false),
        (Float64, Float32) => (kernel(|rows, value| Data::Float32(map(value.float64s(), rows, |v| v as f32))), false),
        (Float32, Float64) => (
            kernel(|_, value| match value.data() {
                Data::Float32(values) => Data::Float64(values.iter().map(|v| f64::from(*v)).collect()),
                _ => Data::Float64(Vec::new()),
            }),
            false,
        ),
        (Date, Timestamp(zone)) => {
            let ahead = calendar::offset(zone.as_deref())?;
            (
                checked(
                    wanted,
                    try_,
                    Value::int32s,
                    Data::Int64,
                    move |v| i64::from(v).checked_mul(calendar::DAY)?.checked_sub(ahead),
                    |v| v.to_string(),
                ),
                true,
            )
        }
        (Timestamp(zone), Date) => {
            let ahead = calendar::offset(zone.as_deref())?;
            let days = move |v: i64| i32::try_from(v.checked_add(ahead)?.div_euclid(calendar::DAY)).ok();
            (checked(wanted, try_, Value::int64s, Data::Int32, days, |v| v.to_string()), true)
        }
        (Timestamp(_), Timestamp(_)) => (
            Box::new(|_, mut arguments| arguments.pop().ok_or_else(|| RowError::new(0, "an argument is needed"))),
            false,
        ),
        (from, Int64) if from.is_integer() && *from != UInt64 => {
            (kernel(|_, value| Data::Int64(widen(value.data()))), false)
        }
        (Int64, Int8) => (narrow(wanted, try_, Data::Int8), true),
        (Int64, Int16) => (narrow(wanted, try_, Data::Int16), true),
        (Int64, Int32) => (narrow(wanted, try_, Data::Int32), true),
        (Int64, UInt8) => (narrow(wanted, try_, Data::UInt8), true),
        (Int64, UInt16) => (narrow(wanted, try_, Data::UInt16), true),
        (Int64, UInt32) => (narrow(wanted, try_, Data::UInt32), true),
        (Int64, UInt64) => (narrow(wanted, try_, Data::UInt64), true),
        (UInt64, Int64) => {
            (checked(wanted, try_, Value::uint64s, Data::Int64, |v| i64::try_from(v).ok(), |v| v.to_string()), true)
        }
        // 2^63 and 2^64 are the first floats that do not fit.
        (Float64, Int64) => {
            let whole =
                |v: f64| (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&v).then_some(v as i64);
            (checked(wanted, try_, Value::float64s, Data::Int64, whole, |v| v.to_string()), true)
        }
        (Float64, UInt64) => {
            let whole = |v: f64| (v > -1.0 && v < 18_446_744_073_709_551_616.0).then_some(v as u64);
            (checked(wanted, try_, Value::float64s, Data::UInt64, whole, |v| v.to_string()), true)
        }
        (Int64, Decimal(precision, scale)) => {
            let (precision, scale) = (*precision, *scale);
            let value =
                move |v: i64| decimal::rescale(i128::from(v), 0, scale).filter(|v| decimal::fits(*v, precision));
            (checked(wanted, try_, Value::int64s, Data::Decimal, value, |v| v.to_string()), true)
        }
        (UInt64, Decimal(precision, scale)) => {
            let (precision, scale) = (*precision, *scale);
            let value =
                move |v: u64| decimal::rescale(i128::from(v), 0, scale).filter(|v| decimal::fits(*v, precision));
            (checked(wanted, try_, Value::uint64s, Data::Decimal, value, |v| v.to_string()), true)
        }
        (Float64, Decimal(precision, scale)) => {
            let (precision, unit) = (*precision, decimal::unit(*scale));
            let value = move |v: f64| {
                let v = (v * unit).round();
                (v.abs() < 1e38).then_some(v as i128).filter(|v| decimal::fits(*v, precision))
            };
            (checked(wanted, try_, Value::float64s, Data::Decimal, value, |v| v.to_string()), true)
        }
        (Decimal(_, scale), Float64) => {
            let unit = decimal::unit(*scale);
            (kernel(move |rows, value| Data::Float64(map(value.decimals(), rows, |v| v as f64 / unit))), false)
        }
        (Decimal(_, from), Decimal(precision, scale)) => {
            let (from, precision, scale) = (*from, *precision, *scale);
            let value = move |v: i128| decimal::rescale(v, from, scale).filter(|v| decimal::fits(*v, precision));
            (checked(wanted, try_, Value::decimals, Data::Decimal, value, move |v| decimal::format(v, from)), true)
        }
        (Decimal(_, scale), Int64) => {
            let scale = *scale;
            let value = move |v: i128| i64::try_from(whole(v, scale)?).ok();
            (checked(wanted, try_, Value::decimals, Data::Int64, value, move |v| decimal::format(v, scale)), true)
        }
        (Decimal(_, scale), UInt64) => {
            let scale = *scale;
            let value = move |v: i128| u64::try_from(whole(v, scale)?).ok();
            (checked(wanted, try_, Value::decimals, Data::UInt64, value, move |v| decimal::format(v, scale)), true)
        }
        _ => return None,
    })
}

/// The whole part of a decimal.
fn whole(value: i128, scale: i8) -> Option<i128> {
    let unit = decimal::power(u32::from(scale.unsigned_abs()))?;
    if scale < 0 { value.checked_mul(unit) } else { value.checked_div(unit) }
}

/// A cast that fits every value.
fn kernel(of: impl Fn(usize, &Value) -> Data + Send + Sync + 'static) -> Kernel {
    Box::new(move |rows, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        Ok(Value::column(of(rows.count, value), present(&arguments, rows.count), rows.count))
    })
}

fn complaint(value: &str, wanted: &Type) -> String {
    format!("{value} does not fit in {wanted}; try_cast makes it null")
}

/// A cast that not every value fits.
fn checked<T: Copy + Default + 'static, O: Default + Clone + 'static>(
    wanted: &Type,
    try_: bool,
    values: fn(&Value) -> Slice<'_, T>,
    data: fn(Vec<O>) -> Data,
    of: impl Fn(T) -> Option<O> + Send + Sync + 'static,
    show: impl Fn(T) -> String + Send + Sync + 'static,
) -> Kernel {
    let wanted = wanted.clone();
    Box::new(move |rows: Rows<'_>, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let slice = values(value);
        let message = |row: usize| complaint(&show(slice.get(row)), &wanted);
        let (out, validity) = attempt(rows, present(&arguments, rows.count), try_, |row| of(slice.get(row)), message)?;
        Ok(Value::column(data(out), validity, rows.count))
    })
}

fn narrow<T>(wanted: &Type, try_: bool, data: fn(Vec<T>) -> Data) -> Kernel
where
    T: TryFrom<i64> + Default + Clone + 'static,
{
    checked(wanted, try_, Value::int64s, data, |v| T::try_from(v).ok(), |v| v.to_string())
}

fn widen(data: &Data) -> Vec<i64> {
    match data {
        Data::Int8(values) => values.iter().map(|v| i64::from(*v)).collect(),
        Data::Int16(values) => values.iter().map(|v| i64::from(*v)).collect(),
        Data::Int32(values) => values.iter().map(|v| i64::from(*v)).collect(),
        Data::UInt8(values) => values.iter().map(|v| i64::from(*v)).collect(),
        Data::UInt16(values) => values.iter().map(|v| i64::from(*v)).collect(),
        Data::UInt32(values) => values.iter().map(|v| i64::from(*v)).collect(),
        _ => Vec::new(),
    }
}
