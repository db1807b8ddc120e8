//! Requests to Graph and their answers: gates, token, pauses and repetitions are settled here, so that everything else of
//! the room sees an answer or a refusal that counts.
//!
//! Invariants: a token goes to the configured host only; no redirection to another one is followed; every request carries
//! `Prefer: IdType="ImmutableId"`; every body is bounded by whoever reads it.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use oauth2::{HttpRequest, HttpResponse};
use ring::rand::{SecureRandom, SystemRandom};
use serde::de::DeserializeOwned;
use ureq::http::response::Parts;
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body, BodyReader};

use super::errors::{Refusal, Remedy};
use super::paths;
use super::pipe::{Dialer, NoLookup};
use super::tenant::Tenant;
use super::throttle::{Big, Gates, Pass, retry_after};
use super::token::{Token, Tokens};
use super::trouble::Trouble;
use crate::clock;
use crate::limits::{GRAPH_ANSWER, GRAPH_MESSAGE, GRAPH_PAGE_TIME, LANES_AT_ONCE, MAILBOXES_AT_ONCE};
use crate::pulse::Pulse;
use crate::source::error::words;
use crate::source::pace::{Pace, rest};
use crate::source::socket::tls_config;
use crate::source::{Result, SourceError};

/// Redirections of one request that are followed.
const REDIRECTIONS: u32 = 3;
/// How often the same request is sent when the server throttles it, has trouble, or the connection breaks.
const THROTTLED: u32 = 20;
const TROUBLED: u32 = 5;
/// How many times its patience with silence a client bears with a server that trickles: its head, and what of a body is
/// slower than [`SLOWEST`].
const TRICKLE: u32 = 5;
/// Bytes a second that a body has to have beyond that.
const SLOWEST: u64 = 1024;
/// A server error of one request (500) is seldom one that passes.
const BROKEN: u32 = 2;

/// What a request needs that is not a mailbox's.
pub const MAIL_READ: &str = "Mail.Read";
pub const MAIL_WRITE: &str = "Mail.ReadWrite";
pub const USERS_READ: &str = "User.Read.All";

/// One request.
pub struct Ask<'a> {
    /// Whose gate it passes: the mailbox's id, `""` for the directory.
    pub mailbox: &'a str,
    /// What people call the mailbox.
    pub label: &'a str,
    pub method: Method,
    /// A whole address on the configured host, or a path on it.
    pub url: String,
    /// Mails that one page is to have: `odata.maxpagesize`.
    pub page: Option<u32>,
    /// Media type and bytes.
    pub body: Option<(&'static str, &'a [u8])>,
    /// The application permission that it needs.
    pub permission: &'static str,
    /// Whoever asks has something better to do about a 500 or 504 than to ask the same again.
    pub hasty: bool,
    /// Each time that it is done makes one more, so it is sent again only where it surely was not done.
    pub creates: bool,
}

impl<'a> Ask<'a> {
    /// Reads something of a mailbox.
    pub fn get(mailbox: &'a crate::source::Mailbox, url: String) -> Self {
        Self {
            mailbox: &mailbox.id,
            label: &mailbox.name,
            method: Method::GET,
            url,
            page: None,
            body: None,
            permission: MAIL_READ,
            hasty: false,
            creates: false,
        }
    }

    /// Changes something in a mailbox.
    pub fn change(mailbox: &'a crate::source::Mailbox, method: Method, url: String) -> Self {
        Self { method, permission: MAIL_WRITE, ..Self::get(mailbox, url) }
    }

    /// Makes something in a mailbox, which must not be there twice.
    pub fn create(mailbox: &'a crate::source::Mailbox, url: String, body: (&'static str, &'a [u8])) -> Self {
        Self { creates: true, body: Some(body), ..Self::change(mailbox, Method::POST, url) }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Fail {
    /// The server refuses, and asking again does not help.
    Refused(Box<Refusal>, SourceError),
    Other(SourceError),
}

impl From<Fail> for SourceError {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Refused(_, error) | Fail::Other(error) => error,
        }
    }
}

/// A success; its body is read by whoever asked, and keeps its lane as long.
pub struct Answer {
    /// Content-Length, where given.
    pub length: Option<u64>,
    body: BodyReader<'static>,
    since: Instant,
    bytes: u64,
    /// Time that it may take besides that of its bytes.
    grace: Duration,
    _pass: Pass,
}

impl Read for Answer {
    /// An error is a [`SourceError`] inside an [`std::io::Error`]; a body that is shorter than announced is one.
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.body.read(to).map_err(|error| std::io::Error::other(from_io(error)))?;
        self.bytes += read as u64;
        // A body that trickles would hold its lane, and the run, for as long as the server likes.
        if self.since.elapsed() > self.grace + Duration::from_secs(self.bytes / SLOWEST) {
            return Err(std::io::Error::other(SourceError::Silent { seconds: self.grace.as_secs() }));
        }
        Ok(read)
    }
}

/// All that the lanes of one tenant share.
pub struct Client {
    pub tenant: Tenant,
    pub pulse: Pulse,
    pub pace: Pace,
    /// Mails that the next page is to have: fewer for a while after one that the server could not read.
    pub page_size: AtomicU32,
    patience: Duration,
    agent: Agent,
    gates: Arc<Gates>,
    tokens: Tokens,
}

impl Client {
    /// Nothing is connected yet. `patience` is how long the server may stay silent.
    pub fn new(tenant: Tenant, pulse: Pulse, patience: Duration, pace: Pace) -> Result<Self> {
        let agent = agent(&tenant.graph_url, tenant.ca_pem.as_deref(), &pulse, patience)?;
        let (gates, tokens) = (Gates::of(&tenant), Tokens::default());
        let page_size = AtomicU32::new(tenant.number_of_mails);
        Ok(Self { tenant, pulse, pace, page_size, patience, agent, gates, tokens })
    }

    /// A path on the configured host.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.tenant.graph_url.trim_end_matches('/'))
    }

    /// A link of the server, which has to stay on the configured host.
    pub fn link(&self, link: &str) -> Result<String> {
        Ok(paths::link(&self.tenant.graph_url, link)?.to_owned())
    }

    /// Logs in, where that was not done yet.
    pub fn log_in(&self) -> Result<()> {
        self.token(None).map(drop)
    }

    fn token(&self, refused: Option<u64>) -> Result<Token> {
        self.tokens.get(&self.tenant, refused, &|request| self.ask_entra(&request))
    }

    /// One request to Entra, repeated while its trouble passes by itself.
    fn ask_entra(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let mut attempt = 0;
        loop {
            let answer = self.agent.run(request.clone()).map_err(from_ureq).and_then(|response| {
                let (head, body) = response.into_parts();
                Ok((head, bounded(&mut body.into_reader(), GRAPH_ANSWER)?))
            });
            let pause = match &answer {
                Ok((head, _)) if head.status == 429 || head.status.is_server_error() => {
                    self.pace.after(pause(&head.headers), attempt)
                }
                Err(SourceError::Lost { .. } | SourceError::Silent { .. }) => self.pace.pause(attempt),
                _ => self.pace.patience + Duration::from_secs(1),
            };
            attempt += 1;
            if attempt >= TROUBLED || pause > self.pace.patience {
                return answer.map(|(head, body)| Response::from_parts(head, body));
            }
            rest(pause, &self.pulse)?;
        }
    }

    /// Sends a request until it is answered for good. Every status but 2xx is a refusal.
    pub fn send(&self, ask: &Ask<'_>) -> std::result::Result<Answer, Fail> {
        // Nobody else's turn is kept by the directory.
        let in_place = if ask.mailbox.is_empty() { self.pace.patience } else { self.pace.in_place };
        let enter = || self.gates.enter(ask.mailbox, in_place, &self.pulse).map_err(Fail::Other);
        let mut pass = enter()?;
        let mut token = self.token(None).map_err(Fail::Other)?;
        let (mut renewed, mut throttled, mut troubled, mut breaks, mut turns) = (false, 0, 0, 0, 0);
        let mut waited = Duration::ZERO;
        let mut url = ask.url.clone();
        loop {
            self.pulse.go_on().map_err(|_| Fail::Other(SourceError::Cancelled))?;
            let response = match self.once(ask, &url, &token) {
                Ok(response) => response,
                // A connection that was kept open may be dead. What changes something is sent once: whether the server
                // heard it is not known.
                Err(SourceError::Lost { .. }) if ask.method == Method::GET && breaks < TROUBLED => {
                    breaks += 1;
                    if breaks > 1 {
                        rest(self.pace.pause(breaks - 2), &self.pulse).map_err(Fail::Other)?;
                    }
                    continue;
                }
                Err(error) => return Err(Fail::Other(error)),
            };
            let (head, body) = response.into_parts();
            let status = head.status.as_u16();
            if head.status.is_success() && is_page(ask, &head.headers) {
                // A proxy or the page of a network answers in place of Graph: taken for a message it would be archived.
                troubled += 1;
                if ask.creates {
                    let said = "a page of HTML in place of the answer".to_owned();
                    return Err(Fail::Other(Trouble::Unsure { said }.into()));
                }
                if troubled >= TROUBLED {
                    let said = "a page of HTML in place of the answer".to_owned();
                    return Err(Fail::Other(Trouble::ServerTrouble { said }.into()));
                }
                rest(self.pace.pause(troubled - 1), &self.pulse).map_err(Fail::Other)?;
                continue;
            }
            if head.status.is_success() {
                return self.answer(ask, &head, body, pass).map_err(Fail::Other);
            }
            if head.status.is_redirection() {
                let to = head.headers.get("location").and_then(|to| to.to_str().ok());
                // On the same host the token is safe; what changes something is not sent twice.
                if let Some(Ok(same)) = to.map(|to| self.link(to))
                    && ask.method == Method::GET
                    && turns < REDIRECTIONS
                {
                    turns += 1;
                    url = same;
                    continue;
                }
                // Its name only: what stands behind may be somebody's secret.
                let host = to.and_then(|to| to.parse::<Uri>().ok()?.host().map(|host| words(host.as_bytes())));
                let host = host.unwrap_or_else(|| "?".to_owned());
                return Err(Fail::Other(Trouble::OtherHost { host }.into()));
            }
            let bytes = bounded(&mut body.into_reader(), GRAPH_ANSWER).unwrap_or_default();
            let mut refusal = Refusal::parse(status, &bytes);
            refusal.retry_after = pause(&head.headers);
            // A gateway may answer in place of a server that did what was asked; one that throttles did nothing.
            let is_unsure = refusal.remedy() == Remedy::Again && !refusal.is_throttling();
            if ask.creates && is_unsure {
                let error = Trouble::Unsure { said: refusal.full() }.into();
                return Err(Fail::Refused(Box::new(refusal), error));
            }
            let (attempt, most) = match refusal.remedy() {
                Remedy::Renew if !renewed => {
                    renewed = true;
                    token = self.token(Some(token.serial)).map_err(Fail::Other)?;
                    continue;
                }
                Remedy::Slower => (&mut throttled, THROTTLED),
                // Trouble that names its end is throttling by another name.
                Remedy::Again if refusal.retry_after.is_some() => (&mut throttled, THROTTLED),
                Remedy::Again if status == 500 => (&mut troubled, BROKEN),
                Remedy::Again => (&mut troubled, TROUBLED),
                Remedy::Renew | Remedy::None => {
                    let error = refusal.trouble(ask.label, ask.permission, &token.granted).into();
                    return Err(Fail::Refused(Box::new(refusal), error));
                }
            };
            *attempt += 1;
            let pause = self.pace.after(refusal.retry_after, *attempt - 1);
            waited = waited.saturating_add(pause);
            let is_long = refusal.retry_after.is_some_and(|named| named > in_place);
            let in_vain = ask.hasty && refusal.retry_after.is_none() && matches!(status, 500 | 504);
            let ends = in_vain || *attempt >= most || waited > self.pace.patience;
            let error = || refusal.trouble(ask.label, ask.permission, &token.granted);
            if refusal.is_throttling() {
                pass.throttled(pause.min(self.pace.patience), refusal.full());
                // No refusal that somebody could take for one of what was asked for.
                if ends || is_long {
                    return Err(Fail::Other(error().into()));
                }
                // Its place in the tenant is for others as long as its mailbox is closed.
                drop(pass);
                pass = enter()?;
                continue;
            }
            if ends {
                let error = error().into();
                return Err(Fail::Refused(Box::new(refusal), error));
            }
            rest(pause, &self.pulse).map_err(Fail::Other)?;
        }
    }

    /// A success, whose body is still to come.
    fn answer(&self, ask: &Ask<'_>, head: &Parts, body: Body, pass: Pass) -> Result<Answer> {
        pass.answered();
        // An end that is nothing but the end of the connection may be the middle of a message.
        let has_end = ["content-length", "transfer-encoding"].iter().any(|name| head.headers.contains_key(*name));
        if !has_end && head.status != StatusCode::NO_CONTENT && ask.method == Method::GET {
            let detail = "an answer that does not say where it ends, as of an old proxy".to_owned();
            return Err(SourceError::Protocol { detail });
        }
        let (length, since, grace) = (body.content_length(), Instant::now(), self.patience * TRICKLE);
        Ok(Answer { length, body: body.into_reader(), since, bytes: 0, grace, _pass: pass })
    }

    fn once(&self, ask: &Ask<'_>, url: &str, token: &Token) -> Result<Response<Body>> {
        let mut prefer = "IdType=\"ImmutableId\"".to_owned();
        if let Some(page) = ask.page {
            prefer += &format!(", odata.maxpagesize={page}");
        }
        let url = if url.starts_with('/') { self.url(url) } else { self.link(url)? };
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(url)
            .header("Authorization", format!("Bearer {}", token.value.as_str()))
            .header("Prefer", prefer)
            .header("client-request-id", request_id())
            .header("Accept", "*/*");
        if let Some((media_type, _)) = ask.body {
            request = request.header("Content-Type", media_type);
        }
        let bad = |_| SourceError::Protocol { detail: "an address or token that no request can carry".to_owned() };
        let response = match ask.body {
            Some((_, bytes)) => self.agent.run(request.body(bytes).map_err(bad)?),
            // An action without parameters still has a length, 0.
            None if ask.method == Method::POST => self.agent.run(request.body(&[][..]).map_err(bad)?),
            None => self.agent.run(request.body(()).map_err(bad)?),
        };
        response.map_err(from_ureq)
    }

    /// Sends a request and reads its answer as JSON of at most `limit` bytes.
    pub fn json<T: DeserializeOwned>(&self, ask: &Ask<'_>, limit: usize) -> std::result::Result<T, Fail> {
        let mut breaks = 0;
        loop {
            let mut answer = self.send(ask)?;
            // Held until the JSON is read: it is there twice then.
            let mut big = None;
            let grown = read(&mut answer, limit, &mut || {
                big = Some(Big::enter(&self.pulse)?);
                Ok(())
            });
            match grown {
                Ok(bytes) => {
                    return serde_json::from_slice(&bytes).map_err(|error| {
                        let place = format!("line {} column {}", error.line(), error.column());
                        Fail::Other(SourceError::Protocol {
                            detail: format!("an answer that is not as documented, {place}"),
                        })
                    });
                }
                // Cut in the middle: reading it again changes nothing on the server.
                Err(SourceError::Lost { .. }) if ask.method == Method::GET && breaks < TROUBLED => breaks += 1,
                Err(error) => return Err(Fail::Other(error)),
            }
            drop(answer);
            rest(self.pace.pause(breaks - 1), &self.pulse).map_err(Fail::Other)?;
        }
    }

    /// Sends a request whose answer does not matter beyond its status.
    pub fn done(&self, ask: &Ask<'_>) -> std::result::Result<(), Fail> {
        let mut answer = self.send(ask)?;
        // Read to its end, so that the connection can be used again.
        bounded(&mut answer, GRAPH_MESSAGE).map(drop).map_err(Fail::Other)
    }
}

/// Whether a success is a page for people. Graph gives JSON and MIME; only an attachment may itself be HTML.
fn is_page(ask: &Ask<'_>, headers: &HeaderMap) -> bool {
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.trim_start().to_ascii_lowercase().starts_with("text/html") && !ask.url.contains("/attachments/")
}

/// What the server wants us to wait.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after(text("retry-after")?, text("date"), clock::now())
}

/// Speaks HTTP over our own sockets, and follows no redirection by itself. `ca_pem` is trusted instead of the public authorities.
pub fn agent(server: &str, ca_pem: Option<&str>, pulse: &Pulse, patience: Duration) -> Result<Agent> {
    let tls = tls_config(server, ca_pem)?;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("archivista/", env!("CARGO_PKG_VERSION")))
        .max_response_header_size(64 * 1024)
        // Of each connection, also of an idle one; what is sent is short.
        .input_buffer_size(64 * 1024)
        .output_buffer_size(16 * 1024)
        .max_idle_connections(MAILBOXES_AT_ONCE + LANES_AT_ONCE)
        .max_idle_connections_per_host(MAILBOXES_AT_ONCE + LANES_AT_ONCE)
        .max_idle_age(Duration::from_secs(50))
        .timeout_recv_response(Some(patience * TRICKLE))
        .build();
    Ok(Agent::with_parts(config, Dialer { pulse: pulse.clone(), tls, patience }, NoLookup))
}

/// Reads a body to its end, at most `limit` bytes in [`GRAPH_PAGE_TIME`].
pub fn bounded(from: &mut dyn Read, limit: usize) -> Result<Vec<u8>> {
    read(from, limit, &mut || Ok(()))
}

/// The same; `grows` is asked once before the body becomes a large one, of more than [`GRAPH_ANSWER`].
fn read(from: &mut dyn Read, limit: usize, grows: &mut dyn FnMut() -> Result<()>) -> Result<Vec<u8>> {
    let mut until = Instant::now() + GRAPH_PAGE_TIME;
    let (mut out, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    let mut is_large = false;
    loop {
        if out.len() > GRAPH_ANSWER && !is_large {
            let since = Instant::now();
            grows()?;
            until += since.elapsed();
            is_large = true;
        }
        let read = from.read(&mut piece).map_err(from_io)?;
        if read == 0 {
            return Ok(out);
        }
        out.extend_from_slice(piece.get(..read).unwrap_or_default());
        if out.len() > limit {
            return Err(SourceError::Protocol { detail: format!("an answer of more than {limit} bytes") });
        }
        if Instant::now() > until {
            return Err(SourceError::Silent { seconds: GRAPH_PAGE_TIME.as_secs() });
        }
    }
}

/// What went wrong in ureq, which wraps what went wrong in our sockets.
pub fn from_ureq(error: ureq::Error) -> SourceError {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<SourceError>() {
            Ok(ours) => *ours,
            Err(other) => SourceError::Protocol { detail: words(other.to_string().as_bytes()) },
        },
        ureq::Error::Io(error) => from_io(error),
        ureq::Error::Timeout(_) => SourceError::Silent { seconds: GRAPH_PAGE_TIME.as_secs() },
        ureq::Error::ConnectionFailed | ureq::Error::BodyStalled => SourceError::Lost { detail: error.to_string() },
        other => SourceError::Protocol { detail: words(other.to_string().as_bytes()) },
    }
}

/// The same for what comes out of a reader.
pub fn from_io(error: std::io::Error) -> SourceError {
    let lost = |text: String| SourceError::Lost { detail: words(text.as_bytes()) };
    let text = error.to_string();
    let Some(inner) = error.into_inner() else { return lost(text) };
    match inner.downcast::<SourceError>() {
        Ok(ours) => *ours,
        Err(inner) => match inner.downcast::<ureq::Error>() {
            Ok(theirs) => from_ureq(*theirs),
            Err(_) => lost(text),
        },
    }
}

/// A GUID of our own for each request: Microsoft finds it in its logs.
fn request_id() -> String {
    let mut bytes = [0; 16];
    // Without random numbers it is all zeros, and serves nobody; the request is none the worse.
    let _ = SystemRandom::new().fill(&mut bytes);
    let n = u128::from_be_bytes(bytes) & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
    let text = format!("{n:032x}");
    let piece = |range| text.get(range).unwrap_or_default();
    [piece(0..8), piece(8..12), piece(12..16), piece(16..20), piece(20..32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_guids_of_version_4() {
        let id = request_id();
        assert!(super::super::tenant::is_guid(&id), "{id}");
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        assert_ne!(id, request_id());
    }

    #[test]
    fn bodies_are_bounded() {
        assert_eq!(bounded(&mut &b"abc"[..], 3).unwrap(), b"abc");
        assert!(bounded(&mut &b"abcd"[..], 3).is_err());
    }
}
