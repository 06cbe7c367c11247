//! What is hard on the compiler. It compiles in a process of its own, which is bounded in processor time and in memory by
//! the size of the component.

use super::{GOOD, Guest, is_refused, pipeline_of, project};
use crate::hostile::{rows_loaded, succeeds};
use crate::neighbours::{conduct, host_with};
use sluicebox_model::run::RunState;
use sluicebox_tests::Project;
use std::fs::File;
use std::io::Write;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// It is not even read.
#[test]
fn a_component_of_200_mb() {
    let project = project("");
    std::fs::create_dir(project.path().join("plugins")).unwrap();
    let mut file = File::create(project.path().join("plugins/large.wasm")).unwrap();
    file.write_all(b"\0asm\x0d\0\x01\0").unwrap();
    file.set_len(200_000_000).unwrap();
    let listed = project.sluicebox(&["plugins", "list"]).with_code(0);
    let all = listed.stdout + &listed.stderr;
    let line = all.lines().find(|line| line.contains("large.wasm: ")).unwrap_or_else(|| panic!("{all}"));
    assert!(line.contains("it has 200000000 bytes; a component has at most 134217728"), "{line}");
}

#[test]
fn a_hundred_thousand_functions() {
    let fields = "(func) ".repeat(100_000);
    let guest = Guest { fields: &fields, ..GOOD };
    let project = pipeline_of(&guest.component(), "");
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
}

/// The bytes of a component that holds a component that holds ..., so deep.
fn nested(levels: usize) -> Vec<u8> {
    let mut inner = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..levels {
        let mut outer = b"\0asm\x0d\0\x01\0".to_vec();
        outer.extend(section(&inner));
        inner = outer;
    }
    section(&inner)
}

/// A section that holds a component.
fn section(component: &[u8]) -> Vec<u8> {
    let mut section = vec![4];
    let mut rest = component.len();
    loop {
        let byte = (rest & 0x7f) as u8;
        rest >>= 7;
        section.push(if rest == 0 { byte } else { byte | 0x80 });
        if rest == 0 {
            break;
        }
    }
    section.extend(component);
    section
}

#[test]
fn components_nested_a_thousand_deep() {
    let mut component = GOOD.component();
    component.extend(nested(1_000));
    let project = pipeline_of(&component, "");
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
}

/// A function of nested loops in which every loop may see another value of every local: what the compiler keeps for it
/// grows with the product.
fn bomb(loops: usize, locals: usize) -> String {
    let adds = |local| format!("local.get {local} i32.const 1 i32.add local.set {local} ");
    let adds: String = (0..locals).map(adds).collect();
    let (opened, closed) = ("loop local.get 0 br_if 0 ".repeat(loops), "end ".repeat(loops));
    format!("(func (param i32) (local{}) {opened}{adds}{closed})", " i32".repeat(locals - 1))
}

/// Compiling it is refused, with these words, and is not tried again.
#[track_caller]
fn is_not_compiled(fields: &str, said: &[&str]) {
    let component = Guest { fields, ..GOOD }.component();
    let project = pipeline_of(&component, "");
    let begun = Instant::now();
    let checked = project.sluicebox(&["check", "pipeline.toml", "--format", "json"]).with_code(2);
    println!("{} bytes in {:?}: {}", component.len(), begun.elapsed(), checked.stdout);
    let problem = &checked.json()["problems"][0];
    let told = problem["message"].as_str().unwrap();
    for word in ["plugin `wat-guest` cannot be used", "no plugin of its size comes near to"].iter().chain(said) {
        assert!(told.contains(*word), "`{word}` is not said: {told}");
    }
    let begun = Instant::now();
    is_refused(&component, said);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn a_component_that_takes_all_memory_to_compile() {
    is_not_compiled(&bomb(20_000, 20_000), &["compiling it took more than ", "GiB of memory"]);
}

/// Each function is compiled in some seconds and in memory that is there; there are many.
fn slow_bomb(functions: usize) -> String {
    bomb(1_000, 1_000).repeat(functions)
}

#[test]
fn a_component_that_takes_for_ever_to_compile() {
    is_not_compiled(&slow_bomb(16), &["compiling it took longer than ", "s of a processor"]);
}

/// Within one process: whoever needs another plugin goes on.
#[test]
fn a_run_goes_on_while_another_plugin_is_compiled_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let component = Guest { fields: &slow_bomb(17), ..GOOD }.component();
    std::fs::write(folder.path().join("wat-guest.wasm"), component).unwrap();
    let host = host_with(vec![folder.path().to_owned()]);
    let (begins, begun) = channel();
    host.sandbox.on_compile(move |compile| {
        if compile.plugin == "wat-guest" && compile.took.is_none() {
            begins.send(()).unwrap();
        }
    });
    std::thread::scope(|scope| {
        let compiling = scope.spawn(|| host.catalog.get("wat-guest").is_none());
        begun.recv().unwrap();
        let run = conduct(&host, &Project::flights(), "flights.toml");
        assert_eq!((run.state, &run.fault), (RunState::Succeeded, &None));
        assert!(!compiling.is_finished(), "it was compiled, or refused, too soon to be in anybody's way");
        assert!(compiling.join().unwrap(), "it is refused");
    });
    let refused = &host.catalog.refused()[0];
    assert!(refused.reason.starts_with("compiling it took "), "{refused:?}");
}
