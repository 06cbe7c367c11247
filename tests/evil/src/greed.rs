//! More of everything than anybody needs.

use sluicebox_stage::{
    BadRecord, Batch, Column, DataType, Fault, Field, Schema, Utf8Builder, Values, count, log, quarantine,
};

/// Handles that are never given back.
#[derive(Default)]
pub(crate) struct Kept(Vec<Batch>);

impl Kept {
    pub(crate) fn keep(&mut self, batch: &Batch) -> Result<(), Fault> {
        // new columns each, so that the host's memory grows with them
        let rows = batch.rows();
        let schema = Schema::new([Field::new("kept", DataType::Int64)]);
        let column = Column::from_i64(vec![7; rows]);
        self.0.push(Batch::from_columns(schema, vec![column])?);
        self.0.push(batch.share()?);
        Ok(())
    }

    pub(crate) fn make_handles(&mut self, batch: &Batch) -> Result<(), Fault> {
        loop {
            self.0.push(batch.share()?);
        }
    }
}

pub(crate) fn eat_slowly() -> ! {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(std::hint::black_box(vec![0xa5; 1 << 20]));
    }
}

pub(crate) fn eat_at_once(bytes: u64) {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX / 2);
    drop(std::hint::black_box(vec![0xa5u8; bytes]));
}

pub(crate) fn answer_many(batch: &Batch, times: u64) -> Result<Vec<Batch>, Fault> {
    (0..times).map(|_| batch.share()).collect()
}

pub(crate) fn flood_log(times: u64) {
    (0..times).for_each(|line| log::info(format_args!("evil: line {line} of many that nobody asked for")));
}

pub(crate) fn flood_stdout(times: u64) {
    (0..times).for_each(|line| println!("evil: line {line} of many that nobody asked for"));
}

pub(crate) fn flood_stderr(times: u64) {
    (0..times).for_each(|line| eprintln!("evil: line {line} of many that nobody asked for"));
}

fn long(bytes: u64) -> String {
    "x".repeat(usize::try_from(bytes).unwrap_or(usize::MAX / 2))
}

pub(crate) fn long_line(bytes: u64) {
    log::info(long(bytes));
}

pub(crate) fn many_counters(times: u64) {
    (0..times).for_each(|number| count(&format!("evil-{number}"), u64::MAX));
}

pub(crate) fn long_counter(bytes: u64) {
    count(&long(bytes), 1);
}

pub(crate) fn long_fault(bytes: u64) -> Fault {
    Fault::internal(long(bytes))
}

pub(crate) fn flood_quarantine(times: u64) {
    let records = (0..times).map(|number| BadRecord {
        origin: format!("evil:{number}"),
        content: "a record that was never there".into(),
        reason: "evil".into(),
    });
    quarantine(records.collect());
}

pub(crate) fn huge_answer(bytes: u64) -> Result<Vec<Batch>, Fault> {
    let mut builder = Utf8Builder::new();
    builder.push(&long(bytes));
    let schema = Schema::new([Field::new("huge", DataType::Utf8)]);
    Ok(vec![Batch::from_columns(schema, vec![builder.finish()])?])
}

pub(crate) fn tiny_calls(times: u64) {
    (0..times).for_each(|_| count("t", 1));
}

pub(crate) fn small_batches(batch: &Batch, times: u64) -> Result<(), Fault> {
    (0..times).try_for_each(|_| batch.slice(0, 1).map(drop))
}

pub(crate) fn take_many(batch: &Batch, times: u64) -> Result<Vec<Batch>, Fault> {
    Ok(vec![batch.take(&vec![0; usize::try_from(times).unwrap_or(usize::MAX)])?])
}

pub(crate) fn many_columns(times: u64) -> Result<Vec<Batch>, Fault> {
    let schema: Schema = (0..times).map(|number| Field::new(number.to_string(), DataType::Int8)).collect();
    let columns = (0..times).map(|_| Column::new(Values::Int8(Vec::new()), None, 0)).collect();
    Ok(vec![Batch::from_columns(schema, columns)?])
}

pub(crate) fn many_empty_texts(times: u64) -> Result<(), Fault> {
    let rows = usize::try_from(times).unwrap_or(usize::MAX);
    let texts = Values::Strings(vec![Some(String::new()); rows]);
    let schema = Schema::new([Field::new("empty", DataType::Utf8)]);
    Batch::from_columns(schema, vec![Column::new(texts, None, rows)]).map(drop)
}

pub(crate) fn rows_without_columns(batch: &Batch) -> Result<Vec<Batch>, Fault> {
    let mut rows = batch.select(&[])?;
    loop {
        let twice = Batch::concat(&[&rows, &rows])?;
        log::info(format_args!("evil: {} rows of nothing", twice.rows()));
        rows = twice;
    }
}

pub(crate) fn long_name(bytes: u64) -> Result<Vec<Batch>, Fault> {
    let schema = Schema::new([Field::new(long(bytes), DataType::Int64)]);
    Ok(vec![Batch::from_columns(schema, vec![Column::from_i64(vec![1])])?])
}

pub(crate) fn counter_overflow() {
    (0..3).for_each(|_| count("evil", u64::MAX));
}
