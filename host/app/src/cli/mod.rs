//! The commands, one file each.

pub mod backfill;
pub mod bookmarks;
pub mod cancel;
pub mod check;
pub mod completions;
pub mod docs;
pub mod graph;
pub mod init;
pub mod logs;
pub mod pause;
pub mod plugin;
pub mod plugins;
pub mod quarantine;
pub mod replay;
pub mod rerun;
pub mod run;
pub mod runs;
pub mod schedule;
pub mod schema;
pub mod serve;
mod through;

use crate::show::human::{self, clean};
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox init my-project               a first pipeline with data, ready to run
  sluicebox run my-project/pipeline.toml  run it
  sluicebox check flights.toml            all that is wrong with a pipeline, before any row moves
  sluicebox runs show last                how the last run went
  sluicebox quarantine show last          the rows that it set aside, with the reasons

Exit codes:
  0  done
  1  the run failed; nothing was loaded
  2  the pipeline or the command is wrong; nothing ran";

/// Pipelines of sandboxed stages: extract, transform, validate, load.
#[derive(Debug, Parser)]
#[command(name = "sluicebox", version, after_help = EXAMPLES, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, for as long as the program runs")]
enum Command {
    Run(run::Run),
    Check(check::Check),
    Backfill(backfill::Backfill),
    Rerun(rerun::Rerun),
    Replay(replay::Replay),
    Init(init::Init),
    Serve(serve::Serve),
    Schedule(schedule::Schedule),
    Pause(pause::Pause),
    Resume(pause::Resume),
    Runs(runs::Runs),
    Quarantine(quarantine::Quarantine),
    Bookmarks(bookmarks::Bookmarks),
    Cancel(cancel::Cancel),
    Logs(logs::Logs),
    Plugin(plugin::Plugin),
    Plugins(plugins::Plugins),
    Graph(graph::Graph),
    Docs(docs::Docs),
    Schema(schema::Schema),
    Completions(completions::Completions),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// The run failed.
    Failed,
    /// The pipeline or the command is wrong.
    Wrong,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Wrong => 2,
        }
    }
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one JSON document on standard output
    Json,
}

/// The options that every command with an answer has.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// How the answer is written: `table` for people, `json` for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Format,
}

/// Where plugins are looked for.
#[derive(Clone, Debug, Args)]
pub struct PluginFolders {
    /// A folder with plugins, looked at before all others; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub plugins: Vec<PathBuf>,
}

/// Whether only locked plugins may be used.
#[derive(Clone, Copy, Debug, Args)]
pub struct LockedOnly {
    /// Use no plugin whose digest is not the one in sluicebox.lock
    #[arg(long)]
    pub locked: bool,
}

/// Where runs are remembered.
#[derive(Clone, Debug, Args)]
pub struct State {
    /// The state folder [default: SLUICEBOX_STATE, or `.sluicebox` beside the pipeline file]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Runs the command; tells on standard error why it could not.
pub fn main(cli: Cli) -> Exit {
    let (format, done) = match cli.command {
        Command::Run(command) => (command.output.format, command.run()),
        Command::Check(command) => (command.output.format, command.run()),
        Command::Replay(command) => (command.output.format, command.run()),
        Command::Backfill(command) => (command.output.format, command.run()),
        Command::Rerun(command) => (command.output.format, command.run()),
        Command::Init(command) => (command.output.format, command.run()),
        Command::Serve(command) => (command.output().format, command.run()),
        Command::Schedule(command) => (command.output.format, command.run()),
        Command::Pause(command) => (command.output.format, command.run()),
        Command::Resume(command) => (command.output.format, command.run()),
        Command::Runs(command) => (command.format(), command.run()),
        Command::Quarantine(command) => (command.format(), command.run()),
        Command::Bookmarks(command) => (command.format(), command.run()),
        Command::Cancel(command) => (command.output.format, command.run()),
        Command::Logs(command) => (command.output.format, command.run()),
        Command::Plugin(command) => (command.format(), command.run()),
        Command::Plugins(command) => (command.format(), command.run()),
        Command::Graph(command) => (command.output.format, command.run()),
        Command::Docs(command) => (command.output.format, command.run()),
        Command::Schema(command) => (Format::Table, command.run()),
        Command::Completions(command) => (Format::Table, command.run()),
    };
    crate::telemetry::end();
    done.unwrap_or_else(|trouble| {
        tell(&trouble);
        if format == Format::Json {
            print_json(&json!({ "error": { "message": trouble.message, "help": trouble.help } }));
        }
        Exit::Wrong
    })
}

/// Tells of trouble on standard error.
pub fn tell(trouble: &Trouble) {
    let style = Style::stderr();
    eprintln!("{} {}", style.paint(Tone::Bad, "error:"), clean(&trouble.message));
    if let Some(help) = &trouble.help {
        eprintln!("  {} {}", style.paint(Tone::Good, "help:"), clean(help));
    }
}

/// Writes text to standard output. A reader that went away (`| head`) ends it without a word.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes one JSON document to standard output.
pub fn print_json(value: &Value) {
    print(&human::json(&format!("{value:#}\n")));
}
