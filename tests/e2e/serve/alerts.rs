//! Alerts of a running host: those that cannot be delivered, webhooks, monitors.

use crate::servers::{self, Server};
use serde_json::Value;
use sluicebox_tests::Ended;
use sluicebox_tests::serving::{Serving, project, quick, text};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

/// Answers what is posted, one status after the other, the last for ever; tells the bodies.
fn receiver(statuses: &'static [u16]) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).unwrap_or(0) > 2 {
                let head = line.to_lowercase();
                length = head.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let status = statuses[number.min(statuses.len() - 1)];
            let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            let _ = tell.send(serde_json::from_slice(&body).unwrap());
        }
    });
    (url, told)
}

#[test]
fn an_alert_that_cannot_be_delivered_fails_no_run_and_is_tried_again() {
    let project = project();
    let (url, told) = receiver(&[500, 200]);
    // Two rows are fewer than are expected: it is told, by one that fails and by a webhook that fails at first.
    let more = format!(
        "[monitor]\nrows = {{ at-least = 10 }}\n\n[[alert]]\non = ['monitor']\ncommand = ['false']\n\n\
         [[alert]]\non = ['monitor']\nwebhook = '{url}'"
    );
    project.file("p.toml", quick("p", "every = '1h'", &more));
    let serving = Serving::begin(&project);
    let run = serving.sluicebox(&["run", "p.toml", "--format", "json"]).with_code(0).json();
    assert_eq!((text(&run, "state"), super::rows(&project, "p")), ("succeeded", 3), "{run}");
    let failed = serving.events("p", "alert-failed", 2);
    for event in &failed {
        assert_eq!(event["attempt"], 1, "{event}");
        assert!(event["next-at"].is_string(), "{event}");
    }
    let reasons: Vec<&str> = failed.iter().map(|event| text(event, "reason")).collect();
    assert!(reasons.iter().any(|reason| reason.contains("answered 500")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("ended with") || reason.contains('1')), "{reasons:?}");
    // Some ten seconds later.
    let delivered = serving.events("p", "alert-delivered", 1);
    assert_eq!((delivered[0]["attempt"].as_u64(), delivered.len()), (Some(2), 1), "{delivered:?}");
    let [first, second]: [Value; 2] = [told.recv().unwrap(), told.recv().unwrap()];
    assert_eq!(first, second, "the same message with the same id");
    assert_eq!((text(&second, "kind"), text(&second, "run")), ("monitor", text(&run, "id")));
    let said = text(&second, "text");
    assert!(said.contains("3 rows") && said.contains("at least 10"), "{said}");
    // The run is none the worse, nor is the next.
    assert_eq!(serving.runs("p", "succeeded", 1).len(), 1);
    serving.sluicebox(&["run", "p.toml"]).with_code(0);
    let store = serving.end();
    let states: Vec<(&str, u64)> =
        store.alerts("p").iter().map(|alert| alert["attempts"].as_u64().unwrap()).map(|tried| ("", tried)).collect();
    assert!(states.iter().any(|(_, tried)| *tried >= 2), "{states:?}");
    assert!(store.runs("p").iter().all(|run| run["state"] == "succeeded"));
}

#[test]
fn an_alert_says_since_when_it_fails() {
    let project = project();
    let told = "[[alert]]\non = ['failure', 'recovery']\nafter = 2\ncommand = ['tee', '-a', 'told.jsonl']";
    let good = quick("p", "every = '1h'", told);
    let bad = good.replace("mode = 'sleep', seconds = 0 ", "mode = 'fault', kind = 'invalid-data' ");
    project.file("p.toml", bad);
    let serving = Serving::begin(&project);
    for _ in 0..3 {
        serving.sluicebox(&["run", "p.toml"]).with_code(1);
    }
    let lines = |count: usize| {
        let text = if project.has("told.jsonl") { project.read("told.jsonl") } else { String::new() };
        let all: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (all.len() >= count).then_some(all)
    };
    let failure = serving.until("the failures are told", || lines(1)).remove(0);
    let first = &serving.store.runs("p")[0];
    let ended = jiff::Timestamp::from_nanosecond(i128::from(sluicebox_tests::serving::at(first, "ended_at"))).unwrap();
    let since = format!("since {}", ended.strftime("%Y-%m-%d %H:%M:%S UTC"));
    assert_eq!((text(&failure, "kind"), failure["failures-in-a-row"].as_u64()), ("failure", Some(2)));
    assert!(text(&failure, "text").contains(&format!("it fails {since}")), "{failure}");
    let said = failure["failing-since"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    assert_eq!(said, Some(ended), "{failure}");

    project.file("p.toml", good);
    serving.events("p", "pipeline-loaded", 2);
    serving.sluicebox(&["run", "p.toml"]).with_code(0);
    let recovery = serving.until("the recovery is told", || lines(2)).remove(1);
    assert_eq!((text(&recovery, "kind"), recovery["failures-in-a-row"].as_u64()), ("recovery", Some(3)));
    assert!(text(&recovery, "text").contains(&format!("it had failed {since}")), "{recovery}");
    serving.end();
}

#[test]
fn an_alert_is_mailed_by_a_server_that_wants_a_password() {
    let project = project();
    let (ca, config) = servers::authority(&["localhost"]);
    let server = Server::smtps(config);
    let port = server.port();
    project.file("ca.pem", ca).file(
        "sluicebox.toml",
        format!(
            "[smtp]\nserver = 'smtps://localhost:{port}'\nfrom = 'Sluicebox <ops@example.org>'\n\
             user = 'me'\npassword = '${{env:MAIL_PASSWORD}}'\n"
        ),
    );
    let told = "[[alert]]\non = ['failure']\nemail = ['a@example.org', 'b@example.org']";
    let bad = quick("p", "every = '12h'", told)
        .replace("mode = 'sleep', seconds = 0 ", "mode = 'fault', kind = 'invalid-data' ");
    project.file("p.toml", bad);
    let serving = Serving::begin_with(&project, |command| {
        command.env("MAIL_PASSWORD", "geheim").env("SSL_CERT_FILE", "ca.pem");
    });
    serving.sluicebox(&["run", "p.toml"]).with_code(1);
    serving.events("p", "alert-delivered", 1);
    let heard = server.heard();
    let has = |line: &str| assert!(heard.iter().any(|heard| heard == line), "{line}: {heard:#?}");
    // `me` and `geheim`.
    has("AUTH PLAIN AG1lAGdlaGVpbQ==");
    has("MAIL FROM:<ops@example.org>");
    has("RCPT TO:<a@example.org>");
    has("RCPT TO:<b@example.org>");
    has("Subject: [sluicebox] p failed");
    let log = serving.log();
    assert!(!log.contains("geheim"), "{log}");
    let store = serving.end();
    let kept = format!("{:?}{:?}", store.alerts("p"), store.events(Some("p"), "alert-queued"));
    assert!(!kept.contains("geheim"), "{kept}");
}

/// What an alert says is typed where it says: also where the state folder is not the one that is found there.
#[test]
fn the_commands_of_an_alert_work() {
    let project = project();
    let told = "[[alert]]\non = ['failure']\ncommand = ['tee', '-a', '${env:TOLD_FILE}']";
    let bad = quick("p", "every = '12h'\npause-after = 1", told);
    let bad = bad.replace("mode = 'sleep', seconds = 0 ", "mode = 'fault', kind = 'invalid-data' ");
    project.file("etl/p.toml", bad).file("etl/in/rows.csv", "id,name\n1,a\n");
    // What would be found in the folder of the pipelines is another.
    project.file("etl/.sluicebox/not-this-one", "");
    let serving = Serving::begin_with(&project, |command| {
        command.args(["etl", "--state", ".sluicebox"]).env("TOLD_FILE", "told.jsonl");
    });
    project
        .command(&["run", "p.toml", "--state", "../.sluicebox"])
        .current_dir(project.path().join("etl"))
        .output()
        .unwrap();
    let alert: Value = serving.until("it is told", || {
        let text = if project.has("etl/told.jsonl") { project.read("etl/told.jsonl") } else { String::new() };
        text.lines().find_map(|line| serde_json::from_str(line).ok())
    });
    let folder = std::path::Path::new(text(&alert, "folder"));
    assert_eq!(folder, project.path().join("etl").canonicalize().unwrap());
    let type_it = |command: &str| {
        let words: Vec<&str> = command.strip_prefix("sluicebox ").unwrap().split(' ').collect();
        let ended: Ended = project.command(&words).current_dir(folder).output().unwrap().into();
        ended
    };
    let commands: Vec<&str> = alert["commands"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let words: Vec<&str> = commands.iter().filter_map(|command| command.split(' ').nth(1)).collect();
    assert_eq!(words, ["runs", "replay", "rerun"], "{commands:?}");
    for command in &commands {
        assert!(text(&alert, "text").contains(command), "{alert}");
        let ended = type_it(command);
        // The call fails again, and so does the run; neither is asked for in vain.
        let code = if command.contains(" show ") { 0 } else { 1 };
        ended.with_code(code);
    }
    // So does what the note and the log say.
    let note = text(&alert, "text").lines().find(|line| line.starts_with("the pipeline is paused")).unwrap();
    let resume = note.split('`').find(|part| part.starts_with("sluicebox resume")).unwrap();
    serving.tells(&format!("`{resume}` lets it run again"));
    type_it(resume).with_code(0);
    serving.events("p", "resumed", 1);
    serving.end();
}
