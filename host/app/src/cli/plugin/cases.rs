//! Runs the cases of a project in the sandbox.

use crate::check::options;
use crate::trouble::Trouble;
use crate::wiring::sandbox;
use serde::Serialize;
use serde_json::Value;
use sluicebox_cases::{Case, CaseError, Difference, Given, Opened, Seen, compare, drive, given, lay, update};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::limits::Limits;
use sluicebox_model::pipeline::draft;
use sluicebox_model::stage::Stage;
use sluicebox_sandbox::{NetworkFiles, Plugin, Sandbox, StageSetup};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How a case went.
#[derive(Debug)]
pub(super) enum Went {
    Passed,
    Differs(Vec<Difference>),
    /// What it expects was written anew.
    Updated,
    /// It cannot be run as it stands.
    Wrong(CaseError),
}

/// A case that ran.
#[derive(Debug)]
pub(super) struct Ran {
    /// Its file, as within the project.
    pub(super) file: String,
    pub(super) name: String,
    pub(super) went: Went,
    /// What the busiest of its instances used; 0 where none was made.
    pub(super) memory_peak_bytes: u64,
}

/// The files of cases of a project, in order.
pub(super) fn files(dir: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let folder = dir.join("tests");
    let told = |error: std::io::Error| Trouble::new(format!("{} cannot be read: {error}", folder.display()));
    let mut found = Vec::new();
    match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(told(error)),
        Ok(entries) => {
            for entry in entries {
                let path = entry.map_err(told)?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Runs the cases whose names hold `only`; with `update`, writes what those expect that fail.
pub(super) fn run(plugin: &Plugin, dir: &Path, only: Option<&str>, updates: bool) -> Result<Vec<Ran>, Trouble> {
    let sandbox = sandbox()?;
    let mut all = Vec::new();
    for path in files(dir)? {
        let file = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
        let cases = Case::read(&path).map_err(wrong)?;
        for case in cases.into_iter().filter(|case| only.is_none_or(|only| case.name.contains(only))) {
            let (went, memory_peak_bytes) =
                one(&sandbox, plugin, &case, &path, updates).unwrap_or_else(|error| (Went::Wrong(error), 0));
            all.push(Ran { file: file.clone(), name: case.name, went, memory_peak_bytes });
        }
    }
    Ok(all)
}

pub(super) fn wrong(error: CaseError) -> Trouble {
    let trouble = Trouble::new(error.message);
    match error.help {
        Some(help) => trouble.help(help),
        None => trouble,
    }
}

/// How a case goes, and the most memory of an instance, in bytes.
fn one(sandbox: &Sandbox, plugin: &Plugin, case: &Case, path: &Path, updates: bool) -> Result<(Went, u64), CaseError> {
    if case.expect.is_empty() && !updates {
        return Err(told("it expects nothing", "say what, e.g. `expect.csv`, or let `--update` write what comes"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let inputs = given(case, plugin.description.kind, folder)?;
    let seen = seen(sandbox, plugin, case, &inputs)?;
    let memory = seen.usage.memory_peak_bytes;
    let differences = match case.expect.is_empty() {
        true => vec![Difference::Told(String::new())],
        false => compare(case, &seen, folder)?,
    };
    if differences.is_empty() {
        return Ok((Went::Passed, memory));
    }
    if !updates || seen.not_repeatable.is_some() {
        return Ok((Went::Differs(differences), memory));
    }
    let failed = |what: &str, error: std::io::Error| told(&format!("{} cannot be {what}: {error}", path.display()), "");
    let text = fs::read_to_string(path).map_err(|error| failed("read", error))?;
    fs::write(path, update(&text, case, &seen, folder)?).map_err(|error| failed("written", error))?;
    Ok((Went::Updated, memory))
}

fn told(message: &str, help: &str) -> CaseError {
    CaseError { message: message.to_owned(), help: (!help.is_empty()).then(|| help.to_owned()) }
}

/// What the stage answers to a case, in a folder of its own.
pub(super) fn seen(sandbox: &Sandbox, plugin: &Plugin, case: &Case, inputs: &[Given]) -> Result<Seen, CaseError> {
    if let Some(fault) = unfit(plugin, &case.config).filter(|_| !case.unchecked) {
        return Ok(Seen { fault: Some(fault), ..Seen::default() });
    }
    let folder = Folder::new().map_err(|error| told(&format!("no folder for the case can be made: {error}"), ""))?;
    lay(&folder.0, &case.files)?;
    match bound(sandbox, plugin, case, &folder.0) {
        Ok(stage) => drive(&Opened { stage: stage.as_ref(), folder: &folder.0 }, case, inputs),
        Err(error) => Err(told(&error.message, error.help.as_deref().unwrap_or_default())),
    }
}

/// The stage of a case, bound to its options.
pub(super) fn bound(sandbox: &Sandbox, plugin: &Plugin, case: &Case, root: &Path) -> Result<Arc<dyn Stage>, Trouble> {
    let setup = StageSetup {
        name: plugin.description.name.clone(),
        config: case.config.to_string(),
        grants: case.grants(&plugin.description.capabilities),
        limits: Limits::default(),
        network: NetworkFiles::default(),
        root: root.to_owned(),
    };
    sandbox.stage(plugin, setup).map_err(Trouble::from)
}

/// What `check` says of options that do not fit the plugin's schema, before the stage sees them.
fn unfit(plugin: &Plugin, config: &Value) -> Option<Fault> {
    #[derive(Serialize)]
    struct File<'a> {
        stage: [Stage<'a>; 1],
    }
    #[derive(Serialize)]
    struct Stage<'a> {
        name: &'a str,
        plugin: &'a str,
        config: &'a Value,
    }
    let name = plugin.description.name.as_str();
    let text = toml::to_string(&File { stage: [Stage { name, plugin: name, config }] }).unwrap_or_default();
    let pipeline = draft(&text).pipeline?;
    let problems = options::check(pipeline.stages.first()?, config, plugin);
    let first = problems.first()?;
    let mut fault = Fault::new(FaultKind::InvalidConfig, "open", first.message.clone());
    fault.help.clone_from(&first.help);
    Some(fault)
}

/// An empty folder that is gone afterwards.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> std::io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 8];
        let _ = getrandom::fill(&mut random);
        let random = u64::from_le_bytes(random);
        let path = std::env::temp_dir().join(format!("sluicebox-case-{}-{number}-{random:016x}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
