//! Batches as messages of an Arrow IPC stream whose buffers are compressed by LZ4 where that pays.
//!
//! arrow-ipc compresses all buffers or none, and all costs more than the rest of a checkpoint: numbers that differ from row
//! to row take LZ4 most of the time and save little. So it encodes without compression, which copies nothing; here every
//! buffer is packed or stored, and the head of the message is written anew. The format allows it: a buffer whose length
//! says -1 stands as it is.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::writer::StreamEncoder;
use arrow_ipc::{
    BodyCompressionBuilder, BodyCompressionMethod, CompressionType, FieldNode, Message, MessageBuilder, MessageHeader,
    MetadataVersion, RecordBatchBuilder, root_as_message,
};
use arrow_schema::Schema;
use flatbuffers::FlatBufferBuilder;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use std::io::{ErrorKind, IoSlice, Write};
use std::ops::Range;

/// Begins a message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Parts of a message begin at multiples of it.
const ALIGNMENT: usize = 8;
/// The length of a buffer that is not compressed.
const STORED: i64 = -1;

/// Begins an LZ4 frame: its number, independent blocks without checksums, of 64 KiB at most, and a checksum of the two.
const FRAME_HEAD: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
/// Just below the most that LZ4 compresses by its small table, which stays in the cache of a core.
const BLOCK_BYTES: usize = 65_528;
/// Marks a block that is not compressed.
const BLOCK_STORED: u32 = 1 << 31;

/// Smaller buffers are stored.
const PACKED_BYTES_MIN: usize = 64;
/// A buffer is packed if its beginning becomes smaller by this factor: LZ4 takes about 1 ns a byte where values differ, and
/// to write and sum a byte takes 0.4 ns, so what shrinks less costs more than it saves.
const PAYS_FROM: usize = 8;
/// The beginning of a buffer by which that is found out.
const TRIED_BYTES: usize = 16 * 1024;
/// How many batches go by before a buffer that was stored is tried again.
const TRIED_EVERY: u32 = 64;

/// What cannot be written. Errors are for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    /// arrow-ipc cannot encode it.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The file cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// arrow-ipc encodes otherwise than it did.
    #[error("an encoded batch is not understood ({0})")]
    Odd(&'static str),
}

/// Encodes the batches of a stream.
pub(super) struct Packer {
    encoder: StreamEncoder,
    head: FlatBufferBuilder<'static>,
    lz4: Lz4,
    /// By place in the message.
    ways: Vec<Way>,
}

/// What is done with the buffers of one place, batch after batch: those of a column are much alike.
#[derive(Clone, Copy, Default)]
enum Way {
    #[default]
    Try,
    Pack,
    /// For so many batches more.
    Store(u32),
}

/// What becomes of a buffer.
enum Body<'a> {
    Empty,
    Stored(&'a [u8]),
    /// Where it stands in the packed bytes, and its length before.
    Packed(Range<usize>, usize),
}

impl Body<'_> {
    /// With the length before it.
    fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Stored(bytes) => 8 + bytes.len(),
            Self::Packed(range, _) => 8 + range.len(),
        }
    }

    /// The length that stands before it.
    fn before(&self) -> i64 {
        match self {
            Self::Empty => 0,
            Self::Stored(_) => STORED,
            Self::Packed(_, before) => *before as i64,
        }
    }
}

impl Packer {
    pub(super) fn new(schema: &Schema) -> Result<Self, PackError> {
        let encoder = StreamEncoder::try_new(schema)?;
        Ok(Self { encoder, head: FlatBufferBuilder::new(), lz4: Lz4::new(), ways: Vec::new() })
    }

    /// Writes a batch, and before the first one the schema.
    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut impl Write) -> Result<(), PackError> {
        let pieces = self.encoder.encode(batch)?;
        let mut rest = pieces.as_slice();
        while !rest.is_empty() {
            let (head, after) = message_head(rest)?;
            let message = root_as_message(&head).map_err(|_| PackError::Odd("a message without a head"))?;
            let (body, after) = message_body(after, message.bodyLength())?;
            if message.header_type() == MessageHeader::RecordBatch {
                self.write_batch(message, body, out)?;
            } else {
                for piece in rest.iter().take(rest.len() - after.len()) {
                    out.write_all(piece)?;
                }
            }
            rest = after;
        }
        Ok(())
    }

    /// Ends the stream.
    pub(super) fn finish(self, out: &mut impl Write) -> Result<(), PackError> {
        for piece in self.encoder.finish()? {
            out.write_all(&piece)?;
        }
        Ok(())
    }

    fn write_batch(&mut self, message: Message<'_>, body: &[Buffer], out: &mut impl Write) -> Result<(), PackError> {
        let batch = message.header_as_record_batch().ok_or(PackError::Odd("a batch without a head"))?;
        let buffers = batch.buffers().ok_or(PackError::Odd("no list of buffers"))?;
        let nodes: Vec<FieldNode> =
            batch.nodes().ok_or(PackError::Odd("no list of columns"))?.iter().copied().collect();
        let variadic: Option<Vec<i64>> = batch.variadicBufferCounts().map(|counts| counts.iter().collect());

        self.lz4.packed.clear();
        self.ways.resize(buffers.len(), Way::Try);
        let mut bodies = Vec::with_capacity(buffers.len());
        let mut pieces = located(body);
        for (buffer, way) in buffers.iter().zip(&mut self.ways) {
            let bytes = match buffer.length() {
                0 => &[],
                length => pieces
                    .find(|(at, piece)| *at == buffer.offset() && piece.len() as i64 == length)
                    .map(|(_, piece)| piece)
                    .ok_or(PackError::Odd("a buffer is not where the head says"))?,
            };
            bodies.push(self.lz4.pack(bytes, way));
        }

        let mut at = 0;
        let mut places = Vec::with_capacity(bodies.len());
        for body in &bodies {
            places.push(arrow_ipc::Buffer::new(at as i64, body.len() as i64));
            at += body.len() + padding(body.len());
        }
        let head = encoded_head(&mut self.head, batch.length(), &nodes, &places, variadic.as_deref(), at);
        let length = i32::try_from(head.len() + padding(head.len())).map_err(|_| PackError::Odd("a head too large"))?;
        let mut begin = [0; 8];
        let (mark, place) = begin.split_at_mut(4);
        mark.copy_from_slice(&CONTINUATION);
        place.copy_from_slice(&length.to_le_bytes());
        let lengths: Vec<[u8; 8]> = bodies.iter().map(|body| body.before().to_le_bytes()).collect();
        let mut slices = Vec::with_capacity(3 + 3 * bodies.len());
        slices.push(IoSlice::new(&begin));
        push_padded(&mut slices, head);
        for (body, length) in bodies.iter().zip(&lengths) {
            let bytes = match body {
                Body::Empty => continue,
                Body::Stored(bytes) => bytes,
                Body::Packed(range, _) => self.lz4.packed.get(range.clone()).unwrap_or_default(),
            };
            slices.push(IoSlice::new(length));
            push_padded(&mut slices, bytes);
        }
        write_all_vectored(out, &mut slices)?;
        self.head.reset();
        Ok(())
    }
}

/// What the next message is, and what follows its head.
fn message_head(pieces: &[Buffer]) -> Result<(Vec<u8>, &[Buffer]), PackError> {
    const ODD: PackError = PackError::Odd("a message without a length");
    let (first, mut rest) = pieces.split_first().ok_or(ODD)?;
    let length = first.as_slice().strip_prefix(&CONTINUATION).ok_or(ODD)?;
    let length = u32::from_le_bytes(length.try_into().map_err(|_| ODD)?) as usize;
    let mut head = Vec::with_capacity(length);
    while head.len() < length {
        let (piece, after) = rest.split_first().ok_or(ODD)?;
        head.extend_from_slice(piece);
        rest = after;
    }
    Ok((head, rest))
}

/// The pieces of a body of so many bytes, and what follows it.
fn message_body(pieces: &[Buffer], bytes: i64) -> Result<(&[Buffer], &[Buffer]), PackError> {
    let mut length = 0;
    let mut count = 0;
    while length < bytes {
        let piece = pieces.get(count).ok_or(PackError::Odd("a body is too short"))?;
        length += piece.len() as i64;
        count += 1;
    }
    // Buffers without bytes may stand at its end.
    count += pieces.iter().skip(count).take_while(|piece| piece.is_empty()).count();
    pieces.split_at_checked(count).ok_or(PackError::Odd("a body is too short"))
}

/// Pieces with their places in the body.
fn located(body: &[Buffer]) -> impl Iterator<Item = (i64, &[u8])> {
    body.iter().scan(0, |at, piece| {
        let place = *at;
        *at += piece.len() as i64;
        Some((place, piece.as_slice()))
    })
}

/// Zeros that follow so many bytes.
fn padding(length: usize) -> usize {
    length.next_multiple_of(ALIGNMENT) - length
}

/// Bytes, and zeros behind them. What stands before them is aligned, too.
fn push_padded<'a>(slices: &mut Vec<IoSlice<'a>>, bytes: &'a [u8]) {
    const ZEROS: &[u8] = &[0; ALIGNMENT];
    slices.push(IoSlice::new(bytes));
    slices.push(IoSlice::new(ZEROS.get(..padding(bytes.len())).unwrap_or_default()));
}

/// Writes a whole message at once: a file takes one large write for half of what it takes many small ones for.
fn write_all_vectored(out: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> Result<(), std::io::Error> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match out.write_vectored(slices) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The head of a batch whose buffers stand at these places.
fn encoded_head<'a>(
    head: &'a mut FlatBufferBuilder<'static>,
    rows: i64,
    nodes: &[FieldNode],
    places: &[arrow_ipc::Buffer],
    variadic: Option<&[i64]>,
    body_bytes: usize,
) -> &'a [u8] {
    let mut compression = BodyCompressionBuilder::new(head);
    compression.add_method(BodyCompressionMethod::BUFFER);
    compression.add_codec(CompressionType::LZ4_FRAME);
    let compression = compression.finish();
    let places = head.create_vector(places);
    let nodes = head.create_vector(nodes);
    let variadic = variadic.map(|counts| head.create_vector(counts));
    let mut batch = RecordBatchBuilder::new(head);
    batch.add_length(rows);
    batch.add_nodes(nodes);
    batch.add_buffers(places);
    batch.add_compression(compression);
    if let Some(variadic) = variadic {
        batch.add_variadicBufferCounts(variadic);
    }
    let batch = batch.finish().as_union_value();
    let mut message = MessageBuilder::new(head);
    message.add_version(MetadataVersion::V5);
    message.add_header_type(MessageHeader::RecordBatch);
    message.add_bodyLength(body_bytes as i64);
    message.add_header(batch);
    let message = message.finish();
    head.finish(message, None);
    head.finished_data()
}

/// Makes LZ4 frames, with what it needs for that kept from buffer to buffer.
struct Lz4 {
    table: CompressTable,
    block: Vec<u8>,
    /// Frames, one behind the other.
    packed: Vec<u8>,
}

impl Lz4 {
    fn new() -> Self {
        Self { table: CompressTable::small(), block: vec![0; get_maximum_output_size(BLOCK_BYTES)], packed: Vec::new() }
    }

    fn pack<'a>(&mut self, bytes: &'a [u8], way: &mut Way) -> Body<'a> {
        if bytes.is_empty() {
            return Body::Empty;
        }
        if bytes.len() < PACKED_BYTES_MIN {
            return Body::Stored(bytes);
        }
        *way = match *way {
            Way::Try | Way::Store(0) if self.pays(bytes.get(..TRIED_BYTES).unwrap_or(bytes)) => Way::Pack,
            Way::Try | Way::Store(0) => Way::Store(TRIED_EVERY - 1),
            Way::Store(left) => Way::Store(left - 1),
            Way::Pack => Way::Pack,
        };
        let start = self.packed.len();
        match way {
            Way::Pack if self.frame(bytes) => Body::Packed(start..self.packed.len(), bytes.len()),
            Way::Pack => {
                self.packed.truncate(start);
                *way = Way::Store(TRIED_EVERY - 1);
                Body::Stored(bytes)
            }
            _ => Body::Stored(bytes),
        }
    }

    /// Whether a block is worth being packed.
    fn pays(&mut self, block: &[u8]) -> bool {
        compress_into_with_table(block, &mut self.block, &mut self.table)
            .is_ok_and(|length| length.saturating_mul(PAYS_FROM) <= block.len())
    }

    /// Appends a frame; false: it does not pay, and what was appended is of no use.
    fn frame(&mut self, bytes: &[u8]) -> bool {
        self.packed.extend_from_slice(&FRAME_HEAD);
        for (index, block) in bytes.chunks(BLOCK_BYTES).enumerate() {
            let length = compress_into_with_table(block, &mut self.block, &mut self.table).unwrap_or(block.len());
            if index == 0 && length.saturating_mul(PAYS_FROM) > block.len() {
                return false;
            }
            let (mark, kept) = match self.block.get(..length) {
                Some(packed) if length < block.len() => (0, packed),
                _ => (BLOCK_STORED, block),
            };
            self.packed.extend_from_slice(&(kept.len() as u32 | mark).to_le_bytes());
            self.packed.extend_from_slice(kept);
        }
        self.packed.extend_from_slice(&0_u32.to_le_bytes());
        true
    }
}
