//! Commands reach the host of their state folder, wherever and however its API listens.

use rcgen::{CertificateParams, KeyPair};
use sluicebox_tests::Project;
use sluicebox_tests::serving::{Serving, project, quick, text};
use std::process::Command;

/// Status of what curl is answered, which trusts this certificate alone.
fn curl(arguments: &[&str], url: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}"]).args(arguments);
    let said = curl.arg(url).output().expect("curl starts");
    assert!(said.status.success(), "{url}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

/// All that goes through a host.
fn commands_work(project: &Project, serving: &Serving<'_>) {
    let ran = serving.sluicebox(&["run", "p.toml", "--format", "json"]).with_code(0);
    assert!(ran.stderr.contains("the host that serves here runs it"), "{}", ran.stderr);
    let again = serving.sluicebox(&["rerun", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(again["repeats"], ran.json()["id"]);
    serving.sluicebox(&["pause", "p"]).with_code(0);
    serving.events("p", "paused", 1);
    serving.sluicebox(&["resume", "p"]).with_code(0);
    serving.events("p", "resumed", 1);
    assert_eq!(super::rows(project, "p"), 3);
}

#[test]
fn one_that_speaks_tls() {
    let project = project();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["etl.example.com".to_owned()]).unwrap().self_signed(&key).unwrap();
    project.file("p.toml", quick("p", "every = '1h'", ""));
    project.file("cert.pem", certificate.pem()).file("key.pem", key.serialize_pem());
    let serving = Serving::begin_with(&project, |command| {
        command.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--host", "etl.example.com"]);
    });
    let url = serving.url();
    let address = url.strip_prefix("https://127.0.0.1:").unwrap_or_else(|| panic!("{url}"));
    commands_work(&project, &serving);
    // Others ask by the name of the certificate, and it is that.
    let (to, trusted) = (format!("etl.example.com:{address}:127.0.0.1"), project.path().join("cert.pem"));
    let arguments = ["--resolve", &to, "--cacert", trusted.to_str().unwrap()];
    assert_eq!(curl(&arguments, &format!("https://etl.example.com:{address}/api/v1/runs")), "200");
    serving.end();
}

#[test]
fn one_that_listens_everywhere() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'", ""));
    let serving = Serving::start_at(&project, "0.0.0.0:0", |command| {
        command.arg("--insecure");
    });
    let url = serving.url();
    commands_work(&project, &serving);
    assert_eq!(curl(&[], &format!("{}/healthz", url.replace("0.0.0.0", "127.0.0.1"))), "200");
    // The door of the commands is one of this machine alone, with the same guards.
    let file: serde_json::Value = serde_json::from_str(&project.read(".sluicebox/serve.json")).unwrap();
    let own = text(&file, "url");
    assert!(own.starts_with("http://127.0.0.1:") && !url.ends_with(own.rsplit(':').next().unwrap()), "{own} {url}");
    assert_eq!(curl(&["-H", "Host: evil.example"], &format!("{own}/api/v1/runs")), "403");
    assert_eq!(curl(&["-X", "POST"], &format!("{own}/api/v1/pipelines/p/pause")), "401");
    serving.end();
}
