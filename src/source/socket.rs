//! From a name to a protected connection: DNS, TCP, TLS by rustls with the provider `ring`.
//!
//! What is received is bounded by [`rate`]. Every wait of a socket is cut into slices of a second: each beats the pulse and hears a cancellation.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::error::words;
use super::{Result, SourceError, rate};
use crate::limits::CONNECT_TIMEOUT;
use crate::pulse::{Cancelled, Pulse};

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
        let read = self.patiently(|stream| stream.read(to))?;
        rate::received(read, &self.pulse).map_err(io::Error::other)?;
        Ok(read)
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
    /// Connects without protection. `patience` is how long the server may stay silent.
    pub fn dial(server: &str, port: u16, pulse: &Pulse, patience: Duration) -> Result<Self> {
        let tcp = Tcp { stream: dial(server, port, pulse, patience)?, pulse: pulse.clone(), patience };
        Ok(Self { layer: Layer::Plain(tcp), patience })
    }

    /// Puts TLS over a connection that has none yet.
    pub fn into_tls(self, server: &str, port: u16, config: Arc<ClientConfig>) -> Result<Self> {
        let Self { layer: Layer::Plain(tcp), patience } = self else {
            return Err(SourceError::Protocol { detail: "TLS inside TLS".to_owned() });
        };
        Ok(Self { layer: tls(server, port, tcp, config)?, patience })
    }

    /// Whether the server neither closed the connection nor said something that nobody asked for.
    pub fn is_quiet(&self) -> bool {
        let stream = match &self.layer {
            Layer::Plain(tcp) => &tcp.stream,
            Layer::Tls(stream) if stream.sock.0.buffer().is_empty() => &stream.sock.0.get_ref().stream,
            Layer::Tls(_) => return false,
        };
        let quiet = stream.set_nonblocking(true).is_ok()
            && matches!(stream.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        stream.set_nonblocking(false).is_ok() && quiet
    }

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

fn dial(server: &str, port: u16, pulse: &Pulse, patience: Duration) -> Result<TcpStream> {
    let dns = |detail: &str| SourceError::Dns { server: server.to_owned(), detail: words(detail.as_bytes()) };
    let addresses: Vec<SocketAddr> =
        (server, port).to_socket_addrs().map_err(|error| dns(&error.to_string()))?.take(8).collect();
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
                last = SourceError::Unreachable { server: server.to_owned(), port, detail };
            }
        }
    }
    Err(last)
}

fn tls(server: &str, port: u16, tcp: Tcp, config: Arc<ClientConfig>) -> Result<Layer> {
    let failed = |detail: &str| SourceError::Tls { server: server.to_owned(), port, detail: words(detail.as_bytes()) };
    let name = ServerName::try_from(server.to_owned()).map_err(|error| failed(&error.to_string()))?;
    let mut connection = ClientConnection::new(config, name).map_err(|error| failed(&error.to_string()))?;
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

/// How TLS is spoken with `server`: by `ring`, trusting the authorities in `ca_pem`, else the public ones.
pub fn tls_config(server: &str, ca_pem: Option<&str>) -> Result<Arc<ClientConfig>> {
    // The provider is named here: no default of the process can change what protects the mail.
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SourceError::Unsupported { what: format!("TLS: {error}") })?
        .with_root_certificates(roots(server, ca_pem)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The authorities that are trusted: those of the definition, else the public ones.
fn roots(server: &str, ca_pem: Option<&str>) -> Result<RootCertStore> {
    let Some(pem) = ca_pem else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let bad = |detail: String| SourceError::CertificateUntrusted {
        server: server.to_owned(),
        detail: format!("the certificate of the definition cannot be used: {}", words(detail.as_bytes())),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() { Err(bad("it holds none".to_owned())) } else { Ok(roots) }
}
