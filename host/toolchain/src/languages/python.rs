//! Python: a component made by componentize-py from the project's `stage.py` and the SDK.
//!
//! componentize-py imports the SDK's module `sluicebox.component`, which imports `stage`, and keeps the memory that is left
//! then. Folders are mounted as `/0`, `/1`, ... in the order of `--python-path`; tracebacks name them so.

use crate::need::Need;
use crate::tools::Tools;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What pip installs into the project's tool folder, pinned.
pub(crate) const PACKAGES: &[&str] = &["componentize-py==0.25.1"];

/// The module of the SDK that a component is made of.
const ENTRY: &str = "sluicebox.component";

/// The file in which a project names packages of its own.
const REQUIREMENTS: &str = "requirements.txt";

/// What the project's `requirements.txt` needs to be installed; none where it names nothing.
pub(crate) fn requirements(project: &Path) -> Option<Need> {
    let file = project.join(REQUIREMENTS);
    let digest = named(&fs::read_to_string(&file).ok()?)?;
    Some(Need::Requirements { file, digest })
}

/// The folder with what the project's `requirements.txt` names.
pub(crate) fn packages(project: &Path, tools: &Tools) -> Option<PathBuf> {
    match requirements(project)? {
        Need::Requirements { digest, .. } => Some(tools.requirements(&digest)),
        _ => None,
    }
}

/// The digest of a `requirements.txt` that names something.
fn named(text: &str) -> Option<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.clone().any(|line| !line.is_empty()).then(|| {
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        let digest = Sha256::digest(lines.join("\n"));
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    })
}

/// The arguments of componentize-py. `wit` is the folder of the contract, `kind` the word of plugin.toml, `sdk` the unpacked
/// SDK, `packages` a folder with the pure-Python packages of the project's `requirements.txt`, if it has one.
pub(crate) fn arguments(
    wit: &Path,
    kind: &str,
    project: &Path,
    sdk: &Path,
    packages: Option<&Path>,
    out: &Path,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        vec!["--quiet".into(), "--wit-path".into(), wit.into(), "--world".into(), format!("{kind}-stage").into()];
    arguments.push("componentize".into());
    for folder in [Some(project), Some(sdk), packages].into_iter().flatten() {
        arguments.extend(["--python-path".into(), folder.into()]);
    }
    arguments.extend([ENTRY.into(), "--output".into(), out.into()]);
    arguments
}

/// The environment of componentize-py. Unless told of a virtual environment, it mounts whatever packages the machine's own
/// Python has, so that a build would depend on the machine; `empty` is one without packages.
pub(crate) fn environment(empty: &Path) -> [(&'static str, OsString); 2] {
    [("VIRTUAL_ENV", empty.into()), ("PYTHONDONTWRITEBYTECODE", "1".into())]
}

/// A folder that componentize-py takes for a virtual environment has this below it.
pub(crate) const SITE_PACKAGES: &str = "lib/python3/site-packages";

/// What componentize-py said, for people: place and error in the first line, then the traceback with the project's own
/// paths. Its own traceback and its backtrace, a hundred lines, are left out.
pub(crate) fn told(output: &str) -> String {
    let said = output.split("\nStack backtrace:").next().unwrap_or(output);
    let said = said.split("\n\nCaused by:").next().unwrap_or(said);
    let Some((_, trace)) = said.split_once("Error: Traceback (most recent call last):\n") else {
        return said.trim().to_owned();
    };
    let trace = trace.trim_end();
    let error = trace.lines().rev().find(|line| !line.starts_with(' ') && !line.is_empty()).unwrap_or(trace);
    let shown = trace.replace("File \"/0/", "File \"").replace("File \"/1/", "File \"");
    match trace.lines().rev().find_map(place) {
        Some(place) => format!("{place}: {error}\n{shown}"),
        None => format!("{error}\n{shown}"),
    }
}

/// `stage.py:7` of a line of a traceback that is within the project.
fn place(line: &str) -> Option<String> {
    let (path, rest) = line.trim_start().strip_prefix("File \"/0/")?.split_once("\", line ")?;
    let number = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some(format!("{path}:{number}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn a_component_is_made_of_the_project_and_the_sdk() {
        let [wit, project, sdk, out] = ["wit", "my stage", "sdk", "out.wasm"].map(Path::new);
        let made = arguments(wit, "transform", project, sdk, None, out);
        let wanted = "--quiet|--wit-path|wit|--world|transform-stage|componentize|--python-path|my stage|\
                      --python-path|sdk|sluicebox.component|--output|out.wasm";
        assert_eq!(made.join("|".as_ref()).to_str(), Some(wanted));
        let made = arguments(wit, "load", project, sdk, Some(Path::new("packages")), out);
        assert!(made.contains(&OsString::from("packages")), "{made:?}");
    }

    #[test]
    fn packages_are_known_by_what_is_named() {
        assert_eq!(named("# none\n\n"), None);
        let one = named("inflection==0.5.1\n");
        assert_eq!(one, named("# words\ninflection==0.5.1 # pure\n"));
        assert!(one.is_some() && one != named("inflection==0.5.0\n"));
    }

    const SYNTAX: &str = r#"Traceback (most recent call last):
  File "/home/me/.tools/pip/bin/componentize-py", line 8, in <module>
    sys.exit(script())
             ^^^^^^^^
AssertionError: Traceback (most recent call last):
  File "/1/sluicebox/component.py", line 18, in <module>
    import stage
  File "/0/stage.py", line 7
    def f(:
          ^
SyntaxError: invalid syntax


Caused by:
    SyntaxError: invalid syntax (stage.py, line 7)

Stack backtrace:
   0: <anyhow::Error>::msg::<alloc::string::String>
"#;

    #[test]
    fn the_error_and_its_place_come_first() {
        let told = told(SYNTAX);
        assert!(told.starts_with("stage.py:7: SyntaxError: invalid syntax\n"), "{told}");
        assert!(
            told.contains("File \"sluicebox/component.py\", line 18") && told.ends_with("SyntaxError: invalid syntax")
        );
        assert!(!told.contains("Caused by") && !told.contains("anyhow") && !told.contains("/home/me"), "{told}");
    }

    #[test]
    fn an_error_of_the_sdk_has_no_place() {
        let output = "AssertionError: Traceback (most recent call last):\n  File \"/1/sluicebox/_plugin.py\", line 86, in registered\n\
                      TypeError: no class is decorated\n\n\nCaused by:\n    TypeError";
        assert!(told(output).starts_with("TypeError: no class is decorated\n"), "{}", told(output));
    }

    #[test]
    fn anything_else_is_told_as_it_is() {
        assert_eq!(told("error: a value is required\n"), "error: a value is required");
        assert_eq!(told(""), "");
    }
}
