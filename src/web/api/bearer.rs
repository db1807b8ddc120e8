//! Whose token it is: `Authorization: Bearer …` (RFC 6750), and with which rights a call is made.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::context::Person;
use super::super::session::Session;
use super::super::{Context, Request, Web};
use super::call::{Result, Right};
use super::problem::{Problem, Reason};
use crate::archive::commit::Happening;
use crate::clock;
use crate::limits::{TOKEN_CHARS, TOKEN_USED_AGAIN};
use crate::settings::administration::Administration;
use crate::settings::erasures::may_decide_by;
use crate::settings::tokens::{self, Rights, Token};
use crate::settings::users::{self, Role, User};

/// When tokens were used, as far as it was not written down yet: Unix seconds, by id.
#[derive(Default)]
pub struct Uses(Mutex<HashMap<String, (i64, i64)>>);

impl Uses {
    /// Notes a use; returns whether it is to be written down.
    fn note(&self, id: &str, now: i64) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, written) = all.entry(id.to_owned()).or_insert((now, i64::MIN));
        *used = now;
        let is_due = now.saturating_sub(*written) >= TOKEN_USED_AGAIN;
        if is_due {
            *written = now;
        }
        is_due
    }

    fn last(&self, id: &str) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).map(|(used, _)| *used)
    }
}

/// When a token was used last, Unix seconds.
pub fn last_use(web: &Web, id: &str) -> crate::settings::Result<Option<i64>> {
    Ok(web.token_uses.last(id).max(tokens::last_use(&web.archive, id)?))
}

/// The text of the token that came with a request (RFC 9110, 11.4: the scheme's case does not count).
fn text(authorization: Option<&str>) -> Option<&str> {
    let (scheme, text) = authorization?.split_once(' ')?;
    Some(text.trim()).filter(|text| scheme.eq_ignore_ascii_case("bearer") && text.len() <= TOKEN_CHARS)
}

/// A token that counts, and its owner.
fn owner(web: &Web, text: &str) -> Result<Option<(Token, User)>> {
    let Some(token) = tokens::find(&web.archive, text)?.filter(|token| !token.has_ended(clock::now())) else {
        return Ok(None);
    };
    web.settle_rights()?;
    let owner = users::user(&web.archive, &token.owner)?.filter(|owner| !owner.inactive && token.is_of(owner));
    Ok(if token.is_backed(&web.archive)? { owner.map(|owner| (token, owner)) } else { None })
}

/// Whether a token that counts came with a request; asked by the gate before it takes a long body.
pub fn is_known(web: &Web, authorization: Option<&str>) -> bool {
    text(authorization).is_some_and(|text| matches!(owner(web, text), Ok(Some(_))))
}

/// The token of a request and its owner. Whoever guesses waits as whoever guesses passwords, and fills the journal no faster.
pub fn found(web: &Web, request: &Request) -> Result<(Token, User)> {
    let Some(authorization) = request.header("authorization") else { return Err(Problem::new(Reason::TokenMissing)) };
    let given = text(Some(authorization)).unwrap_or_default();
    if let Some((token, owner)) = owner(web, given)? {
        if web.token_uses.note(&token.id, clock::now()) {
            tokens::note_use(&web.archive, &token.id, clock::now())?;
        }
        return Ok((token, owner));
    }
    if web.token_attempts.begin(request.peer).is_none() {
        return Err(Problem::new(Reason::TooMany));
    }
    // Anybody may ask for /metrics: of strangers who guess the journal keeps nothing, which can never be made shorter.
    if Administration::read(&web.archive)?.administers_from(request.peer) {
        let name = format!("API {}", tokens::id(given).unwrap_or_default()).trim_end().to_owned();
        web.archive.journal_soon(&request.peer.to_string(), Happening::LoginRefused(name))?;
    }
    Err(Problem::new(Reason::TokenWrong))
}

/// What a token gives: never more than its owner has.
pub fn rights(token: &Token, owner: &User) -> Rights {
    let administers = owner.role == Role::Administrator;
    Rights {
        read: token.rights.read,
        change: token.rights.change && owner.role != Role::Auditor,
        administer: token.rights.administer && administers,
        metrics: token.rights.metrics && administers,
    }
}

/// The context of a call that needs this right.
pub fn context<'a>(web: &'a Web, request: &'a Request, right: Right) -> Result<Context<'a>> {
    if right == Right::None {
        return Ok(Context::of_call(web, request, None)?);
    }
    let (token, owner) = found(web, request)?;
    let given = rights(&token, &owner);
    let (has, name) = match right {
        Right::None | Right::Token => (true, ""),
        Right::Read => (given.read, "read"),
        Right::Change => (given.change, "change"),
        Right::Administer => (given.administer, "administer"),
        Right::Decide => (may_decide_by(&owner, &token), "administer"),
    };
    if !has {
        let detail = format!("This call needs the right {name:?}, which this token or its owner has not.");
        return Err(Problem::new(Reason::RightMissing).saying(detail));
    }
    let session = Session::of_token(&owner.name, &token.id);
    let person = Person { user: owner, session, cookie: String::new(), token: Some(token) };
    Ok(Context::of_call(web, request, Some(person))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_read_as_the_rfc_says() {
        assert_eq!(text(Some("Bearer abc")), Some("abc"));
        assert_eq!(text(Some("bEARER  abc")), Some("abc"));
        for other in [None, Some(""), Some("abc"), Some("Basic abc"), Some("Bearerabc")] {
            assert_eq!(text(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_use_is_written_down_once_in_a_while() {
        let uses = Uses::default();
        assert!(uses.note("a", 1000));
        assert!(!uses.note("a", 1001) && uses.note("b", 1001));
        assert_eq!(uses.last("a"), Some(1001));
        assert!(uses.note("a", 1000 + TOKEN_USED_AGAIN));
    }
}
