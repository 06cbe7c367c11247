//! Lines of a guest's sources, for the backtrace of a trap.
//!
//! They come from debug information that the guest brings, which can be made so that reading a megabyte of it takes all
//! memory, and from names that a few hundred letters let unfold to gigabytes. So the engine reads neither: a process of its own
//! does, bounded in time and memory, and for a few traps of a run only.

use crate::process::{Bounds, Task, wait};
use crate::trace::{Frame, Place};
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use serde::{Deserialize, Serialize};
use sluicebox_model::plugin::Digest;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use wasmparser::{Parser, Payload};

/// What a process is asked for that finds lines.
pub(crate) const TASK: &str = "lines";

/// Different traps of a stage in a run whose lines are looked for.
pub(crate) const TRAPS_MAX: usize = 8;
/// Processor time to look for them, each time.
pub(crate) const CPU_MAX: Duration = Duration::from_secs(2);
/// Memory to look for them in a component without bytes.
pub(crate) const MEMORY_BASE: u64 = 256 * 1024 * 1024;
/// Bytes of a name of a function or of a file.
const NAME_MAX: usize = 1024;
/// Bytes of all that is found: less than what a pipe holds.
pub(crate) const FOUND_MAX: usize = 32 * 1024;

/// Finds lines of a component's sources.
pub(crate) struct Lines {
    /// What works as a process of its own.
    program: PathBuf,
    component: PathBuf,
    digest: Digest,
    tried: Mutex<Tried>,
}

#[derive(Default)]
struct Tried {
    /// What was found, by the places in the component.
    found: HashMap<Vec<Option<u64>>, Vec<Found>>,
    /// The component has nothing that could be found, or looking for it takes too much.
    is_futile: bool,
}

/// What is known of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The name of the function as people write it.
    pub(crate) name: Option<String>,
    /// Where that is in the sources: the innermost of what was inlined there first.
    pub(crate) places: Vec<Place>,
}

/// What a process answers with.
#[derive(Serialize, Deserialize)]
struct Answer {
    /// Whether the component has anything to look for.
    has_lines: bool,
    frames: Vec<Found>,
}

impl Lines {
    pub(crate) fn new(program: PathBuf, component: PathBuf, digest: Digest) -> Self {
        Self { program, component, digest, tried: Mutex::default() }
    }

    /// What is known of these frames, as many; nothing if it cannot be found.
    pub(crate) fn of(&self, frames: &[Frame<'_>]) -> Option<Vec<Found>> {
        let key: Vec<_> = frames.iter().map(|frame| frame.offset).collect();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = tried.found.get(&key) {
            return Some(found.clone());
        }
        let is_futile = tried.is_futile && !frames.iter().any(|frame| is_cpp(frame.name.unwrap_or_default()));
        if is_futile || tried.found.len() >= TRAPS_MAX {
            return None;
        }
        let answer = self.ask(frames).filter(|answer| answer.frames.len() == frames.len());
        tried.is_futile = answer.as_ref().is_none_or(|answer| !answer.has_lines);
        let found = answer.map(|answer| answer.frames);
        tried.found.insert(key, found.clone().unwrap_or_default());
        found
    }

    fn ask(&self, frames: &[Frame<'_>]) -> Option<Answer> {
        let input = File::open(&self.component).ok()?;
        let size = input.metadata().ok()?.len();
        let bounds = Bounds { cpu_max: CPU_MAX, memory_bytes_max: MEMORY_BASE.saturating_add(size.saturating_mul(2)) };
        let mut arguments = vec![self.digest.to_string()];
        arguments.extend(frames.iter().map(argument));
        let reasons = Stdio::null();
        let task = Task { name: TASK, bounds, input, output: Stdio::piped(), reasons, arguments: &arguments };
        let mut child = task.start(&self.program).ok()?;
        let status = wait(&mut child, bounds).ok()??;
        let mut answer = Vec::new();
        child.stdout.take()?.take(2 * FOUND_MAX as u64).read_to_end(&mut answer).ok()?;
        if status.success() { serde_json::from_slice(&answer).ok() } else { None }
    }
}

/// Names of Rust can begin so, too.
fn is_cpp(name: &str) -> bool {
    name.len() <= NAME_MAX && name.starts_with("_Z") && rustc_demangle::try_demangle(name).is_err()
}

/// A frame as an argument of a process.
fn argument(frame: &Frame<'_>) -> String {
    let offset = frame.offset.unwrap_or(u64::MAX);
    let name = frame.name.filter(|name| is_cpp(name) && !name.contains('\0'));
    format!("{offset}:{}", name.unwrap_or_default())
}

/// Reads a component from standard input, and writes what is known of places in it to standard output.
pub(crate) fn work(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let digest = arguments.next().unwrap_or_default();
    let wanted = arguments.filter_map(|argument| {
        let (offset, name) = argument.split_once(':')?;
        Some((offset.parse::<u64>().ok()?, name.to_owned()))
    });
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    if read.is_err() || crate::compiled::digest_of(&bytes).to_string() != digest {
        return ExitCode::FAILURE;
    }
    let modules = modules(&bytes);
    let mut left = FOUND_MAX;
    let frames = wanted
        .map(|(offset, name)| {
            let name = demangled(&name, &mut left);
            let places = modules.iter().find(|module| module.range.contains(&offset));
            Found { name, places: places.and_then(|module| module.places(offset, &mut left)).unwrap_or_default() }
        })
        .collect();
    let has_lines = modules.iter().any(|module| !module.sections.is_empty());
    let mut out = io::stdout().lock();
    let written = serde_json::to_writer(&mut out, &Answer { has_lines, frames });
    if written.is_ok() && out.flush().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A C++ name as people write it; none for others.
fn demangled(name: &str, left: &mut usize) -> Option<String> {
    let name = Some(name).filter(|name| is_cpp(name))?;
    Some(cut(&addr2line::demangle(name, addr2line::gimli::DW_LANG_C_plus_plus)?, left))
}

fn cut(name: &str, left: &mut usize) -> String {
    let end = name.floor_char_boundary(NAME_MAX.min(*left));
    *left -= end;
    name.get(..end).unwrap_or_default().to_owned()
}

/// A core module in a component.
#[derive(Default)]
struct Module<'a> {
    /// Where it is, in bytes of the component.
    range: Range<u64>,
    /// Where its code begins, from which places in debug information are counted.
    code: u64,
    /// Its sections of debug information, by their names.
    sections: HashMap<&'a str, &'a [u8]>,
}

fn modules(bytes: &[u8]) -> Vec<Module<'_>> {
    let mut modules: Vec<Module<'_>> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                let range = unchecked_range.start as u64..unchecked_range.end as u64;
                modules.push(Module { range, ..Module::default() });
            }
            Payload::CodeSectionStart { range, .. } => {
                if let Some(module) = modules.last_mut() {
                    module.code = range.start as u64;
                }
            }
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                let at = section.data_offset() as u64;
                if let Some(module) = modules.last_mut().filter(|module| module.range.contains(&at)) {
                    module.sections.insert(section.name(), section.data());
                }
            }
            _ => {}
        }
    }
    modules
}

impl Module<'_> {
    /// Where a place in the component is in the sources.
    fn places(&self, offset: u64, left: &mut usize) -> Option<Vec<Place>> {
        let section = |id: SectionId| -> Result<_, ()> {
            let bytes = self.sections.get(id.name()).copied().unwrap_or_default();
            Ok(EndianSlice::new(bytes, LittleEndian))
        };
        let context = addr2line::Context::from_dwarf(Dwarf::load(section).ok()?).ok()?;
        let mut frames = context.find_frames(offset.checked_sub(self.code)?).skip_all_loads().ok()?;
        let mut places = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            if *left == 0 {
                break;
            }
            let name = frame.function.as_ref().and_then(|name| name.demangle().ok());
            let location = frame.location.as_ref();
            places.push(Place {
                name: name.map(|name| cut(&name, left)),
                file: location.and_then(|location| location.file).map(|file| cut(file, left)),
                line: location.and_then(|location| location.line),
                column: location.and_then(|location| location.column),
            });
            // What is around a name and a file.
            *left = left.saturating_sub(64);
        }
        Some(places)
    }
}
