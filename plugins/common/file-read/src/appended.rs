//! Lines that were added to one file.

use crate::bookmark::{Bookmark, Read};
use crate::find::find_any;
use crate::input::bytes_before;
use crate::mark::digest;
use crate::{Compression, FileError, FileSettings, Input, Layout, Mark, Source, find};
use sluicebox_stage::{Fault, log};
use std::fs::File;

/// Keeps account of how far the file was read.
#[derive(Debug)]
pub(crate) struct Appended {
    plugin: &'static str,
    path: String,
    /// how far it was read; none: nothing was read yet
    mark: Option<Mark>,
    /// how far the last bookmark says
    kept: Option<Mark>,
}

/// What is to be read.
pub(crate) struct Found {
    pub(crate) track: Appended,
    /// the file from its start
    pub(crate) all: Vec<Source>,
    pub(crate) new: Vec<Source>,
}

/// A file beside a mark.
#[derive(Debug, PartialEq, Eq)]
enum Is {
    /// the one that the mark is of
    Same,
    /// shorter: so many bytes
    Shorter(u64),
    /// as long or longer, and of other content
    Other,
}

impl Appended {
    pub(crate) fn plan(
        settings: &FileSettings,
        read: Option<(String, Mark)>,
        plugin: &'static str,
    ) -> Result<Found, Fault> {
        let mut found = find(&settings.paths).map_err(|error| match (error, &read) {
            (FileError::Config(message), Some(_)) => FileError::Unavailable(format!(
                "{message}; an earlier run has read it: if it is just being rotated, trying again helps"
            )),
            (error, _) => error,
        })?;
        let Some(source) = found.pop().filter(|_| found.is_empty()) else {
            return Err(Fault::invalid_config(format!(
                "incremental = \"appended\" reads one file, and {} finds several; name one of them, or write incremental = \
                 \"new-files\"",
                settings.paths.join(", ")
            )));
        };
        let source = Source { growing: true, end: Some(source.size), ..source };
        let all = vec![source.clone()];
        let track = |kept: Option<Mark>| Self { plugin, path: source.path.clone(), mark: kept.clone(), kept };
        let Some((path, mark)) = read else {
            return Ok(Found { track: track(None), all: all.clone(), new: all });
        };
        if path != source.path {
            return Err(Fault::invalid_config(format!(
                "the bookmark is of {path}, and `path` is {}; to read that from its start: {}",
                source.path, settings.reset
            )));
        }
        let is = if mark.offset == 0 { Is::Same } else { compare(&source, &mark)? };
        if is == Is::Same {
            let part = (mark.offset > 0).then(|| Box::new((Some(mark.clone()), None)));
            let size = source.size.saturating_sub(mark.offset);
            let new = (size > 0).then(|| Source { part, size, ..source.clone() });
            return Ok(Found { track: track(Some(mark)), all, new: new.into_iter().collect() });
        }
        let mut new = rest_of_rotated(&source, &is, &mark, settings)?;
        new.push(source.clone());
        Ok(Found { track: track(Some(mark)), all, new })
    }

    /// A file was read from one mark to another. As long as nothing but a header was read of it, it looks like any other, so
    /// the mark stays in the one before.
    pub(crate) fn read(&mut self, from: &Mark, to: Mark) {
        if *from != to {
            self.mark = Some(to);
        }
    }

    /// The bookmark, where it is another than the last.
    pub(crate) fn bookmark(&mut self, layout: &Layout) -> Result<Option<String>, Fault> {
        let Some(mark) = self.mark.clone().filter(|mark| self.kept.as_ref() != Some(mark)) else { return Ok(None) };
        self.kept = Some(mark.clone());
        let read = Read::Appended { path: self.path.clone(), mark };
        Bookmark::new(self.plugin, layout, read).encode()?.map(Some).ok_or_else(|| {
            Fault::invalid_data(format!(
                "{} columns are more than a bookmark can hold; name those that are wanted in `columns`",
                layout.selected.len()
            ))
        })
    }
}

fn compare(source: &Source, mark: &Mark) -> Result<Is, FileError> {
    if source.size < mark.offset {
        return Ok(Is::Shorter(source.size));
    }
    let mut file = File::open(&source.path).map_err(|error| FileError::opening(&source.path, &error))?;
    let found = bytes_before(&mut file, mark.offset)
        .map_err(|error| FileError::Unavailable(format!("reading {} failed: {error}", source.path)))?;
    Ok(match found {
        Some((head, tail)) if digest(&head) == mark.head && digest(&tail) == mark.tail => Is::Same,
        _ => Is::Other,
    })
}

/// What was not read of the file before it was rotated, and of those that came between. Warns of what was noticed.
fn rest_of_rotated(now: &Source, is: &Is, mark: &Mark, settings: &FileSettings) -> Result<Vec<Source>, Fault> {
    let path = &now.path;
    let what = match is {
        Is::Shorter(size) => format!(
            "{path} was rotated or truncated: it has {size} bytes, and {} were read in earlier runs",
            mark.offset
        ),
        _ => format!(
            "{path} was rotated or replaced: the bytes before byte {} are not those that were read",
            mark.offset
        ),
    };
    if settings.rotated.is_empty() {
        log::warn(format_args!(
            "{what}; it is read from its start, and lines that the old file got after the last run are lost; to have them read \
             too, say what the file is called then, e.g. rotated = {:?}",
            format!("{path}.1")
        ));
        return Ok(Vec::new());
    }
    let found = find_any(&settings.rotated).or_else(|error| match error {
        FileError::Config(_) => Ok(Vec::new()),
        error => Err(error),
    })?;
    // In the order of their changes: `x.log.2` before `x.log.1` where that does not tell.
    let mut candidates: Vec<Source> = Vec::new();
    for candidate in found.into_iter().filter(|candidate| candidate.path != *path) {
        let place =
            candidates.partition_point(|other| (other.modified, &candidate.path) < (candidate.modified, &other.path));
        candidates.insert(place, candidate);
    }
    let mut old = None;
    for (place, candidate) in candidates.iter().enumerate() {
        if compare(candidate, mark)? == Is::Same {
            old = Some(place);
        }
    }
    let Some(old) = old else {
        log::warn(format_args!(
            "{what}; it is read from its start, and lines that the old file got after the last run are lost: `rotated` ({}) does \
             not find the old file",
            settings.rotated.join(", ")
        ));
        return Ok(Vec::new());
    };
    let mut rest: Vec<Source> = candidates
        .into_iter()
        .skip(old)
        .enumerate()
        .map(|(place, source)| Source {
            part: (place == 0).then(|| Box::new((Some(mark.clone()), None))),
            end: Some(source.size),
            size: if place == 0 { source.size - mark.offset } else { source.size },
            marked: true,
            ..source
        })
        .collect();
    let mut plain = Vec::new();
    for source in rest.drain(..) {
        if Input::open(&source, Compression::Auto)?.is_compressed() {
            log::warn(format_args!("{} is compressed and came between: its lines are not read", source.path));
        } else {
            plain.push(source);
        }
    }
    let rest = plain;
    let names: Vec<&str> = rest.iter().map(|source| source.path.as_str()).collect();
    log::warn(format_args!("{what}; the rest of {} is read before it", names.join(", ")));
    Ok(rest)
}
