//! A stage's options against the schema of its plugin, told without the words of JSON Schema.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;
use sluicebox_model::pipeline::{Problem, StageSpec, suggest};
use sluicebox_model::plugin::Digest;
use sluicebox_sandbox::Plugin;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Compiled schemas of plugins by the digest of their component: a host that runs many pipelines asks for the same again and
/// again, and compiling is most of the work.
static COMPILED: Mutex<BTreeMap<Digest, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// So many are kept.
pub(crate) const COMPILED_MAX: usize = 256;

fn compiled(plugin: &Plugin) -> Result<Arc<Validator>, ValidationError<'static>> {
    let mut kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = kept.get(&plugin.digest) {
        return Ok(Arc::clone(validator));
    }
    let validator = Arc::new(jsonschema::draft202012::options().build(&plugin.description.config_schema)?);
    if kept.len() >= COMPILED_MAX {
        kept.clear();
    }
    kept.insert(plugin.digest.clone(), Arc::clone(&validator));
    Ok(validator)
}

/// Whether options can be checked at all.
///
/// # Errors
/// What the plugin says of its options is no JSON Schema.
pub fn schema_is_sound(plugin: &Plugin) -> Result<(), String> {
    compiled(plugin).map(drop).map_err(|error| error.to_string())
}

/// All that is wrong with `config`, the options of `stage` with placeholders filled in.
pub fn check(stage: &StageSpec, config: &Value, plugin: &Plugin) -> Vec<Problem> {
    let schema = &plugin.description.config_schema;
    let validator = match compiled(plugin) {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("the options of plugin `{}` cannot be checked: {error}", stage.plugin);
            let help = "its config-schema is not a JSON Schema (draft 2020-12): tell its author";
            return vec![Problem::error(stage.spans.plugin.clone(), message).help(help)];
        }
    };
    let mut teller = Teller { stage, schema, problems: Vec::new() };
    for error in validator.iter_errors(config) {
        teller.tell(&error);
    }
    let mut problems = teller.problems;
    // Branches of a schema can say the same thing twice.
    problems.dedup();
    problems
}

struct Teller<'a> {
    stage: &'a StageSpec,
    schema: &'a Value,
    problems: Vec<Problem>,
}

impl<'a> Teller<'a> {
    fn tell(&mut self, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                let known = self.known_options(error.schema_path().as_str());
                for key in unexpected {
                    self.unknown_option(pointer, key, &known);
                }
            }
            Kind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                self.missing_option(pointer, property, error.schema_path().as_str());
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.tell_branches(error, context),
            Kind::Type { kind } => self.wrong_value(error, &format!("has to be {}", types(kind))),
            Kind::Enum { options } => {
                let words = options.as_array().map(Vec::as_slice).unwrap_or_default();
                self.wrong_word(error, &words.iter().collect::<Vec<_>>());
            }
            Kind::Constant { expected_value } => self.wrong_word(error, &[expected_value.as_ref()]),
            Kind::Minimum { limit } => self.wrong_value(error, &format!("has to be at least {limit}")),
            Kind::Maximum { limit } => self.wrong_value(error, &format!("can be at most {limit}")),
            Kind::ExclusiveMinimum { limit } => self.wrong_value(error, &format!("has to be more than {limit}")),
            Kind::ExclusiveMaximum { limit } => self.wrong_value(error, &format!("has to be less than {limit}")),
            Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
                self.wrong_value(error, "cannot be empty");
            }
            Kind::MinLength { limit } => self.wrong_value(error, &format!("needs at least {limit} characters")),
            Kind::MaxLength { limit } => self.wrong_value(error, &format!("can have at most {limit} characters")),
            Kind::MinItems { limit } => self.wrong_value(error, &format!("needs at least {limit} items")),
            Kind::MaxItems { limit } => self.wrong_value(error, &format!("can have at most {limit} items")),
            Kind::MinProperties { limit } => self.wrong_value(error, &format!("needs at least {limit} entries")),
            Kind::MaxProperties { limit } => self.wrong_value(error, &format!("can have at most {limit} entries")),
            Kind::UniqueItems => self.wrong_value(error, "names the same thing twice"),
            Kind::Pattern { pattern } => self.wrong_value(error, &format!("does not have the form `{pattern}`")),
            Kind::Format { format } => self.wrong_value(error, &format!("is not a {format}")),
            Kind::OneOfMultipleValid { .. } => self.wrong_value(error, "can be read in more than one way"),
            Kind::FalseSchema => self.wrong_value(error, "is not an option here"),
            _ => self.wrong_value(error, "is not what the plugin takes"),
        }
    }

    /// A value that fits none of several forms: what is wrong with the form that it comes nearest to.
    fn tell_branches(&mut self, error: &ValidationError<'_>, branches: &[Vec<ValidationError<'static>>]) {
        let here = error.instance_path().as_str();
        let at_top = |error: &ValidationError<'_>| error.instance_path().as_str() == here;
        // `null` does not exist in TOML; the branch stands for an option that is left out.
        let branches: Vec<&Vec<ValidationError<'static>>> =
            branches.iter().filter(|errors| !errors.iter().any(|error| at_top(error) && is_null_only(error))).collect();
        if let [only] = branches.as_slice() {
            for error in only.iter() {
                self.tell(error);
            }
            return;
        }
        // Other types, or other words, at this very place.
        let mut wanted = Vec::new();
        let mut words: Vec<&Value> = Vec::new();
        for errors in &branches {
            match errors.iter().find(|error| at_top(error)).map(|error| error.kind()) {
                Some(Kind::Type { kind }) => wanted.push(types(kind)),
                Some(Kind::Constant { expected_value }) => words.push(expected_value),
                Some(Kind::Enum { options }) => words.extend(options.as_array().into_iter().flatten()),
                _ => {}
            }
        }
        wanted.dedup();
        if wanted.len() + words.len() >= branches.len() && wanted.len() >= branches.len() {
            self.wrong_value(error, &format!("has to be {}", wanted.join(" or ")));
            return;
        }
        if !words.is_empty() && words.len() >= branches.len() {
            self.wrong_word(error, &words);
            return;
        }
        // The branch whose first mistakes lie deepest, then the one with the fewest. A tag that does not fit, or
        // another type, shows that another branch was meant.
        let rank = |errors: &[ValidationError<'static>]| {
            let wrong_form = errors.iter().any(|error| match error.kind() {
                Kind::Type { .. } => at_top(error),
                Kind::Constant { .. } => true,
                _ => false,
            });
            (wrong_form, errors.len())
        };
        if let Some(best) = branches.iter().min_by_key(|errors| rank(errors)) {
            for error in best.iter() {
                self.tell(error);
            }
        } else {
            self.wrong_value(error, "is not what the plugin takes");
        }
    }

    fn unknown_option(&mut self, pointer: &str, key: &str, known: &[&str]) {
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        let place = if known.is_empty() { "it takes no options here".to_owned() } else { suggest::help(key, known) };
        let path = option_path(&pointer);
        let message = format!("plugin `{}` has no option `{path}`", self.stage.plugin);
        self.problems.push(Problem::error(self.stage.spans.option_key(&pointer), message).help(place));
    }

    fn missing_option(&mut self, pointer: &str, property: &str, schema_path: &str) {
        let path = option_path(&format!("{pointer}/{property}"));
        let message =
            format!("stage `{}` lacks the option `{path}` of plugin `{}`", self.stage.name, self.stage.plugin);
        let owner = schema_path.rsplit_once('/').map_or("", |(owner, _)| owner);
        let schema = self.schema.pointer(owner).and_then(|schema| schema.get("properties")?.get(property));
        let example = schema.map_or("...", |schema| example_of(self.resolve(schema)));
        let name = if pointer.is_empty() { format!("config.{property}") } else { property.to_owned() };
        let help = match schema.and_then(|schema| self.doc(schema)) {
            Some(doc) => format!("add `{name} = {example}`: {doc}"),
            None => format!("add `{name} = {example}`"),
        };
        self.problems.push(Problem::error(self.stage.spans.option(pointer), message).help(help));
    }

    fn wrong_value(&mut self, error: &ValidationError<'_>, what: &str) {
        let pointer = error.instance_path().as_str();
        let path = option_path(pointer);
        let what_option = if path.is_empty() { "`config`".to_owned() } else { format!("`{path}`") };
        let message = format!("{what_option} of stage `{}` {what}", self.stage.name);
        let mut problem = Problem::error(self.stage.spans.option(pointer), message);
        if matches!(error.kind(), Kind::Type { .. } | Kind::AnyOf { .. } | Kind::OneOfNotValid { .. }) {
            problem = problem.label(format!("this is {}", type_of(error.instance())));
        }
        let owner = error.schema_path().as_str().rsplit_once('/').map_or("", |(owner, _)| owner);
        let schema = self.property(pointer).or_else(|| self.schema.pointer(owner));
        if let Some(doc) = schema.and_then(|schema| self.doc(schema)) {
            problem = problem.help(doc);
        }
        self.problems.push(problem);
    }

    fn wrong_word(&mut self, error: &ValidationError<'_>, words: &[&Value]) {
        let pointer = error.instance_path().as_str();
        let path = option_path(pointer);
        let message = match error.instance().as_str() {
            Some(_) => format!("`{path}` of stage `{}` is not one of the words that it can be", self.stage.name),
            None => format!("`{path}` of stage `{}` has to be one of a few words", self.stage.name),
        };
        let texts: Vec<&str> = words.iter().filter_map(|word| word.as_str()).collect();
        let meant = error.instance().as_str().and_then(|word| suggest::closest(word, texts.iter().copied()));
        let help = match meant {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => {
                let words: Vec<String> =
                    words.iter().filter(|word| !word.is_null()).map(|word| word.to_string()).collect();
                format!("one of: {}", words.join(", "))
            }
        };
        self.problems.push(Problem::error(self.stage.spans.option(pointer), message).help(help));
    }

    /// The names of the options beside the keyword at `schema_path`.
    fn known_options(&self, schema_path: &str) -> Vec<&'a str> {
        let owner = schema_path.rsplit_once('/').map_or("", |(owner, _)| owner);
        let properties = self.schema.pointer(owner).and_then(|schema| schema.get("properties")?.as_object());
        properties.map(|entries| entries.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// What the schema says of the option at a pointer, before any `$ref` of its own is followed: that is where the
    /// option itself is described, and not its type.
    fn property(&self, pointer: &str) -> Option<&'a Value> {
        pointer.split('/').skip(1).try_fold(self.schema, |schema, part| {
            let schema = self.resolve(schema);
            let name = part.replace("~1", "/").replace("~0", "~");
            let within = |key: &str| schema.get(key).filter(|inner| inner.is_object());
            schema
                .get("properties")
                .and_then(|properties| properties.get(&name))
                .or_else(|| within("items"))
                .or_else(|| within("additionalProperties"))
        })
    }

    /// The first sentence of what a schema says of itself.
    fn doc(&self, schema: &'a Value) -> Option<String> {
        let own = schema.get("description").or_else(|| self.resolve(schema).get("description"));
        own.and_then(Value::as_str).map(first_sentence)
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let target =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| self.schema.pointer(path.strip_prefix('#')?));
        target.unwrap_or(schema)
    }
}

/// `/rules/0/column` as people write it: `rules[0].column`.
pub fn option_path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        if part.parse::<usize>().is_ok() {
            path.push_str(&format!("[{part}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}

fn is_null_only(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Kind::Type { kind: TypeKind::Single(JsonType::Null) })
}

fn types(kind: &TypeKind) -> String {
    let mut names: Vec<&str> = match kind {
        TypeKind::Single(single) => vec![type_name(single.as_str())],
        TypeKind::Multiple(several) => {
            several.iter().filter(|one| *one != JsonType::Null).map(|one| type_name(one.as_str())).collect()
        }
    };
    names.dedup();
    names.join(" or ")
}

/// The word for a type of JSON Schema.
pub fn type_name(word: &str) -> &'static str {
    match word {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        _ => "nothing",
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::Bool(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
        Value::Null => "nothing",
    }
}

fn example_of(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => "\"...\"",
        Some("array") => "[...]",
        Some("object") => "{ ... }",
        Some("boolean") => "true",
        _ => "...",
    }
}

fn first_sentence(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    paragraph.get(..end).unwrap_or(&paragraph).trim_end_matches('.').to_owned()
}
