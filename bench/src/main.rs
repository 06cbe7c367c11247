//! What is compared with what. `cargo xtask bench` builds all and runs this; `docs/performance.md` explains the table.
//!
//! CPU time, as medians of runs in turn (ours, other, ours, ...), so that a slow machine slows both.

mod bed;
mod costs;
mod dev;
mod idle;
#[cfg(unisolated)]
mod isolation;
mod job;
mod kernels;
mod languages;
mod latency;
mod measure;
mod scheduler;
mod served;
mod startup;
mod twin;

use anyhow::{Context, Result};
use measure::{Row, compare, process_cpu, thread_cpu};
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Runs of each side of a comparison.
const TIMES: usize = 5;

struct Arguments {
    sluicebox: PathBuf,
    handed_out: PathBuf,
    data: PathBuf,
    only: Vec<String>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, flights, airlines, out] = arguments.as_slice()
        && command == "twin"
    {
        let done = twin::run(Path::new(flights), Path::new(airlines), Path::new(out))?;
        println!("{done:?}");
        return Ok(());
    }
    let arguments = parse(arguments)?;
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let plugins = arguments.sluicebox.with_file_name("plugins");
    if arguments.only.iter().any(|only| only == "isolation") {
        #[cfg(unisolated)]
        return isolation::print_table(&plugins, &arguments.data);
        #[cfg(not(unisolated))]
        anyhow::bail!("this build cannot leave isolation out; run `cargo xtask bench isolation`");
    }

    if ["job", "csv", "kernels"].into_iter().any(wanted) {
        println!("| what | sluicebox | other | ratio | lowest - highest |");
        println!("| --- | --- | --- | --- | --- |");
    }
    if wanted("job") {
        print(&job(&arguments)?, "");
    }
    let bed = bed::Bed::new(&plugins)?;
    if wanted("csv") {
        let bytes = std::fs::metadata(arguments.data.join("flights.csv"))?.len();
        let row = csv(&bed, &arguments.data)?;
        let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9);
        print(&row, &format!(" ({:.0} MB/s beside {:.0} MB/s)", rate(row.ours), rate(row.other)));
    }
    if wanted("kernels") {
        for row in kernels::rows(&bed)? {
            let note =
                format!(" ({:.2} ns a row beside {:.2})", kernels::per_row(row.ours), kernels::per_row(row.other));
            print(&row, &note);
        }
    }
    if wanted("costs") {
        print_costs(&costs::costs(&arguments.sluicebox, &bed, &arguments.data)?);
    }
    let nothing = arguments.sluicebox.with_file_name("test-plugins");
    if wanted("startup") {
        startup::print_table(&plugins, &nothing)?;
    }
    if wanted("scheduler") {
        scheduler::print_tables()?;
    }
    if wanted("latency") {
        latency::print_table(&arguments.sluicebox, &nothing)?;
    }
    if wanted("languages") {
        languages::print_table(&arguments.sluicebox, &arguments.sluicebox.with_file_name("bench-tools"))?;
    }
    if wanted("dev") {
        dev::print_table(&arguments.sluicebox, &arguments.sluicebox.with_file_name("bench-tools"))?;
    }
    if wanted("idle") {
        idle::print_table(&arguments.handed_out, &nothing)?;
    }
    if wanted("many") {
        idle::print_many(&arguments.sluicebox, &nothing)?;
    }
    Ok(())
}

fn parse(arguments: Vec<String>) -> Result<Arguments> {
    let (mut sluicebox, mut handed_out, mut data, mut only) = (None, None, None, Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--sluicebox" => sluicebox = arguments.next().map(PathBuf::from),
            "--handed-out" => handed_out = arguments.next().map(PathBuf::from),
            "--data" => data = arguments.next().map(PathBuf::from),
            name => only.push(name.to_owned()),
        }
    }
    let sluicebox = sluicebox.context("--sluicebox names the binary")?;
    Ok(Arguments {
        handed_out: handed_out.unwrap_or_else(|| sluicebox.clone()),
        sluicebox,
        data: data.context("--data names a folder with flights.csv and airlines.csv")?,
        only,
    })
}

fn print(row: &Row, note: &str) {
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    println!(
        "| {}{note} | {} | {} | **{:.2}** | {:.2} - {:.2} |",
        row.what,
        milliseconds(row.ours),
        milliseconds(row.other),
        row.ratio(),
        row.spread.0,
        row.spread.1
    );
}

fn print_costs(costs: &[measure::Cost]) {
    println!();
    println!("| what the flights job pays for | with | without | ratio | middle half | lowest - highest |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for cost in costs {
        println!("{}", cost.row());
    }
    println!();
}

/// The whole flights job as a process, beside the twin as a process: without checkpoints, which the twin has not.
fn job(arguments: &Arguments) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let pipeline = folder.path().join("flights.toml");
    let data = arguments.data.display().to_string();
    // The example's own pipeline, reading the whole year instead of its first week.
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flights/flights.toml");
    let text = std::fs::read_to_string(&example).with_context(|| format!("could not read {}", example.display()))?;
    let text = text.replace("flights-2013-01-w1.csv", "flights.csv");
    let extract = "plugin = \"extract-csv\"\n";
    std::fs::write(&pipeline, text.replace(extract, &format!("{extract}checkpoint = false\n")))?;
    let link = folder.path().join("data");
    std::fs::create_dir_all(&link)?;
    for name in ["flights.csv", "airlines.csv"] {
        std::fs::copy(Path::new(&data).join(name), link.join(name))?;
    }
    let flights = link.join("flights.csv");
    let airlines = link.join("airlines.csv");
    let out = folder.path().join("twin.parquet");
    let this = std::env::current_exe()?;
    let run = |pipeline: &Path| process_cpu(Command::new(&arguments.sluicebox).arg("run").arg(pipeline));
    compare(
        "flights job, the whole year, beside the twin",
        TIMES,
        || run(&pipeline),
        || process_cpu(Command::new(&this).arg("twin").args([&flights, &airlines, &out])),
    )
}

/// Reading the year's CSV: every row, every column.
fn csv(bed: &bed::Bed, data: &Path) -> Result<Row> {
    let path = data.join("flights.csv");
    let stage = bed.stage("extract-csv", &json!({"path": "flights.csv"}), data)?;
    compare(
        "CSV into batches",
        TIMES,
        || {
            let mut extractor = stage.extractor(&bed::context(), &Cancel::new())?;
            let before = thread_cpu()?;
            extractor.open(None)?;
            while let Some(page) = extractor.next()? {
                black_box(page);
            }
            Ok(thread_cpu()?.saturating_sub(before))
        },
        || {
            let before = thread_cpu()?;
            for batch in twin::csv_reader(&path)? {
                black_box(batch?);
            }
            Ok(thread_cpu()?.saturating_sub(before))
        },
    )
}
