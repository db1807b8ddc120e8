//! One account of an IMAP server, as a definition describes it.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::pulse::Pulse;
use crate::source::Result;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte, usually port 993 (RFC 8314).
    #[default]
    Tls,
    /// TLS after `STARTTLS`, usually port 143; the login is never sent before.
    StartTls,
    /// None, on purpose: password and mails are readable on the network.
    None,
}

/// What proves who we are.
#[derive(Clone)]
pub enum Auth {
    Password(Zeroizing<String>),
    /// A file that holds an OAuth 2.0 access token and nothing else; it is read at each login, so that somebody else may
    /// renew it. Presented by XOAUTH2.
    TokenFile(PathBuf),
    /// Whoever opens the source gives an access token for each login ([`AccessTokens`]); presented by XOAUTH2.
    Tokens,
}

/// Gives access tokens, for as long as a source lives: a long run logs in anew when the connection broke, and by then the
/// first token may have ended.
pub trait AccessTokens: Send {
    /// One that counts now. `pulse` beats meanwhile.
    fn get(&mut self, pulse: &Pulse) -> Result<Zeroizing<String>>;
    /// The server did not take the last one.
    fn refused(&mut self);
}

/// Where to log in, and as whom.
#[derive(Clone)]
pub struct Account {
    /// Host name, or address.
    pub server: String,
    pub port: u16,
    pub encryption: Encryption,
    pub user: String,
    pub auth: Auth,
    /// Certificates in PEM form that are trusted *instead* of the public authorities.
    pub ca_pem: Option<String>,
}

/// Shows everything but what proves who we are.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
