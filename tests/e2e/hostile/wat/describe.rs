//! What a guest says of its options is a JSON Schema, which the host works with: to check options, to show them, to write
//! pages about them.

use super::{GOOD, Guest, is_refused, pipeline_of};
use crate::hostile::escapes::are_none;
use sluicebox_tests::Project;

/// A guest that says that this is the schema of its options.
fn saying(schema: &str) -> Vec<u8> {
    let bytes: String = schema.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let fields = format!(r#"(data (i32.const 65536) "{bytes}")"#);
    let describe = format!(
        "(i32.store (i32.const 1052) (i32.const 65536)) (i32.store (i32.const 1056) (i32.const {}))",
        schema.len()
    );
    let memory = format!(r#"(memory (export "memory") {})"#, 2 + schema.len() / 65536);
    Guest { memory: &memory, fields: &fields, describe: &describe, ..GOOD }.component()
}

/// Everything that the host does with a schema; each command ends by itself, and says nothing that steers a terminal.
#[track_caller]
fn is_stood(project: &Project) {
    for command in [
        &["check", "pipeline.toml"][..],
        &["run", "pipeline.toml"],
        &["plugins", "list"],
        &["plugins", "show", "wat-guest"],
        &["plugins", "show", "wat-guest", "--format", "json"],
        &["schema"],
        &["docs", "pipeline.toml"],
    ] {
        let ended = project.sluicebox(command);
        assert!(matches!(ended.code, Some(0..=2)), "{command:?}: {:?} {}", ended.code, ended.stderr);
        are_none(&(ended.stdout + &ended.stderr));
    }
}

#[test]
fn a_schema_that_refers_to_itself() {
    for schema in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}]}"##,
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
        r##"{"properties": {"x": {"$ref": "#"}}}"##,
        r##"{"$ref": "https://example.com/schema"}"##,
        r##"{"$ref": "file:///etc/passwd"}"##,
    ] {
        is_stood(&pipeline_of(&saying(schema), ""));
    }
}

#[test]
fn a_schema_nested_deep() {
    let deep = |levels: usize| format!("{}{{}}{}", r#"{"not": "#.repeat(levels), "}".repeat(levels));
    is_stood(&pipeline_of(&saying(&deep(100)), ""));
    is_refused(&saying(&deep(5_000)), &["describes itself wrongly", "its config-schema is not JSON"]);
}

#[test]
fn a_schema_of_2_mb() {
    let schema = format!(r#"{{"description": "{}"}}"#, "x".repeat(2_000_000));
    is_refused(&saying(&schema), &["describes itself wrongly", "2000019 bytes", "room for 1048576"]);
}

#[test]
fn a_schema_with_escapes() {
    let steers = r"evil\u001b[2J\u001b]0;pwned\u0007\u009b31m\u202etxet\u061c\u200e\u200f\u2028\u2066\ufeff";
    let schema = format!(
        r#"{{"title": "{steers}", "description": "{steers}", "additionalProperties": false, "required": ["{steers}"],
            "properties": {{"{steers}": {{"description": "{steers}", "default": "{steers}", "enum": ["{steers}"]}}}}}}"#
    );
    is_stood(&pipeline_of(&saying(&schema), ""));
}

/// The options are the pipeline's, the pattern is the guest's.
#[test]
fn a_pattern_that_takes_for_ever() {
    let schema = r#"{"properties": {"x": {"type": "string", "pattern": "^(a+)+\\1$"}}}"#;
    let project = pipeline_of(&saying(schema), "");
    let text = project
        .read("pipeline.toml")
        .replace("config = {  }", &format!("config = {{ x = \"{}!\" }}", "a".repeat(5_000)));
    project.file("pipeline.toml", text);
    is_stood(&project);
}
