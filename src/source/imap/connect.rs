//! From a name to a protected connection: DNS, TCP, TLS, STARTTLS.
//!
//! Every wait of a socket is cut into slices of a second: each beats the pulse and hears a cancellation.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::account::{Account, Encryption};
use super::lines::Verdict;
use super::stream::{Deaf, Stop, protocol};
use super::wire::{Wire, is_busy};
use crate::limits::CONNECT_TIMEOUT;
use crate::pulse::{Cancelled, Pulse};
use crate::source::error::words;
use crate::source::{Result, SourceError};

/// Longest wait between two beats.
const SLICE: Duration = Duration::from_secs(1);
/// rustls reads in pieces of 4 kB; this makes them larger.
const SOCKET_BUFFER: usize = 64 * 1024;

/// A TCP connection whose waits beat.
struct Tcp {
    stream: TcpStream,
    pulse: Pulse,
    /// How long the server may stay silent.
    patience: Duration,
}

impl Tcp {
    /// Repeats `attempt` until it moves bytes, fails, or patience ends.
    fn patiently(&mut self, mut attempt: impl FnMut(&mut TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        let start = Instant::now();
        loop {
            self.pulse.go_on().map_err(io::Error::other)?;
            match attempt(&mut self.stream) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if start.elapsed() >= self.patience {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

impl Read for Tcp {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.patiently(|stream| stream.read(to))
    }
}

impl Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A TCP connection that reads widely and writes at once.
struct Wide(BufReader<Tcp>);

impl Read for Wide {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to)
    }
}

impl Write for Wide {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}

enum Layer {
    Plain(Tcp),
    Tls(Box<StreamOwned<ClientConnection, Wide>>),
}

/// A connection, protected or not.
pub struct Socket {
    layer: Layer,
    patience: Duration,
}

impl Socket {
    /// What protects it, for people: `TLS 1.3`, or nothing.
    pub fn protection(&self) -> Option<&'static str> {
        match &self.layer {
            Layer::Plain(_) => None,
            Layer::Tls(stream) => Some(match stream.conn.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS",
            }),
        }
    }

    /// What a failed read or write means.
    pub fn explain(&self, error: &io::Error) -> SourceError {
        if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Cancelled>) {
            return SourceError::Cancelled;
        }
        if error.kind() == io::ErrorKind::TimedOut {
            return SourceError::Silent { seconds: self.patience.as_secs() };
        }
        SourceError::Lost { detail: words(error.to_string().as_bytes()) }
    }
}

impl Read for Socket {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match &mut self.layer {
            Layer::Plain(tcp) => tcp.read(to),
            Layer::Tls(stream) => stream.read(to),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.layer {
            Layer::Plain(tcp) => tcp.write(bytes),
            Layer::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Layer::Plain(tcp) => tcp.flush(),
            Layer::Tls(stream) => stream.flush(),
        }
    }
}

/// Connects as the account says, and reads the greeting. `patience` is how long the server may stay silent.
/// Returns the wire, and what protects it.
pub fn connect(account: &Account, pulse: &Pulse, patience: Duration) -> Result<(Wire, Option<&'static str>)> {
    let tcp = Tcp { stream: dial(account, pulse, patience)?, pulse: pulse.clone(), patience };
    let wire = match account.encryption {
        Encryption::Tls => {
            let mut wire = Wire::new(Socket { layer: tls(account, tcp)?, patience });
            greet(account, &mut wire)?;
            wire
        }
        Encryption::None => {
            let mut wire = Wire::new(Socket { layer: Layer::Plain(tcp), patience });
            greet(account, &mut wire)?;
            wire
        }
        Encryption::StartTls => start_tls(account, Wire::new(Socket { layer: Layer::Plain(tcp), patience }))?,
    };
    let protection = wire.protection();
    Ok((wire, protection))
}

fn dial(account: &Account, pulse: &Pulse, patience: Duration) -> Result<TcpStream> {
    let Account { server, port, .. } = account;
    let dns = |detail: &str| SourceError::Dns { server: server.clone(), detail: words(detail.as_bytes()) };
    let addresses: Vec<SocketAddr> =
        (server.as_str(), *port).to_socket_addrs().map_err(|error| dns(&error.to_string()))?.take(8).collect();
    let mut last = dns("the name has no address");
    let start = Instant::now();
    let slice = SLICE.min(patience);
    let share = CONNECT_TIMEOUT / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    for address in addresses {
        pulse.go_on().map_err(|_| SourceError::Cancelled)?;
        // A dead address must not use up the time of those behind it, but gets what those before it left.
        let time = share.max(CONNECT_TIMEOUT.saturating_sub(start.elapsed()) / 2);
        let stream = TcpStream::connect_timeout(&address, time).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(slice))?;
            stream.set_write_timeout(Some(slice))?;
            Ok(stream)
        });
        match stream {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                let detail = words(error.to_string().as_bytes());
                last = SourceError::Unreachable { server: server.clone(), port: *port, detail };
            }
        }
    }
    Err(last)
}

/// Reads the greeting (RFC 9051, 7.1).
fn greet(account: &Account, wire: &mut Wire) -> Result<()> {
    let not_imap = |wire: &Wire| SourceError::NotImap {
        server: account.server.clone(),
        port: account.port,
        said: wire.first_words(),
    };
    match wire.pump(&mut Deaf) {
        Ok(Stop::Greeting) => {}
        Ok(_) | Err(SourceError::Protocol { .. }) => return Err(not_imap(wire)),
        Err(error) => return Err(error),
    }
    let Some(greeting) = &wire.heard.greeting else { return Err(not_imap(wire)) };
    match greeting.verdict {
        Verdict::Ok => Ok(()),
        // Who is turned away at the door is one too many, whatever words are used.
        Verdict::Bye => Err(SourceError::Busy { said: greeting.said.clone() }),
        _ if is_busy(greeting) => Err(SourceError::Busy { said: greeting.said.clone() }),
        // Logged in before we said who we are: nobody knows whose mail this is; in front of STARTTLS it is an attack
        // (RFC 9051, 11.1).
        Verdict::PreAuth => Err(SourceError::Unsupported { what: "a login of our own (PREAUTH)".to_owned() }),
        Verdict::No | Verdict::Bad => Err(not_imap(wire)),
    }
}

/// Asks for TLS. Nothing that was said before counts after it, and nothing may wait in between (CVE-2011-0411).
fn start_tls(account: &Account, mut wire: Wire) -> Result<Wire> {
    greet(account, &mut wire)?;
    wire.send(b"s1 STARTTLS\r\n")?;
    match wire.pump(&mut Deaf)? {
        Stop::Tagged(tag, status) if tag == "s1" && status.verdict == Verdict::Ok => {}
        Stop::Tagged(..) => return Err(SourceError::NoStartTls { server: account.server.clone() }),
        Stop::Continue(_) | Stop::Greeting => return Err(protocol("an answer to STARTTLS that is none")),
    }
    if !wire.is_drained() {
        return Err(protocol("words in front of the encryption that was agreed"));
    }
    let Socket { layer: Layer::Plain(tcp), patience } = wire.into_socket() else {
        return Err(protocol("STARTTLS inside TLS"));
    };
    Ok(Wire::after_greeting(Socket { layer: tls(account, tcp)?, patience }))
}

fn tls(account: &Account, tcp: Tcp) -> Result<Layer> {
    let Account { server, port, .. } = account;
    let failed =
        |detail: &str| SourceError::Tls { server: server.clone(), port: *port, detail: words(detail.as_bytes()) };
    let name = ServerName::try_from(server.clone()).map_err(|error| failed(&error.to_string()))?;
    // The provider is named here: no default of the process can change what protects the mail.
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error.to_string()))?
        .with_root_certificates(roots(account)?)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| failed(&error.to_string()))?;
    let patience = tcp.patience;
    let mut wide = Wide(BufReader::with_capacity(SOCKET_BUFFER, tcp));
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut wide) {
            let Some(inner) = error.get_ref() else {
                return Err(match error.kind() {
                    io::ErrorKind::TimedOut => SourceError::Silent { seconds: patience.as_secs() },
                    _ => failed(&error.to_string()),
                });
            };
            if inner.is::<Cancelled>() {
                return Err(SourceError::Cancelled);
            }
            return Err(match inner.downcast_ref() {
                Some(rustls::Error::InvalidCertificate(why)) => certificate(server, why),
                Some(rustls::Error::InvalidMessage(_)) => failed("the server does not speak TLS on this port"),
                _ => failed(&error.to_string()),
            });
        }
    }
    Ok(Layer::Tls(Box::new(StreamOwned::new(connection, wide))))
}

fn certificate(server: &str, why: &CertificateError) -> SourceError {
    let (server, detail) = (server.to_owned(), words(why.to_string().as_bytes()));
    match why {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            SourceError::CertificateName { server, detail }
        }
        _ => SourceError::CertificateUntrusted { server, detail },
    }
}

/// The authorities that are trusted: those of the definition, else the public ones.
fn roots(account: &Account) -> Result<RootCertStore> {
    let Some(pem) = &account.ca_pem else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let bad = |detail: String| SourceError::CertificateUntrusted {
        server: account.server.clone(),
        detail: format!("the certificate of the definition cannot be used: {}", words(detail.as_bytes())),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() { Err(bad("it holds none".to_owned())) } else { Ok(roots) }
}
