//! Accounts that sign in by a code in place of a password: as which application, and the refresh token, which the server may
//! replace at each use. It has a row of its own, so that replacing it never meets a change of the definition.

use serde::{Deserialize, Serialize};

use super::definition::Secret;
use super::mistake::{Mistake, What};
use super::{DEFINITION, Imap, Module, Result, SettingsError};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Event, Happening, Setting};
use crate::clock;
use crate::source::graph::mistake::Mistake as TenantMistake;
use crate::source::graph::tenant::{is_guid, is_url};
use crate::source::sign_in::{App, CONSUMERS, LOGIN_URL};

/// Keys of refresh tokens in the settings table, by definition and account.
const TOKEN: &str = "sign-in/";

/// How an account signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignIn {
    /// Application that was registered in Entra.
    pub client_id: String,
    /// [`CONSUMERS`] for outlook.com; else a directory.
    pub tenant: String,
    pub login_url: String,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { client_id: String::new(), tenant: CONSUMERS.into(), login_url: LOGIN_URL.into() }
    }
}

impl SignIn {
    /// What the room `source` needs to know; `imap` is the server of the account.
    pub fn app(&self, imap: &Imap) -> App {
        App {
            client_id: self.client_id.clone(),
            tenant: self.tenant.clone(),
            login_url: self.login_url.clone(),
            ca_pem: imap.ca_pem.clone(),
        }
    }

    /// What a person has to put right before this can work.
    pub fn find(&self, row: usize, found: &mut Vec<Mistake>) {
        let mut wrong = |key: &'static str, mistake: TenantMistake| {
            let given = mistake.given();
            let mut wrong = Mistake::new(key, What::Tenant(mistake)).row(row);
            wrong.given = given;
            found.push(wrong);
        };
        if !is_guid(&self.client_id) {
            wrong("oauth_client_id", TenantMistake::ClientId(self.client_id.clone()));
        }
        if self.tenant.is_empty() || !self.tenant.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)) {
            wrong("oauth_tenant", TenantMistake::Tenant(self.tenant.clone()));
        }
        if !is_url(&self.login_url) {
            wrong("oauth_login_url", TenantMistake::LoginUrl(self.login_url.clone()));
        }
    }
}

fn key(definition: &str, account: &str) -> String {
    format!("{TOKEN}{definition}/{account}")
}

/// The refresh token of an account; `None` where nobody has signed in.
pub fn token(archive: &Archive, definition: &str, account: &str) -> Result<Option<Secret>> {
    let key = key(definition, account);
    let Some(sealed) = archive.view()?.setting_row(&key)?.and_then(|row| row.value.value) else { return Ok(None) };
    let wrong = |detail: String| SettingsError::Stored { name: definition.into(), detail };
    let token = archive.keys().unseal(&key, &sealed)?;
    let token = String::from_utf8(token.to_vec()).map_err(|error| wrong(error.to_string()))?;
    Ok(Some(Secret::new(token)))
}

/// Keeps a refresh token in place of the one before; durable on return. `who` signed in; nobody where the server replaced it,
/// which no journal tells.
pub fn put_token(archive: &Archive, definition: &str, account: &str, token: &Secret, who: Option<&str>) -> Result<()> {
    let key = key(definition, account);
    let sealed = archive.keys().seal(&key, token.reveal().as_bytes())?;
    let changed = Happening::SettingChanged(format!("{DEFINITION}{definition}"));
    let event = who.map(|who| Event { time: clock::now(), who: who.into(), what: changed });
    let setting = Setting { key, value: Some(sealed) };
    let journal = event.into_iter().collect();
    Ok(archive.commit(Commit { settings: vec![setting], journal, ..Commit::default() })?)
}

/// Settings that take away the tokens of accounts that `new` has no more, or whose mail server, application or login is another
/// one than in `old`: a token goes where its owner signed in for, and to no other server.
pub(super) fn gone(
    archive: &Archive,
    definition: &str,
    old: Option<&Module>,
    new: Option<&Module>,
) -> Result<Vec<Setting>> {
    let begin = format!("{TOKEN}{definition}/");
    let place = |module: Option<&Module>, account: &str| {
        let Some(Module::Imap(imap)) = module else { return None };
        let found = imap.accounts.iter().find(|other| other.account == account)?;
        Some((imap.server.clone(), found.sign_in.clone()?))
    };
    let is_kept = |account: &str| {
        let new = place(new, account);
        new.is_some() && place(old, account).is_none_or(|old| Some(old) == new)
    };
    let stored = archive.view()?.settings(&begin)?;
    let gone = stored.into_iter().filter(|(key, _)| !key.strip_prefix(&begin).is_some_and(is_kept));
    Ok(gone.map(|(key, _)| Setting { key, value: None }).collect())
}
