//! Real plugins and the hostile ones of `tests/`, driven one call at a time, with what each costs. By hand:
//!
//! ```text
//! SLUICEBOX_GUESTS=<folder of .wasm files> cargo test -p sluicebox-sandbox built -- --ignored --nocapture
//! ```

use super::guests::context;
use super::random::{Rng, batch};
use crate::{Catalog, Sandbox, SandboxOptions, StageSetup};
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::stage::{Input, Stage, Transformer};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn guests() -> PathBuf {
    std::env::var_os("SLUICEBOX_GUESTS").expect("SLUICEBOX_GUESTS names a folder of built plugins").into()
}

fn took<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    println!("{:>12.3?}  {what}", start.elapsed());
    done
}

fn stage(sandbox: &Sandbox, catalog: &Catalog, plugin: &str, config: &str, limits: Limits) -> Arc<dyn Stage> {
    let plugin = catalog.get(plugin).unwrap_or_else(|| panic!("no {plugin}: {:?}", catalog.refused()));
    let setup = StageSetup {
        name: "it".into(),
        config: config.into(),
        grants: Default::default(),
        limits,
        network: Default::default(),
        root: ".".into(),
    };
    sandbox.stage(plugin, setup).unwrap()
}

fn opened(stage: &dyn Stage, batch: &RecordBatch) -> Result<Box<dyn Transformer>, sluicebox_model::fault::Fault> {
    let mut guest = stage.transformer(&context(), &Cancel::new())?;
    guest.open(&[Input { name: "above".into(), schema: batch.schema() }])?;
    Ok(guest)
}

#[test]
#[ignore = "needs built plugins; see above"]
fn start_up_and_calls() {
    let cache = TempDir::new().unwrap();
    let fresh = || Sandbox::new(SandboxOptions { cache_dir: cache.path().join("cache") }).unwrap();
    let folders = [guests()];
    let sandbox = took("sandbox", fresh);
    sandbox.on_compile(|compile| {
        if let Some(took) = compile.took {
            println!("{took:>12.3?}    compile {} ({} KB)", compile.plugin, compile.size_bytes / 1024);
        }
    });
    took("scan, nothing cached", || Catalog::scan(&sandbox, &folders).plugins().count());
    let sandbox = took("another sandbox", fresh);
    let catalog = took("scan, all cached", || {
        let catalog = Catalog::scan(&sandbox, &folders);
        catalog.plugins().count();
        catalog
    });
    let catalog_names: Vec<&str> = catalog.plugins().map(|plugin| plugin.description.name.as_str()).collect();
    println!("{catalog_names:?}\n{:?}", catalog.refused());
    let types = [DataType::Int64, DataType::Utf8, DataType::Float64];
    let rows = batch(&mut Rng::new(1), &types, 65_536);
    for plugin in catalog_names {
        took(&format!("stage {plugin}, from the cache"), || stage(&sandbox, &catalog, plugin, "{}", Limits::default()));
    }
    let passes =
        took("stage evil, at hand", || stage(&sandbox, &catalog, "evil", r#"{"mode":"pass"}"#, Limits::default()));
    let mut guest = took("instantiate and open", || opened(passes.as_ref(), &rows).unwrap());
    for _ in 0..3 {
        took("instantiate only", || passes.transformer(&context(), &Cancel::new()).unwrap());
    }
    took("1000 x pass a batch on", || {
        for _ in 0..1000 {
            guest.process(0, rows.clone()).unwrap();
        }
    });
    let config = r#"{"filter":"c0 > 0","columns":{"twice":"c2 * 2","up":"upper(c1)"}}"#;
    let select = stage(&sandbox, &catalog, "transform-select", config, Limits::default());
    let mut guest = opened(select.as_ref(), &rows).unwrap();
    guest.process(0, rows.clone()).unwrap();
    took("100 x filter, derive, upper (65,536 rows)", || {
        for _ in 0..100 {
            guest.process(0, rows.clone()).unwrap();
        }
    });
    println!("{:?}", guest.usage());
}

#[test]
#[ignore = "needs built plugins; see above"]
fn every_bad_thing() {
    let cache = TempDir::new().unwrap();
    let sandbox = Sandbox::new(SandboxOptions { cache_dir: cache.path().join("cache") }).unwrap();
    let catalog = Catalog::scan(&sandbox, &[guests()]);
    let schema = &catalog.get("evil").unwrap().description.config_schema;
    let mut modes: Vec<String> = schema
        .pointer("/$defs/Mode/oneOf")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|mode| mode["const"].as_str().unwrap().to_owned())
        .collect();
    modes.retain(|mode| mode != "never-finishes" && mode != "panic-on");
    let types = [DataType::Int64, DataType::Utf8, DataType::Boolean, DataType::Float64];
    let rows = batch(&mut Rng::new(7), &types, 100);
    let limits = Limits { call_max: Duration::from_millis(700), memory_bytes_max: 32 << 20, ..Limits::default() };
    for mode in modes {
        let config = format!(r#"{{"mode":"{mode}","path":"/etc/passwd"}}"#);
        let stage = stage(&sandbox, &catalog, "evil", &config, limits.clone());
        let start = Instant::now();
        let (ended, report, usage) = match opened(stage.as_ref(), &rows) {
            Err(fault) => (Err(fault), None, None),
            Ok(mut guest) => {
                let ended = guest.process(0, rows.clone()).map(|_| ()).and_then(|()| guest.finish().map(|_| ()));
                (ended, Some(guest.take_report()), Some(guest.usage()))
            }
        };
        println!("== {mode} ({:.0?})", start.elapsed());
        if let Err(fault) = ended {
            let cut = |text: &str| text.chars().take(300).collect::<String>();
            println!("   {}\n   help: {:?}", cut(&fault.to_string()), fault.help);
            if mode == "panic" || mode == "loop" {
                println!("{}", fault.backtrace.unwrap_or_default());
            }
        }
        if let Some(report) = report {
            let log = report.log.iter().take(2).map(|line| line.message.chars().take(120).collect::<String>());
            println!("   log {} {:?}", report.log.len(), log.collect::<Vec<_>>());
            println!("   counts {} bad {} {:?}", report.counts.len(), report.bad_records.len(), usage);
        }
    }
}

#[test]
#[ignore = "needs built plugins; see above"]
fn what_a_guest_can_reach() {
    let (cache, root, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let sandbox = Sandbox::new(SandboxOptions { cache_dir: cache.path().join("cache") }).unwrap();
    let catalog = Catalog::scan(&sandbox, &[guests()]);
    std::fs::create_dir(root.path().join("in")).unwrap();
    std::fs::write(root.path().join("in/a.txt"), "hello").unwrap();
    std::fs::write(root.path().join("secret.txt"), "secret").unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path(), root.path().join("in/link")).unwrap();
    let rows = batch(&mut Rng::new(7), &[DataType::Int64], 3);
    let tried = |mode: &str, path: &str| {
        let grants = Grants { read: vec!["in".into()], write: vec!["out".into()], ..Grants::default() };
        let config = format!(r#"{{"mode":"{mode}","path":"{path}"}}"#);
        let (root, limits) = (root.path().to_owned(), Limits::default());
        let setup = StageSetup { name: "it".into(), config, grants, limits, network: Default::default(), root };
        let stage = sandbox.stage(catalog.get("evil").unwrap(), setup).unwrap();
        let ended = opened(stage.as_ref(), &rows).unwrap().process(0, rows.clone());
        println!("{mode} {path}: {:?}", ended.as_ref().map(|_| ()).map_err(|fault| fault.to_string()));
        ended.is_ok()
    };
    assert!(tried("read-file", "in/a.txt"));
    assert!(tried("read-file", "./in/a.txt"));
    assert!(tried("write-file", "out/b.txt"));
    assert!(root.path().join("out/b.txt").exists());
    assert!(tried("read-file", "out/b.txt"));
    assert!(!tried("write-file", "in/a.txt"), "a folder to read is not written");
    assert!(!tried("write-file", "in/new.txt"));
    assert!(!tried("read-file", "secret.txt"));
    assert!(!tried("read-file", "in/../secret.txt"));
    assert!(!tried("read-file", "/etc/passwd"));
    assert!(!tried("read-file", "in/link/secret.txt"), "a link does not lead out");
    assert!(!tried("write-file", "out/../secret.txt"));
    assert_eq!(std::fs::read_to_string(root.path().join("secret.txt")).unwrap(), "secret");
}
