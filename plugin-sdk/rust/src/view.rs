//! Columns by row, without allocation.

use crate::mask::{Mask, bit};

fn valid(validity: Option<&[u8]>, row: usize) -> bool {
    validity.is_none_or(|bits| bit(bits, row))
}

/// Where a row's bytes are.
#[inline]
fn range(offsets: &[i32], row: usize) -> Option<std::ops::Range<usize>> {
    match offsets.get(row..)? {
        [start, end, ..] => Some(usize::try_from(*start).ok()?..usize::try_from(*end).ok()?),
        _ => None,
    }
}

/// Text by row.
///
/// ```
/// use sluicebox_stage::Column;
/// let column = Column::from_options([Some("EWR"), None, Some("")]);
/// let Some(origin) = column.strs() else { panic!("not text") };
/// assert_eq!(origin.get(0), Some("EWR"));
/// assert_eq!(origin.get(1), None);
/// assert_eq!(origin.iter().collect::<Vec<_>>(), [Some("EWR"), None, Some("")]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StrView<'a> {
    offsets: &'a [i32],
    data: &'a str,
    validity: Option<&'a [u8]>,
}

impl<'a> StrView<'a> {
    pub(crate) fn new(offsets: &'a [i32], data: &'a [u8], validity: Option<&'a [u8]>) -> Option<Self> {
        Some(Self { offsets, data: std::str::from_utf8(data).ok()?, validity })
    }

    /// The text of a row; none where it is null or past the end.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        if valid(self.validity, row) { self.value(row) } else { None }
    }

    /// The text of a row, whether it is null or not; none past the end.
    #[inline]
    pub fn value(&self, row: usize) -> Option<&'a str> {
        self.data.get(range(self.offsets, row)?)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&'a str>> + Clone + use<'a> {
        let view = *self;
        (0..view.len()).map(move |row| view.get(row))
    }

    /// One offset more than rows.
    pub fn offsets(&self) -> &'a [i32] {
        self.offsets
    }

    /// The text of all rows, one after another.
    pub fn data(&self) -> &'a str {
        self.data
    }
}

/// Bytes by row.
#[derive(Clone, Copy, Debug)]
pub struct BinaryView<'a> {
    offsets: &'a [i32],
    data: &'a [u8],
    validity: Option<&'a [u8]>,
}

impl<'a> BinaryView<'a> {
    pub(crate) fn new(offsets: &'a [i32], data: &'a [u8], validity: Option<&'a [u8]>) -> Self {
        Self { offsets, data, validity }
    }

    /// The bytes of a row; none where it is null or past the end.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        if valid(self.validity, row) { self.value(row) } else { None }
    }

    /// The bytes of a row, whether it is null or not; none past the end.
    #[inline]
    pub fn value(&self, row: usize) -> Option<&'a [u8]> {
        self.data.get(range(self.offsets, row)?)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&'a [u8]>> + Clone + use<'a> {
        let view = *self;
        (0..view.len()).map(move |row| view.get(row))
    }
}

/// Booleans by row.
#[derive(Clone, Copy, Debug)]
pub struct BitView<'a> {
    bits: &'a [u8],
    validity: Option<&'a [u8]>,
    rows: usize,
}

impl<'a> BitView<'a> {
    pub(crate) fn new(bits: &'a [u8], validity: Option<&'a [u8]>, rows: usize) -> Self {
        Self { bits, validity, rows }
    }

    /// The value of a row; none where it is null or past the end.
    #[inline]
    pub fn get(&self, row: usize) -> Option<bool> {
        (row < self.rows && valid(self.validity, row)).then(|| bit(self.bits, row))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<bool>> + Clone + use<'a> {
        let view = *self;
        (0..view.rows).map(move |row| view.get(row))
    }

    /// The rows that are true; a null is not.
    pub fn to_mask(&self) -> Mask {
        let mask = Mask::from_bits(self.bits.to_vec(), self.rows);
        match self.validity {
            Some(validity) => mask.and(&Mask::from_bits(validity.to_vec(), self.rows)),
            None => mask,
        }
    }
}

/// Decimals by row, unscaled: 12.34 of scale 2 is 1234.
#[derive(Clone, Copy, Debug)]
pub struct DecimalView<'a> {
    values: &'a [[u8; 16]],
    validity: Option<&'a [u8]>,
}

impl<'a> DecimalView<'a> {
    pub(crate) fn new(bytes: &'a [u8], validity: Option<&'a [u8]>, rows: usize) -> Option<Self> {
        let (values, rest) = bytes.as_chunks::<16>();
        (rest.is_empty() && values.len() == rows).then_some(Self { values, validity })
    }

    /// The value of a row; none where it is null or past the end.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i128> {
        let value = self.values.get(row)?;
        valid(self.validity, row).then(|| i128::from_le_bytes(*value))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<i128>> + Clone + use<'a> {
        let view = *self;
        (0..view.len()).map(move |row| view.get(row))
    }
}
