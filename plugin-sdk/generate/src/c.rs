//! C: what a component imports and exports, a set of two files a kind of stage.

use std::collections::BTreeMap;
use std::path::Path;
use wit_bindgen_c::Opts;
use wit_bindgen_core::{Files, wit_parser::Resolve};

/// Where the files are in the repository.
const FOLDER: &str = "plugin-sdk/c/gen";

const KINDS: [&str; 4] = ["extract", "transform", "validate", "load"];

pub(crate) fn files(wit: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for kind in KINDS {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(wit)?;
        let world = resolve.select_world(&[package], Some(&format!("{kind}-stage")))?;
        // One name for all kinds, so that the SDK's sources are the same for all; the type of the world is added as a
        // component is made.
        let options = Opts { rename_world: Some("stage".into()), no_object_file: true, ..Opts::default() };
        let mut files = Files::default();
        options.build().generate(&mut resolve, world, &mut files)?;
        for (name, text) in files.iter() {
            all.insert(format!("{FOLDER}/{kind}/{name}"), text.to_vec());
        }
    }
    Ok(all)
}
