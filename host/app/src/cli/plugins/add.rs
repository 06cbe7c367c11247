//! `sluicebox plugins add`

use super::{alone, own_folder, shown};
use crate::cli::{Exit, Format, Output, PluginFolders, print, print_json};
use crate::lock::{LOCK, Lock, Locked};
use crate::places;
use crate::show::compiling::compiling;
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use crate::wiring::{Host, sandbox};
use clap::Args;
use serde_json::json;
use sluicebox_sandbox::{Catalog, Plugin, Sandbox};
use std::fs;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox plugins add ~/Downloads/stamp.wasm
  sluicebox plugins add ../stamp                     what was built in a plugin's project, or all .wasm files of a folder
  sluicebox plugins add all-of-them --name stamp     only this one
  sluicebox plugins add stamp.wasm --plugins /srv/plugins

Each is compiled and asked what it is, without any grant, before it is copied; if one cannot be used, none is copied. The
file is called NAME.wasm and is there wholly or not at all, so a running `serve` takes it up within a second. sluicebox.lock
gets its digest; where there is none yet, one is written with all plugins as they are now.";

/// Check a plugin, copy it into the plugins folder and lock it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Add {
    /// The component (.wasm), or a folder with some
    from: PathBuf,
    /// Only the plugin of this name; refused if it calls itself otherwise
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    pub(super) output: Output,
}

/// What became of a plugin.
struct Added {
    plugin: Plugin,
    to: PathBuf,
    /// What was there before.
    was: Option<Locked>,
}

impl Add {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let json = self.output.format == Format::Json;
        let sandbox = sandbox()?;
        sandbox.on_compile(compiling(json));
        let found = self.found(&sandbox)?;
        let folder = own_folder(&self.plugins);
        fs::create_dir_all(&folder)
            .map_err(|error| Trouble::new(format!("{} cannot be made: {error}", shown(&folder))))?;
        let _alone = alone(&folder);
        let mut added = Vec::new();
        for plugin in found {
            let (to, was) = place(&sandbox, &folder, &plugin.description.name);
            if was.as_ref().is_none_or(|was| was.digest != plugin.digest) {
                copy(&plugin, &to)?;
            }
            added.push(Added { plugin, to, was });
        }
        let root = Path::new(".");
        let host = Host::open(&self.plugins.plugins, root, compiling(json))?;
        let (mut lock, new) = Lock::nearest_or_new(root)?;
        if new {
            lock.plugins.extend(host.catalog.plugins().map(|it| (it.description.name.clone(), Locked::of(it))));
        }
        lock.plugins.extend(added.iter().map(|it| (it.plugin.description.name.clone(), Locked::of(&it.plugin))));
        lock.write()?;
        if json {
            let one = |added: &Added| {
                json!({
                    "name": added.plugin.description.name,
                    "version": added.plugin.description.version,
                    "digest": added.plugin.digest,
                    "path": added.to,
                    "was": added.was.as_ref().map(|was| json!({ "version": was.version, "digest": was.digest })),
                })
            };
            print_json(&json!({ "added": added.iter().map(one).collect::<Vec<_>>(), "lock": lock.path }));
            return Ok(Exit::Done);
        }
        let style = Style::stdout();
        for added in &added {
            print(&told(added, style));
            tell_hidden(&host, added);
        }
        print(&format!("{} {}\n", style.paint(Tone::Good, "locked:"), here(&lock.path)));
        Ok(Exit::Done)
    }

    /// The plugins that are meant.
    fn found(&self, sandbox: &Sandbox) -> Result<Vec<Plugin>, Trouble> {
        let files = if self.from.is_dir() { files_of(&self.from)? } else { vec![self.from.clone()] };
        let mut plugins: Vec<Plugin> = Vec::new();
        for file in files {
            if !file.exists() {
                return Err(Trouble::new(format!("there is no file {}", shown(&file)))
                    .help("name a component (.wasm), or a folder with some"));
            }
            let plugin = Catalog::plugin_of(sandbox, &file);
            let plugin = plugin.map_err(|why| Trouble::new(format!("{} cannot be used: {why}", shown(&file))))?;
            if let Some(other) = plugins.iter().find(|it| it.description.name == plugin.description.name) {
                let (one, two) = (shown(&other.path), shown(&file));
                let name = &plugin.description.name;
                return Err(Trouble::new(format!("{one} and {two} are both called `{name}`"))
                    .help("name the file that is meant"));
            }
            plugins.push(plugin);
        }
        let Some(name) = &self.name else { return Ok(plugins) };
        let names: Vec<String> = plugins.iter().map(|plugin| format!("`{}`", plugin.description.name)).collect();
        plugins.retain(|plugin| plugin.description.name == *name);
        if plugins.is_empty() {
            let there = names.join(", ");
            return Err(Trouble::new(format!("{} holds {there}, not `{name}`", shown(&self.from)))
                .help("a plugin is called as it calls itself: that is its name in pipeline files, too"));
        }
        Ok(plugins)
    }
}

/// The components of a folder; of a plugin's project, what was built in it.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let told = |why: String| Trouble::new(format!("{}: {why}", shown(folder)));
    let mut files = Catalog::files_of(folder).map_err(told)?;
    let is_project = folder.join("plugin.toml").is_file();
    if files.is_empty() && is_project {
        files = Catalog::files_of(&folder.join("plugins")).map_err(told)?;
    }
    if files.is_empty() {
        let help = if is_project {
            format!("it is a plugin's project: `sluicebox plugin build {}` builds it", shown(folder))
        } else {
            "name a component (.wasm), or a folder with some".to_owned()
        };
        return Err(Trouble::new(format!("there is no .wasm file in {}", shown(folder))).help(help));
    }
    Ok(files)
}

/// Where a plugin of this name belongs in the folder, and what is there now.
fn place(sandbox: &Sandbox, folder: &Path, name: &str) -> (PathBuf, Option<Locked>) {
    let catalog = Catalog::scan(sandbox, &[folder.to_owned()]);
    if let Some(plugin) = catalog.get(name) {
        return (plugin.path.clone(), Some(Locked::of(plugin)));
    }
    (folder.join(format!("{name}.wasm")), None)
}

/// Copies the component, wholly or not at all; what is copied is what was checked.
fn copy(plugin: &Plugin, to: &Path) -> Result<(), Trouble> {
    let half = to.with_extension(format!("{}.half", std::process::id()));
    let copied = fs::copy(&plugin.path, &half).and_then(|_| fs::File::open(&half)?.sync_all());
    let failed = |why: String| {
        let _ = fs::remove_file(&half);
        Trouble::new(why)
    };
    copied.map_err(|error| failed(format!("{} cannot be copied to {}: {error}", shown(&plugin.path), shown(to))))?;
    if Catalog::digest_of(&half).as_ref() != Ok(&plugin.digest) {
        return Err(failed(format!("{} was changed while it was copied", shown(&plugin.path))).help("add it again"));
    }
    fs::rename(&half, to).map_err(|error| failed(format!("{} cannot be written: {error}", shown(to))))
}

fn told(added: &Added, style: Style) -> String {
    let description = &added.plugin.description;
    let (name, version, to) = (&description.name, &description.version, shown(&added.to));
    let (word, rest) = match &added.was {
        None => ("added:", format!("{name} {version} ({}), {to}", description.kind)),
        Some(was) if was.digest == added.plugin.digest => ("unchanged:", format!("{name} {version}, {to}")),
        Some(was) => ("replaced:", format!("{name} {} by {version}, {to}", was.version)),
    };
    format!("{} {rest}\n", style.paint(Tone::Good, word))
}

/// Tells if another file of the name counts before the one that was added.
fn tell_hidden(host: &Host, added: &Added) {
    let name = &added.plugin.description.name;
    let used = host.catalog.get(name).filter(|used| used.digest != added.plugin.digest);
    if let Some(used) = used {
        let style = Style::stderr();
        let (used, to) = (shown(&used.path), shown(&added.to));
        eprintln!("{} `{name}` is found in {used} before {to}", style.paint(Tone::Warn, "note:"));
    }
}

/// The lock as it is named from here.
fn here(path: &Path) -> String {
    let is_here = places::here().is_some_and(|here| path.parent() == Some(&here));
    if is_here { LOCK.to_owned() } else { shown(path) }
}
