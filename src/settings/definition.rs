//! A definition (Mail-Archivierungs-Definition): one configured source.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::mistake::{Mistake, What};
use super::o365::O365;
use super::sign_in::SignIn;
use super::{Result, SettingsError};
use crate::archive::keys::Keys;
use crate::hash::{hex, unhex};

/// Where mails are played back to when the definition says nothing and archived mails do not stay where they were.
pub const PLAY_BACK_FOLDER: &str = "Archivista";
/// Characters of the name of a definition.
pub const NAME_CHARS: usize = 64;

/// A secret: wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    pub fn reveal(&self) -> &Zeroizing<String> {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    #[default]
    Tls,
    StartTls,
    None,
}

/// One mailbox login of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub account: String,
    /// Not in the stored form, where it stands sealed elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A file with an OAuth access token, read at each login (XOAUTH2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_file: Option<PathBuf>,
    /// Signs in by a code; its refresh token stands apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignIn>,
}

impl Account {
    pub fn with_password(account: &str, password: Secret) -> Self {
        Self { account: account.into(), password: Some(password), access_token_file: None, sign_in: None }
    }
}

/// What happens on the server to a message that is archived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterArchiving {
    #[default]
    Leave,
    /// Readable folder name.
    Move(String),
    Delete,
    /// Deleted so that the owner of the mailbox cannot restore it.
    Purge,
}

/// Which field of the document takes which field of the mail; `None`: no further field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMap {
    pub from: Option<String>,
    pub cc: Option<String>,
    pub to: Option<String>,
    pub subject: Option<String>,
}

/// What is particular to module Mail (`imap`): a server and its accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imap {
    pub server: String,
    pub port: u16,
    pub encryption: Encryption,
    pub accounts: Vec<Account>,
    /// Trusted instead of the public authorities, PEM.
    pub ca_pem: Option<String>,
}

/// Which module fetches, and what it needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "module", rename_all = "lowercase")]
pub enum Module {
    Imap(Imap),
    O365(O365),
}

impl Module {
    /// Its code in definition files: `imap`, `o365`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Imap(_) => "imap",
            Self::O365(_) => "o365",
        }
    }
}

/// One configured source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Never changes.
    pub name: String,
    #[serde(flatten)]
    pub module: Module,
    /// Empty: all but drafts, outbox and junk.
    pub folders: Vec<String>,
    pub exclude_folders: Vec<String>,
    pub fields: FieldMap,
    /// User or group that owns what is archived; empty: nobody.
    pub owner: String,
    /// Only mails older than so many days; 0: all.
    pub min_age_days: u32,
    pub after: AfterArchiving,
    pub play_back_folder: Option<String>,
    pub inactive: bool,
    /// Nothing is fetched any more, for good; what it archived stays. Changed by [`end`](super::end) alone.
    #[serde(default)]
    pub ended: bool,
    pub interval_minutes: u32,
    /// The definition that this one took the place of (`switch`): mail that it archived becomes no second document.
    #[serde(default)]
    pub succeeds: Option<String>,
}

/// What is stored: the definition without its secrets, and these sealed, in hexadecimal, by account.
#[derive(Serialize, Deserialize)]
struct Stored {
    definition: Definition,
    sealed: BTreeMap<String, String>,
}

/// What of a stored definition decides who reads what it archived; nothing else is read, and no secret opened.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    pub owner: String,
    pub succeeds: Option<String>,
}

pub(super) fn known(stored: &[u8]) -> Option<Known> {
    #[derive(Deserialize)]
    struct Stored {
        definition: Known,
    }
    serde_json::from_slice::<Stored>(stored).ok().map(|stored| stored.definition)
}

impl Imap {
    /// Whether this may be the name or the address of a server. Letters of any script and `_` stand in names that people use at
    /// home, so this takes more than RFC 1123 does; a port, a scheme or a sign of doubt is in none.
    pub fn is_host(text: &str) -> bool {
        let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(fits)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        text.parse::<IpAddr>().is_ok() || text.len() <= 253 && name.split('.').all(is_label)
    }

    pub(super) fn find(&self, found: &mut Vec<Mistake>) {
        if !Self::is_host(&self.server) {
            found.push(Mistake::new("server", What::Server).given(&self.server));
        }
        if self.port == 0 {
            found.push(Mistake::new("port", What::Port).number(self.port));
        }
        if self.accounts.is_empty() {
            found.push(Mistake::new("account", What::NoAccount));
        }
        for (row, account) in self.accounts.iter().enumerate() {
            let mut wrong = |what: What| found.push(Mistake::new("account", what).given(&account.account).row(row));
            if account.account.is_empty() || account.account.contains(char::is_control) {
                wrong(What::Account);
            } else if self.accounts[..row].iter().any(|other| other.account == account.account) {
                wrong(What::AccountTwice);
            }
            let proofs = [account.password.is_some(), account.access_token_file.is_some(), account.sign_in.is_some()];
            match proofs.into_iter().filter(|is_given| *is_given).count() {
                0 => wrong(What::NoPassword),
                1 => {}
                _ => wrong(What::TwoPasswords),
            }
            if let Some(sign_in) = &account.sign_in {
                sign_in.find(row, found);
            }
        }
    }
}

impl Definition {
    /// One with nothing set, for unit tests.
    #[cfg(test)]
    pub(crate) fn plain(name: &str, module: Module) -> Self {
        Self {
            name: name.into(),
            module,
            folders: Vec::new(),
            exclude_folders: Vec::new(),
            fields: FieldMap::default(),
            owner: String::new(),
            min_age_days: 0,
            after: AfterArchiving::Leave,
            play_back_folder: None,
            inactive: false,
            ended: false,
            interval_minutes: 5,
            succeeds: None,
        }
    }

    /// Whether mails are fetched on schedule and on demand.
    pub fn is_fetched(&self) -> bool {
        !self.inactive && !self.ended
    }

    /// The folder that a mail is played back to which was in `was`. Archived mails stay in it whatever happens to others, so
    /// that what came back is not taken away again.
    pub fn play_back_to<'a>(&'a self, was: &'a str) -> &'a str {
        match (&self.play_back_folder, &self.after) {
            (Some(folder), _) => folder,
            (None, AfterArchiving::Leave) => was,
            (None, _) => PLAY_BACK_FOLDER,
        }
    }

    /// Finds the first thing that a person has to put right before this can work.
    pub fn check(&self) -> std::result::Result<(), Mistake> {
        self.mistakes().into_iter().next().map_or(Ok(()), Err)
    }

    /// All that [`Self::check`] would find.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let fits = |c: char| c.is_alphanumeric() || " ._-@+".contains(c);
        // A name of dots alone means something else in an address.
        let is_name = self.name.chars().all(fits) && self.name.contains(char::is_alphanumeric);
        if !is_name || self.name.chars().count() > NAME_CHARS {
            found.push(Mistake::new("name", What::Name).given(&self.name));
        } else if self.name.trim() != self.name {
            found.push(Mistake::new("name", What::NameEnds).given(&self.name));
        }
        let ca_pem = match &self.module {
            Module::Imap(imap) => {
                imap.find(&mut found);
                &imap.ca_pem
            }
            Module::O365(o365) => {
                o365.find(&mut found);
                &o365.ca_pem
            }
        };
        if ca_pem.as_ref().is_some_and(|pem| !pem.contains("-----BEGIN CERTIFICATE-----")) {
            found.push(Mistake::new("ca_file", What::Authority));
        }
        if !(1..=10_080).contains(&self.interval_minutes) {
            found.push(Mistake::new("interval_minutes", What::Interval).number(self.interval_minutes));
        }
        if let Some(folder) = &self.play_back_folder
            && self.after != AfterArchiving::Leave
            && (folder.eq_ignore_ascii_case("INBOX") || self.folders.contains(folder))
        {
            found.push(Mistake::new("play_back_folder", What::PlayBack).given(folder));
        }
        if self.min_age_days > 36_500 {
            found.push(Mistake::new("min_age_days", What::MinAge).number(self.min_age_days));
        }
        found
    }

    /// The stored form: JSON, secrets sealed.
    pub fn seal(&self, keys: &Keys) -> Result<Vec<u8>> {
        let mut definition = self.clone();
        let mut sealed = BTreeMap::new();
        for (key, secret) in definition.secrets() {
            if let Some(secret) = secret.take() {
                let name = secret_name(&self.name, &key);
                sealed.insert(key, hex(&keys.seal(&name, secret.reveal().as_bytes())?));
            }
        }
        serde_json::to_vec(&Stored { definition, sealed })
            .map_err(|error| SettingsError::Stored { name: self.name.clone(), detail: error.to_string() })
    }

    /// Reads the stored form.
    pub fn open(name: &str, stored: &[u8], keys: &Keys) -> Result<Self> {
        let wrong = |detail: String| SettingsError::Stored { name: name.into(), detail };
        let Stored { mut definition, sealed } =
            serde_json::from_slice(stored).map_err(|error| wrong(error.to_string()))?;
        for (key, place) in definition.secrets() {
            if let Some(sealed) = sealed.get(&key) {
                let sealed = unhex(sealed).ok_or_else(|| wrong("a sealed secret is not hexadecimal".into()))?;
                let secret = keys.unseal(&secret_name(name, &key), &sealed)?;
                let secret = String::from_utf8(secret.to_vec()).map_err(|error| wrong(error.to_string()))?;
                *place = Some(Secret::new(secret));
            }
        }
        Ok(definition)
    }

    /// Where its secrets are, each with the name under which it is sealed.
    fn secrets(&mut self) -> Vec<(String, &mut Option<Secret>)> {
        match &mut self.module {
            Module::Imap(imap) => {
                imap.accounts.iter_mut().map(|account| (account.account.clone(), &mut account.password)).collect()
            }
            Module::O365(o365) => {
                vec![("client_secret".to_owned(), &mut o365.client_secret), ("key".to_owned(), &mut o365.key_pem)]
            }
        }
    }

    /// Days until the client secret ends, at `now` in Unix seconds; negative when it has ended. `None` where there is none,
    /// nobody said when, or the definition has ended. People are warned from [`WARN_DAYS`](super::o365::WARN_DAYS) on.
    pub fn secret_expires_in_days(&self, now: i64) -> Option<i64> {
        let Module::O365(o365) = &self.module else { return None };
        if self.ended {
            return None;
        }
        let today = jiff::Timestamp::from_second(now).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
        o365.expires_in_days(today)
    }
}

fn secret_name(definition: &str, key: &str) -> String {
    format!("definition/{definition}/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::disk::Disk;

    fn definition(module: Module) -> Definition {
        let after = AfterArchiving::Move("Archiv".into());
        Definition { folders: vec!["INBOX".into()], after, ..Definition::plain("büro", module) }
    }

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for good in ["imap.example.ch", "localhost", "127.0.0.1", "::1", "imap.müller.ch", "nas_1", "imap.example.ch."]
        {
            assert!(Imap::is_host(good), "{good}");
        }
        let long = "x".repeat(64);
        for bad in ["", ".", "???", "imap.x.ch:993", "imap://x", "a b", "-x", "x..ch", "a@b", "[::1]", long.as_str()] {
            assert!(!Imap::is_host(bad), "{bad}");
        }
    }

    #[test]
    fn a_stored_definition_holds_no_readable_secret_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(&Disk::default(), &dir.path().join("keys"), true).unwrap();
        let imap = Module::Imap(Imap {
            server: "imap.example.ch".into(),
            port: 993,
            encryption: Encryption::Tls,
            accounts: vec![Account::with_password("a@example.ch", Secret::new("streng geheim".into()))],
            ca_pem: None,
        });
        let o365 = |client_secret: Option<&str>, key: Option<&str>| {
            Module::O365(O365 {
                tenant: "example.onmicrosoft.com".into(),
                client_id: "48d31887-5fad-4d73-a9f5-3c356e68a038".into(),
                client_secret: client_secret.map(|secret| Secret::new(secret.into())),
                certificate_pem: key.map(|_| "PEM".into()),
                key_pem: key.map(|key| Secret::new(key.into())),
                secret_expires: Some("2027-01-31".into()),
                mailboxes: super::super::o365::Which::These(vec!["a@example.ch".into()]),
                number_of_mails: 25,
                login_url: "https://login.microsoftonline.com".into(),
                graph_url: "https://graph.microsoft.com".into(),
                ca_pem: None,
            })
        };
        for module in [imap, o365(Some("streng geheim"), None), o365(None, Some("streng geheim"))] {
            let definition = definition(module);
            definition.check().unwrap();
            let stored = definition.seal(&keys).unwrap();
            assert!(!String::from_utf8_lossy(&stored).contains("geheim"));
            assert_eq!(Definition::open("büro", &stored, &keys).unwrap(), definition);
            assert!(!format!("{definition:?}").contains("geheim"));
        }
    }
}
