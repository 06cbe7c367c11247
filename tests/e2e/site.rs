//! Pages about pipelines, and the example of three that follow each other.

use sluicebox_tests::{Project, root};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const AT: &str = "2026-03-07T00:00:00Z";

/// A copy of the folder in `examples/`.
pub(crate) fn warehouse() -> Project {
    let project = Project::new();
    for name in
        ["carriers.toml", "flights.toml", "report.toml", "sluicebox.toml", "data/airlines.csv", "data/flights.csv"]
    {
        project.file(name, fs::read(root().join("examples/warehouse").join(name)).unwrap());
    }
    project
}

/// The pages by their paths.
fn pages(site: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in ["", "pipelines/"] {
        for entry in fs::read_dir(site.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "html") {
                let name = format!("{folder}{}", path.file_name().unwrap().to_str().unwrap());
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Every element is closed in the order in which it was opened, and every attribute is quoted. Answers with the elements and
/// their attributes.
fn elements(name: &str, page: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").unwrap_or_else(|| panic!("{name}: no doctype"));
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        assert!(open.last().is_some_and(|last| last == "style") || !text.contains('>'), "{name}: {text}");
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("{name}: an element without an end"));
        let inside = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(closed) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "{name}");
            continue;
        }
        let (inside, empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (element, mut attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        let mut all = BTreeMap::new();
        while !attributes.is_empty() {
            let (key, after) = attributes.split_once("=\"").unwrap_or_else(|| panic!("{name}: <{inside}>"));
            let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("{name}: <{inside}>"));
            assert!(all.insert(key.trim().to_owned(), value.to_owned()).is_none(), "{name}: <{inside}>");
            attributes = after;
        }
        if !empty {
            open.push(element.to_owned());
        }
        found.push((element.to_owned(), all));
    }
    assert!(open.is_empty(), "{name}: {open:?} left open");
    found
}

/// What has to hold of every page: well-formed, no script, nothing from elsewhere, every link leads somewhere.
fn check(pages: &BTreeMap<String, String>) {
    let ids: BTreeMap<&String, Vec<String>> = pages
        .iter()
        .map(|(name, page)| {
            (name, elements(name, page).into_iter().filter_map(|(_, all)| all.get("id").cloned()).collect())
        })
        .collect();
    for (name, page) in pages {
        let found = elements(name, page);
        let policy =
            found.iter().filter_map(|(_, all)| all.get("content")).find(|policy| policy.starts_with("default-src"));
        assert!(policy.unwrap().starts_with("default-src &#39;none&#39;; style-src &#39;sha256-"), "{policy:?}");
        for (element, all) in &found {
            assert!(!["script", "link", "img", "iframe", "object"].contains(&element.as_str()), "{name}: <{element}>");
            assert!(!all.keys().any(|key| key.starts_with("on") || key == "style" || key == "src"), "{name}: {all:?}");
            if element == "th" {
                assert!(all.contains_key("scope"), "{name}: {all:?}");
            }
            let Some(href) = all.get("href") else { continue };
            let (file, anchor) = href.split_once('#').unwrap_or((href, ""));
            let target = match file {
                "" => name.clone(),
                up if up.starts_with("../") => up.trim_start_matches("../").to_owned(),
                beside => name.rsplit_once('/').map_or(beside.to_owned(), |(folder, _)| format!("{folder}/{beside}")),
            };
            let there = ids.get(&target).unwrap_or_else(|| panic!("{name}: {href} leads nowhere"));
            assert!(anchor.is_empty() || there.iter().any(|id| id == anchor), "{name}: {href} leads nowhere");
        }
        let unique = &ids[name];
        assert!(unique.iter().all(|id| unique.iter().filter(|other| *other == id).count() == 1), "{name}: {unique:?}");
        assert_eq!(found.iter().filter(|(element, _)| element == "h1").count(), 1, "{name}");
    }
}

/// The story of the example, by hand, and the pages about it.
#[test]
fn a_house_is_described() {
    let project = warehouse();
    for name in ["carriers.toml", "flights.toml", "report.toml"] {
        project.sluicebox(&["run", name]).with_code(0);
    }
    project.sluicebox(&["check", "."]).with_code(0);
    let made = project.sluicebox(&["docs", ".", "-o", "site", "--at", AT, "--format", "json"]).with_code(0).json();
    assert_eq!(made["pages"].as_array().unwrap().len(), 3, "{made}");
    let first = pages(&project.path().join("site"));
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(names, ["index.html", "pipelines/carriers.html", "pipelines/flights.html", "pipelines/report.html"]);
    check(&first);
    let flights = &first["pipelines/flights.html"];
    for told in [
        "Flights out of New York, without those that make no sense",
        "operations",
        "the airline delivers data/flights.csv before midnight, New York time",
        "America/New_York",
        // Clocks go forward on the 8th.
        "Sun 2026-03-08 00:00:00 EST",
        "Mon 2026-03-09 00:00:00 EDT",
        "May read <code>data</code>; no network, no environment.",
        "dep_delay is not null",
        "is told; the row goes on",
        "The run fails if more than 10 % of the rows are rejected.",
        "At least 100 rows are loaded; else the run fails, and nothing is loaded.",
        "2 times at most",
        "Of failure, recovery, deadline, late, monitor: command <code>sh</code>.",
        "842",
        "has left",
        "warehouse/flights.csv",
        "Int64",
    ] {
        assert!(flights.contains(told), "{told}: {flights}");
    }
    let index = &first["index.html"];
    assert!(index.contains("report follows flights and carriers") && index.contains("<svg"), "{index}");
    assert!(first["pipelines/report.html"].contains("within 6 h of the first"));
    // The same again, into another folder: byte for byte.
    project.sluicebox(&["docs", ".", "-o", "again/site", "--at", AT]).with_code(0);
    assert!(first == pages(&project.path().join("again/site")), "two runs differ");
}

#[test]
fn hostile_texts_are_only_texts_and_secrets_stay_where_they_are() {
    let project = Project::new();
    let evil = "<script>alert('x')</script>\\\" onload=\\\"alert(1) & <!-- `]]>";
    project.file("in/a.csv", "id,<b>\n1,2\n").file(
        "evil.toml",
        format!(
            r#"
[pipeline]
name = "evil"
description = "{evil}"
owner = "{evil}"
assumptions = ["{evil}"]
[[alert]]
command = ["{evil}"]
[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in", "in/<i>"]
config = {{ path = "in/*.csv", null = ["{evil}", "${{env:SITE_TEST_SECRET}}"] }}
[[stage]]
name = "check"
plugin = "validate-rules"
config.rules = [{{ name = "{evil}", column = "<b>", not-in = [7] }}]
[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = {{ path = "out/a.csv" }}
"#
        ),
    );
    // No name, no plugin, no such pipeline: still a page.
    project.file(
        "broken.toml",
        format!("[pipeline]\nname = \"../<script>\"\n[schedule]\nafter = [\"nobody\"]\n[[stage]]\nname = \"<a href='x'>\"\nplugin = \"{evil}\"\n"),
    );
    project.file("torn.toml", "[pipeline]\nname = \"torn\n");
    let mut command = project.command(&["docs", ".", "--at", AT]);
    let secret = "correct-horse-battery";
    let ended = command.env("SITE_TEST_SECRET", secret).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("3 pipelines") && said.contains("cannot run"), "{said}");
    let made = pages(&project.path().join("site"));
    assert_eq!(made.len(), 4, "{:?}", made.keys());
    check(&made);
    for (name, page) in &made {
        assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("<a href='x'"), "{name}");
        assert!(!page.contains(secret), "{name}");
    }
    let evil = &made["pipelines/evil.html"];
    assert!(
        evil.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") && evil.contains("${env:SITE_TEST_SECRET}"),
        "{evil}"
    );
    let broken = made.values().filter(|page| page.contains("This pipeline cannot run")).count();
    assert!(broken >= 2, "{broken} pages say that their pipeline cannot run");
    assert!(made["index.html"].contains("Something is wrong"));
}

#[test]
fn only_a_folder_of_ours_is_written_into() {
    let project = warehouse();
    project.file("mine/thesis.txt", "mine");
    let refused = project.sluicebox(&["docs", ".", "-o", "mine"]).with_code(2);
    assert!(refused.stderr.contains("is not empty"), "{}", refused.stderr);
    project.sluicebox(&["docs", ".", "-o", "site"]).with_code(0);
    project.file("site/CNAME", "docs.example.org");
    fs::remove_file(project.path().join("report.toml")).unwrap();
    project.sluicebox(&["docs", ".", "-o", "site"]).with_code(0);
    assert!(!project.has("site/pipelines/report.html") && project.has("site/pipelines/flights.html"));
    assert_eq!(project.read("site/CNAME"), "docs.example.org");
    let empty = Project::new();
    let refused = empty.sluicebox(&["docs"]).with_code(2);
    assert!(refused.stderr.contains("there is no pipeline"), "{}", refused.stderr);
    assert!(!empty.has("site"));
}
