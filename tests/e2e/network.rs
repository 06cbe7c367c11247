//! What a stage was granted of the network works, against real servers.

use crate::hostile::{OUT, evil, project};
use crate::servers::{self, Server};
use serde_json::Value;
use sluicebox_tests::{Ended, Project};

/// A pipeline of the stage that talks, with these options and grants.
fn talks(options: &str, grants: &str) -> Project {
    project(&(evil("evil-network", options, &format!("{grants}\nlimits = {{ call = \"20s\" }}")) + OUT))
}

/// The rows that it answered with.
fn rows(project: &Project) -> Vec<String> {
    project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
    project.read("out/rows.csv").lines().skip(1).map(str::to_owned).collect()
}

fn log(project: &Project) -> String {
    project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout
}

fn fault(project: &Project) -> Value {
    let ended: Ended = project.sluicebox(&["run", "pipeline.toml", "--format", "json"]);
    ended.with_code(1).json()["fault"].clone()
}

#[test]
fn a_granted_server_answers() {
    let server = Server::http(|_, wire| servers::text(wire, "well met"));
    let (at, port) = (server.at, server.port());
    for (url, grant, host) in [
        (format!("http://{at}/a?b=c"), format!("http://{at}"), format!("127.0.0.1:{port}")),
        (format!("http://LOCALHOST:{port}/"), format!("http://localhost:{port}"), format!("localhost:{port}")),
    ] {
        let project = talks(&format!("mode = 'get', url = '{url}'"), &format!("grants.http = ['{grant}']"));
        assert_eq!(rows(&project), ["200 well met"], "{url}");
        let heard = server.heard().pop().unwrap();
        assert!(heard.to_lowercase().contains(&format!("\r\nhost: {host}\r\n")), "{heard}");
        assert_eq!(log(&project).matches("refused").count(), 0, "{}", log(&project));
    }
    let first = server.heard().remove(0);
    assert!(first.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{first}");
}

/// Names of a hosts file stand for private addresses where `networks` says so; a pattern grants all that are below it.
#[test]
fn names_of_a_pattern_are_granted_with_their_network() {
    let server = Server::http(|_, wire| servers::text(wire, "well met"));
    let port = server.port();
    let options = format!("mode = 'get', url = 'http://a.b.internal.example:{port}/'");
    let grants = format!("grants.http = ['http://*.internal.example:{port}']\ngrants.networks = ['127.0.0.0/8']");
    let project = talks(&options, &grants);
    project.file("sluicebox.toml", "[network]\nhosts = 'hosts'\n");
    project.file("hosts", "127.0.0.1 a.b.internal.example\n");
    assert_eq!(rows(&project), ["200 well met"]);
    // The name itself is none of those below it.
    let options = format!("mode = 'get', url = 'http://internal.example:{port}/'");
    let bare = talks(&options, &grants);
    bare.file("sluicebox.toml", "[network]\nhosts = 'hosts'\n").file("hosts", "127.0.0.1 internal.example\n");
    assert_eq!(fault(&bare)["kind"], "denied");
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn a_server_by_tls_is_known_by_its_authority() {
    let (ca, config) = servers::authority(&["api.internal.example"]);
    let server = Server::https(config, |_, wire| servers::text(wire, "well met"));
    let port = server.port();
    let with = |name: &str, settings: &str| {
        let options = format!("mode = 'get', url = 'https://{name}:{port}/'");
        let grants = format!("grants.http = ['https://{name}:{port}']\ngrants.networks = ['127.0.0.1']");
        let project = talks(&options, &grants);
        project.file("sluicebox.toml", format!("[network]\nhosts = 'hosts'\n{settings}"));
        project.file("hosts", "127.0.0.1 api.internal.example other.example\n").file("ca.pem", &ca);
        project
    };
    let named = with("api.internal.example", "ca = 'ca.pem'\n");
    assert_eq!(rows(&named), ["200 well met"]);
    // As for other programs.
    let variable = with("api.internal.example", "");
    let ended = variable.command(&["run", "pipeline.toml"]).env("SSL_CERT_FILE", "ca.pem").output().unwrap();
    Ended::from(ended).with_code(0);
    assert!(variable.read("out/rows.csv").contains("200 well met"));
    assert_eq!(server.heard().len(), 2);
    for (project, said) in [
        (with("api.internal.example", ""), "UnknownIssuer"),
        (with("other.example", "ca = 'ca.pem'\n"), "not valid for"),
    ] {
        let fault = fault(&project);
        assert_eq!((&fault["kind"], &fault["call"]), (&"denied".into(), &"next".into()), "{fault}");
        let help = fault["help"].as_str().unwrap();
        assert!(help.contains("https://") && help.contains("`ca = \"ca.pem\"` in sluicebox.toml"), "{help}");
        assert!(help.contains(said), "{help}");
    }
    let missing = with("api.internal.example", "ca = 'nowhere.pem'\n");
    let fault = fault(&missing);
    assert!(fault["help"].as_str().unwrap().contains("nowhere.pem"), "{fault}");
    assert_eq!(server.heard().len(), 2, "nobody else was answered");
}

#[test]
fn a_granted_connection_by_tcp_carries_lines() {
    let server = Server::echo();
    let (at, port) = (server.at, server.port());
    for (to, grants) in [
        (at.to_string(), format!("grants.tcp = ['{at}']")),
        (format!("localhost:{port}"), format!("grants.tcp = ['localhost:{port}']")),
        (
            format!("db.internal.example:{port}"),
            format!("grants.tcp = ['*.internal.example:{port}']\ngrants.networks = ['127.0.0.1']"),
        ),
    ] {
        let project = talks(&format!("mode = 'tcp', to = '{to}'"), &grants);
        project.file("sluicebox.toml", "[network]\nhosts = 'hosts'\n");
        project.file("hosts", "127.0.0.1 db.internal.example\n");
        assert_eq!(rows(&project), ["HELLO"], "{to}");
    }
    assert_eq!(server.heard(), ["hello", "hello", "hello"]);
}

/// What nobody answers is worth another try, what is refused is not.
#[test]
fn nobody_there_is_not_the_same_as_not_granted() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let project =
        talks(&format!("mode = 'get', url = 'http://{nobody}/'"), &format!("grants.http = ['http://{nobody}']"));
    let fault_of = fault(&project);
    assert_eq!((&fault_of["kind"], &fault_of["help"]), (&"unavailable".into(), &Value::Null), "{fault_of}");
    let grants = "grants.http = ['http://nobody.internal.example']";
    let project = talks("mode = 'get', url = 'http://nobody.internal.example/'", grants);
    project.file("sluicebox.toml", "[network]\nhosts = 'gone'\n");
    let fault_of = fault(&project);
    assert_eq!(fault_of["kind"], "unavailable");
    assert!(fault_of["help"].as_str().unwrap().contains("the hosts file"), "{fault_of}");
}

/// What the component imports is read from itself, and told in people's words beside what it says it needs.
#[test]
fn plugins_show_tells_what_a_component_imports() {
    let project = Project::new();
    let shown = project.sluicebox(&["plugins", "show", "evil-network"]).with_code(0).stdout;
    for words in
        ["asks for  nothing", "grants.http", "wasi:http/outgoing-handler@", "wasi:sockets/tcp@", "never asked for"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let json = project.sluicebox(&["plugins", "show", "evil-network", "--format", "json"]).with_code(0).json();
    let may_use = json["may-use"].as_array().unwrap();
    assert!(may_use.contains(&"http".into()) && may_use.contains(&"tcp".into()), "{may_use:?}");
    let plain = project.sluicebox(&["plugins", "show", "evil-extract"]).with_code(0).stdout;
    assert!(!plain.contains("wasi:http"), "{plain}");
}
