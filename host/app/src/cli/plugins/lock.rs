//! `sluicebox plugins lock`

use super::shown;
use crate::cli::{Exit, Format, Output, PluginFolders, print, print_json};
use crate::lock::{self, Locked, short};
use crate::show::compiling::compiling;
use crate::show::human;
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Write sluicebox.lock with all plugins as they are now
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sluicebox plugins lock

The lock is the nearest sluicebox.lock, in this folder or above; if there is none, it is made in the folder of
sluicebox.toml, or here. It holds name, version and digest of every plugin that `plugins list` shows, also those beside the
program: keep it with the pipelines, and look at what changes in it.")]
pub(super) struct Lock {
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Lock {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let json = self.output.format == Format::Json;
        let root = Path::new(".");
        let host = Host::open(&self.plugins.plugins, root, compiling(json))?;
        let (mut lock, new) = lock::Lock::nearest_or_new(root)?;
        let now: BTreeMap<String, Locked> =
            host.catalog.plugins().map(|plugin| (plugin.description.name.clone(), Locked::of(plugin))).collect();
        if now.is_empty() {
            return Err(
                Trouble::new("there is no plugin to be locked").help("`sluicebox plugins list` tells where was looked")
            );
        }
        let before = std::mem::replace(&mut lock.plugins, now);
        if new || before != lock.plugins {
            lock.write()?;
        }
        let changes = changes(&before, &lock.plugins);
        if json {
            let changes: Vec<_> = changes
                .iter()
                .map(|(name, was, is)| json!({ "name": name, "was": was.map(entry), "is": is.map(entry) }))
                .collect();
            print_json(&json!({ "lock": lock.path, "plugins": lock.plugins.len(), "changes": changes }));
            return Ok(Exit::Done);
        }
        let style = Style::stdout();
        let mut out = String::new();
        for (name, was, is) in if new { Vec::new() } else { changes } {
            let one = |locked: &Locked| format!("{} {}", locked.version, short(&locked.digest));
            out.push_str(&match (was, is) {
                (None, Some(is)) => format!("  new      {name} {}\n", one(is)),
                (Some(was), Some(is)) => format!("  changed  {name} {} to {}\n", one(was), one(is)),
                (was, _) => format!("  gone     {name} {}\n", was.map(one).unwrap_or_default()),
            });
        }
        let plugins = human::count(lock.plugins.len() as u64, "plugin", "plugins");
        print(&format!("{} {plugins} in {}\n{out}", style.paint(Tone::Good, "locked:"), shown(&lock.path)));
        for refused in host.catalog.refused() {
            let (path, reason) = (shown(&refused.path), human::clean_line(&refused.reason));
            eprintln!("{} {path} is not locked: {reason}", Style::stderr().paint(Tone::Warn, "note:"));
        }
        Ok(Exit::Done)
    }
}

fn entry(locked: &Locked) -> serde_json::Value {
    json!({ "version": locked.version, "digest": locked.digest })
}

type Change<'a> = (&'a str, Option<&'a Locked>, Option<&'a Locked>);

/// What differs, by name: before and now.
fn changes<'a>(before: &'a BTreeMap<String, Locked>, now: &'a BTreeMap<String, Locked>) -> Vec<Change<'a>> {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let change = |name: &'a String| (name.as_str(), before.get(name), now.get(name));
    names.into_iter().map(change).filter(|(_, was, is)| was != is).collect()
}
