//! The login: LOGIN, PLAIN or XOAUTH2, and what a refusal means.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use super::account::{AccessTokens, Account, Auth, Encryption};
use super::lines::{Status, Verdict};
use super::names;
use super::wire::{Handle, Wire, busy, farewell, is_busy};
use crate::pulse::Pulse;
use crate::source::error::words;
use crate::source::sign_in;
use crate::source::{Result, SourceError};

/// Longest token file that is read, in bytes; tokens of Microsoft have some 2000.
const TOKEN: usize = 64 * 1024;

/// Logs in by one command of the crate. Capabilities that were told before do not count after it.
pub fn login(
    account: &Account,
    tokens: Option<&mut (dyn AccessTokens + '_)>,
    wire: Wire,
    pulse: &Pulse,
) -> Result<(imap::Session<Handle>, Handle)> {
    let never = || sign_in::Trouble::Never { account: account.user.clone() };
    let mut tokens = match account.auth {
        Auth::Tokens => Some(tokens.ok_or_else(never)?),
        _ => None,
    };
    let fresh = tokens.as_mut().map(|tokens| tokens.get(pulse)).transpose()?;
    let handle = Handle::new(wire);
    let client = imap::Client::new(handle.clone());
    let capabilities = handle.wire().heard.capabilities.take().unwrap_or_default();
    let offers = |name: &str| capabilities.iter().any(|offered| offered == name);
    let done = match &account.auth {
        Auth::Tokens => client.authenticate("XOAUTH2", &Once::new(xoauth2(&account.user, &fresh.unwrap_or_default()))),
        Auth::TokenFile(path) => client.authenticate("XOAUTH2", &Once::new(xoauth2(&account.user, &token(path)?))),
        Auth::Password(_) if offers("LOGINDISABLED") && account.encryption == Encryption::None => {
            return Err(SourceError::EncryptionNeeded { server: account.server.clone() });
        }
        // A quoted string is ASCII (RFC 9051, 4.3); PLAIN carries UTF-8 (RFC 4616).
        Auth::Password(password)
            if offers("AUTH=PLAIN")
                && (offers("LOGINDISABLED") || !account.user.is_ascii() || !password.is_ascii()) =>
        {
            let text = Zeroizing::new(format!("\0{}\0{}", account.user, password.as_str()));
            client.authenticate("PLAIN", &Once::new(text))
        }
        Auth::Password(password) => client.login(&account.user, password.as_str()),
    };
    match done {
        Ok(session) => Ok((session, handle)),
        Err((error, _)) => {
            let error = refused(account, &error, &mut handle.wire());
            if let (SourceError::TokenRefused { .. }, Some(tokens)) = (&error, tokens) {
                tokens.refused();
            }
            Err(error)
        }
    }
}

/// XOAUTH2's one answer.
fn xoauth2(user: &str, token: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

fn token(path: &Path) -> Result<Zeroizing<String>> {
    let bad = |detail: &str| SourceError::File { path: path.display().to_string(), detail: detail.to_owned() };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| bad(&error.to_string()))?);
    let token = text.trim();
    if token.is_empty() || token.len() > TOKEN || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(bad("it holds no token"));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

/// Answers the first challenge; a second one is the server's complaint, and wants an empty line.
struct Once {
    answer: Zeroizing<String>,
    given: Cell<bool>,
}

impl Once {
    fn new(answer: Zeroizing<String>) -> Self {
        Self { answer, given: Cell::new(false) }
    }
}

impl imap::Authenticator for Once {
    type Response = Zeroizing<Vec<u8>>;

    fn process(&self, _: &[u8]) -> Self::Response {
        let answer = if self.given.replace(true) { &[][..] } else { self.answer.as_bytes() };
        Zeroizing::new(answer.to_vec())
    }
}

fn refused(account: &Account, error: &imap::Error, wire: &mut Wire) -> SourceError {
    match error {
        imap::Error::No(_) | imap::Error::Bad(_) => {}
        // A password with a line end; nothing was sent.
        imap::Error::Validate(_) => {
            let said = "a line break in account or password".to_owned();
            return SourceError::LoginRefused { server: account.server.clone(), account: account.user.clone(), said };
        }
        _ => return wire.failure(),
    }
    let mut status =
        wire.status.clone().unwrap_or(Status { verdict: Verdict::No, code: String::new(), said: String::new() });
    // XOAUTH2 says in its challenge what is wrong, as JSON, and in its status only that something is.
    let challenge = wire.challenge.take().and_then(|text| names::challenge(&text)).unwrap_or_default();
    if !challenge.is_empty() {
        status.said = words(format!("{} {}", status.said, words(&challenge)).as_bytes());
    }
    if let Some(bye) = wire.heard.bye.as_ref().filter(|bye| is_busy(bye)) {
        return farewell(bye);
    }
    classify(account, &status)
}

/// What a refused login means (RFC 5530, and the words of providers).
fn classify(account: &Account, status: &Status) -> SourceError {
    const DISABLED: [&str; 6] =
        ["disabled", "not enabled", "turned off", "switched off", "deaktiviert", "nicht aktiviert"];
    let lower = status.said.to_ascii_lowercase();
    let is_imap_off = lower.contains("imap") && DISABLED.iter().any(|words| lower.contains(words))
        // Exchange Online, when the mailbox has IMAP switched off.
        || lower.contains("authenticated but not connected");
    let (server, account_name, said) = (account.server.clone(), account.user.clone(), status.said.clone());
    if is_imap_off {
        SourceError::ImapDisabled { account: account_name, said }
    } else if is_busy(status) && !status.has_code("AUTHENTICATIONFAILED") {
        busy(status)
    } else if status.has_code("PRIVACYREQUIRED") {
        SourceError::EncryptionNeeded { server }
    } else if matches!(account.auth, Auth::TokenFile(_) | Auth::Tokens) {
        SourceError::TokenRefused { server, account: account_name, said }
    } else {
        SourceError::LoginRefused { server, account: account_name, said }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Line, parse};
    use super::*;

    #[test]
    fn refusals() {
        let account = Account {
            server: "s".into(),
            port: 993,
            encryption: Encryption::Tls,
            user: "u".into(),
            auth: Auth::Password(Zeroizing::new(String::new())),
            ca_pem: None,
        };
        for (line, want) in [
            ("a1 NO [AUTHENTICATIONFAILED] Authentication failed.", "LoginRefused"),
            ("a1 NO LOGIN failed.", "LoginRefused"),
            ("a1 NO [AUTHENTICATIONFAILED] Invalid credentials, try again", "LoginRefused"),
            ("a1 NO [ALERT] Your account is not enabled for IMAP use.", "ImapDisabled"),
            ("a1 NO IMAP is disabled for your mailbox", "ImapDisabled"),
            ("a1 BAD User is authenticated but not connected.", "ImapDisabled"),
            ("a1 NO [UNAVAILABLE] Temporary authentication failure", "Busy"),
            ("a1 NO [ALERT] Too many simultaneous connections. (Failure)", "Busy"),
            ("a1 NO [LIMIT] no", "Busy"),
            ("a1 NO [PRIVACYREQUIRED] no", "EncryptionNeeded"),
        ] {
            let Line::Tagged(_, status) = parse(line.as_bytes()) else { panic!("{line}") };
            let got = format!("{:?}", classify(&account, &status));
            assert!(got.starts_with(want), "{line}: {got}");
        }
    }
}
