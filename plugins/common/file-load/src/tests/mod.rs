//! The steps, on a disk that fails or in a process that dies at any of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod model;
mod packed;
mod trouble;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sluicebox_stage::Fault;

use crate::{BlockWriter, Compression, FileLoad, Mode, Progress, Target};

/// A part as a stage has it.
struct Part {
    file: FileLoad,
    progress: Progress<BlockWriter>,
}

impl Part {
    fn open(target: &Target, id: &str, part: u32) -> Result<Self, Fault> {
        Ok(Self { file: FileLoad::new(target, Compression::None, id, part)?, progress: Progress::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let file = &self.file;
        self.progress.write(
            || file.create(),
            |writer| {
                writer.write_all(bytes).map_err(|error| file.fault("write to", &error))?;
                // Straight to the disk, so that this write may be the one that fails.
                writer.flush_block().map_err(|error| file.fault("write to", &error))
            },
        )
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        let file = &self.file;
        self.progress.prepare(|| file.create(), |writer| file.prepare(writer, 1))
    }
}

fn prepared(target: &Target, id: &str, part: u32, text: &str) -> String {
    let mut load = Part::open(target, id, part).unwrap();
    load.write(text.as_bytes()).unwrap();
    load.prepare().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn replace(path: &Path) -> Target {
    Target::new(path.to_str().unwrap(), Mode::Replace, ".csv").unwrap()
}

fn append(path: &Path) -> Target {
    Target::new(path.to_str().unwrap(), Mode::Append, ".csv").unwrap()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}
