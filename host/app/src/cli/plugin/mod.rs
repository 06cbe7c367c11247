//! `sluicebox plugin`: making plugins.

mod bench;
mod build;
mod cases;
mod dev;
mod new;
mod test;

use super::{Exit, Format};
use crate::trouble::Trouble;
use clap::{Args, Subcommand};
use sluicebox_toolchain::{ToolchainError, Tools};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin new join-text --kind transform --lang python   a folder with a stage that works
  cd join-text && sluicebox plugin build                          makes plugins/join-text.wasm
  sluicebox plugin test                                           gives it the rows of tests/*.toml, and compares
  sluicebox plugin dev                                            does all of it at every change
  sluicebox run pipeline.toml                                     uses it

What a language needs is installed into the project's own folder `.tools`, or the folder that SLUICEBOX_TOOLS names, which
several projects can share.";

/// Make a plugin of one's own: begin a project, build it, test it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Plugin {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Dev(dev::Dev),
    Bench(bench::Bench),
}

impl Plugin {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        match self.verb {
            Verb::New(new) => new.run(),
            Verb::Build(build) => build.run(),
            Verb::Test(test) => test.run(),
            Verb::Dev(dev) => dev.run(),
            Verb::Bench(bench) => bench.run(),
        }
    }

    pub(super) fn format(&self) -> Format {
        match &self.verb {
            Verb::New(new) => new.output.format,
            Verb::Build(build) => build.output.format,
            Verb::Test(test) => test.output.format,
            Verb::Dev(_) => Format::Table,
            Verb::Bench(bench) => bench.output.format,
        }
    }
}

/// The tools of a project.
fn tools(project: &Path) -> Tools {
    let shared = std::env::var_os("SLUICEBOX_TOOLS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    Tools::of(project, shared.as_deref())
}

/// What a tool said goes to standard error as it is; the message and what to do instead are told as ever.
fn trouble(error: ToolchainError) -> Trouble {
    if let Some(said) = &error.said {
        eprintln!("{}", crate::show::human::clean(said));
    }
    let trouble = Trouble::new(error.message);
    match error.help {
        Some(help) => trouble.help(help),
        None => trouble,
    }
}
