//! `sluicebox plugins remove`

use super::{alone, own_folder, shown};
use crate::cli::{Exit, Format, Output, PluginFolders, print, print_json};
use crate::components::{Needs, that_need};
use crate::lock::{LOCK, Lock};
use crate::show::compiling::compiling;
use crate::show::human::clean_line;
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::Args;
use serde_json::json;
use sluicebox_sandbox::{Catalog, Plugin};
use std::fs;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Take a plugin out of the plugins folder and out of the lock
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sluicebox plugins remove stamp          tells which pipelines below this folder need it, and asks
  sluicebox plugins remove stamp --yes    without asking

Runs under way go on with it; those that were made with it can still be finished and repeated.")]
pub(super) struct Remove {
    /// The plugin's name
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Remove {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let json = self.output.format == Format::Json;
        let root = Path::new(".");
        let host = Host::open(&self.plugins.plugins, root, compiling(json))?;
        let folder = own_folder(&self.plugins);
        let _alone = alone(&folder);
        let path = self.file(&host, &folder)?;
        let needs = that_need(root, &self.name);
        let asked = needed(&self.name, &needs);
        if !self.yes {
            if json || !std::io::stdin().is_terminal() {
                return Err(Trouble::new(format!("{} is not removed unasked{asked}", shown(&path)))
                    .help("add `--yes` if it is to be removed"));
            }
            if !confirmed(&path, &asked) {
                print("nothing was removed\n");
                return Ok(Exit::Done);
            }
        }
        fs::remove_file(&path).map_err(|error| Trouble::new(format!("{} cannot be removed: {error}", shown(&path))))?;
        let mut unlocked = false;
        if let Some(mut lock) = Lock::nearest(root)? {
            unlocked = lock.plugins.remove(&self.name).is_some();
            if unlocked {
                lock.write()?;
            }
        }
        // Another of the name may stand in a folder that counts less.
        let next = Host::open(&self.plugins.plugins, root, compiling(json))?;
        let next = next.catalog.get(&self.name);
        if json {
            let pipelines: Vec<&str> = needs.iter().map(|needs| needs.pipeline.as_str()).collect();
            let next = next.map(|plugin| &plugin.path);
            let answer = json!({ "removed": path, "unlocked": unlocked, "needed-by": pipelines, "instead": next });
            print_json(&answer);
            return Ok(Exit::Done);
        }
        let style = Style::stdout();
        let rest = if unlocked { format!(", also from {LOCK}") } else { String::new() };
        print(&format!("{} {}{rest}\n", style.paint(Tone::Good, "removed:"), shown(&path)));
        tell_after(&self.name, &needs, next);
        Ok(Exit::Done)
    }

    /// The file of the plugin in the folder that is ours to change.
    fn file(&self, host: &Host, folder: &Path) -> Result<PathBuf, Trouble> {
        let own = Catalog::scan(&host.sandbox, &[folder.to_owned()]);
        if let Some(plugin) = own.get(&self.name) {
            return Ok(plugin.path.clone());
        }
        // One that cannot be used can still be removed, by the name of its file.
        let named = folder.join(format!("{}.wasm", self.name));
        if self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') && named.is_file() {
            return Ok(named);
        }
        let message = format!("there is no plugin `{}` in {}", clean_line(&self.name), shown(folder));
        Err(match host.catalog.get(&self.name) {
            Some(other) => Trouble::new(message).help(format!(
                "it is {}: name its folder with `--plugins {}`",
                shown(&other.path),
                shown(other.path.parent().unwrap_or(Path::new(".")))
            )),
            None => Trouble::new(message).help("`sluicebox plugins list` shows all"),
        })
    }
}

/// Which pipelines need it, as the end of a sentence.
fn needed(name: &str, needs: &[Needs]) -> String {
    let each = |needs: &Needs| {
        let file = needs.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stages = if needs.stages.len() == 1 { "stage" } else { "stages" };
        let named = needs.stages.join(" and ");
        format!("`{}` ({}, {stages} {named})", clean_line(&needs.pipeline), clean_line(&file))
    };
    match needs {
        [] => format!(": no pipeline below this folder needs `{name}`"),
        [one] => format!(": pipeline {} needs `{name}`", each(one)),
        several => {
            let several: Vec<String> = several.iter().map(each).collect();
            format!(": pipelines {} need `{name}`", several.join(", "))
        }
    }
}

fn confirmed(path: &Path, asked: &str) -> bool {
    eprint!("remove {}{asked}? [y/N] ", shown(path));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn tell_after(name: &str, needs: &[Needs], next: Option<&Plugin>) {
    let note = Style::stderr().paint(Tone::Warn, "note:");
    if let Some(next) = next {
        let (path, version) = (shown(&next.path), clean_line(&next.description.version));
        eprintln!("{note} `{name}` is now {path} (version {version}); `sluicebox plugins lock` locks it");
    } else if !needs.is_empty() {
        eprintln!("{note} nothing is left that could take its place{}", needed(name, needs));
    }
}
