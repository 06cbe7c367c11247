//! `sluicebox plugins verify`

use super::shown;
use crate::cli::{Exit, Format, Output, PluginFolders, print, print_json};
use crate::lock::{LOCK, Lock, short};
use crate::places;
use crate::show::human;
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::trouble::Trouble;
use clap::Args;
use serde_json::json;
use sluicebox_model::plugin::Digest;
use sluicebox_sandbox::Catalog;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Compare every plugin file with sluicebox.lock
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sluicebox plugins verify

Every file is read from its first byte to its last; none of them is compiled or run. A file is `ok`, `changed` (the lock has
another digest for it), or `not locked`; a plugin of the lock that is nowhere is `missing`. Exits with 2 unless all are ok.")]
pub(super) struct Verify {
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    pub(super) output: Output,
}

/// What was found of a file, or of a plugin of the lock.
struct Found {
    word: &'static str,
    plugin: String,
    path: Option<PathBuf>,
    digest: Option<Digest>,
    locked: Option<Digest>,
    note: String,
}

impl Verify {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let root = Path::new(".");
        let lock = Lock::nearest(root)?.ok_or_else(|| {
            Trouble::new(format!("there is no {LOCK} here or above"))
                .help("`sluicebox plugins lock` writes one with the plugins as they are now")
        })?;
        let found = compare(&lock, &places::plugin_folders(&self.plugins.plugins, root));
        let sound = found.iter().all(|found| found.word == "ok");
        if self.output.format == Format::Json {
            let one = |found: &Found| {
                json!({
                    "plugin": found.plugin,
                    "state": found.word,
                    "path": found.path,
                    "digest": found.digest,
                    "locked": found.locked,
                    "note": (!found.note.is_empty()).then_some(&found.note),
                })
            };
            let found: Vec<_> = found.iter().map(one).collect();
            print_json(&json!({ "lock": lock.path, "sound": sound, "files": found }));
        } else {
            print(&told(&lock, &found, sound));
        }
        Ok(if sound { Exit::Done } else { Exit::Wrong })
    }
}

/// Holds every file against the lock, and the lock against the files.
fn compare(lock: &Lock, folders: &[PathBuf]) -> Vec<Found> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for folder in folders {
        let files = match Catalog::files_of(folder) {
            Ok(files) => files,
            Err(note) => {
                let plugin = String::new();
                all.push(Found {
                    word: "unreadable",
                    plugin,
                    path: Some(folder.clone()),
                    digest: None,
                    locked: None,
                    note,
                });
                continue;
            }
        };
        for path in files {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().replace('_', "-")).unwrap_or_default();
            let named_so = lock.plugins.get(&stem);
            let found = match Catalog::digest_of(&path) {
                Ok(digest) => match lock.plugins.iter().find(|(_, locked)| locked.digest == digest) {
                    Some((name, locked)) => {
                        let locked = Some(locked.digest.clone());
                        Found {
                            word: "ok",
                            plugin: name.clone(),
                            path: Some(path),
                            digest: Some(digest),
                            locked,
                            note: String::new(),
                        }
                    }
                    None => {
                        let note = match named_so {
                            Some(locked) => format!("{} is locked, {} is there", short(&locked.digest), short(&digest)),
                            None => short(&digest).to_owned(),
                        };
                        let word = if named_so.is_some() { "changed" } else { "not locked" };
                        let locked = named_so.map(|locked| locked.digest.clone());
                        Found { word, plugin: stem, path: Some(path), digest: Some(digest), locked, note }
                    }
                },
                Err(note) => {
                    let locked = named_so.map(|locked| locked.digest.clone());
                    Found { word: "unreadable", plugin: stem, path: Some(path), digest: None, locked, note }
                }
            };
            seen.insert(found.plugin.clone());
            all.push(found);
        }
    }
    for (name, locked) in lock.plugins.iter().filter(|(name, _)| !seen.contains(*name)) {
        let note = format!("version {}, {}", locked.version, short(&locked.digest));
        let locked = Some(locked.digest.clone());
        all.push(Found { word: "missing", plugin: name.clone(), path: None, digest: None, locked, note });
    }
    all
}

fn told(lock: &Lock, found: &[Found], sound: bool) -> String {
    let style = Style::stdout();
    let mut table =
        Table::new(&[("plugin", Align::Left), ("state", Align::Left), ("file", Align::Left), ("digest", Align::Left)]);
    for found in found {
        let tone = if found.word == "ok" { Tone::Good } else { Tone::Bad };
        let note = if found.word == "ok" { found.digest.as_ref().map(short).unwrap_or_default() } else { &found.note };
        table.row(vec![
            human::clean_line(&found.plugin).into(),
            Cell::toned(found.word, tone),
            found.path.as_deref().map(shown).unwrap_or_default().into(),
            human::clean_line(note).into(),
        ]);
    }
    let mut out = table.render(style);
    let differ = found.iter().filter(|found| found.word != "ok").count() as u64;
    out.push_str(&if sound {
        format!("\n{} all are as in {}\n", style.paint(Tone::Good, "ok:"), shown(&lock.path))
    } else {
        let differ = human::count(differ, "differs", "differ");
        let from = shown(&lock.path);
        format!(
            "\n{} {differ} from {from}; if that is meant, `sluicebox plugins lock`\n",
            style.paint(Tone::Bad, "changed:")
        )
    });
    out
}
