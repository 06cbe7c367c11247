//! A transform written in WebAssembly text: small enough to compile in no time, and bad in more ways than a compiler
//! would let it be. The first byte of its options says what it does; see [`GUEST`].

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The module. `process` does what the mode says: pass on, Loop, eat Memory, Trap, Recurse, Fault, Wild pointer, a
/// Handle that is none, an answer that lies Outside of memory, Flood the log (g), answer with Everything but 4 GiB (e).
const GUEST: &str = r#"
(module
  (import "sluicebox:stage/report@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "sluicebox:stage/report@0.1.0" "count" (func $count (param i32 i32 i64)))
  (memory (export "memory") 1)
  (global $mode (mut i32) (i32.const 0))
  (global $top (mut i32) (i32.const 4096))
  (data (i32.const 64) "NAME")
  (data (i32.const 128) "VERSION")
  (data (i32.const 192) "SCHEMA")
  (data (i32.const 256) "a test\1b[31m")
  (data (i32.const 320) "not today")

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (block $fits
      (loop $more
        (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.const 1)))
        (br $more)))
    (local.get $at))

  (func (export "sluicebox:stage/plugin@0.1.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 64)) (i32.store (i32.const 1028) (i32.const NAMELEN))
    (i32.store (i32.const 1032) (i32.const 128)) (i32.store (i32.const 1036) (i32.const VERSIONLEN))
    (i32.store8 (i32.const 1040) (i32.const KIND))
    (i32.store (i32.const 1044) (i32.const 256)) (i32.store (i32.const 1048) (i32.const 11))
    (i32.store (i32.const 1052) (i32.const 192)) (i32.store (i32.const 1056) (i32.const SCHEMALEN))
    (i32.store (i32.const 1060) (i32.const 0)) (i32.store (i32.const 1064) (i32.const 0))
    (i32.store8 (i32.const 1068) (i32.const 1))
    DESCRIBE
    (i32.const 1024))

  (func (export "sluicebox:stage/transformer@0.1.0#open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (param $config i32) (param i32) (param $inputs i32) (param i32)
    (result i32)
    (global.set $mode (i32.load8_u (local.get $config)))
    (if (i32.eq (global.get $mode) (i32.const 79)) (then (loop $for_ever (br $for_ever)))) ;; O
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (i32.load offset=8 (local.get $inputs)))
    (i32.store (i32.const 1032) (i32.load offset=12 (local.get $inputs)))
    (i32.const 1024))

  (func $recurse (param i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (local.get 0)))

  (func $work (export "sluicebox:stage/transformer@0.1.0#process") (param i32 i32) (result i32)
    (local $n i32)
    (call $count (i32.const 256) (i32.const 6) (i64.const -1))
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (i32.const 1536))
    (i32.store (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1536) (local.get 1))
    (if (i32.eq (global.get $mode) (i32.const 76)) (then (loop $for_ever (br $for_ever)))) ;; L
    (if (i32.eq (global.get $mode) (i32.const 77))                                         ;; M
      (then (loop $more (drop (memory.grow (i32.const 16))) (br $more))))
    (if (i32.eq (global.get $mode) (i32.const 84)) (then unreachable))                     ;; T
    (if (i32.eq (global.get $mode) (i32.const 82)) (then (drop (call $recurse (i32.const 0))))) ;; R
    (if (i32.eq (global.get $mode) (i32.const 87)) (then (drop (i32.load (i32.const -8)))))     ;; W
    (if (i32.eq (global.get $mode) (i32.const 72)) (then (i32.store (i32.const 1536) (i32.const 77)))) ;; H
    (if (i32.eq (global.get $mode) (i32.const 83)) (then (i32.store (i32.const 1028) (i32.const -16)))) ;; S
    (if (i32.eq (global.get $mode) (i32.const 69)) (then (i32.store (i32.const 1032) (i32.const 0x0fffffff)))) ;; E
    (if (i32.eq (global.get $mode) (i32.const 71))                                         ;; G
      (then (loop $more
        (call $log (i32.const 1) (i32.const 256) (i32.const 11))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 1000))))))
    (if (i32.eq (global.get $mode) (i32.const 70))                                         ;; F
      (then
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store8 (i32.const 1028) (i32.const 3))
        (i32.store (i32.const 1032) (i32.const 320))
        (i32.store (i32.const 1036) (i32.const 9))
        (i32.store8 (i32.const 1040) (i32.const 1))
        (i32.store (i32.const 1044) (i32.const 2))))
    (i32.const 1024))

  (func (export "sluicebox:stage/transformer@0.1.0#finish") (result i32)
    (i64.store (i32.const 1024) (i64.const 0))
    (i32.const 1024)))
"#;

/// What the guest says of itself.
pub(crate) struct Says<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) schema: &'a str,
    /// 1 is what it is, a transform.
    pub(crate) kind: u8,
    /// Instructions that `describe` begins with.
    pub(crate) first: &'a str,
}

impl Default for Says<'_> {
    fn default() -> Self {
        Self { name: "test-guest", version: "1.2.3", schema: "{}", kind: 1, first: "" }
    }
}

/// The component's bytes.
pub(crate) fn component(says: &Says<'_>) -> Vec<u8> {
    // As cargo says it now: clones that share a target folder share this program.
    component_of(says, &format!("{}/../../wit", std::env::var("CARGO_MANIFEST_DIR").unwrap()), "0.1.0")
}

/// The same for the contract in the file or folder `wit`, of this version.
pub(crate) fn component_of(says: &Says<'_>, wit: &str, version: &str) -> Vec<u8> {
    let quoted = says.schema.replace('\\', "\\\\").replace('"', "\\\"");
    let text = GUEST
        .replace("NAMELEN", &says.name.len().to_string())
        .replace("VERSIONLEN", &says.version.len().to_string())
        .replace("SCHEMALEN", &says.schema.len().to_string())
        .replace("NAME", says.name)
        .replace("VERSION", says.version)
        .replace("SCHEMA", &quoted)
        .replace("KIND", &says.kind.to_string())
        .replace("DESCRIBE", says.first)
        .replace("@0.1.0", &format!("@{version}"));
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::new();
    let (package, _) = resolve.push_path(wit).unwrap();
    let world = resolve.select_world(&[package], Some("transform-stage")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}
