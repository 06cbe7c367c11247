//! `sluicebox schema`

use super::{Exit, PluginFolders, print_json};
use crate::show::compiling::compiling;
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  sluicebox schema > pipeline.schema.json

Then, as the first line of a pipeline file, for editors with Taplo (Even Better TOML and others):
  #:schema ./pipeline.schema.json

The schema knows the options of the plugins that are found; `--bare` leaves them out.";

/// Print a JSON Schema of the pipeline file, for editors
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schema {
    /// Leave out the options of the plugins
    #[arg(long)]
    bare: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

impl Schema {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let mut schema = bare();
        if !self.bare {
            let host = Host::open(&self.plugins.plugins, Path::new("."), compiling(true))?;
            let described = host.catalog.plugins().map(|plugin| &plugin.description);
            add_plugins(&mut schema, described.map(|plugin| (plugin.name.as_str(), &plugin.config_schema)));
        }
        print_json(&schema);
        Ok(Exit::Done)
    }
}

/// The schema of the file without the options of any plugin.
pub fn bare() -> Value {
    let name = json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$" });
    let size = |doc: &str| json!({ "type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgG][iI]?)?[bB]\s*$", "description": doc });
    let time =
        |doc: &str| json!({ "type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$", "description": doc });
    let texts = |doc: &str| json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "uniqueItems": true, "description": doc });
    let table = |doc: &str, properties: Value| json!({ "type": "object", "additionalProperties": false, "description": doc, "properties": properties });
    let mut pipeline = table(
        "What the pipeline is",
        json!({
            "name": name,
            "description": { "type": "string", "description": "What it is for" },
            "owner": { "type": "string", "description": "Who answers for it" },
            "assumptions": { "type": "array", "items": { "type": "string" }, "description": "What its author takes for granted" },
            "on-crash": { "enum": ["rerun", "leave"], "default": "rerun", "description": "What becomes of a run that was interrupted before its loads were committed" },
            "retries": { "type": "integer", "minimum": 0, "maximum": 100, "default": 0, "description": "How often a run that failed runs again, where trying again can help" },
            "deadline": time("How long a run may take"),
            "priority": { "type": "integer", "minimum": -1000, "maximum": 1000, "default": 0, "description": "Runs of a higher one start first" },
            "pool": { "type": "string", "description": "The pool whose places its runs share with those of other pipelines; sizes stand in sluicebox.toml" },
        }),
    );
    require(&mut pipeline, &["name"]);
    let text_or_texts = |doc: &str| json!({ "oneOf": [{ "type": "string", "minLength": 1 }, { "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } }], "description": doc });
    let mut after = table(
        "The pipelines whose runs it follows, for the same interval",
        json!({
            "pipelines": texts("Their names"),
            "on": { "enum": ["success", "any"], "default": "success", "description": "How their runs have to have ended" },
            "within": time("How long after the first of them has ended the others are waited for"),
        }),
    );
    require(&mut after, &["pipelines"]);
    let mut when = table(
        "The files whose arrival starts it",
        json!({
            "file": { "type": "string", "minLength": 1, "description": "A path or pattern below a folder that a stage may read, e.g. in/*.csv" },
            "settled": time("How long the files have to have stayed as they are; 30s unless given"),
        }),
    );
    require(&mut when, &["file"]);
    let schedule = table(
        "When it runs by itself; at times, after others, or when files arrive",
        json!({
            "cron": text_or_texts("Five fields as in crontab, or @daily and the like; several run at the times of each"),
            "every": time("One run in every such time"),
            "timezone": { "type": "string", "default": "UTC", "description": "An IANA name, e.g. America/New_York" },
            "catch-up": { "enum": ["none", "latest", "all"], "default": "latest", "description": "What becomes of intervals that were missed" },
            "catch-up-window": time("How far back missed intervals are made up for; 7d unless given"),
            "overlap": { "enum": ["skip", "queue", "cancel"], "default": "skip", "description": "What becomes of a run that is due while the one before is under way" },
            "jitter": time("Runs begin up to so much later, each pipeline by an amount of its own"),
            "deadline": time("How long after its time a run has to have ended; one that has not is told, and goes on"),
            "pause-after": { "type": "integer", "minimum": 1, "maximum": 1000, "description": "After so many failed runs in a row it is paused" },
            "after": { "oneOf": [texts("The pipelines whose runs it follows"), after] },
            "when": when,
        }),
    );
    let severity = json!({ "enum": ["warn", "fail"], "default": "warn", "description": "Whether it is told, or fails the run before anything is loaded" });
    let rows = |doc: &str| json!({ "type": "integer", "minimum": 0, "description": doc });
    let mut fresh = table(
        "How old the newest rows may be",
        json!({ "within": time("Rows have to be loaded at least this often"), "severity": severity }),
    );
    require(&mut fresh, &["within"]);
    let mut locked = table(
        "Whether the columns have to stay as they are",
        json!({ "locked": { "type": "boolean" }, "severity": severity }),
    );
    require(&mut locked, &["locked"]);
    let monitor = table(
        "What is expected of what a run loads",
        json!({
            "rows": table("How many rows are loaded, over all loads", json!({
                "at-least": rows("At least so many; a run that loads none is told unless 0 is given"),
                "at-most": rows("At most so many"),
                "change-at-most": { "type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$", "description": "At most so many per cent more or fewer than the median of the last 20 runs" },
                "severity": severity,
            })),
            "fresh-within": { "oneOf": [time("Rows have to be loaded at least this often"), fresh] },
            "schema": { "oneOf": [{ "const": "locked", "description": "The columns have to be those of the last run" }, locked] },
        }),
    );
    let grants = table(
        "What the stage may reach; nothing unless it stands here",
        json!({
            "read": texts("Folders to read"),
            "write": texts("Folders to read and write; made if missing"),
            "http": texts("Servers to make HTTP requests to, e.g. https://api.example.com or https://*.example.com:8443"),
            "tcp": texts("Hosts and ports to connect to by TCP, e.g. db.internal:5432"),
            "networks": texts("Addresses and ranges that are not public, which names in http and tcp may stand for, e.g. 10.0.0.0/8"),
            "env": texts("Names of environment variables"),
            "clock": { "type": "boolean", "description": "The real time; without it the clock stands at the end of the run's interval" },
            "random": { "type": "boolean", "description": "Real randomness; without it randomness comes from the run's id" },
        }),
    );
    let limits = table(
        "What an instance of the stage may use",
        json!({
            "memory": size("Memory of an instance; 256MiB unless given"),
            "call": time("Time of one call; 10s unless given"),
            "stack": size("The guest's stack; 1MiB unless given"),
            "transfer": size("Bytes that cross in one call; 256MiB unless given"),
            "handles": { "type": "integer", "minimum": 1, "maximum": 10_000_000, "description": "Batches held at once; 10000 unless given" },
            "held": size("Bytes of batches held at once; 256MiB unless given"),
            "log": size("Log, standard output and standard error of a run; 1MiB unless given"),
            "component": size("The component file, up to 128MiB; 64MiB unless given"),
            "connections": { "type": "integer", "minimum": 1, "maximum": 256, "description": "Connections and lookups of names at once; 16 unless given" },
            "connections-total": { "type": "integer", "minimum": 1, "maximum": 10_000_000, "description": "Connections and lookups of names in the life of an instance; 10000 unless given" },
            "files": { "type": "integer", "minimum": 1, "maximum": 10_000, "description": "Files and folders open at once; 256 unless given" },
            "checkpoint": size("The checkpoint of the stage; beyond it, none is kept; 10GiB unless given"),
            "quarantine": size("What the stage sets aside in a run; 1GiB unless given"),
            "spill": size("What waits on the disk for a stage behind; 10GiB unless given"),
            "network": size("Bytes sent and received in the life of an instance; 1GiB unless given"),
            "poison-calls": { "type": "integer", "minimum": 1, "maximum": 10_000_000, "description": "Calls to find poison rows in a run; 10000 unless given" },
            "poison-time": time("Time to find poison rows in a run; 10m unless given"),
        }),
    );
    let retry = table(
        "How often a call is tried where trying again can help",
        json!({
            "attempts": { "type": "integer", "minimum": 1, "maximum": 100, "default": 1 },
            "backoff": time("The wait before the second attempt, doubled for each one after"),
        }),
    );
    let mut reject = table(
        "More rows set aside than this fail the run",
        json!({
            "at-most": { "oneOf": [
                { "type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$", "description": "A share of the rows seen, e.g. 5%" },
                { "type": "integer", "minimum": 0, "description": "A number of rows" },
            ] },
        }),
    );
    require(&mut reject, &["at-most"]);
    let mut stage = table(
        "A step of the pipeline",
        json!({
            "name": name,
            "plugin": { "type": "string", "minLength": 1, "description": "See `sluicebox plugins list`" },
            "inputs": { "type": "array", "items": name, "uniqueItems": true, "description": "The stages that feed it, in order; the stage above unless given" },
            "config": { "type": "object", "description": "The plugin's options, see `sluicebox plugins show NAME`" },
            "grants": grants,
            "limits": limits,
            "retry": retry,
            "reject": reject,
            "on-fault": { "enum": ["fail", "quarantine"], "default": "fail", "description": "What becomes of rows that a stateless stage fails on" },
            "deadline": time("How long the stage may take, from its start to its end"),
            "checkpoint": { "type": "boolean", "description": "Whether what it passes on is kept for reruns; extracts unless given" },
            "parallel": { "type": "integer", "minimum": 1, "maximum": 256, "description": "Instances; by the machine's cores unless given" },
        }),
    );
    require(&mut stage, &["name", "plugin"]);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sluicebox pipeline",
        "type": "object",
        "additionalProperties": false,
        "required": ["pipeline", "stage"],
        "properties": {
            "pipeline": pipeline,
            "schedule": schedule,
            "monitor": monitor,
            "stage": { "type": "array", "minItems": 1, "items": stage },
        },
    })
}

fn require(table: &mut Value, keys: &[&str]) {
    if let Some(object) = table.as_object_mut() {
        object.insert("required".to_owned(), json!(keys));
    }
}

/// Adds what each plugin takes as `config`. Each schema keeps an identity of its own, so that its references stay its
/// own.
pub fn add_plugins<'a>(schema: &mut Value, plugins: impl Iterator<Item = (&'a str, &'a Value)>) {
    let mut names = Vec::new();
    let mut choices = Vec::new();
    for (name, options) in plugins {
        let mut options = options.clone();
        if let Some(object) = options.as_object_mut() {
            object.insert("$id".to_owned(), json!(format!("urn:sluicebox:plugin:{name}")));
        }
        choices.push(json!({
            "if": { "properties": { "plugin": { "const": name } }, "required": ["plugin"] },
            "then": { "properties": { "config": options } },
        }));
        names.push(name);
    }
    if let Some(stage) = schema.pointer_mut("/properties/stage/items").and_then(Value::as_object_mut)
        && !choices.is_empty()
    {
        stage.insert("allOf".to_owned(), Value::Array(choices));
        // A hint for completion only: a plugin may stand in a folder that the editor does not know.
        if let Some(plugin) = stage.get_mut("properties").and_then(|properties| properties.get_mut("plugin")) {
            *plugin = json!({
                "anyOf": [{ "enum": names }, { "type": "string", "minLength": 1 }],
                "description": "See `sluicebox plugins list`",
            });
        }
    }
}
