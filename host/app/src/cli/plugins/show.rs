//! `sluicebox plugins show`

use crate::check::options::type_name;
use crate::show::human::{self, clean, clean_line};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Table};
use crate::trouble::Trouble;
use crate::wiring::Host;
use serde_json::{Value, json};
use sluicebox_model::pipeline::suggest;
use sluicebox_model::plugin::Capability;
use sluicebox_sandbox::Plugin;

pub(super) fn find<'a>(host: &'a Host, name: &str) -> Result<&'a Plugin, Trouble> {
    host.catalog.get(name).ok_or_else(|| {
        let names: Vec<&str> = host.catalog.plugins().map(|plugin| plugin.description.name.as_str()).collect();
        Trouble::new(format!("there is no plugin `{name}`")).help(match suggest::closest(name, names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`sluicebox plugins list` shows all".to_owned(),
        })
    })
}

pub(super) fn plugin_json(plugin: &Plugin) -> Value {
    let mut shown = json!(plugin.description);
    if let Some(object) = shown.as_object_mut() {
        object.insert("digest".to_owned(), json!(plugin.digest));
        object.insert("path".to_owned(), json!(plugin.path));
        object.insert("size-bytes".to_owned(), json!(plugin.size_bytes));
        object.insert("contract".to_owned(), json!(plugin.contract));
        object.insert("imports".to_owned(), json!(plugin.imports));
        object.insert("may-use".to_owned(), json!(plugin.may_use()));
    }
    shown
}

pub(super) fn show(plugin: &Plugin, style: Style) -> String {
    let description = &plugin.description;
    let name = style.paint(Tone::Strong, &clean_line(&description.name));
    let mut out = format!("{name} {} - {}\n\n", clean_line(&description.version), clean(&description.summary));
    let asks: Vec<&str> = description.capabilities.iter().map(|capability| capability.grant_key()).collect();
    let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let works = match (description.stateless, description.splittable) {
        (true, _) => "stateless: several instances work on batches at once",
        (_, true) => "can be split: several instances read at once",
        _ => "one instance",
    };
    facts.row(vec!["kind".into(), description.kind.to_string().into()]);
    facts.row(vec!["asks for".into(), if asks.is_empty() { "nothing".into() } else { asks.join(", ").into() }]);
    facts.row(vec!["runs as".into(), works.into()]);
    facts.row(vec!["file".into(), clean_line(&plugin.path.display().to_string()).into()]);
    facts.row(vec!["size".into(), human::bytes(plugin.size_bytes).into()]);
    facts.row(vec!["digest".into(), plugin.digest.to_string().into()]);
    facts.row(vec!["contract".into(), plugin.contract.clone().into()]);
    out.push_str(&facts.render(style));
    out.push_str(&format!("\n{}\n", style.paint(Tone::Strong, "Options (config)")));
    let mut options = Vec::new();
    collect(&description.config_schema, &description.config_schema, "", 0, &mut options);
    if options.is_empty() {
        out.push_str("  none\n");
    }
    for option in &options {
        let needed = if option.needed { style.paint(Tone::Warn, "  needed") } else { String::new() };
        let default = option.default.as_ref().map(|default| format!("  default {default}")).unwrap_or_default();
        let name = style.paint(Tone::Strong, &option.path);
        out.push_str(&format!("\n  {name}  {}{needed}{}\n", option.kind, style.paint(Tone::Quiet, &default)));
        for line in wrapped(&option.doc, 96) {
            out.push_str(&format!("      {line}\n"));
        }
    }
    let grants: Vec<String> = description
        .capabilities
        .iter()
        .filter_map(|capability| match capability {
            Capability::ReadFiles => Some("grants.read = [\"data\"]".to_owned()),
            Capability::WriteFiles => Some("grants.write = [\"out\"]".to_owned()),
            Capability::Environment => Some("grants.env = [\"NAME\"]".to_owned()),
            Capability::Http => Some("grants.http = [\"https://api.example.com\"]".to_owned()),
            Capability::Tcp => Some("grants.tcp = [\"db.internal:5432\"]".to_owned()),
            _ => None,
        })
        .collect();
    out.push_str(&format!("\n{}\n", style.paint(Tone::Strong, "In a pipeline")));
    out.push_str(&format!("  [[stage]]\n  name = \"...\"\n  plugin = \"{}\"\n", clean_line(&description.name)));
    for grant in grants {
        out.push_str(&format!("  {grant}\n"));
    }
    let needed: Vec<String> = options
        .iter()
        .filter(|option| option.needed && !option.path.contains(['.', '[']))
        .map(|option| format!("{} = ...", option.path))
        .collect();
    if !needed.is_empty() {
        out.push_str(&format!("  config = {{ {} }}\n", needed.join(", ")));
    }
    out.push_str(&format!("\n{}\n", style.paint(Tone::Strong, "Imports")));
    out.push_str(&imports(plugin, style));
    out
}

/// What interfaces are for, in people's words: how their names begin, and what grants something behind them.
const USES: [(&str, &[&str], &[Capability]); 9] = [
    ("files", &["wasi:filesystem/"], &[Capability::ReadFiles, Capability::WriteFiles]),
    ("network: HTTP", &["wasi:http/"], &[Capability::Http]),
    (
        "network: TCP",
        &["wasi:sockets/tcp", "wasi:sockets/ip-name", "wasi:sockets/network", "wasi:sockets/instance"],
        &[Capability::Tcp],
    ),
    ("network: UDP", &["wasi:sockets/udp"], &[]),
    ("environment", &["wasi:cli/environment@"], &[Capability::Environment]),
    ("clock", &["wasi:clocks/"], &[Capability::Clock]),
    ("randomness", &["wasi:random/"], &[Capability::Random]),
    ("its log and its end", &["wasi:cli/"], &[]),
    ("the contract", &["sluicebox:stage/"], &[]),
];

/// What the component itself says that it imports: more than it uses, and nothing of it is there without a grant.
fn imports(plugin: &Plugin, style: Style) -> String {
    let mut imports: Vec<String> = plugin.imports.iter().map(|import| clean_line(import)).collect();
    imports.sort();
    if imports.is_empty() {
        return "  nothing\n".to_owned();
    }
    let mut out = String::new();
    for (what, begins, grants) in USES {
        let fits = |import: &String| begins.iter().any(|begin| import.starts_with(begin));
        let (own, others): (Vec<String>, Vec<String>) = imports.into_iter().partition(fits);
        imports = others;
        group(&mut out, what, &own, &behind(plugin, what, grants), style);
    }
    // What these work with; whatever a later host offers.
    group(&mut out, "other", &imports, "", style);
    out
}

/// What is behind a group of imports.
fn behind(plugin: &Plugin, what: &str, grants: &[Capability]) -> String {
    let asked = |capability: &&Capability| plugin.description.capabilities.contains(*capability);
    let keys: Vec<&str> = grants.iter().map(|capability| capability.grant_key()).collect();
    let asks = if grants.iter().any(|capability| asked(&capability)) { "asked for" } else { "never asked for" };
    match (what, keys.as_slice()) {
        ("network: UDP", _) => "never granted".to_owned(),
        (_, []) => String::new(),
        (_, keys) => format!("{asks}; nothing is behind it without {}", keys.join(" or ")),
    }
}

fn group(out: &mut String, what: &str, imports: &[String], told: &str, style: Style) {
    if imports.is_empty() {
        return;
    }
    let told = if told.is_empty() { String::new() } else { style.paint(Tone::Quiet, &format!("  {told}")) };
    out.push_str(&format!("  {what}{told}\n"));
    for import in imports {
        out.push_str(&format!("      {import}\n"));
    }
}

/// One option of a plugin, as its schema tells.
struct OptionDoc {
    path: String,
    kind: String,
    needed: bool,
    default: Option<String>,
    doc: String,
}

/// The options of a schema, those of nested tables behind their table; `depth` bounds schemas that name themselves.
fn collect(root: &Value, schema: &Value, path: &str, depth: usize, options: &mut Vec<OptionDoc>) {
    let schema = resolve(root, schema);
    let needed: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let option = resolve(root, property);
        let path = if path.is_empty() { clean_line(name) } else { format!("{path}.{}", clean_line(name)) };
        let text = |key: &str| property.get(key).or_else(|| option.get(key)).and_then(Value::as_str);
        options.push(OptionDoc {
            path: path.clone(),
            kind: human::cut(&clean_line(&kind_of(root, property, 0)), 100),
            needed: needed.contains(&name.as_str()),
            default: property
                .get("default")
                .filter(|default| !default.is_null())
                .map(|default| clean_line(&default.to_string())),
            doc: clean(text("description").unwrap_or_default()),
        });
        if depth < 3 {
            let items = option.get("items").filter(|_| option.get("properties").is_none());
            match items {
                Some(items) => collect(root, items, &format!("{path}[]"), depth + 1, options),
                None => collect(root, option, &path, depth + 1, options),
            }
        }
    }
}

/// The schema that a `$ref` within the same document names.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| root.pointer(target.strip_prefix('#')?));
    target.unwrap_or(schema)
}

/// What an option can be, in words.
fn kind_of(root: &Value, schema: &Value, depth: usize) -> String {
    let schema = resolve(root, schema);
    if depth > 4 {
        return "...".to_owned();
    }
    let several = |key: &str| schema.get(key).and_then(Value::as_array);
    if let Some(words) = several("enum") {
        return words.iter().filter(|word| !word.is_null()).map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    if let Some(branches) = several("anyOf").or_else(|| several("oneOf")) {
        let mut kinds: Vec<String> =
            branches.iter().map(|branch| kind_of(root, branch, depth + 1)).filter(|kind| kind != "nothing").collect();
        kinds.dedup();
        let between = if kinds.iter().all(|kind| kind.starts_with('"')) { " | " } else { " or " };
        return kinds.join(between);
    }
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => vec![],
    };
    let kinds: Vec<String> = names
        .iter()
        .map(|name| match (*name, schema.get("items"), schema.get("additionalProperties")) {
            ("array", Some(items), _) => format!("a list of {}", plural(&kind_of(root, items, depth + 1))),
            ("object", _, Some(values @ Value::Object(_))) => {
                format!("a table from name to {}", plural(&kind_of(root, values, depth + 1)))
            }
            (name, _, _) => type_name(name).to_owned(),
        })
        .collect();
    if kinds.is_empty() { "any value".to_owned() } else { kinds.join(" or ") }
}

/// The kind of each of many.
fn plural(kind: &str) -> String {
    match kind {
        "a text" => "texts".to_owned(),
        "a whole number" => "whole numbers".to_owned(),
        "a number" => "numbers".to_owned(),
        "a list" => "lists".to_owned(),
        "a table" => "tables".to_owned(),
        other => format!("({other})"),
    }
}

/// The text in lines of at most so many characters; its own line ends within a paragraph do not count.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}
