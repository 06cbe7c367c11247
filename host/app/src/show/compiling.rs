//! Plugins that are compiled, which takes some seconds, once a plugin: a moving line on a terminal, a plain one elsewhere.

use super::human::{self, clean_line};
use super::style::{Style, Tone};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sluicebox_sandbox::Compile;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The line moves so often.
const MOVES_EVERY: Duration = Duration::from_millis(100);
/// What took longer is told when it is done.
const LONG: Duration = Duration::from_millis(500);

/// Tells of plugins that are compiled.
pub fn compiling(quiet: bool) -> impl Fn(Compile<'_>) + Send + Sync + 'static {
    let is_terminal = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let lines: Mutex<HashMap<String, ProgressBar>> = Mutex::default();
    move |compile: Compile<'_>| {
        if quiet {
            return;
        }
        let style = Style::stderr();
        let name = clean_line(compile.plugin);
        let begins = format!("compiling {name} ({}), this happens once", human::bytes(compile.size_bytes));
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        match compile.took {
            None if is_terminal => {
                lines.insert(name, line(begins));
            }
            None => eprintln!("{}", style.paint(Tone::Quiet, &begins)),
            Some(took) => {
                if let Some(line) = lines.remove(&name) {
                    line.finish_and_clear();
                }
                if took > LONG {
                    let done = format!("compiled {name} in {}", human::duration(took));
                    eprintln!("{}", style.paint(Tone::Quiet, &done));
                }
            }
        }
    }
}

/// The compiler does not say how far it is: the line says that it is at work, and for how long.
fn line(text: String) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let shape = ProgressStyle::with_template("{spinner:.dim} {msg} {elapsed:.dim}");
    bar.set_style(shape.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(text);
    bar.enable_steady_tick(MOVES_EVERY);
    bar
}
