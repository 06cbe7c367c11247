//! Components of guests that are written in WebAssembly text.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What makes a guest differ from one that passes batches on.
#[derive(Clone, Copy)]
pub(super) struct Guest<'a> {
    /// Its memories; the first is the one that the host sees.
    pub(super) memory: &'a str,
    /// More imports.
    pub(super) imports: &'a str,
    /// More of the module.
    pub(super) fields: &'a str,
    /// Instructions of `describe`, before it answers.
    pub(super) describe: &'a str,
    /// Instructions of `process`, before it answers.
    pub(super) process: &'a str,
    /// Instructions with which it gives memory to the host.
    pub(super) realloc: &'a str,
}

/// A guest that does no harm.
pub(super) const GOOD: Guest<'static> = Guest {
    memory: r#"(memory (export "memory") 1)"#,
    imports: "",
    fields: "",
    describe: "",
    process: "",
    realloc: "",
};

/// The contract's worlds, with the time of day for those that look at it.
const WORLDS: &str = "
package evil:guest;
world transform { include sluicebox:stage/transform-stage@0.1.0; import wasi:clocks/wall-clock@0.2.0; }
world validate { include sluicebox:stage/validate-stage@0.1.0; }
";

const CLOCK: &str = "
package wasi:clocks@0.2.0;
interface wall-clock {
    record datetime { seconds: u64, nanoseconds: u32 }
    now: func() -> datetime;
}
";

impl Guest<'_> {
    /// The bytes of the component, which says that its name is `wat-guest`.
    pub(super) fn component(&self) -> Vec<u8> {
        self.component_named("wat-guest")
    }

    /// The same by another name of as many bytes.
    pub(super) fn component_named(&self, name: &str) -> Vec<u8> {
        assert_eq!(name.len(), "wat-guest".len(), "{name}");
        let text = include_str!("guest.wat")
            .replace("wat-guest", name)
            .replace("\n  IMPORTS\n", &format!("\n  {}\n", self.imports))
            .replace("\n  MEMORY\n", &format!("\n  {}\n", self.memory))
            .replace("\n  FIELDS\n", &format!("\n  {}\n", self.fields))
            .replace("\n    DESCRIBE\n", &format!("\n    {}\n", self.describe))
            .replace("\n    PROCESS\n", &format!("\n    {}\n", self.process))
            .replace("\n    REALLOC\n", &format!("\n    {}\n", self.realloc));
        component_of(&text, "transform")
    }
}

/// The component of a module for a world.
pub(super) fn component_of(text: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut resolve = Resolve::new();
    resolve.push_path(sluicebox_tests::root().join("wit")).unwrap();
    resolve.push_source("clock.wit", CLOCK).unwrap();
    let package = resolve.push_source("guest.wit", WORLDS).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}
