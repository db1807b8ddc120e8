//! What cannot work in the description of a tenant, whatever the server says.

use std::fmt;

use crate::language::Lang;

/// A mistake in one field of [`super::Tenant`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    Tenant(String),
    ClientId(String),
    SecretEmpty,
    NumberOfMails(u32),
    NoMailbox,
    /// At this place of the list.
    Mailbox(usize, String),
    MailboxTwice(usize, String),
    LoginUrl(String),
    GraphUrl(String),
}

impl Mistake {
    /// The key of the field in a definition.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Tenant(_) => "tenant",
            Self::ClientId(_) => "client_id",
            Self::SecretEmpty => "client_secret",
            Self::NumberOfMails(_) => "number_of_mails",
            Self::NoMailbox | Self::Mailbox(..) | Self::MailboxTwice(..) => "mailboxes",
            Self::LoginUrl(_) => "login_url",
            Self::GraphUrl(_) => "graph_url",
        }
    }

    /// What was given instead, as an error shows it; empty where there is nothing to show.
    pub fn given(&self) -> String {
        match self {
            Self::Tenant(given) | Self::ClientId(given) | Self::LoginUrl(given) | Self::GraphUrl(given) => {
                format!("{given:?}")
            }
            Self::Mailbox(_, given) | Self::MailboxTwice(_, given) => format!("{given:?}"),
            Self::NumberOfMails(given) => given.to_string(),
            Self::SecretEmpty | Self::NoMailbox => String::new(),
        }
    }

    /// What to do, for a person.
    pub fn sentence(&self, lang: Lang) -> String {
        let (de, en) = match self {
            Self::Tenant(_) => (
                "Geben Sie die Verzeichnis-ID (Mandant) an, oder eine Domäne wie example.onmicrosoft.com. Sie steht in Entra > App-Registrierungen > Übersicht.",
                "Give the directory (tenant) ID, or a domain such as example.onmicrosoft.com. It stands in Entra > App registrations > Overview.",
            ),
            Self::ClientId(_) => (
                "Geben Sie die Anwendungs-ID (Client) an. Sie steht in Entra > App-Registrierungen > Übersicht.",
                "Give the application (client) ID. It stands in Entra > App registrations > Overview.",
            ),
            Self::SecretEmpty => (
                "Das Client-Secret ist leer. Geben Sie den Wert aus Zertifikate & Geheimnisse an.",
                "The client secret is empty. Give its value from Certificates & secrets.",
            ),
            Self::NumberOfMails(_) => ("Geben Sie 1 bis 1000 an; üblich sind 25.", "Give 1 to 1000; 25 is usual."),
            Self::NoMailbox => (
                "Geben Sie mindestens eine Adresse an, oder wählen Sie alle Postfächer.",
                "There is no mailbox: give at least one address, or all mailboxes.",
            ),
            Self::Mailbox(_, name) => {
                return match lang {
                    Lang::De => format!("«{name}» ist keine Adresse. Geben Sie sie an wie a@example.ch."),
                    Lang::En => format!("\"{name}\" is no address. Give it as in a@example.ch."),
                };
            }
            Self::MailboxTwice(_, name) => {
                return match lang {
                    Lang::De => format!("«{name}» steht zweimal da. Streichen Sie eine der Zeilen."),
                    Lang::En => format!("\"{name}\" is given twice. Remove one of them."),
                };
            }
            Self::LoginUrl(_) | Self::GraphUrl(_) => (
                "Geben Sie eine Adresse wie https://graph.microsoft.com an, ohne Pfad.",
                "Give an address such as https://graph.microsoft.com, without a path.",
            ),
        };
        match lang {
            Lang::De => de.to_owned(),
            Lang::En => en.to_owned(),
        }
    }
}

/// Key, what was given, and what to do.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.given();
        let space = if given.is_empty() { "" } else { " " };
        write!(f, "{}{space}{given}: {}", self.key(), self.sentence(Lang::En))
    }
}

impl std::error::Error for Mistake {}
