//! The compile cache.

use super::{STAMPED, own_cache, pipeline, project, stamp, stamp_of};
use sluicebox_tests::{Ended, Project};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

/// Checks the pipeline with a cache of its own; `more` are variables.
fn check(project: &Project, more: &[(&str, &str)]) -> Ended {
    let mut command = project.command(&["check", "stamps.toml"]);
    own_cache(&mut command, project);
    command.envs(more.iter().copied()).env_remove("SLUICEBOX_PLUGINS").output().expect("the binary starts").into()
}

fn compiled(project: &Project) -> Vec<PathBuf> {
    let files = fs::read_dir(project.path().join("cache")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "cwasm")).collect()
}

/// A project in which only the plugin of the test has to be compiled.
fn bed() -> Project {
    let project = project();
    let only = "[pipeline]\nname = 'stamps'\n\n[[stage]]\nname = 'number'\nplugin = 'stamp'\ninputs = ['nowhere']\n";
    project.file("stamps.toml", only).file("plugins/stamp.wasm", stamp());
    project
}

#[test]
fn a_plugin_is_compiled_once() {
    let project = project();
    project.file("plugins/stamp.wasm", stamp());
    let two = pipeline("stamps").replace(
        "[[stage]]\nname = 'out'",
        "[[stage]]\nname = 'again'\nplugin = 'transform-select'\nconfig = { drop = ['stamp'] }\n\n\
         [[stage]]\nname = 'number-2'\nplugin = 'stamp'\nconfig = { start = 7 }\n\n[[stage]]\nname = 'out'",
    );
    let run = |file: &str| {
        let mut command = project.command(&["run", file]);
        let cache = project.path().join("cache");
        // What others have compiled already need not be compiled again.
        command.env("SLUICEBOX_CACHE", cache);
        Ended::from(command.output().expect("the binary starts")).with_code(0)
    };
    project.file("two.toml", two.replace("'stamps'", "'two'"));
    let first = run("stamps.toml");
    assert_eq!(first.stderr.matches("compiling stamp (56.6 kB), this happens once").count(), 1, "{}", first.stderr);
    let second = run("two.toml");
    assert!(!second.stderr.contains("compiling stamp"), "{}", second.stderr);
    assert_eq!(project.read("out/stamps.csv"), STAMPED);
}

#[test]
fn the_cache_is_bounded() {
    let project = bed();
    let small = [("SLUICEBOX_CACHE_MAX", "1KiB")];
    check(&project, &small).with_code(2);
    let first = compiled(&project);
    assert_eq!(first.len(), 1, "what was just made stays");
    project.file("plugins/stamp.wasm", stamp_of("4.2.0"));
    check(&project, &small).with_code(2);
    let second = compiled(&project);
    assert!(second.len() == 1 && first != second, "{first:?} {second:?}");

    // By age, of what was used longest ago; it is looked through now and then.
    let long_ago = SystemTime::now() - Duration::from_secs(40 * 24 * 3600);
    for file in fs::read_dir(project.path().join("cache")).unwrap() {
        fs::File::open(file.unwrap().path()).unwrap().set_modified(long_ago).unwrap();
    }
    let again = check(&project, &[]).with_code(2);
    assert!(again.stderr.contains("compiling stamp"), "{}", again.stderr);
    assert_eq!(compiled(&project).len(), 1);
    let wrong = check(&project, &[("SLUICEBOX_CACHE_MAX", "lots")]).with_code(2);
    assert!(wrong.stderr.contains("SLUICEBOX_CACHE_MAX cannot be understood"), "{}", wrong.stderr);
}

#[test]
fn processes_that_compile_the_same_do_no_harm() {
    let project = bed();
    let mut children = Vec::new();
    for _ in 0..4 {
        let mut command = project.command(&["plugins", "show", "stamp"]);
        own_cache(&mut command, &project);
        children.push(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts"));
    }
    for child in children {
        let ended = Ended::from(child.wait_with_output().expect("it ends")).with_code(0);
        assert!(ended.stdout.starts_with("stamp 4.1.0 - Numbers rows"), "{}", ended.stdout);
    }
    assert_eq!(compiled(&project).len(), 1);
    let left: Vec<PathBuf> = fs::read_dir(project.path().join("cache"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "part" || ending == "lock"))
        .collect();
    assert!(left.len() <= 1, "{left:?}");
    let after = check(&project, &[]);
    assert!(!after.stderr.contains("compiling"), "{}", after.stderr);
}
