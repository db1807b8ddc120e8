//! What can go wrong between us and a mail server, when to try again, and what to tell a person.
//!
//! Rules: every variant carries what the sentence needs; a sentence names what is wrong, where, and what to do, in German
//! and English; a server's own words are shown, cut to a line, never trusted.

use std::io;
use std::time::Duration;

use crate::language::Lang;

/// When the same thing may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// At once on a new connection.
    Now,
    After(Duration),
    /// Not before somebody changed something.
    Never,
}

/// A failure of a mail source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("no address found for {server}: {detail}")]
    Dns { server: String, detail: String },
    #[error("{server}:{port} cannot be reached: {detail}")]
    Unreachable { server: String, port: u16, detail: String },
    #[error("the certificate of {server} is not for this name: {detail}")]
    CertificateName { server: String, detail: String },
    #[error("the certificate of {server} is not trusted: {detail}")]
    CertificateUntrusted { server: String, detail: String },
    #[error("TLS with {server}:{port} failed: {detail}")]
    Tls { server: String, port: u16, detail: String },
    #[error("{server}:{port} is not an IMAP server: it said {said:?}")]
    NotImap { server: String, port: u16, said: String },
    #[error("{server} offers no STARTTLS")]
    NoStartTls { server: String },
    #[error("{server} refused the login of {account}: {said}")]
    LoginRefused { server: String, account: String, said: String },
    #[error("{server} refused the access token of {account}: {said}")]
    TokenRefused { server: String, account: String, said: String },
    #[error("IMAP is switched off for {account}: {said}")]
    ImapDisabled { account: String, said: String },
    #[error("the server is busy or has limits: {said}")]
    Busy { said: String },
    #[error("no folder {name:?}")]
    NoFolder { name: String },
    #[error("the server refused {command}: {said}")]
    Refused { command: String, said: String },
    #[error("the server cannot {what}")]
    Unsupported { what: String },
    #[error("the connection was lost: {detail}")]
    Lost { detail: String },
    #[error("the server stayed silent for {seconds} s")]
    Silent { seconds: u64 },
    #[error("the server's answer was not understood: {detail}")]
    Protocol { detail: String },
    #[error("the message could not be stored: {0}")]
    Sink(#[source] io::Error),
    #[error("cannot read {path}: {detail}")]
    File { path: String, detail: String },
    #[error("cancelled")]
    Cancelled,
}
