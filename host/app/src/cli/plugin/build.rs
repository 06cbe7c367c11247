//! `sluicebox plugin build`

use super::{tools, trouble};
use crate::check::options;
use crate::cli::{Exit, Format, Output, print, print_json};
use crate::house::shout;
use crate::show::compiling::compiling;
use crate::show::human;
use crate::show::working::Working;
use crate::trouble::Trouble;
use crate::wiring::sandbox;
use clap::Args;
use serde_json::json;
use sluicebox_sandbox::{Catalog, Plugin, Sandbox};
use sluicebox_toolchain::{
    Need, Project, Sources, Tools, build, expected, is_current, missing, note_built, note_took, prepare,
};
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin build                     the project in this folder
  sluicebox plugin build stages/join-text    another one
  sluicebox plugin build --yes               installs what is missing without asking
  sluicebox plugin build --into /srv/plugins

What was built is compiled and asked what it is, without any grant, before it takes the place of what was there: a running
`serve` takes it up within a second. If the sources do not compile, what the compiler says is shown as it is.";

/// Build a plugin's project into a component
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Build {
    /// The project's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Install what is missing without asking
    #[arg(long)]
    yes: bool,
    /// Write the component into this folder; `plugins` in the project unless given
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Build {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let project = Project::read(&self.dir).map_err(trouble)?;
        let tools = tools(&project.dir);
        let begin = Instant::now();
        let into = plugins_folder(&self.dir, self.into.as_deref());
        let Some((path, plugin)) = make(&project, &tools, &into, self.yes)? else { return Ok(Exit::Failed) };
        let took = human::duration(begin.elapsed());
        if self.output.format == Format::Json {
            print_json(&json!({
                "name": plugin.description.name, "kind": plugin.description.kind, "file": path,
                "digest": plugin.digest, "bytes": plugin.size_bytes, "imports": plugin.imports,
            }));
        } else {
            let size = human::bytes(plugin.size_bytes);
            print(&format!("{} ({size}) built in {took}: {}\n", path.display(), plugin.description.summary));
        }
        Ok(Exit::Done)
    }
}

/// How long a build takes that is told beforehand.
const LONG: Duration = Duration::from_secs(5);

/// Where a project's component goes.
pub(super) fn plugins_folder(dir: &Path, into: Option<&Path>) -> PathBuf {
    let into = into.map_or_else(|| dir.join("plugins"), Path::to_owned);
    into.strip_prefix(".").map(Path::to_path_buf).unwrap_or(into)
}

/// Builds a project and keeps its component, with what it says of itself. None if its sources do not compile: what the compiler
/// said was told.
pub(super) fn make(
    project: &Project,
    tools: &Tools,
    into: &Path,
    yes: bool,
) -> Result<Option<(PathBuf, Plugin)>, Trouble> {
    install(&missing(project, tools), tools, yes)?;
    let takes = expected(project, tools);
    let about = if takes > LONG { format!(": takes about {} s", takes.as_secs()) } else { String::new() };
    shout(&format!("building `{}`, kind {}, in {}{about}", project.name, project.kind, project.language.name()));
    // The SDK may lie in a folder that the project names.
    prepare(project, tools).map_err(trouble)?;
    let began = Sources::now(project).map_err(trouble)?;
    let begin = Instant::now();
    let working = Working::new(&format!("building `{}`", project.name), Some(takes));
    let built = build(project, tools);
    drop(working);
    let component = match built {
        Ok(component) => {
            note_took(project, tools, begin.elapsed());
            component
        }
        Err(error) => {
            let is_of_sources = error.said.is_some();
            let trouble = trouble(error);
            if !is_of_sources {
                return Err(trouble);
            }
            // Neither the command nor the tools are wrong.
            crate::cli::tell(&trouble);
            return Ok(None);
        }
    };
    let kept = keep(project, &component, into)?;
    note_built(project, tools, &kept.0, &began).map_err(trouble)?;
    Ok(Some(kept))
}

/// The project's component, built only if the one that is there is not that of the sources as they are.
pub(super) fn current(
    project: &Project,
    tools: &Tools,
    into: &Path,
    yes: bool,
) -> Result<Option<(PathBuf, Plugin)>, Trouble> {
    let path = into.join(format!("{}.wasm", project.name));
    if is_current(project, tools, &path) {
        let sandbox = sandbox()?;
        sandbox.on_compile(compiling(false));
        let catalog = Catalog::scan(&sandbox, &[into.to_owned()]);
        if let Some(plugin) = catalog.get(&project.name) {
            return Ok(Some((path, plugin.clone())));
        }
    }
    make(project, tools, into, yes)
}

/// Installs what is missing, if whoever asked agrees.
pub(super) fn install(needs: &[Need], tools: &Tools, yes: bool) -> Result<(), Trouble> {
    if needs.is_empty() {
        return Ok(());
    }
    let list: String = needs.iter().map(|need| format!("  {need}\n")).collect();
    if !yes {
        if !std::io::stdin().is_terminal() {
            return Err(Trouble::new(format!("this has to be installed first:\n{}", list.trim_end()))
                .help(format!("say `--yes` to install it; the tool folder is {}", tools.dir().display())));
        }
        eprint!("to be installed into {}:\n{list}go on? [y/N] ", tools.dir().display());
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(
                Trouble::new("nothing was installed, so nothing was built").help("`--yes` goes on without asking")
            );
        }
    }
    for need in needs {
        shout(&format!("installing {need}"));
        let working = Working::new("installing", None);
        let installed = need.install(tools);
        drop(working);
        installed.map_err(trouble)?;
    }
    Ok(())
}

/// Checks what was built, and puts it into the plugins folder, wholly or not at all.
fn keep(project: &Project, component: &[u8], into: &Path) -> Result<(PathBuf, Plugin), Trouble> {
    let failed = |what: &str, path: &Path, error: std::io::Error| {
        Trouble::new(format!("{} cannot be {what}: {error}", path.display()))
    };
    fs::create_dir_all(into).map_err(|error| failed("made", into, error))?;
    // Of its own, and within the folder: what is checked there is moved, not written again.
    let aside = into.join(format!(".{}-{}", project.name, std::process::id()));
    let _gone = Aside(aside.clone());
    fs::create_dir_all(&aside).map_err(|error| failed("made", &aside, error))?;
    let file = format!("{}.wasm", project.name);
    let half = aside.join(&file);
    fs::write(&half, component).map_err(|error| failed("written", &half, error))?;
    let sandbox = sandbox()?;
    sandbox.on_compile(compiling(false));
    let mut plugin = checked(&sandbox, project, &aside)?;
    let path = into.join(&file);
    fs::rename(&half, &path).map_err(|error| failed("written", &path, error))?;
    plugin.path.clone_from(&path);
    Ok((path, plugin))
}

/// What the component says of itself, which has to be what the project says.
fn checked(sandbox: &Sandbox, project: &Project, folder: &Path) -> Result<Plugin, Trouble> {
    let catalog = Catalog::scan(sandbox, &[folder.to_owned()]);
    if let Some(refused) = catalog.refused().first() {
        return Err(Trouble::new(format!("what was built is no stage: {}", refused.reason)));
    }
    let plugin = catalog.plugins().next().cloned();
    let plugin = plugin.ok_or_else(|| Trouble::new("what was built cannot be read again"))?;
    let Project { name, kind, .. } = project;
    if plugin.description.name != *name {
        return Err(Trouble::new(format!(
            "the stage calls itself `{}`, and the project `{name}`",
            plugin.description.name
        ))
        .help("give both the same name, in the sources or in plugin.toml"));
    }
    if plugin.description.kind != *kind {
        return Err(Trouble::new(format!(
            "the stage is of kind {}, and plugin.toml says {kind}",
            plugin.description.kind
        ))
        .help("say in plugin.toml what it is"));
    }
    options::schema_is_sound(&plugin).map_err(|why| {
        Trouble::new(format!("what the stage says of its options is no JSON Schema (draft 2020-12): {why}"))
            .help("the SDK makes it of the options; look at what `describe` answers where it is written by hand")
    })?;
    Ok(plugin)
}

/// A folder that is gone afterwards.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
