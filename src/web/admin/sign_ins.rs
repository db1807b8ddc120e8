//! Sign-ins by a code that are under way. Asking the server takes time and is done again and again, so each has a thread of
//! its own; pages and calls look at how it stands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::super::error::Result;
use super::super::{Context, Web};
use super::test::Tests;
use crate::archive::Archive;
use crate::clock;
use crate::fetch::Fetcher;
use crate::limits::{ROLE_STACK, SIGN_IN_RESULTS, SIGN_INS};
use crate::pulse::Pulse;
use crate::settings::{self, Definition, Module};
use crate::source::sign_in::{self, App, Code, Polled, Trouble};
use crate::source::{self, Retry, SourceError};

/// How often a code is asked for, and the pause between two times.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// How a sign-in stands.
#[derive(Clone, Debug)]
pub enum State {
    /// A code is asked for.
    Asking,
    Code {
        user_code: String,
        address: String,
        /// Unix seconds.
        ends: i64,
    },
    /// The refresh token is stored.
    Done,
    Failed(Arc<SourceError>),
}

/// A sign-in and when it began, Unix seconds.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub began: i64,
    pub state: State,
    /// Whether the definition is tested and becomes active afterwards: only where the assistant began it.
    pub starts: bool,
    /// As which application, and for which server.
    app: App,
    /// Tells one from those that were begun for the same account later.
    turn: u64,
}

impl SignIn {
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Asking | State::Code { .. })
    }
}

/// The last sign-in of each account, by definition and account; in memory only.
#[derive(Default)]
pub struct SignIns {
    all: Mutex<BTreeMap<(String, String), SignIn>>,
    last: AtomicU64,
}

/// Begins a sign-in in the name of whoever asks; `false` where it cannot be begun now.
pub fn begin(context: &Context<'_>, definition: &Definition, account: &str, starts: bool) -> Result<bool> {
    Ok(context.web.sign_ins.begin(context.web, definition, account, context.who(), starts)?)
}

/// What the thread of a sign-in works with.
struct Work {
    all: Arc<SignIns>,
    /// Nobody keeps it open by waiting for a person.
    archive: Weak<Archive>,
    fetcher: Arc<Fetcher>,
    tests: Arc<Tests>,
    app: App,
    place: (String, String),
    turn: u64,
    who: String,
}

impl SignIns {
    fn all(&self) -> MutexGuard<'_, BTreeMap<(String, String), SignIn>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn of(&self, definition: &str, account: &str) -> Option<SignIn> {
        self.all().get(&(definition.to_owned(), account.to_owned())).cloned()
    }

    /// Forgets what is known of a definition; a sign-in that is under way ends by itself.
    pub fn forget(&self, definition: &str) {
        self.all().retain(|(name, _), _| name != definition);
    }

    /// Begins a sign-in of an account, unless the same one is under way: what was begun for other values gives way. `false` where
    /// too many others are, or the account signs in by no code. With `starts` the definition is tested afterwards and becomes active
    /// where nothing fails.
    pub fn begin(
        self: &Arc<Self>,
        web: &Web,
        definition: &Definition,
        account: &str,
        who: String,
        starts: bool,
    ) -> std::io::Result<bool> {
        let Module::Imap(imap) = &definition.module else { return Ok(false) };
        let found = imap.accounts.iter().find(|other| other.account == account);
        let Some(sign_in) = found.and_then(|account| account.sign_in.as_ref()) else { return Ok(false) };
        let (place, app) = ((definition.name.clone(), account.to_owned()), sign_in.app(imap));
        let mut all = self.all();
        let same = all.get_mut(&place).filter(|sign_in| sign_in.is_running() && sign_in.app == app);
        if let Some(same) = same {
            same.starts |= starts;
            return Ok(true);
        }
        if all.iter().filter(|(other, sign_in)| sign_in.is_running() && **other != place).count() >= SIGN_INS {
            return Ok(false);
        }
        if all.len() >= SIGN_IN_RESULTS {
            let ended = all.iter().filter(|(_, sign_in)| !sign_in.is_running());
            if let Some(oldest) = ended.min_by_key(|(_, sign_in)| sign_in.began).map(|(place, _)| place.clone()) {
                all.remove(&oldest);
            }
        }
        let turn = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let new = SignIn { began: clock::now(), state: State::Asking, starts, app: app.clone(), turn };
        all.insert(place.clone(), new);
        drop(all);
        let work = Work {
            all: self.clone(),
            archive: Arc::downgrade(&web.archive),
            fetcher: web.fetcher.clone(),
            tests: web.tests.clone(),
            app,
            place,
            turn,
            who,
        };
        let run = move || {
            let ended = work.run();
            let state = ended.map_or_else(|error| State::Failed(Arc::new(error)), |()| State::Done);
            work.set(state);
        };
        std::thread::Builder::new().name("sign-in".into()).stack_size(2 * ROLE_STACK).spawn(run)?;
        Ok(true)
    }
}

fn passes(error: &SourceError) -> bool {
    match error {
        SourceError::SignIn(trouble) => matches!(trouble, Trouble::ServerTrouble { .. }),
        other => other.retry() != Retry::Never,
    }
}

/// Also after a panic nothing goes on for ever.
impl Drop for Work {
    fn drop(&mut self) {
        if self.current().is_some_and(|sign_in| sign_in.is_running()) {
            self.set(State::Failed(Arc::new(SourceError::Cancelled)));
        }
    }
}

impl Work {
    /// This sign-in, as long as it is the one that people see.
    fn current(&self) -> Option<SignIn> {
        self.all.all().get(&self.place).filter(|sign_in| sign_in.turn == self.turn).cloned()
    }

    fn set(&self, state: State) {
        if let Some(sign_in) = self.all.all().get_mut(&self.place).filter(|sign_in| sign_in.turn == self.turn) {
            sign_in.state = state;
        }
    }

    fn run(&self) -> source::Result<()> {
        let pulse = Pulse::new();
        let code = self.code(&pulse)?;
        let (until, mut pause) = (Instant::now() + code.lives, code.pause);
        let ends = clock::now() + i64::try_from(code.lives.as_secs()).unwrap_or_default();
        self.set(State::Code { user_code: code.user_code.clone(), address: code.address.clone(), ends });
        // Why nobody could be asked since the last answer.
        let mut cut_off = None;
        while Instant::now() < until {
            std::thread::sleep(pause);
            if self.current().is_none() {
                return Err(SourceError::Cancelled);
            }
            match sign_in::poll(&self.app, &code, &pulse) {
                Ok(Polled::Waiting) => cut_off = None,
                Ok(Polled::Slower) => {
                    cut_off = None;
                    pause += Duration::from_secs(5);
                }
                Ok(Polled::Granted(granted)) => return self.granted(&granted),
                // What passes by itself ends no sign-in that somebody is in the middle of.
                Err(error) if passes(&error) => {
                    tracing::warn!("sign-in of {}: {error}", self.place.1);
                    cut_off = Some(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Err(cut_off.map_or(Trouble::CodeExpired, |said| Trouble::CutOff { said }).into())
    }

    /// A code; asked for again where the connection broke.
    fn code(&self, pulse: &Pulse) -> source::Result<Code> {
        for _ in 1..TRIES {
            match sign_in::begin(&self.app, pulse) {
                Err(error) if error.retry() == Retry::Now => std::thread::sleep(PAUSE),
                other => return other,
            }
        }
        sign_in::begin(&self.app, pulse)
    }

    fn granted(&self, granted: &sign_in::Granted) -> source::Result<()> {
        let (name, account) = (&self.place.0, &self.place.1);
        let archive = self.archive.upgrade().ok_or(SourceError::Cancelled)?;
        if granted.refresh.is_none() {
            let detail = "a sign-in without a refresh token".to_owned();
            return Err(SourceError::Protocol { detail });
        }
        let not_stored = |error: settings::SettingsError| Trouble::NotStored { said: error.to_string() };
        // Somebody may have changed or removed the definition meanwhile: the token is for what was signed in for.
        let definition = settings::definition(&archive, name).map_err(not_stored)?;
        let is_same = match &definition.module {
            Module::Imap(imap) => imap.accounts.iter().any(|other| {
                other.account == *account
                    && other.sign_in.as_ref().is_some_and(|sign_in| sign_in.app(imap).is_same_place(&self.app))
            }),
            Module::O365(_) => false,
        };
        if !is_same {
            return Err(SourceError::Cancelled);
        }
        let place = (name.as_str(), account.as_str());
        self.fetcher.tokens.signed_in(&archive, place, &self.app, granted, &self.who).map_err(not_stored)?;
        if self.current().is_some_and(|sign_in| sign_in.starts) {
            let begun = self.tests.begin(&archive, &self.fetcher, definition, Some(self.who.clone()));
            if let Err(error) = begun {
                tracing::error!("the test of {name}: {error}");
            }
        }
        Ok(())
    }
}
