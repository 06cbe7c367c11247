//! `sluicebox plugins`

mod add;
mod list;
mod lock;
mod remove;
mod show;
mod verify;

use super::{Exit, Format, Output, PluginFolders, print, print_json};
use crate::show::compiling::compiling;
use crate::show::human::clean_line;
use crate::show::style::Style;
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::{Args, Subcommand};
use std::fs::File;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox plugins list                    all plugins, by kind
  sluicebox plugins show extract-csv        what it does, its options, what it asks for and imports
  sluicebox plugins show extract-csv --format json | jq '.\"config-schema\"'
  sluicebox plugins add stamp.wasm          check it, copy it into plugins/, lock it
  sluicebox plugins remove stamp            take it out again
  sluicebox plugins lock                    write sluicebox.lock with all plugins as they are now
  sluicebox plugins verify                  compare every file with sluicebox.lock

Plugins are the .wasm files in: the folders given with --plugins, those in SLUICEBOX_PLUGINS (separated as in PATH),
`plugins` in this folder and in that of sluicebox.toml, and `plugins` beside the program. The first of a name counts.

sluicebox.lock holds the digest of each plugin. `add` and `remove` keep it up to date for what they copy or delete; `lock`
writes it anew for all. `run`, `check`, `serve`, `rerun`, `backfill` and `quarantine replay` with `--locked` use no other
component.";

/// List, show, add, remove, lock and verify plugins
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Plugins {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all plugins
    List {
        #[command(flatten)]
        plugins: PluginFolders,
        #[command(flatten)]
        output: Output,
    },
    /// Show what a plugin does, its options, what it asks for and imports
    Show {
        /// The plugin's name
        name: String,
        #[command(flatten)]
        plugins: PluginFolders,
        #[command(flatten)]
        output: Output,
    },
    Add(add::Add),
    Remove(remove::Remove),
    Lock(lock::Lock),
    Verify(verify::Verify),
}

impl Plugins {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Command::List { output, .. } | Command::Show { output, .. } => output.format,
            Command::Add(add) => add.output.format,
            Command::Remove(remove) => remove.output.format,
            Command::Lock(lock) => lock.output.format,
            Command::Verify(verify) => verify.output.format,
        }
    }

    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let json = self.format() == Format::Json;
        match self.command {
            Command::List { plugins, .. } => {
                let host = Host::open(&plugins.plugins, Path::new("."), compiling(json))?;
                if json {
                    print_json(&list::list_json(&host))
                } else {
                    print(&list::list(&host, Style::stdout()))
                }
                Ok(Exit::Done)
            }
            Command::Show { name, plugins, .. } => {
                let host = Host::open(&plugins.plugins, Path::new("."), compiling(json))?;
                let plugin = show::find(&host, &name)?;
                if json {
                    print_json(&show::plugin_json(plugin));
                } else {
                    print(&show::show(plugin, Style::stdout()));
                }
                Ok(Exit::Done)
            }
            Command::Add(add) => add.run(),
            Command::Remove(remove) => remove.run(),
            Command::Lock(lock) => lock.run(),
            Command::Verify(verify) => verify.run(),
        }
    }
}

/// The folder that plugins are added to and removed from: the first that is given, else `plugins` here.
fn own_folder(given: &PluginFolders) -> PathBuf {
    given.plugins.first().cloned().unwrap_or_else(|| PathBuf::from("plugins"))
}

/// Keeps other commands that change the folder waiting. Where the file system knows no locks, nobody waits.
fn alone(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

fn shown(path: &Path) -> String {
    clean_line(&path.display().to_string())
}
