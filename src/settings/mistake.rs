//! What a person has to put right in a definition before it can work: at which field, and what to write instead. The
//! definition file and the page say the same.

use std::fmt;

use crate::language::Lang;
use crate::source::graph::mistake::Mistake as TenantMistake;

/// One mistake at one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key of the field in a definition file.
    pub key: &'static str,
    /// Which of several, where the field is a list.
    pub row: Option<usize>,
    /// What was given, as an error shows it; empty where there is nothing to show.
    pub given: String,
    pub what: What,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Name,
    NameEnds,
    NameTaken,
    Server,
    Port,
    NoAccount,
    Account,
    AccountTwice,
    NoPassword,
    TwoPasswords,
    /// A stored secret is not sent to a server that it was not entered for.
    SecretAgain,
    Folders,
    NoFolder,
    /// Deleting on the server was not confirmed.
    Unconfirmed,
    /// Mails would be played back to where they are moved or deleted again.
    PlayBack,
    Interval,
    /// Neither a user nor a group.
    Owner,
    MinAge,
    NoSecret,
    TwoSecrets,
    NoKey,
    NoCertificate,
    SecretExpires,
    SecretIsId,
    Authority,
    Tenant(TenantMistake),
}

impl Mistake {
    pub fn new(key: &'static str, what: What) -> Self {
        Self { key, row: None, given: String::new(), what }
    }

    /// With what was given.
    #[must_use]
    pub fn given(mut self, given: &str) -> Self {
        self.given = format!("{given:?}");
        self
    }

    #[must_use]
    pub fn number(mut self, given: impl fmt::Display) -> Self {
        self.given = given.to_string();
        self
    }

    #[must_use]
    pub fn row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    /// What is wrong and what to do, to stand beside the field.
    pub fn sentence(&self, lang: Lang) -> String {
        let (de, en) = match &self.what {
            What::Tenant(mistake) => return mistake.sentence(lang),
            What::Name => (
                "Geben Sie 1 bis 64 Buchstaben, Ziffern, Leerzeichen oder eines von . _ - @ + an, mit mindestens einem Buchstaben oder einer Ziffer.",
                "Give 1 to 64 letters, digits, spaces or any of . _ - @ +, with at least one letter or digit.",
            ),
            What::NameEnds => (
                "Am Anfang und am Ende des Namens darf kein Leerzeichen stehen.",
                "There may be no spaces at its ends.",
            ),
            What::NameTaken => (
                "Eine Definition mit diesem Namen gibt es schon. Wählen Sie einen anderen Namen.",
                "There is a definition with this name already. Choose another name.",
            ),
            What::Server => (
                "Geben Sie den Namen des Mail-Servers an wie imap.example.ch, ohne imap:// davor.",
                "Give a host name such as imap.example.ch, without imap:// in front.",
            ),
            What::Port => (
                "Geben Sie 1 bis 65535 an; üblich sind 993 für TLS und 143 für STARTTLS.",
                "Give 1 to 65535; usual are 993 for tls and 143 for starttls.",
            ),
            What::NoAccount => (
                "Es fehlt ein Benutzerkonto. Geben Sie Benutzerkonto und Passwort an.",
                "There is no account: give account and password.",
            ),
            What::Account => {
                ("Geben Sie den Namen an, mit dem man sich beim Mail-Server anmeldet.", "Give the name to log in with.")
            }
            What::AccountTwice => (
                "Dieses Benutzerkonto steht zweimal da. Löschen Sie eine der Zeilen.",
                "This account is given twice. Remove one of them.",
            ),
            What::NoPassword => (
                "Es fehlt das Passwort zu diesem Benutzerkonto. Geben Sie es an.",
                "This account has no password. Give it.",
            ),
            What::TwoPasswords => (
                "Geben Sie entweder ein Passwort oder ein Zugriffstoken an, nicht beides.",
                "Give either a password or access_token_file, not both.",
            ),
            What::SecretAgain => (
                "Die Adresse des Servers ist eine andere. Geben Sie das Passwort oder Secret für diesen Server noch einmal ein.",
                "The address of the server is another one. Enter the password or secret for this server again.",
            ),
            What::Folders => (
                "Ein Anführungszeichen ist nicht geschlossen. Trennen Sie Ordner mit Komma; einen Namen mit Komma setzen Sie in Anführungszeichen.",
                "A quotation mark is not closed. Separate folders by commas; put a name that has one into quotation marks.",
            ),
            What::NoFolder => (
                "Geben Sie den Ordner an, in den die Mails nach der Archivierung verschoben werden.",
                "Give the folder that mails are moved to after archiving.",
            ),
            What::Unconfirmed => (
                "Nach der Archivierung würden die Mails auf dem Server gelöscht. Kreuzen Sie zur Bestätigung das Kästchen darunter an.",
                "Mails would be deleted on the server after archiving. Tick the box below to confirm that.",
            ),
            What::PlayBack => (
                "In diesem Ordner werden archivierte Mails verschoben oder gelöscht. Geben Sie für zurückgespielte Mails einen eigenen Ordner an.",
                "Archived mails are moved or deleted in this folder. Give a folder of their own for mails that are played back.",
            ),
            What::Interval => {
                ("Geben Sie 1 bis 10080 Minuten (eine Woche) an.", "Give 1 to 10080 (a week), in minutes.")
            }
            What::Owner => (
                "So heisst weder ein Benutzer noch eine Gruppe. Wählen Sie jemanden, den es gibt, oder niemanden.",
                "There is neither a user nor a group of this name. Choose one that there is, or nobody.",
            ),
            What::MinAge => ("Geben Sie 0 (alle) bis 36500 Tage an.", "Give 0 (all) to 36500 days."),
            What::NoSecret => (
                "Es fehlt das ClientSecret. Geben Sie es an, oder stattdessen Zertifikat und Schlüssel.",
                "There is no client secret. Give it, or certificate and key instead.",
            ),
            What::TwoSecrets => (
                "Geben Sie entweder ein ClientSecret an oder Zertifikat und Schlüssel, nicht beides. Was gespeichert ist, löschen Sie mit dem Kästchen.",
                "Give either a client secret, or certificate and key, not both. What is stored is deleted by its box.",
            ),
            What::NoKey => (
                "Zum Zertifikat fehlt der Schlüssel. Geben Sie beide an.",
                "There is a certificate without its key: give both.",
            ),
            What::NoCertificate => (
                "Zum Schlüssel fehlt das Zertifikat. Geben Sie beide an.",
                "There is a key without its certificate: give both.",
            ),
            What::SecretExpires => ("Geben Sie den Tag als JJJJ-MM-TT an.", "Give the day as YYYY-MM-DD."),
            What::SecretIsId => (
                "Das ist die ID eines Secrets, nicht sein Wert. Geben Sie aus Entra > Zertifikate & Geheimnisse die Spalte «Wert» an; sie wird nur einmal gezeigt, erstellen Sie sonst ein neues Secret.",
                "This is the ID of a secret, not its value. Give the column Value of Certificates & secrets; it is shown only once, so add a new secret if need be.",
            ),
            What::Authority => (
                "Darin steht kein Zertifikat in PEM-Form. Fügen Sie es mit den Zeilen -----BEGIN CERTIFICATE----- und -----END CERTIFICATE----- ein.",
                "It holds no certificate in PEM form. Give it with the lines -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----.",
            ),
        };
        match lang {
            Lang::De => de.to_owned(),
            Lang::En => en.to_owned(),
        }
    }
}

impl From<TenantMistake> for Mistake {
    fn from(mistake: TenantMistake) -> Self {
        let row = match &mistake {
            TenantMistake::Mailbox(row, _) | TenantMistake::MailboxTwice(row, _) => Some(*row),
            _ => None,
        };
        Self { key: mistake.key(), row, given: mistake.given(), what: What::Tenant(mistake) }
    }
}

/// Key, what was given, and what to do: as an error of a definition file.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.given.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}: {}", self.key, self.given, self.sentence(Lang::En))
    }
}

impl std::error::Error for Mistake {}
