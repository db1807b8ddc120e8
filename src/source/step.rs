//! The steps of a connection test.

use std::fmt;
use std::sync::Arc;

use super::SourceError;
use crate::language::Lang;

/// One step of a connection test, told as it happens.
#[derive(Clone, Debug)]
pub enum Step {
    Passed(Passed),
    /// It did not work; nothing further was tried with this mailbox.
    Failed(Arc<SourceError>),
}

/// A step that worked. Shown as one line in the words of the maker's script, or as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// `protection`: version of TLS, as `TLS 1.3`; `None` where nothing is encrypted.
    Connected {
        server: String,
        port: u16,
        protection: Option<&'static str>,
    },
    LoggedIn,
    Mailbox {
        resource: String,
    },
    Inbox {
        resource: String,
        /// Where the server was asked.
        messages: Option<u64>,
    },
    /// The subject of the inbox's first message.
    Subject(String),
    InboxEmpty,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { server, port, protection } => {
                write!(f, "Connected to {server}:{port} ({})", protection.unwrap_or("not encrypted"))
            }
            Self::LoggedIn => f.write_str("Authenticated!"),
            Self::Mailbox { resource } => write!(f, "MailBox from resource: {resource}"),
            Self::Inbox { resource, messages: None } => write!(f, "Inbox from resource: {resource}"),
            Self::Inbox { resource, messages: Some(messages) } => {
                write!(f, "Inbox from resource: {resource} ({messages} messages)")
            }
            Self::Subject(subject) => write!(f, "Subject: {subject}"),
            Self::InboxEmpty => f.write_str("The inbox is empty."),
        }
    }
}

impl Passed {
    /// The step for a person. The subject is told only to whom may read mail: `shows_mail`.
    pub fn sentence(&self, lang: Lang, shows_mail: bool) -> String {
        match (lang, self) {
            (Lang::De, Self::Connected { server, port, protection: Some(tls) }) => {
                format!("Verbunden mit {server}:{port}, verschlüsselt ({tls}).")
            }
            (Lang::De, Self::Connected { server, port, protection: None }) => {
                format!("Verbunden mit {server}:{port}, nicht verschlüsselt.")
            }
            (Lang::En, Self::Connected { server, port, protection: Some(tls) }) => {
                format!("Connected to {server}:{port}, encrypted ({tls}).")
            }
            (Lang::En, Self::Connected { server, port, protection: None }) => {
                format!("Connected to {server}:{port}, not encrypted.")
            }
            (Lang::De, Self::LoggedIn) => "Angemeldet.".into(),
            (Lang::En, Self::LoggedIn) => "Logged in.".into(),
            (Lang::De, Self::Mailbox { resource }) => format!("Postfach: {resource}"),
            (Lang::En, Self::Mailbox { resource }) => format!("Mailbox: {resource}"),
            (Lang::De, Self::Inbox { messages: Some(messages), .. }) => {
                format!("Posteingang gelesen, Mails darin: {messages}.")
            }
            (Lang::En, Self::Inbox { messages: Some(messages), .. }) => {
                format!("Inbox read, mails in it: {messages}.")
            }
            (Lang::De, Self::Inbox { .. }) => "Posteingang gelesen.".into(),
            (Lang::En, Self::Inbox { .. }) => "Inbox read.".into(),
            (Lang::De, Self::Subject(subject)) if shows_mail => format!("Erstes Mail: {subject}"),
            (Lang::En, Self::Subject(subject)) if shows_mail => format!("First mail: {subject}"),
            (Lang::De, Self::Subject(_)) => "Das erste Mail lässt sich lesen.".into(),
            (Lang::En, Self::Subject(_)) => "The first mail can be read.".into(),
            (Lang::De, Self::InboxEmpty) => "Der Posteingang ist leer.".into(),
            (Lang::En, Self::InboxEmpty) => "The inbox is empty.".into(),
        }
    }
}
