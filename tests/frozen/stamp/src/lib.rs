//! A transform that adds the column `stamp`: the row's number, counted from the option `start`.

wit_bindgen::generate!({ path: "../../../wit/frozen/0.1.0.wit", world: "transform-stage", generate_all });

use exports::sluicebox::stage::plugin::{Description, Guest as Plugin, Kind};
use exports::sluicebox::stage::transformer::{Guest as Transformer, Input};
use sluicebox::stage::batches::{Batch, Column, Values};
use sluicebox::stage::report::{Level, count, log};
use sluicebox::stage::types::{DataType, Fault, FaultKind, Field, RunContext, Schema};
use std::cell::{Cell, RefCell};

struct Stamp;

thread_local! {
    static NEXT: Cell<i64> = const { Cell::new(0) };
    static SCHEMA: RefCell<Schema> = const { RefCell::new(Vec::new()) };
}

impl Plugin for Stamp {
    fn describe() -> Description {
        Description {
            name: "stamp".to_owned(),
            version: "4.1.0".to_owned(),
            kind: Kind::Transform,
            summary: "Numbers rows".to_owned(),
            config_schema: r#"{"type":"object","properties":{"start":{"type":"integer","minimum":0,"description":"The number of the first row"}},"additionalProperties":false}"#.to_owned(),
            capabilities: Vec::new(),
            stateless: false,
        }
    }
}

impl Transformer for Stamp {
    fn open(_: RunContext, config: String, inputs: Vec<Input>) -> Result<Schema, Fault> {
        let [input] = inputs.as_slice() else {
            let message = format!("it takes one input, not {}", inputs.len());
            return Err(Fault { kind: FaultKind::InvalidConfig, message, row: None });
        };
        // The host has checked the options: the only digits in them are those of `start`.
        let digits: String = config.chars().filter(char::is_ascii_digit).collect();
        NEXT.set(digits.parse().unwrap_or(0));
        let mut schema = input.schema.clone();
        let stamp = Field { name: "stamp".to_owned(), data_type: DataType::Int64, nullable: false, detail: None };
        schema.push(stamp);
        SCHEMA.set(schema.clone());
        log(Level::Info, "stamps from the past");
        Ok(schema)
    }

    fn process(_: u32, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let first = NEXT.get();
        let next = first + i64::from(batch.rows());
        NEXT.set(next);
        count("stamped", u64::from(batch.rows()));
        let column = Column { values: Values::Int64((first..next).collect()), validity: None };
        let stamp: Schema = SCHEMA.with_borrow(|schema| schema.last().cloned()).into_iter().collect();
        Ok(vec![batch.with_columns(&stamp, &[column])?])
    }

    fn finish() -> Result<Option<Batch>, Fault> {
        Ok(None)
    }
}

export!(Stamp);
