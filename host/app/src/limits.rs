//! All limits on one page, `docs/limits.md`: made of what each crate states of itself, and held to it by a test.

use crate::check::options;
use crate::telemetry::{export, metrics, spans};
use crate::{api, interval, journal, lock, secrets, serve, wiring};
use sluicebox_model::limits::{Bound, Limits, Stated};
use sluicebox_model::pipeline::{self, Otlp};
use sluicebox_model::retention::Retention;
use std::fmt::Write as _;

/// A part of the page.
type Part = (&'static str, &'static str, Vec<Stated>);

fn parts() -> Vec<Part> {
    vec![
        (
            "A stage",
            "Each holds for every instance of the stage. Keys stand at the stage, in the pipeline file.",
            Limits::stated(),
        ),
        (
            "What a guest may make and say",
            "What is beyond is cut or refused, or ends the instance.",
            sluicebox_sandbox::stated(),
        ),
        ("The network", "For stages that are granted some of it.", sluicebox_sandbox::stated_of_network()),
        ("A run", "", sluicebox_runner::stated()),
        ("Compiled plugins", "", sluicebox_sandbox::stated_of_cache()),
        ("Files", "A file that is larger is refused before it is read.", files()),
        ("What a pipeline file may say", "", pipeline::stated()),
        (
            "What is kept",
            "Keys stand in `sluicebox.toml`. What the last run of a pipeline left, and what a run without an end left, always \
             stays.",
            Retention::stated(),
        ),
        ("The store", "", sluicebox_store::stated()),
        ("Schedules", "", sluicebox_schedule::stated()),
        ("`serve`", "Keys stand in `sluicebox.toml`.", serve::stated()),
        ("The API", "", api::stated()),
        ("Alerts", "", sluicebox_alert::stated()),
        ("Telemetry", "Keys stand in `sluicebox.toml`.", telemetry()),
        ("Projects of plugins", "", sluicebox_toolchain::stated()),
        ("Test cases of plugins", "", sluicebox_cases::stated()),
    ]
}

fn files() -> Vec<Stated> {
    vec![
        Stated::fixed("a pipeline file", Bound::Bytes(wiring::FILE_BYTES_MAX)),
        Stated::fixed("a file that `${file:PATH}` names", Bound::Bytes(secrets::FILE_BYTES_MAX)),
        Stated::fixed("`sluicebox.lock`", Bound::Bytes(lock::BYTES_MAX)),
        Stated::count("folders above in which `sluicebox.lock` is looked for", lock::ABOVE_MAX),
        Stated::count("intervals of one backfill", usize::try_from(interval::INTERVALS_MAX).unwrap_or(usize::MAX)),
        Stated::count("earlier runs that monitors compare with", journal::EARLIER_RUNS as usize),
        Stated::count("schemas of options that are kept ready", options::COMPILED_MAX),
    ]
}

fn telemetry() -> Vec<Stated> {
    vec![
        Stated::count("spans and metrics that wait to be sent", export::WAITING_MAX),
        Stated::time("the answer of the collector", export::ANSWER_MAX),
        Stated::bytes("a text in a span", spans::TEXT_MAX),
        Stated::count("pipelines with metrics of their own", metrics::PIPELINES_MAX),
        Stated::keyed("calls of a stage with a span of their own", Bound::Count(Otlp::CALLS.into()), "otlp.calls"),
    ]
}

/// The page.
pub fn page() -> String {
    let mut page = String::from(
        "# Limits\n\nEverything is bounded. Where a key is named, it changes the default; the others are fixed. This page is made \
         from the code;\na test keeps it so.\n",
    );
    for (title, text, limits) in parts() {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n");
        if !text.is_empty() {
            let _ = write!(page, "{text}\n\n");
        }
        page.push_str("| what | at most | key |\n| --- | --- | --- |\n");
        for Stated { what, bound, key } in limits {
            let key = key.map_or_else(|| "fixed".to_owned(), |key| format!("`{key}`"));
            let _ = writeln!(page, "| {what} | {bound} | {key} |");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;
    use std::path::Path;

    /// `docs/limits.md` is what the code says. Written anew with `INSTA_UPDATE=always`.
    #[test]
    fn the_page_of_limits_is_what_the_code_says() {
        let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        let path = Path::new(&here).join("../../docs/limits.md");
        let now = page();
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, &now).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == now, "docs/limits.md is not what the code says; write it anew with INSTA_UPDATE=always");
    }

    /// A key that the page names is one that the file takes.
    #[test]
    fn the_keys_of_the_page_are_keys_of_the_files() {
        let keys: Vec<&str> = parts().iter().flat_map(|(_, _, limits)| limits).filter_map(|limit| limit.key).collect();
        assert!(keys.len() >= 14, "{keys:?}");
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "a key stands twice: {keys:?}");
        for key in keys {
            let value = ["\"7s\"", "\"7MiB\"", "7"];
            let taken = value.iter().any(|value| match key.split_once('.') {
                Some(("limits", _)) => {
                    let head = "[pipeline]\nname = \"p\"\n[[stage]]\nname = \"s\"\nplugin = \"extract-csv\"\n";
                    pipeline::parse(&format!("{head}{key} = {value}\n")).is_ok()
                }
                _ => {
                    let needed =
                        if key.starts_with("otlp") { "otlp.endpoint = \"http://127.0.0.1:4318\"\n" } else { "" };
                    pipeline::settings(&format!("{needed}{key} = {value}\n")).is_ok()
                }
            });
            assert!(taken, "no file takes `{key}`");
        }
    }

    /// Every limit of the code that is called one stands on the page.
    #[test]
    fn what_is_called_a_limit_is_stated() {
        // Bounds of what is shown and of our own waiting, which nobody comes to by what he gives.
        const SHOWN: [&str; 8] = ["show", "site", "cli", "client.rs", "text.rs", "keeping.rs", "built.rs", "lines.rs"];
        // Limits by other names.
        const OTHERS: [&str; 6] = ["DOUBT_AFTER", "GRACE", "HOST_STACK", "PROBES", "TAIL_LINES", "TICK"];
        let host = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("..");
        let mut missing = Vec::new();
        let mut seen = 0;
        walk(&host, &mut |path, text| {
            for line in text.lines() {
                let Some(rest) =
                    line.trim_start_matches("pub(crate) ").trim_start_matches("pub ").strip_prefix("const ")
                else {
                    continue;
                };
                let Some((name, _)) = rest.split_once(':') else { continue };
                if !name.ends_with("_MAX") && !OTHERS.contains(&name) {
                    continue;
                }
                seen += 1;
                let crate_folder = path.ancestors().find(|above| above.join("Cargo.toml").exists()).unwrap();
                let mut stated = String::new();
                walk(&crate_folder.join("src"), &mut |path, text| {
                    if path
                        .file_name()
                        .is_some_and(|name| name == "stated.rs" || name == "limits.rs" || name == "parse.rs")
                    {
                        stated.push_str(text);
                    }
                });
                let is_shown = path.iter().any(|part| SHOWN.iter().any(|shown| part == *shown));
                let is_stated = stated.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).any(|word| word == name);
                if !is_stated && !is_shown {
                    missing.push(format!("{name} in {}", path.display()));
                }
            }
        });
        assert!(seen > 40, "{seen} constants were seen");
        assert!(missing.is_empty(), "not on the page of limits: {missing:#?}");
    }

    fn walk(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "tests") {
                    walk(&path, look);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                look(&path, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}
