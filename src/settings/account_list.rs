//! A pasted list of mailboxes: which accounts it means, and every mistake by its line, before anything is stored.

use super::csv::{self, Open};
use super::providers::{self, Hint, Provider};
use super::{Account, Encryption, Imap, Secret};
use crate::language::Lang;
use crate::limits::ACCOUNT_LIST;

/// What is wrong with one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A quotation mark is not closed.
    Open,
    Address,
    /// The same address stands in this line already.
    Twice(usize),
    /// This definition archives it already.
    Taken(String),
    NoPassword,
    /// The provider takes no passwords.
    SignIn,
    /// No server is given, and none is known for this domain.
    Server(String),
    /// What was given is no host name.
    Host,
    Port,
    Encryption,
    /// More cells than columns.
    Cells,
}

/// One mailbox of the list.
#[derive(Clone, Debug)]
pub struct Entry {
    pub line: usize,
    pub address: String,
    /// What one logs in with.
    pub login: String,
    pub password: Secret,
    pub server: String,
    pub port: u16,
    pub encryption: Encryption,
    pub faults: Vec<Fault>,
}

/// The list as it was read.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub entries: Vec<Entry>,
    /// It has more lines than are taken at a time.
    pub is_too_long: bool,
}

/// A column, in the order in which they stand where no header says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Address,
    Password,
    Server,
    Port,
    Encryption,
    Other,
}

const COLUMNS: [Column; 5] = [Column::Address, Column::Password, Column::Server, Column::Port, Column::Encryption];

impl Column {
    /// By what people write above it.
    fn named(text: &str) -> Self {
        let plain: String = text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        match plain.as_str() {
            "adresse" | "address" | "email" | "mail" | "mailadresse" | "emailadresse" | "emailaddress" | "konto"
            | "account" | "benutzerkonto" | "benutzer" | "user" | "username" | "postfach" | "mailbox" => Self::Address,
            "passwort" | "password" | "kennwort" => Self::Password,
            "server" | "mailserver" | "host" | "mailserverhost" | "imap" | "imapserver" => Self::Server,
            "port" => Self::Port,
            "verschlüsselung" | "encryption" | "ssl" | "tls" | "sicherheit" | "security" => Self::Encryption,
            _ => Self::Other,
        }
    }
}

/// The columns that a first line names; `None` where it is a mailbox already.
fn header(cells: &[String]) -> Option<Vec<Column>> {
    let columns: Vec<Column> = cells.iter().map(|cell| Column::named(cell)).collect();
    let is_header = columns.contains(&Column::Address) && !cells.iter().any(|cell| cell.contains('@'));
    is_header.then_some(columns)
}

impl List {
    pub fn read(text: &str) -> Self {
        let mut list = Self::default();
        let mut columns = COLUMNS.to_vec();
        for (place, (line, cells)) in csv::lines(text).enumerate() {
            if place == 0
                && let Some(named) = cells.as_ref().ok().and_then(|cells| header(cells))
            {
                columns = named;
                continue;
            }
            if list.entries.len() >= ACCOUNT_LIST {
                list.is_too_long = true;
                break;
            }
            let mut entry = entry(line, cells, &columns);
            let before = list.entries.iter().find(|other| {
                let is_same_login = other.login == entry.login && other.server == entry.server;
                !entry.address.is_empty() && (is_same_login || other.address.eq_ignore_ascii_case(&entry.address))
            });
            if let Some(before) = before {
                entry.faults.push(Fault::Twice(before.line));
            }
            list.entries.push(entry);
        }
        list
    }

    /// Whether it may be stored.
    pub fn is_good(&self) -> bool {
        !self.is_too_long && !self.entries.is_empty() && self.entries.iter().all(|entry| entry.faults.is_empty())
    }

    /// The accounts by their server, in the order of the list.
    pub fn servers(&self) -> Vec<Imap> {
        let mut servers: Vec<Imap> = Vec::new();
        for entry in &self.entries {
            let account = Account::with_password(&entry.login, entry.password.clone());
            let is_same = |imap: &&mut Imap| {
                imap.server == entry.server && imap.port == entry.port && imap.encryption == entry.encryption
            };
            match servers.iter_mut().find(is_same) {
                Some(imap) => imap.accounts.push(account),
                None => servers.push(Imap {
                    server: entry.server.clone(),
                    port: entry.port,
                    encryption: entry.encryption,
                    accounts: vec![account],
                    ca_pem: None,
                }),
            }
        }
        servers
    }
}

fn entry(line: usize, cells: Result<Vec<String>, Open>, columns: &[Column]) -> Entry {
    let mut faults = Vec::new();
    let cells = cells.unwrap_or_else(|Open| {
        faults.push(Fault::Open);
        Vec::new()
    });
    if cells.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        faults.push(Fault::Cells);
    }
    let cell = |wanted: Column| {
        let place = columns.iter().position(|column| *column == wanted);
        place.and_then(|place| cells.get(place)).map_or("", String::as_str)
    };
    let address = cell(Column::Address);
    let is_address = providers::domain(address).is_some();
    let known = providers::of_address(address);
    if faults.is_empty() {
        if !is_address {
            faults.push(Fault::Address);
        }
        if known.is_some_and(|provider| provider.hint == Some(Hint::SignIn)) {
            faults.push(Fault::SignIn);
        } else if cell(Column::Password).is_empty() {
            faults.push(Fault::NoPassword);
        }
    }
    let encryption = encryption(cell(Column::Encryption), known, cell(Column::Server), &mut faults);
    let server = server(cell(Column::Server), known, address, is_address, &mut faults);
    let port = match cell(Column::Port) {
        "" => known
            .filter(|provider| provider.server == server)
            .map_or_else(|| if encryption == Encryption::Tls { 993 } else { 143 }, |provider| provider.port),
        text => text.parse().ok().filter(|port| *port > 0).unwrap_or_else(|| {
            faults.push(Fault::Port);
            0
        }),
    };
    Entry {
        line,
        login: known.map_or(address, |provider| provider.login(address)).to_owned(),
        address: address.to_owned(),
        password: Secret::new(cell(Column::Password).to_owned()),
        server,
        port,
        encryption,
        faults,
    }
}

fn encryption(text: &str, known: Option<&Provider>, server: &str, faults: &mut Vec<Fault>) -> Encryption {
    match text.to_lowercase().as_str() {
        "" if server.is_empty() => known.map(|provider| provider.encryption).unwrap_or_default(),
        "" | "tls" | "ssl" | "ssl/tls" | "tls/ssl" | "ja" | "yes" | "imaps" => Encryption::Tls,
        "starttls" => Encryption::StartTls,
        "keine" | "none" | "nein" | "no" => Encryption::None,
        _ => {
            faults.push(Fault::Encryption);
            Encryption::Tls
        }
    }
}

fn server(text: &str, known: Option<&Provider>, address: &str, is_address: bool, faults: &mut Vec<Fault>) -> String {
    if text.is_empty() {
        let server = known.map(|provider| provider.server.clone()).unwrap_or_default();
        if server.is_empty() && is_address {
            faults.push(Fault::Server(providers::domain(address).unwrap_or_default().to_owned()));
        }
        return server;
    }
    if !Imap::is_host(text) {
        faults.push(Fault::Host);
    }
    text.to_owned()
}

impl Fault {
    /// What is wrong and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        let (de, en) = match self {
            Self::Twice(line) => {
                return match lang {
                    Lang::De => format!("Diese Adresse steht schon auf Zeile {line}. Streichen Sie eine der beiden."),
                    Lang::En => format!("This address stands in line {line} already. Remove one of the two."),
                };
            }
            Self::Taken(name) => {
                return match lang {
                    Lang::De => format!(
                        "Die Definition «{name}» archiviert dieses Postfach schon. Streichen Sie die Zeile, oder ändern Sie jene Definition."
                    ),
                    Lang::En => format!(
                        "The definition \"{name}\" archives this mailbox already. Remove the line, or change that definition."
                    ),
                };
            }
            Self::Server(domain) => {
                return match lang {
                    Lang::De => format!(
                        "Für {domain} ist kein Mail-Server bekannt. Schreiben Sie ihn in die dritte Spalte, zum Beispiel imap.{domain}."
                    ),
                    Lang::En => format!(
                        "No mail server is known for {domain}. Write it into the third column, such as imap.{domain}."
                    ),
                };
            }
            Self::Open => (
                "Ein Anführungszeichen ist nicht geschlossen. Setzen Sie eines ans Ende der Zelle, oder verdoppeln Sie es, wenn es zum Passwort gehört.",
                "A quotation mark is not closed. Put one at the end of the cell, or double it where it belongs to the password.",
            ),
            Self::Address => (
                "In der ersten Spalte steht keine Mail-Adresse. Schreiben Sie sie wie anna@example.ch.",
                "There is no mail address in the first column. Write it as anna@example.ch.",
            ),
            Self::NoPassword => (
                "In der zweiten Spalte fehlt das Passwort. Ergänzen Sie es.",
                "The password is missing in the second column. Add it.",
            ),
            Self::SignIn => (
                "Outlook.com und Hotmail nehmen keine Passwörter an. Streichen Sie die Zeile, und fügen Sie dieses Postfach einzeln mit dem Assistenten hinzu.",
                "Outlook.com and Hotmail take no passwords. Remove the line, and add this mailbox by itself with the assistant.",
            ),
            Self::Host => (
                "Das ist kein Name eines Mail-Servers. Schreiben Sie ihn wie imap.example.ch, ohne imap:// davor.",
                "This is no name of a mail server. Write it as imap.example.ch, without imap:// in front.",
            ),
            Self::Port => (
                "Der Port ist eine Zahl von 1 bis 65535; üblich sind 993 für TLS und 143 für STARTTLS. Lassen Sie die Zelle sonst leer.",
                "The port is a number from 1 to 65535; usual are 993 for TLS and 143 for STARTTLS. Else leave the cell empty.",
            ),
            Self::Encryption => (
                "Als Verschlüsselung gibt es TLS, STARTTLS und keine. Lassen Sie die Zelle für TLS leer.",
                "Encryption is one of TLS, STARTTLS and none. Leave the cell empty for TLS.",
            ),
            Self::Cells => (
                "Die Zeile hat mehr Zellen als Spalten. Setzen Sie ein Passwort, in dem das Trennzeichen vorkommt, in Anführungszeichen.",
                "The line has more cells than there are columns. Put a password with the separator in it into quotation marks.",
            ),
        };
        match lang {
            Lang::De => de.to_owned(),
            Lang::En => en.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(text: &str) -> Vec<(usize, Vec<Fault>)> {
        List::read(text).entries.into_iter().map(|entry| (entry.line, entry.faults)).collect()
    }

    #[test]
    fn every_mistake_is_named_in_its_line() {
        let list = "Adresse;Passwort;Server;Port;Verschlüsselung\n\
                    anna@gmx.ch;geheim\n\
                    beat@muster.ch;geheim;imap.muster.ch;143;STARTTLS\n\
                    carla@muster.ch;geheim\n\
                    dora;geheim\n\
                    emil@gmx.ch;\n\
                    ANNA@gmx.ch;anderes\n\
                    frida@outlook.com;geheim\n\
                    gustav@gmx.ch;geheim;imap://x\n\
                    hans@gmx.ch;geheim;;99999\n\
                    ida@gmx.ch;geheim;;;rot13\n\
                    \"jan@gmx.ch;geheim\n\
                    karl@gmx.ch;ge;heim;1;tls;x\n";
        let server = Fault::Server("muster.ch".into());
        assert_eq!(
            faults(list),
            [
                (2, vec![]),
                (3, vec![]),
                (4, vec![server]),
                (5, vec![Fault::Address]),
                (6, vec![Fault::NoPassword]),
                (7, vec![Fault::Twice(2)]),
                (8, vec![Fault::SignIn]),
                (9, vec![Fault::Host]),
                (10, vec![Fault::Port]),
                (11, vec![Fault::Encryption]),
                (12, vec![Fault::Open]),
                (13, vec![Fault::Cells]),
            ]
        );
        assert!(!List::read(list).is_good());
        for (_, faults) in faults(list) {
            for fault in faults {
                for lang in [Lang::De, Lang::En] {
                    let text = fault.sentence(lang);
                    assert!(text.ends_with('.') && text.contains(". ") && !text.contains('ß'), "{text}");
                }
            }
        }
    }

    #[test]
    fn columns_are_found_by_their_names_and_accounts_by_their_server() {
        let list = List::read(
            "Kennwort\tE-Mail-Adresse\tBemerkung\ngeheim\tanna@gmx.ch\tChefin\nanderes\tb@bluewin.ch\t\nx\tc@gmx.de",
        );
        assert!(list.is_good(), "{list:?}");
        let servers = list.servers();
        let shape: Vec<(&str, u16, usize)> =
            servers.iter().map(|imap| (imap.server.as_str(), imap.port, imap.accounts.len())).collect();
        assert_eq!(shape, [("imap.gmx.net", 993, 2), ("imaps.bluewin.ch", 993, 1)]);
        assert_eq!(servers[0].accounts[0].password.as_ref().unwrap().reveal().as_str(), "geheim");
        assert!(!format!("{list:?}").contains("geheim"));
    }

    #[test]
    fn a_list_has_an_end() {
        let lines: Vec<String> = (0..=ACCOUNT_LIST).map(|place| format!("a{place}@gmx.ch;x")).collect();
        let list = List::read(&lines.join("\n"));
        assert!(list.is_too_long && !list.is_good() && list.entries.len() == ACCOUNT_LIST);
        assert!(!List::read(" \n\n").is_good());
    }

    proptest! {
        #[test]
        fn any_text_gives_a_table_or_mistakes(text in "[a-c@.;,\t\"\n 0-9äÄ]*", any in ".*") {
            for text in [text, any] {
                let list = List::read(&text);
                prop_assert!(list.entries.len() <= ACCOUNT_LIST);
                if list.is_good() {
                    for imap in list.servers() {
                        let mut found = Vec::new();
                        imap.find(&mut found);
                        prop_assert!(found.is_empty(), "{:?}", found);
                    }
                }
            }
        }
    }
}
