//! What 100,000 scheduled pipelines cost: memory of an idle one, one tick, and how late fires are decided by a real clock.

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;
use sluicebox_model::house::{Decided, HouseEvent, NewRun, QueueState, QueuedRun};
use sluicebox_model::pipeline::{CatchUp, Overlap};
use sluicebox_model::run::{RunId, Trigger};
use sluicebox_schedule::{Busy, Decision, Plan, Planner, Timetable};
use sluicebox_store::Store;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PIPELINES: usize = 100_000;

/// How long the real clock is followed.
const WATCHED: Duration = Duration::from_secs(20);

/// Prints tables of its own.
pub(crate) fn print_tables() -> Result<()> {
    let ticks = ticks()?;
    println!();
    println!("| {PIPELINES} scheduled pipelines | |");
    println!("| --- | --- |");
    println!("| memory of an idle one | {:.0} bytes |", ticks.bytes_per_idle_pipeline);
    println!("| to add all | {:.0} ms |", ticks.adding.as_secs_f64() * 1e3);
    println!("| a tick at which nothing is due | {:.2} us |", ticks.idle_tick.as_secs_f64() * 1e6);
    let (per_tick, per_fire) = (ticks.median.as_secs_f64() * 1e6, ticks.per_decision.as_secs_f64() * 1e6);
    println!(
        "| a tick of the busiest hour, median / p99 | {per_tick:.0} us / {:.0} us |",
        ticks.p99.as_secs_f64() * 1e6
    );
    println!("| a decision | {per_fire:.2} us |");
    println!();
    println!(
        "| how late fires are decided and kept, {} s by the clock | fires | p50 | p99 | latest |",
        WATCHED.as_secs()
    );
    println!("| --- | --- | --- | --- | --- |");
    for (what, every, jitter) in [
        ("spread over an hour", 3600, 3600),
        ("spread over a minute", 60, 60),
        ("each 10 s, all at the same moment", 10, 0),
    ] {
        // All at once is what a thousand pipelines at the full hour are.
        let pipelines = if jitter == 0 { 1000 } else { PIPELINES };
        let late = lateness(pipelines, every, jitter)?;
        let at = |share: f64| crate::measure::at_share(&late, share).as_secs_f64() * 1e3;
        println!(
            "| {pipelines} pipelines, {what} | {} | {:.1} ms | {:.1} ms | {:.1} ms |",
            late.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

struct Ticks {
    /// Pages that the process gained, over the pipelines.
    bytes_per_idle_pipeline: f64,
    adding: Duration,
    /// A tick at which nothing is due.
    idle_tick: Duration,
    /// Ticks of an hour, one each second at which something is due.
    median: Duration,
    p99: Duration,
    per_decision: Duration,
}

/// All pipelines, of a thousand schedules in five time zones, for an hour: what ticks cost.
fn ticks() -> Result<Ticks> {
    let start = Timestamp::from_second(1_800_000_000)?;
    let mut plans = Vec::new();
    for kind in 0..1000 {
        let (minute, hour) = (kind * 7 % 60, kind * 5 % 24);
        let cron = match kind % 10 {
            0 => format!("{minute} * * * *"),
            1 => "*/15 * * * *".to_owned(),
            _ => format!("{minute} {hour} * * *"),
        };
        let zones = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"];
        let zone = zones.into_iter().cycle().nth(kind / 10).unwrap_or("UTC");
        plans.push(plan(Timetable::parse(&[&cron], None, zone), 60)?);
    }
    let names: Vec<String> = (0..PIPELINES).map(|n| format!("pipeline-{n:06}")).collect();
    let before = resident();
    let clock = Instant::now();
    let mut planner = Planner::default();
    for (name, plan) in names.iter().zip(plans.iter().cycle()) {
        planner.add(name, Arc::clone(plan), start, false);
    }
    let adding = clock.elapsed();
    let bytes = resident().saturating_sub(before);
    let mut idle: Vec<Duration> = Vec::new();
    for _ in 0..1000 {
        let clock = Instant::now();
        planner.tick(start, |_| Busy::default());
        idle.push(clock.elapsed());
    }
    let (mut ticks, mut decisions) = (Vec::new(), 0);
    for second in 1..=3600 {
        let now = start + Duration::from_secs(second);
        if planner.wake_at().is_some_and(|wake| wake <= now) {
            let clock = Instant::now();
            decisions += planner.tick(now, |_| Busy::default()).len();
            ticks.push(clock.elapsed());
        }
    }
    let all: Duration = ticks.iter().sum();
    ticks.sort();
    let p99 = ticks.get(ticks.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Ticks {
        bytes_per_idle_pipeline: bytes as f64 / PIPELINES as f64,
        adding,
        idle_tick: crate::measure::median(idle),
        median: crate::measure::median(ticks),
        p99,
        per_decision: all / u32::try_from(decisions.max(1))?,
    })
}

/// How late fires are when their decision is kept: sleeping until the planner says, as `serve` does. Sorted.
fn lateness(pipelines: usize, every: u64, jitter: u64) -> Result<Vec<Duration>> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    let plan = plan(Timetable::parse(&[], Some(Duration::from_secs(every)), "UTC"), jitter)?;
    let mut planner = Planner::default();
    let start = Timestamp::now();
    for n in 0..pipelines {
        // The hour's fires lie behind, their delays before us.
        let decided = start - Duration::from_secs(jitter);
        planner.add(&format!("pipeline-{n:06}"), Arc::clone(&plan), decided, false);
    }
    // What came due before anybody looked is not late.
    while planner.wake_at().is_some_and(|wake| wake <= Timestamp::now()) {
        planner.tick(Timestamp::now(), |_| Busy::default());
    }
    let watched = Instant::now();
    let mut late = Vec::new();
    let mut number = 0_u64;
    while watched.elapsed() < WATCHED {
        let wake = planner.wake_at().context("nothing is due")?;
        let wait = Duration::try_from(wake.duration_since(Timestamp::now())).unwrap_or_default();
        std::thread::sleep(wait.min(WATCHED.saturating_sub(watched.elapsed())));
        let now = Timestamp::now();
        let decisions = planner.tick(now, |_| Busy::default());
        if decisions.is_empty() {
            continue;
        }
        let mut decided = Decided::default();
        let mut due = Vec::new();
        for decision in &decisions {
            let (Decision::Fire(fire) | Decision::CatchUp(fire)) = decision else { continue };
            number += 1;
            let mut random = [0; 10];
            random.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            let run = RunId::new(now, random);
            due.push(fire.due);
            decided.decided_until.insert(fire.pipeline.to_string(), fire.at);
            let event =
                HouseEvent::Fired { nominal: fire.at, interval: fire.interval, run, reason: decision.to_string() };
            let row = QueuedRun {
                run,
                pipeline: fire.pipeline.to_string(),
                trigger: Trigger::Schedule,
                nominal: Some(fire.at),
                interval: fire.interval,
                queued_at: now,
                ready_at: fire.due,
                priority: 0,
                pool: None,
                repeats: None,
                options: Value::Null,
                state: QueueState::Waiting,
                reason: String::new(),
            };
            decided.runs.push(NewRun { run: row, once: None, events: vec![event] });
        }
        store.decide_soon(&decided, now)?;
        let kept = Timestamp::now();
        late.extend(due.into_iter().map(|due| Duration::try_from(kept.duration_since(due)).unwrap_or_default()));
    }
    late.sort();
    Ok(late)
}

fn plan<E: std::fmt::Debug>(timetable: Result<Timetable, E>, jitter: u64) -> Result<Arc<Plan>> {
    let timetable = timetable.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    Ok(Arc::new(Plan {
        timetable,
        catch_up: CatchUp::Latest,
        window: Duration::from_secs(7 * 86_400),
        overlap: Overlap::Skip,
        jitter: Duration::from_secs(jitter),
    }))
}

/// Bytes of the process in memory; 0 where there is no `/proc`.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
