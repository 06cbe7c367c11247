//! `tests/evil-network`: guests that reach for what they were not granted of the network, and servers that are no better.
//! Nothing here goes anywhere but to loopback: what is refused is refused before a packet is sent.

use super::{OUT, evil, fails, project, run, told};
use crate::servers::{self, Server};
use sluicebox_tests::Project;

/// Names of the tests and what they stand for; a project without `[network]` knows none of them.
const HOSTS: &str = "\
127.0.0.1 a.example flip.example
127.0.0.2 elsewhere.example
10.0.0.1 private.example
100.64.0.1 shared.example
169.254.169.254 metadata.example
169.254.1.1 link.example
::ffff:127.0.0.1 mapped.example
64:ff9b::7f00:1 translated.example
0.0.0.0 nobody.example
::1 six.example
fd00:ec2::254 metadata6.example
";

/// A pipeline of the stage; it has time, so that a slow machine is no part of the test.
fn talks(options: &str, more: &str) -> Project {
    let limits = if more.contains("limits") { "" } else { "limits = { call = \"20s\" }" };
    let project = project(&(evil("evil-network", options, &format!("{more}\n{limits}")) + OUT));
    project.file("sluicebox.toml", "[network]\nhosts = 'hosts'\n").file("hosts", HOSTS);
    project
}

const SHORT: &str = "limits = { call = \"500ms\" }";

fn log(project: &Project) -> String {
    project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout
}

/// It is refused, and the run says what, in the fault and in the log.
#[track_caller]
fn refused(options: &str, more: &str, said: &[&str]) {
    let project = talks(options, more);
    let fault = fails(&project, "denied", "next", said);
    let help = fault["help"].as_str().unwrap_or_default();
    assert!(help.starts_with("the stage was refused "), "{fault}");
    let log = log(&project);
    assert!(log.contains("`next` was refused ") && log.contains(said[0]), "{log}");
}

/// The rows that it answers with.
#[track_caller]
fn rows(project: &Project) -> Vec<String> {
    run(project).with_code(0);
    project.read("out/rows.csv").lines().skip(1).map(|row| row.trim_matches('"').replace("\"\"", "\"")).collect()
}

#[test]
pub(super) fn a_request_without_a_grant() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let at = server.at;
    let line = format!("add `grants.http = [\"http://{at}\"]` to stage `evil`");
    refused(&format!("mode = 'get', url = 'http://{at}/secret?key=1'"), "", &[&format!("http://{at}"), &line]);
    // Another grant is not this one.
    let line = format!("add \"http://{at}\" to `grants.http` of stage `evil`");
    for other in [format!("https://{at}"), "http://127.0.0.1:1".to_owned(), format!("http://localhost:{}", at.port())] {
        refused(&format!("mode = 'get', url = 'http://{at}/'"), &format!("grants.http = ['{other}']"), &[&line]);
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

/// What a request asks for may hold keys: only the server is told.
#[test]
fn a_refusal_tells_no_path() {
    let project = talks("mode = 'get', url = 'http://a.example/path?token=hidden'", "");
    fails(&project, "denied", "next", &["http://a.example"]);
    assert!(!log(&project).contains("hidden"));
}

#[test]
fn a_granted_name_that_is_not_public() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let port = server.port();
    for (name, which, line) in [
        ("a.example", "127.0.0.1, which is the machine itself", "127.0.0.1"),
        ("six.example", "::1, which is the machine itself", "::1"),
        ("mapped.example", "127.0.0.1, which is the machine itself", "127.0.0.1"),
        ("translated.example", "64:ff9b::7f00:1, which is the machine itself", "64:ff9b::7f00:1"),
        ("private.example", "10.0.0.1, which is a private address", "10.0.0.1"),
        ("shared.example", "100.64.0.1, which is an address shared", "100.64.0.1"),
        ("link.example", "169.254.1.1, which is a link-local address", "169.254.1.1"),
        ("metadata.example", "169.254.169.254, which is an address of a cloud's metadata service", "169.254.169.254"),
        ("metadata6.example", "fd00:ec2::254, which is an address of a cloud's metadata service", "fd00:ec2::254"),
    ] {
        let url = format!("http://{name}:{port}");
        let line = format!("add `grants.networks = [\"{line}\"]` to stage `evil`");
        let said = format!("since it stands for {which}");
        refused(&format!("mode = 'get', url = '{url}/'"), &format!("grants.http = ['{url}']"), &[&said, &line]);
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

/// A range about a metadata address does not name it, and nobody's address is never reached.
#[test]
fn metadata_and_nobody_are_in_no_range() {
    for (name, said) in [
        ("metadata.example", "169.254.169.254, which is an address of a cloud's metadata service"),
        ("nobody.example", "0.0.0.0, which is no address of a host"),
    ] {
        let grants = format!("grants.http = ['http://{name}']\ngrants.networks = ['0.0.0.0/0', '169.254.0.0/16']");
        refused(&format!("mode = 'get', url = 'http://{name}/'"), &grants, &[said]);
    }
}

#[test]
fn addresses_in_odd_forms() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let port = server.port();
    for (host, said) in [
        ("[::ffff:127.0.0.1]", "refused http://127.0.0.1"),
        ("[::ffff:169.254.169.254]", "refused http://169.254.169.254"),
        ("169.254.169.254", "refused http://169.254.169.254"),
        ("[::1]", "refused http://[::1]"),
        ("localhost", "refused http://localhost"),
        ("2130706433", "a request to what names no server"),
        ("0x7f000001", "a request to what names no server"),
        ("127.1", "a request to what names no server"),
        ("0177.0.0.1", "a request to what names no server"),
    ] {
        let options = format!("mode = 'get', url = 'http://{host}:{port}/'");
        refused(&options, "grants.http = ['https://api.example.com']", &[said]);
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

/// Between two requests the name comes to stand for another address; the second is held against what it stands for then.
#[test]
pub(super) fn a_name_whose_answer_changes() {
    let first = Server::http(|_, wire| servers::text(wire, "first"));
    let port = first.port();
    let second = Server::http_at(&format!("127.0.0.2:{port}"), |_, wire| servers::text(wire, "not to be seen"));
    let project = talks("", "");
    let hosts = project.path().join("hosts");
    let flip = Server::http(move |_, wire| {
        std::fs::write(&hosts, "127.0.0.2 a.example\n127.0.0.1 flip.example\n")?;
        servers::text(wire, "flipped")
    });
    let (a, f) = (format!("http://a.example:{port}"), format!("http://flip.example:{}", flip.port()));
    let options = format!("mode = 'get-each', urls = ['{a}', '{f}', '{a}']");
    let grants = format!("grants.http = ['{a}', '{f}']\ngrants.networks = ['127.0.0.1']");
    let stages = evil("evil-network", &options, &format!("{grants}\nlimits = {{ call = \"20s\" }}")) + OUT;
    project.file("pipeline.toml", format!("[pipeline]\nname = \"hostile\"\n{stages}"));
    let rows = rows(&project);
    assert_eq!(&rows[..2], ["200 first", "200 flipped"]);
    assert!(rows[2].contains("DestinationIpProhibited"), "{rows:?}");
    assert!(log(&project).contains("since it stands for 127.0.0.2"), "{}", log(&project));
    assert_eq!((first.heard().len(), second.heard().len()), (1, 0));
}

#[test]
pub(super) fn a_connection_to_what_a_name_does_not_stand_for() {
    let (named, other) = (Server::echo(), Server::http_at("127.0.0.2:0", |_, wire| servers::text(wire, "no")));
    for to in [other.at.to_string(), format!("127.0.0.1:{}", other.port()), format!("127.0.0.2:{}", named.port())] {
        let options = format!("mode = 'resolve-and-connect-elsewhere', name = 'a.example', to = '{to}'");
        let grants = format!("grants.tcp = ['a.example:{}']\ngrants.networks = ['127.0.0.0/8']", named.port());
        let project = talks(&options, &grants);
        let rows = rows(&project);
        assert_eq!(rows[0], "127.0.0.1");
        assert!(rows[1].starts_with("denied: "), "{rows:?}");
        assert!(
            log(&project).contains(&format!("a connection to {to}, which is neither granted")),
            "{}",
            log(&project)
        );
    }
    assert_eq!(other.heard().len() + named.heard().len(), 0);
}

#[test]
pub(super) fn redirects_are_not_followed() {
    let other = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let to = format!("http://elsewhere.example:{}/", other.port());
    let leads = to.clone();
    let server = Server::http(move |_, wire| servers::redirect(wire, &leads));
    let at = server.at;
    let grants = format!("grants.http = ['http://{at}']\ngrants.networks = ['127.0.0.0/8']");
    assert_eq!(rows(&talks(&format!("mode = 'get', url = 'http://{at}/'"), &grants)), ["302 moved"]);
    let project = talks(&format!("mode = 'follow', url = 'http://{at}/'"), &grants);
    let rows = rows(&project);
    assert_eq!(rows[0], "302 moved");
    assert!(rows[1].contains("HttpRequestDenied"), "{rows:?}");
    assert!(log(&project).contains("was refused http://elsewhere.example:"), "{}", log(&project));
    assert_eq!(other.heard(), Vec::<String>::new());
}

#[test]
pub(super) fn a_whole_url_in_place_of_a_path() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let at = server.at;
    for path in ["http://elsewhere.example/", "elsewhere.example:80", "*", "@elsewhere.example/"] {
        let options = format!("mode = 'absolute-form', url = 'http://{at}/', path = '{path}'");
        let project = talks(&options, &format!("grants.http = ['http://{at}']"));
        let fault = super::run(&project).with_code(1).json()["fault"].clone();
        assert_eq!((&fault["kind"], &fault["call"]), (&"denied".into(), &"next".into()), "{path}: {fault}");
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test]
fn odd_authorities() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let (at, port) = (server.at, server.port());
    let grants = format!("grants.http = ['http://{at}', 'http://a.example:{port}']\ngrants.networks = ['127.0.0.1']");
    for authority in [
        format!("user:hidden@127.0.0.1:{port}"),
        format!("a.example:{port}@elsewhere.example"),
        format!("127.0.0.1:{port}:80"),
        "127.0.0.1:99999".to_owned(),
        "127.0.0.1:".to_owned(),
        format!("a.example..:{port}"),
    ] {
        let project = talks(&format!("mode = 'get', url = 'http://{authority}/'"), &grants);
        let fault = super::run(&project).with_code(1).json()["fault"].clone();
        assert_eq!(fault["call"], "next", "{authority}: {fault}");
        assert!(!told(&fault).contains("hidden") && !log(&project).contains("hidden"), "{authority}: {fault}");
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test]
pub(super) fn a_server_that_is_to_connect_elsewhere() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let at = server.at;
    let options = format!("mode = 'connect', url = 'http://{at}/'");
    refused(&options, &format!("grants.http = ['http://{at}']"), &["to be connected through another server"]);
    assert_eq!(server.heard(), Vec::<String>::new());
}

/// The name of the host is written by the host: a guest cannot lie about it.
#[test]
pub(super) fn another_host_in_the_head() {
    let server = Server::http(|_, wire| servers::text(wire, "not to be seen"));
    let at = server.at;
    let options = format!("mode = 'host-header', url = 'http://{at}/', name = 'elsewhere.example'");
    let project = talks(&options, &format!("grants.http = ['http://{at}']"));
    fails(&project, "denied", "next", &["host: HeaderError::Forbidden"]);
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test]
pub(super) fn an_answer_without_end() {
    let server = Server::http(|_, wire| servers::endless(wire));
    let at = server.at;
    let grants = format!("grants.http = ['http://{at}']\nlimits = {{ network = \"1MiB\" }}");
    let said = ["sent and received more than 1MiB over the network", "raise `limits.network`, now 1MiB"];
    fails(&talks(&format!("mode = 'take-all', url = 'http://{at}/'"), &grants), "limit", "next", &said);
    // Whatever the guest says of it.
    fails(&talks(&format!("mode = 'take-all-and-hide', url = 'http://{at}/'"), &grants), "limit", "next", &said);
}

#[test]
pub(super) fn sending_without_end() {
    let server = Server::sink();
    let at = server.at;
    let limits = "limits = { network = \"1MiB\" }";
    let said = ["sent and received more than 1MiB over the network", "raise `limits.network`"];
    let http = format!("grants.http = ['http://{at}']\n{limits}");
    fails(&talks(&format!("mode = 'send-for-ever', url = 'http://{at}/'"), &http), "limit", "next", &said);
    let tcp = format!("grants.tcp = ['{at}']\n{limits}");
    fails(&talks(&format!("mode = 'tcp-for-ever', to = '{at}'"), &tcp), "limit", "next", &said);
}

#[test]
pub(super) fn a_server_that_says_nothing() {
    let servers: [(&str, Server); 2] = [
        ("head", Server::http(|_, wire| servers::silent(wire))),
        ("body", Server::http(|_, wire| servers::half(wire))),
    ];
    for (what, server) in servers {
        let at = server.at;
        let more = format!("grants.http = ['http://{at}']\n{SHORT}");
        let project = talks(&format!("mode = 'get', url = 'http://{at}/'"), &more);
        let fault = fails(&project, "timeout", "next", &["ran longer than 500ms", "raise `limits.call`"]);
        assert_eq!(server.heard().len(), 1, "{what}: {fault}");
    }
    let sink = Server::sink();
    let at = sink.at;
    let project = talks(&format!("mode = 'tcp', to = '{at}'"), &format!("grants.tcp = ['{at}']\n{SHORT}"));
    fails(&project, "timeout", "next", &["ran longer than 500ms"]);
}

#[test]
pub(super) fn many_requests_at_once() {
    let server = Server::http(|_, wire| servers::half(wire));
    let at = server.at;
    let grants = format!("grants.http = ['http://{at}']\nlimits = {{ connections = 4, call = \"20s\" }}");
    let project = talks(&format!("mode = 'many-requests', url = 'http://{at}/', times = 100"), &grants);
    let rows = rows(&project);
    assert!(rows[0].contains("\"200\": 4") && rows[0].contains("ConnectionLimitReached\": 96"), "{rows:?}");
    assert!(log(&project).contains("4 at once are its limit; raise `limits.connections`, now 4"), "{}", log(&project));
    assert_eq!(server.heard().len(), 4);
}

#[test]
fn many_requests_in_all() {
    let server = Server::http(|_, wire| servers::text(wire, "well met"));
    let url = format!("http://{}/", server.at);
    let grants = format!("grants.http = ['http://{}']\nlimits = {{ connections-total = 2 }}", server.at);
    let project = talks(&format!("mode = 'get-each', urls = ['{url}', '{url}', '{url}']"), &grants);
    let rows = rows(&project);
    assert_eq!(&rows[..2], ["200 well met", "200 well met"]);
    assert!(rows[2].contains("ConnectionLimitReached"), "{rows:?}");
    assert!(log(&project).contains("raise `limits.connections-total`, now 2"), "{}", log(&project));
}

#[test]
pub(super) fn ten_thousand_sockets() {
    let granted = talks("mode = 'many-sockets', times = 10000", "grants.tcp = ['a.example:1']");
    let rows_of = rows(&granted);
    assert!(rows_of[0].contains("16 sockets") && rows_of[0].contains("\"new-socket-limit\": 9984"), "{rows_of:?}");
    assert!(log(&granted).contains("raise `limits.connections`, now 16"), "{}", log(&granted));
    let denied = talks("mode = 'many-sockets', times = 10000", "");
    let rows_of = rows(&denied);
    assert!(rows_of[0].contains("0 sockets") && rows_of[0].contains("\"access-denied\": 10000"), "{rows_of:?}");
    assert!(log(&denied).contains("a TCP socket, since no connection is granted"), "{}", log(&denied));
    // However often it was refused.
    assert_eq!(log(&denied).matches("was refused").count(), 1);
}

#[test]
pub(super) fn tcp_without_a_grant() {
    let server = Server::echo();
    let at = server.at;
    let port = at.port();
    for to in [at.to_string(), format!("localhost:{port}"), "169.254.169.254:80".to_owned()] {
        for grants in ["", "grants.tcp = ['a.example:1']\ngrants.networks = ['127.0.0.0/8']"] {
            let project = talks(&format!("mode = 'tcp', to = '{to}'"), grants);
            let fault = super::run(&project).with_code(1).json()["fault"].clone();
            assert_eq!(fault["call"], "next", "{to}: {fault}");
            assert!(fault["help"].as_str().unwrap().starts_with("the stage was refused "), "{to}: {fault}");
        }
    }
    let line = format!("add \"{at}\" to `grants.tcp` of stage `evil`");
    refused(&format!("mode = 'tcp-raw', to = '{at}'"), "grants.tcp = ['a.example:1']", &[&line]);
    assert_eq!(server.heard(), Vec::<String>::new());
}

/// The same address as IPv6 would have it is no way round.
#[test]
fn tcp_to_mapped_addresses() {
    let server = Server::echo();
    let port = server.port();
    for to in
        [format!("[::ffff:127.0.0.1]:{port}"), format!("[::127.0.0.1]:{port}"), format!("[64:ff9b::7f00:1]:{port}")]
    {
        for grants in ["grants.tcp = ['a.example:1']".to_owned(), format!("grants.tcp = ['127.0.0.1:{port}']")] {
            let project = talks(&format!("mode = 'tcp-raw', to = '{to}'"), &grants);
            let fault = super::run(&project).with_code(1).json()["fault"].clone();
            assert_eq!(fault["call"], "next", "{to}: {fault}");
        }
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test]
pub(super) fn names_that_are_not_granted() {
    let line = "add \"elsewhere.example:PORT\" to `grants.tcp` of stage `evil`";
    let said = ["the name elsewhere.example, which is not granted", line];
    refused("mode = 'resolve', name = 'elsewhere.example'", "grants.tcp = ['a.example:1']", &said);
    // Nor does a request's grant make names known to sockets.
    let line = "add `grants.tcp = [\"a.example:PORT\"]` to stage `evil`";
    refused("mode = 'resolve', name = 'a.example'", "grants.http = ['http://a.example']", &[line]);
    let said = ["private.example, since it stands for 10.0.0.1"];
    refused("mode = 'resolve', name = 'private.example'", "grants.tcp = ['private.example:1']", &said);
}

#[test]
pub(super) fn datagrams() {
    let receiver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_nonblocking(true).unwrap();
    let at = receiver.local_addr().unwrap();
    let grants = format!("grants.tcp = ['{at}']\ngrants.http = ['http://{at}']");
    refused(&format!("mode = 'udp', to = '{at}'"), &grants, &["a UDP socket, which no stage is granted"]);
    assert!(receiver.recv(&mut [0; 16]).is_err(), "nothing came");
}

#[test]
pub(super) fn listening() {
    let grants = "grants.tcp = ['127.0.0.1:1', 'localhost:1']";
    refused("mode = 'listen', to = '127.0.0.1:0'", grants, &["a port of this machine, which no stage is granted"]);
    refused("mode = 'listen-raw'", grants, &["which no stage is granted"]);
    refused("mode = 'listen-raw'", "", &["a TCP socket, since no connection is granted"]);
}

/// What is kept in the host for requests is not counted as memory of the guest, so it has a bound of its own.
#[test]
pub(super) fn hoards_in_the_host() {
    let said = ["512 HTTP messages, fields and bodies at once", "drop those that are no longer needed"];
    for mode in ["mode = 'hoard-fields'", "mode = 'hoard-bodies'"] {
        fails(&talks(mode, "limits = { call = \"20s\" }"), "limit", "next", &said);
    }
    let project = talks("mode = 'long-method'", "");
    fails(&project, "denied", "next", &["the method was not taken"]);
}

#[test]
pub(super) fn a_panic_over_a_refusal_is_told_with_the_refusal() {
    let project = talks("mode = 'panic-if-refused', url = 'http://a.example/'", "");
    let line = "add `grants.http = [\"http://a.example\"]` to stage `evil`";
    fails(&project, "trap", "next", &["panicked at", line]);
}
