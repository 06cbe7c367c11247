//! A server that does, with one connection after the other, what it is told to.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// The authority by which [`tls`] is trusted.
pub(crate) const AUTHORITY: &[u8] = include_bytes!("keys/ca.pem");

pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Serves a connection, and says what it saw.
pub(crate) type Serve<T> = Box<dyn FnOnce(Box<dyn Stream>) -> T + Send>;

/// A server of so many connections: its port, and what it saw of each.
pub(crate) fn serve<T: Send + 'static>(connections: Vec<Serve<T>>) -> (u16, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, all) = channel();
    thread::spawn(move || {
        for serve in connections {
            let (stream, _) = listener.accept().unwrap();
            let _ = seen.send(serve(Box::new(stream)));
        }
    });
    (port, all)
}

/// The same behind TLS.
pub(crate) fn tls<T: Send + 'static>(serve: Serve<T>) -> (u16, Receiver<Option<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, all) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let _ = seen.send(shake_hands(stream).map(|stream| serve(Box::new(stream))));
    });
    (port, all)
}

fn shake_hands(mut stream: TcpStream) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("keys/localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("keys/localhost.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).ok()?;
    }
    Some(StreamOwned::new(connection, stream))
}

/// One line, without its end; empty at the end of the stream.
pub(crate) fn line(stream: &mut dyn Stream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        if byte[0] == b'\n' {
            break;
        }
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap().trim_end_matches('\r').to_owned()
}

/// Reads until the other side goes away.
pub(crate) fn until_the_end(stream: &mut dyn Stream) {
    let mut piece = [0; 4096];
    while let Ok(1..) = stream.read(&mut piece) {}
}
