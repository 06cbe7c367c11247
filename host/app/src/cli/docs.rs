//! `sluicebox docs`

use super::{Exit, Format, Output, PluginFolders, State, print, print_json};
use crate::show::compiling::compiling;
use crate::show::human::{self, clean_line};
use crate::show::style::{Style, Tone};
use crate::site::{self, Options};
use crate::trouble::Trouble;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox docs                       pages about the pipelines of this folder, in site/
  sluicebox docs pipelines -o public   of another folder, to another folder

One page for each pipeline: what it is for, when it runs, its stages with options and grants, its rules, what it reads and
writes, what follows what, and its last runs. The pages need no server, no script and nothing from elsewhere. Options are
shown as they are written: `${env:NAME}` is never filled in. A folder that is not empty, and that no earlier `sluicebox
docs` made, is refused.";

/// Write pages about the pipelines of a folder, for people who did not make them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Docs {
    /// The folder with the pipeline files
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The folder of the pages
    #[arg(short = 'o', long = "output", value_name = "DIR", default_value = "site")]
    output_dir: PathBuf,
    /// For when the pages are made: the next times are counted from here (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Docs {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let json = self.output.format == Format::Json;
        let options = Options {
            dir: self.dir,
            out: self.output_dir,
            state: self.state.state,
            plugins: self.plugins.plugins,
            at: self.at.unwrap_or_else(Timestamp::now),
        };
        let pages = site::build(&options, || compiling(json))?;
        let folder = clean_line(&options.out.display().to_string());
        if json {
            let pages = pages.iter().map(|page| {
                json!({ "pipeline": page.pipeline, "file": page.source, "page": page.file, "errors": page.errors })
            });
            print_json(&json!({ "folder": folder, "index": "index.html", "pages": pages.collect::<Vec<_>>() }));
            return Ok(Exit::Done);
        }
        let style = Style::stderr();
        for page in pages.iter().filter(|page| page.errors > 0) {
            let problems = human::count(page.errors as u64, "problem", "problems");
            let warning = style.paint(Tone::Warn, "warning:");
            let (name, file) = (clean_line(&page.pipeline), clean_line(&page.source));
            eprintln!(
                "{warning} `{name}` cannot run: {problems}; its page says so (`sluicebox check {file}` tells more)"
            );
        }
        let index = clean_line(&options.out.join("index.html").display().to_string());
        print(&format!("{index}: {}\n", human::count(pages.len() as u64, "pipeline", "pipelines")));
        Ok(Exit::Done)
    }
}
