//! How ureq reaches a server: through our own sockets, so that every wait beats the pulse and hears a cancellation, and TLS
//! is that of the whole product.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

use crate::pulse::Pulse;
use crate::source::SourceError;
use crate::source::socket::Socket;

/// Looks up nothing: the connector does, with its own words for what goes wrong.
#[derive(Debug)]
pub struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let mut one = self.empty();
        one.push(([0, 0, 0, 0], 0).into());
        Ok(one)
    }
}

/// Opens connections.
pub struct Dialer {
    pub pulse: Pulse,
    pub tls: Arc<ClientConfig>,
    /// How long a server may stay silent.
    pub patience: Duration,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

fn other(error: SourceError) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

impl Connector<()> for Dialer {
    type Out = Pipe;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> std::result::Result<Option<Pipe>, ureq::Error> {
        let is_tls = details.uri.scheme_str() == Some("https");
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = details.uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let mut socket = Socket::dial(host, port, &self.pulse, self.patience).map_err(other)?;
        if is_tls {
            socket = socket.into_tls(host, port, self.tls.clone()).map_err(other)?;
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Pipe { socket, buffers, is_tls }))
    }
}

/// One connection.
pub struct Pipe {
    socket: Socket,
    buffers: LazyBuffers,
    is_tls: bool,
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipe")
    }
}

impl Transport for Pipe {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// The socket itself ends a wait that is longer than its patience.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> std::result::Result<(), ureq::Error> {
        use std::io::Write;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.socket
            .write_all(output)
            .and_then(|()| self.socket.flush())
            .map_err(|error| other(self.socket.explain(&error)))
    }

    /// A head that trickles is bounded as a whole; how long a single wait may be, the socket knows.
    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        use std::io::Read;
        if timeout.after.is_zero() {
            return Err(ureq::Error::Timeout(timeout.reason));
        }
        let read = self.socket.read(self.buffers.input_append_buf());
        let amount = read.map_err(|error| other(self.socket.explain(&error)))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_quiet()
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}
