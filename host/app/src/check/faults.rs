//! Where in the file a fault of `open` stands: at the option that it names, or at the stage's options as a whole.

use super::options::option_path;
use serde_json::Value;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::pipeline::{Problem, StageSpec};
use std::ops::Range;

/// The fault as a problem.
pub fn problem(stage: &StageSpec, fault: &Fault) -> Problem {
    let message = match fault.kind {
        FaultKind::InvalidConfig | FaultKind::InvalidData | FaultKind::Denied => {
            format!("stage `{}`: {}", stage.name, fault.message)
        }
        kind => format!("stage `{}` cannot be opened ({kind}): {}", stage.name, fault.message),
    };
    let span = option_named(stage, &fault.message).unwrap_or_else(|| stage.spans.option(""));
    let problem = Problem::error(span, message);
    match &fault.help {
        Some(help) => problem.help(help.clone()),
        None => problem,
    }
}

/// The option that a message names: by its path in backticks, by its value in backticks or quotes, or by its last word.
fn option_named(stage: &StageSpec, message: &str) -> Option<Range<usize>> {
    let words = marked_words(message);
    let spans = &stage.spans.config;
    let by_path = words.iter().find_map(|word| {
        let word = word.strip_prefix("config.").unwrap_or(word);
        spans.iter().filter(|(pointer, _)| !pointer.is_empty()).find(|(pointer, _)| option_path(pointer) == word)
    });
    let by_value = || {
        words.iter().find_map(|word| {
            spans.iter().find(|(pointer, _)| stage.config.pointer(pointer).and_then(Value::as_str) == Some(word))
        })
    };
    let by_key =
        || words.iter().find_map(|word| spans.iter().find(|(pointer, _)| pointer.rsplit('/').next() == Some(word)));
    by_path.or_else(by_value).or_else(by_key).map(|(_, span)| span.clone())
}

/// The words of a text that stand in backticks or double quotes.
fn marked_words(message: &str) -> Vec<&str> {
    ['`', '"']
        .into_iter()
        .flat_map(|mark| message.split(mark).skip(1).step_by(2))
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn shown(message: &str) -> String {
        let text = "[pipeline]\nname = 'a'\n[[stage]]\nname = 's'\nplugin = 'p'\n\
                    config = { path = 'data/x.csv', columns = { speed = 'a / b' }, rules = [ { column = 'c' } ] }\n";
        let pipeline = sluicebox_model::pipeline::parse(text).unwrap();
        let stage = &pipeline.stages[0];
        text[problem(stage, &Fault::new(FaultKind::InvalidConfig, "open", message)).span].to_owned()
    }

    #[test]
    fn a_fault_stands_at_the_option_that_it_names() {
        assert_eq!(shown("`columns.speed`: a is text"), "'a / b'");
        assert_eq!(shown("`rules[0].column` is none"), "'c'");
        assert_eq!(shown("there is no file `data/x.csv`"), "'data/x.csv'");
        assert_eq!(shown("there is no column \"c\""), "'c'");
        assert_eq!(shown("expression `speed` is wrong"), "'a / b'");
        assert!(shown("it is all wrong").starts_with("{ path"));
    }
}
