//! The file: row groups of column chunks, and the footer.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Encoding, PageType};
use parquet::column::page::PageWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, PageEncodingStats, ParquetMetaData, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, TypePtr};

use crate::encode::{ChunkEncoder, Data, EncodedChunk, Physical, Settings};

const MAGIC: &[u8; 4] = b"PAR1";

/// A Parquet file under way.
pub(crate) struct ParquetFile<W> {
    sink: W,
    position: u64,
    schema: SchemaDescPtr,
    settings: Settings,
    chunks: Vec<ChunkEncoder>,
    /// of the row group under way
    group_rows: u64,
    rows: u64,
    groups: Vec<RowGroupMetaData>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins the file. `columns` gives, of each column, how it is stored and whether it has nulls.
    pub(crate) fn new(
        mut sink: W,
        schema: TypePtr,
        columns: &[(Physical, bool)],
        settings: Settings,
    ) -> Result<Self, ParquetError> {
        sink.write_all(MAGIC)?;
        Ok(Self {
            sink,
            position: MAGIC.len() as u64,
            schema: Arc::new(SchemaDescriptor::new(schema)),
            settings,
            chunks: columns
                .iter()
                .map(|(physical, nullable)| ChunkEncoder::new(*physical, *nullable, settings))
                .collect(),
            group_rows: 0,
            rows: 0,
            groups: Vec::new(),
        })
    }

    /// Rows of the row group under way.
    pub(crate) fn group_rows(&self) -> u64 {
        self.group_rows
    }

    /// Bytes held for the row group under way.
    pub(crate) fn group_bytes(&self) -> usize {
        self.chunks.iter().map(ChunkEncoder::bytes).sum()
    }

    /// Encodes one column of a batch; every column gets the same rows, then [`ParquetFile::add_rows`] counts them.
    pub(crate) fn append(
        &mut self,
        column: usize,
        data: &Data<'_>,
        validity: Option<&[u8]>,
        rows: usize,
    ) -> Result<(), ParquetError> {
        match self.chunks.get_mut(column) {
            Some(chunk) => chunk.append(data, validity, rows),
            None => Err(ParquetError::General(format!("there is no column {column}"))),
        }
    }

    /// Counts rows that every column has got.
    pub(crate) fn add_rows(&mut self, rows: usize) {
        self.group_rows += rows as u64;
    }

    /// Writes the row group under way, if it has rows.
    pub(crate) fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        let mut tracked = TrackedWrite::new(&mut self.sink);
        let mut columns = Vec::with_capacity(self.chunks.len());
        let mut total = 0;
        for (chunk, descriptor) in self.chunks.iter_mut().zip(self.schema.columns()) {
            let chunk = chunk.finish()?;
            let builder = ColumnChunkMetaData::builder(Arc::clone(descriptor));
            let metadata = write_chunk(&mut tracked, self.position, chunk, builder, self.settings)?;
            total += metadata.uncompressed_size();
            columns.push(metadata);
        }
        tracked.flush()?;
        let group = RowGroupMetaData::builder(Arc::clone(&self.schema))
            .set_column_metadata(columns)
            .set_num_rows(i64::try_from(self.group_rows).unwrap_or(i64::MAX))
            .set_total_byte_size(total)
            .set_file_offset(i64::try_from(self.position).unwrap_or(i64::MAX))
            .set_ordinal(i16::try_from(self.groups.len()).map_err(|_| {
                ParquetError::General("more than 32767 row groups; write a larger row-group-rows".to_owned())
            })?)
            .build()?;
        self.position += tracked.bytes_written() as u64;
        self.groups.push(group);
        self.rows += std::mem::take(&mut self.group_rows);
        Ok(())
    }

    /// Writes what is left and the footer; the sink, to be made durable.
    pub(crate) fn finish(mut self, created_by: String, notes: Vec<KeyValue>) -> Result<W, ParquetError> {
        self.end_group()?;
        let rows = i64::try_from(self.rows).unwrap_or(i64::MAX);
        let file = FileMetaData::new(1, rows, Some(created_by), Some(notes), self.schema, None);
        let metadata = ParquetMetaData::new(file, self.groups);
        let mut footer = Vec::new();
        ParquetMetaDataWriter::new(&mut footer, &metadata).finish()?;
        self.sink.write_all(&footer)?;
        Ok(self.sink)
    }
}

/// Writes the pages of a chunk one after another; `base` is where `tracked` began in the file.
fn write_chunk<W: Write + Send>(
    tracked: &mut TrackedWrite<W>,
    base: u64,
    chunk: EncodedChunk,
    builder: parquet::file::metadata::ColumnChunkMetaDataBuilder,
    settings: Settings,
) -> Result<ColumnChunkMetaData, ParquetError> {
    let (mut compressed, mut uncompressed) = (0, 0);
    let (mut dictionary_at, mut data_at) = (None, None);
    for page in chunk.pages {
        let written = SerializedPageWriter::new(tracked).write_page(page)?;
        compressed += written.compressed_size;
        uncompressed += written.uncompressed_size;
        let at = i64::try_from(base + written.offset).unwrap_or(i64::MAX);
        if written.page_type == PageType::DICTIONARY_PAGE {
            dictionary_at = Some(at);
        } else {
            data_at = data_at.or(Some(at));
        }
    }
    let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
    let mut counts = Vec::new();
    if chunk.dictionary_pages > 0 {
        encodings.push(Encoding::RLE_DICTIONARY);
        counts.push((PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        counts.push((PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, chunk.dictionary_pages));
    }
    if chunk.plain_pages > 0 {
        counts.push((PageType::DATA_PAGE, Encoding::PLAIN, chunk.plain_pages));
    }
    let counts =
        counts.into_iter().map(|(page_type, encoding, count)| PageEncodingStats { page_type, encoding, count });
    let mut builder = builder
        .set_compression(settings.codec.name())
        .set_encodings(encodings)
        .set_page_encoding_stats(counts.collect())
        .set_num_values(i64::try_from(chunk.rows).unwrap_or(i64::MAX))
        .set_total_compressed_size(i64::try_from(compressed).unwrap_or(i64::MAX))
        .set_total_uncompressed_size(i64::try_from(uncompressed).unwrap_or(i64::MAX))
        .set_data_page_offset(data_at.unwrap_or(0))
        .set_dictionary_page_offset(dictionary_at);
    if let Some(statistics) = chunk.statistics {
        builder = builder.set_statistics(statistics);
    }
    builder.build()
}
