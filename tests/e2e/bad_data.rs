//! Every kind of bad data is told so that whoever owns the data knows what is wrong, where, and what to do.

use sluicebox_tests::Project;

/// What is read: a file's name, its content, and the extract's options.
struct Case {
    name: &'static str,
    file: &'static str,
    content: &'static [u8],
    plugin: &'static str,
    config: &'static str,
}

const fn csv(name: &'static str, content: &'static [u8], config: &'static str) -> Case {
    Case { name, file: "data/rows.csv", content, plugin: "extract-csv", config }
}

const fn json(name: &'static str, content: &'static [u8], config: &'static str) -> Case {
    Case { name, file: "data/rows.jsonl", content, plugin: "extract-jsonl", config }
}

const CASES: [Case; 24] = [
    csv("csv-not-a-number", b"id,n\n1,2\n2,three\n", "types = { n = 'int64' }"),
    csv("csv-not-a-number-behind-the-sample", b"id,n\n1,2\n2,3\n3,four\n", "sample-rows = 2"),
    csv("csv-too-large-a-number", b"n\n99999999999999999999\n", "types = { n = 'int64' }"),
    csv("csv-not-a-date", b"day\n2025-02-30\n", "types = { day = 'date' }"),
    csv("csv-not-a-timestamp", b"at\nyesterday\n", "types = { at = 'timestamp' }"),
    csv("csv-not-a-boolean", b"yes\nmaybe\n", "types = { yes = 'boolean' }"),
    csv("csv-too-few-fields", b"a,b,c\n1,2,3\n4,5\n", ""),
    csv("csv-too-many-fields", b"a,b\n1,2\n3,4,5\n", ""),
    csv("csv-quote-never-closed", b"a,b\n1,\"two\n3,4\n", ""),
    csv("csv-text-behind-a-quote", b"a,b\n1,\"two\"2\n", ""),
    csv("csv-not-utf-8", b"a,b\n1,caf\xe9\n", ""),
    csv("csv-header-twice", b"a,b,a\n1,2,3\n", ""),
    csv("csv-empty", b"", ""),
    csv("csv-type-of-no-column", b"a,b\n1,2\n", "types = { c = 'int64' }"),
    csv("csv-truncated-gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b], ""),
    csv("csv-damaged-zstd", &[0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff], ""),
    csv(
        "csv-record-too-long",
        b"a\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        "max-record-bytes = 20",
    ),
    csv("csv-no-such-file", b"a\n1\n", "path = 'data/other.csv'"),
    csv("csv-not-granted", b"a\n1\n", "path = '/etc/hostname'"),
    json("json-broken", b"{\"a\": 1}\n{\"a\": \n", ""),
    json("json-no-object", b"{\"a\": 1}\n[1, 2]\n", ""),
    json("json-wrong-type", b"{\"a\": 1}\n{\"a\": \"one\"}\n", "types = { a = 'int64' }"),
    json("json-not-utf-8", b"{\"a\": \"caf\xe9\"}\n", ""),
    json("json-two-on-a-line", b"{\"a\": 1} {\"a\": 2}\n", ""),
];

fn project(case: &Case) -> Project {
    let project = Project::new();
    project.file(case.file, case.content);
    let path = if case.config.contains("path = ") { String::new() } else { format!("path = '{}', ", case.file) };
    project.file(
        "pipeline.toml",
        format!(
            "[pipeline]\nname = 'bad-data'\n\n[[stage]]\nname = 'read'\nplugin = '{}'\ngrants.read = ['data']\n\
             config = {{ {path}{} }}\n\n[[stage]]\nname = 'out'\nplugin = 'load-csv'\ngrants.write = ['out']\n\
             config.path = 'out/rows.csv'\n",
            case.plugin, case.config
        ),
    );
    project
}

#[test]
fn bad_data_is_told() {
    for case in &CASES {
        let project = project(case);
        let ended = project.sluicebox(&["run", "pipeline.toml"]);
        assert!(matches!(ended.code, Some(1 | 2)), "{}:\n{}\n{}", case.name, ended.stdout, ended.stderr);
        assert!(!project.has("out/rows.csv"), "{} was loaded", case.name);
        // Found as the source was opened: a report that points into the file. Found while rows moved: the run's fault.
        let told = if ended.code == Some(2) {
            ended.stderr
        } else {
            let fault =
                project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json()["fault"].clone();
            let line = |key: &str| fault[key].as_str().map(|text| format!("{key}: {text}\n")).unwrap_or_default();
            line("stage") + &line("call") + &line("kind") + &line("message") + &line("help")
        };
        insta::with_settings!({
            snapshot_path => "../bad-data",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(case.name, project.normalise(&told));
        });
    }
}

/// With `broken-rows = "quarantine"` the good rows are loaded and the others kept, with the line that each stood on.
#[test]
fn broken_rows_can_be_set_aside() {
    let csv = csv("csv", b"id,n\n1,2\n2,three\n3,4,5\n4,5\n", "types = { n = 'int64' }, broken-rows = 'quarantine'");
    let json = json("json", b"{\"a\": 1}\n{\"a\":\n{\"a\": 3}\n", "broken-rows = 'quarantine'");
    for (case, rows, lines) in [(csv, 2, vec!["rows.csv:3", "rows.csv:4"]), (json, 2, vec!["rows.jsonl:2"])] {
        let project = project(&case);
        project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
        assert_eq!(project.read("out/rows.csv").lines().count(), rows + 1, "{}", case.name);
        let shown = project.sluicebox(&["quarantine", "show", "last"]).with_code(0).stdout;
        for line in lines {
            assert!(shown.contains(line), "{shown}");
        }
    }
}
