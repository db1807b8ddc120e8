//! The gate: what stands between the network and the pages.
//!
//! ```text
//! browser ──TLS──▶ gate ──one sound request per connection──▶ DATA/web.sock ──▶ tiny_http
//! ```
//!
//! `tiny_http` has no limits and known holes (request smuggling, one request that allocates what it announces, an accept loop
//! that ends at the first error), so it hears on a Unix socket only, and only what the gate lets through:
//!
//! - so many connections, so many per address (`seats`), each with a time for handshake and head, and a least speed (`pace`);
//! - one request per connection, its head read strictly and written anew (`head`, `authority`), with `X-Peer` and `X-Scheme`;
//! - its body whole before the server hears of it: in memory, or in the spool folder within a quota and named in `X-Body`
//!   (`upload`);
//! - the answer in small pieces, as fast as the client reads (`exchange`, `answer`).
//!
//! What does not pass gets a status and a sentence (`refusal`). `/healthz` is answered here, also when the server hangs.
//!
//! It runs on the tokio runtime of `serve` and may touch: the listening sockets it is given, the server's socket, files of its
//! own in the spool folder, `keys/tls.*` (`tls`; `validity` says until when a certificate holds).

mod answer;
mod authority;
mod exchange;
mod head;
mod listen;
mod pace;
mod redirect;
mod refusal;
mod seats;
pub mod tls;
pub mod upload;
pub mod validity;

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

pub use self::authority::Authority;
use self::exchange::{Door, Shared};
pub use self::head::{Head, Method};
pub use self::listen::bind;
use self::seats::Seats;
use self::tls::Identity;
use self::upload::Uploads;
use crate::limits::{
    WEB_ANSWER_TIME, WEB_BODIES, WEB_BODY, WEB_CONNECTIONS, WEB_DISK_RESERVE, WEB_FAREWELL, WEB_HANDSHAKE_TIME,
    WEB_HEAD_TIME, WEB_LINGER, WEB_PER_ADDRESS, WEB_RATE, WEB_RATE_WINDOW, WEB_SERVER_AT_ONCE, WEB_SERVER_TIME,
    WEB_SPOOL, WEB_UPLOADS,
};
use crate::pulse::Pulse;

/// How often a wait looks whether to go on.
const LOOK: Duration = Duration::from_millis(200);
/// Pause after a failed accept: there is no descriptor or no memory, and there may be soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A failure that goes on is told this often.
const TELL: Duration = Duration::from_mins(1);
/// How often the certificate is held against the clock and the addresses.
const RENEW: Duration = Duration::from_mins(1);

/// Whether all is well; the reason for people where it is not. Asked on the runtime's thread: must not wait.
pub type Health = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;
/// Whether the sender of this head may send a body that needs the spool folder. Must not wait.
pub type MayUpload = Arc<dyn Fn(&Head) -> bool + Send + Sync>;

/// The gate before it is opened.
pub struct Gate {
    server: PathBuf,
    spool: PathBuf,
    health: Health,
    may_upload: MayUpload,
    limits: Limits,
    doors: Vec<(TcpListener, Door)>,
    identities: Vec<Arc<Identity>>,
}

/// The bounds of one gate. The default is what `limits.rs` says under *Web*; what is not here is fixed there.
#[derive(Clone, Debug)]
pub struct Limits {
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 /64.
    pub per_address: usize,
    pub handshake_time: Duration,
    pub head_time: Duration,
    /// Bytes per second, as a mean over `rate_window`.
    pub rate: u64,
    pub rate_window: Duration,
    /// Bytes of one body.
    pub body: u64,
    pub uploads: usize,
    /// Bytes of all uploads, and of disk that they leave free.
    pub spool: u64,
    pub disk_reserve: u64,
    pub server_at_once: usize,
    /// How long the server may stay silent.
    pub server_time: Duration,
    /// The same within an answer that is under way.
    pub answer_time: Duration,
    pub linger: Duration,
    pub farewell: Duration,
}

/// Why a gate cannot be opened, or not stay open.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error("{address:?} is no address to listen on: write an IP address and a port, as in 0.0.0.0:8443 or [::]:443")]
    Address { address: String },
    #[error("{address}: port {port} is in use by another program: stop that program, or choose another port")]
    InUse { address: String, port: u16 },
    #[error(
        "{address}: port {port} is reserved for the system (all below 1024 are): choose a port from 1024 on, such as 8443, or start as root"
    )]
    NotAllowed { address: String, port: u16 },
    #[error("{address} is not an address of this machine: choose one that it has, or 0.0.0.0 for all")]
    NotHere { address: String },
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        address: String,
        #[source]
        source: io::Error,
    },
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the certificate for HTTPS cannot be used: {what}")]
    Certificate { what: String },
    #[error("the gate ended unasked: {what}")]
    Ended { what: String },
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: WEB_CONNECTIONS,
            per_address: WEB_PER_ADDRESS,
            handshake_time: WEB_HANDSHAKE_TIME,
            head_time: WEB_HEAD_TIME,
            rate: WEB_RATE,
            rate_window: WEB_RATE_WINDOW,
            body: WEB_BODY,
            uploads: WEB_UPLOADS,
            spool: WEB_SPOOL,
            disk_reserve: WEB_DISK_RESERVE,
            server_at_once: WEB_SERVER_AT_ONCE,
            server_time: WEB_SERVER_TIME,
            answer_time: WEB_ANSWER_TIME,
            linger: WEB_LINGER,
            farewell: WEB_FAREWELL,
        }
    }
}

impl GateError {
    /// Names the file an I/O error is about.
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl Gate {
    /// A gate without a door, in front of the Unix socket `server`. `spool` is the folder for long bodies; it exists.
    pub fn new(server: PathBuf, spool: PathBuf, health: Health) -> Self {
        Self {
            server,
            spool,
            health,
            may_upload: Arc::new(|_| true),
            limits: Limits::default(),
            doors: Vec::new(),
            identities: Vec::new(),
        }
    }

    /// With other bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Long bodies are taken only from whom `may_upload` lets; without this, from everybody.
    #[must_use]
    pub fn with_uploads_for(mut self, may_upload: MayUpload) -> Self {
        self.may_upload = may_upload;
        self
    }

    /// Serves HTTPS on `listener`; whoever speaks plain HTTP there is sent to HTTPS.
    pub fn https(mut self, listener: TcpListener, identity: &Arc<Identity>) -> Result<Self, GateError> {
        self.doors.push((listener, Door::Https(identity.server_config()?)));
        if !self.identities.iter().any(|known| Arc::ptr_eq(known, identity)) {
            self.identities.push(identity.clone());
        }
        Ok(self)
    }

    /// Serves plain HTTP on `listener`, where an administrator wants that.
    #[must_use]
    pub fn http(mut self, listener: TcpListener) -> Self {
        self.doors.push((listener, Door::Http));
        self
    }

    /// Sends everybody who comes to `listener` to HTTPS at `port`.
    #[must_use]
    pub fn redirect(mut self, listener: TcpListener, port: u16) -> Self {
        self.doors.push((listener, Door::Redirect(port)));
        self
    }

    /// Opens the doors until `end` is cancelled, then lets exchanges under way end. Beats `end`. Must run inside a tokio
    /// runtime with I/O and time.
    pub async fn run(self, end: &Pulse) -> Result<(), GateError> {
        let limits = self.limits;
        let shared = Arc::new(Shared {
            server: self.server,
            seats: Arc::new(Seats::new(limits.connections, limits.per_address)),
            uploads: Arc::new(Uploads::new(self.spool, limits.uploads, limits.spool, limits.disk_reserve)),
            bodies: Semaphore::new(WEB_BODIES),
            at_server: Semaphore::new(limits.server_at_once),
            health: self.health,
            may_upload: self.may_upload,
            limits,
        });
        let ended = |error: &dyn std::fmt::Display| GateError::Ended { what: error.to_string() };
        let mut loops = JoinSet::new();
        for (listener, door) in self.doors {
            listener.set_nonblocking(true).map_err(|error| ended(&error))?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| ended(&error))?;
            loops.spawn(accept(listener, door, shared.clone(), end.clone()));
        }
        for identity in self.identities {
            loops.spawn(renew(identity, end.clone()));
        }
        while let Some(done) = loops.join_next().await {
            done.map_err(|error| ended(&error))?;
        }
        Ok(())
    }
}

/// Accepts at one door. No error of the network ends it.
async fn accept(listener: tokio::net::TcpListener, door: Door, shared: Arc<Shared>, end: Pulse) {
    let mut open = JoinSet::new();
    let mut told: Option<Instant> = None;
    while end.go_on().is_ok() {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, address)) => {
                    let peer = address.ip().to_canonical();
                    if let Some(seat) = shared.seats.take(peer) {
                        open.spawn(exchange::serve(shared.clone(), tcp, peer, door.clone(), seat));
                    }
                    // Whoever lost a seat to this one leaves before the next comes.
                    tokio::task::yield_now().await;
                }
                Err(error) => {
                    if told.is_none_or(|told| told.elapsed() >= TELL) {
                        tracing::warn!("a connection could not be accepted: {error}");
                        told = Some(Instant::now());
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = open.join_next() => {
                if let Err(error) = ended {
                    tracing::error!("an exchange broke off: {error}");
                }
            }
            () = sleep(LOOK) => {}
        }
    }
    drop(listener);
    let _ = timeout(shared.limits.farewell, async { while open.join_next().await.is_some() {} }).await;
    open.shutdown().await;
}

/// Keeps a certificate fresh.
async fn renew(identity: Arc<Identity>, end: Pulse) {
    let mut looked = Instant::now();
    while !end.is_cancelled() {
        sleep(LOOK).await;
        if looked.elapsed() < RENEW {
            continue;
        }
        looked = Instant::now();
        let fresh = identity.clone();
        match tokio::task::spawn_blocking(move || fresh.refresh()).await {
            Ok(Ok(true)) => tracing::info!("new certificate for HTTPS, SHA-256 {}", identity.fingerprint()),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!("{error}"),
            Err(error) => tracing::error!("the certificate for HTTPS was not looked at: {error}"),
        }
    }
}
