//! Something that takes a while: a moving line on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// The line moves so often.
const MOVES_EVERY: Duration = Duration::from_millis(100);

/// A line that is gone with the value.
pub struct Working(Option<ProgressBar>);

impl Working {
    /// Begins; `last` is about how long it will take, which the bar shows as its end. Two lines at once would overwrite each other:
    /// end one before the next begins, and before anything else is told.
    pub fn new(what: &str, last: Option<Duration>) -> Self {
        let is_terminal = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        if !is_terminal {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(last.map(|last| last.as_secs().max(1)), ProgressDrawTarget::stderr());
        let template = match last {
            Some(_) => "{msg} {wide_bar} {elapsed} of about {len} s",
            None => "{spinner} {msg} {elapsed}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(MOVES_EVERY);
        if last.is_some() {
            let ticking = bar.clone();
            // The position is the time: a compiler says nothing of how far it is.
            std::thread::spawn(move || {
                while !ticking.is_finished() {
                    ticking.set_position(ticking.elapsed().as_secs());
                    std::thread::sleep(MOVES_EVERY);
                }
            });
        }
        Self(Some(bar))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
