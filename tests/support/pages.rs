//! A web server for fixed pages, over TLS with a certificate that no browser trusts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::tls;

/// A client that says nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Page {
    /// Whole header fields, each without its line end.
    pub fields: Vec<String>,
    pub body: Vec<u8>,
}

/// Serves until the test ends.
pub struct Pages {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Page {
    /// A page under a policy that allows what comes from its own server, inline styles apart.
    pub fn html(body: &str) -> Self {
        let policy = "Content-Security-Policy: default-src 'self'";
        let fields = ["Content-Type: text/html; charset=utf-8", policy].map(ToOwned::to_owned).to_vec();
        Self { fields, body: body.as_bytes().to_vec() }
    }

    pub fn of(content_type: &str, body: &[u8]) -> Self {
        Self { fields: vec![format!("Content-Type: {content_type}")], body: body.to_vec() }
    }

    pub fn with(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }
}

impl Pages {
    /// Pages by their path, query included. Everything else is not found.
    pub fn serve(pages: BTreeMap<&'static str, Page>) -> Self {
        let certificates = tls::localhost();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificates.certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(certificates.key.as_bytes()).unwrap(),
            )
            .unwrap();
        let (config, pages) = (Arc::new(config), Arc::new(pages));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (config, pages, log) = (Arc::clone(&config), Arc::clone(&pages), Arc::clone(&log));
                // A browser opens connections that it never uses, and leaves others half way.
                thread::spawn(move || answer(client, config, &pages, &log).unwrap_or_default());
            }
        });
        Self { port, asked }
    }

    pub fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The paths that were asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request, one answer.
fn answer(
    client: TcpStream,
    config: Arc<ServerConfig>,
    pages: &BTreeMap<&'static str, Page>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, client));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.by_ref().take(64 * 1024).read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    log.lock().unwrap().push(path.to_owned());
    let none = Page { fields: Vec::new(), body: Vec::new() };
    // Of an answer without a body the browser makes a page of its own.
    let missing = Page::of("text/plain", b"not found");
    let (status, page) = match pages.get(path) {
        Some(page) => ("200 OK", page),
        // Every browser asks for it.
        None if path == "/favicon.ico" => ("204 No Content", &none),
        None => ("404 Not Found", &missing),
    };
    let mut out = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", page.body.len());
    page.fields.iter().for_each(|field| out.push_str(&format!("{field}\r\n")));
    out.push_str("\r\n");
    let stream = reader.get_mut();
    stream.write_all(out.as_bytes())?;
    stream.write_all(&page.body)?;
    stream.conn.send_close_notify();
    stream.flush()
}
