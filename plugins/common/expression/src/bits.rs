//! Bitmaps: one bit a row, least significant first, bits behind the last row zero.

/// Bytes that hold `rows` bits.
pub(crate) fn bytes(rows: usize) -> usize {
    rows.div_ceil(8)
}

/// `rows` bits, all of them `set`.
pub(crate) fn filled(rows: usize, set: bool) -> Vec<u8> {
    let mut bits = vec![if set { 0xff } else { 0 }; bytes(rows)];
    trim(&mut bits, rows);
    bits
}

/// Clears what stands behind the last row.
pub(crate) fn trim(bits: &mut Vec<u8>, rows: usize) {
    bits.resize(bytes(rows), 0);
    if !rows.is_multiple_of(8)
        && let Some(last) = bits.last_mut()
    {
        *last &= (1u8 << (rows % 8)) - 1;
    }
}

/// The bit of a row; a row behind the end reads as 0.
pub(crate) fn get(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

pub(crate) fn set(bits: &mut [u8], row: usize, to: bool) {
    if let Some(byte) = bits.get_mut(row / 8) {
        let bit = 1u8 << (row % 8);
        if to { *byte |= bit } else { *byte &= !bit }
    }
}

pub(crate) fn and(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

pub(crate) fn or(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a | b).collect()
}

/// `a` without `b`.
pub(crate) fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a & !b).collect()
}

pub(crate) fn not(a: &[u8], rows: usize) -> Vec<u8> {
    let mut bits = a.iter().map(|a| !a).collect();
    trim(&mut bits, rows);
    bits
}

pub(crate) fn and_in_place(a: &mut [u8], b: &[u8]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
}

/// Rows present in both; none = all.
pub(crate) fn both(a: Option<&[u8]>, b: Option<&[u8]>) -> Option<Vec<u8>> {
    match (a, b) {
        (None, None) => None,
        (Some(a), None) | (None, Some(a)) => Some(a.to_vec()),
        (Some(a), Some(b)) => Some(and(a, b)),
    }
}

pub(crate) fn any(bits: &[u8]) -> bool {
    bits.iter().any(|byte| *byte != 0)
}

/// Packs `of(0), of(1) ...` into bits.
pub(crate) fn pack(rows: usize, mut of: impl FnMut(usize) -> bool) -> Vec<u8> {
    (0..bytes(rows))
        .map(|byte| {
            let first = byte * 8;
            (first..rows.min(first + 8)).fold(0u8, |bits, row| bits | (u8::from(of(row)) << (row - first)))
        })
        .collect()
}

/// Packs a test of each value into bits, eight values a step.
pub(crate) fn pack_slice<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Vec<u8> {
    let mut bits = Vec::with_capacity(bytes(values.len()));
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        let mut byte = 0u8;
        for (bit, value) in chunk.iter().enumerate() {
            byte |= u8::from(test(*value)) << bit;
        }
        bits.push(byte);
    }
    if !rest.is_empty() {
        bits.push(rest.iter().enumerate().fold(0, |byte, (bit, value)| byte | (u8::from(test(*value)) << bit)));
    }
    bits
}

/// Packs a test of each pair of values into bits, eight pairs a step.
pub(crate) fn pack_pairs<A: Copy, B: Copy>(a: &[A], b: &[B], test: impl Fn(A, B) -> bool) -> Vec<u8> {
    let mut bits = Vec::with_capacity(bytes(a.len()));
    let (left, left_rest) = a.as_chunks::<8>();
    let (right, right_rest) = b.as_chunks::<8>();
    for (left, right) in left.iter().zip(right) {
        let mut byte = 0u8;
        for (bit, (a, b)) in left.iter().zip(right).enumerate() {
            byte |= u8::from(test(*a, *b)) << bit;
        }
        bits.push(byte);
    }
    if !left_rest.is_empty() {
        let pairs = left_rest.iter().zip(right_rest).enumerate();
        bits.push(pairs.fold(0, |byte, (bit, (a, b))| byte | (u8::from(test(*a, *b)) << bit)));
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_and_trims() {
        let values: Vec<i32> = (0..19).collect();
        let bits = pack_slice(&values, |v| v % 3 == 0);
        assert_eq!(bits, pack(19, |row| row % 3 == 0));
        assert_eq!(pack_pairs(&values, &values, |a, b| a == b), filled(19, true));
        assert_eq!(not(&filled(19, true), 19), filled(19, false));
        assert!(get(&bits, 18) && !get(&bits, 17) && !get(&bits, 1000));
    }
}
