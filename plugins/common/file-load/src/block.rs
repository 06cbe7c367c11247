//! Writing in large blocks, compressed where wanted.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::disk::Out;
use crate::zstd::ZstdWriter;

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
    /// Zstandard at a fast level, as `unzstd` and many readers understand it: made in less time than gzip, and larger.
    Zstd,
}

impl Compression {
    /// What was asked for; without a word it is what the path ends in, `.gz` or `.zst`.
    #[must_use]
    pub fn chosen(asked: Option<Self>, path: &str) -> Self {
        asked.unwrap_or(match path {
            gzip if gzip.ends_with(".gz") => Self::Gzip,
            zstd if zstd.ends_with(".zst") => Self::Zstd,
            _ => Self::None,
        })
    }

    /// What a file's name ends in, e.g. ".csv.gz" for ".csv".
    #[must_use]
    pub fn extension(self, of: &str) -> String {
        let more = match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        };
        format!("{of}{more}")
    }
}

enum Sink {
    Plain(Box<Out>),
    Gzip(Box<GzEncoder<Out>>),
    Zstd(Box<ZstdWriter<Out>>),
}

impl Sink {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }
}

/// A file that is written in blocks of 256 KiB.
pub struct BlockWriter {
    block: Vec<u8>,
    sink: Sink,
}

impl BlockWriter {
    pub(crate) fn new(out: Out, compression: Compression) -> Self {
        let sink = match compression {
            Compression::None => Sink::Plain(Box::new(out)),
            Compression::Gzip => Sink::Gzip(Box::new(GzEncoder::new(out, flate2::Compression::default()))),
            Compression::Zstd => Sink::Zstd(Box::new(ZstdWriter::new(out))),
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

    pub(crate) fn flush_block(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Writes what is left, ends the compressed stream and makes the file durable; its length in bytes and the digest
    /// of them.
    pub(crate) fn end(mut self) -> io::Result<(u64, String)> {
        self.flush_block()?;
        let out = match self.sink {
            Sink::Plain(out) => *out,
            Sink::Gzip(encoder) => encoder.finish()?,
            Sink::Zstd(encoder) => encoder.finish()?,
        };
        out.end()
    }
}

impl Write for BlockWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() + bytes.len() > BLOCK && !self.block.is_empty() {
            self.flush_block()?;
        }
        if bytes.len() >= BLOCK {
            self.sink.write_all(bytes)?;
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
