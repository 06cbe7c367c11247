//! `sluicebox plugin dev`

use super::build::{make, plugins_folder};
use super::{cases, test, tools, trouble};
use crate::cli::run::cancel_on_signal;
use crate::cli::{Exit, print, tell};
use crate::show::human::duration;
use crate::show::style::{Style, Tone};
use crate::show::working::Working;
use crate::trouble::Trouble;
use clap::Args;
use sluicebox_model::cancel::Cancel;
use sluicebox_toolchain::{Project, Tools, sources};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Files are looked at so often.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin dev                   the project in this folder; Ctrl-C ends it
  sluicebox plugin dev --pipeline ../nightly.toml

At the start and whenever a source, a case, the pipeline or its sample data changes, the project is built, its cases are run, and
then the pipeline. What does not change is not done again: a changed case needs no build.";

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
#[derive(PartialEq, Eq)]
struct Look {
    sources: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
    others: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
}

impl Dev {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let cancel = Cancel::new();
        cancel_on_signal(&cancel)?;
        let mut last: Option<Look> = None;
        let mut seen: Option<Look> = None;
        let mut took = None;
        while !cancel.is_cancelled() {
            let project = Project::read(&self.dir).map_err(trouble)?;
            let pipeline = self.pipeline.clone().unwrap_or_else(|| self.dir.join("pipeline.toml"));
            let look = Look::at(&project, &pipeline)?;
            // What two looks in a row find the same is written to its end.
            let is_settled = last.is_none() || seen.as_ref() == Some(&look);
            if last.as_ref() == Some(&look) || !is_settled {
                seen = Some(look);
                thread::sleep(LOOKS_EVERY);
                continue;
            }
            let begin = Instant::now();
            let rebuilds = last.as_ref().is_none_or(|last| last.sources != look.sources);
            // What changes meanwhile is seen by the next look.
            last = Some(look);
            let well = self.round(&project, &tools(&project.dir), &pipeline, rebuilds, &mut took);
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
    fn round(
        &self,
        project: &Project,
        tools: &Tools,
        pipeline: &Path,
        rebuilds: bool,
        took: &mut Option<Duration>,
    ) -> Result<bool, Trouble> {
        let into = plugins_folder(&self.dir, None);
        let made = if rebuilds {
            let begin = Instant::now();
            let working = Working::new(&format!("building `{}`", project.name), *took);
            let made = make(project, tools, &into, self.yes);
            drop(working);
            if matches!(made, Ok(Some(_))) {
                *took = Some(begin.elapsed());
            }
            made?
        } else {
            super::build::current(project, tools, &into, self.yes)?
        };
        let Some((path, plugin)) = made else { return Ok(false) };
        let ran = cases::run(&plugin, &self.dir, None, false)?;
        let is_well = ran.iter().all(|ran| matches!(ran.went, cases::Went::Passed));
        print(&format!("{}\n{}", path.display(), test::told(&ran, None, true, Style::stdout())));
        if !is_well || !pipeline.is_file() {
            return Ok(is_well);
        }
        run(pipeline)
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

impl Look {
    fn at(project: &Project, pipeline: &Path) -> Result<Self, Trouble> {
        let stamp = |path: PathBuf| {
            let meta = fs::metadata(&path).ok();
            let stamp = meta.map_or((0, None), |meta| (meta.len(), meta.modified().ok()));
            (path, stamp)
        };
        let sources = sources(project).map_err(trouble)?;
        // Builds write these themselves.
        let is_made = |path: &Path| path.extension().is_some_and(|extension| extension == "lock" || extension == "sum");
        let sources =
            sources.into_iter().filter(|path| !is_made(path)).map(|path| stamp(project.dir.join(path))).collect();
        let mut others = vec![pipeline.to_owned()];
        for folder in ["tests", "data"] {
            let entries = fs::read_dir(project.dir.join(folder)).into_iter().flatten().flatten();
            others.extend(entries.map(|entry| entry.path()));
        }
        Ok(Self { sources, others: others.into_iter().map(stamp).collect() })
    }
}
