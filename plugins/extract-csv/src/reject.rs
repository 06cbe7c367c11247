//! Records that cannot be used: the messages, and what becomes of them.

use crate::field::Text;
use crate::layout::Selected;
use crate::records::Broken;
use sluicebox_file_read::{Guess, Misfit, shown};
use sluicebox_stage::{BadRecord, Fault, quarantine};

/// More of a record than this is not kept.
const CONTENT_BYTES_MAX: usize = 64 * 1024;
/// So many are handed over at once.
const RECORDS_AT_ONCE: usize = 1000;

/// Fails, or sets records aside.
#[derive(Debug)]
pub(crate) struct Rejects {
    quarantine: bool,
    records: Vec<BadRecord>,
    bytes: usize,
}

impl Rejects {
    pub(crate) fn new(quarantine: bool) -> Self {
        Self { quarantine, records: Vec::new(), bytes: 0 }
    }

    pub(crate) fn add(&mut self, origin: String, content: &[u8], reason: String) -> Result<(), Fault> {
        if !self.quarantine {
            return Err(Fault::invalid_data(format!(
                "{origin}: {reason}; to set such records aside, write broken-rows = \"quarantine\""
            )));
        }
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let mut text = String::from_utf8_lossy(content.get(..CONTENT_BYTES_MAX).unwrap_or(content)).into_owned();
        if content.len() > CONTENT_BYTES_MAX {
            text.push('…');
        }
        self.bytes += text.len();
        self.records.push(BadRecord { origin, content: text, reason });
        if self.records.len() >= RECORDS_AT_ONCE || self.bytes > 1 << 20 {
            self.flush();
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) {
        if !self.records.is_empty() {
            quarantine(std::mem::take(&mut self.records));
            self.bytes = 0;
        }
    }
}

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
    let key = if !column.name.is_empty()
        && column.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        column.name.clone()
    } else {
        name
    };
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
