//! From a trigger to the first stage, and to the end of a run of four stages that do nothing: within the process, and through
//! the API of a host that serves. By the clock. Within the process to the call itself, when the instance that takes it is made;
//! through the API to the event that the stage begins. Beside it, from the same minute and place: what one wait for the disk takes,
//! of which a run has two.

use crate::idle::compile;
use crate::measure::at_share;
use crate::served::Served;
use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use sluicebox::components::Plugins;
use sluicebox::house::{House, Ran};
use sluicebox::wiring::{Asked, Host, Source, new_run_id};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::plugin::{Description, Digest};
use sluicebox_model::run::{Interval, RunState, Trigger};
use sluicebox_model::stage::{Extractor, Loader, RunContext, Stage, Transformer, Validator};
use sluicebox_sandbox::{Catalog, Sandbox, SandboxOptions};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const TIMES: usize = 200;

/// Four stages that do nothing: components in Rust, as others write them.
pub(crate) fn nothing(name: &str, schedule: &str) -> String {
    let stage = |name: &str, plugin: &str, config: &str| {
        format!("\n[[stage]]\nname = \"{name}\"\nplugin = \"{plugin}\"\nconfig = {{ mode = \"pass\"{config} }}\n")
    };
    format!(
        "[pipeline]\nname = \"{name}\"\n{schedule}{}{}{}{}grants.write = [\"data\"]\n",
        stage("read", "evil-extract", ", pages = 1, rows = 1").replace("config", "checkpoint = false\nconfig"),
        stage("change", "evil", ""),
        stage("check", "evil-validate", ""),
        stage("out", "evil-load", ""),
    )
}

/// Prints a table of its own.
pub(crate) fn print_table(sluicebox: &Path, plugins: &Path) -> Result<()> {
    println!();
    println!("| a run of four stages that do nothing | to the first stage, p50 / p99 | to its end, p50 / p99 |");
    println!("| --- | --- | --- |");
    for (where_, folder) in places()? {
        let folder = folder.path();
        std::fs::create_dir(folder.join("data"))?;
        std::fs::write(folder.join("nothing.toml"), nothing("nothing", ""))?;
        compile(sluicebox, plugins, folder)?;
        print_waits(&folder.join("waits"))?;
        print(&format!("in the process, {where_}"), &in_process(folder, plugins)?);
        let served = Served::begin(sluicebox, plugins, folder)?;
        print(&format!("through the API, {where_}"), &through_api(&served)?);
    }
    Ok(())
}

/// Folders for state: one on the disk of the machine, one in memory, where nothing is waited for.
fn places() -> Result<Vec<(&'static str, tempfile::TempDir)>> {
    let mut places = vec![("state on the disk", tempfile::tempdir()?)];
    if let Ok(folder) = tempfile::tempdir_in("/dev/shm") {
        places.push(("state in memory", folder));
    }
    Ok(places)
}

/// When the first call to a stage of the run under way began.
type Called = Arc<Mutex<Option<Instant>>>;

/// An extract whose first call is noted; other stages as they are.
struct Watched {
    stage: Arc<dyn Stage>,
    called: Called,
}

impl Stage for Watched {
    fn description(&self) -> &Description {
        self.stage.description()
    }

    fn digest(&self) -> &Digest {
        self.stage.digest()
    }

    fn extractor(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Extractor>, Fault> {
        let extractor = self.stage.extractor(context, cancel)?;
        // It is made; what follows is the call.
        self.called.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        Ok(extractor)
    }

    fn transformer(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Transformer>, Fault> {
        self.stage.transformer(context, cancel)
    }

    fn validator(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Validator>, Fault> {
        self.stage.validator(context, cancel)
    }

    fn loader(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Loader>, Fault> {
        self.stage.loader(context, cancel)
    }
}

/// What a run took.
struct Took {
    to_first_stage: Duration,
    to_end: Duration,
}

fn in_process(folder: &Path, plugins: &Path) -> Result<Vec<Took>> {
    let told = |trouble: sluicebox::trouble::Trouble| anyhow::anyhow!("{}", trouble.message);
    let sandbox = Sandbox::new(SandboxOptions { cache_dir: folder.join("cache") })?;
    let folders = vec![plugins.to_owned()];
    let host = Host { catalog: Catalog::scan(&sandbox, &folders), sandbox, folders, lock: None };
    let source = Source::read(&folder.join("nothing.toml")).map_err(told)?;
    let found = Plugins::Found(&host.catalog);
    let mut house = House::open(&folder.join("in-process"), "bench").map_err(told)?;
    house.quiet = true;
    let called: Called = Arc::default();
    house.around = Some({
        let called = Arc::clone(&called);
        Box::new(move |stage| Arc::new(Watched { stage, called: Arc::clone(&called) }))
    });
    let mut all = Vec::new();
    for turn in 0..=TIMES {
        let now = Timestamp::now();
        *called.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let begin = Instant::now();
        let interval = Interval { start: now, end: now };
        let asked = Asked {
            source: &source,
            plugins: &found,
            trigger: Trigger::Manual,
            interval,
            load_key: house.load_key("nothing", interval).map_err(told)?,
            id: None,
            repeats: None,
            parts: Vec::new(),
            restored: BTreeMap::new(),
        };
        let id = new_run_id(now).map_err(told)?;
        let ran = house.run_once(&host, &asked, id, None, &Cancel::new()).map_err(told)?;
        let to_end = begin.elapsed();
        let Ran::Done(record, _) = ran else { bail!("the pipeline of the bench is not sound") };
        // The first compiles.
        if turn > 0 {
            let fault = record.fault.as_ref();
            anyhow::ensure!(record.state == RunState::Succeeded, "a run of the bench failed: {fault:?}");
            let first = called.lock().unwrap_or_else(PoisonError::into_inner).context("no stage was called")?;
            all.push(Took { to_first_stage: first.duration_since(begin), to_end });
        }
    }
    Ok(all)
}

fn through_api(served: &Served) -> Result<Vec<Took>> {
    let mut all = Vec::new();
    for turn in 0..=TIMES {
        let now = Timestamp::now();
        let begin = Instant::now();
        let run = served.start("nothing")?;
        let end = served.follow(&run)?;
        let to_end = begin.elapsed();
        let first = end.first_stage.context("no stage began")?;
        if turn > 0 {
            all.push(Took { to_first_stage: Duration::try_from(first.duration_since(now))?, to_end });
        }
    }
    Ok(all)
}

fn print(what: &str, runs: &[Took]) {
    let first = p50_and_p99(runs.iter().map(|took| took.to_first_stage));
    let end = p50_and_p99(runs.iter().map(|took| took.to_end));
    println!("| {what} | {first} | {end} |");
}

/// How long a page that is added to a file takes to be on disk.
fn print_waits(file: &Path) -> Result<()> {
    let mut file = std::fs::File::create(file)?;
    let mut waits = Vec::new();
    for _ in 0..TIMES {
        let begin = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        waits.push(begin.elapsed());
    }
    println!("| one wait for the disk there | {} | |", p50_and_p99(waits.into_iter()));
    Ok(())
}

fn p50_and_p99(times: impl Iterator<Item = Duration>) -> String {
    let mut sorted: Vec<Duration> = times.collect();
    sorted.sort();
    format!("{} / {}", shown(at_share(&sorted, 0.5)), shown(at_share(&sorted, 0.99)))
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
