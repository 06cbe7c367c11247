//! By mail.

use super::{CourierSettings, Delivery, seconds, shown};
use crate::message::Message;
use lettre::Transport;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{Error, SmtpTransport};
use sluicebox_model::alert::Smtp;
use std::error::Error as _;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

/// Codes by which a server says that it does not know who asks: somebody may put the password right.
const NOT_KNOWN: [&str; 5] = ["454", "530", "534", "535", "538"];

pub(super) fn send(settings: &CourierSettings, smtp: &Smtp, to: &[String], message: &Message) -> Delivery {
    let mail = match mail(smtp, to, message) {
        Ok(mail) => mail,
        Err(reason) => return Delivery::given_up(reason),
    };
    let (transport, host) = match transport(settings, smtp) {
        Ok(transport) => transport,
        Err(reason) => return Delivery::again(reason),
    };
    let (done, end) = sync_channel(1);
    // Each answer of the server is waited for within the time; only another thread sees to the whole.
    let started = thread::Builder::new().name("alert-mail".to_owned()).spawn(move || {
        let _ = done.send(transport.send(&mail).map(|_| ()));
    });
    if let Err(error) = started {
        return Delivery::again(format!("no thread for a mail: {error}"));
    }
    let late = || Delivery::again(format!("{host} has not taken the mail within {}", seconds(settings.email_max)));
    match end.recv_timeout(settings.email_max) {
        Ok(Ok(())) => Delivery::Delivered,
        Ok(Err(error)) if is_timeout(&error) => late(),
        Ok(Err(error)) => failed(&error, &host, smtp),
        Err(RecvTimeoutError::Timeout) => late(),
        Err(RecvTimeoutError::Disconnected) => Delivery::again(format!("the mail for {host} could not be sent")),
    }
}

fn mail(smtp: &Smtp, to: &[String], message: &Message) -> Result<lettre::Message, String> {
    let mailbox = |address: &str| -> Result<Mailbox, String> {
        address.parse().map_err(|_| format!("`{}` is not an address of mail", shown(address, &[])))
    };
    let mut builder: MessageBuilder = lettre::Message::builder().from(mailbox(&smtp.from)?);
    for address in to {
        builder = builder.to(mailbox(address)?);
    }
    // The same for each attempt: a mail that comes twice is shown once.
    let id = format!("<{}@sluicebox.{}>", message.id, host_part(&message.host));
    // Mail for a chat is bent so that nobody is called; here nobody would be.
    let text = message.text.replace('\u{200b}', "");
    let mut mail = builder
        .subject(format!("[sluicebox] {}", message.title.replace('\u{200b}', "")))
        .message_id(Some(id))
        .user_agent(concat!("sluicebox/", env!("CARGO_PKG_VERSION")).to_owned())
        .header(ContentType::TEXT_PLAIN)
        .body(text)
        .map_err(|error| format!("the mail cannot be written: {error}"))?;
    // No absence notes in answer, please.
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")] {
        if let Ok(name) = HeaderName::new_from_ascii(name.to_owned()) {
            mail.headers_mut().insert_raw(HeaderValue::new(name, value.to_owned()));
        }
    }
    Ok(mail)
}

/// The machine's name as it may stand in an id.
fn host_part(host: &str) -> String {
    let name: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    let name = name.trim_matches('.').to_owned();
    if name.is_empty() || name.contains("..") { "invalid".to_owned() } else { name }
}

/// The transport, and the server's name for people.
fn transport(settings: &CourierSettings, smtp: &Smtp) -> Result<(SmtpTransport, String), String> {
    let wrong = || "`server` of `[smtp]` is not a mail server; write `smtps://mail.example.org:465`".to_owned();
    let (wrapped, rest) = match (smtp.server.strip_prefix("smtps://"), smtp.server.strip_prefix("smtp://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(wrong()),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| wrong())?,
        None if wrapped => 465,
        None => 587,
    };
    let no_tls = |error: Error| format!("no TLS with {host}: {}", shown(&error.to_string(), &[]));
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(pem) = &settings.roots {
        tls = tls.certificate_store(CertificateStore::None);
        tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(no_tls)?);
    }
    let tls = tls.build().map_err(no_tls)?;
    let has_password = smtp.user.is_some() || smtp.password.is_some();
    let tls = match (wrapped, has_password) {
        (true, _) => Tls::Wrapper(tls),
        // A password is never sent in the open.
        (false, true) => Tls::Required(tls),
        (false, false) => Tls::Opportunistic(tls),
    };
    let mut builder = SmtpTransport::builder_dangerous(host).port(port).tls(tls).timeout(Some(settings.email_max));
    if has_password {
        let (user, password) = (smtp.user.clone(), smtp.password.clone());
        builder = builder.credentials(Credentials::new(user.unwrap_or_default(), password.unwrap_or_default()));
    }
    Ok((builder.build(), format!("{host}:{port}")))
}

/// Whether an answer did not come within the time; some systems call that `WouldBlock`.
fn is_timeout(error: &Error) -> bool {
    let inner = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    inner.is_some_and(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock))
}

fn failed(error: &Error, host: &str, smtp: &Smtp) -> Delivery {
    let secrets: Vec<&str> = smtp.password.as_deref().into_iter().collect();
    let said = shown(&error.to_string(), &secrets);
    let code = error.status().map(|code| code.to_string());
    if code.as_deref().is_some_and(|code| NOT_KNOWN.contains(&code)) {
        return Delivery::again(format!("{host} does not take `user` and `password` of `[smtp]`: {said}"));
    }
    if error.is_permanent() {
        return Delivery::given_up(format!("{host} does not take the mail: {said}"));
    }
    if said.contains("STARTTLS is not supported") {
        return Delivery::again(format!(
            "{host} offers no TLS, and without it no password is sent; write `smtps://...:465`, or leave out `user` and \
             `password`"
        ));
    }
    if error.is_tls() {
        return Delivery::again(format!("no TLS with {host}: {said}"));
    }
    Delivery::again(format!("{host}: {said}"))
}
