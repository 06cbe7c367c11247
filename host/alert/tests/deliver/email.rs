//! Mail.

use super::server::{AUTHORITY, Serve, Stream, line, serve, tls, until_the_end};
use super::{LONG, SHORT, again, courier, courier_that_trusts, given_up, mail};
use sluicebox_alert::Delivery;
use sluicebox_model::alert::{AlertTarget, Smtp};
use std::path::Path;

/// What a server answers to a command that begins with a word; to others it says yes.
type Odd = &'static [(&'static str, &'static str)];

/// Talks as mail servers do, and says what it was told.
fn talk(odd: Odd) -> Serve<Vec<String>> {
    Box::new(move |mut stream| {
        let mut told = Vec::new();
        let _ = stream.write_all(b"220 mail.test ESMTP\r\n");
        loop {
            let said = line(&mut *stream);
            if said.is_empty() {
                return told;
            }
            let answer = odd.iter().find(|(word, _)| said.starts_with(word)).map(|(_, answer)| *answer);
            let answer = answer.unwrap_or_else(|| match said.split(' ').next() {
                Some("EHLO") => "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
                Some("DATA") => "354 go on",
                Some("AUTH") => "235 well",
                Some("QUIT") => "221 bye",
                _ => "250 well",
            });
            let is_data = said == "DATA" && answer.starts_with("354");
            told.push(said);
            let _ = stream.write_all(format!("{answer}\r\n").as_bytes());
            if is_data {
                body(&mut *stream, &mut told);
                let _ = stream.write_all(b"250 taken\r\n");
            }
        }
    })
}

fn body(stream: &mut dyn Stream, told: &mut Vec<String>) {
    loop {
        let line = line(stream);
        if line == "." {
            return;
        }
        told.push(line);
    }
}

fn plain(port: u16) -> Smtp {
    Smtp {
        server: format!("smtp://127.0.0.1:{port}"),
        from: "Sluicebox <ops@example.org>".into(),
        user: None,
        password: None,
    }
}

fn known(server: String) -> Smtp {
    Smtp { server, user: Some("me".into()), password: Some("geheim-geheim".into()), ..plain(0) }
}

#[test]
fn an_alert_is_mailed() {
    let (port, seen) = serve(vec![talk(&[])]);
    assert_eq!(mail(&courier(LONG), &plain(port), &["a@example.org", "b@example.org"]), Delivery::Delivered);
    let told = seen.recv_timeout(LONG).unwrap();
    let has = |line: &str| assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    has("MAIL FROM:<ops@example.org>");
    has("RCPT TO:<a@example.org>");
    has("RCPT TO:<b@example.org>");
    has("From: Sluicebox <ops@example.org>");
    has("Subject: [sluicebox] flights failed");
    has("Auto-Submitted: auto-generated");
    let id = told.iter().find(|line| line.starts_with("Message-ID: <")).unwrap();
    assert!(id.ends_with("-failure@sluicebox.etl-1>"), "{id}");
    assert!(told.iter().any(|line| line.contains("gr=C3=B6=C3=9Fer")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("sluicebox runs show")), "{told:#?}");
}

#[test]
fn a_refusal_for_now_is_tried_again() {
    let (port, _) = serve(vec![talk(&[("RCPT", "451 come back later")])]);
    let reason = again(mail(&courier(LONG), &plain(port), &["a@example.org"]));
    assert!(reason.contains("451") && reason.contains("come back later"), "{reason}");
    let (port, _) = serve(vec![talk(&[("EHLO", "421 busy"), ("HELO", "421 busy")])]);
    again(mail(&courier(LONG), &plain(port), &["a@example.org"]));
}

#[test]
fn a_refusal_for_good_is_given_up() {
    let (port, _) = serve(vec![talk(&[("RCPT", "550 no such user \u{7}")])]);
    let reason = given_up(mail(&courier(LONG), &plain(port), &["a@example.org"]));
    assert!(reason.contains("does not take the mail") && reason.contains("no such user"), "{reason}");
    assert!(!reason.contains('\u{7}'));
    given_up(mail(&courier(LONG), &plain(port), &["nobody"]));
}

#[test]
fn a_mail_server_that_hangs_is_left() {
    let hang: Serve<Vec<String>> = Box::new(|mut stream| {
        until_the_end(&mut *stream);
        Vec::new()
    });
    let (port, _) = serve(vec![hang]);
    let reason = again(mail(&courier(SHORT), &plain(port), &["a@example.org"]));
    assert_eq!(reason, format!("127.0.0.1:{port} has not taken the mail within 0.3s"));
    // One that answers now and then, but never to the point.
    let drip: Serve<Vec<String>> = Box::new(|mut stream| {
        let more = format!("220-{}\r\n", "more ".repeat(150));
        while stream.write_all(more.as_bytes()).is_ok() {}
        Vec::new()
    });
    let (port, seen) = serve(vec![drip]);
    again(mail(&courier(LONG), &plain(port), &["a@example.org"]));
    seen.recv_timeout(LONG).unwrap();
    // One that is no mail server.
    let (port, _) = serve(vec![Box::new(|mut stream: Box<dyn Stream>| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        Vec::<String>::new()
    }) as Serve<_>]);
    again(mail(&courier(LONG), &plain(port), &["a@example.org"]));
}

#[test]
fn a_password_goes_by_tls_only() {
    // No TLS is offered: nothing is said of the password.
    let (port, seen) = serve(vec![talk(&[])]);
    let reason = again(mail(&courier(LONG), &known(format!("smtp://127.0.0.1:{port}")), &["a@example.org"]));
    assert!(reason.contains("offers no TLS"), "{reason}");
    let told = seen.recv_timeout(LONG).unwrap();
    assert!(!told.iter().any(|line| line.starts_with("AUTH")), "{told:?}");

    let (port, seen) = tls(talk(&[]));
    let courier_with_roots = courier_that_trusts(LONG, Some(AUTHORITY));
    let delivery = mail(&courier_with_roots, &known(format!("smtps://localhost:{port}")), &["a@example.org"]);
    assert_eq!(delivery, Delivery::Delivered);
    let told = seen.recv_timeout(LONG).unwrap().unwrap();
    assert!(told.iter().any(|line| line == "AUTH PLAIN AG1lAGdlaGVpbS1nZWhlaW0="), "{told:?}");

    // A wrong password may be put right.
    let (port, _) = tls(talk(&[("AUTH", "535 geheim-geheim is wrong")]));
    let reason = again(mail(&courier_with_roots, &known(format!("smtps://localhost:{port}")), &["a@example.org"]));
    assert!(reason.contains("does not take `user` and `password`"), "{reason}");
    assert!(!reason.contains("geheim"), "{reason}");
}

#[test]
fn a_server_that_is_not_trusted_gets_nothing() {
    let (port, seen) = tls(talk(&[]));
    let reason = again(mail(&courier(LONG), &known(format!("smtps://localhost:{port}")), &["a@example.org"]));
    assert!(reason.contains("localhost"), "{reason}");
    assert!(reason.to_lowercase().contains("certificate"), "{reason}");
    assert!(seen.recv_timeout(LONG).unwrap().is_none());
}

#[test]
fn no_mail_server_is_told() {
    let target = AlertTarget::Email { to: vec!["a@example.org".into()] };
    let reason = again(courier(LONG).deliver(&target, &super::alert(), None, Path::new(".")));
    assert!(reason.contains("`[smtp]`"), "{reason}");
    let reason = again(mail(&courier(LONG), &plain(1), &["a@example.org"]));
    assert!(reason.contains("refused"), "{reason}");
}
