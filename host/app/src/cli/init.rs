//! `sluicebox init`

use super::{Exit, Format, Output, print, print_json};
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use clap::Args;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox init my-project
  cd my-project
  sluicebox run pipeline.toml";

const FILES: [(&str, &str); 3] = [
    ("pipeline.toml", include_str!("init/pipeline.toml")),
    ("data/orders.csv", include_str!("init/orders.csv")),
    (".gitignore", "# what runs leave behind\n.sluicebox/\nout/\n"),
];

/// Make a project: a first pipeline with a little data, ready to run
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// The folder; made if missing
    #[arg(default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Init {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let there: Vec<&str> =
            FILES.iter().map(|(name, _)| *name).filter(|name| self.dir.join(name).exists()).collect();
        if !there.is_empty() {
            return Err(Trouble::new(format!("{} already has {}", self.dir.display(), there.join(" and ")))
                .help("name another folder: `sluicebox init my-project`"));
        }
        for (name, text) in FILES {
            let path = self.dir.join(name);
            let told = |error: std::io::Error| Trouble::new(format!("{} cannot be written: {error}", path.display()));
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(told)?;
            }
            fs::write(&path, text).map_err(told)?;
        }
        if self.output.format == Format::Json {
            print_json(&json!({ "folder": self.dir, "files": FILES.map(|(name, _)| name) }));
            return Ok(Exit::Done);
        }
        let style = Style::stdout();
        let pipeline = self.dir.join("pipeline.toml");
        let pipeline = pipeline.strip_prefix(".").unwrap_or(&pipeline).display();
        print(&format!(
            "{} a first pipeline in {}\n\n  pipeline.toml    what it does, with comments\n  data/orders.csv  some orders, two of them wrong\n\nTry next:\n  sluicebox run {pipeline}\n",
            style.paint(Tone::Good, "made"),
            self.dir.display(),
        ));
        Ok(Exit::Done)
    }
}
