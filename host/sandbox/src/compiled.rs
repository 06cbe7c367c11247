//! Compiled plugins on disk.
//!
//! A compiled component is native code that the engine trusts. So the folder is ours alone (mode 0700), a file gets its
//! name only when it is whole, and it is compared with its checksum before it is used: what does not match is compiled
//! again.

use crate::engine::compatibility;
use crate::error::SandboxError;
use crate::keeping::{self, CacheBounds};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sluicebox_model::plugin::Digest;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use twox_hash::XxHash3_128;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The cache folder.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    bounds: Mutex<CacheBounds>,
}

/// The right to compile a component. Others wait for it, also in other processes; it goes with its process.
#[derive(Debug)]
pub(crate) struct Compiling {
    _file: Option<File>,
}

impl Cache {
    /// Makes the folder if it is missing, and makes it private.
    pub(crate) fn open(dir: PathBuf) -> Result<Self, SandboxError> {
        let fail = |reason: String| SandboxError::Cache { path: dir.clone(), reason };
        fs::create_dir_all(&dir).map_err(|error| fail(error.to_string()))?;
        make_private(&dir).map_err(fail)?;
        Ok(Self { dir, bounds: Mutex::default() })
    }

    /// Says how much may be kept; looks through what is kept if that was not done of late.
    pub(crate) fn keep_within(&self, bounds: CacheBounds) {
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner) = bounds;
        let now = SystemTime::now();
        if keeping::is_due(&self.dir, now) {
            keeping::sweep(&self.dir, bounds, None, now);
        }
    }

    /// Waits until nobody else compiles the component. Where the file system knows no locks, both compile it, and the same
    /// comes of it.
    pub(crate) fn compiling(&self, engine: &Engine, digest: &Digest) -> Compiling {
        let path = self.compiled_path(engine, digest).with_extension("lock");
        let locked = File::create(path).and_then(|file| file.lock().map(|()| file));
        Compiling { _file: locked.ok() }
    }

    /// The component if it was compiled before, by this very engine, and is still as it was then.
    pub(crate) fn load(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.compiled_path(engine, digest);
        let sum = fs::read_to_string(sum_path(&path)).ok()?;
        if sum != sum_of_file(&path).ok()? {
            return None;
        }
        let component = deserialize(engine, &path)?;
        keeping::used(&path, SystemTime::now());
        Some(component)
    }

    /// Keeps a component that another process compiled into a file of this folder, and loads it.
    pub(crate) fn adopt(&self, engine: &Engine, digest: &Digest, part: &Path) -> Result<Component, String> {
        let path = self.compiled_path(engine, digest);
        let adopt = || {
            File::open(part)?.sync_all()?;
            self.write(&sum_path(&path), sum_of_file(part)?.as_bytes())?;
            fs::rename(part, &path)
        };
        if let Err(error) = adopt() {
            let _ = fs::remove_file(part);
            return Err(format!("the compile cache {} cannot be written: {error}", self.dir.display()));
        }
        self.is_kept(&path);
        self.load(engine, digest).ok_or_else(|| "what was compiled cannot be read back".to_owned())
    }

    /// Keeps a compiled component. A cache that cannot be written costs time, not the run, so a failure is not told.
    pub(crate) fn store(&self, engine: &Engine, digest: &Digest, component: &Component) {
        let Ok(bytes) = component.serialize() else { return };
        let path = self.compiled_path(engine, digest);
        let sum = format!("{:032x}", XxHash3_128::oneshot(&bytes));
        // The sum first: a file without its sum, or with that of another, is just not used.
        let _ = self.write(&sum_path(&path), sum.as_bytes()).and_then(|()| self.write(&path, &bytes));
        self.is_kept(&path);
    }

    /// Tidies up behind a component that was kept.
    fn is_kept(&self, path: &Path) {
        let _ = fs::remove_file(path.with_extension("lock"));
        let bounds = *self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        let stays = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        keeping::sweep(&self.dir, bounds, stays.as_deref(), SystemTime::now());
    }

    /// What was kept under that name by the same version of this host, if it can be read.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.dir.join(name);
        let value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        keeping::used(&path, SystemTime::now());
        Some(value)
    }

    /// Keeps a value under a name.
    pub(crate) fn put(&self, name: &str, value: &impl Serialize) {
        if let Ok(bytes) = serde_json::to_vec(value) {
            let _ = self.write(&self.dir.join(name), &bytes);
        }
    }

    /// Bytes of all that is kept, as the files are now.
    pub(crate) fn size_bytes(&self) -> u64 {
        let files = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|data| data.len()).sum()
    }

    fn compiled_path(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{digest}-{:016x}.cwasm", compatibility(engine)))
    }

    /// A path for what is being written; what stays there is deleted some day.
    pub(crate) fn part(&self) -> PathBuf {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!(".{}-{number}.part", std::process::id()))
    }

    /// Writes the file whole or not at all, whoever else writes it at the same time.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let part = self.part();
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let done = written.and_then(|()| fs::rename(&part, path));
        if done.is_err() {
            let _ = fs::remove_file(&part);
        }
        done
    }
}

fn sum_path(path: &Path) -> PathBuf {
    path.with_extension("sum")
}

#[allow(unsafe_code)] // the one place; see below
fn deserialize(engine: &Engine, path: &Path) -> Option<Component> {
    // SAFETY: the file has to be what `Component::serialize` wrote, unchanged. It lies in a folder that only we can
    // write (checked as the cache was opened), got its name whole, and was just now compared with the checksum taken as
    // it was written. The engine itself checks that it fits its version and settings.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

/// The checksum of a file: against damage, not against people, who cannot write into the folder.
fn sum_of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = XxHash3_128::new();
    let mut part = vec![0; 256 * 1024];
    loop {
        match file.read(&mut part) {
            Ok(0) => return Ok(format!("{:032x}", hash.finish_128())),
            Ok(read) => hash.write(part.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of a file of at most so many bytes; the error kind is `FileTooLarge` beyond.
pub(crate) fn digest_of_file(path: &Path, max_bytes: u64) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut size_bytes = 0_u64;
    let mut part = vec![0; 64 * 1024];
    loop {
        let read = match file.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        size_bytes += read as u64;
        if size_bytes > max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        hash.update(part.get(..read).unwrap_or_default());
    }
    Ok(Digest(hex(&hash.finalize())))
}

/// The digest of bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(unix)]
fn make_private(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let metadata = fs::symlink_metadata(dir).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is no folder".to_owned());
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(|error| {
            format!("others can reach it, and it cannot be made private ({error}); use another folder or chmod 700 it")
        })?;
        // What others may have left there while they could is not ours to trust.
        if metadata.mode() & 0o022 != 0 {
            clear(dir).map_err(|error| format!("others could write it, and it cannot be emptied: {error}"))?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Removes what we would read.
#[cfg(unix)]
fn clear(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "cwasm" || kind == "sum" || kind == "json") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
