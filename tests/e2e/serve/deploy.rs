//! What docs/deploy.md tells to write for systemd and for containers starts a host that is as it says.

use serde_json::Value;
use sluicebox_tests::serving::{Store, project, quick, until};
use sluicebox_tests::{Project, binary, root};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

/// The block of a language.
fn block(language: &str) -> String {
    let page = fs::read_to_string(root().join("docs/deploy.md")).unwrap();
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language}"));
    rest.split("\n```").next().unwrap().to_owned()
}

/// A project that stands where the documents have `/srv/pipelines` and so on.
fn house() -> (Project, BTreeMap<&'static str, String>) {
    let project = project();
    project.file("pipelines/p.toml", quick("p", "every = '1s'", "")).file("pipelines/in/rows.csv", "id,name\n1,a\n");
    project.file("out/here", "").file("state/here", "").file("cache/here", "");
    let at = |name: &str| project.path().join(name).display().to_string();
    let places = BTreeMap::from([
        ("/srv/pipelines", at("pipelines")),
        ("/pipelines", at("pipelines")),
        ("/var/lib/sluicebox", at("state")),
        ("/state", at("state")),
        ("/var/cache/sluicebox", binary().with_file_name("test-cache").display().to_string()),
        ("/cache", binary().with_file_name("test-cache").display().to_string()),
        ("/opt/sluicebox/sluicebox", binary().display().to_string()),
        ("sluicebox", binary().display().to_string()),
        ("127.0.0.1:7717", "127.0.0.1:0".to_owned()),
    ]);
    (project, places)
}

/// Starts what is told, waits until it is ready and has run a pipeline, asks it to end by a signal, and holds all that it told
/// to be one JSON object a line.
fn serves(project: &Project, words: &[String], variables: &[(String, String)], signal: &str) {
    let log = project.path().join("log");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).envs(variables.iter().cloned()).current_dir(project.path().join("pipelines"));
    // Its plugins stand elsewhere in tests.
    command.env("SLUICEBOX_PLUGINS", binary().with_file_name("test-plugins"));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let told = || fs::read_to_string(&log).unwrap();
    let url = until("it answers", told, || {
        let file: Value =
            serde_json::from_str(&fs::read_to_string(project.path().join("state/serve.json")).ok()?).ok()?;
        Some(file["url"].as_str()?.to_owned())
    });
    until("it is ready", told, || {
        let mut curl = Command::new("curl");
        let asked =
            curl.args(["--silent", "--fail", "--output", "/dev/null"]).arg(format!("{url}/readyz")).status().unwrap();
        asked.success().then_some(())
    });
    until("it runs pipelines", told, || told().contains("\"succeeded\"").then_some(()));
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", told());
    let lines = told();
    assert!(lines.lines().count() > 5, "{lines}");
    for line in lines.lines() {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["timestamp", "level", "message"] {
            assert!(object[key].is_string(), "no {key}: {line}");
        }
    }
    assert!(lines.lines().next_back().unwrap().contains("stopped"), "{lines}");
    drop(Store::of(project));
}

#[test]
fn the_unit_of_systemd() {
    let unit = block("ini");
    let (mut section, mut settings) = (String::new(), Vec::new());
    for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("no setting: {line}"));
        assert!(key.chars().all(char::is_alphanumeric) && key.starts_with(char::is_uppercase), "{line}");
        settings.push((section.clone(), key.to_owned(), value.to_owned()));
    }
    let of = |name: &str| -> Vec<&str> {
        let all = settings.iter().filter(|(section, key, _)| section == "Service" && key == name);
        all.map(|(_, _, value)| value.as_str()).collect()
    };
    // More than the grace that the host gives its runs, and the one signal that it takes for an end.
    let seconds = of("TimeoutStopSec")[0].trim_end_matches('s').parse::<u64>().unwrap();
    assert!(seconds > 30 && of("KillSignal") == ["SIGTERM"], "{settings:?}");
    let (project, places) = house();
    let meant = |word: &str| {
        let (key, value) = word.split_once('=').map_or(("", word), |(key, value)| (key, value));
        let value = places.get(value).cloned().unwrap_or_else(|| value.to_owned());
        (key.to_owned(), value)
    };
    let words: Vec<String> = of("ExecStart")[0].split_whitespace().map(|word| meant(word).1).collect();
    let variables: Vec<(String, String)> = of("Environment").into_iter().map(meant).collect();
    assert_eq!(variables.len(), 3, "{variables:?}");
    serves(&project, &words, &variables, "-TERM");
    // Where there is systemd, it is asked.
    let file = project.path().join("sluicebox.service");
    fs::write(&file, unit.replace("/opt/sluicebox/sluicebox", &words[0])).unwrap();
    if let Ok(asked) = Command::new("systemd-analyze").arg("verify").arg(&file).output() {
        let said = String::from_utf8_lossy(&asked.stderr);
        assert!(!said.contains("Unknown") && !said.contains("Failed to parse"), "{said}");
    }
}

#[test]
fn the_image() {
    let file = block("dockerfile").replace("\\\n", " ");
    let line = |word: &str| -> Vec<String> {
        let all = file.lines().filter_map(|line| line.strip_prefix(word)).map(|rest| rest.trim().to_owned());
        all.collect()
    };
    let list = |word: &str| -> Vec<String> { serde_json::from_str(&line(word)[0]).unwrap() };
    let (project, places) = house();
    let meant = |word: &str| places.get(word).cloned().unwrap_or_else(|| word.to_owned());
    let words: Vec<String> = [list("ENTRYPOINT"), list("CMD")].concat().iter().map(|word| meant(word)).collect();
    let cache =
        line("ENV")[0].split_whitespace().find_map(|pair| pair.strip_prefix("SLUICEBOX_CACHE=")).unwrap().to_owned();
    let signal = line("STOPSIGNAL")[0].replace("SIG", "-");
    serves(&project, &words, &[("SLUICEBOX_CACHE".to_owned(), meant(&cache))], &signal);
    // What is copied is what is built, where the command of the build puts it.
    assert!(line("RUN").contains(&"cargo xtask build --dist".to_owned()), "{file}");
    for name in ["sluicebox", "plugins"] {
        let copied =
            line("COPY").iter().any(|copy| copy.contains(&format!("/src/target/dist/{name} /opt/sluicebox/{name}")));
        assert!(copied, "{name} is not copied: {file}");
    }
    // The health check asks where the host answers.
    let address = list("CMD").iter().find(|word| word.contains(':')).unwrap().clone();
    assert!(file.contains(&format!("http://{address}/healthz")), "{file}");
}
