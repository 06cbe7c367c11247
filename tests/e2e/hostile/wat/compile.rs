//! What is hard on the compiler. It compiles in a process of its own, which is bounded in processor time and in memory by
//! the size of the component.

use super::{GOOD, Guest, is_refused, pipeline_of, project};
use crate::hostile::{rows_loaded, succeeds};
use std::fs::File;
use std::io::Write;
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
    assert!(line.contains("200000000 bytes, more than the 67108864 that `limits.component` allows"), "{line}");
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

/// Whoever waits for another plugin does not wait for this one.
#[test]
fn a_component_that_takes_for_ever_to_compile() {
    let fields = bomb(20_000, 20_000);
    let guest = Guest { fields: &fields, ..GOOD };
    let component = guest.component();
    let project = pipeline_of(&component, "");
    let start = Instant::now();
    let checking = project
        .command(&["check", "pipeline.toml"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let good = crate::hostile::project(&format!("{}{}", crate::hostile::READ, crate::hostile::OUT));
    succeeds(&good);
    let good_took = start.elapsed();
    let checked: sluicebox_tests::Ended = checking.wait_with_output().unwrap().into();
    let checked = checked.with_code(2);
    eprintln!("{} bytes: {}{} in {:?}", component.len(), checked.stdout, checked.stderr, start.elapsed());
    assert!(checked.stderr.contains("compiling it took"), "{}", checked.stderr);
    assert!(good_took < Duration::from_secs(10), "{good_took:?}");
    is_refused(&component, &["compiling it took"]);
}
