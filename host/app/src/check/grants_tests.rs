#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use serde_json::json;
use sluicebox_model::pipeline;
use sluicebox_model::plugin::Kind;

const ALL: [(Capability, &str); 7] = [
    (Capability::ReadFiles, "grants.read = [\"data\"]"),
    (Capability::WriteFiles, "grants.write = [\"data\"]"),
    (Capability::Http, "grants.http = [\"https://api.example.com\"]"),
    (Capability::Tcp, "grants.tcp = [\"db.internal:5432\"]"),
    (Capability::Environment, "grants.env = [\"NAME\"]"),
    (Capability::Clock, "grants.clock = true"),
    (Capability::Random, "grants.random = true"),
];

fn plugin(capabilities: &[Capability]) -> Description {
    Description {
        name: "it".to_owned(),
        version: "1.0.0".to_owned(),
        kind: Kind::Transform,
        summary: String::new(),
        config_schema: json!({}),
        capabilities: capabilities.to_vec(),
        stateless: true,
        splittable: false,
    }
}

/// What is told of a stage with these lines.
fn told(lines: &str, asks: &[Capability], may_use: &[Capability]) -> Vec<(ProblemLevel, String, String)> {
    let text = format!("[pipeline]\nname = \"p\"\n[[stage]]\nname = \"s\"\nplugin = \"it\"\n{lines}\n");
    let pipeline = pipeline::parse(&text).unwrap();
    let problems = against(&pipeline.stages[0], &plugin(asks), may_use);
    problems.into_iter().map(|it| (it.level, it.message, it.help.unwrap_or_default())).collect()
}

#[test]
fn what_is_asked_and_granted_is_nothing_to_tell() {
    for (capability, line) in ALL {
        assert!(told(line, &[capability], &[capability]).is_empty(), "{line}");
    }
    assert!(told("", &[], &ALL.map(|(capability, _)| capability)).is_empty());
}

#[test]
fn what_is_asked_and_not_granted_is_told_with_the_line_to_add() {
    for (capability, line) in ALL {
        let told = told("", &[capability], &[capability]);
        match capability {
            // The run has its own.
            Capability::Clock | Capability::Random => {
                let [(ProblemLevel::Warning, message, help)] = told.as_slice() else { panic!("{line}: {told:?}") };
                assert!(message.contains(&format!("has no `{}`", capability.grant_key())), "{message}");
                assert!(help.starts_with(&format!("add `{line}`; without it its ")), "{help}");
                // Who says so, means it.
                let meant = line.replace("true", "false");
                assert!(self::told(&meant, &[capability], &[capability]).is_empty(), "{meant}");
            }
            _ => {
                let [(level, message, help)] = told.as_slice() else { panic!("{line}: {told:?}") };
                let warns = capability == Capability::Environment;
                assert_eq!(*level, if warns { ProblemLevel::Warning } else { ProblemLevel::Error });
                assert!(message.contains(&format!("has no `{}`", capability.grant_key())), "{message}");
                assert_eq!(*help, format!("add `{line}`"));
            }
        }
    }
}

#[test]
fn what_is_granted_and_never_asked_for_is_told() {
    for (capability, line) in ALL {
        for (may_use, words) in
            [(vec![capability], "a stage should have what it needs and no more"), (vec![], "it does nothing")]
        {
            let told = told(line, &[], &may_use);
            let [(level, message, help)] = told.as_slice() else { panic!("{line}: {told:?}") };
            assert_eq!(*level, ProblemLevel::Warning);
            assert!(message.contains("but plugin `it` never asks for it"), "{message}");
            assert!(help.contains(words), "{line}: {help}");
        }
    }
}

#[test]
fn a_plugin_that_asks_for_what_it_cannot_use_is_told() {
    for (capability, line) in ALL {
        let told = told(line, &[capability], &[]);
        let [(ProblemLevel::Warning, message, _)] = told.as_slice() else { panic!("{line}: {told:?}") };
        assert!(message.contains("its component imports nothing that could use it"), "{message}");
    }
}

#[test]
fn a_grant_wider_than_its_ask_is_told() {
    let uses = [Capability::ReadFiles, Capability::WriteFiles];
    let told_of = told("grants.write = [\"data\", \"in\"]", &[Capability::ReadFiles], &uses);
    let [(ProblemLevel::Warning, message, help)] = told_of.as_slice() else { panic!("{told_of:?}") };
    assert!(message.contains("only asks to read"), "{message}");
    assert!(help.contains("write `grants.read = [\"data\", \"in\"]` instead"), "{help}");
    let http = "grants.http = [\"https://a.example\"]\n";
    let http_alone = [Capability::Http];
    for (line, words) in [
        ("grants.networks = [\"0.0.0.0/0\"]", "of every address there is"),
        ("grants.networks = [\"8.8.8.0/24\"]", "for 8.8.8.0/24, which is public"),
    ] {
        let told = told(&format!("{http}{line}"), &http_alone, &http_alone);
        let [(ProblemLevel::Warning, message, _)] = told.as_slice() else { panic!("{told:?}") };
        assert!(message.contains(words), "{message}");
    }
    assert!(told(&format!("{http}grants.networks = [\"10.0.0.0/8\"]"), &http_alone, &http_alone).is_empty());
    let alone = told("grants.networks = [\"10.0.0.0/8\"]", &[], &[]);
    assert!(alone[0].1.contains("but neither `http` nor `tcp`"), "{alone:?}");
}

#[test]
fn the_folder_of_a_path() {
    assert_eq!(folder_of(&json!({"path": "data/a.csv"})), "data");
    assert_eq!(folder_of(&json!({"path": "a.csv"})), ".");
    assert_eq!(folder_of(&json!({"path": "data/2013-*/a.csv"})), "data");
    assert_eq!(folder_of(&json!({"path": "*/a.csv"})), ".");
    assert_eq!(folder_of(&json!({"path": "/a.csv"})), "/");
    assert_eq!(folder_of(&json!({})), "data");
}

#[test]
fn the_server_of_a_url() {
    let server = |config| server_of(&config).unwrap_or_default();
    assert_eq!(server(json!({"url": "https://api.example.com/v1?key=x"})), "https://api.example.com");
    assert_eq!(server(json!({"to": {"urls": ["http://u:p@a.example:8080/x"]}})), "http://a.example:8080");
    assert_eq!(server(json!({"url": "${env:URL}", "path": "a/b"})), "");
    assert_eq!(address_of(&json!({"host": "db.internal:5432"})).unwrap(), "db.internal:5432");
    assert_eq!(address_of(&json!({"url": "postgres://u:p@db.internal:5432/x"})).unwrap(), "db.internal:5432");
    assert_eq!(address_of(&json!({"host": "db.internal"})), None);
}
