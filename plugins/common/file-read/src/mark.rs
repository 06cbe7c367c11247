//! A place in a file that lines are added to, and how to know the file again.

use serde::{Deserialize, Serialize};
use twox_hash::xxhash3_128::Hasher;

/// So many of a file's first bytes are kept as a digest.
pub(crate) const HEAD_BYTES: usize = 4 * 1024;
/// So many bytes before a mark are kept as a digest.
pub(crate) const TAIL_BYTES: usize = 64 * 1024;

/// The place behind the last record that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// In bytes from the start of the file.
    pub offset: u64,
    /// How many lines stand before it.
    pub line: u64,
    /// The digest of the file's first bytes, up to 4 KiB of those before the mark.
    pub head: String,
    /// The digest of the last bytes before the mark, up to 64 KiB.
    pub tail: String,
}

/// The digest of some bytes: XXH3 of 128 bits, as hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hasher = Hasher::new();
    hasher.write(bytes);
    hex(hasher.finish_128())
}

pub(crate) fn hex(digest: u128) -> String {
    format!("{digest:032x}")
}
