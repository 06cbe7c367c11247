//! Guests made up at random that fit one of the contract's worlds.

use crate::input::Input;
use arbitrary::Unstructured;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use wasm_smith::Config;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// The worlds of the contract.
pub const WORLDS: [&str; 5] =
    ["extract-stage", "split-extract-stage", "transform-stage", "validate-stage", "load-stage"];

/// What wasm-smith may use: what the host's engine takes, and little of it.
pub fn small() -> Config {
    Config {
        max_instructions: 200,
        max_funcs: 12,
        max_memories: 1,
        max_tables: 1,
        max_table_elements: 1000,
        max_data_segments: 8,
        max_components: 3,
        max_modules: 3,
        max_nesting_depth: 4,
        gc_enabled: false,
        exceptions_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        ..Config::default()
    }
}

struct World {
    resolve: Resolve,
    id: WorldId,
    /// A module with the imports and exports of the world, that does nothing.
    dummy: Vec<u8>,
    shape: Shape,
}

/// The imports and exports of a world's module, as WebAssembly text has them.
#[derive(Default)]
struct Shape {
    imports: Vec<(String, Vec<String>, Vec<String>)>,
    exports: Vec<(String, Vec<String>, Vec<String>)>,
}

fn world(name: &str) -> &'static World {
    static ALL: OnceLock<Vec<World>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        // As cargo says it now: clones that share a target folder share this program.
        let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let folder = Path::new(&here).join("../wit");
        let made = |world: &str| {
            let mut resolve = Resolve::new();
            let (package, _) = resolve.push_path(&folder).unwrap();
            let id = resolve.select_world(&[package], Some(world)).unwrap();
            let dummy = dummy_module(&resolve, id, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
            let shape = shape(&dummy);
            World { resolve, id, dummy, shape }
        };
        WORLDS.iter().map(|world| made(world)).collect()
    });
    let at = WORLDS.iter().position(|world| *world == name).unwrap();
    &all[at]
}

/// Makes a component of a module of the world; none if it does not fit.
fn component(world: &World, mut module: Vec<u8>) -> Option<Vec<u8>> {
    embed_component_metadata(&mut module, &world.resolve, world.id, StringEncoding::UTF8).ok()?;
    ComponentEncoder::default().validate(true).module(&module).ok()?.encode().ok()
}

/// A guest whose functions do anything that WebAssembly can.
pub fn smith(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let world = world(name);
    let mut random = Unstructured::new(bytes);
    let config = Config { module_shape: Some(world.dummy.clone()), ..small() };
    let module = wasm_smith::Module::new(config, &mut random).ok()?;
    component(world, module.to_bytes())
}

/// Where a guest's answers lie, and what it hands to the host.
const AREA: u32 = 1024;
const AREA_BYTES: u32 = 2048;

/// A guest whose functions write into a small area of its memory, call the host with what is there, and answer with it.
/// An area of zeros is an answer that says yes and nothing else.
pub fn caller(name: &str, input: &mut Input<'_>) -> Vec<u8> {
    let world = world(name);
    let mut text = String::from("(module\n");
    let types = |of: &str, types: &[String]| match types {
        [] => String::new(),
        types => format!(" ({of} {})", types.join(" ")),
    };
    for (at, (place, params, results)) in world.shape.imports.iter().enumerate() {
        let _ = writeln!(text, "(import {place} (func $i{at}{}{}))", types("param", params), types("result", results));
    }
    text.push_str("(memory (export \"memory\") 1)\n(global $top (mut i32) (i32.const 8192))\n");
    let data: String = input.bytes(128).iter().map(|byte| format!("\\{byte:02x}")).collect();
    let _ = writeln!(
        text,
        "(data (i32.const 512) \"abnct utf8 10,2\\00\\01\\02\")\n(data (i32.const {}) \"{data}\")",
        AREA + 1024
    );
    for (name, params, results) in &world.shape.exports {
        let body = if name == "cabi_realloc" {
            REALLOC.to_owned()
        } else {
            body(&world.shape.imports, params, results, input)
        };
        let _ =
            writeln!(text, "(func (export \"{name}\"){}{}\n{body})", types("param", params), types("result", results));
    }
    text.push(')');
    let module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    component(world, module).expect("a guest that fits its world")
}

const REALLOC: &str = "
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
  (global.set $top (i32.add (local.get $at) (local.get 3)))
  (block $fits (loop $more
    (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
    (br_if $fits (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
    (br $more)))
  (local.get $at)";

fn place(input: &mut Input<'_>) -> u32 {
    AREA + u32::from(input.byte()) * 4 % AREA_BYTES
}

/// An expression of the type, mostly of what makes sense somewhere.
fn value(of: &str, params: &[String], input: &mut Input<'_>) -> String {
    match of {
        "i64" => format!("(i64.const {})", input.long().cast_signed()),
        "f32" => format!("(f32.reinterpret_i32 (i32.const {}))", input.word().cast_signed()),
        "f64" => format!("(f64.reinterpret_i64 (i64.const {}))", input.long().cast_signed()),
        _ => match input.below(8) {
            0 | 1 => format!("(i32.const {})", input.byte() % 8),
            2 | 3 => format!("(i32.const {})", place(input)),
            4 | 5 => format!("(i32.load (i32.const {}))", place(input)),
            6 => {
                let numbers: Vec<usize> = (0..params.len()).filter(|at| params[*at] == "i32").collect();
                match numbers.as_slice() {
                    [] => "(i32.const 0)".to_owned(),
                    numbers => format!("(local.get {})", numbers[input.below(numbers.len())]),
                }
            }
            _ => format!("(i32.const {})", input.word().cast_signed()),
        },
    }
}

fn body(
    imports: &[(String, Vec<String>, Vec<String>)],
    params: &[String],
    results: &[String],
    input: &mut Input<'_>,
) -> String {
    let mut body = String::new();
    for _ in 0..input.below(12) {
        let _ = match input.below(10) {
            0..=2 => writeln!(body, "(i32.store (i32.const {}) {})", place(input), value("i32", params, input)),
            3 => writeln!(body, "(i32.store8 (i32.const {}) {})", place(input), value("i32", params, input)),
            4 => {
                // Right for a call that is given a batch last and answers with a list of batches.
                let last = params.iter().rposition(|of| of == "i32").unwrap_or(0);
                let given = if params.is_empty() { "(i32.const 1)".to_owned() } else { format!("(local.get {last})") };
                let (list, count) = (AREA + 256, input.byte() % 4);
                writeln!(
                    body,
                    "(i32.store (i32.const {}) (i32.const {list}))(i32.store (i32.const {}) (i32.const {count}))\
                     (i32.store (i32.const {list}) {given})",
                    AREA + 4,
                    AREA + 8
                )
            }
            5 if input.one_in(40) => writeln!(body, "(loop $for_ever (br $for_ever))"),
            5 if input.one_in(10) => writeln!(body, "(drop (memory.grow {}))", value("i32", params, input)),
            5 if input.one_in(30) => writeln!(body, "(if {} (then unreachable))", value("i32", params, input)),
            _ => {
                let at = input.below(imports.len());
                let (_, of, results) = &imports[at];
                let given: Vec<String> = of.iter().map(|of| value(of, params, input)).collect();
                let call = format!("(call $i{at} {})", given.join(" "));
                let times = if input.one_in(20) { u32::from(input.byte()) * 20 } else { 1 };
                let call = match results.as_slice() {
                    [] => call,
                    [result] if result == "i32" => format!("(i32.store (i32.const {}) {call})", place(input)),
                    _ => format!("(drop {call})"),
                };
                match times {
                    1 => writeln!(body, "{call}"),
                    times => {
                        // Counts in memory, so that the guest itself may spoil the count.
                        let count = AREA + AREA_BYTES;
                        writeln!(
                            body,
                            "(i32.store (i32.const {count}) (i32.const {times}))(loop $again {call}\
                             (i32.store (i32.const {count}) (i32.sub (i32.load (i32.const {count})) (i32.const 1)))\
                             (br_if $again (i32.load (i32.const {count}))))"
                        )
                    }
                }
            }
        };
    }
    match results {
        [] => {}
        [result] if result == "i32" && !input.one_in(12) => {
            let _ = write!(body, "(i32.const {AREA})");
        }
        results => results.iter().for_each(|of| body.push_str(&value(of, params, input))),
    }
    body
}

/// The functions of a module, read out of its text.
fn shape(module: &[u8]) -> Shape {
    use wasmparser::{ExternalKind, Parser, Payload, TypeRef, ValType};
    let word = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<String>>();
    let (mut types, mut functions, mut shape) = (Vec::new(), Vec::new(), Shape::default());
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::TypeSection(section) => {
                for of in section.into_iter_err_on_gc_types() {
                    let of = of.unwrap();
                    types.push((word(of.params()), word(of.results())));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.unwrap();
                    let TypeRef::Func(of) = import.ty else { continue };
                    let (params, results) = types[of as usize].clone();
                    functions.push(of);
                    shape.imports.push((format!("{:?} {:?}", import.module, import.name), params, results));
                }
            }
            Payload::FunctionSection(section) => functions.extend(section.into_iter().map(Result::unwrap)),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.unwrap();
                    if export.kind == ExternalKind::Func {
                        let (params, results) = types[functions[export.index as usize] as usize].clone();
                        shape.exports.push((export.name.to_owned(), params, results));
                    }
                }
            }
            _ => {}
        }
    }
    shape
}
