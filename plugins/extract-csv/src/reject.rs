//! Why records cannot be used, for people.

use crate::field::Text;
use crate::records::Broken;
use sluicebox_file_read::{Guess, Misfit, Selected, shown, toml_key};

pub(crate) fn broken_reason(why: Broken, width: usize) -> String {
    match why {
        Broken::Fields(found) => {
            let fields = if found == 1 { "field" } else { "fields" };
            format!("{found} {fields} where there should be {width}")
        }
        Broken::Encoding => "it is not UTF-8".into(),
        Broken::Unclosed => "a quote is opened here and never closed".into(),
    }
}

/// Why a value does not fit, and, where that ends the run, what to write.
pub(crate) fn value_reason(
    column: &Selected,
    text: Text<'_>,
    why: Option<Misfit>,
    brief: bool,
    sample: usize,
) -> String {
    let name = shown(column.name.as_bytes());
    let (text, why) = match (text, why) {
        (Text::Plain(text) | Text::Quoted(text), Some(why)) => (text, why),
        _ => return format!("column {name}: something stands behind the closing quote"),
    };
    let what = format!("column {name}: {}", why.explain(text, column.kind));
    if brief {
        return what;
    }
    let key = toml_key(&column.name);
    if column.inferred {
        let instead = Guess::from_kind(column.kind).join(Guess::of(text)).kind();
        format!(
            "{what}, which the first {sample} records are; write types = {{ {key} = \"{instead}\" }}, or, if it stands for \
             null, add it to `null`"
        )
    } else if why == Misfit::Zone {
        format!("{what}; write types = {{ {key} = \"timestamp(UTC)\" }}")
    } else {
        format!("{what}; if it stands for null, add it to `null`, else write another type for {key} in `types`")
    }
}
