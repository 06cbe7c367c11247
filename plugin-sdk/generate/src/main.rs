//! Writes what is made of the contract, or checks it.

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let repository = sluicebox_generate::repository();
    let stale = sluicebox_generate::stale(&repository)?;
    if std::env::args().any(|argument| argument == "--check") {
        for path in &stale {
            eprintln!("{path} is not what wit/stage.wit makes it: cargo run -p sluicebox-generate");
        }
        return Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let made = sluicebox_generate::files(&repository.join("wit"))?;
    for path in stale {
        let target = repository.join(&path);
        if let (Some(folder), Some(text)) = (target.parent(), made.get(&path)) {
            std::fs::create_dir_all(folder)?;
            std::fs::write(&target, text)?;
            println!("{path}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
