//! Zstandard, written in pure Rust: fast, and about as small as level 1 of the reference.
//!
//! Each block of 128 KiB is compressed by itself and put into a frame of ours. The compressor's own frames of many blocks
//! are not used: it may refer to a table of a block that it then stored raw, and it cannot be fed bit by bit.

use std::io::{self, Write};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use twox_hash::XxHash64;

/// What a block holds at the most, by the format.
const BLOCK: usize = 128 * 1024;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A window of 128 KiB: no block refers to another.
const WINDOW: u8 = (17 - 10) << 3;
/// What the compressor begins its frames with: the magic number, the descriptor and the window.
const ITS_HEADER: usize = 6;

#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Raw = 0,
    Rle = 1,
    Compressed = 2,
}

/// Appends `bytes`, compressed as one frame that tells its length, as pages of a Parquet file are.
pub fn compress(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    match u32::try_from(bytes.len()) {
        // The length in four bytes.
        Ok(length) => {
            out.extend_from_slice(&[0b1000_0000, WINDOW]);
            out.extend_from_slice(&length.to_le_bytes());
        }
        Err(_) => out.extend_from_slice(&[0, WINDOW]),
    }
    let mut blocks = bytes.chunks(BLOCK).peekable();
    if blocks.peek().is_none() {
        push_block(&[], true, out);
    }
    while let Some(block) = blocks.next() {
        push_block(block, blocks.peek().is_none(), out);
    }
}

/// Appends a block of at most 128 KiB.
fn push_block(block: &[u8], last: bool, out: &mut Vec<u8>) {
    let frame = if block.is_empty() { Vec::new() } else { compress_to_vec(block, CompressionLevel::Fastest) };
    // What it did not shrink, or made in a way that we do not know, is stored as it is.
    let (kind, length, content) = only_block(&frame, block.len()).unwrap_or((Kind::Raw, block.len(), block));
    let header = (length << 3) | (usize::from(kind as u8) << 1) | usize::from(last);
    out.extend(header.to_le_bytes().iter().take(3));
    out.extend_from_slice(content);
}

/// The first block of a frame, and what its header says of its length: that of the content, or of what a repeated byte
/// stands for.
fn only_block(frame: &[u8], of: usize) -> Option<(Kind, usize, &[u8])> {
    let (header, rest) = frame.get(ITS_HEADER..)?.split_first_chunk::<3>()?;
    let [low, middle, high] = header.map(usize::from);
    let header = low | middle << 8 | high << 16;
    let length = header >> 3;
    let known = frame.starts_with(&MAGIC) && frame.get(5) == Some(&WINDOW);
    match (header >> 1) & 3 {
        1 if known && length == of => Some((Kind::Rle, length, rest.get(..1)?)),
        2 if known && length < of => Some((Kind::Compressed, length, rest.get(..length)?)),
        _ => None,
    }
}

/// Compresses what is written to it into one frame with a checksum, as the `zstd` tool makes it.
pub(crate) struct ZstdWriter<W> {
    sink: W,
    block: Vec<u8>,
    checksum: XxHash64,
    begun: bool,
}

impl<W: Write> ZstdWriter<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self { sink, block: Vec::with_capacity(BLOCK), checksum: XxHash64::with_seed(0), begun: false }
    }

    fn end_block(&mut self, last: bool) -> io::Result<()> {
        let mut out = Vec::with_capacity(self.block.len() / 2 + 16);
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(&MAGIC);
            out.extend_from_slice(&[0b0000_0100, WINDOW]);
        }
        push_block(&self.block, last, &mut out);
        if last {
            out.extend(std::hash::Hasher::finish(&self.checksum).to_le_bytes().iter().take(4));
        }
        self.block.clear();
        self.sink.write_all(&out)
    }

    /// Ends the frame.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.end_block(true)?;
        Ok(self.sink)
    }
}

impl<W: Write> Write for ZstdWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.end_block(false)?;
        }
        let taken = bytes.split_at_checked(BLOCK - self.block.len()).map_or(bytes, |(now, _)| now);
        std::hash::Hasher::write(&mut self.checksum, taken);
        self.block.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
