//! The API: `/api/v1` for programs, in JSON, and `/metrics` for whoever watches the box.
//!
//! ```text
//! Authorization ──▶ token ──▶ call (one table) ──▶ right ──▶ body and parameters held against their schema ──▶ work ──▶ JSON
//! ```
//!
//! Rules of the room: it has no rights and no work of its own. A token stands for its owner, who is looked up anew at every
//! call, and a call does what a page does, by the same functions of `dms`, `admin` and `entry`. Cookies count for nothing here,
//! so that no foreign page can make a browser call it; therefore no call needs a CSRF token. What a person may not see is
//! not told from what is not there.
//!
//! The `OpenAPI` document is made from the same table as the routing ([`calls`]), so the two cannot differ. In a debug build every
//! answer is held against its schema too.
//!
//! - `call`: one call, `schema`: what JSON may look like, `problem`: what is said in place of an answer, `openapi`: the document
//! - `bearer`: whose token it is
//! - `documents`, `content`, `manage`, `searches`, `compilations`: WebDMS; `definitions`, `ended`, `runs`, `fetching`, `assistant`, `administration`, `fields`, `people`,
//!   `rights`, `retention`, `holds`, `erasures`, `system`, `verifications`: WebAdmin; `own`: about the token
//! - `forms`: from JSON to what a form holds, and back
//! - `metrics`: figures for Prometheus

mod administration;
mod assistant;
mod bearer;
mod call;
mod compilations;
mod content;
mod definitions;
mod documents;
mod ended;
mod erasures;
mod fetching;
mod fields;
mod forms;
mod holds;
mod manage;
pub mod metrics;
mod openapi;
mod own;
mod people;
mod problem;
mod retention;
mod rights;
mod runs;
mod schema;
mod searches;
mod system;
mod verifications;

use serde_json::Value;

pub use call::{Call, Right};
pub use openapi::document;

#[cfg(debug_assertions)]
use self::call::Answer;
use self::call::{Asked, Body, PATH, Result};
use self::problem::{Problem, Reason};
use super::request::Method;
use super::routes::{Access, Route, get, parameters};
use super::{Request, Response, Web};
use crate::limits::{API_BODY, API_BODY_USUAL, API_CONTAINERS};
use crate::settings::administration::Administration;

pub use bearer::Uses;
pub(super) use bearer::{is_known, last_use};

/// Where all calls are.
pub const BEGIN: &str = "/api/v1";

/// What is no call.
pub const ROUTES: &[Route] = &[get("/metrics", Access::Anybody, metrics::show)];

/// All calls.
pub fn calls() -> impl Iterator<Item = &'static Call> {
    [
        own::CALLS,
        documents::CALLS,
        content::CALLS,
        manage::CALLS,
        searches::CALLS,
        definitions::CALLS,
        ended::CALLS,
        runs::CALLS,
        fetching::CALLS,
        assistant::CALLS,
        administration::CALLS,
        fields::CALLS,
        people::CALLS,
        rights::CALLS,
        retention::CALLS,
        holds::CALLS,
        erasures::CALLS,
        compilations::CALLS,
        system::CALLS,
        verifications::CALLS,
    ]
    .into_iter()
    .flatten()
}

/// Whether a request is for this room.
pub fn is_ours(request: &Request) -> bool {
    request.path.first().is_some_and(|first| first == "api")
}

/// Answers a call, whatever it is.
pub fn answer(web: &Web, request: &Request) -> Response {
    let response = admit(web, request)
        .and_then(|()| find(request))
        .and_then(|(call, parameters)| carry_out(web, request, call, parameters));
    match response {
        // What a page says in plain text is said as a problem here.
        Ok(response) if response.status == 416 => {
            let range = response.value("Content-Range").unwrap_or_default().to_owned();
            Problem::new(Reason::Range).response().header("Content-Range", range)
        }
        Ok(response) => response,
        Err(problem) => problem.response(),
    }
}

/// Whether calls are answered in the network that a request comes from.
fn admit(web: &Web, request: &Request) -> Result<()> {
    let is_here = Administration::read(&web.archive)?.administers_from(request.peer);
    if is_here { Ok(()) } else { Err(Problem::new(Reason::Elsewhere)) }
}

/// The call that a request is for, and what stands for `{…}` in its path.
fn find(request: &Request) -> Result<(&'static Call, Vec<String>)> {
    let below = request.path.get(2..).filter(|_| request.path[1] == "v1").ok_or(Problem::new(Reason::NotFound))?;
    let method = if request.method == Method::Head { Method::Get } else { request.method };
    let mut others = Vec::new();
    for call in calls() {
        let Some(parameters) = parameters(call.path, below) else { continue };
        if call.method == method {
            return Ok((call, parameters));
        }
        others.push(match call.method {
            Method::Get | Method::Head => "GET, HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        });
    }
    let reason = if others.is_empty() { Reason::NotFound } else { Reason::MethodUnknown };
    Err(Problem { allow: others.join(", "), ..Problem::new(reason) })
}

fn carry_out(web: &Web, request: &Request, call: &'static Call, parameters: Vec<String>) -> Result<Response> {
    let mut context = bearer::context(web, request, call.right)?;
    context.parameters = parameters;
    for (name, text) in call.path_parameters().zip(&context.parameters) {
        let fits = PATH.iter().any(|(known, schema)| *known == name && schema.check(&schema.of_text(text)).is_ok());
        if !fits {
            return Err(Problem::new(Reason::NotFound));
        }
    }
    let mut query = Vec::new();
    for member in call.query {
        let Some(text) = request.query.get(member.name) else { continue };
        let value = member.schema.of_text(text);
        if let Err(wrong) = member.schema.check(&value) {
            return Err(Problem::at(Reason::Invalid, member.name, wrong.what));
        }
        query.push((member.name, value));
    }
    let body = body(request, call)?;
    let response = (call.work)(&Asked { context, body, query })?;
    #[cfg(debug_assertions)]
    assert_fits(call, &response);
    Ok(response)
}

/// The body as JSON, where there is one.
fn body(request: &Request, call: &Call) -> Result<Value> {
    let media_type = request.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |wanted: &str| {
        let fits = media_type.eq_ignore_ascii_case(wanted);
        let detail = format!("Send the body as {wanted}.");
        if fits { Ok(()) } else { Err(Problem::new(Reason::MediaType).saying(detail)) }
    };
    let shape = match call.body {
        Body::None => return Ok(Value::Null),
        Body::Files => return is("multipart/form-data").map(|()| Value::Null),
        Body::Json(shape) => shape,
    };
    is("application/json")?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(request.reader()?, API_BODY as u64 + 1), &mut bytes)?;
    // Definitions may name very many mailboxes; nothing else is long.
    let most = if call.path.starts_with("/definitions") { API_BODY } else { API_BODY_USUAL };
    // Each of these takes some hundred bytes of memory, however few are sent for it.
    let containers = bytes.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if bytes.len() > most || containers > API_CONTAINERS {
        return Err(Problem::new(Reason::TooLong));
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::at(Reason::Invalid, "", format!("The body is not JSON: {error}.")))?;
    shape.schema.check(&value).map_err(|wrong| Problem::of(Reason::Invalid, vec![wrong]))?;
    Ok(value)
}

/// What is promised is kept: tests find what is not.
#[cfg(debug_assertions)]
fn assert_fits(call: &Call, response: &Response) {
    if let (Answer::Json(status, shape), super::response::Body::Bytes(bytes)) = (call.answer, &response.body) {
        assert_eq!(response.status, status, "{}", call.id);
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let fits = shape.schema.check(&value);
        assert!(fits.is_ok(), "{}: {fits:?} {value}", call.id);
    }
}
