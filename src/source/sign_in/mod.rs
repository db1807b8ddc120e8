//! Signing in to a mailbox of Microsoft without its password: by a code that a person types in elsewhere (RFC 8628), and from
//! then on by a refresh token (RFC 6749, section 6).
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>
//!
//! Google lets no device ask for mail (its device flow has a fixed list of scopes without it), so this is for Microsoft.
//!
//! - `answer`: what the server says, from bytes to values; [`trouble`]: what went wrong, and what to do
//!
//! Rules of the room: nothing here is kept. Whoever refreshes gets the new refresh token and stores it before anything else.

mod answer;
pub mod trouble;

use std::time::Duration;

use oauth2::url::form_urlencoded::Serializer;
use ureq::http::Request;
use zeroize::Zeroizing;

pub use answer::{Code, Granted};
pub use trouble::Trouble;

use super::graph::client::{agent, bounded, from_ureq};
use super::{Result, SourceError};
use crate::limits::{GRAPH_ANSWER, GRAPH_TIMEOUT};
use crate::pulse::Pulse;

/// What is asked for: IMAP of the own mailbox, and to go on without the person.
const SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";
/// Personal accounts: outlook.com, Hotmail, Live.
pub const CONSUMERS: &str = "consumers";
/// Where Microsoft's own login is.
pub const LOGIN_URL: &str = "https://login.microsoftonline.com";

/// As which application, and where, somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The mail server that the tokens are for: whoever asks with them asks there, and nowhere else.
    pub server: String,
    pub client_id: String,
    /// [`CONSUMERS`], or a directory.
    pub tenant: String,
    /// Without a path.
    pub login_url: String,
    /// Trusted instead of the public authorities, PEM.
    pub ca_pem: Option<String>,
}

impl App {
    /// Whether tokens for one are tokens for the other: how the connections are trusted does not matter.
    pub fn is_same_place(&self, other: &Self) -> bool {
        fn of(app: &App) -> [&String; 4] {
            [&app.server, &app.client_id, &app.tenant, &app.login_url]
        }
        of(self) == of(other)
    }
}

/// What came of asking whether the person has signed in.
#[derive(Debug)]
pub enum Polled {
    Waiting,
    /// Asked too often: five seconds more between two times (RFC 8628, section 3.5).
    Slower,
    Granted(Granted),
}

/// Asks for a code that a person types in.
pub fn begin(app: &App, pulse: &Pulse) -> Result<Code> {
    let (status, body) = ask(app, "devicecode", &[("client_id", &app.client_id), ("scope", SCOPE)], pulse)?;
    if status == 200 { answer::code(&body) } else { Err(answer::refusal(status, &body, app).into()) }
}

/// Asks whether the person has typed it in.
pub fn poll(app: &App, code: &Code, pulse: &Pulse) -> Result<Polled> {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", &app.client_id),
        ("device_code", &code.device_code),
    ];
    let (status, body) = ask(app, "token", &form, pulse)?;
    if status == 200 {
        return answer::granted(&body).map(Polled::Granted);
    }
    match answer::error(&body).as_str() {
        "authorization_pending" => Ok(Polled::Waiting),
        "slow_down" => Ok(Polled::Slower),
        _ => Err(answer::refusal(status, &body, app).into()),
    }
}

/// An access token for a refresh token; the server may give another refresh token in its place.
pub fn refresh(app: &App, token: &str, pulse: &Pulse) -> Result<Granted> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", app.client_id.as_str()),
        ("refresh_token", token),
        ("scope", SCOPE),
    ];
    let (status, body) = ask(app, "token", &form, pulse)?;
    if status == 200 { answer::granted(&body) } else { Err(answer::refusal(status, &body, app).into()) }
}

/// One request; its status and what was answered.
fn ask(app: &App, endpoint: &str, form: &[(&str, &str)], pulse: &Pulse) -> Result<(u16, Zeroizing<Vec<u8>>)> {
    let url = format!("{}/{}/oauth2/v2.0/{endpoint}", app.login_url.trim_end_matches('/'), app.tenant);
    let body = Zeroizing::new(Serializer::new(String::new()).extend_pairs(form).finish());
    let request = Request::post(url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json")
        .body(body.as_str())
        .map_err(|_| SourceError::Protocol { detail: "an address that no request can carry".to_owned() })?;
    let agent = agent(&app.login_url, app.ca_pem.as_deref(), pulse, GRAPH_TIMEOUT)?;
    let (head, body) = agent.run(request).map_err(from_ureq)?.into_parts();
    Ok((head.status.as_u16(), Zeroizing::new(bounded(&mut body.into_reader(), GRAPH_ANSWER)?)))
}

/// Shortest and longest pause between two looks, and life of a code, whatever the server says.
const PAUSE: std::ops::RangeInclusive<u64> = 1..=60;
const CODE_LIVES: Duration = Duration::from_mins(30);
