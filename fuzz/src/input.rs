//! Reads decisions out of bytes. At their end all is zero, so that every input means something.

/// The bytes that are left.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// Reads from the first byte on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was not read.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `end`, which is at most 256; zero where that is zero.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    /// True for one byte in so many; false at the end.
    pub fn one_in(&mut self, chances: u8) -> bool {
        let byte = self.byte();
        byte != 0 && byte.is_multiple_of(chances)
    }

    /// One of some things.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Four bytes as a number.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// Eight bytes as a number.
    pub fn long(&mut self) -> u64 {
        u64::from(self.word()) | u64::from(self.word()) << 32
    }

    /// A number that is mostly small, and sometimes at the edge of what there is.
    pub fn size(&mut self) -> u32 {
        match self.byte() {
            small @ 0..=199 => u32::from(small) % 40,
            medium @ 200..=239 => (u32::from(medium) - 199) * 100 + u32::from(self.byte()),
            240..=247 => self.word(),
            248..=251 => u32::MAX - u32::from(self.byte()),
            _ => 1 << (self.byte() % 32),
        }
    }

    /// So many bytes; zeros where they are at an end.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let (here, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        let mut bytes = here.to_vec();
        bytes.resize(count, 0);
        bytes
    }

    /// A short text, not only of ASCII.
    pub fn text(&mut self) -> String {
        let count = self.below(12);
        String::from_utf8_lossy(&self.bytes(count)).into_owned()
    }
}
