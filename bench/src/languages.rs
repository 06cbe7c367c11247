//! The same transform in each language, beside the one in Rust: rows a second, memory, and how long it takes to be there.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const LANGUAGES: [&str; 5] = ["rust", "c", "go", "python", "typescript"];

/// Builds `join-text` of every language and measures each with the very same rows, in one run.
pub(crate) fn print_table(sluicebox: &Path, tools: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins");
    let sluicebox = |arguments: &[&str], cache: &Path| -> Result<String> {
        let mut command = Command::new(sluicebox);
        command.args(arguments).current_dir(folder.path()).env("SLUICEBOX_TOOLS", tools).env("SLUICEBOX_CACHE", cache);
        let output = command.env("CARGO_TARGET_DIR", tools.join("target")).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "sluicebox {}: {said}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let cache = folder.path().join("cache");
    for language in LANGUAGES {
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(examples.join(language).join("join-text")).arg(folder.path().join(language));
        anyhow::ensure!(copy.status()?.success(), "the example in {language} cannot be copied");
        let _ = std::fs::remove_file(folder.path().join(language).join(".tools"));
        sluicebox(&["plugin", "build", language, "--yes", "--into", "plugins"], &cache)?;
    }
    println!(
        "\n| join-text in | rows a second | of Rust | memory | component | cold start | warm start | an instance | first batch |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut of_rust = None;
    for language in LANGUAGES {
        let name = format!("join-text-{language}");
        let file = folder.path().join("plugins").join(format!("{name}.wasm"));
        // A cache of its own, so that it is compiled once more; then a process that finds it there.
        let own = folder.path().join(format!("cache-{language}"));
        let checked = ["check", &format!("{language}.toml")];
        let pipeline = format!(
            "[pipeline]\nname = \"one\"\n\n[[stage]]\nname = \"read\"\nplugin = \"extract-csv\"\ngrants.read = [\".\"]\n\
             config = {{ path = \"rows.csv\" }}\n\n[[stage]]\nname = \"join\"\nplugin = \"{name}\"\n\
             config = {{ columns = [\"a\", \"b\"] }}\n\n[[stage]]\nname = \"out\"\nplugin = \"load-csv\"\n\
             grants.write = [\".\"]\nconfig = {{ path = \"out.csv\" }}\n"
        );
        std::fs::write(folder.path().join(format!("{language}.toml")), pipeline)?;
        std::fs::write(folder.path().join("rows.csv"), "a,b\nx,y\n")?;
        // The standard plugins of the pipeline are compiled before.
        sluicebox(&["plugins", "show", "extract-csv"], &own)?;
        sluicebox(&["plugins", "show", "load-csv"], &own)?;
        let begin = Instant::now();
        sluicebox(&checked, &own)?;
        let cold = begin.elapsed();
        let mut warm = Vec::new();
        for _ in 0..5 {
            let begin = Instant::now();
            sluicebox(&checked, &own)?;
            warm.push(begin.elapsed());
        }
        let warm = crate::measure::median(warm);
        let bench =
            ["plugin", "bench", language, "--case", "joins two columns", "--seconds", "3", "--format", "json", "--yes"];
        let told: Value = serde_json::from_str(&sluicebox(&bench, &cache)?)?;
        let ours = told.pointer("/plugins/0").context("no figures")?;
        let number = |key: &str| ours.get(key).and_then(Value::as_f64).context("no figures");
        let rows = number("rows-per-second")?;
        let ratio = rows / *of_rust.get_or_insert(rows);
        println!(
            "| {language} | {:.2} million | **{ratio:.2}** | {:.1} MB | {:.1} MB | {:.1} s | {:.0} ms | {:.2} ms | {:.1} ms |",
            rows / 1e6,
            number("memory-bytes")? / 1e6,
            std::fs::metadata(&file)?.len() as f64 / 1e6,
            cold.as_secs_f64(),
            warm.as_secs_f64() * 1e3,
            number("instance-seconds")? * 1e3,
            number("first-batch-seconds")? * 1e3,
        );
    }
    Ok(())
}
