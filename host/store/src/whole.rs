//! Whether the lengths in a file of Arrow IPC are lengths of what is there.
//!
//! Arrow's readers make room for what a head says before they read it: a damaged head that says much would end the process
//! for want of memory, which nothing catches.

use arrow_ipc::{root_as_footer, root_as_message};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Looks at the heads of a stream that we wrote, and goes back to its beginning; answers with how many record batches can be
/// read. One behind them may be damaged, or not yet written.
///
/// # Errors
/// The schema cannot be read.
pub(crate) fn batches(file: &mut File) -> Result<i64, String> {
    let bytes = size(file)?;
    let (mut at, mut count) = (message(file, 0, bytes)?.ok_or("it is empty")?.behind, 0);
    while let Ok(Some(next)) = message(file, at, bytes) {
        count += i64::from(next.is_batch);
        at = next.behind;
    }
    seek(file, 0)?;
    Ok(count)
}

/// Looks at the footer of a file, and goes back to its beginning.
///
/// # Errors
/// What does not fit, for people.
pub(crate) fn blocks(file: &mut File) -> Result<(), String> {
    const TAIL: u64 = 10; // a length of four bytes, and `ARROW1`
    let bytes = size(file)?;
    let tail = read(file, bytes.checked_sub(TAIL).ok_or("it is cut off")?, TAIL)?;
    let length = tail.first_chunk::<4>().map(|length| u64::from(u32::from_le_bytes(*length)));
    let start = length.and_then(|length| (bytes - TAIL).checked_sub(length)).ok_or("its footer is damaged")?;
    let footer = read(file, start, bytes - TAIL - start)?;
    let footer = root_as_footer(&footer).map_err(|error| format!("its footer is damaged: {error}"))?;
    for block in footer.recordBatches().into_iter().flatten().chain(footer.dictionaries().into_iter().flatten()) {
        let from = u64::try_from(block.offset()).map_err(|_| "a block lies before it")?;
        let metadata = end(from, block.metaDataLength().into(), bytes)?;
        end(metadata, block.bodyLength(), bytes)?;
        message(file, from, bytes)?.ok_or("a block is empty")?;
    }
    seek(file, 0)
}

struct Message {
    is_batch: bool,
    /// Where the next one begins.
    behind: u64,
}

/// The message at a place; none at the end of the stream.
fn message(file: &mut File, at: u64, bytes: u64) -> Result<Option<Message>, String> {
    if at == bytes {
        return Ok(None);
    }
    let prefix = read(file, at, 8)?;
    let number = |from: usize| prefix.get(from..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
    let (Some(u32::MAX), Some(length)) = (number(0), number(4)) else {
        return Err("a head is damaged".to_owned());
    };
    if length == 0 {
        return Ok(None);
    }
    let body = end(at + 8, length.into(), bytes)?;
    let metadata = read(file, at + 8, length.into())?;
    let message = root_as_message(&metadata).map_err(|error| format!("a head is damaged: {error}"))?;
    let batch = message.header_as_record_batch();
    if batch.is_some_and(|batch| batch.compression().is_some()) {
        return Err("it is compressed, which it was not as it was written".to_owned());
    }
    Ok(Some(Message { is_batch: batch.is_some(), behind: end(body, message.bodyLength(), bytes)? }))
}

/// Where something ends that begins at a place and has this length, if that is within the file.
fn end(from: u64, length: i64, bytes: u64) -> Result<u64, String> {
    let end = u64::try_from(length).ok().and_then(|length| from.checked_add(length));
    end.filter(|end| *end <= bytes).ok_or_else(|| "it says that it has more than is there".to_owned())
}

fn size(file: &File) -> Result<u64, String> {
    file.metadata().map(|metadata| metadata.len()).map_err(|error| error.to_string())
}

fn seek(file: &mut File, to: u64) -> Result<(), String> {
    file.seek(SeekFrom::Start(to)).map(drop).map_err(|error| error.to_string())
}

/// So many bytes, which are known to be there.
fn read(file: &mut File, from: u64, count: u64) -> Result<Vec<u8>, String> {
    seek(file, from)?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 == count { Ok(bytes) } else { Err("it is cut off".to_owned()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use arrow_array::{Int64Array, RecordBatch};
    use arrow_ipc::writer::{FileWriter, StreamWriter};
    use std::io::Write;
    use std::sync::Arc;

    fn rows() -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as _)]).unwrap()
    }

    fn stream() -> Vec<u8> {
        let mut writer = StreamWriter::try_new(Vec::new(), &rows().schema()).unwrap();
        writer.write(&rows()).unwrap();
        writer.write(&rows()).unwrap();
        writer.into_inner().unwrap()
    }

    fn file() -> Vec<u8> {
        let mut writer = FileWriter::try_new(Vec::new(), &rows().schema()).unwrap();
        writer.write(&rows()).unwrap();
        writer.into_inner().unwrap()
    }

    fn opened(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    /// Where the heads of a stream begin, by the mark in front of each.
    fn heads(bytes: &[u8]) -> Vec<usize> {
        (0..bytes.len() - 4).filter(|at| at % 8 == 0 && bytes[*at..at + 4] == [0xff; 4]).collect()
    }

    #[test]
    fn a_head_that_says_more_than_is_there_is_not_believed() {
        let whole = stream();
        assert_eq!(batches(&mut opened(&whole)), Ok(2));
        let heads = heads(&whole);
        let damaged = |head: usize| {
            let mut bytes = whole.clone();
            bytes[heads[head] + 4..heads[head] + 8].copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
            batches(&mut opened(&bytes))
        };
        assert_eq!(damaged(0), Err("it says that it has more than is there".to_owned()));
        // What stands before a damaged batch can be read.
        assert_eq!(damaged(1), Ok(0));
        assert_eq!(damaged(2), Ok(1));
    }

    #[test]
    fn a_stream_that_is_cut_off_has_the_batches_before() {
        let whole = stream();
        let last = heads(&whole)[2];
        assert_eq!(batches(&mut opened(&whole[..last])), Ok(1));
        assert_eq!(batches(&mut opened(&whole[..last + 20])), Ok(1));
        assert_eq!(batches(&mut opened(&[])), Err("it is empty".to_owned()));
        assert_eq!(batches(&mut opened(&whole[..5])), Err("it is cut off".to_owned()));
    }

    #[test]
    fn a_footer_that_says_more_than_is_there_is_not_believed() {
        let whole = file();
        assert_eq!(blocks(&mut opened(&whole)), Ok(()));
        let tail = whole.len() - 10;
        let with_length = |length: u32| {
            let mut bytes = whole.clone();
            bytes[tail..tail + 4].copy_from_slice(&length.to_le_bytes());
            blocks(&mut opened(&bytes))
        };
        assert_eq!(with_length(u32::MAX), Err("its footer is damaged".to_owned()));
        assert!(with_length(1).unwrap_err().starts_with("its footer is damaged: "));
        assert_eq!(blocks(&mut opened(&whole[..6])), Err("it is cut off".to_owned()));

        // The length of the head of its only batch, in the message itself.
        let mut bytes = whole.clone();
        let batch = heads(&bytes[8..])[1] + 8;
        bytes[batch + 4..batch + 8].copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
        assert_eq!(blocks(&mut opened(&bytes)), Err("it says that it has more than is there".to_owned()));
    }
}
