//! A browser without a face: HTTPS requests one by one, with cookies, and nothing followed or repaired.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The token that the forms of this page carry.
    pub fn csrf(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once("name=\"csrf\" value=\"").expect("a form with a token");
        rest.split('"').next().unwrap().into()
    }
}

type Stream = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

/// Sends requests to one server and keeps its cookies.
#[derive(Clone)]
pub struct Https {
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
    /// Asks from this address of this machine; any, where there is none.
    pub from: Option<Ipv4Addr>,
    pub cookies: BTreeMap<String, String>,
}

impl Https {
    /// Trusts this certificate (PEM) and no other.
    pub fn new(address: SocketAddr, certificate: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(certificate.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, tls: Arc::new(tls), from: None, cookies: BTreeMap::new() }
    }

    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, &[], b"")
    }

    /// Sends a form as a page of the same origin would.
    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("https://{}", self.host());
        self.post_from(&origin, target, fields)
    }

    /// Sends a form as a page of `origin` would.
    pub fn post_from(&mut self, origin: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let headers = [("Origin", origin), ("Content-Type", "application/x-www-form-urlencoded")];
        self.ask("POST", target, &headers, pairs.join("&").as_bytes())
    }

    /// Asks, reads so many bytes of the answer, and goes away.
    pub fn leave(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8], after: usize) -> Vec<u8> {
        let mut stream = self.begin(method, target, headers, body);
        let mut some = vec![0; after];
        stream.read_exact(&mut some).unwrap();
        some
    }

    /// One request; what the answer sets as cookies is sent with the next one.
    pub fn ask(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.begin(method, target, headers, body);
        let mut all = Vec::new();
        // A server that ends without TLS's farewell has said all the same what its length announces.
        let _ = stream.read_to_end(&mut all);
        let answer = parse(&all);
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, rest) = value.split_once('=').unwrap();
            let kept = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), kept.into());
            }
        }
        answer
    }

    fn connect(&self) -> TcpStream {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let Some(from) = self.from else { return TcpStream::connect(self.address).unwrap() };
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddr::from((from, 0))).unwrap();
        connect(&socket, &self.address).unwrap();
        socket.into()
    }

    /// How long it takes from the first byte of a request to the last one of its answer; the connection is there already.
    pub fn time(&self, target: &str) -> Duration {
        let mut stream = self.session();
        stream.conn.complete_io(&mut stream.sock).unwrap();
        let begun = Instant::now();
        self.send(&mut stream, "GET", target, &[], b"");
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let time = begun.elapsed();
        assert_eq!(parse(&all).status, 200, "{target}");
        time
    }

    /// Sends a request; the answer is to be read from what is returned.
    fn begin(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Stream {
        let mut stream = self.session();
        self.send(&mut stream, method, target, headers, body);
        stream
    }

    fn session(&self) -> Stream {
        let tcp = self.connect();
        tcp.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let session = rustls::ClientConnection::new(self.tls.clone(), name).unwrap();
        rustls::StreamOwned::new(session, tcp)
    }

    fn send(&self, stream: &mut Stream, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host());
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head += &format!("Cookie: {}\r\n", pairs.join("; "));
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method != "GET" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream.flush().unwrap();
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn parse(all: &[u8]) -> Answer {
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_string()))
        .collect();
    let mut body = all[end + 4..].to_vec();
    if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
        body = unchunk(&body);
    }
    Answer { status, headers, body }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("the size of a chunk");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
}
