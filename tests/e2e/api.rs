//! The HTTP API of a running `serve`, asked by curl.

use serde_json::Value;
use sluicebox_tests::serving::until;
use sluicebox_tests::{Project, root, told};
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::process::{Child, Command, Stdio};

/// A running `serve`, ended with the value.
pub(crate) struct Serving {
    child: Child,
    log: BufReader<PipeReader>,
    url: String,
}

impl Serving {
    pub(crate) fn begin(project: &Project) -> Self {
        let mut command = project.command(&["serve", "--address", "127.0.0.1:0", "--log", "json"]);
        let (reads, writes) = std::io::pipe().unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writes).spawn().unwrap();
        // The other end is the child's alone.
        drop(command);
        let mut serving = Self { child, log: BufReader::new(reads), url: String::new() };
        let mut all = String::new();
        while serving.url.is_empty() {
            let mut line = String::new();
            assert!(serving.log.read_line(&mut line).unwrap() > 0, "serve ended:\n{all}");
            all += &line;
            if let Some((_, rest)) = line.split_once("the API answers at ") {
                serving.url = rest.split(';').next().unwrap().to_owned();
            }
        }
        serving
    }

    /// Status and body of what curl is answered.
    pub(crate) fn curl(&self, arguments: &[&str], path: &str) -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "120", "--write-out", "\n%{http_code}"]).args(arguments);
        let output = curl.arg(format!("{}{path}", self.url)).stdin(Stdio::null()).output().expect("curl starts");
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.curl(&[], path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn post(&self, project: &Project, path: &str, body: &str) -> (u16, Value) {
        let bearer = format!("Authorization: Bearer {}", project.read(".sluicebox/api.token").trim());
        let json = "Content-Type: application/json";
        let (status, body) = self.curl(&["-X", "POST", "-H", &bearer, "-H", json, "--data", body], path);
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }

    /// The names of a run's events, as they come, up to its end.
    fn follow(&self, run: &str) -> Vec<String> {
        let (status, text) =
            self.curl(&["--no-buffer", "-H", "Accept: text/event-stream"], &format!("/api/v1/runs/{run}/events"));
        assert_eq!(status, 200, "{text}");
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let name = |event: &str| serde_json::from_str::<Value>(event).unwrap()["event"].as_str().unwrap().to_owned();
        events.map(name).collect()
    }

    /// Asks it to end; answers with its exit code.
    fn end(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut rest = String::new();
        let _ = self.log.read_to_string(&mut rest);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_pipeline_is_run_and_followed() {
    let project = Project::flights();
    let serving = Serving::begin(&project);
    assert_eq!(serving.get("/readyz")["ok"], true);
    let pipelines = serving.get("/api/v1/pipelines");
    assert_eq!(pipelines["pipelines"][0]["name"], "flights");
    let runs = "/api/v1/pipelines/flights/runs";
    assert_eq!(serving.curl(&["-X", "POST"], runs).0, 401);
    assert_eq!(serving.curl(&["-X", "POST", "-H", "Authorization: Bearer no"], runs).0, 401);
    assert_eq!(serving.get("/api/v1/runs")["runs"].as_array().unwrap().len(), 0);

    let (status, started) = serving.post(&project, runs, "{}");
    assert_eq!(status, 202, "{started}");
    let run = started["run"].as_str().unwrap();
    let events = serving.follow(run);
    assert_eq!((events.first().unwrap().as_str(), events.last().unwrap().as_str()), ("run-queued", "run-succeeded"));
    assert_eq!(
        serving
            .curl(
                &["-H", "Accept: text/event-stream", "-H", "Last-Event-ID: 1000"],
                &format!("/api/v1/runs/{run}/events")
            )
            .0,
        204
    );

    // The API and the commands tell the same, in the same words.
    let same = |path: &str, arguments: &[&str]| {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--format", "json"]);
        let told = project.sluicebox(&arguments).with_code(0).json();
        let mut answered = serving.get(path);
        // Pages are of the API alone.
        answered.as_object_mut().unwrap().remove("next");
        assert_eq!(answered, told, "{path}");
    };
    same(&format!("/api/v1/runs/{run}"), &["runs", "show", run]);
    same("/api/v1/runs", &["runs"]);
    same(&format!("/api/v1/runs/{run}/logs"), &["logs", run]);
    same(&format!("/api/v1/quarantine/{run}"), &["quarantine", "show", run]);
    same("/api/v1/quarantine", &["quarantine", "list"]);
    same("/api/v1/bookmarks", &["bookmarks"]);

    let (status, refused) = serving.post(&project, &format!("/api/v1/runs/{run}/cancel"), "");
    assert_eq!(status, 409, "{refused}");
    let (status, again) = serving.post(&project, &format!("/api/v1/runs/{run}/rerun"), "{\"latest\": true}");
    assert_eq!(status, 202, "{again}");
    let again = again["run"].as_str().unwrap();
    assert_eq!(serving.follow(again).last().unwrap(), "run-succeeded");
    assert_eq!(serving.get(&format!("/api/v1/runs/{again}"))["repeats"], run);
    let (status, missing) = serving.post(&project, "/api/v1/pipelines/flihgts/runs", "{}");
    assert_eq!((status, missing["error"]["help"].as_str().unwrap().contains("flights")), (404, true), "{missing}");

    let (_, metrics) = serving.curl(&[], "/metrics");
    assert!(metrics.contains("sluicebox_runs_total{pipeline=\"flights\",state=\"succeeded\"} 2\n"), "{metrics}");
    // The end of a run is told a little before its instances are gone.
    let idle = || serving.curl(&[], "/metrics").1.contains("\nsluicebox_instances 0\n").then_some(());
    until("no instance outlives its run", String::new, idle);
    let value = |name: &str| -> u64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}: {metrics}"))
    };
    assert!(value("sluicebox_instances_total") >= 12, "two runs of six stages: {metrics}");
    let known = value("sluicebox_compile_cache_hits_total") + value("sluicebox_compile_cache_misses_total");
    assert!(known >= 5, "{metrics}");
    assert!(value("sluicebox_compile_cache_bytes") > 100_000, "{metrics}");
    assert_eq!(serving.end(), Some(0));
}

/// A client that `openapi-python-client` makes of docs/openapi.json drives a run from its start to its repetition.
#[test]
fn a_generated_client_runs_a_pipeline() {
    let project = Project::flights();
    let serving = Serving::begin(&project);
    let packages = told("SLUICEBOX_TEST_CLIENT");
    let python = |arguments: &[&str]| {
        let mut python = Command::new("python3");
        python.args(arguments).env("PYTHONPATH", &packages).current_dir(project.path()).stdin(Stdio::null());
        let ended = python.output().expect("python3 starts");
        let (said, wrong) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success(), "{arguments:?}: {said}{wrong}");
        said.into_owned()
    };
    let described = root().join("docs/openapi.json").display().to_string();
    let generate = ["-m", "openapi_python_client", "generate", "--path", &described];
    python(&[&generate[..], &["--meta", "none", "--output-path", "client"]].concat());
    let token = project.read(".sluicebox/api.token");
    let script = root().join("tests/e2e/generated_client.py").display().to_string();
    let said = python(&[&script, &serving.url, token.trim()]);
    assert_eq!(said, "queued, succeeded, repeated, refused\n");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn strangers_are_refused() {
    let project = Project::flights();
    let serving = Serving::begin(&project);
    assert_eq!(serving.curl(&["-H", "Host: evil.example"], "/api/v1/runs").0, 403);
    assert_eq!(serving.curl(&["-H", "Origin: https://evil.example"], "/api/v1/runs").0, 403);
    let bearer = format!("Authorization: Bearer {}", project.read(".sluicebox/api.token").trim());
    let huge = project.path().join("huge");
    std::fs::File::create(&huge).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let body = format!("@{}", huge.display());
    for more in ["Expect: 100-continue", "Expect:", "Transfer-Encoding: chunked"] {
        let arguments = ["-X", "POST", "-H", &bearer, "-H", more, "--data-binary", &body];
        assert_eq!(serving.curl(&arguments, "/api/v1/pipelines/flights/runs").0, 413, "{more}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let token = std::fs::metadata(project.path().join(".sluicebox/api.token")).unwrap();
        assert_eq!(token.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(serving.get("/api/v1/runs")["runs"].as_array().unwrap().len(), 0);
    assert_eq!(serving.end(), Some(0));

    let open = project.sluicebox(&["serve", "--address", "0.0.0.0:0"]).with_code(2);
    assert!(open.stderr.contains("without TLS") && open.stderr.contains("--tls-cert"), "{}", open.stderr);
}
