//! What the server of a sign-in answers, read from bounded bytes.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{App, CODE_LIVES, PAUSE, Trouble};
use crate::source::error::words;
use crate::source::graph::errors::{aadsts, first_line};
use crate::source::{Result, SourceError};

/// Longest token that is kept; Microsoft's have some 2000 characters.
const TOKEN: usize = 32 * 1024;
/// What counts where the server does not say how long an access token lives.
const LIFETIME: Duration = Duration::from_mins(30);

/// A code that a person types in.
#[derive(Clone)]
pub struct Code {
    /// Ours alone.
    pub device_code: Zeroizing<String>,
    pub user_code: String,
    /// Where it is typed in.
    pub address: String,
    /// How long it holds.
    pub lives: Duration,
    /// Between two questions whether it was typed in.
    pub pause: Duration,
}

/// What a sign-in gives.
pub struct Granted {
    pub access: Zeroizing<String>,
    /// In place of the one before, where the server gives another one.
    pub refresh: Option<Zeroizing<String>>,
    pub lives: Duration,
}

/// Shows everything but what proves who somebody is.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("lives", &self.lives).finish_non_exhaustive()
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn nonsense(what: &str) -> SourceError {
    // Not its words: it may have held a token.
    SourceError::Protocol { detail: format!("an answer to a sign-in without {what}") }
}

/// A token can stand in a header and in an IMAP command.
fn token(json: &Value, name: &str) -> Option<Zeroizing<String>> {
    let text = json[name].as_str()?;
    let fits = !text.is_empty() && text.len() <= TOKEN && text.bytes().all(|c| c.is_ascii_graphic());
    fits.then(|| Zeroizing::new(text.to_owned()))
}

pub fn code(body: &[u8]) -> Result<Code> {
    let json = json(body);
    let device_code = token(&json, "device_code").ok_or_else(|| nonsense("a device code"))?;
    let user_code = json["user_code"].as_str().map(|code| words(code.as_bytes())).unwrap_or_default();
    if user_code.is_empty() || user_code.len() > 40 {
        return Err(nonsense("a code"));
    }
    let address = json["verification_uri"].as_str().or_else(|| json["verification_url"].as_str()).unwrap_or_default();
    // It becomes a link.
    let is_address = address.starts_with("https://")
        && address.len() <= 500
        && address.bytes().all(|c| c.is_ascii_graphic() && !b"\"'<>\\`".contains(&c));
    if !is_address {
        return Err(nonsense("an address"));
    }
    let lives = Duration::from_secs(json["expires_in"].as_u64().unwrap_or(900)).min(CODE_LIVES);
    let pause = Duration::from_secs(json["interval"].as_u64().unwrap_or(5).clamp(*PAUSE.start(), *PAUSE.end()));
    Ok(Code { device_code, user_code, address: address.to_owned(), lives, pause })
}

pub fn granted(body: &[u8]) -> Result<Granted> {
    let json = json(body);
    let access = token(&json, "access_token").ok_or_else(|| nonsense("a token"))?;
    let lives = json["expires_in"].as_u64().map_or(LIFETIME, Duration::from_secs);
    Ok(Granted { access, refresh: token(&json, "refresh_token"), lives })
}

/// The code of an error (RFC 6749, section 5.2); empty where there is none.
pub fn error(body: &[u8]) -> String {
    json(body)["error"].as_str().unwrap_or_default().to_owned()
}

/// What a refusal means. Where Entra gives a number it is the clearer word.
pub fn refusal(status: u16, body: &[u8], app: &App) -> Trouble {
    let json = json(body);
    let description = json["error_description"].as_str().unwrap_or_default();
    let said = if description.is_empty() { words(body) } else { words(first_line(description).as_bytes()) };
    let number = json["error_codes"][0].as_u64().or_else(|| aadsts(description));
    let app_id = || words(app.client_id.as_bytes());
    let tenant = || words(app.tenant.as_bytes());
    match (json["error"].as_str().unwrap_or_default(), number) {
        (_, Some(7_000_218)) => Trouble::NotPublic { app: app_id() },
        // The directory is asked before the application, so these say nothing of it.
        (_, Some(9_002_331 | 9_002_346)) => Trouble::PersonalOnly { tenant: tenant() },
        (_, Some(90_002 | 900_021 | 900_023)) => Trouble::WrongTenant { tenant: tenant(), said },
        (_, Some(700_016 | 7_000_112 | 500_201)) | ("unauthorized_client" | "invalid_client", _) => {
            Trouble::UnknownApp { app: app_id(), said }
        }
        (_, Some(65_001 | 65_004)) | ("consent_required" | "authorization_declined" | "access_denied", _) => {
            Trouble::Declined
        }
        ("expired_token" | "code_expired" | "bad_verification_code", _) => Trouble::CodeExpired,
        ("invalid_grant" | "interaction_required", _) => Trouble::Ended { said },
        ("invalid_scope", _) => Trouble::NoImap { app: app_id(), said },
        _ if status == 429 || status >= 500 => Trouble::ServerTrouble { said: format!("HTTP {status}: {said}") },
        _ => Trouble::Refused { said },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::language::Lang;

    fn app() -> App {
        App {
            server: String::new(),
            client_id: "client".into(),
            tenant: "consumers".into(),
            login_url: String::new(),
            ca_pem: None,
        }
    }

    #[test]
    fn codes_and_tokens_are_read_and_bounded() {
        let good = json!({
            "device_code": "geheim", "user_code": "ABCD-EFGH", "verification_uri": "https://www.microsoft.com/link",
            "expires_in": 900, "interval": 5, "message": "…",
        });
        let code = code(good.to_string().as_bytes()).unwrap();
        assert_eq!(
            (code.user_code.as_str(), code.pause, code.lives.as_secs()),
            ("ABCD-EFGH", Duration::from_secs(5), 900)
        );
        assert!(!format!("{code:?}").contains("geheim"));
        for (name, bad) in [
            ("device_code", json!("a b")),
            ("user_code", json!("")),
            ("verification_uri", json!("javascript:alert(1)")),
            ("verification_uri", json!("https://x.ch/\"onclick")),
        ] {
            let mut wrong = good.clone();
            wrong[name] = bad;
            assert!(super::code(wrong.to_string().as_bytes()).is_err(), "{wrong}");
        }
        let mut long = good.clone();
        (long["interval"], long["expires_in"]) = (json!(0), json!(u64::MAX));
        let long = super::code(long.to_string().as_bytes()).unwrap();
        assert_eq!((long.pause.as_secs(), long.lives), (1, CODE_LIVES));

        let granted = |text: Value| super::granted(text.to_string().as_bytes());
        let both = granted(json!({ "access_token": "a", "refresh_token": "r", "expires_in": 3599 })).unwrap();
        assert_eq!((both.access.as_str(), both.refresh.unwrap().as_str(), both.lives.as_secs()), ("a", "r", 3599));
        assert!(granted(json!({ "access_token": "a" })).unwrap().refresh.is_none());
        assert!(granted(json!({ "access_token": "a\r\nb" })).is_err());
    }

    #[test]
    fn what_is_refused_and_what_it_means() {
        for (status, error, number, want) in [
            (400, "invalid_grant", 70_008, "Ended"),
            (400, "invalid_grant", 0, "Ended"),
            (401, "invalid_client", 7_000_218, "NotPublic"),
            (400, "unauthorized_client", 700_016, "UnknownApp"),
            (400, "invalid_request", 9_002_331, "PersonalOnly"),
            (400, "invalid_client", 9_002_346, "PersonalOnly"),
            (400, "invalid_request", 90_002, "WrongTenant"),
            (400, "invalid_request", 900_023, "WrongTenant"),
            (400, "authorization_declined", 0, "Declined"),
            (400, "expired_token", 0, "CodeExpired"),
            (400, "invalid_scope", 70_011, "NoImap"),
            (503, "temporarily_unavailable", 90_033, "ServerTrouble"),
            (400, "x", 1, "Refused"),
        ] {
            let text = format!("AADSTS{number}: Some words. Trace ID: 1 Correlation ID: 2");
            let body = json!({ "error": error, "error_description": text }).to_string();
            let trouble = refusal(status, body.as_bytes(), &app());
            assert!(format!("{trouble:?}").starts_with(want), "{error} {number}: {trouble:?}");
            for lang in [Lang::De, Lang::En] {
                let text = trouble.sentence(lang);
                assert!(text.ends_with('.') && text.contains(". ") && !text.contains('ß'), "{text}");
                assert!(!text.contains("Trace"), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(status: u16, body: Vec<u8>, text in ".*", number: u64) {
            let json = json!({
                "error": text, "error_description": text, "error_codes": [number], "access_token": text, "device_code": "x",
                "user_code": text, "verification_uri": text, "interval": number, "expires_in": number,
            });
            for body in [body, json.to_string().into_bytes()] {
                let _ = (code(&body), granted(&body), error(&body), refusal(status, &body, &app()).sentence(Lang::De));
            }
        }
    }
}
