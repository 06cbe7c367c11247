//! Dictionaries: the distinct values of a column chunk in the order in which they came.

/// An open table of at most half its slots; 0 is an empty slot, any other the index of an entry plus 1.
struct Slots {
    slots: Vec<u32>,
    used: usize,
}

impl Slots {
    fn new() -> Self {
        Self { slots: vec![0; 1024], used: 0 }
    }

    #[inline]
    fn mask(&self) -> usize {
        self.slots.len() - 1
    }

    /// The slots are made anew at twice the size once they are half full; `hash` gives that of an entry.
    #[cold]
    fn grow(&mut self, hash: impl Fn(u32) -> u64) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; old.len() * 2];
        let mask = self.mask();
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let mut at = place(hash(slot - 1)) & mask;
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & mask;
            }
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
    }
}

/// The high half of a hash says where to look first.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "32 bits are kept")]
fn place(hash: u64) -> usize {
    (hash >> 32) as usize
}

#[inline]
fn hash_of(key: u64) -> u64 {
    (key ^ key >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Values of up to 8 bytes, as their bits.
pub(crate) struct FixedDictionary {
    slots: Slots,
    keys: Vec<u64>,
}

impl FixedDictionary {
    pub(crate) fn new() -> Self {
        Self { slots: Slots::new(), keys: Vec::new() }
    }

    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The index of a value, new or old.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the mask keeps places inside, and a slot names an entry that is there")]
    pub(crate) fn index_of(&mut self, key: u64) -> u32 {
        let mask = self.slots.mask();
        let mut at = place(hash_of(key)) & mask;
        loop {
            let slot = self.slots.slots[at];
            if slot == 0 {
                return self.insert(at, key);
            }
            if self.keys[slot as usize - 1] == key {
                return slot - 1;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn insert(&mut self, at: usize, key: u64) -> u32 {
        self.keys.push(key);
        let slot = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        if let Some(free) = self.slots.slots.get_mut(at) {
            *free = slot;
        }
        self.slots.used += 1;
        if self.slots.used * 2 > self.slots.slots.len() {
            let keys = &self.keys;
            self.slots.grow(|entry| hash_of(keys.get(entry as usize).copied().unwrap_or(0)));
        }
        slot - 1
    }
}

/// Byte strings. Those of at most 7 bytes are looked up as one number, which is most codes, names and tags.
pub(crate) struct BytesDictionary {
    short: FixedDictionary,
    /// of each entry of `short`, its index here
    short_index: Vec<u32>,
    long: Slots,
    offsets: Vec<u32>,
    data: Vec<u8>,
}

impl BytesDictionary {
    pub(crate) fn new() -> Self {
        Self {
            short: FixedDictionary::new(),
            short_index: Vec::new(),
            long: Slots::new(),
            offsets: vec![0],
            data: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Bytes of the entries, with 4 for the length of each.
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() + 4 * self.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|entry| entry_of(&self.offsets, &self.data, entry))
    }

    /// The index of `data[start .. end]`, new or old.
    #[inline]
    pub(crate) fn index_of(&mut self, data: &[u8], start: usize, end: usize) -> u32 {
        let length = end - start;
        if length > 7 {
            return self.index_of_long(data.get(start..end).unwrap_or_default());
        }
        let word = match data.get(start..start + 8).and_then(|bytes| bytes.first_chunk::<8>()) {
            Some(bytes) => u64::from_le_bytes(*bytes) & ((1 << (8 * length)) - 1),
            None => {
                data.get(start..end).unwrap_or_default().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
            }
        };
        let entry = self.short.index_of(word | (length as u64) << 56) as usize;
        match self.short_index.get(entry) {
            Some(index) => *index,
            None => {
                let index = self.push(data.get(start..end).unwrap_or_default());
                self.short_index.push(index);
                index
            }
        }
    }

    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the mask keeps places inside")]
    fn index_of_long(&mut self, value: &[u8]) -> u32 {
        let mask = self.long.mask();
        let mut at = place(hash_bytes(value)) & mask;
        loop {
            let slot = self.long.slots[at];
            if slot == 0 {
                break;
            }
            if entry_of(&self.offsets, &self.data, slot as usize - 1) == value {
                return slot - 1;
            }
            at = (at + 1) & mask;
        }
        let index = self.push(value);
        self.long.slots[at] = index + 1;
        self.long.used += 1;
        if self.long.used * 2 > self.long.slots.len() {
            let (offsets, data) = (&self.offsets, &self.data);
            self.long.grow(|entry| hash_bytes(entry_of(offsets, data, entry as usize)));
        }
        index
    }

    fn push(&mut self, value: &[u8]) -> u32 {
        let index = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.data.extend_from_slice(value);
        self.offsets.push(u32::try_from(self.data.len()).unwrap_or(u32::MAX));
        index
    }
}

#[inline]
fn entry_of<'a>(offsets: &[u32], data: &'a [u8], entry: usize) -> &'a [u8] {
    match offsets.get(entry..).and_then(|rest| rest.first_chunk::<2>()) {
        Some(&[start, end]) => data.get(start as usize..end as usize).unwrap_or_default(),
        None => &[],
    }
}

fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let step = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    let last = tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    hash_of(step(hash, last))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    #[test]
    fn equal_values_share_an_index() {
        let mut fixed = FixedDictionary::new();
        let first: Vec<u32> = (0..5000_u64).map(|value| fixed.index_of(value * 1_000_003)).collect();
        let again: Vec<u32> = (0..5000_u64).map(|value| fixed.index_of(value * 1_000_003)).collect();
        assert_eq!(first, again);
        assert_eq!(first, (0..5000).collect::<Vec<u32>>());

        let mut bytes = BytesDictionary::new();
        let texts: Vec<String> =
            (0..3000).map(|n| if n % 2 == 0 { format!("{n}") } else { format!("number {n}") }).collect();
        let index = |bytes: &mut BytesDictionary, text: &str| bytes.index_of(text.as_bytes(), 0, text.len());
        let first: Vec<u32> = texts.iter().map(|text| index(&mut bytes, text)).collect();
        let again: Vec<u32> = texts.iter().map(|text| index(&mut bytes, text)).collect();
        assert_eq!(first, again);
        assert_eq!(bytes.len(), 3000);
        assert!(bytes.iter().zip(&texts).all(|(entry, text)| entry == text.as_bytes()));
        // Zero bytes and lengths are told apart.
        let (empty, zero) = (index(&mut bytes, ""), index(&mut bytes, "\0"));
        assert_ne!(empty, zero);
        assert_ne!(index(&mut bytes, "\0\0"), zero);
    }
}
