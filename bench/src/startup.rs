//! How long a stage takes to be there: compiled, from the cache, instantiated. Wall-clock time, since compiling uses all
//! cores.

use crate::bed::{self, Bed};
use crate::measure::median;
use anyhow::{Result, anyhow, ensure};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::stage::Input;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const TIMES: usize = 50;

/// Prints a table of its own: there is no other side to compare with but the steps themselves.
pub(crate) fn print_table(plugins: &Path, plugins_of_tests: &Path) -> Result<()> {
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
    let bed = Bed::new(plugins_of_tests)?;
    let mut cancels = (0..TIMES).map(|_| cancel(&bed)).collect::<Result<Vec<_>>>()?;
    cancels.sort();
    let longest = cancels.last().copied().unwrap_or_default();
    println!("| from a cancel to the end of a call that loops for ever | {} |", milliseconds(median(cancels)));
    println!("| the same, the longest of {TIMES} | {} |", milliseconds(longest));
    Ok(())
}

/// How long a call that never ends goes on once it is cancelled.
fn cancel(bed: &Bed) -> Result<Duration> {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("n", column)])?;
    let cancel = Cancel::new();
    let stage = bed.stage("evil", &json!({ "mode": "loop" }), Path::new("."))?;
    let mut transformer = stage.transformer(&bed::context(), &cancel)?;
    transformer.open(&[Input { name: "input".to_owned(), schema: batch.schema() }])?;
    let later = cancel.clone();
    let canceller = thread::spawn(move || {
        // The call has begun by then; if it had not, it would not begin.
        thread::sleep(Duration::from_millis(30));
        later.cancel();
        Instant::now()
    });
    let answer = transformer.process(0, batch);
    let ended = Instant::now();
    let asked = canceller.join().map_err(|_| anyhow!("the canceller panicked"))?;
    ensure!(answer.is_err_and(|fault| fault.kind == FaultKind::Cancelled), "the call ended in another way");
    Ok(ended.duration_since(asked))
}
