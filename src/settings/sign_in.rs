//! Accounts that sign in by a code in place of a password: as which application, and the refresh token, which the server may
//! replace at each use. It has a row of its own, so that replacing it never meets a change of the definition.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

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
            server: imap.server.clone(),
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

/// What is sealed: a refresh token, and for whom its owner signed in. A token goes to that mail server and that login, and to
/// no other, however the definition was changed in between.
#[derive(Serialize, Deserialize)]
struct Kept {
    token: Secret,
    server: String,
    client_id: String,
    tenant: String,
    login_url: String,
}

impl Kept {
    fn of(token: &Secret, app: &App) -> Self {
        Self {
            token: token.clone(),
            server: app.server.clone(),
            client_id: app.client_id.clone(),
            tenant: app.tenant.clone(),
            login_url: app.login_url.clone(),
        }
    }

    fn is_for(&self, app: &App) -> bool {
        let Self { server, client_id, tenant, login_url, .. } = self;
        [server, client_id, tenant, login_url] == [&app.server, &app.client_id, &app.tenant, &app.login_url]
    }
}

/// The refresh token of an account that was given for this application and server; `None` where nobody has signed in for
/// them. One that does not say what it was given for (as they were stored at first) counts for nothing.
pub fn token(archive: &Archive, definition: &str, account: &str, app: &App) -> Result<Option<Secret>> {
    let key = key(definition, account);
    let Some(sealed) = archive.view()?.setting_row(&key)?.and_then(|row| row.value.value) else { return Ok(None) };
    let kept = archive.keys().unseal(&key, &sealed)?;
    let kept = serde_json::from_slice::<Kept>(&kept).ok();
    Ok(kept.filter(|kept| kept.is_for(app)).map(|kept| kept.token))
}

/// Whether the account of this definition signs in as `app` says.
fn is_of(archive: &Archive, definition: &str, account: &str, app: &App) -> Result<bool> {
    let Module::Imap(imap) = super::definition(archive, definition)?.module else { return Ok(false) };
    let mut all = imap.accounts.iter();
    Ok(all.any(|other| {
        other.account == account && other.sign_in.as_ref().is_some_and(|sign_in| sign_in.app(&imap).is_same_place(app))
    }))
}

/// Keeps a refresh token in place of the one before; durable on return. It is refused where the account does not sign in as
/// `app` says any more. `who` signed in; nobody where the server replaced it, which no journal tells.
pub fn put_token(
    archive: &Archive,
    definition: &str,
    account: &str,
    app: &App,
    token: &Secret,
    who: Option<&str>,
) -> Result<()> {
    if !is_of(archive, definition, account, app)? {
        let what = format!("{account} signs in otherwise by now");
        return Err(SettingsError::Wrong { place: definition.into(), what });
    }
    let key = key(definition, account);
    let kept = serde_json::to_vec(&Kept::of(token, app)).map(Zeroizing::new);
    let kept = kept.map_err(|error| SettingsError::Stored { name: definition.into(), detail: error.to_string() })?;
    let sealed = archive.keys().seal(&key, &kept)?;
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
