//! One call of the API: everything that routing, checking and the `OpenAPI` document need to know of it.

use serde_json::Value;

use super::super::Context;
use super::super::request::Method;
use super::super::response::{Body as Bytes, Response};
use super::problem::Problem;
use super::schema::{Member, Named, Schema};

/// What the token of a call has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// No token is needed.
    None,
    /// Any token that counts.
    Token,
    Read,
    Change,
    Administer,
    /// That of an administrator's token to administer, or of an auditor's to read.
    Decide,
}

/// What is sent with a call.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    None,
    Json(&'static Named),
    /// `multipart/form-data` with files.
    Files,
}

/// What a call answers when it was carried out.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Json(u16, &'static Named),
    /// 204
    Nothing,
    /// Bytes of this type; whether ranges of them can be asked for (206, 416).
    Bytes(&'static str, bool),
}

pub type Result<T> = std::result::Result<T, Problem>;

/// Carries a call out.
pub type Work = fn(&Asked<'_>) -> Result<Response>;

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub method: Method,
    /// Below `/api/v1`; `{…}` stands for one part of a path.
    pub path: &'static str,
    /// Its name in programs that are made from the document.
    pub id: &'static str,
    pub what: &'static str,
    pub right: Right,
    /// Parameters of the query; those of the path are in [`PATH`].
    pub query: &'static [Member],
    pub body: Body,
    pub answer: Answer,
    /// Whether it may answer 409.
    pub conflicts: bool,
    pub work: Work,
}

/// What stands for `{…}` in paths.
pub const PATH: &[(&str, Schema)] = &[
    ("number", Schema::Integer(1, i64::MAX)),
    ("part", Schema::Integer(0, 1_000_000)),
    ("folder", Schema::Integer(1, 4_294_967_295)),
    ("name", Schema::Text(1, 200)),
    ("id", Schema::Text(1, 64)),
];

/// A call that is being carried out.
pub struct Asked<'a> {
    pub context: Context<'a>,
    /// As the schema says.
    pub body: Value,
    /// Parameters of the query that were given, as their schemas say.
    pub query: Vec<(&'static str, Value)>,
}

impl Call {
    const fn of(
        method: Method,
        path: &'static str,
        id: &'static str,
        what: &'static str,
        answer: Answer,
        work: Work,
    ) -> Self {
        let right = Right::Administer;
        Self { method, path, id, what, right, query: &[], body: Body::None, answer, conflicts: false, work }
    }

    pub const fn get(path: &'static str, id: &'static str, what: &'static str, answer: Answer, work: Work) -> Self {
        Self::of(Method::Get, path, id, what, answer, work)
    }

    pub const fn post(path: &'static str, id: &'static str, what: &'static str, answer: Answer, work: Work) -> Self {
        Self::of(Method::Post, path, id, what, answer, work)
    }

    pub const fn patch(path: &'static str, id: &'static str, what: &'static str, answer: Answer, work: Work) -> Self {
        Self::of(Method::Patch, path, id, what, answer, work)
    }

    pub const fn delete(path: &'static str, id: &'static str, what: &'static str, work: Work) -> Self {
        Self::of(Method::Delete, path, id, what, Answer::Nothing, work)
    }

    /// With another right than that to administer.
    #[must_use]
    pub const fn with(mut self, right: Right) -> Self {
        self.right = right;
        self
    }

    #[must_use]
    pub const fn asking(mut self, query: &'static [Member]) -> Self {
        self.query = query;
        self
    }

    #[must_use]
    pub const fn sent(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// May answer 409.
    #[must_use]
    pub const fn conflicting(mut self) -> Self {
        self.conflicts = true;
        self
    }

    /// Names of its parameters in the path.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Statuses of the problems that it may answer, ascending.
    pub fn problems(&self) -> Vec<u16> {
        let mut all = Vec::new();
        let has_body = !matches!(self.body, Body::None);
        let is_found = self.path_parameters().next().is_some() || self.path.starts_with("/system/");
        for (status, is_there) in [
            (400, has_body || !self.query.is_empty()),
            (401, self.right != Right::None),
            // Calls are for the networks of the administration.
            (403, true),
            (404, is_found),
            (409, self.conflicts),
            (413, has_body),
            (415, has_body),
            (416, matches!(self.answer, Answer::Bytes(_, true))),
            (429, self.right != Right::None),
        ] {
            if is_there {
                all.push(status);
            }
        }
        all
    }
}

impl Asked<'_> {
    /// A parameter of the query, where it was given.
    pub fn asked(&self, name: &str) -> Option<&Value> {
        self.query.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// A text of the query; empty where it was not given.
    pub fn asked_text(&self, name: &str) -> &str {
        self.asked(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number of the query.
    pub fn asked_number(&self, name: &str, usual: usize) -> usize {
        self.asked(name).and_then(Value::as_u64).and_then(|number| number.try_into().ok()).unwrap_or(usual)
    }

    /// A text of the body; empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

/// An answer of JSON.
#[expect(clippy::needless_pass_by_value, reason = "made for it, and done with")]
pub fn json(status: u16, value: Value) -> Response {
    Response::new(status, "application/json", Bytes::Bytes(value.to_string().into_bytes()))
}

pub fn nothing() -> Response {
    Response::empty(204)
}

/// A time as programs read it (RFC 3339); `null` where no calendar has it.
pub fn time(seconds: i64) -> Value {
    jiff::Timestamp::from_second(seconds).map_or(Value::Null, |time| time.to_string().into())
}

pub fn maybe_time(seconds: Option<i64>) -> Value {
    seconds.map_or(Value::Null, time)
}
