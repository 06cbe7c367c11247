//! Writing in large blocks, compressed where wanted.

use std::fs::File;
use std::io::{self, Write};

use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many bytes are gathered before they go to the file: each write crosses from the sandbox to the system.
const BLOCK: usize = 256 * 1024;

/// How a text file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, as `gunzip` and nearly every reader understand it.
    Gzip,
}

impl Compression {
    /// What was asked for; without a word it is gzip for a path that ends in `.gz`.
    #[must_use]
    pub fn chosen(asked: Option<Self>, path: &str) -> Self {
        asked.unwrap_or(if path.ends_with(".gz") { Self::Gzip } else { Self::None })
    }
}

enum Sink {
    Plain(File),
    Gzip(Box<GzEncoder<File>>),
}

/// A file that is written in blocks of 256 KiB.
pub struct BlockWriter {
    block: Vec<u8>,
    sink: Sink,
}

impl BlockWriter {
    pub(crate) fn new(file: File, compression: Compression) -> Self {
        let sink = match compression {
            Compression::None => Sink::Plain(file),
            Compression::Gzip => Sink::Gzip(Box::new(GzEncoder::new(file, flate2::Compression::default()))),
        };
        Self { block: Vec::with_capacity(BLOCK), sink }
    }

    /// The block to append to. Call [`BlockWriter::flush_full`] every few rows.
    pub fn block(&mut self) -> &mut Vec<u8> {
        &mut self.block
    }

    /// Hands the block on if it is about full.
    ///
    /// # Errors
    /// What the file says.
    pub fn flush_full(&mut self) -> io::Result<()> {
        if self.block.len() >= BLOCK - BLOCK / 8 { self.flush_block() } else { Ok(()) }
    }

    fn flush_block(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Plain(file) => file.write_all(&self.block)?,
            Sink::Gzip(encoder) => encoder.write_all(&self.block)?,
        }
        self.block.clear();
        Ok(())
    }

    /// Writes what is left, ends the compressed stream and makes the file durable; its length in bytes.
    pub(crate) fn end(mut self) -> io::Result<u64> {
        self.flush_block()?;
        let file = match self.sink {
            Sink::Plain(file) => file,
            Sink::Gzip(encoder) => encoder.finish()?,
        };
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

impl Write for BlockWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() + bytes.len() > BLOCK && !self.block.is_empty() {
            self.flush_block()?;
        }
        if bytes.len() >= BLOCK {
            match &mut self.sink {
                Sink::Plain(file) => file.write_all(bytes)?,
                Sink::Gzip(encoder) => encoder.write_all(bytes)?,
            }
        } else {
            self.block.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    /// Nothing: `prepare` is what makes bytes durable.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
