//! Guests that tell what no compiler lets them tell, in WebAssembly text: what a guest does stands in its test, so there is
//! none without one.

mod compile;
mod describe;
mod guest;
mod instantiate;
mod lies;
mod sources;

use super::{OUT, READ, evil, project};
use crate::neighbours::{Hostility, of};
use guest::{GOOD, Guest, component_of};
use sluicebox_tests::Project;
use std::path::Path;

/// A pipeline whose stage `evil` is this component; `more` stands in for its limits, or adds to them.
fn pipeline_of(component: &[u8], more: &str) -> Project {
    let project = project(&format!("{READ}{}{OUT}", evil("wat-guest", "", more)));
    project.file("plugins/wat-guest.wasm", component);
    project
}

/// What `plugins list` tells of the component, and that the others are there all the same.
#[track_caller]
fn is_refused(component: &[u8], said: &[&str]) {
    let project = project("");
    project.file("plugins/wat-guest.wasm", component);
    let listed = project.sluicebox(&["plugins", "list"]).with_code(0);
    let all = listed.stdout + &listed.stderr;
    let line = all.lines().find(|line| line.contains("wat-guest.wasm: ")).unwrap_or_else(|| panic!("{all}"));
    for word in said {
        assert!(line.contains(word), "`{word}` is not said: {line}");
    }
    assert!(line.len() < 20_000, "{} bytes", line.len());
    assert!(all.contains("extract-csv") && all.contains("load-csv"), "{all}");
}

/// Writes the components of all that lie into a folder of plugins, each by a name of its own.
pub(super) fn all_into(folder: &Path) -> Vec<Hostility> {
    let into = |(number, (guest, kind, said)): (usize, &(Guest<'static>, &str, &[&'static str]))| {
        let name: &'static str = format!("lie-{number:05}").leak();
        std::fs::write(folder.join(name).with_extension("wasm"), guest.component_named(name)).unwrap();
        of(name, "", serde_json::from_value((*kind).into()).unwrap(), said[0])
    };
    lies::LIES.iter().enumerate().map(into).collect()
}
