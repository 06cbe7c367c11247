//! Where in the file a fault of `open` stands: at the option that it names, or at the stage's options as a whole.

use super::options::option_path;
use serde_json::Value;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::pipeline::{Problem, StageSpec};

/// The fault as a problem.
pub fn problem(stage: &StageSpec, fault: &Fault) -> Problem {
    // What a guest says to do stands in its message, on a line of its own.
    let (said, advice) = match fault.message.split_once("\nhelp: ") {
        Some((said, advice)) => (said, Some(advice.to_owned())),
        None => (fault.message.as_str(), fault.help.clone()),
    };
    let message = match fault.kind {
        FaultKind::InvalidConfig | FaultKind::InvalidData | FaultKind::Denied => {
            format!("stage `{}`: {said}", stage.name)
        }
        kind => format!("stage `{}` cannot be opened ({kind}): {said}", stage.name),
    };
    let span = option_named(stage, said).map_or_else(|| stage.spans.option(""), |pointer| stage.spans.option(pointer));
    let problem = Problem::error(span, message);
    match advice {
        Some(advice) => problem.help(advice),
        None => problem,
    }
}

/// The pointer of the option that a message means: the one whose path stands in it, and within that one whose name or
/// value stands in backticks or quotes; or else one whose value stands in it as it is.
fn option_named<'a>(stage: &'a StageSpec, message: &str) -> Option<&'a str> {
    let options =
        || stage.spans.config.iter().map(|(pointer, _)| pointer.as_str()).filter(|pointer| !pointer.is_empty());
    let marked = marked_words(message);
    let bare = message.split(|c: char| c.is_whitespace() || "`\"':;,".contains(c));
    let words: Vec<&str> = marked.iter().copied().chain(bare.filter(|word| !word.is_empty())).collect();
    let base = options()
        .filter(|pointer| words.iter().any(|word| word.strip_prefix("config.").unwrap_or(word) == option_path(pointer)))
        // A path with an index or a point in it is one; a lone word may be any word.
        .filter(|pointer| pointer.matches('/').count() > 1 || marked.contains(&option_path(pointer).as_str()))
        .max_by_key(|pointer| pointer.len());
    let within = |pointer: &&str| base.is_none_or(|base| pointer.starts_with(base) && *pointer != base);
    let value = |pointer: &str| stage.config.pointer(pointer).and_then(Value::as_str);
    let by_value =
        || marked.iter().find_map(|word| options().filter(within).find(|pointer| value(pointer) == Some(word)));
    let by_key = || {
        marked.iter().find_map(|word| options().filter(within).find(|pointer| pointer.rsplit('/').next() == Some(word)))
    };
    let by_text = || {
        let told = |pointer: &&str| value(pointer).is_some_and(|value| value.len() > 2 && message.contains(value));
        options().filter(told).max_by_key(|pointer| value(pointer).map_or(0, str::len))
    };
    match base {
        Some(base) => by_key().or_else(by_value).or(Some(base)),
        None => by_value().or_else(by_key).or_else(by_text),
    }
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
        assert_eq!(shown("rules[0]: there is no column `c`"), "'c'");
        assert_eq!(shown("rules[0]: it is odd"), "{ column = 'c' }");
        assert_eq!(shown("data/x.csv is not there"), "'data/x.csv'");
        assert!(shown("it is all wrong").starts_with("{ path"));
    }
}
