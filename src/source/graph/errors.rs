//! Errors of Entra ID and Microsoft Graph: from the bytes of an answer to what it means.
//!
//! Entra: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>; Graph:
//! <https://learn.microsoft.com/graph/errors>. Codes decide, never the words around them, which Microsoft may change.

use std::time::Duration;

use serde_json::Value;

use super::tenant::is_guid;
use super::trouble::Trouble;
use crate::limits::GRAPH_ANSWER;
use crate::source::error::words;

/// Nested innerErrors that are looked at.
const NESTED: usize = 5;

/// Graph refuses a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// `error.code`; empty where the answer is no error object.
    pub code: String,
    /// Codes of the innerErrors, outermost first.
    pub inner: Vec<String>,
    /// `error.message`, or the first words of the answer: one line.
    pub said: String,
    /// When the server wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The token no longer counts.
    Renew,
    /// The server throttles: the same request again, later; fewer of them.
    Slower,
    /// The server has trouble of its own that passes.
    Again,
    /// The same request will be refused again.
    None,
}

impl Refusal {
    /// Reads an answer that is no success.
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let body = body.get(..GRAPH_ANSWER).unwrap_or(body);
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &json["error"];
        let text = |value: &Value| value.as_str().map(|text| words(text.as_bytes()));
        let mut inner = Vec::new();
        let mut level = error;
        for _ in 0..NESTED {
            let next = ["innerError", "innererror", "InnerError"].iter().find_map(|key| level.get(key));
            let Some(next) = next else { break };
            inner.extend(text(&next["code"]));
            level = next;
        }
        Self {
            status,
            code: text(&error["code"]).unwrap_or_default(),
            inner,
            said: text(&error["message"]).unwrap_or_else(|| words(body)),
            retry_after: None,
        }
    }

    /// Whether the error is of this kind; codes are compared without regard to case, as documents differ.
    pub fn is(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code) || self.inner.iter().any(|inner| inner.eq_ignore_ascii_case(code))
    }

    fn is_any(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.is(code))
    }

    /// The message exists but Exchange cannot turn it into MIME, now or ever.
    pub fn is_not_convertible(&self) -> bool {
        self.is_any(&["ErrorMimeContentConversionFailed", "ErrorContentConversionFailed"])
    }

    /// The delta link or next link no longer counts.
    pub fn is_lost_sync(&self) -> bool {
        self.status == 410
            || self.is_any(&["SyncStateNotFound", "SyncStateInvalid", "resyncRequired", "ErrorSyncFolderNotFound"])
    }

    /// A link that was stored is refused for good, by these names or another one; a first request tells whether it was the
    /// link or the folder.
    pub fn is_lost_link(&self) -> bool {
        self.is_lost_sync() || matches!(self.status, 400 | 404) && !self.is_about_the_mailbox()
    }

    /// There is no such thing (any more): a message, a folder. Graph names its reason; a 404 without one is somebody else's,
    /// who knows nothing of messages.
    pub fn is_gone(&self) -> bool {
        const GONE: [&str; 3] = ["ErrorItemNotFound", "ErrorFolderNotFound", "itemNotFound"];
        self.is_any(&GONE) || matches!(self.status, 404 | 410) && !self.code.is_empty() && !self.is_about_the_mailbox()
    }

    /// The mailbox cannot be read at all: it is unknown, or not in Exchange Online.
    pub fn is_about_the_mailbox(&self) -> bool {
        self.is_unknown_mailbox() || self.is_elsewhere()
    }

    fn is_unknown_mailbox(&self) -> bool {
        self.is_any(&["ErrorInvalidUser", "Request_ResourceNotFound", "ErrorNonExistentMailbox", "ResourceNotFound"])
    }

    fn is_elsewhere(&self) -> bool {
        self.is_any(&[
            "MailboxNotEnabledForRESTAPI",
            "MailboxNotSupportedForRESTAPI",
            "MailboxNotHostedInExchangeOnline",
        ])
    }

    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        const SLOWER: [&str; 5] =
            ["ApplicationThrottled", "activityLimitReached", "TooManyRequests", "ErrorServerBusy", "quotaLimitReached"];
        match self.status {
            401 => Remedy::Renew,
            429 | 509 => Remedy::Slower,
            502..=504 => Remedy::Again,
            _ if self.is_not_convertible() => Remedy::None,
            500 => Remedy::Again,
            _ if self.is_any(&SLOWER) => Remedy::Slower,
            _ => Remedy::None,
        }
    }

    /// The server wants to be left alone for a while. Trouble that names its end is throttling by another name.
    pub fn is_throttling(&self) -> bool {
        match self.remedy() {
            Remedy::Slower => true,
            Remedy::Again => self.status == 503 && self.retry_after.is_some(),
            Remedy::Renew | Remedy::None => false,
        }
    }

    /// Code and words, as far as there are any.
    pub fn full(&self) -> String {
        match (self.code.is_empty(), self.said.is_empty()) {
            (true, true) => format!("HTTP {}", self.status),
            (true, false) => format!("HTTP {}: {}", self.status, self.said),
            (false, true) => self.code.clone(),
            (false, false) => format!("{}: {}", self.code, self.said),
        }
    }

    /// What a person is told. `mailbox` is empty where the directory was asked; `permission` is what the request needs;
    /// `granted` what the token says that the application may, where it can be read.
    pub fn trouble(&self, mailbox: &str, permission: &'static str, granted: &[String]) -> Trouble {
        let (said, mailbox) = (self.full(), mailbox.to_owned());
        // Write includes read.
        let has = granted.iter().any(|role| role == permission || *role == permission.replace(".Read", ".ReadWrite"));
        match self.status {
            _ if self.is_unknown_mailbox() => Trouble::NoSuchMailbox { mailbox, said },
            _ if self.is_elsewhere() => Trouble::NotInTheCloud { mailbox, said },
            401 => Trouble::TokenRefused { said },
            403 if self.is("Authorization_RequestDenied") || !has && !self.says_policy() => {
                Trouble::ConsentMissing { permission, said }
            }
            403 => Trouble::AccessPolicy { mailbox, said },
            _ if self.is_throttling() => {
                // What names more than a day is no plan.
                let seconds = self.retry_after.map_or(300, |pause| pause.as_secs()).min(86_400);
                Trouble::Throttled { said, seconds }
            }
            _ if self.remedy() == Remedy::Again => Trouble::ServerTrouble { said },
            _ => Trouble::Refused { said },
        }
    }

    /// An application access policy says so itself; RBAC for applications only denies.
    fn says_policy(&self) -> bool {
        self.said.contains("OData is disabled") || self.said.contains("AppOnly AccessPolicy")
    }
}

/// Reads an answer of Entra that is no token. `secret` is what was shown as client secret.
pub fn entra(status: u16, body: &[u8], app: &str, tenant: &str, secret: Option<&str>) -> Trouble {
    let body = body.get(..GRAPH_ANSWER).unwrap_or(body);
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let description = json["error_description"].as_str().unwrap_or_default();
    let said = if description.is_empty() { words(body) } else { words(first_line(description).as_bytes()) };
    let code = json["error_codes"][0].as_u64().or_else(|| aadsts(description)).or_else(|| aadsts(&said));
    let (app, tenant) = (app.to_owned(), tenant.to_owned());
    match code {
        Some(7_000_215 | 7_000_216) if secret.is_some_and(is_guid) => Trouble::SecretIdGiven { app },
        Some(7_000_215 | 7_000_216) => Trouble::WrongSecret { app, said },
        Some(7_000_222) => Trouble::SecretExpired { app, said },
        Some(700_016 | 7_000_112 | 90_009) => Trouble::UnknownApp { app, tenant, said },
        Some(90_002) => Trouble::UnknownTenant { tenant, said },
        Some(900_021 | 900_023 | 90_013 | 50_059) => Trouble::MalformedTenant { tenant, said },
        Some(700_027 | 700_021 | 700_023 | 700_024 | 50_012 | 50_013 | 5_002_738) => {
            Trouble::CertificateRefused { app, said }
        }
        _ if status == 429 => Trouble::Throttled { said, seconds: 300 },
        // 90033: "A transient error has occurred"; 90055, 50196: too many requests.
        Some(90_033 | 90_055 | 50_196) => Trouble::ServerTrouble { said },
        _ if status >= 500 => Trouble::ServerTrouble { said: format!("HTTP {status}: {said}") },
        _ => Trouble::LoginRefused { said },
    }
}

/// Microsoft puts trace and correlation ids behind the sentence, on lines of their own or after blanks.
pub fn first_line(description: &str) -> &str {
    let end = description.find("Trace ID:").unwrap_or(description.len());
    description.get(..end).unwrap_or(description).trim()
}

/// The number behind the first `AADSTS`.
pub fn aadsts(text: &str) -> Option<u64> {
    let digits = text.split("AADSTS").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::language::Lang;

    fn graph(status: u16, code: &str, message: &str) -> Refusal {
        let body = serde_json::json!({ "error": { "code": code, "message": message, "innerError": { "date": "x" } } });
        Refusal::parse(status, body.to_string().as_bytes())
    }

    #[test]
    fn what_graph_says_and_what_it_means() {
        let mail: &[String] = &["Mail.Read".to_owned()];
        let write: &[String] = &["Mail.ReadWrite".to_owned()];
        let cases: &[(u16, &str, &str, &[String], &str)] = &[
            (401, "InvalidAuthenticationToken", "Access token is empty.", &[], "TokenRefused"),
            (403, "ErrorAccessDenied", "Access to OData is disabled.", &[], "AccessPolicy"),
            (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", &[], "ConsentMissing"),
            (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", mail, "AccessPolicy"),
            (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", write, "AccessPolicy"),
            (403, "Authorization_RequestDenied", "Insufficient privileges.", mail, "ConsentMissing"),
            (404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive …", mail, "NotInTheCloud"),
            (404, "ErrorInvalidUser", "The requested user 'x' is invalid.", mail, "NoSuchMailbox"),
            (404, "Request_ResourceNotFound", "Resource 'x' does not exist", mail, "NoSuchMailbox"),
            (429, "ApplicationThrottled", "over its MailboxConcurrency limit.", mail, "Throttled"),
            (503, "serviceNotAvailable", "", mail, "ServerTrouble"),
            (500, "InternalServerError", "Error while processing response.", mail, "ServerTrouble"),
            (500, "ErrorMimeContentConversionFailed", "MIME content conversion failed.", mail, "Refused"),
            (400, "ErrorInvalidIdMalformed", "Id is malformed.", mail, "Refused"),
        ];
        for (status, code, message, granted, want) in cases {
            let trouble = graph(*status, code, message).trouble("a@b", "Mail.Read", granted);
            assert!(format!("{trouble:?}").starts_with(want), "{status} {code}: {trouble:?}");
            is_a_sentence(&trouble);
        }
    }

    /// Says what is wrong and what to do, in Swiss spelling.
    fn is_a_sentence(trouble: &Trouble) {
        for lang in [Lang::De, Lang::En] {
            let text = trouble.sentence(lang);
            assert!(text.ends_with('.') && (text.contains("). ") || text.contains(". ")), "{text}");
            assert!(!text.contains('ß') && !text.contains(['\r', '\n']), "{text}");
        }
        assert_ne!(trouble.sentence(Lang::De), trouble.sentence(Lang::En));
    }

    #[test]
    fn remedies() {
        let cases = [
            (401, "InvalidAuthenticationToken", Remedy::Renew),
            (429, "ApplicationThrottled", Remedy::Slower),
            (429, "", Remedy::Slower),
            (503, "", Remedy::Again),
            (504, "UnknownError", Remedy::Again),
            (502, "", Remedy::Again),
            (500, "InternalServerError", Remedy::Again),
            (500, "ErrorContentConversionFailed", Remedy::None),
            (403, "ErrorAccessDenied", Remedy::None),
            (404, "ErrorItemNotFound", Remedy::None),
        ];
        for (status, code, want) in cases {
            assert_eq!(graph(status, code, "").remedy(), want, "{status} {code}");
        }
        assert!(graph(410, "SyncStateNotFound", "generation=149").is_lost_sync());
        assert!(graph(404, "ErrorSyncFolderNotFound", "").is_lost_sync());
        assert!(graph(404, "ErrorItemNotFound", "").is_gone());
        assert!(!graph(404, "ErrorInvalidUser", "").is_gone());
        assert!(!Refusal::parse(404, b"<html>Not Found").is_gone());
        assert!(
            graph(400, "ErrorInvalidUrlQuery", "").is_lost_link() && !graph(404, "ErrorInvalidUser", "").is_lost_link()
        );
        let nested = br#"{"error":{"code":"a","innererror":{"code":"b","innerError":{"code":"ResyncRequired"}}}}"#;
        assert!(Refusal::parse(400, nested).is_lost_sync());
        assert_eq!(Refusal::parse(502, b"<html>Bad\r\nGateway").said, "<html>Bad Gateway");
    }

    fn refused(code: u64, words: &str, codes: bool) -> Vec<u8> {
        let mut body = serde_json::json!({
            "error": "invalid_client",
            "error_description": format!("AADSTS{code}: {words} Trace ID: 1 Correlation ID: 2 Timestamp: 3"),
        });
        if codes {
            body["error_codes"] = serde_json::json!([code]);
        }
        body.to_string().into_bytes()
    }

    #[test]
    fn what_entra_says_and_what_it_means() {
        let value = "x8Q~secret";
        let id = "48d31887-5fad-4d73-a9f5-3c356e68a038";
        for codes in [true, false] {
            for (status, code, secret, want) in [
                (401, 7_000_215, value, "WrongSecret"),
                (401, 7_000_215, id, "SecretIdGiven"),
                (401, 7_000_222, value, "SecretExpired"),
                (400, 700_016, value, "UnknownApp"),
                (400, 90_002, value, "UnknownTenant"),
                (400, 900_023, value, "MalformedTenant"),
                (401, 700_027, value, "CertificateRefused"),
                (400, 1, value, "LoginRefused"),
                (500, 90_033, value, "ServerTrouble"),
            ] {
                let trouble = entra(status, &refused(code, "Some words.", codes), "app", "tenant", Some(secret));
                assert!(format!("{trouble:?}").starts_with(want), "{code}: {trouble:?}");
                assert!(!format!("{trouble:?}").contains("Trace"), "{trouble:?}");
                assert!(!trouble.sentence(Lang::En).contains(secret), "{trouble:?}");
                is_a_sentence(&trouble);
            }
        }
        assert!(matches!(entra(503, b"busy", "a", "t", None), Trouble::ServerTrouble { .. }));
        assert!(matches!(entra(429, b"", "a", "t", None), Trouble::Throttled { .. }));
        assert_eq!(aadsts("AADSTS90002: x"), Some(90_002));
        assert_eq!(aadsts("AADSTS"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(status: u16, body: Vec<u8>, text in ".*") {
            let _ = Refusal::parse(status, &body).trouble("", "Mail.Read", &[]);
            let _ = entra(status, &body, "a", "t", None);
            let json = serde_json::json!({ "error": text, "error_description": text, "error_codes": [text] }).to_string();
            let _ = Refusal::parse(status, json.as_bytes());
            let _ = entra(status, json.as_bytes(), "a", "t", Some(&text));
        }
    }
}
