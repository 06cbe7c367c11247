//! An Arrow IPC stream from a guest.

use crate::batches::check;
use crate::input::Input;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use sluicebox_model::fault::FaultKind;
use sluicebox_model::limits::Limits;
use sluicebox_sandbox::fuzzing::{Answer, Form, Guest};

fn limits() -> Limits {
    Limits { transfer_bytes_max: 4 << 20, held_bytes_max: 1 << 20, handles_max: 100, ..Limits::default() }
}

/// Gives the host the bytes as a stream. The first byte says how they are read: most often as they are, else as changes of
/// a stream that the host itself wrote, so that what is broken lies deep inside.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let stream = match input.byte() {
        0..=127 => input.rest().to_vec(),
        _ => changed(&mut input),
    };
    let mut guest = Guest::new(&limits());
    guest.start_call();
    match guest.from_ipc(stream) {
        Answer::Refused(reason) => assert!(reason.starts_with("the stage misused `from-ipc`: "), "{reason}"),
        Answer::Ended(fault) => assert_eq!(fault.kind, FaultKind::Limit, "{fault}"),
        Answer::Done(handle) => {
            let batch = guest.batch(handle).unwrap().clone();
            check(&batch);
            look_at(&batch);
            work(&mut guest, handle, &batch);
        }
    }
}

/// Every value can be shown.
fn look_at(batch: &RecordBatch) {
    let options = FormatOptions::default().with_display_error(true);
    for column in batch.columns() {
        // A time zone may be one that nobody knows.
        let Ok(formatter) = ArrayFormatter::try_new(column, &options) else { continue };
        for row in 0..column.len().min(1000) {
            let _ = formatter.value(row).to_string();
        }
    }
}

/// What was taken can be worked on, and goes back as it came.
fn work(guest: &mut Guest, handle: u32, batch: &RecordBatch) {
    let rows = batch.num_rows();
    let all: Vec<u32> = (0..batch.num_columns() as u32).collect();
    guest.start_call();
    for index in &all {
        for form in [Form::Typed, Form::Raw, Form::Strings] {
            let _ = guest.column(handle, *index, form);
        }
    }
    guest.start_call();
    if let Answer::Done(stream) = guest.to_ipc(handle, all) {
        let mut other = Guest::new(&Limits::default());
        match other.from_ipc(stream) {
            Answer::Done(again) => {
                let again = other.batch(again).unwrap();
                assert_eq!(again.num_rows(), rows);
                assert_eq!(again.schema(), batch.schema());
                for (one, other) in again.columns().iter().zip(batch.columns()) {
                    same(one, other);
                }
            }
            other => panic!("a stream that the host wrote is not read: {other:?}"),
        }
    }
    guest.start_call();
    for made in [
        guest.filter(handle, vec![0b0101_0101; rows.div_ceil(8)]),
        guest.take(handle, (0..rows.min(100) as u32).rev().collect()),
        guest.slice(handle, rows as u32 / 3, rows as u32 / 3),
        guest.concat(&[handle, handle]),
    ] {
        if let Answer::Done(made) = made {
            check(guest.batch(made).unwrap());
        }
    }
}

/// Whether both show the same values; arrow knows no equality of some types.
fn same(one: &ArrayRef, other: &ArrayRef) {
    let options = FormatOptions::default().with_null("NULL").with_display_error(true);
    let (Ok(shown), Ok(wanted)) = (ArrayFormatter::try_new(one, &options), ArrayFormatter::try_new(other, &options))
    else {
        return;
    };
    for row in 0..one.len().min(1000) {
        assert_eq!(shown.value(row).to_string(), wanted.value(row).to_string(), "row {row}");
    }
}

/// A stream of one column or a few, with some bytes changed.
fn changed(input: &mut Input<'_>) -> Vec<u8> {
    let streams = streams();
    let mut stream = streams[input.below(streams.len())].clone();
    for _ in 0..1 + input.below(4) {
        // The heads lie before the body, and are what is read first.
        let at = input.word() as usize % stream.len();
        let width = input.pick(&[1, 1, 2, 4, 8]);
        let value: [u8; 8] = match input.below(6) {
            0 => [0xff; 8],
            1 => [0; 8],
            2 => (u64::from(input.byte())).to_le_bytes(),
            3 => (1_u64 << (input.byte() % 64)).to_le_bytes(),
            4 => (stream.len() as u64 + u64::from(input.byte())).to_le_bytes(),
            _ => input.long().to_le_bytes(),
        };
        let end = (at + width).min(stream.len());
        stream[at..end].copy_from_slice(&value[..end - at]);
    }
    if input.one_in(10) {
        stream.truncate(input.word() as usize % stream.len());
    }
    stream
}

/// What the host writes of a small batch of each type.
pub fn streams() -> &'static [Vec<u8>] {
    static STREAMS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    STREAMS.get_or_init(|| {
        let written = |batch: RecordBatch| {
            let mut guest = Guest::new(&Limits::default());
            let columns = (0..batch.num_columns() as u32).collect();
            let Answer::Done(handle) = guest.given(batch) else { panic!("a batch of the host was not taken") };
            match guest.to_ipc(handle, columns) {
                Answer::Done(stream) => stream,
                other => panic!("{other:?}"),
            }
        };
        let mut streams: Vec<Vec<u8>> = crate::arrays::one_of_each()
            .into_iter()
            .map(|array| written(RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap()))
            .collect();
        let several = crate::arrays::one_of_each().into_iter().enumerate().take(6);
        let several = several.map(|(at, array)| (format!("c{at}"), array, true));
        let wide = RecordBatch::try_from_iter_with_nullable(several).unwrap();
        let rows = UInt32Array::from(vec![3, 1]);
        let columns = wide.columns().iter().map(|column| arrow_select::take::take(column, &rows, None).unwrap());
        let fewer = RecordBatch::try_new(wide.schema(), columns.collect()).unwrap();
        streams.extend([written(wide), written(fewer)]);
        streams
    })
}
