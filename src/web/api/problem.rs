//! What a program gets in place of an answer: problem details (RFC 9457), with a reason that it can act on.

use serde_json::{Value, json};

use super::super::WebError;
use super::super::response::{Body, Response};
use super::schema::{Member, Named, SAID, Schema, Wrong, has, may};
use crate::archive::ArchiveError;

pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a call was not carried out. `detail` is a sentence for people, in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub reason: Reason,
    pub detail: String,
    /// What is wrong with which part of what was sent.
    pub errors: Vec<Wrong>,
    /// Methods that there are, for `Allow`.
    pub allow: String,
}

/// Every reason; its name is `type` and `reason` in the answer, and does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not JSON, or not as the schema says; a parameter likewise.
    Invalid,
    /// Well formed, but not to be done: `errors` says which value, and why.
    Refused,
    /// No token.
    TokenMissing,
    /// A token that is none, was revoked, has ended, or whose owner is not there.
    TokenWrong,
    /// The token or its owner has not the right.
    RightMissing,
    /// Calls are for other networks.
    Elsewhere,
    /// There is nothing here, or nothing that the owner of the token may see.
    NotFound,
    MethodUnknown,
    /// What is asked for does not go together with how things are.
    Conflict,
    TooLong,
    /// The body is of another media type.
    MediaType,
    /// A range that the document does not have.
    Range,
    /// Too many wrong tokens or logins from this address.
    TooMany,
    /// Something here failed; the log says more.
    Failed,
}

impl Reason {
    pub const ALL: [Self; 14] = [
        Self::Invalid,
        Self::Refused,
        Self::TokenMissing,
        Self::TokenWrong,
        Self::RightMissing,
        Self::Elsewhere,
        Self::NotFound,
        Self::MethodUnknown,
        Self::Conflict,
        Self::TooLong,
        Self::MediaType,
        Self::Range,
        Self::TooMany,
        Self::Failed,
    ];

    pub fn status(self) -> u16 {
        match self {
            Self::Invalid | Self::Refused => 400,
            Self::TokenMissing | Self::TokenWrong => 401,
            Self::RightMissing | Self::Elsewhere => 403,
            Self::NotFound => 404,
            Self::MethodUnknown => 405,
            Self::Conflict => 409,
            Self::TooLong => 413,
            Self::MediaType => 415,
            Self::Range => 416,
            Self::TooMany => 429,
            Self::Failed => 500,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::TokenMissing => "token_missing",
            Self::TokenWrong => "token_wrong",
            Self::RightMissing => "right_missing",
            Self::Elsewhere => "elsewhere",
            Self::NotFound => "not_found",
            Self::MethodUnknown => "method_unknown",
            Self::Conflict => "conflict",
            Self::TooLong => "too_long",
            Self::MediaType => "media_type",
            Self::Range => "range",
            Self::TooMany => "too_many_attempts",
            Self::Failed => "failed",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Invalid => "The request is not as the OpenAPI document says",
            Self::Refused => "A value cannot be taken",
            Self::TokenMissing => "A token is needed",
            Self::TokenWrong => "This token does not count",
            Self::RightMissing => "The right is missing",
            Self::Elsewhere => "Not from this network",
            Self::NotFound => "There is nothing here",
            Self::MethodUnknown => "There is no such method here",
            Self::Conflict => "This cannot be done as things are",
            Self::TooLong => "The body is too long",
            Self::MediaType => "The body is of another type",
            Self::Range => "There is no such range",
            Self::TooMany => "Too many attempts",
            Self::Failed => "Something failed",
        }
    }

    /// The sentence where there is nothing particular to say.
    fn usual(self) -> &'static str {
        match self {
            Self::TokenMissing => {
                "Send the header field Authorization: Bearer TOKEN. A token is made under Own account."
            }
            Self::TokenWrong => {
                "It is mistyped, was revoked, has ended, or its owner may not log in any more. Make a new one."
            }
            Self::Elsewhere => {
                "The API is used from the networks of the administration only; see Archive administration, Public archive."
            }
            Self::NotFound => "It does not exist, or the owner of the token may not see it.",
            Self::MethodUnknown => "The header field Allow names the methods that there are.",
            Self::TooLong => "Send less at a time.",
            Self::TooMany => "Too many wrong tokens or passwords came from this address. Try again in half a minute.",
            Self::Failed => "The log of the box says more.",
            _ => "",
        }
    }
}

impl Problem {
    pub fn new(reason: Reason) -> Self {
        Self { reason, detail: reason.usual().into(), errors: Vec::new(), allow: String::new() }
    }

    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// One value that is wrong; `at` is a JSON pointer, or the name of a parameter.
    pub fn at(reason: Reason, at: impl Into<String>, what: impl Into<String>) -> Self {
        Self::of(reason, vec![Wrong { at: at.into(), what: what.into() }])
    }

    pub fn of(reason: Reason, errors: Vec<Wrong>) -> Self {
        let sentences: Vec<String> = errors
            .iter()
            .map(|wrong| if wrong.at.is_empty() { wrong.what.clone() } else { format!("{}: {}", wrong.at, wrong.what) })
            .collect();
        Self { errors, ..Self::new(reason).saying(sentences.join(" ")) }
    }

    pub fn json(&self) -> Value {
        let errors: Vec<Value> =
            self.errors.iter().map(|wrong| json!({ "at": wrong.at, "detail": wrong.what })).collect();
        let mut json = json!({
            "type": format!("urn:archivista:problem:{}", self.reason.name()),
            "title": self.reason.title(),
            "status": self.reason.status(),
            "detail": self.detail,
            "reason": self.reason.name(),
        });
        if !errors.is_empty() {
            json["errors"] = errors.into();
        }
        json
    }

    pub fn response(&self) -> Response {
        let body = Body::Bytes(self.json().to_string().into_bytes());
        let response = Response::new(self.reason.status(), MEDIA_TYPE, body);
        match self.reason {
            Reason::TokenMissing => response.header("WWW-Authenticate", "Bearer realm=\"archivista\""),
            Reason::TokenWrong => {
                response.header("WWW-Authenticate", "Bearer realm=\"archivista\", error=\"invalid_token\"")
            }
            Reason::TooMany => response.header("Retry-After", "30"),
            Reason::MethodUnknown => response.header("Allow", self.allow.as_str()),
            _ => response,
        }
    }
}

impl From<WebError> for Problem {
    fn from(error: WebError) -> Self {
        let sentence = error.to_string();
        match error.status() {
            404 => Self::new(Reason::NotFound),
            403 => Self::new(Reason::RightMissing).saying("The owner of the token may not do this."),
            400 => Self::new(Reason::Refused).saying(sentence),
            413 => Self::new(Reason::TooLong),
            429 => Self::new(Reason::TooMany),
            _ => {
                tracing::error!("API: {sentence}");
                Self::new(Reason::Failed)
            }
        }
    }
}

macro_rules! through_web_error {
    ($($error:ty),*) => { $(impl From<$error> for Problem {
        fn from(error: $error) -> Self {
            WebError::from(error).into()
        }
    })* };
}

through_web_error!(ArchiveError, crate::search::IndexError, crate::settings::SettingsError, std::io::Error);

const ERROR: &[Member] = &[
    has("at", SAID, "A JSON pointer into the body, or the name of a parameter"),
    has("detail", SAID, "A sentence for people"),
];

pub const SCHEMA: Named = Named {
    name: "Problem",
    schema: Schema::Object(&[
        has("type", Schema::Format("uri"), "urn:archivista:problem:REASON"),
        has("title", SAID, ""),
        has("status", Schema::Integer(400, 599), ""),
        has("detail", SAID, "A sentence for people"),
        has("reason", Schema::Word(&NAMES), "What a program acts on"),
        may("errors", Schema::List(&Schema::Object(ERROR), 10_000), "What is wrong with which value"),
    ]),
};

const NAMES: [&str; Reason::ALL.len()] = {
    let mut names = [""; Reason::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Reason::ALL[at].name();
        at += 1;
    }
    names
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_in_the_document() {
        for reason in Reason::ALL {
            let problem = Problem::at(reason, "/a", "b");
            assert_eq!(SCHEMA.schema.check(&problem.json()), Ok(()), "{reason:?}");
        }
    }
}
