//! A guest that makes batches out of anything, and asks the host to work on them.

use crate::batches::{allocated, check};
use crate::input::Input;
use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Schema};
use sluicebox_model::fault::FaultKind;
use sluicebox_model::limits::Limits;
use sluicebox_sandbox::fuzzing::{
    self, Answer, BadRecord, Column, Field, Form, Guest, Level, Values, Variable, VariableBytes, Word,
};
use std::cell::RefCell;
use std::sync::Arc;

/// Calls of one input, at most.
const CALLS_MAX: usize = 16;

/// So tight that a few calls come to each of them.
fn limits() -> Limits {
    Limits {
        transfer_bytes_max: 256 * 1024,
        held_bytes_max: 256 * 1024,
        handles_max: 12,
        log_bytes_max: 4096,
        ..Limits::default()
    }
}

thread_local! {
    /// Used again and again: to make one takes longer than to use it.
    static GUEST: RefCell<Option<Guest>> = const { RefCell::new(None) };
    static OTHER: RefCell<Option<Guest>> = const { RefCell::new(None) };
}

/// Gives the host the calls that the bytes say.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let guest = GUEST.take().unwrap_or_else(|| Guest::new(&limits()));
    let mut play = Play { guest, handles: Vec::new() };
    play.guest.begin_anew();
    for _ in 0..CALLS_MAX {
        if input.is_empty() || !play.call(&mut input) {
            break;
        }
        play.adds_up();
    }
    // Whatever happened, what is let go of is not counted any more.
    for handle in std::mem::take(&mut play.handles) {
        assert!(matches!(play.guest.release(handle), Answer::Done(())));
    }
    assert_eq!((play.guest.held_bytes(), play.guest.handles()), (0, 0));
    GUEST.set(Some(play.guest));
}

struct Play {
    guest: Guest,
    handles: Vec<u32>,
}

impl Play {
    /// One call; false once the instance has ended.
    fn call(&mut self, input: &mut Input<'_>) -> bool {
        if input.one_in(50) {
            self.guest.start_call();
        }
        match input.below(18) {
            0..=4 => {
                let rows = input.size();
                let fields = fields(input);
                let mut columns: Vec<Column> = fields.iter().map(|field| column(input, field, rows)).collect();
                if input.one_in(40) {
                    columns.pop();
                }
                let made = self.guest.from_columns(fields.clone(), rows, columns.clone());
                self.made(made, "from-columns", |_, batch| {
                    assert_eq!(batch.num_rows(), rows as usize);
                    comes_back(batch, &columns);
                })
            }
            5 => {
                let handle = self.handle(input);
                let fields = fields(input);
                let rows = self.guest.batch(handle).map_or(0, |batch| batch.num_rows() as u32);
                let columns: Vec<Column> = fields.iter().map(|field| column(input, field, rows)).collect();
                let made = self.guest.with_columns(handle, fields.clone(), columns);
                self.made(made, "with-columns", |old, batch| {
                    let old = old.batch(handle).unwrap();
                    assert_eq!(batch.num_rows(), old.num_rows());
                    let kept = |name: &str| fields.iter().all(|field| field.name != name);
                    for (field, before) in old.schema_ref().fields().iter().zip(old.columns()) {
                        let after = batch.column_by_name(field.name()).unwrap();
                        assert!(!kept(field.name()) || Arc::ptr_eq(after, before), "another column was changed");
                    }
                })
            }
            6 | 7 => {
                let handle = self.handle(input);
                let rows = self.guest.batch(handle).map_or(0, RecordBatch::num_rows);
                let length = if input.one_in(9) { input.size() as usize } else { rows.div_ceil(8) };
                let mask = input.bytes(length.min(70_000));
                let made = self.guest.filter(handle, mask.clone());
                self.made(made, "filter", |old, batch| {
                    let old = old.batch(handle).unwrap();
                    let bit = |row: usize| mask[row / 8] >> (row % 8) & 1 == 1;
                    let rows = (0..old.num_rows()).filter(|row| bit(*row)).map(|row| row as u32);
                    same(batch, &taken(old, &rows.collect::<Vec<_>>()));
                })
            }
            8 | 9 => {
                let handle = self.handle(input);
                let count = self.guest.batch(handle).map_or(0, RecordBatch::num_rows);
                let length = input.size().min(5000) as usize;
                let rows: Vec<u32> = match input.below(3) {
                    // One row again and again.
                    0 => vec![input.size(); length],
                    1 => (0..length).map(|_| (usize::from(input.byte()) % count.max(1)) as u32).collect(),
                    _ => (0..length).map(|_| input.size()).collect(),
                };
                let made = self.guest.take(handle, rows.clone());
                self.made(made, "take", |old, batch| same(batch, &taken(old.batch(handle).unwrap(), &rows)))
            }
            10 => {
                let (handle, offset, rows) = (self.handle(input), input.size(), input.size());
                let made = self.guest.slice(handle, offset, rows);
                self.made(made, "slice", |old, batch| {
                    let wanted: Vec<u32> = (offset..offset + rows).collect();
                    same(batch, &taken(old.batch(handle).unwrap(), &wanted));
                })
            }
            11 => {
                let handle = self.handle(input);
                let columns: Vec<(u32, String)> =
                    (0..input.below(5)).map(|_| (u32::from(input.byte() % 6), name(input))).collect();
                let made = self.guest.select(handle, columns.clone());
                self.made(made, "select", |old, batch| {
                    let old = old.batch(handle).unwrap();
                    for ((index, name), column) in columns.iter().zip(batch.columns()) {
                        assert!(Arc::ptr_eq(column, old.column(*index as usize)));
                        assert!(Arc::ptr_eq(batch.column_by_name(name).unwrap(), column));
                    }
                })
            }
            12 => {
                let (one, other) = (self.handle(input), self.handle(input));
                let made = self.guest.zip(one, other);
                self.made(made, "zip", |old, batch| {
                    let (one, other) = (old.batch(one).unwrap(), old.batch(other).unwrap());
                    assert_eq!(batch.num_columns(), one.num_columns() + other.num_columns());
                })
            }
            13 => {
                let parts: Vec<u32> = (0..input.below(5)).map(|_| self.handle(input)).collect();
                let made = self.guest.concat(&parts);
                self.made(made, "concat", |old, batch| {
                    let mut from = 0;
                    for part in &parts {
                        let part = old.batch(*part).unwrap();
                        let here = batch.slice(from, part.num_rows());
                        for (column, before) in here.columns().iter().zip(part.columns()) {
                            assert_eq!(column.to_data(), before.to_data());
                        }
                        from += part.num_rows();
                    }
                    assert_eq!(from, batch.num_rows());
                })
            }
            14 => {
                let (handle, index, form) = (self.handle(input), u32::from(input.byte() % 6), form(input));
                match self.guest.column(handle, index, form) {
                    Answer::Done(column) => {
                        let array = self.guest.batch(handle).unwrap().column(index as usize);
                        let (said, is) = (fuzzing::lowered_bytes(array, form), fuzzing::crossing_bytes(&column));
                        assert!(said >= is, "{} in {form:?}: counted as {said} bytes, it has {is}", array.data_type());
                        true
                    }
                    Answer::Refused(_) => true,
                    Answer::Ended(fault) => self.ended(&fault),
                }
            }
            15 => {
                let handle = self.handle(input);
                let columns: Vec<u32> = (0..input.below(5)).map(|_| u32::from(input.byte() % 6)).collect();
                match self.guest.to_ipc(handle, columns.clone()) {
                    Answer::Done(stream) => {
                        let before = self.guest.batch(handle).unwrap().clone();
                        let indices: Vec<usize> = columns.iter().map(|index| *index as usize).collect();
                        let made = self.guest.from_ipc(stream);
                        self.made(made, "from-ipc", |_, batch| same(batch, &before.project(&indices).unwrap()))
                    }
                    Answer::Refused(_) => true,
                    Answer::Ended(fault) => self.ended(&fault),
                }
            }
            16 => self.tells(input),
            _ => match self.handles.is_empty() {
                true => true,
                false => {
                    let handle = self.handles.remove(input.below(self.handles.len()));
                    assert!(matches!(self.guest.release(handle), Answer::Done(())));
                    assert!(self.guest.batch(handle).is_none());
                    true
                }
            },
        }
    }

    /// A handle that is there, rarely one that is not.
    fn handle(&self, input: &mut Input<'_>) -> u32 {
        match self.handles.as_slice() {
            [] => u32::from(input.byte()),
            handles => handles[input.below(handles.len())],
        }
    }

    /// Judges an answer that is a batch if it is one; `right` is told what the guest holds, and the batch.
    fn made(&mut self, answer: Answer<u32>, call: &str, right: impl FnOnce(&Guest, &RecordBatch)) -> bool {
        match answer {
            Answer::Done(handle) => {
                assert!(!self.handles.contains(&handle), "`{call}` gave a handle that is in use");
                let batch = self.guest.batch(handle).unwrap();
                check(batch);
                right(&self.guest, batch);
                promised(batch);
                self.handles.push(handle);
                assert!(self.guest.held_bytes() <= limits().held_bytes_max);
                true
            }
            Answer::Refused(reason) => {
                assert!(reason.starts_with("the stage misused `"), "{reason}");
                true
            }
            Answer::Ended(fault) => self.ended(&fault),
        }
    }

    /// An instance ends for a limit, or for a handle that it made up.
    fn ended(&mut self, fault: &sluicebox_model::fault::Fault) -> bool {
        assert!(matches!(fault.kind, FaultKind::Limit | FaultKind::Contract), "{fault}");
        assert!(!fault.message.is_empty() && fault.help.is_some(), "{fault:?}");
        // Its table goes with it: what was made and not given out is let go of here.
        let kept = std::mem::take(&mut self.handles);
        self.guest = Guest::new(&limits());
        drop(kept);
        false
    }

    /// What is counted as held is what is held.
    fn adds_up(&mut self) {
        let batches = || self.handles.iter().map(|handle| self.guest.batch(*handle).unwrap());
        let handles: u64 = batches().map(Guest::frame_bytes).sum();
        assert_eq!(self.guest.held_bytes(), allocated(batches()) + handles);
        assert!(self.handles.len() <= limits().handles_max as usize);
        assert_eq!(self.guest.handles(), self.handles.len());
    }

    /// Logs, counters and bad records: bounded, and safe to show.
    fn tells(&mut self, input: &mut Input<'_>) -> bool {
        let count = input.size().min(20_000) as usize;
        let text = String::from_utf8_lossy(&input.bytes(count)).into_owned();
        let answer = match input.below(3) {
            0 => {
                let level = input.pick(&[Level::Debug, Level::Info, Level::Warn, Level::Error]);
                self.guest.log(level, text)
            }
            1 => self.guest.count(text, input.long()),
            _ => {
                let record = BadRecord { origin: input.text(), content: text, reason: input.text() };
                let records = input.size().min(300) as usize;
                self.guest.quarantine(vec![record; records])
            }
        };
        let lines = self.guest.log_lines();
        let bytes: usize = lines.iter().map(|line| line.message.len()).sum();
        assert!(bytes as u64 <= limits().log_bytes_max + 200, "{bytes} bytes of log");
        for line in lines {
            assert!(line.message.chars().all(|c| !c.is_control()), "{:?}", line.message);
        }
        let (counters, records) = self.guest.told();
        assert!(counters <= 1000 && records as u64 * 96 <= limits().transfer_bytes_max);
        match answer {
            Answer::Done(()) => true,
            Answer::Refused(reason) => panic!("{reason}"),
            Answer::Ended(fault) => self.ended(&fault),
        }
    }
}

/// A batch fits the schema that it has, and one that promises less; not one that promises no nulls where there are some.
fn promised(batch: &RecordBatch) {
    let schema = batch.schema();
    assert_eq!(&fuzzing::fit(batch.clone(), &schema).unwrap(), batch);
    let fields = fuzzing::to_guest(&schema);
    assert_eq!(fuzzing::promised(&fields, std::slice::from_ref(&schema)).unwrap(), schema);
    let strict: Vec<_> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(false)).collect();
    let has_nulls = batch.columns().iter().any(|column| column.logical_null_count() > 0);
    let fits = fuzzing::fit(batch.clone(), &Arc::new(Schema::new(strict)));
    assert_eq!(fits.is_err(), has_nulls);
}

/// The rows at these positions, by the kernel.
fn taken(batch: &RecordBatch, rows: &[u32]) -> RecordBatch {
    let rows = UInt32Array::from(rows.to_vec());
    if batch.num_columns() == 0 {
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        return RecordBatch::try_new_with_options(batch.schema(), Vec::new(), &options).unwrap();
    }
    let columns = batch.columns().iter().map(|column| arrow_select::take::take(column, &rows, None).unwrap());
    RecordBatch::try_new(batch.schema(), columns.collect()).unwrap()
}

fn same(one: &RecordBatch, other: &RecordBatch) {
    assert_eq!(one.num_rows(), other.num_rows());
    assert_eq!(one.schema(), other.schema());
    for (one, other) in one.columns().iter().zip(other.columns()) {
        assert_eq!(one.to_data(), other.to_data());
    }
}

/// What was taken is what was given: read in the form in which it was given, it is the same.
fn comes_back(batch: &RecordBatch, given: &[Column]) {
    let rows = batch.num_rows();
    for (array, given) in batch.columns().iter().zip(given) {
        let form = match given.values {
            Values::Strings(_) => Form::Strings,
            Values::FixedBytes(_) | Values::VariableBytes(_) => Form::Raw,
            _ => Form::Typed,
        };
        let seen = fuzzing::lower(array, form).unwrap();
        assert!(fuzzing::lowered_bytes(array, form) >= fuzzing::crossing_bytes(&seen), "{}", array.data_type());
        values_are(&seen.values, &given.values, rows, array.data_type());
        let bits = |bytes: &Option<Vec<u8>>| -> Vec<bool> {
            (0..rows).map(|row| bytes.as_ref().is_none_or(|bytes| bytes[row / 8] >> (row % 8) & 1 == 1)).collect()
        };
        assert_eq!(bits(&seen.validity), bits(&given.validity));
        // And the other way round.
        let again = fuzzing::lower(array, Form::Typed).unwrap();
        let mut guest = OTHER.take().unwrap_or_else(|| Guest::new(&Limits::default()));
        guest.begin_anew();
        let fields =
            fuzzing::to_guest(&Schema::new(vec![arrow_schema::Field::new("c", array.data_type().clone(), true)]));
        let Answer::Done(handle) = guest.from_columns(fields, rows as u32, vec![again]) else {
            panic!("a column of {} that the host gave is not taken back", array.data_type())
        };
        assert_eq!(guest.batch(handle).unwrap().column(0).to_data(), array.to_data());
        assert!(matches!(guest.release(handle), Answer::Done(())));
        OTHER.set(Some(guest));
    }
}

fn values_are(seen: &Values, given: &Values, rows: usize, of: &DataType) {
    macro_rules! same {
        ($($variant:ident),*) => {
            match (seen, given) {
                $((Values::$variant(seen), Values::$variant(given)) => assert_eq!(seen, given),)*
                (Values::Float32(seen), Values::Float32(given)) => {
                    assert!(seen.iter().map(|number| number.to_bits()).eq(given.iter().map(|number| number.to_bits())));
                }
                (Values::Float64(seen), Values::Float64(given)) => {
                    assert!(seen.iter().map(|number| number.to_bits()).eq(given.iter().map(|number| number.to_bits())));
                }
                (Values::Bits(seen), Values::Bits(given)) => {
                    let bit = |bytes: &[u8], row: usize| bytes[row / 8] >> (row % 8) & 1;
                    assert!((0..rows).all(|row| bit(seen, row) == bit(given, row)));
                }
                (Values::Variable(seen), Values::Variable(given)) => {
                    assert_eq!(seen.offsets, given.offsets);
                    assert_eq!(seen.data, given.data[..seen.data.len()]);
                }
                (Values::VariableBytes(seen), Values::VariableBytes(given)) => {
                    assert_eq!(seen.offsets, given.offsets);
                    assert_eq!(seen.data, given.data[..seen.data.len()]);
                }
                // Typed decimals are raw, too.
                (seen, given) => panic!("{of}: {seen:?} for {given:?}"),
            }
        };
    }
    same!(Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, FixedBytes, Strings);
}

fn form(input: &mut Input<'_>) -> Form {
    input.pick(&[Form::Typed, Form::Raw, Form::Strings])
}

fn name(input: &mut Input<'_>) -> String {
    match input.below(8) {
        at @ 0..=5 => ["a", "b", "c", "d", "e", "ü"][at].to_owned(),
        _ => input.text(),
    }
}

const WORDS: [Word; 17] = [
    Word::Boolean,
    Word::Int8,
    Word::Int16,
    Word::Int32,
    Word::Int64,
    Word::Uint8,
    Word::Uint16,
    Word::Uint32,
    Word::Uint64,
    Word::Float32,
    Word::Float64,
    Word::Utf8,
    Word::Binary,
    Word::Date32,
    Word::Timestamp,
    Word::Decimal128,
    Word::Other,
];

fn fields(input: &mut Input<'_>) -> Vec<Field> {
    (0..input.below(5)).map(|_| field(input)).collect()
}

fn field(input: &mut Input<'_>) -> Field {
    let data_type = input.pick(&WORDS);
    let detail = match data_type {
        Word::Timestamp => {
            input.pick(&[None, Some("UTC"), Some("Europe/Berlin"), Some("+02:00"), Some("")]).map(str::to_owned)
        }
        Word::Decimal128 => match input.below(6) {
            5 => Some(format!("{},{}", input.byte(), input.byte().cast_signed())),
            at => Some(["10,2", "38,0", "38,-3", "1,1", "5,5"][at].to_owned()),
        },
        _ => None,
    };
    let detail = if input.one_in(40) { Some(input.text()) } else { detail };
    Field { name: name(input), data_type, nullable: !input.one_in(3), detail }
}

/// A column of the type and rows, mostly.
fn column(input: &mut Input<'_>, field: &Field, rows: u32) -> Column {
    // What is far too long is refused by its length alone.
    let mut rows = rows.min(3000) as usize;
    let other = input.one_in(30);
    if input.one_in(30) {
        rows = (rows + input.below(5)).saturating_sub(2);
    }
    let word = if other { input.pick(&WORDS) } else { field.data_type };
    macro_rules! numbers {
        ($variant:ident, $type:ty) => {{
            const WIDTH: usize = size_of::<$type>();
            let bytes = input.bytes(rows * WIDTH);
            match input.one_in(4) {
                true => Values::FixedBytes(bytes),
                false => {
                    Values::$variant(bytes.as_chunks().0.iter().map(|bytes| <$type>::from_le_bytes(*bytes)).collect())
                }
            }
        }};
    }
    let values = match word {
        Word::Boolean => Values::Bits(input.bytes(rows.div_ceil(8))),
        Word::Int8 => numbers!(Int8, i8),
        Word::Int16 => numbers!(Int16, i16),
        Word::Int32 | Word::Date32 => numbers!(Int32, i32),
        Word::Int64 | Word::Timestamp => numbers!(Int64, i64),
        Word::Uint8 => numbers!(Uint8, u8),
        Word::Uint16 => numbers!(Uint16, u16),
        Word::Uint32 => numbers!(Uint32, u32),
        Word::Uint64 => numbers!(Uint64, u64),
        Word::Float32 => numbers!(Float32, f32),
        Word::Float64 => numbers!(Float64, f64),
        Word::Decimal128 => {
            let wide = input.one_in(3);
            let mut bytes = input.bytes(rows * 16);
            if !wide {
                // Few digits, so that most fit.
                bytes.chunks_mut(16).for_each(|value| value[2..].fill(0));
            }
            Values::FixedBytes(bytes)
        }
        Word::Utf8 | Word::Binary | Word::Other => variable(input, rows),
    };
    let validity = match (input.below(3), &values) {
        (0, _) => None,
        (_, Values::Strings(_)) if !input.one_in(30) => None,
        _ => {
            let extra = if input.one_in(30) { input.below(3) } else { 0 };
            Some(input.bytes(rows.div_ceil(8) + extra))
        }
    };
    Column { values, validity }
}

fn variable(input: &mut Input<'_>, rows: usize) -> Values {
    if input.one_in(5) {
        let text = |input: &mut Input<'_>| (!input.one_in(4)).then(|| input.text());
        return Values::Strings((0..rows.min(200)).map(|_| text(input)).collect());
    }
    let mut offsets = vec![0_i32];
    if input.one_in(8) {
        // Anything at all.
        offsets = (0..=rows).map(|_| input.word().cast_signed()).collect();
    } else {
        let mut end = 0;
        for length in input.bytes(rows) {
            end += i32::from(length % 8);
            offsets.push(end);
        }
    }
    if input.one_in(12) {
        let at = input.below(offsets.len().max(1));
        if let Some(offset) = offsets.get_mut(at) {
            *offset = match input.below(4) {
                0 => -1,
                1 => i32::MAX,
                2 => i32::MIN,
                _ => offset.wrapping_add(i32::from(input.byte().cast_signed())),
            };
        }
    }
    let end = offsets.last().copied().unwrap_or(0).clamp(0, 20_000) as usize;
    let length = (end + input.below(3)).saturating_sub(usize::from(input.one_in(12)));
    let mut data = input.bytes(length);
    if !input.one_in(4) {
        // Mostly text.
        data.iter_mut().for_each(|byte| *byte &= 0x7f);
    }
    if input.one_in(4) {
        let offsets = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        return Values::VariableBytes(VariableBytes { offsets, data });
    }
    Values::Variable(Variable { offsets, data })
}
