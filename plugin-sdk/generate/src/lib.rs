//! Makes the parts of the SDKs that follow from `wit/stage.wit`, with the generators of wit-bindgen.
//!
//! `cargo run -p sluicebox-generate` writes them; with `--check` it only tells which are not as they should be.

mod c;
mod go;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub fn repository() -> PathBuf {
    // As cargo says it now: clones that share a target folder share this program.
    let compiled = || env!("CARGO_MANIFEST_DIR").into();
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled)).join("../..")
}

/// All files that are made of the contract in this folder: their paths in the repository, and what they hold.
///
/// # Errors
/// Where the contract cannot be read, or a generator cannot work with it.
pub fn files(wit: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut all = go::files(wit)?;
    all.extend(c::files(wit)?);
    // Its tools take the contract from a folder of theirs.
    let copy = "plugin-sdk/javascript/wit/deps/stage/stage.wit";
    all.insert(copy.to_owned(), std::fs::read(wit.join("stage.wit"))?);
    Ok(all)
}

/// The files of which the repository has another text, or none.
///
/// # Errors
/// Where [`files`] fails.
pub fn stale(repository: &Path) -> anyhow::Result<Vec<String>> {
    let made = files(&repository.join("wit"))?;
    let stale =
        made.into_iter().filter(|(path, text)| std::fs::read(repository.join(path)).ok().as_ref() != Some(text));
    Ok(stale.map(|(path, _)| path).collect())
}
