//! How long a stage takes to be there: compiled, from the cache, instantiated. Wall-clock time, since compiling uses all
//! cores.

use crate::bed::{self, Bed};
use crate::measure::median;
use anyhow::Result;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use std::path::Path;
use std::time::{Duration, Instant};

const TIMES: usize = 50;

/// Prints a table of its own: there is no other side to compare with but the steps themselves.
pub(crate) fn print_table(plugins: &Path) -> Result<()> {
    let milliseconds = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1e3);
    println!();
    println!("| start-up of transform-select | time |");
    println!("| --- | --- |");
    let begin = Instant::now();
    let bed = Bed::new(plugins)?;
    bed.stage("transform-select", &json!({}), Path::new("."))?;
    println!("| found, compiled, described and made for the first time | {} |", milliseconds(begin.elapsed()));
    let timed = |work: &dyn Fn() -> Result<()>| -> Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let begin = Instant::now();
            work()?;
            times.push(begin.elapsed());
        }
        Ok(median(times))
    };
    let from_cache = timed(&|| bed.stage("transform-select", &json!({}), Path::new(".")).map(drop))?;
    println!("| a stage made from the cache | {} |", milliseconds(from_cache));
    let stage = bed.stage("transform-select", &json!({}), Path::new("."))?;
    let instance = timed(&|| Ok(stage.transformer(&bed::context(), &Cancel::new()).map(drop)?))?;
    println!("| an instance | {} |", milliseconds(instance));
    Ok(())
}
