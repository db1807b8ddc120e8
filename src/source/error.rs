//! What can go wrong between us and a mail server, when to try again, and what to tell a person.
//!
//! Rules: every variant carries what the sentence needs; a sentence names what is wrong, where, and what to do, in German
//! and English; a server's own words are shown, cut to a line, never trusted.

use std::io;
use std::time::Duration;

use super::graph::Trouble;
use super::sign_in::Trouble as SignInTrouble;
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
    /// `LOGINDISABLED` on a connection without TLS (RFC 9051, 6.2.3).
    #[error("{server} takes passwords over an encrypted connection only")]
    EncryptionNeeded { server: String },
    #[error("{server} refused the login of {account}: {said}")]
    LoginRefused { server: String, account: String, said: String },
    #[error("{server} refused the access token of {account}: {said}")]
    TokenRefused { server: String, account: String, said: String },
    #[error("IMAP is switched off for {account}: {said}")]
    ImapDisabled { account: String, said: String },
    #[error("the server is busy or has limits: {said}")]
    Busy {
        said: String,
        /// It has as many connections as it allows.
        crowded: bool,
    },
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
    /// What only Microsoft 365 knows.
    #[error(transparent)]
    Graph(#[from] Trouble),
    /// A sign-in by a code, or the refresh token that it gave.
    #[error(transparent)]
    SignIn(#[from] SignInTrouble),
    #[error("cancelled")]
    Cancelled,
}

/// Longest piece of a server's own words that is kept, in characters.
const WORDS: usize = 200;

/// A server's own words as one printable line of at most 200 characters; UTF-8, or Latin-1 where it is not UTF-8.
pub fn words(bytes: &[u8]) -> String {
    // Four bytes are the longest character: what lies behind cannot be shown anyway.
    let bytes = bytes.get(..WORDS * 4).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => line(text),
        // A character cut in two by the bound above is no reason to read the rest as Latin-1.
        Err(error) if error.error_len().is_none() => line(&String::from_utf8_lossy(bytes)),
        Err(_) => line(&bytes.iter().copied().map(char::from).collect::<String>()),
    }
}

/// Control characters become spaces, runs of white space one space, the rest is cut.
fn line(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()) {
        for c in out.chars().next().map(|_| ' ').into_iter().chain(word.chars()) {
            if count == WORDS {
                return out;
            }
            out.push(c);
            count += 1;
        }
    }
    out
}

/// What is usual for mail helps nobody who speaks HTTPS.
fn usual(port: u16, hint: &'static str) -> &'static str {
    if port == 443 { "" } else { hint }
}

impl SourceError {
    /// When it makes sense to try again.
    pub fn retry(&self) -> Retry {
        let minutes = |n: u64| Retry::After(Duration::from_secs(n * 60));
        match self {
            Self::Lost { .. } | Self::Silent { .. } => Retry::Now,
            Self::Dns { .. } | Self::Unreachable { .. } | Self::Tls { .. } | Self::Protocol { .. } | Self::Sink(_) => {
                minutes(1)
            }
            // Exchange names five minutes when it throttles; a token file is renewed by somebody else.
            Self::Busy { .. } | Self::TokenRefused { .. } => minutes(5),
            Self::Refused { .. } => minutes(10),
            Self::Graph(trouble) => trouble.retry(),
            Self::SignIn(trouble) => trouble.retry(),
            Self::CertificateName { .. }
            | Self::CertificateUntrusted { .. }
            | Self::NotImap { .. }
            | Self::NoStartTls { .. }
            | Self::EncryptionNeeded { .. }
            | Self::LoginRefused { .. }
            | Self::ImapDisabled { .. }
            | Self::NoFolder { .. }
            | Self::Unsupported { .. }
            | Self::File { .. }
            | Self::Cancelled => Retry::Never,
        }
    }

    /// Whether it may be about the one message that was asked for: whoever asked may try it alone, and go on without it
    /// where the server answers otherwise.
    pub fn may_be_of_one_message(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Silent { .. } | Self::Protocol { .. } => true,
            Self::Graph(trouble) => !matches!(trouble, Trouble::Throttled { .. }),
            _ => false,
        }
    }

    /// What is wrong, where, and what to do, for a person.
    pub fn sentence(&self, lang: Lang) -> String {
        match lang {
            Lang::De => self.german(),
            Lang::En => self.english(),
        }
    }

    fn german(&self) -> String {
        match self {
            Self::Dns { server, detail } => format!(
                "Der Mail-Server {server} wurde nicht gefunden ({}). Prüfen Sie den Namen des Servers, den Netzanschluss und den DNS-Server der Box.",
                line(detail)
            ),
            Self::Unreachable { server, port, detail } => format!(
                "Der Mail-Server {server} antwortet nicht auf Port {port} ({}). Prüfen Sie Server, Port, Netz und Firewall{}.",
                line(detail),
                usual(*port, "; üblich sind 993 (TLS) und 143 (STARTTLS)")
            ),
            Self::CertificateName { server, detail } => format!(
                "Das Zertifikat des Servers gilt nicht für den Namen {server} ({}). Tragen Sie den Namen ein, auf den das Zertifikat lautet.",
                line(detail)
            ),
            Self::CertificateUntrusted { server, detail } => format!(
                "Dem Zertifikat von {server} wird nicht vertraut ({}). Prüfen Sie Datum und Uhrzeit der Box, oder hinterlegen Sie in der Definition das Zertifikat der eigenen Zertifizierungsstelle.",
                line(detail)
            ),
            Self::Tls { server, port, detail } => format!(
                "Die verschlüsselte Verbindung zu {server}, Port {port}, kam nicht zustande ({}). Prüfen Sie Port und Verschlüsselung{}.",
                line(detail),
                usual(*port, "; 993 gehört zu TLS, 143 zu STARTTLS")
            ),
            Self::NotImap { server, port, said } => format!(
                "Auf {server}, Port {port}, antwortet kein IMAP-Server («{}»). Prüfen Sie Server, Port und Verschlüsselung.",
                line(said)
            ),
            Self::NoStartTls { server } => {
                format!("{server} bietet kein STARTTLS an. Wählen Sie als Verschlüsselung TLS mit Port 993.")
            }
            Self::EncryptionNeeded { server } => format!(
                "{server} nimmt Passwörter nur über eine verschlüsselte Verbindung an. Wählen Sie als Verschlüsselung TLS oder STARTTLS."
            ),
            Self::LoginRefused { server, account, said } => format!(
                "{server} hat die Anmeldung von {account} abgelehnt («{}»). Prüfen Sie Benutzerkonto und Passwort; manche Anbieter verlangen ein App-Passwort.",
                line(said)
            ),
            Self::TokenRefused { server, account, said } => format!(
                "{server} hat das Zugriffstoken von {account} abgelehnt («{}»). Prüfen Sie, ob es erneuert wird und für IMAP und dieses Konto gilt.",
                line(said)
            ),
            Self::ImapDisabled { account, said } => format!(
                "IMAP ist für {account} ausgeschaltet («{}»). Schalten Sie IMAP für dieses Konto beim Anbieter ein.",
                line(said)
            ),
            Self::Busy { said, .. } => format!(
                "Der Mail-Server ist überlastet oder begrenzt die Zugriffe («{}»). Die Box versucht es später von selbst; beenden Sie andere Programme, die dasselbe Konto abrufen, falls es so bleibt.",
                line(said)
            ),
            Self::NoFolder { name } => format!(
                "Den Ordner «{}» gibt es auf dem Mail-Server nicht. Prüfen Sie die Ordner der Definition.",
                line(name)
            ),
            Self::Refused { command, said } => format!(
                "Der Mail-Server hat {} abgelehnt («{}»). Die Box versucht es wieder; bleibt es so, fragen Sie den Anbieter mit diesem Wortlaut.",
                line(command),
                line(said)
            ),
            Self::Unsupported { what } => format!(
                "Der Mail-Server kann das nicht: {}. Ändern Sie die Definition, zum Beispiel auf «Mails belassen».",
                line(what)
            ),
            Self::Lost { detail } => format!(
                "Die Verbindung zum Mail-Server brach ab ({}). Die Box verbindet sich von selbst neu.",
                line(detail)
            ),
            Self::Silent { seconds } => format!(
                "Der Mail-Server schwieg {seconds} Sekunden lang. Die Box verbindet sich von selbst neu; prüfen Sie das Netz, falls es so bleibt."
            ),
            Self::Protocol { detail } => format!(
                "Die Antwort des Mail-Servers war nicht zu verstehen ({}). Melden Sie dem Anbieter oder uns diesen Wortlaut, falls es so bleibt.",
                line(detail)
            ),
            Self::Sink(error) => format!(
                "Die Mail konnte nicht gespeichert werden ({}). Prüfen Sie den freien Platz des Archivs.",
                line(&error.to_string())
            ),
            Self::File { path, detail } => {
                format!("{} ist nicht lesbar ({}). Prüfen Sie Ort und Rechte der Datei.", line(path), line(detail))
            }
            Self::Graph(trouble) => trouble.sentence(Lang::De),
            Self::SignIn(trouble) => trouble.sentence(Lang::De),
            Self::Cancelled => "Der Vorgang wurde abgebrochen. Starten Sie ihn bei Bedarf neu.".to_owned(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Dns { server, detail } => format!(
                "The mail server {server} was not found ({}). Check the name of the server, the network of the box and its DNS server.",
                line(detail)
            ),
            Self::Unreachable { server, port, detail } => format!(
                "The mail server {server} does not answer on port {port} ({}). Check server, port, network and firewall{}.",
                line(detail),
                usual(*port, "; usual are 993 (TLS) and 143 (STARTTLS)")
            ),
            Self::CertificateName { server, detail } => format!(
                "The server's certificate is not for the name {server} ({}). Enter the name that the certificate was issued for.",
                line(detail)
            ),
            Self::CertificateUntrusted { server, detail } => format!(
                "The certificate of {server} is not trusted ({}). Check the date and time of the box, or add the certificate of your own authority to the definition.",
                line(detail)
            ),
            Self::Tls { server, port, detail } => format!(
                "The encrypted connection to {server}, port {port}, could not be made ({}). Check port and encryption{}.",
                line(detail),
                usual(*port, "; 993 goes with TLS, 143 with STARTTLS")
            ),
            Self::NotImap { server, port, said } => format!(
                "No IMAP server answers on {server}, port {port} (\"{}\"). Check server, port and encryption.",
                line(said)
            ),
            Self::NoStartTls { server } => {
                format!("{server} offers no STARTTLS. Choose TLS with port 993 as encryption.")
            }
            Self::EncryptionNeeded { server } => format!(
                "{server} takes passwords over an encrypted connection only. Choose TLS or STARTTLS as encryption."
            ),
            Self::LoginRefused { server, account, said } => format!(
                "{server} refused the login of {account} (\"{}\"). Check account and password; some providers want an app password.",
                line(said)
            ),
            Self::TokenRefused { server, account, said } => format!(
                "{server} refused the access token of {account} (\"{}\"). Check that it is renewed, and valid for IMAP and this account.",
                line(said)
            ),
            Self::ImapDisabled { account, said } => format!(
                "IMAP is switched off for {account} (\"{}\"). Switch IMAP on for this account at the provider.",
                line(said)
            ),
            Self::Busy { said, .. } => format!(
                "The mail server is overloaded or limits access (\"{}\"). The box tries again later by itself; if it stays like this, stop other programs that read the same account.",
                line(said)
            ),
            Self::NoFolder { name } => format!(
                "There is no folder \"{}\" on the mail server. Check the folders of the definition.",
                line(name)
            ),
            Self::Refused { command, said } => format!(
                "The mail server refused {} (\"{}\"). The box tries again; if it stays like this, ask the provider with these words.",
                line(command),
                line(said)
            ),
            Self::Unsupported { what } => format!(
                "The mail server cannot do this: {}. Change the definition, for example to \"leave mails\".",
                line(what)
            ),
            Self::Lost { detail } => format!(
                "The connection to the mail server was lost ({}). The box connects again by itself.",
                line(detail)
            ),
            Self::Silent { seconds } => format!(
                "The mail server stayed silent for {seconds} seconds. The box connects again by itself; if it stays like this, check the network."
            ),
            Self::Protocol { detail } => format!(
                "The mail server's answer could not be understood ({}). If it stays like this, report these words to the provider or to us.",
                line(detail)
            ),
            Self::Sink(error) => format!(
                "The mail could not be stored ({}). Check the free space of the archive.",
                line(&error.to_string())
            ),
            Self::File { path, detail } => {
                format!(
                    "{} cannot be read ({}). Check where the file is and who may read it.",
                    line(path),
                    line(detail)
                )
            }
            Self::Graph(trouble) => trouble.sentence(Lang::En),
            Self::SignIn(trouble) => trouble.sentence(Lang::En),
            Self::Cancelled => "The operation was cancelled. Start it again if need be.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_bounded_line() {
        assert_eq!(words(b"a\r\n\x00 b\x1b[31m  c"), "a b [31m c");
        assert_eq!(words(b"Gr\xfcezi"), "Grüezi");
        assert_eq!(words("Grüezi".as_bytes()), "Grüezi");
        assert_eq!(words("ü".repeat(5000).as_bytes()).chars().count(), 200);
        assert_eq!(words("€a".repeat(5000).as_bytes()).chars().count(), 200);
    }

    #[test]
    fn sentences_are_sentences_in_swiss_spelling() {
        let said = || "no\r\nway".to_owned();
        let errors = [
            SourceError::Dns { server: said(), detail: said() },
            SourceError::LoginRefused { server: "s".into(), account: "a".into(), said: said() },
            SourceError::EncryptionNeeded { server: "s".into() },
            SourceError::Busy { said: said(), crowded: true },
            SourceError::Unsupported { what: said() },
            SourceError::Silent { seconds: 60 },
            SourceError::Cancelled,
        ];
        for error in errors {
            for lang in [Lang::De, Lang::En] {
                let text = error.sentence(lang);
                assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "{text}");
                assert!(!text.contains('ß'), "{text}");
            }
        }
    }
}
