//! What 100,000 scheduled pipelines cost: memory of an idle one, and ticks. `cargo run --release --example planner`.

use jiff::Timestamp;
use sluicebox_model::pipeline::{CatchUp, Overlap};
use sluicebox_schedule::{Busy, Plan, Planner, Timetable};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was measured.
struct Measured {
    /// Pages that the process gained, over the pipelines.
    bytes_per_idle_pipeline: f64,
    /// To add all pipelines.
    adding: Duration,
    /// A tick at which nothing is due: the shortest.
    idle_tick: Duration,
    /// Ticks of an hour, one each second at which something is due.
    ticks: Vec<Duration>,
    /// What they decided.
    decisions: usize,
}

/// So many pipelines of a thousand schedules in five time zones, for an hour.
fn measure(pipelines: u32) -> Measured {
    let start = Timestamp::from_second(1_800_000_000).unwrap_or_default();
    let mut plans: HashMap<u32, Arc<Plan>> = HashMap::new();
    for kind in 0..1000 {
        let (minute, hour) = (kind * 7 % 60, kind * 5 % 24);
        let cron = match kind % 10 {
            0 => format!("{minute} * * * *"),
            1 => "*/15 * * * *".to_owned(),
            _ => format!("{minute} {hour} * * *"),
        };
        let zones = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"];
        let zone = zones.into_iter().cycle().nth(kind as usize / 10).unwrap_or("UTC");
        let Ok(timetable) = Timetable::parse(&[&cron], None, zone) else { continue };
        let plan = Plan {
            timetable,
            catch_up: CatchUp::Latest,
            window: Duration::from_secs(7 * 86_400),
            overlap: Overlap::Skip,
            jitter: Duration::from_secs(60),
        };
        plans.insert(kind, Arc::new(plan));
    }
    let names: Vec<String> = (0..pipelines).map(|n| format!("pipeline-{n:06}")).collect();
    let before = resident();
    let clock = Instant::now();
    let mut planner = Planner::default();
    for (n, name) in (0..).zip(&names) {
        if let Some(plan) = plans.get(&(n % 1000)) {
            planner.add(name, plan.clone(), start, false);
        }
    }
    let adding = clock.elapsed();
    let bytes = resident().saturating_sub(before);
    let idle = |planner: &mut Planner| {
        let clock = Instant::now();
        planner.tick(start, |_| Busy::default());
        clock.elapsed()
    };
    let idle_tick = (0..1000).map(|_| idle(&mut planner)).min().unwrap_or_default();
    let (mut ticks, mut decisions) = (Vec::new(), 0);
    for second in 1..=3600 {
        let now = start + Duration::from_secs(second);
        if planner.wake_at().is_some_and(|wake| wake <= now) {
            let clock = Instant::now();
            decisions += planner.tick(now, |_| Busy::default()).len();
            ticks.push(clock.elapsed());
        }
    }
    ticks.sort();
    let bytes_per_idle_pipeline = bytes as f64 / f64::from(pipelines.max(1));
    Measured { bytes_per_idle_pipeline, adding, idle_tick, ticks, decisions }
}

/// Bytes of the process in memory; 0 where there is no `/proc`.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn main() {
    let measured = measure(100_000);
    let per_cent = |per: usize| measured.ticks.get(measured.ticks.len() * per / 100).copied().unwrap_or_default();
    let all: Duration = measured.ticks.iter().sum();
    println!("memory of an idle pipeline   {:.0} bytes", measured.bytes_per_idle_pipeline);
    println!("adding all                   {:?}", measured.adding);
    println!("a tick at which nothing is due {:?}", measured.idle_tick);
    println!("a tick, p50 / p99 / longest  {:?} / {:?} / {:?}", per_cent(50), per_cent(99), measured.ticks.last());
    println!("a decision                   {:?}", all / u32::try_from(measured.decisions.max(1)).unwrap_or(1));
    println!("decisions in an hour         {}", measured.decisions);
}
