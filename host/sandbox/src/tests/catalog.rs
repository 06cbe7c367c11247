//! Finding plugins, and what is kept of them.

use super::guests::Bed;
use super::wat_guest::{Says, component};
use crate::{Catalog, Sandbox, SandboxError, SandboxOptions, StageSetup};
use sluicebox_model::plugin::{Capability, Kind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn write(folder: &Path, file: &str, says: &Says<'_>) {
    std::fs::write(folder.join(file), component(says)).unwrap();
}

fn scan(sandbox: &Sandbox, folders: &[&Path]) -> Catalog {
    Catalog::scan(sandbox, &folders.iter().map(|folder| (*folder).to_owned()).collect::<Vec<_>>())
}

fn reason(says: Says<'_>) -> String {
    let bed = Bed::new();
    write(bed.plugins.path(), "it.wasm", &says);
    let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
    assert_eq!(catalog.plugins().count(), 0);
    catalog.refused()[0].reason.clone()
}

#[test]
fn a_plugin_is_described_without_being_trusted() {
    let bed = Bed::new();
    write(bed.plugins.path(), "it.wasm", &Says::default());
    let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
    assert_eq!(catalog.refused(), []);
    let plugin = catalog.get("test-guest").unwrap();
    assert_eq!((plugin.description.kind, plugin.description.version.as_str()), (Kind::Transform, "1.2.3"));
    assert_eq!(plugin.description.summary, "a test\\u{1b}[31m");
    assert!(plugin.description.stateless && !plugin.description.splittable);
    assert_eq!(plugin.digest.0.len(), 64);
    assert!(plugin.imports.iter().any(|import| import == "sluicebox:stage/report@0.1.0"), "{:?}", plugin.imports);
    assert_eq!(plugin.may_use(), Vec::<Capability>::new());
}

#[test]
fn what_is_no_plugin_is_refused_with_a_reason() {
    let bed = Bed::new();
    let put = |file: &str, bytes: &[u8]| std::fs::write(bed.plugins.path().join(file), bytes).unwrap();
    put("empty.wasm", b"");
    put("module.wasm", &wat::parse_str("(module)").unwrap());
    put("none.wasm", &wat::parse_str("(component)").unwrap());
    put("text.wasm", b"hello");
    put("broken.wasm", &component(&Says::default())[..500]);
    put("other.txt", b"not looked at");
    std::fs::create_dir(bed.plugins.path().join("folder.wasm")).unwrap();
    write(bed.plugins.path(), "good.wasm", &Says::default());
    for _ in 0..2 {
        let catalog = scan(&bed.sandbox, &[bed.plugins.path(), Path::new("/nowhere/at/all")]);
        let reason = |file: &str| {
            let refused = catalog.refused().iter().find(|refused| refused.path.ends_with(file));
            refused.unwrap_or_else(|| panic!("{file} was taken")).reason.clone()
        };
        assert_eq!(reason("empty.wasm"), "the file is empty; copy or build it again");
        assert!(
            reason("text.wasm").starts_with("it is not WebAssembly but some other file"),
            "{}",
            reason("text.wasm")
        );
        assert!(reason("module.wasm").contains("a core WebAssembly module, not a component; build it for"));
        assert!(reason("none.wasm").starts_with("it exports none of `sluicebox:stage/extractor`"));
        assert!(reason("broken.wasm").contains("the file is damaged or was cut off"), "{}", reason("broken.wasm"));
        assert_eq!(reason("folder.wasm"), "it is no file");
        assert_eq!(catalog.refused().len(), 6, "{:?}", catalog.refused());
        assert!(catalog.get("test-guest").is_some(), "one bad file does not fail the others");
    }
}

#[test]
fn a_wrong_description_is_refused_with_a_reason() {
    assert!(
        reason(Says { name: "Test Guest", ..Says::default() }).contains("is not lower-case words joined by hyphens")
    );
    assert!(reason(Says { version: "1.2", ..Says::default() }).contains("is not semver"));
    assert!(reason(Says { schema: "{", ..Says::default() }).contains("config-schema is not JSON"));
    assert!(reason(Says { schema: "[]", ..Says::default() }).contains("not a JSON object"));
    assert!(reason(Says { kind: 3, ..Says::default() }).contains("it says that it is of kind load"));
    assert!(
        reason(Says { first: "unreachable", ..Says::default() })
            .contains("it cannot describe itself: trap in `describe`")
    );
}

#[test]
fn a_plugin_that_hangs_costs_its_time_once() {
    let bed = Bed::new();
    write(bed.plugins.path(), "it.wasm", &Says { first: "(loop $for_ever (br $for_ever))", ..Says::default() });
    let start = Instant::now();
    for _ in 0..3 {
        let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
        assert!(catalog.refused()[0].reason.starts_with("it cannot describe itself: timeout in `describe`"));
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_name_belongs_to_the_file_that_is_named_so_else_to_the_first() {
    let (bed, second) = (Bed::new(), TempDir::new().unwrap());
    write(bed.plugins.path(), "b.wasm", &Says::default());
    write(second.path(), "a.wasm", &Says { version: "2.0.0", ..Says::default() });
    let folders = [bed.plugins.path(), second.path()];
    let version = |catalog: &Catalog| catalog.get("test-guest").unwrap().description.version.clone();
    let catalog = scan(&bed.sandbox, &folders);
    assert_eq!(version(&catalog), "1.2.3");
    let refused = &catalog.refused()[0];
    assert!(refused.path.ends_with("a.wasm"));
    assert!(refused.reason.starts_with("its name, `test-guest`, is taken by "), "{}", refused.reason);
    write(second.path(), "test_guest.wasm", &Says { version: "3.0.0", ..Says::default() });
    // Whether all files were looked at before or not, the answer is the same.
    let (one, all) = (scan(&bed.sandbox, &folders), scan(&bed.sandbox, &folders));
    assert_eq!(version(&one), "3.0.0");
    assert_eq!(all.plugins().count(), 1);
    assert_eq!(version(&all), "3.0.0");
    assert_eq!(all.refused().len(), 2);
}

#[test]
fn only_what_is_asked_for_is_compiled() {
    let bed = Bed::new();
    let compiled = counted(&bed.sandbox);
    write(bed.plugins.path(), "test_guest.wasm", &Says::default());
    write(bed.plugins.path(), "other.wasm", &Says { name: "other", ..Says::default() });
    let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
    assert_eq!(compiled.load(Ordering::SeqCst), 0);
    assert!(catalog.get("test-guest").is_some());
    assert_eq!(compiled.load(Ordering::SeqCst), 1);
    assert!(catalog.get("no-such").is_none());
    assert_eq!(compiled.load(Ordering::SeqCst), 2);
}

fn counted(sandbox: &Sandbox) -> Arc<AtomicUsize> {
    let compiled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&compiled);
    sandbox.on_compile(move |compile| {
        if compile.took.is_none() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    compiled
}

fn setup(root: &Path) -> StageSetup {
    StageSetup {
        name: "it".into(),
        config: "P".into(),
        grants: Default::default(),
        limits: Default::default(),
        network: Default::default(),
        root: root.to_owned(),
    }
}

#[test]
fn what_was_compiled_is_not_compiled_again() {
    let (cache, plugins) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let fresh = || Sandbox::new(SandboxOptions { cache_dir: cache.path().join("cache") }).unwrap();
    write(plugins.path(), "it.wasm", &Says::default());
    let stage = |sandbox: &Sandbox| {
        let catalog = scan(sandbox, &[plugins.path()]);
        sandbox.stage(catalog.get("test-guest").unwrap(), setup(plugins.path())).unwrap();
    };
    let first = fresh();
    let compiled = counted(&first);
    stage(&first);
    stage(&first);
    assert_eq!(compiled.load(Ordering::SeqCst), 1);
    let second = fresh();
    let compiled = counted(&second);
    stage(&second);
    assert_eq!(compiled.load(Ordering::SeqCst), 0, "the cache has it");
    // Whatever happens to the compiled file, it is not run.
    for change in
        [|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2), |bytes: &mut Vec<u8>| bytes[5000] ^= 1, Vec::clear]
    {
        for entry in std::fs::read_dir(cache.path().join("cache")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "cwasm") {
                let mut bytes = std::fs::read(&path).unwrap();
                change(&mut bytes);
                std::fs::remove_file(&path).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
        }
        let sandbox = fresh();
        let compiled = counted(&sandbox);
        stage(&sandbox);
        assert_eq!(compiled.load(Ordering::SeqCst), 1, "a file that was changed is compiled anew");
    }
}

#[test]
fn a_file_that_changed_since_the_scan_is_not_run() {
    let bed = Bed::new();
    write(bed.plugins.path(), "it.wasm", &Says::default());
    let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
    let plugin = catalog.get("test-guest").unwrap();
    write(bed.plugins.path(), "it.wasm", &Says { version: "6.6.6", ..Says::default() });
    let error = bed.sandbox.stage(plugin, setup(bed.plugins.path())).err().unwrap();
    assert!(matches!(error, SandboxError::Changed { .. }), "{error}");
    // A new scan sees the new file.
    let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
    assert_eq!(catalog.get("test-guest").unwrap().description.version, "6.6.6");
    assert_eq!(catalog.refused_before(catalog.get("test-guest").unwrap()), None);
    let mut small = setup(bed.plugins.path());
    small.limits.component_bytes_max = 100;
    let error = bed.sandbox.stage(catalog.get("test-guest").unwrap(), small).err().unwrap();
    assert!(error.to_string().contains("`limits.component` allows"), "{error}");
}

/// A component of so many bytes: what is added says nothing.
fn padded(mut component: Vec<u8>, bytes: usize) -> Vec<u8> {
    let leb = |mut rest: usize| {
        let mut leb = Vec::new();
        for _ in 0..5 {
            leb.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        *leb.last_mut().unwrap() &= 0x7f;
        leb
    };
    let content = bytes - component.len() - 6;
    component.push(0);
    component.extend(leb(content));
    component.extend(*b"\x03pad");
    component.resize(bytes, 0);
    component
}

/// A plugin is found whatever its size, up to what any may have; a stage takes what its own limit allows.
#[test]
fn a_large_component_needs_its_key() {
    let bed = Bed::new();
    let large = padded(component(&Says::default()), 65 << 20);
    std::fs::write(bed.plugins.path().join("it.wasm"), large).unwrap();
    let catalog = scan(&bed.sandbox, &[bed.plugins.path()]);
    let plugin = catalog.get("test-guest").unwrap();
    let error = bed.sandbox.stage(plugin, setup(bed.plugins.path())).err().unwrap().to_string();
    assert!(
        error.contains("68157440 bytes, more than the 67108864 that `limits.component` allows; raise it"),
        "{error}"
    );
    let mut raised = setup(bed.plugins.path());
    raised.limits.component_bytes_max = 100 << 20;
    assert!(bed.sandbox.stage(plugin, raised).is_ok());
}

#[test]
fn a_file_that_is_passed_over_is_known() {
    let (bed, other) = (Bed::new(), TempDir::new().unwrap());
    std::fs::write(bed.plugins.path().join("test-guest.wasm"), b"").unwrap();
    write(other.path(), "test-guest.wasm", &Says::default());
    let catalog = scan(&bed.sandbox, &[bed.plugins.path(), other.path()]);
    let plugin = catalog.get("test-guest").unwrap();
    assert!(plugin.path.starts_with(other.path()));
    let refused = catalog.refused_before(plugin).unwrap();
    assert_eq!(refused.path, bed.plugins.path().join("test-guest.wasm"));
    assert!(refused.reason.starts_with("the file is empty"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn the_cache_is_ours_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let cache = TempDir::new().unwrap();
    let folder = cache.path().join("cache");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    std::fs::write(folder.join("planted.cwasm"), b"code").unwrap();
    Sandbox::new(SandboxOptions { cache_dir: folder.clone() }).unwrap();
    assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    assert!(!folder.join("planted.cwasm").exists());
}
