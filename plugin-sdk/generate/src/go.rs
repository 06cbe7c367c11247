//! Go: what a component imports is one set of packages for all kinds of stages; what it exports is a package a kind.

use std::collections::BTreeMap;
use std::path::Path;
use wit_bindgen_core::{Files, wit_parser::Resolve};
use wit_bindgen_go::{Format, Opts};

/// Where the packages are, in the repository and in the module.
const FOLDER: &str = "plugin-sdk/go/internal/wit";
const PACKAGE: &str = "sluicebox.dev/stage/internal/wit";
/// Where what answers the host's calls is written by hand.
const EXPORTS: &str = "sluicebox.dev/stage/internal/exports";
/// The module that wit-bindgen's code needs; the SDK has packages of its own in its place.
const RUNTIME: &str = "go.bytecodealliance.org/pkg/wit";

const KINDS: [&str; 4] = ["extract", "transform", "validate", "load"];

pub(crate) fn files(wit: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for kind in KINDS {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(wit)?;
        let world = resolve.select_world(&[package], Some(&format!("{kind}-stage")))?;
        let options = Opts {
            // There need not be a gofmt on the machine.
            format: Format::False,
            pkg_name: Some(PACKAGE.into()),
            export_pkg_name: Some(EXPORTS.into()),
            ..Opts::default()
        };
        let mut files = Files::default();
        options.build().generate(&mut resolve, world, &mut files)?;
        for (name, text) in files.iter() {
            let path = match name.strip_prefix("wit_exports/") {
                Some(name) => format!("{FOLDER}/exports/{kind}/{name}"),
                None => format!("{FOLDER}/{name}"),
            };
            let text = std::str::from_utf8(text)?.replace(RUNTIME, PACKAGE);
            all.insert(path, format!("//go:build wasip1\n\n{text}").into_bytes());
        }
    }
    Ok(all)
}
