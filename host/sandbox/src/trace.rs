//! The backtrace of a guest, as text of a bounded length.

use crate::console::escape_lines;
use crate::lines::{Found, Lines};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};
use wasmtime::WasmBacktrace;

/// Bytes of a backtrace.
pub(crate) const BACKTRACE_MAX: usize = 64 * 1024;
/// Bytes of the name of a function or a module in it.
const NAME_MAX: usize = 1024;

/// A frame, as the engine knows it.
pub(crate) struct Frame<'a> {
    /// Bytes from the beginning of the component.
    pub(crate) offset: Option<u64>,
    pub(crate) module: Option<&'a str>,
    /// As the compiler wrote it.
    pub(crate) name: Option<&'a str>,
    /// The number of the function, which all have.
    pub(crate) index: u32,
}

/// A place in the sources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The function there.
    pub(crate) name: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

/// The guest's frames, the innermost first, with places in the sources where `lines` finds them.
pub(crate) fn text(trace: &WasmBacktrace, lines: Option<&Lines>) -> String {
    let frames: Vec<Frame<'_>> = trace
        .frames()
        .iter()
        .map(|frame| Frame {
            offset: frame.module_offset().and_then(|offset| u64::try_from(offset).ok()),
            module: frame.module().name(),
            name: frame.func_name(),
            index: frame.func_index(),
        })
        .collect();
    let found = lines.and_then(|lines| lines.of(&frames)).unwrap_or_default();
    let mut text = Bounded::new(BACKTRACE_MAX);
    for (number, frame) in frames.iter().enumerate() {
        // Whoever reads what was cut off sees that it was.
        if frame.write(number, found.get(number), &mut text).is_err() {
            break;
        }
    }
    escape_lines(&text.text, BACKTRACE_MAX)
}

impl Frame<'_> {
    fn write(&self, number: usize, found: Option<&Found>, out: &mut Bounded) -> fmt::Result {
        write!(out, "  {number:>3}: ")?;
        if let Some(offset) = self.offset {
            write!(out, "{offset:#8x} - ")?;
        }
        let places = found.map(|found| found.places.as_slice()).unwrap_or_default();
        let Some((first, around)) = places.split_first() else {
            write!(out, "{}!", short(self.module.unwrap_or("<unknown>")))?;
            self.write_name(found, out)?;
            return out.write_char('\n');
        };
        match &first.name {
            Some(name) => out.write_str(name)?,
            None => self.write_name(found, out)?,
        }
        first.write(out)?;
        for place in around {
            write!(out, "                - {}", place.name.as_deref().unwrap_or("<inlined function>"))?;
            place.write(out)?;
        }
        Ok(())
    }

    fn write_name(&self, found: Option<&Found>, out: &mut Bounded) -> fmt::Result {
        match (found.and_then(|found| found.name.as_deref()), self.name) {
            (Some(name), _) => out.write_str(name),
            // What it writes is bounded by itself.
            (None, Some(name)) => {
                let mut whole = Bounded::new(NAME_MAX);
                let _ = write!(whole, "{:#}", rustc_demangle::demangle(short(name)));
                out.write_str(&whole.text)
            }
            (None, None) => write!(out, "<wasm function {}>", self.index),
        }
    }
}

impl Place {
    fn write(&self, out: &mut Bounded) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(out, "\n                    at {file}")?;
            if let Some(line) = self.line {
                write!(out, ":{line}")?;
                if let Some(column) = self.column {
                    write!(out, ":{column}")?;
                }
            }
        }
        out.write_char('\n')
    }
}

fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_MAX)).unwrap_or(name)
}

/// What something says of itself, as far as that is no longer than so.
pub(crate) fn bounded(said: &impl fmt::Display, bytes_max: usize) -> String {
    let mut text = Bounded::new(bytes_max);
    let _ = write!(text, "{said}");
    text.text
}

/// Text that takes no more than so many bytes, and is an error beyond.
struct Bounded {
    text: String,
    left: usize,
}

impl Bounded {
    fn new(bytes_max: usize) -> Self {
        Self { text: String::new(), left: bytes_max }
    }
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(left) = self.left.checked_sub(text.len()) {
            self.left = left;
            self.text.push_str(text);
            return Ok(());
        }
        self.text.push_str(text.get(..text.floor_char_boundary(self.left)).unwrap_or_default());
        self.left = 0;
        Err(fmt::Error)
    }
}
