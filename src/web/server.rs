//! The archive's side of `DATA/web.sock`: `tiny_http` reads requests that the gate has checked, a few threads make pages.
//!
//! Invariant: no thread that makes pages waits for a slow reader or reads a long upload. What is longer than a socket holds
//! is sent, and what is longer than the gate holds in memory is taken, by a thread of its own; of these there are only so many.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use super::request::{Body, Method};
use super::{Request, Response, Web, routes};
use crate::limits::{ANSWERS_LONG, ROLE_STACK, WEB_BODY_IN_MEMORY, WEB_WORKERS};
use crate::pulse::Pulse;

/// How often a thread without work shows that it is alive.
const IDLE: Duration = Duration::from_secs(1);
/// A page that takes longer keeps the role from beating.
const PAGE_DEADLINE: Duration = Duration::from_mins(2);

/// Makes the socket that the gate knocks at.
pub fn listen(socket: &Path) -> anyhow::Result<UnixListener> {
    let _ = std::fs::remove_file(socket);
    let listener =
        UnixListener::bind(socket).with_context(|| format!("{} (at most 107 bytes long)", socket.display()))?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until `pulse` is cancelled. An error means that the socket is to be made anew.
pub fn run(web: &Arc<Web>, listener: UnixListener, spool: &Path, pulse: &Pulse) -> anyhow::Result<()> {
    let server = tiny_http::Server::from_listener(listener, None).map_err(|error| anyhow!("{error}"))?;
    let long = Arc::new(AtomicUsize::new(0));
    let end = Pulse::new();
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for number in 1..=WEB_WORKERS {
            let (server, long, end, worker) = (&server, &long, &end, Pulse::new());
            let beat = worker.clone();
            let work = move || {
                let result = work(web, server, spool, long, &worker, end);
                // One that ends takes the others with it: the socket is made anew for all.
                end.cancel();
                result
            };
            let thread = std::thread::Builder::new().name(format!("web-{number}")).stack_size(ROLE_STACK);
            workers.push((thread.spawn_scoped(scope, work)?, beat));
        }
        while !end.is_cancelled() && !pulse.is_cancelled() {
            if workers.iter().all(|(_, worker)| worker.age() < PAGE_DEADLINE) {
                pulse.beat();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        end.cancel();
        server.unblock();
        for (thread, _) in workers {
            thread.join().map_err(|_| anyhow!("a thread that makes pages panicked"))??;
        }
        Ok(())
    })
}

fn work(
    web: &Arc<Web>,
    server: &tiny_http::Server,
    spool: &Path,
    long: &Arc<AtomicUsize>,
    pulse: &Pulse,
    end: &Pulse,
) -> anyhow::Result<()> {
    pulse.adopt();
    while !end.is_cancelled() {
        pulse.beat();
        let Some(mut incoming) = server.recv_timeout(IDLE)? else { continue };
        let Some(request) = read(&mut incoming, spool) else {
            let _ = Response::text(400, "bad request\n").write(Method::Get, &mut incoming.into_writer());
            continue;
        };
        let method = request.method;
        // A long body takes its time to be read, and keeps no thread that makes pages.
        if matches!(request.body, Body::File(_)) {
            let Some(permit) = Permit::take(long) else {
                send(busy(), method, incoming);
                continue;
            };
            let web = web.clone();
            apart(move || {
                let _permit = permit;
                send(answer(&web, &request), method, incoming);
            })?;
            continue;
        }
        let response = answer(web, &request);
        if response.is_long() && method != Method::Head {
            let Some(permit) = Permit::take(long) else {
                send(busy(), method, incoming);
                continue;
            };
            apart(move || {
                let _permit = permit;
                send(response, method, incoming);
            })?;
            continue;
        }
        send(response, method, incoming);
    }
    Ok(())
}

/// A panic costs one page.
fn answer(web: &Web, request: &Request) -> Response {
    let answered = catch_unwind(AssertUnwindSafe(|| routes::answer(web, request)));
    answered.unwrap_or_else(|_| Response::text(500, "this page failed; the log says more\n"))
}

fn busy() -> Response {
    Response::text(503, "too many uploads and downloads at a time; try again in a minute\n").header("Retry-After", "60")
}

/// Does what takes long in a thread of its own.
fn apart(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name("web-long".into()).stack_size(ROLE_STACK).spawn(work).map(drop)
}

/// A reader that goes away is no event.
fn send(response: Response, method: Method, incoming: tiny_http::Request) {
    let mut out = io::BufWriter::with_capacity(16 * 1024, incoming.into_writer());
    if let Err(error) = response.write(method, &mut out).and_then(|()| out.flush()) {
        tracing::debug!("an answer was broken off: {error}");
    }
}

/// The right to send one long answer.
struct Permit(Arc<AtomicUsize>);

impl Permit {
    fn take(long: &Arc<AtomicUsize>) -> Option<Self> {
        let more = |count| (count < ANSWERS_LONG).then_some(count + 1);
        long.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok().map(|_| Self(long.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The request, or `None` where it is none that the gate lets through.
fn read(incoming: &mut tiny_http::Request, spool: &Path) -> Option<Request> {
    let method = match incoming.method() {
        tiny_http::Method::Get => Method::Get,
        tiny_http::Method::Head => Method::Head,
        tiny_http::Method::Post => Method::Post,
        tiny_http::Method::Put => Method::Put,
        tiny_http::Method::Patch => Method::Patch,
        tiny_http::Method::Delete => Method::Delete,
        _ => return None,
    };
    let target = incoming.url().to_string();
    let headers: Vec<(String, String)> = incoming
        .headers()
        .iter()
        .map(|header| (header.field.as_str().as_str().to_ascii_lowercase(), header.value.as_str().to_string()))
        .collect();
    let token = headers.iter().find(|(name, _)| name == "x-body").map(|(_, value)| value.clone());
    let body = if let Some(token) = token {
        // The gate makes these names; nothing else may point at a file.
        let is_token = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        Body::File(spool.join(is_token.then_some(token)?))
    } else {
        let mut bytes = Vec::new();
        incoming.as_reader().take(WEB_BODY_IN_MEMORY + 1).read_to_end(&mut bytes).ok()?;
        Body::Bytes((bytes.len() as u64 <= WEB_BODY_IN_MEMORY).then_some(bytes)?)
    };
    Some(Request::new(method, &target, headers, body))
}
