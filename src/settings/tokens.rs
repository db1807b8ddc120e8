//! Tokens of the API: for whom a program acts, and what it may do. Kept as a hash only.
//!
//! A token never gives more than its owner has at the moment it is used; that is looked at by whoever uses it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::users::{Role, User};
use super::{Result, SettingsError, find_json, list_json, same_name, store_at, write_json};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Setting};
use crate::archive::keys::random;
use crate::archive::writer::Task;
use crate::hash::Sha256;
use crate::limits::{TOKEN_BYTES, TOKEN_CHARS};

/// Keys of tokens and of their last uses in the settings table.
const TOKEN: &str = "token/";
const USED: &str = "token-used/";
/// What every token begins with, so that one that got somewhere else is recognised.
const BEGIN: &str = "archivista_";
/// Characters of a token's name.
pub const NAME_CHARS: usize = 64;
/// Days for which a token may hold at most, and does where nobody says otherwise.
pub const DAYS_MOST: u32 = 3650;
pub const DAYS_USUAL: u32 = 365;

/// What a token may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box to tick of its own")]
pub struct Rights {
    /// Find and read documents.
    pub read: bool,
    /// Change documents and upload some.
    pub change: bool,
    /// Everything that an administrator does on pages.
    pub administer: bool,
    /// `/metrics`.
    pub metrics: bool,
}

impl Rights {
    /// Their names, for programs.
    pub fn names(self) -> Vec<&'static str> {
        let all =
            [("read", self.read), ("change", self.change), ("administer", self.administer), ("metrics", self.metrics)];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Sixteen digits; a part of the token, and no secret.
    pub id: String,
    /// What it is for, in its maker's words.
    pub name: String,
    /// Name of the user it acts for.
    pub owner: String,
    /// When that user was added: somebody else who gets the name does not get the token.
    pub owner_created: i64,
    /// Who made it; empty in tokens of earlier releases.
    #[serde(default)]
    pub maker: String,
    /// When that user was added; `None` in tokens of earlier releases.
    #[serde(default)]
    pub maker_created: Option<i64>,
    pub rights: Rights,
    /// SHA-256 of the whole token; its 256 random bits need no salt and no turns.
    hash: String,
    /// Unix seconds.
    pub created: i64,
    /// From when on it does not count, Unix seconds.
    pub ends: i64,
}

/// What a new token is to be like.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub name: &'a str,
    pub owner: &'a User,
    /// Who makes it.
    pub maker: &'a User,
    pub rights: Rights,
    pub created: i64,
    pub ends: i64,
}

impl Token {
    pub fn has_ended(&self, now: i64) -> bool {
        now >= self.ends
    }

    /// Whether somebody else than its owner made it.
    pub fn is_made_by_another(&self) -> bool {
        !self.maker.is_empty() && !same_name(&self.maker, &self.owner)
    }

    /// Whether this user made it.
    fn is_by(&self, user: &User) -> bool {
        let is_known_then = self.maker_created.map_or(user.created <= self.created, |created| created == user.created);
        same_name(&self.maker, &user.name) && is_known_then
    }

    /// Whether whoever made it for another could make it now: a token is no way to keep what was taken away.
    pub fn is_backed(&self, archive: &Archive) -> Result<bool> {
        if !self.is_made_by_another() {
            return Ok(true);
        }
        let maker = super::users::user(archive, &self.maker)?.filter(|maker| self.is_by(maker));
        Ok(maker.is_some_and(|maker| may_make_for_another(&maker, self.rights)))
    }

    /// Whether this user is the one that the token was made for.
    pub fn is_of(&self, user: &User) -> bool {
        same_name(&user.name, &self.owner) && user.created == self.owner_created
    }
}

/// Whether this user may make such a token for somebody else: whoever may not read a mail does not get to it in the name of
/// another either.
pub fn may_make_for_another(maker: &User, rights: Rights) -> bool {
    let may_read = maker.reads_everything() || !(rights.read || rights.change);
    maker.role == Role::Administrator && !maker.inactive && may_read
}

/// Makes a token; its text is returned once and kept nowhere.
pub fn make(archive: &Archive, new: New<'_>, who: &str) -> Result<(Token, String)> {
    let (mut id, mut secret) = ([0; 8], [0; TOKEN_BYTES]);
    random(&mut id).and_then(|()| random(&mut secret)).map_err(|error| wrong(new.name, &error))?;
    let id = format!("{:016x}", u64::from_be_bytes(id));
    let text = format!("{BEGIN}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    let token = Token {
        id,
        name: new.name.into(),
        owner: new.owner.name.clone(),
        owner_created: new.owner.created,
        maker: new.maker.name.clone(),
        maker_created: Some(new.maker.created),
        rights: new.rights,
        hash: Sha256::of(text.as_bytes()).to_string(),
        created: new.created,
        ends: new.ends,
    };
    write_json(archive, &key(&token.id), &token, who)?;
    Ok((token, text))
}

fn wrong(place: &str, error: &dyn std::fmt::Display) -> SettingsError {
    SettingsError::Wrong { place: place.into(), what: error.to_string() }
}

fn key(id: &str) -> String {
    format!("{TOKEN}{id}")
}

/// The id in a text that looks like a token.
pub fn id(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(BEGIN)?.split_once('_')?;
    let fits = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len() <= TOKEN_CHARS;
    (fits && !secret.is_empty()).then_some(id)
}

/// The token that this text is, if it is one; whether it has ended, and what its owner may, is left to the caller.
pub fn find(archive: &Archive, text: &str) -> Result<Option<Token>> {
    let Some(id) = id(text) else { return Ok(None) };
    let found = token(archive, id)?;
    Ok(found.filter(|token| token.hash == Sha256::of(text.as_bytes()).to_string()))
}

/// One token, by its id.
pub fn token(archive: &Archive, id: &str) -> Result<Option<Token>> {
    find_json(archive, &key(id))
}

/// All tokens, the newest first.
pub fn tokens(archive: &Archive) -> Result<Vec<Token>> {
    let mut tokens: Vec<Token> = list_json(archive, TOKEN)?;
    tokens.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    Ok(tokens)
}

/// Takes a token away; it counts no longer from now on.
pub fn revoke(archive: &Archive, id: &str, who: &str) -> Result<()> {
    let used = Setting { key: format!("{USED}{id}"), value: None };
    store_at(archive, key(id), None, who)?;
    Ok(archive.commit(Commit { settings: vec![used], ..Commit::default() })?)
}

/// Takes away all tokens of a user, and those that it made for others.
pub fn revoke_all(archive: &Archive, user: &str, who: &str) -> Result<()> {
    let is_of = |token: &&Token| same_name(&token.owner, user) || same_name(&token.maker, user);
    for token in tokens(archive)?.iter().filter(is_of) {
        revoke(archive, &token.id, who)?;
    }
    Ok(())
}

/// Notes when a token was used; not waited for, and nothing that the journal tells.
pub fn note_use(archive: &Archive, id: &str, time: i64) -> Result<()> {
    let setting = Setting { key: format!("{USED}{id}"), value: Some(time.to_string().into_bytes()) };
    Ok(archive.send(Task::Note(Box::new(Commit { settings: vec![setting], ..Commit::default() })))?)
}

/// When a token was used last, as it is kept: Unix seconds.
pub fn last_use(archive: &Archive, id: &str) -> Result<Option<i64>> {
    let row = archive.view()?.setting_row(&format!("{USED}{id}"))?;
    let value = row.and_then(|row| row.value.value);
    Ok(value.and_then(|value| String::from_utf8(value).ok()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_token_is_looked_up() {
        let good = "archivista_0123456789abcdef_x";
        assert_eq!(id(good), Some("0123456789abcdef"));
        for bad in
            ["", "archivista_", "archivista_0123456789abcdef_", "archivista_0123456789abcdeg_x", "x_0123456789abcdef_x"]
        {
            assert_eq!(id(bad), None, "{bad}");
        }
        assert_eq!(id(&format!("{good}{}", "x".repeat(TOKEN_CHARS))), None);
    }
}
