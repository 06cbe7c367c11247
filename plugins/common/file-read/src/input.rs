//! Reading a file as plain bytes, whatever it was compressed with.

use crate::mark::{HEAD_BYTES, TAIL_BYTES, digest, hex};
use crate::{FileError, Mark, Source};
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use twox_hash::xxhash3_128::Hasher;

/// How files are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// told by the first bytes of each file
    #[default]
    Auto,
    /// not compressed
    None,
    /// gzip, of one or several members
    Gzip,
    /// Zstandard, of one or several frames, with a window of at most 128 MiB
    Zstd,
}

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Compressed bytes are read in pieces of this size.
const COMPRESSED_BUFFER_BYTES: usize = 128 * 1024;

type Buffered = BufReader<Counting>;

enum Decoder {
    Plain(Counting),
    Gzip(Box<MultiGzDecoder<Buffered>>),
    Zstd(Box<Zstd>),
}

/// An open file, decompressed as it is read.
pub struct Input {
    path: String,
    read: Arc<AtomicU64>,
    decoder: Decoder,
    /// nothing behind this is read
    end: Option<u64>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Input {
    /// Opens `source`.
    ///
    /// # Errors
    /// The file cannot be opened, or does not begin as the named compression does.
    pub fn open(source: &Source, compression: Compression) -> Result<Self, FileError> {
        let path = source.path.clone();
        let mut file = File::open(&path).map_err(|error| FileError::opening(&path, &error))?;
        let mut first = [0_u8; 4];
        let mut got = 0;
        while let Some(rest) = first.get_mut(got..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::opening(&path, &error)),
            }
        }
        let first = first.get(..got).unwrap_or_default();
        let compression = match compression {
            Compression::Auto if first.starts_with(GZIP_MAGIC) => Compression::Gzip,
            Compression::Auto if first == ZSTD_MAGIC => Compression::Zstd,
            Compression::Auto => Compression::None,
            // Nothing is nothing, whatever it is called.
            _ if first.is_empty() => Compression::None,
            given => given,
        };
        let read = Arc::new(AtomicU64::new(0));
        let counting = Counting {
            first: first.to_vec(),
            taken: 0,
            file,
            left: source.end.unwrap_or(u64::MAX),
            hasher: source.is_hashed().then(|| Box::new(Hasher::new())),
            read: Arc::clone(&read),
        };
        let decoder = match compression {
            Compression::Gzip => {
                if !first.starts_with(GZIP_MAGIC) {
                    return Err(not_compressed(&path, "gzip"));
                }
                Decoder::Gzip(Box::new(MultiGzDecoder::new(buffered(counting))))
            }
            Compression::Zstd => {
                // A skippable frame (0x184D2A5?) may stand in front.
                let skippable =
                    first.first().is_some_and(|b| b & 0xf0 == 0x50) && first.get(1..) == Some(&[0x2a, 0x4d, 0x18]);
                if first != ZSTD_MAGIC && !skippable {
                    return Err(not_compressed(&path, "zstd"));
                }
                Decoder::Zstd(Box::new(Zstd::new(buffered(counting))))
            }
            Compression::Auto | Compression::None => match foreign(first) {
                Some(what) => return Err(FileError::Data(format!("{path} is {what}, not text"))),
                None => Decoder::Plain(counting),
            },
        };
        Ok(Self { path, read, decoder, end: source.end })
    }

    /// Reads some bytes into `into`; 0 at the end.
    ///
    /// # Errors
    /// Reading fails, or the compressed data are damaged or end early.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, FileError> {
        loop {
            let result = match &mut self.decoder {
                Decoder::Plain(file) => file.read(into),
                Decoder::Gzip(gzip) => gzip.read(into),
                Decoder::Zstd(zstd) => zstd.read(into),
            };
            match result {
                Ok(n) => return Ok(n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(match self.decoder {
                        Decoder::Plain(_) => FileError::Unavailable(format!("reading {} failed: {error}", self.path)),
                        Decoder::Gzip(_) => broken(&self.path, "gzip", &error),
                        Decoder::Zstd(_) => broken(&self.path, "zstd", &error),
                    });
                }
            }
        }
    }

    /// Goes on behind `mark`; answers with the first bytes of the file and those before the mark.
    ///
    /// # Errors
    /// Reading fails, or the file is not the one that the mark is of.
    pub(crate) fn jump(&mut self, mark: &Mark) -> Result<(Vec<u8>, Vec<u8>), FileError> {
        let end = self.end;
        let Decoder::Plain(counting) = &mut self.decoder else {
            return Err(FileError::Config(format!("{} is compressed: it cannot be read from within", self.path)));
        };
        let found = bytes_before(&mut counting.file, mark.offset)
            .map_err(|error| FileError::Unavailable(format!("reading {} failed: {error}", self.path)))?;
        let Some((head, tail)) = found.filter(|(head, tail)| digest(head) == mark.head && digest(tail) == mark.tail)
        else {
            return Err(FileError::Unavailable(format!(
                "{} was replaced while it was being opened; try again",
                self.path
            )));
        };
        counting.first.clear();
        counting.left = end.map_or(u64::MAX, |end| end.saturating_sub(mark.offset));
        self.read.store(0, Ordering::Relaxed);
        Ok((head, tail))
    }

    /// How many bytes of the file were read, as they stand on disk, and their digest; none where it was not wanted.
    #[must_use]
    pub fn digest(&self) -> Option<(u64, String)> {
        let counting = match &self.decoder {
            Decoder::Plain(counting) => counting,
            Decoder::Gzip(gzip) => gzip.get_ref().get_ref(),
            Decoder::Zstd(zstd) => zstd.source.get_ref(),
        };
        counting.hasher.as_ref().map(|hasher| (self.bytes_read(), hex(hasher.finish_128())))
    }

    /// Whether the file is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        !matches!(self.decoder, Decoder::Plain(_))
    }

    /// The path as it was opened.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes of the file read so far, as they stand on disk.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

fn buffered(counting: Counting) -> Buffered {
    BufReader::with_capacity(COMPRESSED_BUFFER_BYTES, counting)
}

/// What a file is that is known by its first bytes and is no text.
fn foreign(first: &[u8]) -> Option<&'static str> {
    match first {
        b"PAR1" => Some("a Parquet file"),
        b"PK\x03\x04" => Some("a ZIP file (spreadsheets are such files: save the sheet as CSV)"),
        b"\xd0\xcf\x11\xe0" => Some("an old Office file (save the sheet as CSV)"),
        b"%PDF" => Some("a PDF file"),
        _ => None,
    }
}

fn not_compressed(path: &str, format: &str) -> FileError {
    FileError::Config(format!("{path} is no {format} file; leave out `compression` to have it found out"))
}

fn broken(path: &str, format: &str, error: &std::io::Error) -> FileError {
    let text = error.to_string();
    if error.kind() == ErrorKind::UnexpectedEof || text.contains("failed to fill whole buffer") {
        FileError::Data(format!("{path} ends in the middle of its {format} data; was it copied wholly?"))
    } else {
        FileError::Data(format!("the {format} data of {path} are damaged: {text}"))
    }
}

/// A file of Zstandard frames, one after another.
struct Zstd {
    decoder: FrameDecoder,
    source: Buffered,
    in_frame: bool,
}

impl Zstd {
    fn new(source: Buffered) -> Self {
        Self { decoder: FrameDecoder::new(), source, in_frame: false }
    }

    /// Goes to the next frame, over frames that are to be skipped; false at the end of the file.
    fn next_frame(&mut self) -> std::io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if std::io::copy(&mut (&mut self.source).take(length), &mut std::io::sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(std::io::Error::other(error)),
            }
        }
    }

    fn end_frame(&mut self) -> std::io::Result<()> {
        self.in_frame = false;
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(said), Some(seen)) if said != seen => Err(std::io::Error::other("the checksum does not fit")),
            _ => Ok(()),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.in_frame && !self.next_frame()? {
                return Ok(0);
            }
            let got = self.decoder.read(into)?;
            if got > 0 {
                return Ok(got);
            }
            if self.decoder.is_finished() {
                self.end_frame()?;
            } else {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(std::io::Error::other)?;
            }
        }
    }
}

/// The first bytes of a file and those before `offset`, so many as a mark digests; none where the file is shorter. The file
/// stands at `offset` then.
pub(crate) fn bytes_before(file: &mut File, offset: u64) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut read = |from: u64, most: usize| {
        let bytes = (offset - from).min(most as u64);
        file.seek(SeekFrom::Start(from))?;
        let mut into = Vec::new();
        (&mut *file).take(bytes).read_to_end(&mut into)?;
        Ok::<_, std::io::Error>((into.len() as u64 == bytes).then_some(into))
    };
    let head = read(0, HEAD_BYTES)?;
    let tail = read(offset.saturating_sub(TAIL_BYTES as u64), TAIL_BYTES)?;
    Ok(head.zip(tail))
}

/// How many bytes a file has, up to `end`, and their digest.
pub(crate) fn digest_of(source: &Source) -> Result<(u64, String), FileError> {
    let hashed = Source { hashed: true, ..source.clone() };
    let mut input = Input::open(&hashed, Compression::None)?;
    let mut buffer = vec![0; COMPRESSED_BUFFER_BYTES];
    while input.read(&mut buffer)? > 0 {}
    input.digest().ok_or_else(|| FileError::Data(format!("{} has no digest", source.path)))
}

/// The file, with its first bytes given back, and a count and the digest of what was read.
struct Counting {
    first: Vec<u8>,
    taken: usize,
    file: File,
    /// bytes that may still be read
    left: u64,
    hasher: Option<Box<Hasher>>,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let Some(into) = into.get_mut(..most) else { return Ok(0) };
        let got = match self.first.get(self.taken..) {
            Some(mut rest) if !rest.is_empty() => {
                let got = rest.read(into)?;
                self.taken += got;
                got
            }
            _ => self.file.read(into)?,
        };
        if let Some(hasher) = &mut self.hasher {
            hasher.write(into.get(..got).unwrap_or_default());
        }
        self.left -= got as u64;
        self.read.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8], compression: Compression) -> Result<Vec<u8>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f").to_str().unwrap().to_owned();
        std::fs::write(&path, bytes).unwrap();
        let run = || {
            let mut input = Input::open(&Source::new(path.clone(), 0), compression)?;
            let mut all = Vec::new();
            let mut piece = [0; 1000];
            loop {
                match input.read(&mut piece)? {
                    0 => break,
                    n => all.extend_from_slice(&piece[..n]),
                }
            }
            assert_eq!(input.bytes_read(), bytes.len() as u64);
            Ok(all)
        };
        run().map_err(|error: FileError| error.to_string().replace(&path, "F"))
    }

    fn text() -> Vec<u8> {
        (0..50_000).flat_map(|i| format!("{i},{}\n", i * 7).into_bytes()).collect()
    }

    #[test]
    fn plain_gzip_and_zstd_are_found_out() {
        let text = text();
        for bytes in [text.clone(), gzip(&text), zstd(&text)] {
            assert_eq!(read(&bytes, Compression::Auto).unwrap(), text);
        }
        for bytes in [&b""[..], b"a", b"\x1f", b"ab\n"] {
            assert_eq!(read(bytes, Compression::Auto).unwrap(), bytes);
        }
        assert_eq!(read(&gzip(b""), Compression::Auto).unwrap(), b"");
        let empty_zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x24, 0, 1, 0, 0, 0x99, 0xe9, 0xd8, 0x51];
        assert_eq!(read(&empty_zstd, Compression::Auto).unwrap(), b"");
        assert_eq!(read(b"", Compression::Gzip).unwrap(), b"");
    }

    #[test]
    fn several_members_and_frames_are_one_text() {
        let text = text();
        let twice = [text.clone(), text.clone()].concat();
        assert_eq!(read(&[gzip(&text), gzip(&text)].concat(), Compression::Auto).unwrap(), twice);
        let skip = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..]].concat();
        assert_eq!(read(&[zstd(&text), skip.clone(), zstd(&text)].concat(), Compression::Auto).unwrap(), twice);
        assert_eq!(read(&[skip, zstd(&text)].concat(), Compression::Zstd).unwrap(), text);
    }

    #[test]
    fn what_is_damaged_is_told() {
        let (gz, zs) = (gzip(&text()), zstd(&text()));
        assert_eq!(
            read(&gz[..gz.len() / 2], Compression::Auto).unwrap_err(),
            "F ends in the middle of its gzip data; was it copied wholly?"
        );
        for cut in [5, 10, zs.len() / 2, zs.len() - 1] {
            let message = read(&zs[..cut], Compression::Auto).unwrap_err();
            assert_eq!(message, "F ends in the middle of its zstd data; was it copied wholly?", "{cut}");
        }
        let mut bad = gz.clone();
        bad[gz.len() / 2] ^= 0x55;
        assert!(read(&bad, Compression::Auto).unwrap_err().starts_with("the gzip data of F are damaged"));
        let mut bad = zs.clone();
        bad[zs.len() / 2] ^= 0x55;
        assert!(read(&bad, Compression::Auto).unwrap_err().starts_with("the zstd data of F are damaged"));
        assert_eq!(
            read(b"a,b\n", Compression::Gzip).unwrap_err(),
            "F is no gzip file; leave out `compression` to have it found out"
        );
    }
}
