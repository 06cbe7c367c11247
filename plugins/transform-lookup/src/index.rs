//! The table's keys, hashed.

use crate::keys::{Keys, text_at};

/// Rows of the table by their key.
pub(crate) struct Index {
    keys: Keys,
    /// 0 is empty, any other a row plus 1; a power of two, at most half full
    slots: Vec<u32>,
}

impl Index {
    /// Rows with a null in the key are left out. Of equal keys the first row counts; the second value is the first row
    /// whose key was there already.
    pub(crate) fn of(keys: Keys) -> (Self, Option<usize>) {
        let rows = keys.rows();
        let mut index = Self { keys, slots: vec![0; (rows * 2).next_power_of_two().max(16)] };
        let mut duplicate = None;
        for row in 0..rows {
            if !index.keys.is_present(row) {
                continue;
            }
            let (slot, found) = match &index.keys {
                Keys::Numbers { values, .. } => {
                    values.get(row).map_or((0, None), |key| index.probe_number(values, *key))
                }
                Keys::Bytes { offsets, data, .. } => index.probe_bytes(offsets, data, text_at(offsets, data, row)),
            };
            if found.is_some() {
                duplicate = duplicate.or(Some(row));
            } else if let (Some(place), Ok(number)) = (index.slots.get_mut(slot), u32::try_from(row + 1)) {
                *place = number;
            }
        }
        (index, duplicate)
    }

    /// Calls `each` with every row of a batch and the row of the table that it finds.
    #[inline]
    pub(crate) fn find(&self, keys: &Keys, mut each: impl FnMut(usize, Option<u32>)) {
        match (&self.keys, keys) {
            (Keys::Numbers { values: ours, .. }, Keys::Numbers { values, .. }) => {
                for (row, key) in values.iter().enumerate() {
                    let found = if keys.is_present(row) { self.probe_number(ours, *key).1 } else { None };
                    each(row, found);
                }
            }
            (Keys::Bytes { offsets: our_offsets, data: ours, .. }, Keys::Bytes { offsets, data, .. }) => {
                for row in 0..keys.rows() {
                    let key = text_at(offsets, data, row);
                    let found = if keys.is_present(row) { self.probe_bytes(our_offsets, ours, key).1 } else { None };
                    each(row, found);
                }
            }
            // `open` saw to it that both inputs have keys of one form.
            _ => (0..keys.rows()).for_each(|row| each(row, None)),
        }
    }

    /// The slot where the search ended, and the row found there.
    #[inline]
    fn probe_number(&self, ours: &[i64], key: i64) -> (usize, Option<u32>) {
        self.probe(mix(key.cast_unsigned()), |row| ours.get(row) == Some(&key))
    }

    #[inline]
    fn probe_bytes(&self, offsets: &[i32], ours: &[u8], key: &[u8]) -> (usize, Option<u32>) {
        self.probe(hash_bytes(key), |row| text_at(offsets, ours, row) == key)
    }

    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the mask keeps places inside the slots")]
    fn probe(&self, hash: u64, is_same: impl Fn(usize) -> bool) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        #[allow(clippy::cast_possible_truncation, reason = "the mask takes the low bits anyway")]
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return (at, None);
            }
            if is_same(slot as usize - 1) {
                return (at, Some(slot - 1));
            }
            at = (at + 1) & mask;
        }
    }
}

#[inline]
fn mix(key: u64) -> u64 {
    (key ^ key >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[inline]
fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let step = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    mix(step(hash, tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))))
}
