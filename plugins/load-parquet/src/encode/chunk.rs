//! One column of one row group, from batches to compressed pages.

use parquet::basic::Encoding;
use parquet::column::page::{CompressedPage, Page};
use parquet::errors::ParquetError;
use parquet::file::statistics::Statistics;

use super::bounds::Bounds;
use super::codec::Codec;
use super::data::{Data, Physical, Value, bit, count_ones, each_present, present};
use super::dictionary::{BytesDictionary, FixedDictionary};
use super::levels::{push_definition_levels, push_indices, width_of};

/// Rows of a page at the most; a multiple of 8, so that a page's validity begins at a byte.
const PAGE_ROWS: usize = 32 * 1024;
/// Bytes of text of a page, about.
const PAGE_BYTES: usize = 1024 * 1024;
/// A dictionary that grows beyond this is given up.
const DICTIONARY_BYTES: usize = 1024 * 1024;
/// A dictionary is also given up if, after so many values, more than half of them are its entries.
const DICTIONARY_TRIAL: usize = 8 * 1024;

/// What is the same for every column of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) codec: Codec,
    pub(crate) dictionary: bool,
    pub(crate) statistics: bool,
}

enum Dictionary {
    /// plain from here on
    None,
    Fixed(FixedDictionary),
    Bytes(BytesDictionary),
}

/// Encodes the batches of one column; [`ChunkEncoder::finish`] ends a chunk and begins the next.
pub(crate) struct ChunkEncoder {
    physical: Physical,
    nullable: bool,
    settings: Settings,
    dictionary: Dictionary,
    /// false once a chunk showed that the column's values hardly repeat: later chunks do not try again
    try_dictionary: bool,
    /// values that went through the dictionary
    looked_up: usize,
    dictionary_pages: i32,
    plain_pages: i32,
    pages: Vec<CompressedPage>,
    bytes: usize,
    rows: u64,
    nulls: u64,
    bounds: Bounds,
    page: Vec<u8>,
    compressed: Vec<u8>,
    indices: Vec<u32>,
}

/// The pages of a chunk, in the order in which they go to the file.
pub(crate) struct EncodedChunk {
    pub(crate) pages: Vec<CompressedPage>,
    pub(crate) rows: u64,
    pub(crate) dictionary_pages: i32,
    pub(crate) plain_pages: i32,
    pub(crate) statistics: Option<Statistics>,
}

impl ChunkEncoder {
    pub(crate) fn new(physical: Physical, nullable: bool, settings: Settings) -> Self {
        let mut encoder = Self {
            physical,
            nullable,
            settings,
            dictionary: Dictionary::None,
            try_dictionary: settings.dictionary,
            looked_up: 0,
            dictionary_pages: 0,
            plain_pages: 0,
            pages: Vec::new(),
            bytes: 0,
            rows: 0,
            nulls: 0,
            bounds: Bounds::None,
            page: Vec::new(),
            compressed: Vec::new(),
            indices: Vec::new(),
        };
        encoder.begin();
        encoder
    }

    fn begin(&mut self) {
        self.dictionary = match self.physical {
            _ if !self.try_dictionary => Dictionary::None,
            Physical::Boolean | Physical::Fixed(_) => Dictionary::None,
            Physical::Bytes => Dictionary::Bytes(BytesDictionary::new()),
            _ => Dictionary::Fixed(FixedDictionary::new()),
        };
        self.looked_up = 0;
        self.dictionary_pages = 0;
        self.plain_pages = 0;
        self.bytes = 0;
        self.rows = 0;
        self.nulls = 0;
        self.bounds = Bounds::None;
    }

    /// Bytes held: compressed pages and the dictionary.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.dictionary_bytes()
    }

    fn dictionary_bytes(&self) -> usize {
        match &self.dictionary {
            Dictionary::None => 0,
            Dictionary::Fixed(dictionary) => dictionary.keys().len() * 8,
            Dictionary::Bytes(dictionary) => dictionary.bytes(),
        }
    }

    /// Encodes the values of a batch.
    pub(crate) fn append(&mut self, data: &Data<'_>, validity: Option<&[u8]>, rows: usize) -> Result<(), ParquetError> {
        let mut from = 0;
        while from < rows {
            let page_rows = page_rows(data, from, rows);
            self.append_page(data, validity, from, page_rows)?;
            from += page_rows;
        }
        Ok(())
    }

    fn append_page(
        &mut self,
        data: &Data<'_>,
        validity: Option<&[u8]>,
        from: usize,
        rows: usize,
    ) -> Result<(), ParquetError> {
        let valid = validity.map_or(rows, |bits| count_ones(bits, from, rows));
        let validity = validity.filter(|_| valid < rows);
        self.rows += rows as u64;
        self.nulls += (rows - valid) as u64;
        self.page.clear();
        if self.nullable {
            push_definition_levels(&mut self.page, validity, from, rows);
        }
        match data {
            Data::Boolean(bits) => self.put_booleans(bits, validity, from, rows),
            Data::Int32(values) => {
                let mut scratch = Vec::new();
                self.put_fixed(present(values, validity, from, rows, &mut scratch));
            }
            Data::Int64(values) => {
                let mut scratch = Vec::new();
                self.put_fixed(present(values, validity, from, rows, &mut scratch));
            }
            Data::Float(values) => {
                let mut scratch = Vec::new();
                self.put_fixed(present(values, validity, from, rows, &mut scratch));
            }
            Data::Double(values) => {
                let mut scratch = Vec::new();
                self.put_fixed(present(values, validity, from, rows, &mut scratch));
            }
            Data::Bytes { offsets, data } => self.put_bytes(offsets, data, validity, from, rows),
            Data::Fixed { width, data } => each_present(validity, from, rows, |row| {
                self.page.extend_from_slice(data.get(row * width..(row + 1) * width).unwrap_or_default());
            }),
        }
        let encoded = !matches!(self.dictionary, Dictionary::None);
        *(if encoded { &mut self.dictionary_pages } else { &mut self.plain_pages }) += 1;
        let page = Page::DataPage {
            buf: self.compress()?,
            num_values: u32::try_from(rows).unwrap_or(u32::MAX),
            encoding: if encoded { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN },
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.pages.push(CompressedPage::new(page, self.page.len()));
        if encoded && self.dictionary_bytes() > DICTIONARY_BYTES {
            self.give_up_dictionary()?;
        }
        Ok(())
    }

    fn compress(&mut self) -> Result<bytes::Bytes, ParquetError> {
        self.settings.codec.compress(&self.page, &mut self.compressed)?;
        self.bytes += self.compressed.len();
        Ok(bytes::Bytes::copy_from_slice(&self.compressed))
    }

    fn put_booleans(&mut self, bits: &[u8], validity: Option<&[u8]>, from: usize, rows: usize) {
        let (mut byte, mut held) = (0_u8, 0_u32);
        let (page, bounds) = (&mut self.page, &mut self.bounds);
        let (mut any_false, mut any_true) = (false, false);
        each_present(validity, from, rows, |row| {
            let value = bit(bits, row);
            any_false |= !value;
            any_true |= value;
            byte |= u8::from(value) << held;
            held += 1;
            if held == 8 {
                page.push(byte);
                (byte, held) = (0, 0);
            }
        });
        if held > 0 {
            page.push(byte);
        }
        if any_false {
            bounds.add_boolean(false);
        }
        if any_true {
            bounds.add_boolean(true);
        }
    }

    fn put_fixed<T: Value>(&mut self, values: &[T]) {
        if let Dictionary::Fixed(dictionary) = &mut self.dictionary {
            self.indices.clear();
            self.indices.reserve(values.len());
            let mut last: Option<(u64, u32)> = None;
            for value in values {
                let key = value.bits();
                // Values often stand in runs; the same again needs no look.
                let index = match last {
                    Some((last, index)) if last == key => index,
                    _ => dictionary.index_of(key),
                };
                last = Some((key, index));
                self.indices.push(index);
            }
            self.looked_up += values.len();
            let entries = dictionary.keys().len();
            if !self.hardly_repeats(entries) {
                push_indices(&mut self.page, &self.indices, width_of(entries));
                return;
            }
            self.dictionary = Dictionary::None;
            self.try_dictionary = false;
        }
        add_bounds(&mut self.bounds, self.physical, self.settings.statistics, values.iter().map(|value| value.bits()));
        T::push(values, &mut self.page);
    }

    fn put_bytes(&mut self, offsets: &[i32], data: &[u8], validity: Option<&[u8]>, from: usize, rows: usize) {
        if let Dictionary::Bytes(dictionary) = &mut self.dictionary {
            let indices = &mut self.indices;
            indices.clear();
            indices.reserve(rows);
            each_present(validity, from, rows, |row| {
                let (start, end) = ends(offsets, data, row);
                indices.push(dictionary.index_of(data, start, end));
            });
            self.looked_up += self.indices.len();
            let entries = dictionary.len();
            if !self.hardly_repeats(entries) {
                push_indices(&mut self.page, &self.indices, width_of(entries));
                return;
            }
            self.dictionary = Dictionary::None;
            self.try_dictionary = false;
        }
        let page = &mut self.page;
        let bounds = &mut self.bounds;
        let statistics = self.settings.statistics;
        each_present(validity, from, rows, |row| {
            let (start, end) = ends(offsets, data, row);
            let value = data.get(start..end).unwrap_or_default();
            page.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
            page.extend_from_slice(value);
            if statistics {
                bounds.add_bytes(std::iter::once(value));
            }
        });
    }

    /// Whether the dictionary is to be dropped unused: only while no page refers to it.
    fn hardly_repeats(&self, entries: usize) -> bool {
        self.dictionary_pages == 0 && self.looked_up >= DICTIONARY_TRIAL && entries > self.looked_up / 2
    }

    /// Ends dictionary encoding within a chunk: its page goes first, what follows is plain.
    fn give_up_dictionary(&mut self) -> Result<(), ParquetError> {
        let dictionary = std::mem::replace(&mut self.dictionary, Dictionary::None);
        self.page.clear();
        let entries = match &dictionary {
            Dictionary::None => return Ok(()),
            Dictionary::Fixed(dictionary) => {
                self.put_keys(dictionary.keys());
                dictionary.keys().len()
            }
            Dictionary::Bytes(dictionary) => {
                for value in dictionary.iter() {
                    self.page.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
                    self.page.extend_from_slice(value);
                }
                if self.settings.statistics {
                    self.bounds.add_bytes(dictionary.iter());
                }
                dictionary.len()
            }
        };
        let page = Page::DictionaryPage {
            buf: self.compress()?,
            num_values: u32::try_from(entries).unwrap_or(u32::MAX),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.pages.insert(0, CompressedPage::new(page, self.page.len()));
        Ok(())
    }

    fn put_keys(&mut self, keys: &[u64]) {
        add_bounds(&mut self.bounds, self.physical, self.settings.statistics, keys.iter().copied());
        for key in keys {
            let width = if matches!(self.physical, Physical::Int32 { .. } | Physical::Float) { 4 } else { 8 };
            self.page.extend_from_slice(key.to_le_bytes().get(..width).unwrap_or_default());
        }
    }

    /// Ends the chunk.
    pub(crate) fn finish(&mut self) -> Result<EncodedChunk, ParquetError> {
        if self.dictionary_pages > 0 {
            self.give_up_dictionary()?;
        }
        let chunk = EncodedChunk {
            pages: std::mem::take(&mut self.pages),
            rows: self.rows,
            dictionary_pages: self.dictionary_pages,
            plain_pages: self.plain_pages,
            statistics: self.settings.statistics.then(|| self.bounds.statistics(self.physical, self.nulls)),
        };
        self.begin();
        Ok(chunk)
    }
}

/// Adds values, by their bits, to the bounds.
fn add_bounds(bounds: &mut Bounds, physical: Physical, wanted: bool, bits: impl Iterator<Item = u64>) {
    if !wanted {
        return;
    }
    match physical {
        Physical::Int32 { .. } => bounds.add_integers(physical, bits.map(|bits| i64::from(i32::from_bits(bits)))),
        Physical::Int64 { .. } => bounds.add_integers(physical, bits.map(i64::from_bits)),
        Physical::Float => bounds.add_floats(bits.map(|bits| f64::from(<f32 as Value>::from_bits(bits)))),
        Physical::Double => bounds.add_floats(bits.map(<f64 as Value>::from_bits)),
        Physical::Boolean | Physical::Bytes | Physical::Fixed(_) => {}
    }
}

/// How many rows from `from` on make a page: fewer where texts are long.
fn page_rows(data: &Data<'_>, from: usize, rows: usize) -> usize {
    let most = (rows - from).min(PAGE_ROWS);
    let Data::Bytes { offsets, .. } = data else { return most };
    let Some(inside) = offsets.get(from..=from + most) else { return most };
    let start = inside.first().copied().unwrap_or(0);
    let fit = inside.partition_point(|end| usize::try_from(end - start).is_ok_and(|bytes| bytes <= PAGE_BYTES));
    if fit > most { most } else { (fit / 8 * 8).clamp(8, most.max(8)).min(most) }
}

#[inline]
fn ends(offsets: &[i32], data: &[u8], row: usize) -> (usize, usize) {
    match offsets.get(row..).and_then(|rest| rest.first_chunk::<2>()) {
        #[allow(clippy::cast_sign_loss, reason = "offsets are never negative; a negative one is beyond the data")]
        Some(&[start, end]) if start <= end && end as usize <= data.len() => (start as usize, end as usize),
        _ => (0, 0),
    }
}
