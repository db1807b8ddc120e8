//! Access tokens of accounts that sign in by a code. One is remembered as long as it lives; for the next, the refresh token is
//! used up, and the one that the server gives in its place is durable before the access token is handed out: a power cut
//! leaves one that counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::archive::Archive;
use crate::limits::ACCESS_TOKEN_MARGIN;
use crate::pulse::Pulse;
use crate::settings::{Secret, SettingsError, sign_in as kept};
use crate::source::imap::AccessTokens;
use crate::source::sign_in::{self, App, Granted, Trouble};
use crate::source::{Result, SourceError};

/// Between two looks whether somebody else has the token.
const LOOK: Duration = Duration::from_millis(50);

/// An access token, and until when it is handed out.
type Held = Option<(Zeroizing<String>, Instant)>;
/// Definition and account.
type Place = (String, String);

/// The access tokens of all accounts. In memory only.
#[derive(Default)]
pub struct Tokens(Mutex<BTreeMap<Place, Arc<Mutex<Held>>>>);

impl Tokens {
    /// Those of one account, for a source.
    pub fn of<'a>(&'a self, archive: &'a Archive, definition: &'a str, account: &'a str, app: App) -> OfAccount<'a> {
        OfAccount { archive, held: self.held(definition, account), definition, account, app }
    }

    fn held(&self, definition: &str, account: &str) -> Arc<Mutex<Held>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((definition.to_owned(), account.to_owned())).or_default().clone()
    }

    /// Keeps what a sign-in gave; durable on return.
    pub fn signed_in(
        &self,
        archive: &Archive,
        definition: &str,
        account: &str,
        granted: &Granted,
        who: &str,
    ) -> std::result::Result<(), SettingsError> {
        let held = self.held(definition, account);
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refresh) = &granted.refresh {
            kept::put_token(archive, definition, account, &Secret::new(refresh.to_string()), Some(who))?;
        }
        *held = Some((granted.access.clone(), until(granted.lives)));
        Ok(())
    }
}

/// One that lives shorter than the margin is used for half its life.
fn until(lives: Duration) -> Instant {
    let usable = lives.checked_sub(ACCESS_TOKEN_MARGIN).filter(|left| !left.is_zero()).unwrap_or(lives / 2);
    let now = Instant::now();
    now.checked_add(usable).unwrap_or(now)
}

/// Gives the access tokens of one account.
pub struct OfAccount<'a> {
    archive: &'a Archive,
    held: Arc<Mutex<Held>>,
    definition: &'a str,
    account: &'a str,
    app: App,
}

impl OfAccount<'_> {
    /// One at a time: a refresh token is used by one of us only. Who waits beats.
    fn turn(&self, pulse: &Pulse) -> Result<MutexGuard<'_, Held>> {
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            match self.held.try_lock() {
                Ok(held) => return Ok(held),
                Err(TryLockError::Poisoned(held)) => return Ok(held.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            }
        }
    }
}

impl AccessTokens for OfAccount<'_> {
    fn get(&mut self, pulse: &Pulse) -> Result<Zeroizing<String>> {
        let mut held = self.turn(pulse)?;
        let not_stored = |error: SettingsError| Trouble::NotStored { said: error.to_string() };
        // First what is stored: a token that was taken away, because the server is another one now, goes nowhere any more.
        let stored = kept::token(self.archive, self.definition, self.account).map_err(not_stored)?;
        let refresh = stored.ok_or_else(|| Trouble::Never { account: self.account.to_owned() })?;
        if let Some((token, until)) = held.as_ref()
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let granted = sign_in::refresh(&self.app, refresh.reveal(), pulse)?;
        if let Some(next) = granted.refresh.as_ref().filter(|next| *next != refresh.reveal()) {
            let next = Secret::new(next.to_string());
            kept::put_token(self.archive, self.definition, self.account, &next, None).map_err(not_stored)?;
        }
        *held = Some((granted.access.clone(), until(granted.lives)));
        Ok(granted.access)
    }

    fn refused(&mut self) {
        // Where it is taken, somebody is renewing it.
        if let Ok(mut held) = self.held.try_lock() {
            *held = None;
        }
    }
}
