//! Servers on loopback for the tests of the network. Each notes what it hears, and lives as long as the process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server, and the heads of the requests (or the lines) that it heard.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

/// What bytes go to and come from.
pub(crate) trait Wire: Read + Write + Send {}
impl<W: Read + Write + Send> Wire for W {}

/// Answers a request, given its head.
type Answer = dyn Fn(&str, &mut dyn Wire) -> io::Result<()> + Send + Sync;

impl Server {
    /// Serves each connection on a thread of its own.
    fn start(
        at: &str,
        serve: impl Fn(TcpStream, &Mutex<Vec<String>>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let (at, heard) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let (noted, serve) = (Arc::clone(&heard), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (noted, serve) = (Arc::clone(&noted), Arc::clone(&serve));
                thread::spawn(move || {
                    let noted: &Mutex<Vec<String>> = &noted;
                    // A client that hangs up is no concern of a server.
                    let _ = serve(stream.unwrap(), noted);
                });
            }
        });
        Self { at, heard }
    }

    /// HTTP in the open.
    pub(crate) fn http(answer: impl Fn(&str, &mut dyn Wire) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::http_at("127.0.0.1:0", answer)
    }

    /// HTTP in the open, at an address.
    pub(crate) fn http_at(
        at: &str,
        answer: impl Fn(&str, &mut dyn Wire) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(at, move |mut stream, heard| one_request(&mut stream, heard, &answer))
    }

    /// HTTP by TLS.
    pub(crate) fn https(
        config: Arc<rustls::ServerConfig>,
        answer: impl Fn(&str, &mut dyn Wire) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start("127.0.0.1:0", move |stream, heard| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            one_request(&mut stream, heard, &answer)?;
            stream.conn.send_close_notify();
            stream.flush()
        })
    }

    /// Answers each line with the same in upper case.
    pub(crate) fn echo() -> Self {
        Self::start("127.0.0.1:0", |stream, heard| {
            let mut writes = stream.try_clone()?;
            for line in BufReader::new(stream).lines() {
                let line = line?;
                writes.write_all(format!("{}\n", line.to_uppercase()).as_bytes())?;
                heard.lock().unwrap().push(line);
            }
            Ok(())
        })
    }

    /// Mail by TLS: takes every mail. It hears all lines.
    pub(crate) fn smtps(config: Arc<rustls::ServerConfig>) -> Self {
        Self::start("127.0.0.1:0", move |stream, heard| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut wire = BufReader::new(rustls::StreamOwned::new(connection, stream));
            wire.get_mut().write_all(b"220 mail.test ESMTP\r\n")?;
            let (mut line, mut in_mail) = (String::new(), false);
            while wire.read_line(&mut line)? > 0 {
                let said = line.trim_end().to_owned();
                let answer = match said.split(' ').next() {
                    Some(".") if in_mail => "250 taken",
                    _ if in_mail => "",
                    Some("EHLO") => "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN",
                    Some("AUTH") => "235 well",
                    Some("DATA") => "354 go on",
                    Some("QUIT") => "221 bye",
                    _ => "250 well",
                };
                in_mail = (in_mail || said == "DATA") && said != ".";
                heard.lock().unwrap().push(said);
                if !answer.is_empty() {
                    wire.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
                }
                line.clear();
            }
            Ok(())
        })
    }

    /// Takes whatever comes.
    pub(crate) fn sink() -> Self {
        Self::start("127.0.0.1:0", |mut stream, heard| {
            heard.lock().unwrap().push("a connection".to_owned());
            io::copy(&mut stream, &mut io::sink()).map(drop)
        })
    }

    /// What it heard so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }
}

fn one_request<W: Wire>(wire: &mut W, heard: &Mutex<Vec<String>>, answer: &Answer) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        wire.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    heard.lock().unwrap().push(head.clone());
    answer(&head, wire)
}

/// Answers with a text, and hangs up.
pub(crate) fn text(wire: &mut dyn Wire, text: &str) -> io::Result<()> {
    let length = text.len();
    wire.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}").as_bytes())
}

/// Leads elsewhere.
pub(crate) fn redirect(wire: &mut dyn Wire, to: &str) -> io::Result<()> {
    wire.write_all(format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 5\r\n\r\nmoved").as_bytes())
}

/// Answers without end.
pub(crate) fn endless(wire: &mut dyn Wire) -> io::Result<()> {
    wire.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    loop {
        wire.write_all(&[b'x'; 4096])?;
    }
}

/// Begins to answer, and says no more until the client hangs up.
pub(crate) fn half(wire: &mut dyn Wire) -> io::Result<()> {
    wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")?;
    silent(wire)
}

/// Says nothing until the client hangs up.
pub(crate) fn silent(wire: &mut dyn Wire) -> io::Result<()> {
    io::copy(wire, &mut io::sink()).map(drop)
}

/// An authority of one's own, as PEM, and what a server needs that it vouches for.
pub(crate) fn authority(names: &[&str]) -> (String, Arc<rustls::ServerConfig>) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own_key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let own = CertificateParams::new(names).unwrap().signed_by(&own_key, &issuer).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![own.der().clone()], key).unwrap();
    (ca.pem(), Arc::new(config))
}
