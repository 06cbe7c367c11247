//! How long a change takes to be seen by `plugin dev`: from the write of a source to the end of the round, with its build, the
//! cases, the stage's own tests and the pipeline on its sample.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Changes of each language; the median counts.
const CHANGES: usize = 5;

/// A language, the file of a transform to begin with, and a text in it that is changed.
const LANGUAGES: [(&str, &str, &str); 5] = [
    ("rust", "src/lib.rs", "Keeps rows by a number"),
    ("c", "stage.c", "Adds the ratio of two columns"),
    ("typescript", "stage.ts", "Adds the ratio of two columns"),
    ("go", "main.go", "Adds the ratio of two columns"),
    ("python", "stage.py", "Adds the ratio of two columns"),
];

struct Dev(Child, Lines<BufReader<ChildStdout>>);

impl Dev {
    /// Waits for the end of a round, which has to go well.
    fn round(&mut self) -> Result<()> {
        let mut told = String::new();
        for line in &mut self.1 {
            let line = line?;
            told.push_str(&format!("{line}\n"));
            if line.contains("waiting for changes") {
                ensure!(line.contains("all is well"), "{told}");
                return Ok(());
            }
        }
        anyhow::bail!("`plugin dev` ended: {told}")
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn print_table(sluicebox: &Path, tools: &Path) -> Result<()> {
    println!("\n| a change in | is seen after | slowest of {CHANGES} |");
    println!("| --- | --- | --- |");
    for (language, file, text) in LANGUAGES {
        let mut times = changes(sluicebox, tools, language, file, text)?;
        times.sort();
        let slowest = times.last().copied().unwrap_or_default();
        let median = crate::measure::median(times);
        println!("| {language} | **{:.1} s** | {:.1} s |", median.as_secs_f64(), slowest.as_secs_f64());
    }
    Ok(())
}

fn changes(sluicebox: &Path, tools: &Path, language: &str, file: &str, text: &str) -> Result<Vec<Duration>> {
    let folder = tempfile::tempdir()?;
    let command = |arguments: &[&str], at: &Path| {
        let mut command = Command::new(sluicebox);
        command.args(arguments).current_dir(at).env("SLUICEBOX_TOOLS", tools);
        command.env("CARGO_TARGET_DIR", tools.join("target"));
        command
    };
    let new = ["plugin", "new", "seen", "--kind", "transform", "--lang", language];
    ensure!(command(&new, folder.path()).stdout(Stdio::null()).status()?.success(), "no project in {language}");
    let project = folder.path().join("seen");
    let mut dev = command(&["plugin", "dev", "--yes"], &project);
    let mut child = dev.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let mut dev = Dev(child, lines);
    dev.round()?;
    let path = project.join(file);
    let source = std::fs::read_to_string(&path)?;
    ensure!(source.contains(text), "{file} has no {text:?}");
    let mut times = Vec::new();
    for change in 0..CHANGES {
        let changed = source.replace(text, &format!("{text}, {change}"));
        let begin = Instant::now();
        std::fs::write(&path, changed)?;
        dev.round()?;
        times.push(begin.elapsed());
    }
    Ok(times)
}
