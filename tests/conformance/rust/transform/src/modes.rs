//! The modes.

use crate::{Call, Conform, CopyForm, context_schema, fail_in, length};
use sluicebox_stage::{
    BadRecord, Batch, Column, DataType, Fault, Field, Form, Int32Builder, Mask, Schema, count, log, quarantine,
};

pub type Work = fn(&mut Conform, Batch) -> Result<Option<Batch>, Fault>;

pub fn of(mode: &str) -> Option<Work> {
    Some(match mode {
        "copy" => copy,
        "ipc" => |_, batch| {
            let all: Vec<usize> = (0..batch.schema().len()).collect();
            Batch::from_ipc(&batch.to_ipc(&all)?).map(Some)
        },
        "add-one" => add_one,
        "length" => lengths,
        "filter" => |conform, batch| {
            let column = batch.column_named(&conform.options.column)?;
            let bits = column.bits().ok_or_else(|| Fault::internal("no boolean"))?;
            let mask = Mask::from_fn(batch.rows(), |row| bits.get(row) == Some(true));
            batch.filter(&mask).map(Some)
        },
        "take" => |_, batch| {
            let rows: Vec<u32> = (0..batch.rows() as u32).rev().collect();
            batch.take(&rows).map(Some)
        },
        "slice" => |conform, batch| batch.slice(conform.options.offset, conform.options.rows).map(Some),
        "select" => |conform, batch| {
            let place = |name: &str| batch.schema().index_of(name).unwrap_or(usize::MAX);
            let pairs: Vec<(usize, &str)> =
                conform.options.columns.iter().map(|(from, to)| (place(from), to.as_str())).collect();
            batch.select(&pairs).map(Some)
        },
        "concat" => |_, batch| Batch::concat(&[&batch, &batch]).map(Some),
        "zip" => |_, batch| {
            let names: Vec<String> = batch.schema().names().map(|name| format!("{name}_2")).collect();
            let pairs: Vec<(usize, &str)> = names.iter().enumerate().map(|(at, name)| (at, name.as_str())).collect();
            batch.zip(&batch.select(&pairs)?).map(Some)
        },
        "fault" => |conform, batch| fail_in(Call::Process, &conform.options).map(|()| Some(batch)),
        "crash" => |_, _| panic!("told to crash"),
        "bad-answer" => |_, batch| {
            let schema = Schema::new([Field::new("n", DataType::Int64), Field::new("m", DataType::Int64)]);
            let columns = vec![Column::from_i64(vec![0; batch.rows()]), Column::from_i64(vec![0; batch.rows() + 1])];
            Batch::from_columns(schema, columns).map(Some)
        },
        "keep" => |conform, batch| {
            conform.kept.push_back(batch);
            Ok(None)
        },
        "totals" => |_, _| Ok(None),
        "context" => |conform, _| {
            let context = &conform.context;
            let text = |text: &String| Column::from_strs([text]);
            let columns = vec![
                text(&context.pipeline),
                text(&context.stage),
                Column::from_i32(vec![context.attempt as i32]),
                text(&context.interval_start),
                text(&context.interval_end),
            ];
            Batch::from_columns(context_schema(), columns).map(Some)
        },
        "report" => |_, batch| {
            log::debug("debug line");
            log::info("info line");
            log::warn("warn line");
            log::error("error line");
            println!("printed line");
            count("seen", 3);
            count("seen", 4);
            let record = BadRecord { origin: "here:1".into(), content: "x,y".into(), reason: "not right".into() };
            quarantine(vec![record]);
            Ok(Some(batch))
        },
        _ => return None,
    })
}

fn copy(conform: &mut Conform, batch: Batch) -> Result<Option<Batch>, Fault> {
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    let mut others = Vec::new();
    for (at, field) in batch.schema().iter().enumerate() {
        let form = match (conform.options.form, field.data_type) {
            (_, DataType::Other) => {
                others.push((at, field.name.as_str()));
                continue;
            }
            (CopyForm::Typed, _) => Form::Typed,
            (CopyForm::Strings, DataType::Utf8) => Form::Strings,
            _ => Form::Raw,
        };
        fields.push(field.clone());
        columns.push(batch.column_in(at, form)?);
    }
    let copied = Batch::from_columns(Schema::new(fields), columns)?;
    if others.is_empty() {
        return Ok(Some(copied));
    }
    let both = copied.zip(&batch.select(&others)?)?;
    let order: Vec<(usize, &str)> =
        batch.schema().names().map(|name| (both.schema().index_of(name).unwrap_or(usize::MAX), name)).collect();
    both.select(&order).map(Some)
}

fn add_one(conform: &mut Conform, batch: Batch) -> Result<Option<Batch>, Fault> {
    let name = &conform.options.column;
    let column = batch.column_named(name)?;
    let values = column.as_i64().unwrap_or_default().iter().map(|value| value.wrapping_add(1)).collect();
    let added = Column::from_i64(values).valid_where(&column.valid());
    let field = batch.schema().field(name).cloned();
    batch.with_columns(Schema::new(field), vec![added]).map(Some)
}

fn lengths(conform: &mut Conform, batch: Batch) -> Result<Option<Batch>, Fault> {
    let column = batch.column_named(&conform.options.column)?;
    let texts = column.strs().ok_or_else(|| Fault::internal("no text"))?;
    let mut lengths = Int32Builder::new();
    for text in texts.iter() {
        lengths.push_option(text.map(|text| text.chars().count() as i32));
    }
    batch.with_columns(Schema::new([length()]), vec![lengths.finish()]).map(Some)
}
