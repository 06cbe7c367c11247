//! CPU time and ratios. Linux only: that of a thread is read from `/proc`.

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// CPU time of this thread so far.
pub(crate) fn thread_cpu() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").context("no /proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().context("empty schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// CPU time, user and system, of this process with all of its threads, or of all children that were waited for.
fn cpu(of: UsageWho) -> Result<Duration> {
    let usage = getrusage(of)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// CPU time of this process so far.
pub(crate) fn own_cpu() -> Result<Duration> {
    cpu(UsageWho::RUSAGE_SELF)
}

/// Runs a program to its end and answers with its CPU time; an error shows what it said.
pub(crate) fn process_cpu(command: &mut Command) -> Result<Duration> {
    let before = cpu(UsageWho::RUSAGE_CHILDREN)?;
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("could not start {command:?}"))?;
    anyhow::ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(cpu(UsageWho::RUSAGE_CHILDREN)?.saturating_sub(before))
}

/// The median of some durations; zero of none.
pub(crate) fn median(mut values: Vec<Duration>) -> Duration {
    values.sort();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Of durations from the shortest on, the one that this share of them is not longer than; zero of none.
pub(crate) fn at_share(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

/// One line of a table of results.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// Median of sluicebox's CPU time.
    pub(crate) ours: Duration,
    /// Median of the other's CPU time.
    pub(crate) other: Duration,
    /// Smallest and largest of the ratios, run by run.
    pub(crate) spread: (f64, f64),
}

impl Row {
    /// The ratio of the medians.
    pub(crate) fn ratio(&self) -> f64 {
        self.ours.as_secs_f64() / self.other.as_secs_f64().max(1e-9)
    }
}

/// Runs both in turn, `times` times after one run that does not count.
pub(crate) fn compare(
    what: &str,
    times: usize,
    mut ours: impl FnMut() -> Result<Duration>,
    mut other: impl FnMut() -> Result<Duration>,
) -> Result<Row> {
    ours()?;
    other()?;
    let mut pairs = Vec::new();
    for _ in 0..times {
        pairs.push((ours()?, other()?));
    }
    let ratios = pairs.iter().map(|(ours, other)| ours.as_secs_f64() / other.as_secs_f64().max(1e-9));
    let spread = ratios.fold((f64::MAX, 0.0_f64), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
    Ok(Row {
        what: what.to_owned(),
        ours: median(pairs.iter().map(|pair| pair.0).collect()),
        other: median(pairs.iter().map(|pair| pair.1).collect()),
        spread,
    })
}

/// What something costs: CPU time with it and without it, in pairs.
#[derive(Debug)]
pub(crate) struct Cost {
    /// What it is.
    pub(crate) what: String,
    /// Median of the CPU time with it.
    pub(crate) with: Duration,
    /// Median of the CPU time without it.
    pub(crate) without: Duration,
    /// The ratios of the pairs, lowest first.
    ratios: Vec<f64>,
}

impl Cost {
    /// A row of a table: what, with and without, the median of the ratios, their middle half, the lowest and the highest.
    pub(crate) fn row(&self) -> String {
        format!(
            "| {} | {:.1} ms | {:.1} ms | **{:.3}** | {:.3} - {:.3} | {:.3} - {:.3} |",
            self.what,
            self.with.as_secs_f64() * 1e3,
            self.without.as_secs_f64() * 1e3,
            self.ratio(0.5),
            self.ratio(0.25),
            self.ratio(0.75),
            self.ratio(0.0),
            self.ratio(1.0)
        )
    }

    /// The ratio below which this share of the pairs is, e.g. 0.5 for the median.
    pub(crate) fn ratio(&self, share: f64) -> f64 {
        let at = share * self.ratios.len().saturating_sub(1) as f64;
        self.ratios.get(at.round() as usize).copied().unwrap_or_default()
    }
}

/// Runs both in turn, each first in every other pair, after one pair that does not count.
pub(crate) fn cost(
    what: &str,
    pairs: usize,
    mut with: impl FnMut() -> Result<Duration>,
    mut without: impl FnMut() -> Result<Duration>,
) -> Result<Cost> {
    with()?;
    without()?;
    let (mut all_with, mut all_without) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        let (one, other) = if pair % 2 == 0 {
            let one = with()?;
            (one, without()?)
        } else {
            let other = without()?;
            (with()?, other)
        };
        all_with.push(one);
        all_without.push(other);
    }
    let pairs = all_with.iter().zip(&all_without);
    let mut ratios: Vec<f64> = pairs.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64().max(1e-9)).collect();
    ratios.sort_by(f64::total_cmp);
    Ok(Cost { what: what.to_owned(), with: median(all_with), without: median(all_without), ratios })
}
