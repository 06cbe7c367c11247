//! `sluicebox plugin new`

use super::trouble;
use crate::cli::{Exit, Format, Output, print, print_json};
use crate::trouble::Trouble;
use clap::{Args, ValueEnum};
use serde_json::json;
use sluicebox_model::plugin::Kind;
use sluicebox_toolchain::{Language, create};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin new join-text --kind transform --lang python
  sluicebox plugin new orders-api --kind extract --lang rust --into stages

The folder has the stage with a test, a README, sample data and pipeline.toml, which uses it. It builds as it stands.";

/// Begin a plugin's project
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct New {
    /// The plugin's name: lower-case words joined by hyphens
    name: String,
    /// What kind of stage it is
    #[arg(long, value_enum)]
    kind: KindOf,
    /// What it is written in
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: LanguageOf,
    /// Make its folder in this one
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
    #[command(flatten)]
    pub(super) output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindOf {
    Extract,
    Transform,
    Validate,
    Load,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LanguageOf {
    Rust,
    Python,
    #[value(name = "typescript", alias = "javascript")]
    TypeScript,
    C,
    Go,
}

impl New {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let kind = match self.kind {
            KindOf::Extract => Kind::Extract,
            KindOf::Transform => Kind::Transform,
            KindOf::Validate => Kind::Validate,
            KindOf::Load => Kind::Load,
        };
        let language = match self.lang {
            LanguageOf::Rust => Language::Rust,
            LanguageOf::Python => Language::Python,
            LanguageOf::TypeScript => Language::TypeScript,
            LanguageOf::C => Language::C,
            LanguageOf::Go => Language::Go,
        };
        let project = create(&self.into, &self.name, kind, language).map_err(trouble)?;
        let dir = self.into.join(&project.name);
        let dir = dir.strip_prefix(".").unwrap_or(&dir).display().to_string();
        if self.output.format == Format::Json {
            print_json(
                &json!({ "name": project.name, "kind": kind, "language": language.word(), "folder": project.dir }),
            );
        } else {
            print(&format!(
                "made {dir}/, kind {kind}, in {}\n\n  cd {dir}\n  sluicebox plugin test         builds plugins/{}.wasm, and gives it the rows of tests/*.toml\n  sluicebox run pipeline.toml   uses it\n",
                language.name(),
                project.name
            ));
        }
        Ok(Exit::Done)
    }
}
