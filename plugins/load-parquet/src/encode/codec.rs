//! Compression of pages.

use std::io::Write;

use parquet::basic::Compression;
use parquet::errors::ParquetError;

/// What compresses the pages of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Snappy,
    Lz4,
    Zstd,
    Gzip,
}

impl Codec {
    /// As the file's metadata names it.
    pub(crate) fn name(self) -> Compression {
        match self {
            Self::None => Compression::UNCOMPRESSED,
            Self::Snappy => Compression::SNAPPY,
            Self::Lz4 => Compression::LZ4_RAW,
            Self::Zstd => Compression::ZSTD(parquet::basic::ZstdLevel::default()),
            Self::Gzip => Compression::GZIP(parquet::basic::GzipLevel::default()),
        }
    }

    /// Appends the compressed bytes to nothing: `out` is cleared first.
    pub(crate) fn compress(self, page: &[u8], out: &mut Vec<u8>) -> Result<(), ParquetError> {
        out.clear();
        let failed = |error: String| ParquetError::General(format!("cannot compress a page: {error}"));
        match self {
            Self::None => out.extend_from_slice(page),
            Self::Snappy => {
                out.resize(snap::raw::max_compress_len(page.len()), 0);
                let length =
                    snap::raw::Encoder::new().compress(page, out).map_err(|error| failed(error.to_string()))?;
                out.truncate(length);
            }
            Self::Lz4 => {
                out.resize(lz4_flex::block::get_maximum_output_size(page.len()), 0);
                let length = lz4_flex::block::compress_into(page, out).map_err(|error| failed(error.to_string()))?;
                out.truncate(length);
            }
            Self::Zstd => sluicebox_file_load::zstd::compress(page, out),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut *out, flate2::Compression::default());
                encoder.write_all(page)?;
                encoder.finish()?;
            }
        }
        Ok(())
    }
}
