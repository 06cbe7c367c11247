//! Random expressions over random data give the same answers as in DataFusion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use sluicebox_differential::{Generator, data, random::Random, twin};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Whether our fault is one that is meant where DataFusion answers: numbers do not wrap around.
fn meant(fault: &str) -> bool {
    ["does not fit in int64", "digits", "out of the calendar"].iter().any(|part| fault.contains(part))
}

/// Whether DataFusion fails at what we answer (NaN, infinity, null), or looks at rows that do not matter.
fn stricter(error: &str) -> bool {
    [
        "square root of a negative",
        "zero raised to a negative",
        "it panics",
        "overflow on abs",
        "Overflow happened on",
        "Can't cast value",
    ]
    .iter()
    .any(|part| error.contains(part))
}

#[test]
fn answers_are_those_of_datafusion() {
    let (seed, count) = (setting("SEED", 20_130_105), setting("COUNT", 20_000));
    // What DataFusion's panics print would bury the answer.
    std::panic::set_hook(Box::new(|_| {}));
    let started = std::time::Instant::now();
    let mut generator = Generator::new(seed);
    let mut random = Random::new(seed ^ 0xda7a);
    let (mut ours_batch, mut theirs_batch) = data::batch(&mut random, 50, false);
    let datafusion = twin::DataFusion::new(&theirs_batch).unwrap();
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for at in 0..count {
        if at % 40 == 0 {
            let rows = [0, 1, 7, 8, 9, 50, 64, 130][random.below(8)];
            let wild = random.once_in(4);
            (ours_batch, theirs_batch) = data::batch(&mut random, rows, wild);
        }
        let pair = generator.expression();
        let ours = twin::ours(&pair.ours, &ours_batch);
        let theirs = datafusion.evaluate(&pair.theirs, &theirs_batch);
        let verdict = match (&ours, &theirs) {
            (Ok(a), Ok(b)) => match a.iter().zip(b).position(|(a, b)| !a.is(b)) {
                None if a.len() == b.len() => "the same",
                None => {
                    wrong.push(format!("{} rows, not {}", a.len(), b.len()));
                    "wrong"
                }
                Some(row) => {
                    wrong.push(format!("row {row}: {:?}, DataFusion {:?}", a[row], b[row]));
                    "wrong"
                }
            },
            (Err(_), Err(_)) => "both fail",
            (Err(fault), Ok(_)) if meant(fault) => "only ours fails, as meant",
            (Err(fault), Ok(_)) => {
                wrong.push(format!("only ours fails: {fault}"));
                "wrong"
            }
            (Ok(_), Err(error)) if stricter(error) => "only DataFusion fails, as known",
            (Ok(_), Err(error)) => {
                wrong.push(format!("only DataFusion fails: {error}"));
                "wrong"
            }
        };
        *tally.entry(verdict).or_default() += 1;
        if verdict == "wrong"
            && let Some(last) = wrong.last_mut()
        {
            last.push_str(&format!("\n  ours:   {}\n  theirs: {}", pair.ours, pair.theirs));
        }
    }
    println!("{count} expressions in {:.1} s: {tally:?}", started.elapsed().as_secs_f64());
    let _ = std::panic::take_hook();
    let shown = wrong.iter().take(25).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} differ\n{shown}", wrong.len());
    let share = |verdict: &str| tally.get(verdict).copied().unwrap_or(0) as f64 / count as f64;
    assert!(share("the same") > 0.9, "most are compared: {tally:?}");
    assert!(share("only DataFusion fails, as known") < 0.03, "few fail there only: {tally:?}");
}
