//! The encrypted connection to an IMAP server: what is trusted, what is not, and what a person is told.
//!
//! The certificates in `tests/imap_tls/` are valid for a hundred years and of no use elsewhere; their authority's key was
//! thrown away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use archivista::pulse::Pulse;
use archivista::source::imap::{Account, Auth, Encryption, ImapSource};
use archivista::source::{MailSource, SourceError, Step};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use zeroize::Zeroizing;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/imap_tls").join(name)
}

/// Answers every command with OK, and says once more what it can do after STARTTLS.
fn talk(stream: &mut (impl Read + Write), greeting: bool, starttls: bool) {
    let mut reader = BufReader::new(stream);
    if greeting {
        reader.get_mut().write_all(b"* OK hello\r\n").unwrap();
    }
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let tag = line.split(' ').next().unwrap_or_default();
        let answer = format!("{tag} OK done\r\n");
        if reader.get_mut().write_all(answer.as_bytes()).is_err() || starttls {
            return;
        }
        line.clear();
    }
}

fn serve(mut stream: TcpStream, name: &str, starttls: bool) {
    if starttls {
        talk(&mut stream, true, true);
    }
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap()],
            PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap(),
        )
        .unwrap();
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    // A client that does not trust us leaves during the handshake.
    while stream.conn.is_handshaking() {
        if stream.conn.complete_io(&mut stream.sock).is_err() {
            return;
        }
    }
    talk(&mut stream, !starttls, false);
}

/// Tests a connection to a server with the certificate `name`; the steps that passed, and what did not.
fn check(name: &'static str, encryption: Encryption, trusted: bool) -> (Vec<String>, Option<Arc<SourceError>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, name, encryption == Encryption::StartTls));
    let account = Account {
        server: "localhost".into(),
        port,
        encryption,
        user: "anna".into(),
        auth: Auth::Password(Zeroizing::new("geheim".into())),
        ca_pem: trusted.then(|| std::fs::read_to_string(file("ca.pem")).unwrap()),
    };
    let (mut passed, mut failed) = (Vec::new(), None);
    ImapSource::new(account, Pulse::new()).with_patience(Duration::from_secs(10)).check(&mut |step| match step {
        Step::Passed(step) => passed.push(step.to_string().replace(&port.to_string(), "PORT")),
        Step::Failed(why) => failed = Some(why),
    });
    server.join().unwrap();
    (passed, failed)
}

#[test]
fn a_trusted_server_is_talked_to() {
    for encryption in [Encryption::Tls, Encryption::StartTls] {
        let (passed, failed) = check("localhost", encryption, true);
        assert!(failed.is_none(), "{failed:?}");
        assert_eq!(passed.first().map(String::as_str), Some("Connected to localhost:PORT (TLS 1.3)"));
        assert_eq!(passed.last().map(String::as_str), Some("The inbox is empty."));
    }
}

#[test]
fn another_name_is_told() {
    for encryption in [Encryption::Tls, Encryption::StartTls] {
        let (passed, failed) = check("mail.example.ch", encryption, true);
        assert!(passed.is_empty());
        assert!(matches!(failed.as_deref(), Some(SourceError::CertificateName { .. })), "{failed:?}");
    }
}

#[test]
fn an_unknown_authority_is_told() {
    let (passed, failed) = check("localhost", Encryption::Tls, false);
    assert!(passed.is_empty());
    assert!(matches!(failed.as_deref(), Some(SourceError::CertificateUntrusted { .. })), "{failed:?}");
}
