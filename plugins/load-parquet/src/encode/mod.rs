//! Columns into Parquet pages.
//!
//! The `parquet` crate frames pages and writes the footer. The encoding itself is here, for two reasons: it works on
//! the buffers that come from the host as they are (a validity bitmap *is* a bit-packed run of definition levels), and
//! pages are kept compressed until their row group is full, so that memory does not grow with the width of a table.

mod bounds;
mod chunk;
mod codec;
mod data;
mod dictionary;
mod levels;

pub(crate) use chunk::{ChunkEncoder, EncodedChunk, Settings};
pub(crate) use codec::Codec;
pub(crate) use data::{Data, Physical};
