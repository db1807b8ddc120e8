//! One connection: a handshake, one request, one answer, good-bye. Holds a fixed amount of memory whatever is sent.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::head::{self, Carriage, Head, Method, Scheme};
use super::pace::{LEAST_READ, Pace};
use super::refusal::{Refusal, plain};
use super::seats::{Seat, Seats};
use super::upload::{Upload, Uploads};
use super::{Health, Limits, MayUpload, answer, redirect};
use crate::limits::{
    WEB_ANSWER_HEAD, WEB_BODY_IN_MEMORY, WEB_BODY_OF_FORM, WEB_BUFFER, WEB_HEAD, WEB_LINGER_BYTES, WEB_SERVER_RATE,
    WEB_SPOOL_WRITE,
};

/// What every connection of a gate shares.
pub(super) struct Shared {
    pub server: PathBuf,
    pub limits: Limits,
    pub seats: Arc<Seats>,
    pub uploads: Arc<Uploads>,
    /// Bodies in memory, and requests at the server, that may still be added.
    pub bodies: Semaphore,
    pub at_server: Semaphore,
    pub health: Health,
    pub may_upload: MayUpload,
}

/// What a listening socket offers.
#[derive(Clone)]
pub(super) enum Door {
    Https(Arc<ServerConfig>),
    /// Without protection, on purpose.
    Http,
    /// Sends everybody to HTTPS at this port.
    Redirect(u16),
}

/// What is done with a connection once its bytes are readable.
#[derive(Clone, Copy)]
enum Purpose {
    Serve(Scheme),
    Redirect(u16),
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// Why there is no answer of the server.
enum End {
    Refused(Refusal),
    /// Nobody is there to read one, or it broke off.
    Gone,
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A body, as long as the exchange needs it.
enum Body<'a> {
    Memory(Vec<u8>, Option<SemaphorePermit<'a>>),
    Spooled(Upload),
}

struct Client {
    stream: Box<dyn Socket>,
    pace: Pace,
    /// Read, but not used yet.
    ahead: Vec<u8>,
    is_head: bool,
    /// A part of an answer is on its way.
    is_answered: bool,
}

/// Serves one connection until it is over or its seat is lost.
pub(super) async fn serve(shared: Arc<Shared>, tcp: TcpStream, peer: IpAddr, door: Door, seat: Seat) {
    tokio::select! {
        () = seat.lost() => {}
        () = connection(&shared, tcp, peer, &door, &seat) => {}
    }
}

async fn connection(shared: &Shared, tcp: TcpStream, peer: IpAddr, door: &Door, seat: &Seat) {
    let limits = &shared.limits;
    let Ok(Ok((stream, purpose))) = timeout(limits.handshake_time, open(tcp, door)).await else { return };
    let pace = Pace::new(limits.rate, limits.rate_window);
    let mut client = Client { stream, pace, ahead: Vec::new(), is_head: false, is_answered: false };
    let refusal = match exchange(shared, &mut client, purpose, peer, seat).await {
        Ok(()) => None,
        Err(End::Refused(refusal)) if !client.is_answered => Some(refusal),
        // What broke off ends without a good-bye, so that nobody takes it for whole.
        Err(_) => return,
    };
    if let Some(refusal) = refusal
        && client.say(&refusal.answer(!client.is_head)).await.is_err()
    {
        return;
    }
    // Whoever still sends would lose the answer if the connection were just closed.
    let _ = timeout(limits.linger, client.part()).await;
}

/// Makes the bytes of a connection readable.
async fn open(tcp: TcpStream, door: &Door) -> io::Result<(Box<dyn Socket>, Purpose)> {
    tcp.set_nodelay(true)?;
    Ok(match door {
        Door::Redirect(port) => (Box::new(tcp), Purpose::Redirect(*port)),
        Door::Http => (Box::new(tcp), Purpose::Serve(Scheme::Http)),
        Door::Https(config) => {
            let mut first = [0];
            tcp.peek(&mut first).await?;
            if first[0].is_ascii_uppercase() {
                // Somebody typed http:// before the address of this port: a handshake begins with byte 22.
                let port = tcp.local_addr()?.port();
                return Ok((Box::new(tcp), Purpose::Redirect(port)));
            }
            let limit = |connection: &mut rustls::ServerConnection| connection.set_buffer_limit(Some(WEB_BUFFER));
            let stream = TlsAcceptor::from(config.clone()).accept_with(tcp, limit).await?;
            (Box::new(stream), Purpose::Serve(Scheme::Https))
        }
    })
}

async fn exchange(
    shared: &Shared,
    client: &mut Client,
    purpose: Purpose,
    peer: IpAddr,
    seat: &Seat,
) -> Result<(), End> {
    let head = client.head(shared).await?;
    client.is_head = head.method == Method::Head;
    seat.asked();
    let scheme = match purpose {
        Purpose::Redirect(port) => return Ok(client.say(&redirect::answer(&head, port)).await?),
        Purpose::Serve(scheme) => scheme,
    };
    if head.path() == "/healthz" && matches!(head.method, Method::Get | Method::Head) {
        return Ok(client.say(&health(shared, !client.is_head)).await?);
    }
    // A long body is archived before there is an answer.
    let archiving = Duration::from_secs(head.content_length.unwrap_or(0) / WEB_SERVER_RATE);
    let patience = shared.limits.server_time + archiving;
    let body = client.body(shared, &head).await?;
    let carriage = match &body {
        Body::Memory(bytes, _) => Carriage::Inline(bytes.len() as u64),
        Body::Spooled(upload) => Carriage::Spooled(upload.token()),
    };
    let head = head.for_server(peer, scheme, carriage);
    // The file of a spooled body stays until the answer is through.
    let (bytes, permit, _upload) = match body {
        Body::Memory(bytes, permit) => (bytes, permit, None),
        Body::Spooled(upload) => (Vec::new(), None, Some(upload)),
    };
    let Ok(turn) = timeout(shared.limits.server_time, shared.at_server.acquire()).await else {
        return Err(Refusal::Busy.into());
    };
    let _turn = turn.map_err(|_| Refusal::Busy)?;
    let mut server = ask(shared, &head, &bytes).await?;
    drop((head, bytes, permit));
    client.relay(shared, &mut server, patience).await
}

/// What the roles' pulses say.
fn health(shared: &Shared, with_body: bool) -> Vec<u8> {
    match (shared.health)() {
        Ok(()) => plain(200, "OK", "", "ok\n", with_body),
        Err(reason) => plain(503, "Service Unavailable", "", &format!("{reason}\n"), with_body),
    }
}

/// Hands the request to the server.
async fn ask(shared: &Shared, head: &[u8], body: &[u8]) -> Result<UnixStream, Refusal> {
    let sent = timeout(shared.limits.server_time, async {
        let mut server = UnixStream::connect(&shared.server).await.map_err(|error| match error.kind() {
            // Its queue is full: it is there, but takes nothing.
            io::ErrorKind::WouldBlock => Refusal::ServerSilent,
            _ => Refusal::ServerDown,
        })?;
        // A server that hangs up before it has read everything may have answered all the same.
        if server.write_all(head).await.is_ok() {
            let _ = server.write_all(body).await;
        }
        Ok(server)
    });
    sent.await.map_err(|_| Refusal::ServerSilent)?
}

impl Client {
    /// Reads the head of the request. What follows it stays in `ahead`.
    async fn head(&mut self, shared: &Shared) -> Result<Head, End> {
        let read = timeout(shared.limits.head_time, async {
            let mut from = 0;
            loop {
                if let Some(end) = head::end(&self.ahead, from) {
                    return Ok(end);
                }
                from = self.ahead.len();
                if from >= WEB_HEAD {
                    return Err(End::Refused(head::endless(&self.ahead)));
                }
                self.ahead.reserve(LEAST_READ.min(WEB_HEAD - from));
                let mut part = (&mut self.stream).take((WEB_HEAD - from) as u64);
                if part.read_buf(&mut self.ahead).await? == 0 {
                    return Err(End::Gone);
                }
            }
        });
        let end = match read.await {
            Ok(end) => end?,
            // Browsers connect in advance and may have nothing to ask.
            Err(_) if self.ahead.is_empty() => return Err(End::Gone),
            Err(_) => return Err(Refusal::TooSlow.into()),
        };
        let rest = self.ahead.split_off(end);
        let head = std::mem::replace(&mut self.ahead, rest);
        Ok(Head::parse(&head, shared.limits.body)?)
    }

    /// Reads the whole body.
    async fn body<'a>(&mut self, shared: &'a Shared, head: &Head) -> Result<Body<'a>, End> {
        let length = head.content_length.unwrap_or(0);
        let mut buffer = std::mem::take(&mut self.ahead);
        buffer.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        if length > WEB_BODY_IN_MEMORY {
            if !(shared.may_upload)(head) {
                return Err(Refusal::Forbidden.into());
            }
            let mut upload = shared.uploads.begin(length)?;
            self.go_ahead(head, buffer.len() as u64).await?;
            while upload.missing() > 0 {
                let whole = usize::try_from(upload.missing()).map_or(WEB_SPOOL_WRITE, |left| left.min(WEB_SPOOL_WRITE));
                self.fill(&mut buffer, whole).await?;
                buffer = upload.write(buffer).await?;
            }
            upload.close();
            return Ok(Body::Spooled(upload));
        }
        let permit = if length > WEB_BODY_OF_FORM {
            Some(shared.bodies.try_acquire().map_err(|_| Refusal::Busy)?)
        } else {
            None
        };
        self.go_ahead(head, buffer.len() as u64).await?;
        self.fill(&mut buffer, usize::try_from(length).unwrap_or(usize::MAX)).await?;
        Ok(Body::Memory(buffer, permit))
    }

    /// Reads until `buffer` holds `whole` bytes.
    async fn fill(&mut self, buffer: &mut Vec<u8>, whole: usize) -> Result<(), End> {
        while buffer.len() < whole {
            match self.pace.read(&mut self.stream, buffer, whole - buffer.len()).await {
                Ok(0) => return Err(End::Gone),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(Refusal::TooSlow.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tells a client that waits for it to send its body (RFC 9110, 10.1.1).
    async fn go_ahead(&mut self, head: &Head, have: u64) -> io::Result<()> {
        if head.expects_continue && head.content_length.is_some_and(|length| length > have) {
            self.pace.write_all(&mut self.stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            self.pace.flush(&mut self.stream).await?;
        }
        Ok(())
    }

    /// Passes the server's answer on, as fast as the client reads it.
    async fn relay(&mut self, shared: &Shared, server: &mut UnixStream, patience: Duration) -> Result<(), End> {
        let mut buffer = Vec::with_capacity(WEB_BUFFER);
        let read = timeout(patience, async {
            let mut from = 0;
            loop {
                if let Some(end) = head::end(&buffer, from) {
                    return Ok(end);
                }
                from = buffer.len();
                if from > WEB_ANSWER_HEAD || server.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    return Err(Refusal::ServerDown);
                }
            }
        });
        let end = read.await.map_err(|_| Refusal::ServerSilent)??;
        let head = answer::for_client(&buffer[..end]).ok_or_else(|| {
            tracing::error!("the pages gave an answer whose head is not sound");
            Refusal::ServerDown
        })?;
        self.is_answered = true;
        self.pace.write_all(&mut self.stream, &head).await?;
        drop(head);
        buffer.drain(..end);
        loop {
            self.pace.write_all(&mut self.stream, &buffer).await?;
            self.pace.flush(&mut self.stream).await?;
            buffer.clear();
            let more = timeout(shared.limits.answer_time, server.read_buf(&mut buffer)).await;
            if more.map_err(|_| End::Gone)?? == 0 {
                return Ok(());
            }
        }
    }

    /// Gives a whole answer of the gate's own.
    async fn say(&mut self, answer: &[u8]) -> io::Result<()> {
        self.is_answered = true;
        self.pace.write_all(&mut self.stream, answer).await?;
        self.pace.flush(&mut self.stream).await
    }

    /// Says good-bye and hears what the client still sends, within bounds, until it says so too.
    async fn part(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut buffer = Vec::with_capacity(WEB_BUFFER);
        let mut heard = 0;
        while heard < WEB_LINGER_BYTES {
            buffer.clear();
            match self.stream.read_buf(&mut buffer).await? {
                0 => break,
                count => heard += count,
            }
        }
        Ok(())
    }
}
