//! Files among the plugins that are none, or that cannot say what they are: they are refused with a reason, and the others
//! work.

use super::{OUT, READ, evil, project, rows_loaded, succeeds};
use std::fs;

/// `tests/evil-describe` loops for ever where it is asked what it is.
#[test]
fn a_guest_that_cannot_describe_itself_is_refused_and_the_others_work() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil", "mode = 'pass'", "")));
    let listed = project.sluicebox(&["plugins", "list"]).with_code(0);
    let all = listed.stdout + &listed.stderr;
    assert!(all.contains("evil-describe") && all.contains("extract-csv"), "{all}");
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
}

#[test]
fn a_pipeline_that_uses_it_is_told_why_it_cannot() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil-describe", "", "")));
    let why = ["plugin `evil-describe` cannot be used", "cannot describe itself", "ran longer than", "plugins list"];
    super::refused_by_check(&project, &why);
}

/// What people drop into a plugin folder by mistake.
#[test]
fn what_is_no_plugin_is_told() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil", "mode = 'pass'", "")));
    let plugins = project.command(&[]).get_program().to_owned();
    let whole = std::path::Path::new(&plugins).with_file_name("plugins").join("load-csv.wasm");
    let whole = fs::read(whole).unwrap();
    // A core module, the beginning of a component, nothing, and a page of HTML that a download gave instead.
    project.file("plugins/module.wasm", b"\0asm\x01\0\0\0");
    project.file("plugins/cut.wasm", &whole[..whole.len() / 2]);
    project.file("plugins/empty.wasm", b"");
    project.file("plugins/page.wasm", b"<!DOCTYPE html><html>not found</html>");
    fs::create_dir(project.path().join("plugins/folder.wasm")).unwrap();
    let listed = project.sluicebox(&["plugins", "list"]).with_code(0);
    let told = listed.stdout + &listed.stderr;
    for (file, reason) in [
        ("module.wasm", "it is a core WebAssembly module, not a component; build it for the target wasm32-wasip2"),
        ("cut.wasm", "the file is damaged or was cut off; copy or build it again"),
        ("empty.wasm", "the file is empty"),
        ("page.wasm", "it is not WebAssembly but some other file"),
        ("folder.wasm", "it is no file"),
    ] {
        let of_file = |line: &&str| line.contains(&format!("plugins/{file}: "));
        let line = told.lines().find(of_file).unwrap_or_else(|| panic!("{file} is not told: {told}"));
        assert!(line.contains(reason), "{line}");
    }
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
}
