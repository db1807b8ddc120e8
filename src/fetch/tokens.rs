//! Access tokens of accounts that sign in by a code. One is remembered as long as it lives; for the next, the refresh token is
//! used up, and the one that the server gives in its place is durable before the access token is handed out: a power cut
//! leaves one that counts.
//!
//! Invariants: what is remembered was given for one application and mail server, and is handed out for these alone; a refresh
//! token that could not be stored is not forgotten, since the one before counts no longer.

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

/// What is remembered of an account.
#[derive(Default)]
struct Held {
    /// What it was given for.
    app: Option<App>,
    /// An access token, and until when it is handed out.
    access: Option<(Zeroizing<String>, Instant)>,
    /// The refresh token that counts, where it could not be stored.
    unsaved: Option<Secret>,
}

impl Held {
    fn of(app: &App) -> Self {
        Self { app: Some(app.clone()), ..Self::default() }
    }

    fn give(&mut self, granted: &Granted) {
        self.access = Some((granted.access.clone(), until(granted.lives)));
    }
}

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

    /// Keeps what a sign-in as `app` gave; durable on return.
    pub fn signed_in(
        &self,
        archive: &Archive,
        (definition, account): (&str, &str),
        app: &App,
        granted: &Granted,
        who: &str,
    ) -> std::result::Result<(), SettingsError> {
        let held = self.held(definition, account);
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refresh) = &granted.refresh {
            kept::put_token(archive, definition, account, app, &Secret::new(refresh.to_string()), Some(who))?;
        }
        *held = Held::of(app);
        held.give(granted);
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

    /// The refresh token that is stored for what we ask for, and for nothing else.
    fn stored(&self) -> Result<Secret> {
        let not_read = |error: SettingsError| Trouble::NotRead { said: error.to_string() };
        let stored = kept::token(self.archive, self.definition, self.account, &self.app).map_err(not_read)?;
        Ok(stored.ok_or_else(|| Trouble::Never { account: self.account.to_owned() })?)
    }

    /// Stores what is remembered unsaved, if anything is.
    fn save(&self, held: &mut Held) -> Result<()> {
        let Some(next) = &held.unsaved else { return Ok(()) };
        let not_stored = |error: SettingsError| Trouble::NotStored { said: error.to_string() };
        kept::put_token(self.archive, self.definition, self.account, &self.app, next, None).map_err(not_stored)?;
        held.unsaved = None;
        Ok(())
    }
}

impl AccessTokens for OfAccount<'_> {
    fn get(&mut self, pulse: &Pulse) -> Result<Zeroizing<String>> {
        let mut held = self.turn(pulse)?;
        // First what is stored: a token that was taken away, because the server is another one now, goes nowhere any more.
        let mut refresh = self.stored()?;
        if !held.app.as_ref().is_some_and(|app| app.is_same_place(&self.app)) {
            *held = Held::of(&self.app);
        }
        if let Some(unsaved) = held.unsaved.clone() {
            self.save(&mut held)?;
            refresh = unsaved;
        }
        if let Some((token, until)) = &held.access
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let granted = sign_in::refresh(&self.app, refresh.reveal(), pulse)?;
        if let Some(next) = granted.refresh.as_ref().filter(|next| *next != refresh.reveal()) {
            held.unsaved = Some(Secret::new(next.to_string()));
            self.save(&mut held)?;
        }
        held.give(&granted);
        Ok(granted.access)
    }

    fn refused(&mut self) {
        // Where it is taken, somebody is renewing it.
        if let Ok(mut held) = self.held.try_lock() {
            held.access = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{self, definition_file};

    const SERVER: &str = "imap.example.ch";

    fn app(server: &str) -> App {
        App {
            server: server.into(),
            client_id: "48d31887-5fad-4d73-a9f5-3c356e68a038".into(),
            tenant: "consumers".into(),
            // Nobody listens there.
            login_url: "http://127.0.0.1:9".into(),
            ca_pem: None,
        }
    }

    fn archive(dir: &std::path::Path) -> Archive {
        let archive = Archive::open(&dir.join("data"), &Pulse::new()).unwrap();
        let file = dir.join("anna.toml");
        let text = format!(
            "name = 'anna'\nmodule = 'imap'\nserver = '{SERVER}'\n[[accounts]]\naccount = 'a@x'\npassword = 'x'\n"
        );
        std::fs::write(&file, text).unwrap();
        let mut definition = definition_file::read(&file).unwrap();
        let settings::Module::Imap(imap) = &mut definition.module else { unreachable!() };
        imap.accounts[0].password = None;
        let App { client_id, tenant, login_url, .. } = app(SERVER);
        imap.accounts[0].sign_in = Some(settings::SignIn { client_id, tenant, login_url });
        settings::put(&archive, &definition, "test").unwrap();
        archive
    }

    fn granted() -> Granted {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        Granted { access: text("access"), refresh: Some(text("refresh")), lives: Duration::from_hours(1) }
    }

    #[test]
    fn a_token_is_for_the_server_and_the_application_that_it_was_given_for() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, tokens, good) = (archive(dir.path()), Tokens::default(), app(SERVER));
        tokens.signed_in(&archive, ("anna", "a@x"), &good, &granted(), "test").unwrap();
        let get = |app: &App| tokens.of(&archive, "anna", "a@x", app.clone()).get(&Pulse::new());
        assert_eq!(get(&good).unwrap().as_str(), "access");
        let others = [
            app("imap.example.com"),
            App { client_id: "x".into(), ..app(SERVER) },
            App { tenant: "x".into(), ..app(SERVER) },
            App { login_url: "https://x.ch".into(), ..app(SERVER) },
        ];
        for other in others {
            assert!(matches!(get(&other), Err(SourceError::SignIn(Trouble::Never { .. }))), "{other:?}");
            let refresh = Secret::new("refresh".into());
            assert!(kept::put_token(&archive, "anna", "a@x", &other, &refresh, None).is_err(), "{other:?}");
            assert!(tokens.signed_in(&archive, ("anna", "a@x"), &other, &granted(), "test").is_err(), "{other:?}");
            // Nobody who asks in vain takes it from whom it is for.
            assert_eq!(get(&good).unwrap().as_str(), "access");
        }
    }

    #[test]
    fn a_refresh_token_that_was_not_stored_is_stored_before_anything_else() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, tokens, good) = (archive(dir.path()), Tokens::default(), app(SERVER));
        tokens.signed_in(&archive, ("anna", "a@x"), &good, &granted(), "test").unwrap();
        {
            let held = tokens.held("anna", "a@x");
            let mut held = held.lock().unwrap();
            (held.access, held.unsaved) = (None, Some(Secret::new("next".into())));
        }
        // The login cannot be reached; the token is safe all the same.
        assert!(tokens.of(&archive, "anna", "a@x", good.clone()).get(&Pulse::new()).is_err());
        let stored = kept::token(&archive, "anna", "a@x", &good).unwrap().unwrap();
        assert_eq!(stored.reveal().as_str(), "next");
    }
}
