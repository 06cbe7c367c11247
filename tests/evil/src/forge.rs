//! Answers that do not fit.

use crate::escape::STEERS;
use crate::{Mode, Options};
use sluicebox_stage::{Batch, Column, DataType, Fault, Field, Form, Mask, Schema, Values};

/// Changes what `open` answers with.
pub(crate) fn promise(options: &Options, schema: &mut Schema) {
    let fields = std::mem::take(schema).into_fields().into_iter();
    let nested = |levels: u64| {
        let levels = usize::try_from(levels).unwrap_or(usize::MAX);
        format!("{}Int64{}", "List(".repeat(levels), ")".repeat(levels))
    };
    *schema = match options.mode {
        Mode::EscapesInNames => fields.chain([Field::new(STEERS, DataType::Int64)]).collect(),
        Mode::PromisesDeep => fields.chain([of(DataType::Other).with_detail(nested(options.times))]).collect(),
        Mode::Stamp => fields.chain([Field::new("stamp", DataType::Utf8)]).collect(),
        Mode::PromisesMore => fields.chain([Field::new("promised", DataType::Int64)]).collect(),
        Mode::PromisesOtherNames => fields.map(|field| Field { name: format!("{}x", field.name), ..field }).collect(),
        Mode::PromisesOtherTypes => fields
            .map(|field| {
                let other = if field.data_type == DataType::Boolean { DataType::Int8 } else { DataType::Boolean };
                Field { data_type: other, detail: None, ..field }
            })
            .collect(),
        Mode::PromisesNoNulls => fields.map(Field::not_null).collect(),
        Mode::PromisesNameTwice => fields.flat_map(|field| [field.clone(), field]).collect(),
        _ => fields.collect(),
    };
}

/// A batch of one column `forged`, as many rows as there are values said to be.
fn forged(field: Field, values: Values, validity: Option<Vec<u8>>) -> Result<Batch, Fault> {
    Batch::from_columns(Schema::new([field]), vec![Column::new(values, validity, 2)])
}

fn text(offsets: Vec<i32>, data: &[u8]) -> Result<Batch, Fault> {
    forged(Field::new("forged", DataType::Utf8), Values::Variable { offsets, data: data.to_vec() }, None)
}

fn of(data_type: DataType) -> Field {
    Field::new("forged", data_type)
}

/// A column of as many rows as the batch has, and `more`.
fn beside(batch: &Batch, rows: usize) -> Result<Batch, Fault> {
    batch.with_columns(Schema::new([of(DataType::Int64)]), vec![Column::from_i64(vec![1; rows])])
}

fn masked(batch: &Batch, rows: usize) -> Result<Batch, Fault> {
    batch.filter(&Mask::all(rows))
}

pub(crate) fn answer(mode: Mode, batch: &Batch) -> Result<Vec<Batch>, Fault> {
    let rows = batch.rows();
    let last = u32::MAX;
    let ints = || Values::Int64(vec![1, 2]);
    let decimals = |value: i128| Values::FixedBytes([value.to_le_bytes(), value.to_le_bytes()].concat());
    let answer = match mode {
        Mode::MaskShort => masked(batch, rows.saturating_sub(8)),
        Mode::MaskLong => masked(batch, rows + 64),
        Mode::TakePastEnd => batch.take(&[0, last]),
        Mode::SlicePastEnd => batch.slice(0, rows + 1),
        Mode::SliceOverflow => batch.slice(last as usize, last as usize),
        Mode::ColumnPastEnd => batch.column(last as usize).map(drop).and_then(|()| batch.share()),
        Mode::SelectPastEnd => batch.select(&[(last as usize, "forged")]),
        Mode::SelectTwice => batch.select(&[(0, "forged"), (0, "forged")]),
        Mode::WrongForm => wrong_form(batch),
        Mode::ConcatNothing => Batch::concat(&[]),
        Mode::ConcatMixed => {
            forged(of(DataType::Int64), ints(), None).and_then(|other| Batch::concat(&[batch, &other]))
        }
        Mode::ZipSelf => batch.zip(batch),
        Mode::OffsetsFirst => text(vec![1, 1, 2], b"ab"),
        Mode::OffsetsFall => text(vec![0, 2, 1], b"ab"),
        Mode::OffsetsNegative => text(vec![0, -1, 1], b"ab"),
        Mode::OffsetsPastData => text(vec![0, 1, i32::MAX], b"ab"),
        Mode::OffsetsNone => text(Vec::new(), b""),
        Mode::InvalidUtf8 => text(vec![0, 1, 2], b"a\xff"),
        Mode::SplitCharacter => text(vec![0, 1, 2], "ü".as_bytes()),
        Mode::ColumnShort => beside(batch, rows.saturating_sub(1)),
        Mode::ColumnLong => beside(batch, rows + 1),
        Mode::RowsInflated => {
            let column = Column::new(ints(), None, last as usize);
            Batch::from_columns(Schema::new([of(DataType::Int64)]), vec![column])
        }
        Mode::ValidityShort => forged(of(DataType::Int64), ints(), Some(Vec::new())),
        Mode::ValidityLong => forged(of(DataType::Int64), ints(), Some(vec![0xff; 100])),
        Mode::NullInNotNull => forged(of(DataType::Int64).not_null(), ints(), Some(vec![1])),
        Mode::WrongType => forged(of(DataType::Utf8), ints(), None),
        Mode::RaggedBytes => forged(of(DataType::Int64), Values::FixedBytes(vec![0; 15]), None),
        Mode::StringsWithValidity => {
            forged(of(DataType::Utf8), Values::Strings(vec![Some("a".into()), None]), Some(vec![2]))
        }
        Mode::NameTwice => Batch::from_columns(
            Schema::new([of(DataType::Int64), of(DataType::Int64)]),
            vec![Column::from_i64(vec![1]), Column::from_i64(vec![2])],
        ),
        Mode::FieldsWithoutColumns => Batch::from_columns(Schema::new([of(DataType::Int64)]), Vec::new()),
        Mode::ColumnsWithoutFields => Batch::from_columns(Schema::default(), vec![Column::from_i64(vec![1])]),
        Mode::DecimalWithoutDetail => forged(of(DataType::Decimal128), decimals(1), None),
        Mode::DecimalTooWide => forged(Field::decimal("forged", 200, 100), decimals(1), None),
        Mode::DecimalWidth => forged(Field::decimal("forged", 10, 2), Values::FixedBytes(vec![0; 24]), None),
        Mode::DecimalOverflow => forged(Field::decimal("forged", 3, 0), decimals(i128::MAX), None),
        Mode::BadTimeZone => forged(Field::timestamp_in("forged", "Middle/Earth"), ints(), None),
        Mode::OtherWithValues => forged(of(DataType::Other).with_detail("List(Int64)"), ints(), None),
        Mode::IpcEmpty => Batch::from_ipc(&[]),
        Mode::IpcGarbage => Batch::from_ipc(&[0xff; 1000]),
        Mode::IpcTruncated => truncated(batch),
        Mode::IpcTrailing => Batch::from_ipc(&[all_as_ipc(batch)?, vec![0xff; 64]].concat()),
        Mode::IpcRows => many_rows(batch),
        Mode::IpcFlipped => flipped(batch),
        Mode::SchemaChanges => schema_changes(batch),
        Mode::AnswersNoColumns => batch.select(&[]),
        _ => batch.share(),
    };
    answer.map(|answer| vec![answer])
}

/// Asks for every column in the strings form; one that is not text is refused.
fn wrong_form(batch: &Batch) -> Result<Batch, Fault> {
    for index in 0..batch.schema().len() {
        batch.column_in(index, Form::Strings)?;
    }
    batch.share()
}

fn all_as_ipc(batch: &Batch) -> Result<Vec<u8>, Fault> {
    let all: Vec<usize> = (0..batch.schema().len()).collect();
    // few rows, so that every byte can be tried
    batch.slice(0, batch.rows().min(3))?.to_ipc(&all)
}

/// Whatever the host makes of a broken stream, it has to answer; what it takes is read back.
fn try_ipc(bytes: &[u8]) {
    if let Ok(batch) = Batch::from_ipc(bytes) {
        for index in 0..batch.schema().len() {
            let _ = batch.column(index);
        }
    }
}

fn truncated(batch: &Batch) -> Result<Batch, Fault> {
    let bytes = all_as_ipc(batch)?;
    for end in (0..bytes.len()).step_by(7) {
        try_ipc(bytes.get(..end).unwrap_or_default());
    }
    Batch::from_ipc(bytes.get(..bytes.len() / 2).unwrap_or_default())
}

/// The file as a stream.
pub(crate) fn ipc_file(path: &str) -> Result<Vec<Batch>, Fault> {
    let bytes = std::fs::read(path).map_err(Fault::of_file(path))?;
    Ok(vec![Batch::from_ipc(&bytes)?])
}

/// The number of rows, wherever it stands in the stream, made a thousand million.
fn many_rows(batch: &Batch) -> Result<Batch, Fault> {
    let rows = (batch.rows().min(3) as u64).to_le_bytes();
    let mut bytes = all_as_ipc(batch)?;
    for place in bytes.chunks_exact_mut(8).filter(|place| **place == rows) {
        place.copy_from_slice(&1_000_000_000_u64.to_le_bytes());
    }
    Batch::from_ipc(&bytes)
}

fn flipped(batch: &Batch) -> Result<Batch, Fault> {
    let mut bytes = all_as_ipc(batch)?;
    for index in 0..bytes.len() {
        for flip in [0xff, 0x01, 0x80] {
            if let Some(byte) = bytes.get_mut(index) {
                *byte ^= flip;
            }
            try_ipc(&bytes);
            if let Some(byte) = bytes.get_mut(index) {
                *byte ^= flip;
            }
        }
    }
    batch.share()
}

fn schema_changes(batch: &Batch) -> Result<Batch, Fault> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let columns = SEEN.fetch_add(1, Ordering::Relaxed);
    let schema: Schema = (0..columns).map(|number| Field::new(format!("more-{number}"), DataType::Int64)).collect();
    let columns = (0..columns).map(|_| Column::from_i64(vec![0; batch.rows()])).collect();
    batch.with_columns(schema, columns)
}
