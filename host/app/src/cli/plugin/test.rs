//! `sluicebox plugin test`

use super::build::{current, plugins_folder};
use super::cases::{self, Ran, Went};
use super::{tools, trouble};
use crate::cli::{Exit, Format, Output, print, print_json};
use crate::show::difference;
use crate::show::human::{clean, clean_line, count};
use crate::show::style::{Style, Tone};
use crate::show::working::Working;
use crate::trouble::Trouble;
use clap::Args;
use serde_json::{Value, json};
use sluicebox_toolchain::{Project, ToolchainError, Tools, prepare, unit_tests};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin test                      the project in this folder
  sluicebox plugin test --case 'no such'     only the cases whose name has this in it
  sluicebox plugin test --update             writes what came into the cases that fail: look at the changes before you keep them
  sluicebox plugin test --cases-only         without the tests in the language of the plugin

The project is built first, if its sources have changed. Each [[case]] of tests/*.toml is what the stage is given, and what it is
to answer; it runs in the sandbox, on instances of its own, in an empty folder. docs/plugins.md tells how a case is written.
Exit codes: 0 all passed, 1 some did not, 2 a file of cases or the command is wrong.";

/// Test a plugin's project: its cases in the sandbox, and its own tests
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Test {
    /// The project's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Only the cases whose name has this in it
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Write what came into the cases that fail
    #[arg(long)]
    update: bool,
    /// Leave out the tests in the language of the plugin, which need no sandbox
    #[arg(long)]
    cases_only: bool,
    /// Install what is missing without asking
    #[arg(long)]
    yes: bool,
    /// The folder of the component; `plugins` in the project unless given
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Test {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let project = Project::read(&self.dir).map_err(trouble)?;
        let tools = tools(&project.dir);
        let into = plugins_folder(&self.dir, self.into.as_deref());
        let Some((_, plugin)) = current(&project, &tools, &into, self.yes)? else { return Ok(Exit::Failed) };
        let working = Working::new("testing", None);
        let ran = cases::run(&plugin, &self.dir, self.case.as_deref(), self.update);
        drop(working);
        let ran = ran?;
        if let (true, Some(case)) = (ran.is_empty(), &self.case) {
            return Err(Trouble::new(format!("no case has `{case}` in its name"))
                .help("`sluicebox plugin test` without `--case` names them all"));
        }
        let units = match self.cases_only || self.case.is_some() {
            true => Units::LeftOut,
            false => unit(&project, &tools)?,
        };
        units.tell();
        let is_json = self.output.format == Format::Json;
        if is_json {
            print_json(&json!({ "cases": ran.iter().map(as_json).collect::<Vec<_>>(), "unit-tests": units.passed() }));
        } else {
            print(&told(&ran, &units, false, Style::stdout()));
        }
        let is_well = ran.iter().all(|ran| matches!(ran.went, Went::Passed | Went::Updated)) && units.is_well();
        Ok(if is_well { Exit::Done } else { Exit::Failed })
    }
}

/// How the tests in the language of the plugin went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Units {
    LeftOut,
    /// There are none.
    None,
    Passed,
    /// With what they said.
    Failed(String),
}

impl Units {
    pub(super) fn is_well(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }

    /// For programs: nothing where none ran.
    fn passed(&self) -> Option<bool> {
        match self {
            Self::LeftOut | Self::None => None,
            Self::Passed => Some(true),
            Self::Failed(_) => Some(false),
        }
    }

    /// For people, behind how the cases went.
    pub(super) fn words(&self) -> Option<&'static str> {
        match self {
            Self::LeftOut => None,
            Self::None => Some("no tests of its own"),
            Self::Passed => Some("the project's own tests passed"),
            Self::Failed(_) => Some("the project's own tests failed"),
        }
    }

    /// Tells on standard error what failed tests said.
    pub(super) fn tell(&self) {
        if let Self::Failed(said) = self {
            eprint!("{}", clean(said));
        }
    }
}

/// Runs the tests in the language of the plugin.
pub(super) fn unit(project: &Project, tools: &Tools) -> Result<Units, Trouble> {
    prepare(project, tools).map_err(trouble)?;
    let mut command = match unit_tests(project, tools) {
        Ok(Some(command)) => command,
        Ok(None) => return Ok(Units::None),
        // Tests that do not compile fail.
        Err(ToolchainError { said: Some(said), .. }) => return Ok(Units::Failed(format!("{said}\n"))),
        Err(error) => return Err(trouble(error)),
    };
    let name = command.get_program().to_string_lossy().into_owned();
    let ended = command.output().map_err(|error| {
        Trouble::new(format!("the project's own tests cannot be run: {name}: {error}"))
            .help("`--cases-only` leaves them out")
    })?;
    if ended.status.success() {
        return Ok(Units::Passed);
    }
    Ok(Units::Failed([ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat()))
}

fn as_json(ran: &Ran) -> Value {
    let (word, told) = match &ran.went {
        Went::Passed => ("passed", None),
        Went::Updated => ("updated", None),
        Went::Differs(differences) => ("failed", Some(difference::render(differences, Style::PLAIN))),
        Went::Wrong(error) => ("wrong", Some(error.message.clone())),
    };
    json!({
        "file": ran.file, "name": ran.name, "state": word, "message": told, "memory-peak-bytes": ran.memory_peak_bytes,
    })
}

/// How the cases went, for people; those that passed are only counted if `brief`.
pub(super) fn told(ran: &[Ran], units: &Units, brief: bool, style: Style) -> String {
    let mut out = String::new();
    let mut counts = [0_u64; 3];
    for Ran { file, name, went, .. } in ran {
        let name = clean_line(name);
        let place = format!("{}: {name}", clean_line(file));
        let (at, word, tone, more) = match went {
            Went::Passed => (0, "passed", Tone::Good, String::new()),
            Went::Updated => (1, "updated", Tone::Warn, String::new()),
            Went::Differs(differences) => (2, "failed", Tone::Bad, difference::render(differences, style)),
            Went::Wrong(error) => (2, "failed", Tone::Bad, problem(error)),
        };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
        if !(brief && at == 0) {
            out.push_str(&format!("  {}  {place}\n{more}", style.paint(tone, &format!("{word:7}"))));
        }
    }
    let [passed, updated, failed] = counts;
    let mut parts = match ran {
        [] => vec!["no cases in tests/*.toml".to_owned()],
        _ => vec![format!("{} passed", count(passed, "case", "cases"))],
    };
    if updated > 0 {
        parts.push(format!("{updated} written anew: look at the changes"));
    }
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    parts.extend(units.words().map(str::to_owned));
    out.push_str(&format!("{}\n", parts.join(", ")));
    out
}

fn problem(error: &sluicebox_cases::CaseError) -> String {
    let mut out: String = clean(&error.message).lines().map(|line| format!("    {line}\n")).collect();
    if let Some(help) = &error.help {
        out.push_str(&format!("    help: {}\n", clean(help)));
    }
    out
}
