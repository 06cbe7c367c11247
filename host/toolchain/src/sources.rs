//! The files that a build of a project reads: those of its folder, and those elsewhere that they name.
//!
//! What a compiler reads cannot be asked of all of them, and not before the first build. So every file counts that may be
//! read; one too many costs a build, one too few would leave an old component in its place.

use crate::error::ToolchainError;
use crate::language::Language;
use crate::languages;
use crate::project::Project;
use crate::tools;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Folders that never hold sources, wherever they lie; hidden ones beside.
const NEVER: [&str; 2] = ["node_modules", "__pycache__"];

/// Folders at the top of a project that hold none: what is made, cases, and samples, of which only those count that a source
/// names.
const MADE: [&str; 3] = ["out", "plugins", "target"];
const CASES: &str = "tests";
const SAMPLES: &str = "data";

/// Files at the top of a project that no build reads: its pipeline, and the lock of its plugins.
const PIPELINE: &str = "pipeline.toml";
const NO_SOURCES: [&str; 2] = [PIPELINE, "sluicebox.lock"];

/// More files than this in a project's folder are not its sources: somebody keeps data there.
pub(crate) const FILES_MAX: usize = 10_000;

/// A file larger than this is not looked through for names of others.
const TEXT_MAX_BYTES: u64 = 1 << 20;

/// Files that may name whole folders, of which all counts.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "go.mod", "package.json"];

/// What the file of an import may end with that does not say it, and what stands where a folder is imported.
const ENDS: [&str; 7] = [".ts", ".tsx", ".mts", ".js", ".mjs", ".json", "/index.ts"];

/// The files of a project that a build reads, in order: each as within the project, or from the root of the file system where
/// it lies elsewhere.
///
/// # Errors
/// A folder cannot be read, or holds too many files.
pub fn sources(project: &Project) -> Result<Vec<PathBuf>, ToolchainError> {
    let mut look = Look::default();
    let (written, own) = (written(&project.dir), format!("{}.wasm", project.name));
    look.walk(&project.dir, &|path, is_dir| {
        !is_left_out(project.language, path, is_dir) && !written.contains(path) && !path.ends_with(&own)
    })?;
    if project.language == Language::Rust {
        workspace(&project.dir).into_iter().for_each(|path| look.insert(path));
    }
    look.follow(project)?;
    let within = |path: PathBuf| path.strip_prefix(&project.dir).map(Path::to_owned).unwrap_or(path);
    Ok(look.found.into_iter().map(within).collect())
}

/// The files of a project that hold tests in its own language, in order, each as within the project.
///
/// # Errors
/// As of [`sources`].
pub fn own_tests(project: &Project) -> Result<Vec<PathBuf>, ToolchainError> {
    let mut look = Look::default();
    look.walk(&project.dir, &|path, is_dir| match is_dir {
        true => !is_first_of(path, &MADE),
        false => languages::is_test(project, path),
    })?;
    Ok(look.found.into_iter().filter_map(|path| path.strip_prefix(&project.dir).map(Path::to_owned).ok()).collect())
}

/// Whether builds write a source themselves, so that a change of it tells of no change by a person.
pub fn is_made(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "lock" || extension == "sum")
}

/// Whether a path within a folder is one of these at its top, or lies below one.
fn is_first_of(path: &Path, names: &[&str]) -> bool {
    path.components().next().is_some_and(|first| names.iter().any(|name| first.as_os_str() == *name))
}

/// Whether a file or folder is none that a build reads unless it is named; the path is as within the project.
fn is_left_out(language: Language, path: &Path, is_dir: bool) -> bool {
    if is_dir {
        return is_first_of(path, &MADE) || is_first_of(path, &[CASES, SAMPLES]);
    }
    let is_prose = path.extension().is_some_and(|extension| extension == "md");
    is_prose || NO_SOURCES.iter().any(|name| path == Path::new(name)) || languages::is_only_tests(language, path)
}

/// The folders into which the project's own pipeline may write, as within the project: what it writes is no source.
fn written(dir: &Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(dir.join(PIPELINE)).unwrap_or_default();
    let pipeline: toml::Table = toml::from_str(&text).unwrap_or_default();
    let stages = pipeline.get("stage").and_then(|stages| stages.as_array()).into_iter().flatten();
    let grants = stages.filter_map(|stage| stage.get("grants")?.get("write")?.as_array()).flatten();
    let plain = |path: &str| Path::new(path).components().filter(|part| *part != Component::CurDir).collect();
    grants.filter_map(|path| path.as_str()).map(plain).collect()
}

/// The manifest and the lock of the Cargo workspace that a crate may be part of: they name versions.
fn workspace(dir: &Path) -> Vec<PathBuf> {
    let is_workspace = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.starts_with("[workspace")))
    };
    let root = dir.ancestors().skip(1).find(is_workspace);
    // A crate that has a workspace of its own is part of no other.
    let root = root.filter(|_| !is_workspace(&dir));
    let files = root.into_iter().flat_map(|root| ["Cargo.toml", "Cargo.lock"].map(|name| root.join(name)));
    files.filter(|path| path.is_file()).collect()
}

/// What was found so far.
#[derive(Default)]
struct Look {
    /// From the root of the file system.
    found: BTreeSet<PathBuf>,
    /// Those of which it was not looked yet what they name.
    open: Vec<PathBuf>,
    /// Folders, without links: none is walked twice.
    walked: BTreeSet<PathBuf>,
    seen: usize,
}

impl Look {
    fn insert(&mut self, path: PathBuf) {
        if self.found.insert(path.clone()) {
            self.open.push(path);
        }
    }

    /// All files below a folder; `is_wanted` is asked of each with its path within it, and whether it is a folder.
    fn walk(&mut self, top: &Path, is_wanted: &dyn Fn(&Path, bool) -> bool) -> Result<(), ToolchainError> {
        let mut folders = vec![PathBuf::new()];
        while let Some(within) = folders.pop() {
            let folder = top.join(&within);
            let told = |error| ToolchainError::of_file("read", &folder, &error);
            if !self.walked.insert(folder.canonicalize().map_err(told)?) {
                continue;
            }
            for entry in fs::read_dir(&folder).map_err(told)? {
                let name = entry.map_err(told)?.file_name();
                let (path, name) = (within.join(&name), name.to_string_lossy());
                self.seen += 1;
                if self.seen > FILES_MAX {
                    return Err(ToolchainError::new(format!("{} holds more than {FILES_MAX} files", top.display()))
                        .help("keep data and other projects outside of the plugin's project"));
                }
                if (name.starts_with('.') && name != ".cargo") || NEVER.contains(&name.as_ref()) {
                    continue;
                }
                // Links count as what they lead to; what is neither file nor folder is never read.
                let Ok(meta) = fs::metadata(top.join(&path)) else { continue };
                if !(meta.is_dir() || meta.is_file()) || !is_wanted(&path, meta.is_dir()) {
                    continue;
                }
                match meta.is_dir() {
                    true => folders.push(path),
                    false => self.insert(top.join(path)),
                }
            }
        }
        Ok(())
    }

    /// Adds what the files name that were found, and what these name in turn.
    fn follow(&mut self, project: &Project) -> Result<(), ToolchainError> {
        let tools = project.dir.join(tools::FOLDER).canonicalize().ok();
        while let Some(file) = self.open.pop() {
            let is_small = fs::metadata(&file).is_ok_and(|meta| meta.len() <= TEXT_MAX_BYTES);
            let Some(text) = is_small.then(|| fs::read_to_string(&file).ok()).flatten() else { continue };
            let bases = [file.parent().unwrap_or(&project.dir), &project.dir];
            for name in names(&text, !file.starts_with(&project.dir)) {
                for path in bases.iter().flat_map(|base| candidates(project.language, base, name)) {
                    let Ok(path) = path.canonicalize() else { continue };
                    if !tools.as_ref().is_some_and(|tools| path.starts_with(tools)) {
                        self.add(project, path, is_manifest(&file))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds what a file names, if it counts: one of the project does already, unless it was left out.
    fn add(&mut self, project: &Project, path: PathBuf, of_manifest: bool) -> Result<(), ToolchainError> {
        let is_file = path.is_file();
        match path.strip_prefix(&project.dir) {
            Ok(within) if is_first_of(within, &MADE) || is_first_of(within, &[CASES]) => {}
            _ if is_file => self.insert(path),
            Ok(within) if is_first_of(within, &[SAMPLES]) => self.walk(&path, &|_, _| true)?,
            // All of a folder counts only where a manifest names it, and not one that the project itself lies in.
            Err(_) if of_manifest && !project.dir.starts_with(&path) => {
                self.walk(&path, &|path, is_dir| !is_left_out(project.language, path, is_dir))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| MANIFESTS.iter().any(|manifest| name == *manifest))
}

/// Where a name may lead.
fn candidates(language: Language, base: &Path, name: &str) -> Vec<PathBuf> {
    // Of a pattern, the folder that it begins in.
    let name = match name.find(['*', '?']) {
        Some(at) => name.get(..at).and_then(|start| start.rsplit_once('/')).map_or("", |(folder, _)| folder),
        None => name,
    };
    let path = base.join(name);
    if language != Language::TypeScript || path.is_file() {
        return vec![path];
    }
    // `./x` and `./x.js` may both be `x.ts`.
    let stem = name.strip_suffix(".js").or_else(|| name.strip_suffix(".mjs")).unwrap_or(name);
    ENDS.iter().map(|end| base.join(format!("{stem}{end}"))).chain([path.clone()]).collect()
}

/// What a text names that may be a file elsewhere than where everything counts: above the project, among its samples, or prose;
/// and beside the text, where that lies elsewhere itself.
fn names(text: &str, is_elsewhere: bool) -> Vec<&str> {
    let words = text.split(|letter: char| letter.is_whitespace() || "\"'`()<>,;{}[]=|".contains(letter));
    let beside = |word| Some(word).filter(|word: &&str| is_elsewhere && word.contains('.'));
    let mut found: Vec<&str> = words.filter_map(|word| name(word).or_else(|| beside(word))).collect();
    let is_quoted = |quote: char| text.contains(&format!("{quote}{SAMPLES}{quote}"));
    let embeds = |line: &str| line.starts_with("//go:embed") && line.split([' ', ':']).any(|word| word == SAMPLES);
    if is_quoted('"') || is_quoted('\'') || text.lines().any(embeds) {
        found.push(SAMPLES);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A word that is the name of a file; what stands before it is taken off.
fn name(word: &str) -> Option<&str> {
    let word = ["all:", "file:", "link:"].iter().find_map(|start| word.strip_prefix(start)).unwrap_or(word);
    // Behind the folder of the manifest.
    let word = word.strip_prefix('/').unwrap_or(word);
    let mut parts = Path::new(word).components();
    let is_named = match parts.next()? {
        Component::CurDir | Component::ParentDir => parts.next().is_some() || word.starts_with(".."),
        Component::Normal(first) => (first == SAMPLES && parts.next().is_some()) || word.ends_with(".md"),
        _ => false,
    };
    is_named.then_some(word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::create;
    use sluicebox_model::plugin::Kind;

    fn project(folder: &Path, language: Language) -> Project {
        create(&folder.canonicalize().unwrap(), "stamp", Kind::Transform, language).unwrap()
    }

    fn put(project: &Project, name: &str, text: &str) {
        let path = project.dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(project: &Project, name: &str, text: &str) {
        put(project, name, &format!("{}\n{text}\n", fs::read_to_string(project.dir.join(name)).unwrap()));
    }

    /// Those of a project, the ones elsewhere as seen from the folder that it lies in.
    fn found(project: &Project) -> Vec<String> {
        let above = project.dir.parent().unwrap();
        let shown = |path: &PathBuf| match path.strip_prefix(above) {
            Ok(path) => format!("../{}", path.display()),
            Err(_) => path.display().to_string(),
        };
        sources(project).unwrap().iter().map(shown).collect()
    }

    #[test]
    fn what_is_installed_or_made_is_no_source() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), Language::Python);
        for name in [".tools/sdk/a.py", "out/b.py", "words/c.py", ".hidden/d.py", "sluicebox.lock", "node_modules/x.js"]
        {
            put(&project, name, "");
        }
        put(&project, "elsewhere/stamp.wasm", "");
        assert_eq!(found(&project), ["plugin.toml", "stage.py", "words/c.py"]);

        // What its pipeline writes.
        put(&project, "rows/all.csv", "");
        put(&project, "words/all.csv", "");
        let pipeline = fs::read_to_string(project.dir.join(PIPELINE)).unwrap();
        put(&project, PIPELINE, &pipeline.replace("write = [\"out\"]", "write = [\"./rows/\"]"));
        assert_eq!(found(&project), ["plugin.toml", "stage.py", "words/all.csv", "words/c.py"]);
    }

    #[test]
    fn any_file_of_the_project_may_be_one() {
        let folder = tempfile::tempdir().unwrap();
        for (language, files) in [
            (Language::Rust, ["src/words.txt", "rust-toolchain.toml", "build.rs"]),
            (Language::Python, ["words.json", "words/target/it.py", "requirements.txt"]),
            (Language::TypeScript, ["it.tsx", "it.mts", "words.txt"]),
            (Language::C, ["words.inc", "words.hh", "lib/it.c"]),
            (Language::Go, ["words.txt", "plugins/none/words.txt", "lib/plugins/it.go"]),
        ] {
            let at = folder.path().join(language.word());
            fs::create_dir(&at).unwrap();
            let project = project(&at, language);
            for name in files {
                put(&project, name, "");
            }
            let found = found(&project);
            for name in files.iter().filter(|name| !name.starts_with("plugins/")) {
                assert!(found.iter().any(|found| found == name), "{name}: {found:?}");
            }
            let is_none =
                |name: &String| name.ends_with(".md") || name.starts_with("plugins/") || name == "pipeline.toml";
            assert!(!found.iter().any(is_none), "{found:?}");
        }
    }

    #[test]
    fn tests_are_no_reason_to_build() {
        let folder = tempfile::tempdir().unwrap();
        for (language, test) in [
            (Language::Python, "test_stage.py"),
            (Language::TypeScript, "stage.test.ts"),
            (Language::C, "test_stage.c"),
            (Language::Go, "main_test.go"),
        ] {
            let at = folder.path().join(language.word());
            fs::create_dir(&at).unwrap();
            let project = project(&at, language);
            assert!(project.dir.join(test).is_file() && project.dir.join("tests/cases.toml").is_file());
            let found = found(&project);
            assert!(!found.iter().any(|name| name == test || name.starts_with("tests/")), "{found:?}");
        }
    }

    #[test]
    fn what_sources_name_elsewhere_counts() {
        let folder = tempfile::tempdir().unwrap();
        for (language, file, text, named) in [
            (Language::Rust, "src/lib.rs", "const A: &str = include_str!(\"../../shared/a.txt\");", "../shared/a.txt"),
            (Language::Rust, "Cargo.toml", "[build-dependencies]\na = { path = \"../shared\" }", "../shared/a.txt"),
            (Language::Rust, "src/lib.rs", "const A: &str = include_str!(\"../data/a.txt\");", "data/a.txt"),
            (Language::Rust, "src/lib.rs", "const A: &str = include_str!(\"../HELP.md\");", "HELP.md"),
            (Language::C, "stage.c", "#include \"../shared/a.h\"", "../shared/a.h"),
            (Language::C, "stage.c", "#include \"../shared/a.h\"", "../shared/b.h"),
            (Language::TypeScript, "stage.ts", "import { a } from \"../shared/it\";", "../shared/it.ts"),
            (Language::TypeScript, "stage.ts", "import { a } from '../shared/it.js';", "../shared/it.ts"),
            (Language::Go, "go.mod", "replace example.com/a => ../shared", "../shared/a.go"),
            (Language::Go, "main.go", "//go:embed data", "data/a.txt"),
            (Language::Go, "main.go", "//go:embed data/*.txt", "data/a.txt"),
            (Language::Python, "stage.py", "WORDS = open(HERE / 'data' / 'a.txt').read()", "data/a.txt"),
            (Language::Python, "stage.py", "WORDS = open(\"data/a.txt\").read()", "data/a.txt"),
        ] {
            let at = tempfile::tempdir_in(folder.path()).unwrap();
            let project = project(at.path(), language);
            for name in ["a.txt", "a.h", "b.h", "it.ts", "a.go", "a_test.go"] {
                put(&project, &format!("../shared/{name}"), if name == "a.h" { "#include \"b.h\"" } else { "" });
            }
            put(&project, "data/a.txt", "");
            put(&project, "HELP.md", "");
            let has = || found(&project).iter().any(|found| found == named);
            assert!(!has(), "{file} names nothing: {named}");
            append(&project, file, text);
            assert!(has(), "{file}, {text}: no {named} in {:?}", found(&project));
            assert!(
                !found(&project).iter().any(|found| found == "data/sample.csv")
                    || text.contains("embed")
                    || text.contains("'data'")
            );
        }
    }

    #[test]
    fn the_workspace_of_a_crate_counts() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), Language::Rust);
        put(&project, "../Cargo.toml", "[workspace]\nmembers = [\"stamp\"]\n");
        put(&project, "../Cargo.lock", "");
        let has = || found(&project).iter().any(|name| name == "../Cargo.lock");
        let own = fs::read_to_string(project.dir.join("Cargo.toml")).unwrap();
        put(&project, "Cargo.toml", &own.replace("[workspace]", ""));
        assert!(has(), "{:?}", found(&project));
        put(&project, "Cargo.toml", &format!("{own}\n[workspace]\n"));
        assert!(!has());
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_sources_and_end() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), Language::Python);
        put(&project, "../shared/it.py", "");
        symlink("../shared", project.dir.join("words")).unwrap();
        symlink(".", project.dir.join("round")).unwrap();
        symlink("nowhere", project.dir.join("gone.py")).unwrap();
        assert_eq!(found(&project), ["plugin.toml", "stage.py", "words/it.py"]);
    }

    #[test]
    fn too_many_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), Language::Python);
        let many = project.dir.join("rows");
        fs::create_dir(&many).unwrap();
        for at in 0..=FILES_MAX {
            fs::write(many.join(at.to_string()), "").unwrap();
        }
        let error = sources(&project).unwrap_err();
        assert!(error.message.contains("holds more than 10000 files") && error.help.is_some(), "{error:?}");
        fs::rename(&many, project.dir.join("data/rows")).unwrap();
        assert!(sources(&project).is_ok(), "samples are not looked at");
    }

    #[test]
    fn only_names_of_files_elsewhere_are_followed() {
        let text =
            "a/b ./c ../d \"../e f\" x..y ... ./ data data/g data/ all:data/h file:../i http://x/../j k.md \"/../l\"";
        let wanted = ["../d", "../e", "../i", "../l", "./c", "data/g", "data/h", "k.md"];
        let found = names(text, false);
        for name in wanted {
            assert!(found.contains(&name), "{name}: {found:?}");
        }
        assert!(!found.iter().any(|name| ["a/b", "...", "./", "data", "data/", "x..y"].contains(name)), "{found:?}");
        assert!(names(text, true).contains(&"x..y"));
    }
}
