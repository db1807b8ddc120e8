//! IMAP: one account of any provider (RFC 3501, RFC 9051).
//!
//! The crate `imap` speaks: it numbers commands and logs in. What the server says is read here, because an archiver must
//! not lose a message to a grammar, nor hold one in memory. The files, from the socket up:
//!
//! - [`account`]: where to log in, and as whom
//! - `connect`: DNS, TCP, TLS, STARTTLS
//! - `wire`: a socket, the reader behind it, and the face of both that the crate sees
//! - `stream`: bytes in, events out; bodies are diverted into a sink
//! - `fetch_line`, `lines`, `dates`, `names`, `sets`: the parts of the language
//! - `gate`: how many connections a server takes
//! - `login`, `session`: who we are, commands and their answers, the selected folder
//! - `folders`, `changes`, `fetch`, `after`, `play_back`, `check`: what a [`MailSource`] can do
//!
//! Archiving leaves no trace: folders are opened by EXAMINE, bodies asked for by `BODY.PEEK[]`.

pub mod account;
mod after;
mod changes;
mod check;
mod connect;
mod dates;
mod fetch;
mod fetch_line;
mod folders;
mod gate;
mod lines;
mod login;
mod names;
mod play_back;
mod session;
mod sets;
mod stream;
mod wire;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

pub use account::{AccessTokens, Account, Auth, Encryption};

use super::{
    After, Arrival, Cursor, Done, Folder, MailSource, Mailbox, Page, RemoteId, Result, Sink, SourceError, Step,
};
use crate::limits::SERVER_TIMEOUT;
use crate::pulse::Pulse;
use changes::Width;
use gate::{Gate, Pass};
use session::Session;

/// A session that nobody used for so long is asked whether it still lives before it is used again.
const STALE: Duration = Duration::from_mins(1);

/// One account as a place where mail comes from. Connects when it is first needed, and again after a failure.
pub struct ImapSource<'a> {
    account: Account,
    tokens: Option<Box<dyn AccessTokens + 'a>>,
    pulse: Pulse,
    patience: Duration,
    session: Option<Session>,
    /// Connections wait for their turn at it, and the one of `session` has its place.
    gate: Option<Arc<Gate>>,
    pass: Option<Pass>,
    /// Of the folder that was last listed, by its id.
    width: (String, Width),
}

impl<'a> ImapSource<'a> {
    /// A source that beats `pulse` and ends at its next beat when that is cancelled. Nothing is connected yet.
    pub fn new(account: Account, pulse: Pulse) -> Self {
        let width = (String::new(), Width::default());
        Self { account, tokens: None, pulse, patience: SERVER_TIMEOUT, session: None, gate: None, pass: None, width }
    }

    /// With whoever gives access tokens, for an account of [`Auth::Tokens`].
    #[must_use]
    pub fn with_tokens(mut self, tokens: Box<dyn AccessTokens + 'a>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Makes connections only as far as the server allows, together with all others who do so: for what has time. Without it
    /// nobody is waited for.
    #[must_use]
    pub fn in_turn(mut self) -> Self {
        self.gate = Some(Gate::of(&self.account));
        self
    }

    /// Changes how long the server may stay silent; [`SERVER_TIMEOUT`] by default.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Works with the session; one that failed is dropped, so that the next call connects anew.
    fn with<T>(&mut self, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let result = fetch::Sessions::get(self).and_then(work);
        self.keep_or_drop(result)
    }

    fn keep_or_drop<T>(&mut self, result: Result<T>) -> Result<T> {
        // After these the two sides still agree on where they are.
        let agree = match &result {
            Ok(_)
            | Err(SourceError::NoFolder { .. } | SourceError::Refused { .. } | SourceError::Unsupported { .. }) => true,
            Err(_) => false,
        };
        if !agree || self.session.as_ref().is_some_and(Session::is_dead) {
            fetch::Sessions::forget(self);
        }
        result
    }
}

impl fetch::Sessions for ImapSource<'_> {
    fn get(&mut self) -> Result<&mut Session> {
        if let Some(session) = &mut self.session
            && session.idle() > STALE
            && session.run("NOOP", &mut stream::Deaf).is_err()
        {
            self.session = None;
        }
        self.pulse.go_on().map_err(|_| SourceError::Cancelled)?;
        match &mut self.session {
            Some(session) => Ok(session),
            none => {
                // First the place of the session before.
                self.pass = None;
                let mut pass = self.gate.as_ref().map(|gate| gate.enter(&self.pulse)).transpose()?;
                let tokens = self.tokens.as_deref_mut();
                let session = match Session::open(&self.account, tokens, &self.pulse, self.patience, &mut |_| {}) {
                    Err(error @ SourceError::Busy { crowded: true, .. }) => {
                        if let Some(pass) = pass {
                            pass.refused();
                        }
                        return Err(error);
                    }
                    opened => opened?,
                };
                pass.iter_mut().for_each(Pass::stands);
                self.pass = pass;
                Ok(none.insert(session))
            }
        }
    }

    fn forget(&mut self) {
        self.session = None;
        self.pass = None;
    }
}

impl Drop for ImapSource<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }
}

impl MailSource for ImapSource<'_> {
    fn check(&mut self, report: &mut dyn FnMut(Step)) {
        self.session = None;
        let account = &self.account;
        let tokens = self.tokens.as_deref_mut();
        let result = Session::open(account, tokens, &self.pulse, self.patience, &mut |protection| {
            report(Step::Passed(check::connected(account, protection)));
        })
        .and_then(|mut session| {
            check::inbox(account, &mut session, &mut |line| report(Step::Passed(line)))?;
            session.close();
            Ok(())
        });
        if let Err(error) = result {
            report(Step::Failed(Arc::new(error)));
        }
    }

    fn mailboxes(&mut self) -> Result<Vec<Mailbox>> {
        let user = &self.account.user;
        Ok(vec![Mailbox { id: user.clone(), name: user.clone() }])
    }

    fn folders(&mut self, _mailbox: &Mailbox) -> Result<Vec<Folder>> {
        self.with(folders::list)
    }

    fn changes(&mut self, _mailbox: &Mailbox, folder: &Folder, cursor: Option<&Cursor>, dates: bool) -> Result<Page> {
        let mut width = if self.width.0 == folder.id { self.width.1 } else { Width::default() };
        let page = self.with(|session| changes::changes(session, folder, cursor, dates, &mut width));
        self.width = (folder.id.clone(), width);
        page
    }

    fn fetch(&mut self, _mailbox: &Mailbox, folder: &Folder, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()> {
        let result = fetch::fetch(self, folder, ids, sink);
        self.keep_or_drop(result)
    }

    fn list_ids(
        &mut self,
        _mailbox: &Mailbox,
        folder: &Folder,
        each: &mut dyn FnMut(RemoteId) -> Result<()>,
    ) -> Result<u64> {
        self.with(|session| changes::list_ids(session, folder, each))
    }

    fn after(&mut self, _mailbox: &Mailbox, folder: &Folder, ids: &[RemoteId], action: &After) -> Result<Vec<Done>> {
        if after::is_done(folder, ids, action) {
            return Ok(after::untouched(ids));
        }
        self.with(|session| after::after(session, folder, ids, action))
    }

    fn play_back(
        &mut self,
        _mailbox: &Mailbox,
        folder: &str,
        raw: &mut dyn Read,
        len: u64,
        arrival: Option<&Arrival>,
    ) -> Result<()> {
        self.with(|session| play_back::play_back(session, folder, raw, len, arrival))
    }
}
