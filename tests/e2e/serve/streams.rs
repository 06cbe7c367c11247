//! A thousand clients that follow runs of one host, some of which do not read what they are sent.

use sluicebox_tests::python;
use sluicebox_tests::serving::{Serving, project, slow, text};

/// Opens so many streams over some runs; all but the last ten are read until they have had two events. Then, with all of them
/// open, the host is asked whether it is ready. Prints how many had theirs, the host's answer, how long that took in milliseconds,
/// and the most memory of the host, in KiB.
const CLIENTS: &str = r#"
import resource, selectors, socket, sys, time
host, port, process, count, runs = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5:]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
selector = selectors.DefaultSelector()
silent = []
for number in range(count):
    client = socket.create_connection((host, port))
    run = runs[number % len(runs)]
    client.sendall(f"GET /api/v1/runs/{run}/events HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    if number >= count - 10:
        silent.append(client)
    else:
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ, [0, b""])
had, end = 0, time.monotonic() + 80
while had < count - 10 and time.monotonic() < end:
    for key, _ in selector.select(1):
        data = key.fileobj.recv(1 << 16)
        events, tail = key.data
        text = tail + data
        events += text.count(b"\n\ndata") + text.count(b"\ndata: ")
        key.data[:] = [events, text[-6:]]
        if events >= 2 or not data:
            had += events >= 2
            selector.unregister(key.fileobj)
began = time.monotonic()
with socket.create_connection((host, port)) as asks:
    asks.sendall(f"GET /readyz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
    answer = asks.recv(4096).split(b"\r\n")[0].decode()
took = (time.monotonic() - began) * 1000
most = next(line.split()[1] for line in open(f"/proc/{process}/status") if line.startswith("VmHWM"))
print(had, answer.split()[1], int(took), most)
"#;

#[test]
fn a_thousand_streams_over_several_runs_do_not_hold_up_the_host() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\nruns = 4\ngrace = '100ms'\n");
    // Half a megabyte of text in the first event: what is not read would pile up.
    let long = format!("# {}\n", "x".repeat(500)).repeat(1000);
    for name in ["a", "b", "c", "d"] {
        project.file(&format!("{name}.toml"), format!("{long}{}", slow(name, 300.0, "every = '1s'", "")));
    }
    let serving = Serving::begin(&project);
    let runs: Vec<String> =
        ["a", "b", "c", "d"].iter().map(|name| text(&serving.runs(name, "running", 1)[0], "id").to_owned()).collect();
    let memory = |key: &str| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", serving.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap()
    };
    let before = memory("VmHWM");
    let url = serving.url();
    let (host, port) = url.trim_start_matches("http://").split_once(':').unwrap();
    let process = serving.process().to_string();
    let mut arguments = vec![host, port, &process, "1000"];
    arguments.extend(runs.iter().map(String::as_str));
    let said = python(CLIENTS, &arguments);
    let words: Vec<u64> = said.split(' ').map(|word| word.parse().unwrap()).collect();
    let [had, ready, took, most] = words[..] else { panic!("{said}") };
    eprintln!("memory of the host: {before} KiB before, {most} KiB at most; `/readyz` took {took} ms");
    assert_eq!((had, ready), (990, 200), "{said}");
    assert!(took < 5_000, "{said}");
    // 64 KiB for each client, read or not, and what carries them.
    assert!(most - before < 200 * 1024, "{before} KiB before, {most} KiB at most");
    // Runs go on, and the host ends in good order.
    serving.until("all clients are gone", || {
        let metrics =
            std::process::Command::new("curl").arg("--silent").arg(format!("{url}/metrics")).output().unwrap();
        String::from_utf8_lossy(&metrics.stdout).contains("\nsluicebox_api_event_streams 0\n").then_some(())
    });
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(0));
}
