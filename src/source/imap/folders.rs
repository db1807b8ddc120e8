//! Folders: LIST, what each is for, and finding or making the one that a person named.

use super::lines::{Row, Verdict};
use super::names;
use super::session::{Session, demand};
use super::stream::{Deaf, Ear, protocol};
use crate::source::{Folder, Result, Role};

/// Folders of one account; more is a server gone mad.
const MOST_FOLDERS: usize = 100_000;

/// Names by which people and programs know a folder, in lower case, where the server does not say what it is for.
const NAMES: [(Role, &[&str]); 6] = [
    (Role::Drafts, &["entwürfe", "drafts", "draft"]),
    (Role::Outbox, &["postausgang", "outbox"]),
    (Role::Junk, &["junk", "spam", "junk-e-mail", "junk e-mail", "junk email", "spamverdacht", "bulk mail"]),
    (
        Role::Sent,
        &[
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "gesendete nachrichten",
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
        ],
    ),
    (
        Role::Trash,
        &["papierkorb", "gelöschte elemente", "gelöschte objekte", "trash", "deleted items", "deleted messages"],
    ),
    (Role::Archive, &["archiv", "archive"]),
];

#[derive(Default)]
struct Rows(Vec<Row>);

impl Ear for Rows {
    fn row(&mut self, row: Row) -> Result<()> {
        if self.0.len() >= MOST_FOLDERS {
            return Err(protocol("more folders than anyone has"));
        }
        self.0.push(row);
        Ok(())
    }
}

/// All folders, each once, in the server's order.
pub fn list(session: &mut Session) -> Result<Vec<Folder>> {
    let mut rows = Rows::default();
    let mut done = false;
    // Without RETURN some servers keep to themselves what a folder is for (RFC 6154, 2).
    if session.can("SPECIAL-USE") && session.can("LIST-EXTENDED") {
        done = session.run("LIST \"\" \"*\" RETURN (SPECIAL-USE)", &mut rows)?.verdict == Verdict::Ok;
    }
    if !done {
        rows.0.clear();
        session.demand("LIST \"\" \"*\"", &mut rows)?;
    }
    let prefix = session.prefix()?;
    let mut seen = std::collections::HashSet::new();
    rows.0.retain(|row| seen.insert(row.name.clone()));
    let mut folders: Vec<Folder> = rows.0.into_iter().map(|row| folder(row, &prefix)).collect();
    if session.can("X-GM-EXT-1") {
        labels(&mut folders);
    }
    Ok(folders)
}

/// Gmail shows a message once for each of its labels, and once in All Mail; what lies in spam and trash is not shown there.
fn labels(folders: &mut [Folder]) {
    let all = folders.iter().find(|folder| folder.role == Role::All && folder.selectable);
    let Some(all) = all.map(|folder| folder.name.clone()) else { return };
    for folder in folders.iter_mut().filter(|folder| !matches!(folder.role, Role::All | Role::Junk | Role::Trash)) {
        folder.shown_in = Some(all.clone());
    }
}

fn folder(row: Row, prefix: &str) -> Folder {
    let name = names::decode(&row.name);
    let role = role(&row.attributes, &name, row.separator);
    let selectable = !row.attributes.iter().any(|attribute| attribute == "\\noselect" || attribute == "\\nonexistent");
    Folder { id: row.name, name, separator: row.separator, role, selectable, prefix: prefix.to_owned(), shown_in: None }
}

fn role(attributes: &[String], name: &str, separator: Option<char>) -> Role {
    if name.eq_ignore_ascii_case("INBOX") {
        return Role::Inbox;
    }
    let told = attributes.iter().find_map(|attribute| match attribute.as_str() {
        "\\all" => Some(Role::All),
        "\\archive" => Some(Role::Archive),
        "\\drafts" => Some(Role::Drafts),
        "\\junk" => Some(Role::Junk),
        "\\sent" => Some(Role::Sent),
        "\\trash" => Some(Role::Trash),
        _ => None,
    });
    told.unwrap_or_else(|| {
        let last = separator.and_then(|separator| name.rsplit(separator).next()).unwrap_or(name).to_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&last.as_str())).map_or(Role::Other, |(role, _)| *role)
    })
}

/// The folder that a person calls `wanted`: its id. A folder that is missing is made, and subscribed to so that mail
/// programs show it.
pub fn find_or_make(session: &mut Session, wanted: &str) -> Result<String> {
    let folders = list(session)?;
    if let Some(folder) = folders.iter().find(|folder| folder.is_named(wanted)) {
        return Ok(folder.id.clone());
    }
    let separator = folders.iter().find_map(|folder| folder.separator);
    let id = id_of(wanted, separator, &session.prefix()?);
    make(session, &id)?;
    Ok(id)
}

/// Makes a folder.
pub fn make(session: &mut Session, id: &str) -> Result<()> {
    let name = names::quoted(id)?;
    let command = format!("CREATE {name}");
    let status = session.run(&command, &mut Deaf)?;
    if !status.has_code("ALREADYEXISTS") {
        demand(&command, status)?;
    }
    session.run(&format!("SUBSCRIBE {name}"), &mut Deaf)?;
    Ok(())
}

/// What a new folder is called on the server: levels that a person separates by `/` are separated the server's way, and it
/// lies where one's own folders lie.
fn id_of(wanted: &str, separator: Option<char>, prefix: &str) -> String {
    let mut name = match separator {
        Some(separator) if !wanted.contains(separator) => wanted.replace('/', separator.encode_utf8(&mut [0; 4])),
        _ => wanted.to_owned(),
    };
    let begins = name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    if !begins && !name.eq_ignore_ascii_case("INBOX") {
        name.insert_str(0, prefix);
    }
    names::encode(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        for (attributes, name, separator, want) in [
            ("", "inbox", Some('/'), Role::Inbox),
            ("\\sent", "Irgendwas", Some('/'), Role::Sent),
            ("\\hasnochildren \\junk", "Archiv", Some('/'), Role::Junk),
            ("", "Entwürfe", Some('/'), Role::Drafts),
            ("", "INBOX.Entwürfe", Some('.'), Role::Drafts),
            ("", "INBOX/Gesendete Objekte", Some('/'), Role::Sent),
            ("", "Kunden/Meier/ARCHIV", Some('/'), Role::Archive),
            ("", "Gelöschte Elemente", None, Role::Trash),
            ("", "Junk-E-Mail", None, Role::Junk),
            ("", "Postausgang", None, Role::Outbox),
            ("", "INBOX.Sent", None, Role::Other),
            ("\\all", "[Gmail]/Alle Nachrichten", Some('/'), Role::All),
            ("\\flagged", "Wichtig", Some('/'), Role::Other),
            ("", "Draftsman", Some('/'), Role::Other),
        ] {
            let attributes: Vec<String> = attributes.split_whitespace().map(str::to_owned).collect();
            assert_eq!(role(&attributes, name, separator), want, "{name}");
        }
    }

    #[test]
    fn new_folders_are_written_the_servers_way() {
        assert_eq!(id_of("Archiv/Böhm", Some('.'), ""), "Archiv.B&APY-hm");
        assert_eq!(id_of("Archiv/2024", Some('/'), ""), "Archiv/2024");
        assert_eq!(id_of("INBOX.a/b", Some('.'), ""), "INBOX.a/b");
        assert_eq!(id_of("a/b", None, ""), "a/b");
        assert_eq!(id_of("Archiv/2024", Some('.'), "INBOX."), "INBOX.Archiv.2024");
        assert_eq!(id_of("Inbox/a", Some('.'), "INBOX."), "Inbox.a");
        assert_eq!(id_of("inbox", Some('.'), "INBOX."), "inbox");
        assert_eq!(id_of("Ä", Some('.'), "INBOX."), "INBOX.&AMQ-");
    }
}
