//! HTTP/1.1 over TLS, any number of connections at a time, each kept alive until its client goes.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::answer::{Answer, Piece};
use crate::control::control;
use crate::date;
use crate::journal::Entry;
use crate::lanes::Lanes;
use crate::question::Question;
use crate::tenant::Tenant;
use crate::{entra, graph};

/// Graph takes no larger request but through an upload session.
const LARGEST: usize = 4 << 20;
const LARGEST_CONTROL: usize = 256 << 20;

pub struct Shared {
    pub tenant: Mutex<Tenant>,
    pub lanes: Lanes,
}

pub async fn serve(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        // A client that broke off before it was let in, or no free file at this moment.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tokio::spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(move |request| respond(request, Arc::clone(&shared)));
    // Broken connections are what faults are for.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: http::Request<Incoming>, shared: Arc<Shared>) -> Result<http::Response<Piece>, Infallible> {
    let (parts, body) = request.into_parts();
    let is_control = parts.uri.path() == "/_control";
    let largest = if is_control { LARGEST_CONTROL } else { LARGEST };
    if body.size_hint().lower() > largest as u64 {
        return Ok(too_large().into_response());
    }
    let Ok(body) = Limited::new(body, largest).collect().await else { return Ok(too_large().into_response()) };
    let question = Question::new(&parts, body.to_bytes().to_vec());
    let latency = lock(&shared).config.latency;
    let answer = answer(&shared, &question);
    // In its lane, if it has one.
    if latency > 0 && !is_control {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    Ok(answer.with("Date", date::http(date::now())).into_response())
}

fn too_large() -> Answer {
    let body = json!({ "error": { "code": "ErrorMessageSizeExceeded", "message": "The message exceeds the maximum supported size." } });
    Answer::json(413, &body).with("Connection", "close")
}

pub fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Tenant> {
    shared.tenant.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(shared: &Shared, question: &Question) -> Answer {
    let mut tenant = lock(shared);
    let first = question.segments.first().map(String::as_str);
    if first == Some("_control") {
        let asked = serde_json::from_slice::<Value>(&question.body);
        let told =
            asked.map_or_else(|error| json!({ "error": error.to_string() }), |asked| control(&mut tenant, &asked));
        return Answer::json(if told.get("error").is_some() { 400 } else { 200 }, &told);
    }
    let (answer, entry) = match first {
        Some("v1.0") => graph::answer(&mut tenant, &shared.lanes, question),
        _ => match entra::answer(&mut tenant, question) {
            Some((answer, call, fault)) => {
                let entry = Entry {
                    status: answer.status,
                    call,
                    fault: fault.map(crate::faults::Kind::name),
                    ..Entry::default()
                };
                (answer, entry)
            }
            None => (
                Answer::bytes(404, "text/html", "<html><body>404</body></html>"),
                Entry { status: 404, call: "other", ..Entry::default() },
            ),
        },
    };
    tenant.journal.note(&Entry {
        method: question.method.clone(),
        path: question.address.clone(),
        host: question.host.clone(),
        prefer: question.prefer.clone(),
        ..entry
    });
    answer
}
