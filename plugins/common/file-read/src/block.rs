//! The buffer through which a file goes: whole records are worked on where they were read, without a copy.

use crate::mark::{HEAD_BYTES, TAIL_BYTES, digest};
use crate::{FileError, Input, Mark};

/// Bytes before and behind the content that may be read (not understood), so that loops can load 8 or 16 bytes at
/// once wherever a field starts or ends.
pub const PAD: usize = 64;

/// A window on a file. Positions are absolute in `bytes()`; the content is `start() .. end()`.
#[derive(Debug)]
pub struct Block {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// bytes that one `fill` aims at
    capacity: usize,
    /// bytes that it may grow to
    capacity_max: usize,
    at_end: bool,
    /// a line end was added
    closed: bool,
    /// where in the file the byte at `PAD` stands
    base: u64,
    trail: Option<Trail>,
}

/// What a mark needs of the bytes that are no longer in the block.
#[derive(Debug, Default)]
struct Trail {
    /// the first bytes of the file
    head: Vec<u8>,
    /// those before the byte at `PAD`
    tail: Vec<u8>,
}

impl Trail {
    fn passed(&mut self, bytes: &[u8]) {
        let new = bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        let keep = (TAIL_BYTES - new.len()).min(self.tail.len());
        self.tail.drain(..self.tail.len() - keep);
        self.tail.extend_from_slice(new);
    }
}

impl Block {
    /// An empty block of `capacity` bytes (at least 1) that grows, up to `capacity_max`, only for a record that is longer.
    #[must_use]
    pub fn new(capacity: usize, capacity_max: usize) -> Self {
        let capacity_max = capacity_max.max(1);
        let capacity = capacity.clamp(1, capacity_max);
        Self {
            buffer: vec![0; capacity + 2 * PAD],
            start: PAD,
            end: PAD,
            capacity,
            capacity_max,
            at_end: false,
            closed: false,
            base: 0,
            trail: None,
        }
    }

    /// The same, able to make marks: to be called before anything is read.
    #[must_use]
    pub fn with_marks(mut self, marks: bool) -> Self {
        self.trail = marks.then(Trail::default);
        self
    }

    /// All bytes, padding included.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Where the content starts.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where the content ends.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }

    /// The content.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether it can take no more, not even by growing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.end - self.start >= self.capacity_max
    }

    /// Whether the file was read to its end.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// Forgets everything and goes on behind `mark`, where the file is still the one that the mark is of.
    ///
    /// # Errors
    /// Those of reading, and where it is another file by now.
    pub fn jump(&mut self, input: &mut Input, mark: &Mark) -> Result<(), FileError> {
        let (head, tail) = input.jump(mark)?;
        self.start = PAD;
        self.end = PAD;
        self.at_end = false;
        self.closed = false;
        self.base = mark.offset;
        if self.trail.is_some() {
            self.trail = Some(Trail { head, tail });
        }
        Ok(())
    }

    /// The mark of a position in the content, before which `line` lines stand.
    #[must_use]
    pub fn mark(&self, position: usize, line: u64) -> Mark {
        let added = usize::from(self.closed && position >= self.end);
        let end = position.clamp(PAD, self.end) - added;
        let offset = self.base + (end - PAD) as u64;
        let Some(trail) = &self.trail else { return Mark { offset, line, ..Mark::default() } };
        let head_bytes = usize::try_from(offset).map_or(HEAD_BYTES, |offset| offset.min(HEAD_BYTES));
        let here = self.buffer.get(PAD..end).unwrap_or_default();
        let here = here.get(here.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        let before = trail.tail.len().saturating_sub(TAIL_BYTES - here.len());
        let tail = [trail.tail.get(before..).unwrap_or_default(), here].concat();
        Mark { offset, line, head: digest(trail.head.get(..head_bytes).unwrap_or(&trail.head)), tail: digest(&tail) }
    }

    /// Passes over content: it now starts at `position`.
    pub fn consume_to(&mut self, position: usize) {
        self.start = position.clamp(self.start, self.end);
    }

    /// Keeps the content, moved to the front, and reads behind it until the block is full or the file ends. A block that
    /// is full of one record grows. False if nothing was added.
    ///
    /// # Errors
    /// Those of reading.
    pub fn fill(&mut self, input: &mut Input) -> Result<bool, FileError> {
        if self.at_end {
            return Ok(false);
        }
        if let Some(trail) = &mut self.trail {
            trail.passed(self.buffer.get(PAD..self.start).unwrap_or_default());
        }
        self.base += (self.start - PAD) as u64;
        self.buffer.copy_within(self.start..self.end, PAD);
        self.end = PAD + (self.end - self.start);
        self.start = PAD;
        let held = self.end - self.start;
        if held >= self.capacity {
            self.capacity = held.saturating_mul(2).min(self.capacity_max);
            self.buffer.resize(self.capacity + 2 * PAD, 0);
        }
        let goal = PAD + self.capacity;
        let before = self.end;
        while let Some(room) = self.buffer.get_mut(self.end..goal).filter(|room| !room.is_empty()) {
            let got = input.read(room)?;
            if got == 0 {
                self.at_end = true;
                break;
            }
            if let Some(trail) = &mut self.trail
                && trail.head.len() < HEAD_BYTES
            {
                let wanted = got.min(HEAD_BYTES - trail.head.len());
                trail.head.extend_from_slice(self.buffer.get(self.end..self.end + wanted).unwrap_or_default());
            }
            self.end += got;
        }
        Ok(self.end > before)
    }

    /// Passes over a byte order mark at the start of a file.
    ///
    /// # Errors
    /// Those of reading, and where the mark is that of UTF-16.
    pub fn skip_mark(&mut self, input: &mut Input) -> Result<(), FileError> {
        while self.content().len() < 3 && self.fill(input)? {}
        let content = self.content();
        if content.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.consume_to(self.start + 3);
        } else if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
            return Err(FileError::Data(format!("{} is UTF-16; convert it to UTF-8 first", input.path())));
        }
        Ok(())
    }

    /// Adds a line end to the last line of a file that has none. The padding makes room for it.
    pub fn close_last_line(&mut self) {
        if self.at_end
            && self.end > self.start
            && !self.content().ends_with(b"\n")
            && let Some(byte) = self.buffer.get_mut(self.end)
        {
            *byte = b'\n';
            self.end += 1;
            self.closed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::{Compression, Source};
    use proptest::prelude::*;

    fn mark_of(content: &[u8], line: u64) -> Mark {
        Mark {
            offset: content.len() as u64,
            line,
            head: digest(&content[..content.len().min(HEAD_BYTES)]),
            tail: digest(&content[content.len().saturating_sub(TAIL_BYTES)..]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Wherever blocks end and reading begins anew, a mark is that of the bytes before it.
        #[test]
        fn marks_are_of_the_bytes_before_them(
            bytes in 1_usize..300_000, capacity in 1_usize..100_000,
            steps in proptest::collection::vec((0_usize..150_000, any::<bool>()), 1..12),
        ) {
            let content: Vec<u8> = (0..bytes).map(|i| (i * i % 251) as u8 + 1).collect();
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f").to_str().unwrap().to_owned();
            std::fs::write(&path, &content).unwrap();
            let source = Source::new(&path, 0);
            let open = || Input::open(&source, Compression::None).unwrap();
            let mut input = open();
            let mut block = Block::new(capacity, 1 << 20).with_marks(true);
            let mut at = 0;
            for (step, anew) in steps {
                while block.content().len() < step && block.fill(&mut input).unwrap() {}
                block.close_last_line();
                let step = step.min(block.content().len());
                let position = block.start() + step;
                at = (at + step).min(bytes);
                let mark = block.mark(position, 7);
                prop_assert_eq!(&mark, &mark_of(&content[..at], 7));
                block.consume_to(position);
                if anew {
                    input = open();
                    block = Block::new(capacity, 1 << 20).with_marks(true);
                    block.jump(&mut input, &mark).unwrap();
                }
            }
        }
    }

    #[test]
    fn another_file_is_noticed_when_reading_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f").to_str().unwrap().to_owned();
        let mark = mark_of(b"abc\n", 1);
        for (content, same) in [("abc\n", true), ("abc\ndef", true), ("abc", false), ("abd\n", false), ("", false)] {
            std::fs::write(&path, content).unwrap();
            let mut input = Input::open(&Source::new(&path, 0), Compression::Auto).unwrap();
            let jumped = Block::new(10, 10).with_marks(true).jump(&mut input, &mark);
            assert_eq!(jumped.is_ok(), same, "{content:?}");
        }
    }
}
