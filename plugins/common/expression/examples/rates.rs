//! How fast expressions are beside copying their columns: `cargo run --release -p sluicebox-expression --example rates`.
//!
//! glibc gives large buffers back to the system after each use, which a guest's allocator never does, and page faults then
//! take most of the time; run it with `MALLOC_TRIM_THRESHOLD_=1000000000 MALLOC_MMAP_THRESHOLD_=1000000000`.

use std::{hint::black_box, time::Instant};

use sluicebox_expression::Expression;
use sluicebox_stage::{Batch, testing::batch};

const ROWS: i64 = 65_536;

fn batch() -> Batch {
    let codes = ["EWR", "jfk", "lga", "Ord", "atl"];
    batch! {
        "distance" => (0..ROWS).map(|row| row * 37 % 5000),
        "air_time" => (0..ROWS).map(|row| (row % 39 != 0).then_some(20 + row * 13 % 600)),
        "arr_delay" => (0..ROWS).map(|row| (row % 39 != 0).then_some((row % 700) as f64 - 60.0)),
        "dest" => codes.into_iter().cycle().take(ROWS as usize),
        "day" => (0..ROWS).map(|row| sluicebox_stage::testing::Date(15_700 + (row % 365) as i32)),
    }
}

/// Nanoseconds a row, the best of many runs.
fn nanoseconds(mut run: impl FnMut()) -> f64 {
    let best = (0..200).map(|_| {
        let started = Instant::now();
        run();
        started.elapsed().as_nanos()
    });
    best.min().unwrap_or(0) as f64 / ROWS as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let batch = batch();
    for column in 0..batch.schema().len() {
        let name = batch.schema().get(column).map_or("", |field| field.name.as_str());
        let rate = nanoseconds(|| {
            black_box(batch.column(column).is_ok());
        });
        println!("{rate:8.2} ns a row   copying {name}");
    }
    for text in [
        "distance / air_time * 60",
        "distance + air_time",
        "distance * 2",
        "arr_delay is not null",
        "arr_delay > 15 and distance between 100 and 2000",
        "upper(dest)",
        "length(dest)",
        "dest like 'E%'",
        "dest in ('EWR', 'LGA')",
        "regexp_like(dest, '^[A-Z]+$')",
        "case when arr_delay > 60 then 'very' when arr_delay > 15 then 'a bit' else 'no' end",
        "coalesce(air_time, 0)",
        "date_trunc('month', day)",
        "cast(distance as utf8)",
        "dest || '-' || cast(distance as utf8)",
        "md5(dest)",
    ] {
        let expression = Expression::plan(text, batch.schema())?;
        let rate = nanoseconds(|| {
            black_box(expression.evaluate(&batch).is_ok());
        });
        println!("{rate:8.2} ns a row   {text}");
    }
    Ok(())
}
