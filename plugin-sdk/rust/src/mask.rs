//! One bit a row.

use std::fmt;

/// One bit a row: which rows to keep, or which break a rule.
///
/// ```
/// use sluicebox_stage::Mask;
/// let mut late = Mask::from_bools([true, false, true]);
/// late.set(1, true);
/// assert_eq!(late.count_ones(), 3);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mask {
    // bits past `rows` are 0
    bits: Vec<u8>,
    rows: usize,
}

impl Mask {
    /// A mask of `rows` rows, all with the bit `value`.
    pub fn new(rows: usize, value: bool) -> Self {
        let mut mask = Self { bits: vec![if value { 0xff } else { 0 }; rows.div_ceil(8)], rows };
        mask.clear_tail();
        mask
    }

    /// No row.
    pub fn none(rows: usize) -> Self {
        Self::new(rows, false)
    }

    /// Every row.
    pub fn all(rows: usize) -> Self {
        Self::new(rows, true)
    }

    /// A mask of bits that are already packed, least significant first; too short is filled with 0, too long is cut.
    pub fn from_bits(mut bits: Vec<u8>, rows: usize) -> Self {
        bits.resize(rows.div_ceil(8), 0);
        let mut mask = Self { bits, rows };
        mask.clear_tail();
        mask
    }

    /// A mask of one bit for each item.
    pub fn from_bools(values: impl IntoIterator<Item = bool>) -> Self {
        let values = values.into_iter();
        let mut bits = Vec::with_capacity(values.size_hint().0.div_ceil(8));
        let (mut byte, mut rows) = (0u8, 0usize);
        for value in values {
            byte |= u8::from(value) << (rows % 8);
            rows += 1;
            if rows.is_multiple_of(8) {
                bits.push(byte);
                byte = 0;
            }
        }
        if !rows.is_multiple_of(8) {
            bits.push(byte);
        }
        Self { bits, rows }
    }

    /// A mask whose bit of row `i` is `keep(i)`.
    pub fn from_fn(rows: usize, keep: impl FnMut(usize) -> bool) -> Self {
        Self::from_bools((0..rows).map(keep))
    }

    /// How many rows it speaks of.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The bit of a row; false past the end.
    pub fn get(&self, row: usize) -> bool {
        row < self.rows && bit(&self.bits, row)
    }

    /// Sets the bit of a row; past the end nothing happens.
    pub fn set(&mut self, row: usize, value: bool) {
        if row >= self.rows {
            return;
        }
        if let Some(byte) = self.bits.get_mut(row / 8) {
            let one = 1u8 << (row % 8);
            *byte = if value { *byte | one } else { *byte & !one };
        }
    }

    /// The rows that are in both; rows that the other does not have are out.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.bits.iter_mut().zip(other.bits.iter().chain(std::iter::repeat(&0))).for_each(|(a, b)| *a &= b);
        self
    }

    /// The rows that are in one or both.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.bits.iter_mut().zip(&other.bits).for_each(|(a, b)| *a |= b);
        self.clear_tail();
        self
    }

    /// The rows that are not in it.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // a method like `and` and `or`
    pub fn not(mut self) -> Self {
        self.bits.iter_mut().for_each(|byte| *byte = !*byte);
        self.clear_tail();
        self
    }

    /// How many bits are 1.
    pub fn count_ones(&self) -> usize {
        count_ones(&self.bits)
    }

    /// Whether a bit is 1.
    pub fn any(&self) -> bool {
        self.bits.iter().any(|byte| *byte != 0)
    }

    /// The bits in order of the rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        (0..self.rows).map(|row| bit(&self.bits, row))
    }

    /// The rows whose bit is 1, in order.
    pub fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.bits.iter().enumerate().filter(|(_, byte)| **byte != 0).flat_map(|(index, byte)| {
            let byte = *byte;
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| index * 8 + bit)
        })
    }

    /// The packed bits, least significant first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// The packed bits themselves, least significant first.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bits
    }

    fn clear_tail(&mut self) {
        if !self.rows.is_multiple_of(8)
            && let Some(last) = self.bits.last_mut()
        {
            *last &= (1u8 << (self.rows % 8)) - 1;
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} of {} rows)", self.count_ones(), self.rows)
    }
}

impl FromIterator<bool> for Mask {
    fn from_iter<I: IntoIterator<Item = bool>>(values: I) -> Self {
        Self::from_bools(values)
    }
}

/// A bit of packed bits; false past the end.
#[inline]
pub(crate) fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

/// How many bits are 1.
pub(crate) fn count_ones(bits: &[u8]) -> usize {
    let (words, rest) = bits.as_chunks::<8>();
    let whole: usize = words.iter().map(|word| u64::from_le_bytes(*word).count_ones() as usize).sum();
    whole + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn agrees_with_a_list_of_bools() {
        for rows in [0usize, 1, 7, 8, 9, 63, 64, 65, 200] {
            let a: Vec<bool> = (0..rows).map(|i| i % 3 == 0).collect();
            let b: Vec<bool> = (0..rows).map(|i| i % 5 < 2).collect();
            let (ma, mb) = (Mask::from_bools(a.clone()), Mask::from_bools(b.clone()));
            let list = |mask: &Mask| mask.iter().collect::<Vec<_>>();
            assert_eq!(list(&ma), a);
            assert_eq!(ma.count_ones(), a.iter().filter(|x| **x).count());
            assert_eq!(ma.ones().collect::<Vec<_>>(), (0..rows).filter(|i| a[*i]).collect::<Vec<_>>());
            assert_eq!(list(&ma.clone().and(&mb)), (0..rows).map(|i| a[i] && b[i]).collect::<Vec<_>>());
            assert_eq!(list(&ma.clone().or(&mb)), (0..rows).map(|i| a[i] || b[i]).collect::<Vec<_>>());
            assert_eq!(list(&ma.clone().not()), a.iter().map(|x| !x).collect::<Vec<_>>());
            assert_eq!(Mask::all(rows).count_ones(), rows);
            assert_eq!(Mask::all(rows).not(), Mask::none(rows));
            assert_eq!(Mask::from_bits(ma.clone().into_bytes(), rows), ma);
            assert_eq!(ma.as_bytes().len(), rows.div_ceil(8));
        }
    }

    #[test]
    fn rows_past_the_end_are_false_and_stay_so() {
        let mut mask = Mask::none(3);
        mask.set(3, true);
        mask.set(900, true);
        assert!(!mask.any() && !mask.get(3) && !mask.get(900));
        mask.set(2, true);
        assert!(mask.get(2));
        mask.set(2, false);
        assert!(!mask.any());
        assert_eq!(Mask::all(10).and(&Mask::all(3)).count_ones(), 3);
        assert_eq!(Mask::none(3).or(&Mask::all(10)).count_ones(), 3);
    }
}
