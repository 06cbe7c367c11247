//! `wasi:filesystem` as far as a host can stand it: files and folders, so many at once, and folders of so many entries.
//!
//! What opens a pipe waits for whoever is at its other end, on the thread of the call, where neither a limit of time nor a
//! cancel gets at it; a device has no end. Each open file is a descriptor of the host, of which a process has few; a folder is
//! read as a whole as it is listed.

use crate::isolation::{self, Part};
use crate::limiter::Passed;
use crate::linking::replacing;
use crate::state::State;
use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Weak};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsResult, ReaddirIterator};

const TYPES: &str = "wasi:filesystem/types@0.2.12";
const OPEN: &str = "[method]descriptor.open-at";
const LIST: &str = "[method]descriptor.read-directory";

/// Entries of the folders that an instance lists at once.
pub(crate) const ENTRIES_MAX: usize = 100_000;

/// What an instance has open.
#[derive(Debug)]
pub(crate) struct Files {
    files_max: u32,
    /// Files and folders; streams keep theirs open, too.
    open: Vec<Weak<File>>,
    /// Entries of the folders that are being listed.
    listed: HashMap<u32, usize>,
}

impl Files {
    pub(crate) fn new(files_max: u32) -> Self {
        Self { files_max, open: Vec::new(), listed: HashMap::new() }
    }

    /// Makes room for one more.
    fn room(&mut self) -> wasmtime::Result<()> {
        let max = self.files_max as usize;
        if self.open.len() >= max && isolation::is_on(Part::Limits) {
            self.open.retain(|file| file.strong_count() > 0);
            if self.open.len() >= max {
                return Err(Passed::Files { max: self.files_max }.into());
            }
        }
        Ok(())
    }

    fn entries_left(&self) -> usize {
        ENTRIES_MAX.saturating_sub(self.listed.values().sum())
    }
}

/// Takes the place of what opens and lists.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    replacing(linker, TYPES, &[OPEN, LIST], |it| {
        it.resource("directory-entry-stream", ResourceType::host::<ReaddirIterator>(), |mut store, rep| {
            let state = store.data_mut();
            state.files.listed.remove(&rep);
            state.table.delete(Resource::<ReaddirIterator>::new_own(rep))?;
            Ok(())
        })?;
        it.func_wrap_async(
            OPEN,
            |mut store: StoreContextMut<'_, State>,
             (folder, path_flags, path, open_flags, flags): (
                Resource<Descriptor>,
                PathFlags,
                String,
                OpenFlags,
                DescriptorFlags,
            )| {
                Box::new(async move {
                    let opened = open(store.data_mut(), folder, path_flags, path, open_flags, flags).await;
                    Ok((answer(opened)?,))
                })
            },
        )?;
        it.func_wrap_async(LIST, |mut store: StoreContextMut<'_, State>, (folder,): (Resource<Descriptor>,)| {
            Box::new(async move {
                let listed = list(store.data_mut(), folder).await;
                Ok((answer(listed)?,))
            })
        })
    })
}

/// What the guest is told, or a trap.
fn answer<T>(result: FsResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => error.downcast().map(Err),
    }
}

async fn open(
    state: &mut State,
    folder: Resource<Descriptor>,
    path_flags: PathFlags,
    path: String,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
) -> FsResult<Resource<Descriptor>> {
    state.files.room().map_err(wasmtime_wasi::p2::FsError::trap)?;
    let looked = state.filesystem().stat_at(Resource::new_borrow(folder.rep()), path_flags, path.clone()).await;
    // Where there is nothing to look at, to open it says why, or makes it.
    if let Ok(stat) = looked
        && let Some(what) = no_file(stat.type_)
    {
        state.net.live.refuse_file(&path, what);
        return Err(ErrorCode::Unsupported.into());
    }
    let opened = state.filesystem().open_at(folder, path_flags, path, open_flags, flags).await?;
    let file = match state.table.get(&opened)? {
        Descriptor::File(file) => Arc::downgrade(&file.file),
        Descriptor::Dir(folder) => Arc::downgrade(&folder.dir),
    };
    state.files.open.push(file);
    Ok(opened)
}

/// What it is instead of a file, a folder or a link to one.
fn no_file(kind: DescriptorType) -> Option<&'static str> {
    match kind {
        DescriptorType::BlockDevice | DescriptorType::CharacterDevice => Some("a device"),
        // Told so of all that is left, whichever it is.
        DescriptorType::Fifo | DescriptorType::Socket | DescriptorType::Unknown => Some("a pipe or a socket"),
        DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink => None,
    }
}

async fn list(state: &mut State, folder: Resource<Descriptor>) -> FsResult<Resource<ReaddirIterator>> {
    let trap = wasmtime_wasi::p2::FsError::trap;
    state.files.room().map_err(trap)?;
    let entries = match state.table.get(&folder)? {
        Descriptor::Dir(folder) => entries(&folder.dir, state.files.entries_left()),
        // It says itself that it is no folder.
        Descriptor::File(_) => Some(0),
    };
    let Some(entries) = entries else {
        return Err(trap(Passed::Entries { max: ENTRIES_MAX }.into()));
    };
    let listed = state.filesystem().read_directory(folder).await?;
    state.files.listed.insert(listed.rep(), entries);
    Ok(listed)
}

/// How many entries a folder has; none if more than so many.
#[cfg(target_os = "linux")]
fn entries(folder: &File, most: usize) -> Option<usize> {
    let Ok(entries) = rustix::fs::Dir::read_from(folder) else { return Some(0) };
    let count = entries.take(most.saturating_add(1)).count();
    (count <= most).then_some(count)
}

#[cfg(not(target_os = "linux"))]
fn entries(_: &File, _: usize) -> Option<usize> {
    Some(0)
}
