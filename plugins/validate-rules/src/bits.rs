//! One bit a row, made eight rows at a time.

/// Bits of `test` over the values; eight at a time, so that the loop is free of branches.
pub(crate) fn of_values<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Vec<u8> {
    let (groups, tail) = values.as_chunks::<8>();
    let mut bits = Vec::with_capacity(values.len().div_ceil(8));
    for group in groups {
        let mut byte = 0;
        for (place, value) in group.iter().enumerate() {
            byte |= u8::from(test(*value)) << place;
        }
        bits.push(byte);
    }
    if !tail.is_empty() {
        bits.push(tail.iter().enumerate().fold(0, |byte, (place, value)| byte | u8::from(test(*value)) << place));
    }
    bits
}

/// Bits of `test` over the texts of a variable-width column.
pub(crate) fn of_texts(offsets: &[i32], data: &[u8], mut test: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut bits = vec![0; offsets.len().saturating_sub(1).div_ceil(8)];
    for (row, ends) in offsets.windows(2).enumerate() {
        #[allow(clippy::cast_sign_loss, reason = "offsets are never negative; a negative one finds no data")]
        let text = match ends {
            [start, end] => data.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        };
        if test(text)
            && let Some(byte) = bits.get_mut(row / 8)
        {
            *byte |= 1 << (row % 8);
        }
    }
    bits
}

/// Only the rows that are present.
pub(crate) fn keep_present(mut bits: Vec<u8>, validity: Option<&[u8]>) -> Vec<u8> {
    if let Some(validity) = validity {
        bits.iter_mut().zip(validity).for_each(|(byte, present)| *byte &= present);
    }
    bits
}

/// Bit `row`.
#[inline]
pub(crate) fn get(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}
