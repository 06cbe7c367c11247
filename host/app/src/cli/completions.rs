//! `sluicebox completions`

use super::{Cli, Exit, print};
use crate::trouble::Trouble;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  source <(sluicebox completions bash)                                   for this session
  sluicebox completions zsh > ~/.zfunc/_sluicebox                        for good, with ~/.zfunc in fpath
  sluicebox completions fish > ~/.config/fish/completions/sluicebox.fish";

/// Print a script that completes commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "sluicebox", &mut script);
        print(&String::from_utf8_lossy(&script));
        Ok(Exit::Done)
    }
}
