//! `sluicebox plugin dev`

use super::build::{current, install, make, plugins_folder};
use super::cases::{self, Went};
use super::test::{self, Units, unit};
use super::{tools, trouble};
use crate::cli::run::cancel_on_signal;
use crate::cli::{Exit, print, tell};
use crate::show::human::duration;
use crate::show::style::{Style, Tone};
use crate::show::working::Working;
use crate::trouble::Trouble;
use clap::Args;
use sluicebox_model::cancel::Cancel;
use sluicebox_sandbox::Plugin;
use sluicebox_toolchain::{Project, Tools, is_made, missing, own_tests, sources};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Files are looked at so often.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// What makes a folder a project.
const FILE: &str = "plugin.toml";

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin dev                   the project in this folder; Ctrl-C ends it
  sluicebox plugin dev --pipeline ../nightly.toml

At the start and whenever a source, a case, the pipeline or its sample data changes, the project is built, its cases and its
own tests are run, and then the pipeline. What does not change is not done again: a changed case needs no build.";

/// Build, test and run a plugin's project at every change
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Dev {
    /// The project's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Run this pipeline instead of the project's own
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    /// Install what is missing without asking
    #[arg(long)]
    yes: bool,
}

/// What of the project was there at a look: size and time of each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    sources: Stamps,
    /// Of tests in the project's own language.
    own_tests: Stamps,
    /// Cases, the pipeline and its data.
    others: Stamps,
}

type Stamps = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// What a round has to do anew.
#[derive(Clone, Copy, Debug)]
struct Anew {
    build: bool,
    own_tests: bool,
    /// Whether it is the first round, in which everything may have to be installed and compiled.
    all: bool,
}

impl Dev {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let cancel = Cancel::new();
        cancel_on_signal(&cancel)?;
        let pipeline = self.pipeline.clone().unwrap_or_else(|| self.dir.join("pipeline.toml"));
        // Where there is no project at the beginning, there will be none.
        Project::read(&self.dir).map_err(trouble)?;
        let mut last: Option<Look> = None;
        let mut seen: Option<Look> = None;
        while !cancel.is_cancelled() {
            let (project, look) = look(&self.dir, &pipeline);
            // What two looks in a row find the same is written to its end.
            let is_settled = last.is_none() || seen.as_ref() == Some(&look);
            if last.as_ref() == Some(&look) || !is_settled {
                seen = Some(look);
                thread::sleep(LOOKS_EVERY);
                continue;
            }
            let begin = Instant::now();
            let build = last.as_ref().is_none_or(|last| last.sources != look.sources);
            let own_tests = build || last.as_ref().is_none_or(|last| last.own_tests != look.own_tests);
            let anew = Anew { build, own_tests, all: last.is_none() };
            // What changes meanwhile is seen by the next look.
            last = Some(look);
            let well = project.and_then(|project| self.round(&project, &tools(&project.dir), &pipeline, anew));
            let told = match well {
                Ok(true) => Style::stdout().paint(Tone::Good, "all is well"),
                Ok(false) => Style::stdout().paint(Tone::Bad, "something is wrong"),
                Err(trouble) => {
                    tell(&trouble);
                    Style::stdout().paint(Tone::Bad, "something is wrong")
                }
            };
            print(&format!("{told} ({}); waiting for changes, Ctrl-C ends it\n\n", duration(begin.elapsed())));
        }
        Ok(Exit::Done)
    }

    /// Builds, tests and runs; whether all went well.
    fn round(&self, project: &Project, tools: &Tools, pipeline: &Path, anew: Anew) -> Result<bool, Trouble> {
        install(&missing(project, tools), tools, self.yes)?;
        thread::scope(|scope| {
            let own = || scope.spawn(|| unit(project, tools));
            // Beside the compiler, but not the first time, when both would make the same things.
            let beside = (anew.own_tests && !anew.all).then(own);
            let Some((path, plugin)) = self.made(project, tools, anew.build)? else { return Ok(false) };
            let own = if anew.all { Some(own()) } else { beside };
            let working = Working::new(&format!("testing `{}`", project.name), None);
            let ran = cases::run(&plugin, &self.dir, None, false);
            drop(working);
            let ran = ran?;
            let mut is_well = ran.iter().all(|ran| matches!(ran.went, Went::Passed));
            let of_cases = test::told(&ran, &Units::LeftOut, true, Style::stdout());
            print(&format!("{}\n{of_cases}", path.display()));
            if is_well && pipeline.is_file() {
                is_well = run(pipeline)?;
            }
            if let Some(own) = own {
                let working = Working::new("running the project's own tests", None);
                let units = own.join().map_err(|_| Trouble::new("the project's own tests could not be run"));
                drop(working);
                let units = units??;
                units.tell();
                if let Some(words) = units.words() {
                    print(&format!("{words}\n"));
                }
                is_well &= units.is_well();
            }
            Ok(is_well)
        })
    }

    fn made(&self, project: &Project, tools: &Tools, anew: bool) -> Result<Option<(PathBuf, Plugin)>, Trouble> {
        let into = plugins_folder(&self.dir, None);
        match anew {
            true => make(project, tools, &into, self.yes),
            false => current(project, tools, &into, self.yes),
        }
    }
}

/// Runs the pipeline in a process of its own, as its user would.
fn run(pipeline: &Path) -> Result<bool, Trouble> {
    let program = std::env::current_exe()
        .map_err(|error| Trouble::new(format!("this program does not know where it is: {error}")))?;
    let ended = Command::new(program).arg("run").arg(pipeline).status();
    let ended = ended.map_err(|error| Trouble::new(format!("the pipeline cannot be run: {error}")))?;
    Ok(ended.success())
}

/// The project as it is, and what is there of it. A file that is half edited, or gone while it was looked for, is told in the round.
fn look(dir: &Path, pipeline: &Path) -> (Result<Project, Trouble>, Look) {
    let mut look = Look::default();
    let told = |error| Err(trouble(error));
    let project = match Project::read(dir) {
        Ok(project) => project,
        Err(error) => {
            look.sources = stamps([dir.join(FILE)]);
            return (told(error), look);
        }
    };
    let within = |paths: Vec<PathBuf>| paths.into_iter().map(|path| project.dir.join(path)).collect::<Vec<_>>();
    match (sources(&project), own_tests(&project)) {
        (Ok(mut sources), Ok(own_tests)) => {
            sources.retain(|path| !is_made(path));
            look.sources = stamps(within(sources));
            look.own_tests = stamps(within(own_tests));
        }
        (Err(error), _) | (_, Err(error)) => return (told(error), look),
    }
    let mut others = vec![pipeline.to_owned()];
    for folder in ["tests", "data"] {
        let entries = fs::read_dir(project.dir.join(folder)).into_iter().flatten().flatten();
        others.extend(entries.map(|entry| entry.path()));
    }
    look.others = stamps(others);
    (Ok(project), look)
}

fn stamps(paths: impl IntoIterator<Item = PathBuf>) -> Stamps {
    let stamp = |path: PathBuf| {
        let meta = fs::metadata(&path).ok();
        let stamp = meta.map_or((0, None), |meta| (meta.len(), meta.modified().ok()));
        (path, stamp)
    };
    paths.into_iter().map(stamp).collect()
}
