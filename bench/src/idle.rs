//! Memory of a host that serves a hundred pipelines, of which none is due.

use crate::latency::nothing;
use crate::served::Served;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const PIPELINES: usize = 100;

/// Prints a table of its own.
pub(crate) fn print_table(sluicebox: &Path, plugins: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    std::fs::create_dir(folder.join("data"))?;
    for number in 0..PIPELINES {
        let schedule = format!("[schedule]\ncron = \"30 3 1 {} *\"\n", number % 12 + 1);
        std::fs::write(folder.join(format!("p{number}.toml")), nothing(&format!("p{number}"), &schedule))?;
    }
    // The first one compiles the plugins; what that takes is not what an idle host has.
    drop(Served::begin(sluicebox, plugins, folder)?);
    let served = Served::begin(sluicebox, plugins, folder)?;
    // Some looks at the folder.
    std::thread::sleep(Duration::from_secs(5));
    let parts = parts(served.id())?;
    let sum: u64 = parts.values().sum();
    let mebibytes = |kibibytes: u64| format!("{:.1} MiB", kibibytes as f64 / 1024.0);
    println!();
    println!("| an idle host with {PIPELINES} pipelines | resident |");
    println!("| --- | --- |");
    println!("| all | {} |", mebibytes(sum));
    for (what, kibibytes) in parts {
        println!("| {what} | {} |", mebibytes(kibibytes));
    }
    Ok(())
}

/// KiB in memory by what they are.
fn parts(process: u32) -> Result<BTreeMap<&'static str, u64>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps")).context("no smaps")?;
    let mut parts = BTreeMap::new();
    let (mut what, mut anonymous, mut resident) = ("", 0, 0);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let number = || second.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        match first {
            "Rss:" => resident = number(),
            "Anonymous:" => anonymous = number(),
            "VmFlags:" => {
                *parts.entry("its own: heap, stacks, tables").or_default() += anonymous;
                *parts.entry(what).or_default() += resident.saturating_sub(anonymous);
            }
            // A mapping begins with its addresses.
            _ if first.contains('-') && !first.ends_with(':') => {
                what = match line.split_whitespace().nth(5) {
                    Some(path) if path.ends_with(".cwasm") => "compiled plugins, as files (shared)",
                    Some(path) if path.contains("/sluicebox") && !path.contains(".sqlite") => {
                        "the program, as a file (shared)"
                    }
                    _ => "libraries and other files (shared)",
                };
            }
            _ => {}
        }
    }
    Ok(parts)
}
