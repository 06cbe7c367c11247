//! Memory of a host that serves a hundred pipelines, of which none is due.

use crate::latency::nothing;
use crate::served::Served;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PIPELINES: usize = 100;

/// A while more than components that are not used stay in memory.
const SETTLED_AFTER: Duration = Duration::from_secs(75);

const PROGRAM: &str = "the program, as a file (shared)";

/// Prints a table of its own.
pub(crate) fn print_table(sluicebox: &Path, plugins: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    std::fs::create_dir(folder.join("data"))?;
    for number in 0..PIPELINES {
        let schedule = format!("[schedule]\ncron = \"30 3 1 {} *\"\n", number % 12 + 1);
        std::fs::write(folder.join(format!("p{number}.toml")), nothing(&format!("p{number}"), &schedule))?;
    }
    // Those that are used, and those that come with the program.
    let used = folder.join("plugins");
    std::fs::create_dir(&used)?;
    for plugin in ["evil", "evil-extract", "evil-validate", "evil-load"] {
        let name = format!("{plugin}.wasm");
        std::fs::copy(plugins.join(&name), used.join(&name))?;
    }
    let plugins = used.as_path();
    // They are compiled beforehand; what that takes is not what an idle host has.
    compile(sluicebox, plugins, folder)?;
    let served = Served::begin(sluicebox, plugins, folder)?;
    // Some looks at the folder; and what was used at the start only is let go of.
    std::thread::sleep(SETTLED_AFTER);
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

/// Has every plugin compiled, also those that come with the program, so that no host does it beside what is measured.
pub(crate) fn compile(sluicebox: &Path, plugins: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new(sluicebox);
    command.args(["plugins", "list", "--plugins"]).arg(plugins).env("SLUICEBOX_CACHE", folder.join("cache"));
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(done.success(), "{command:?} failed");
    Ok(())
}

const MANY: usize = 10_000;

/// A folder with ten thousand files, as a host sees it: how long until it is ready, and what it takes while nothing is due.
pub(crate) fn print_many(sluicebox: &Path, plugins: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    std::fs::create_dir(folder.join("data"))?;
    for number in 0..MANY {
        let schedule = format!("[schedule]\ncron = \"30 3 1 {} *\"\n", number % 12 + 1);
        let within = folder.join(format!("d{}", number % 100));
        std::fs::create_dir_all(within.join("data"))?;
        std::fs::write(within.join(format!("p{number}.toml")), nothing(&format!("p{number}"), &schedule))?;
    }
    compile(sluicebox, plugins, folder)?;
    drop(Served::begin(sluicebox, plugins, folder)?);
    let begin = Instant::now();
    let served = Served::begin(sluicebox, plugins, folder)?;
    let ready = begin.elapsed();
    std::thread::sleep(Duration::from_secs(5));
    let (before, begin) = (busy(served.id())?, Instant::now());
    std::thread::sleep(Duration::from_secs(10));
    let share = (busy(served.id())? - before).as_secs_f64() / begin.elapsed().as_secs_f64();
    let resident: u64 = parts(served.id())?.values().sum();
    println!();
    println!("| an idle host with {MANY} pipeline files | |");
    println!("| --- | --- |");
    println!("| until it is ready | {:.1} s |", ready.as_secs_f64());
    println!("| of a core, to look at all files every second | {:.1} % |", share * 100.0);
    println!("| resident | {:.1} MiB |", resident as f64 / 1024.0);
    Ok(())
}

/// How long a process has been at work on any core.
fn busy(process: u32) -> Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).context("no stat")?;
    let fields = text.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
    // In hundredths of a second: in user mode, and in the kernel.
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Ok(Duration::from_millis(ticks * 10))
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
                // Pages of the program that were changed as it was loaded: addresses in its tables.
                let own = if what == PROGRAM {
                    "the program, changed as it was loaded"
                } else {
                    "its own: heap, stacks, tables"
                };
                *parts.entry(own).or_default() += anonymous;
                *parts.entry(what).or_default() += resident.saturating_sub(anonymous);
            }
            // A mapping begins with its addresses.
            _ if first.contains('-') && !first.ends_with(':') => {
                what = match line.split_whitespace().nth(5) {
                    Some(path) if path.ends_with(".cwasm") => "compiled plugins, as files (shared)",
                    Some(path) if path.contains("/sluicebox") && !path.contains(".sqlite") => PROGRAM,
                    _ => "libraries and other files (shared)",
                };
            }
            _ => {}
        }
    }
    Ok(parts)
}
