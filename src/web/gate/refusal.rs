//! What the gate itself answers when a request does not reach the server.

use std::fmt::Write as _;

/// Why a request is not carried out. Each has a status and a sentence in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a sound HTTP/1.1 request.
    Malformed,
    /// The caller may not send a body that needs the spool folder.
    Forbidden,
    /// A method that nothing here knows.
    Method,
    /// The head or the body did not come in time.
    TooSlow,
    /// The body is longer than allowed.
    BodyTooLong,
    TargetTooLong,
    /// Another expectation than `100-continue`.
    Expectation,
    HeadTooLong,
    /// `Transfer-Encoding` or `Upgrade`.
    NotImplemented,
    /// The server behind the gate is not there or hung up.
    ServerDown,
    /// Too much at a time.
    Busy,
    /// The server behind the gate stays silent.
    ServerSilent,
    /// Another version than HTTP/1.1.
    Version,
    /// The body would fill the disk.
    DiskFull,
}

impl Refusal {
    /// The status code (RFC 9110, part 15; RFC 6585; RFC 4918 for 507) and its name.
    pub fn status(self) -> (u16, &'static str) {
        match self {
            Self::Malformed => (400, "Bad Request"),
            Self::Forbidden => (403, "Forbidden"),
            Self::Method => (405, "Method Not Allowed"),
            Self::TooSlow => (408, "Request Timeout"),
            Self::BodyTooLong => (413, "Content Too Large"),
            Self::TargetTooLong => (414, "URI Too Long"),
            Self::Expectation => (417, "Expectation Failed"),
            Self::HeadTooLong => (431, "Request Header Fields Too Large"),
            Self::NotImplemented => (501, "Not Implemented"),
            Self::ServerDown => (502, "Bad Gateway"),
            Self::Busy => (503, "Service Unavailable"),
            Self::ServerSilent => (504, "Gateway Timeout"),
            Self::Version => (505, "HTTP Version Not Supported"),
            Self::DiskFull => (507, "Insufficient Storage"),
        }
    }

    /// German, English.
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("Diese Anfrage ist kein gültiges HTTP/1.1.", "This request is not valid HTTP/1.1."),
            Self::Forbidden => (
                "Dateien hochladen darf nur, wer angemeldet ist. Bitte zuerst anmelden.",
                "Only who is signed in may upload files. Please sign in first.",
            ),
            Self::Method => ("Diese Methode gibt es hier nicht.", "There is no such method here."),
            Self::TooSlow => (
                "Die Anfrage kam zu langsam an. Bitte noch einmal versuchen.",
                "The request arrived too slowly. Please try again.",
            ),
            Self::BodyTooLong => {
                ("Die Datei oder das Formular ist grösser als erlaubt.", "The file or the form is larger than allowed.")
            }
            Self::TargetTooLong => ("Die Adresse ist zu lang.", "The address is too long."),
            Self::Expectation => ("Diese Erwartung (Expect) gibt es hier nicht.", "There is no such expectation here."),
            Self::HeadTooLong => (
                "Die Anfrage hat zu viele oder zu lange Kopfzeilen. Cookies dieser Seite löschen hilft meistens.",
                "The request has too many or too long header fields. Deleting the cookies of this site mostly helps.",
            ),
            Self::NotImplemented => (
                "Transfer-Encoding und Upgrade gibt es hier nicht.",
                "Transfer-Encoding and Upgrade are not offered here.",
            ),
            Self::ServerDown => (
                "Das Archiv startet gerade oder ist angehalten. Bitte in einer Minute noch einmal versuchen.",
                "The archive is starting or has stopped. Please try again in a minute.",
            ),
            Self::Busy => (
                "Das Archiv ist gerade ausgelastet. Bitte gleich noch einmal versuchen.",
                "The archive is busy just now. Please try again in a moment.",
            ),
            Self::ServerSilent => (
                "Das Archiv hat nicht rechtzeitig geantwortet. Bitte noch einmal versuchen; bleibt es dabei, die Box neu starten.",
                "The archive did not answer in time. Please try again; if it stays so, restart the box.",
            ),
            Self::Version => ("Hier wird nur HTTP/1.1 gesprochen.", "Only HTTP/1.1 is spoken here."),
            Self::DiskFull => (
                "Auf der Box ist zu wenig Platz für diese Datei. Zuerst Platz schaffen.",
                "The box has too little space for this file. Make space first.",
            ),
        }
    }

    /// The whole answer. `with_body` is false for HEAD.
    pub fn answer(self, with_body: bool) -> Vec<u8> {
        let (de, en) = self.sentences();
        let more = match self {
            Self::Method => "Allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n",
            Self::ServerDown | Self::Busy => "Retry-After: 10\r\n",
            _ => "",
        };
        let (code, name) = self.status();
        plain(code, name, more, &format!("{de}\n{en}\n"), with_body)
    }
}

/// An answer of plain text that nobody keeps. `more` is further header fields, each with its line end.
pub(super) fn plain(code: u16, name: &str, more: &str, text: &str, with_body: bool) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {code} {name}\r\n");
    let _ = write!(
        answer,
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n{more}\r\n",
        text.len()
    );
    if with_body {
        answer.push_str(text);
    }
    answer.into_bytes()
}
