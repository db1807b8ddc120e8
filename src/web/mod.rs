//! The front door: WebDMS, WebAdmin and access links over HTTPS.
//!
//! ```text
//! browser ──TLS──▶ gate (limits, strict heads) ──DATA/web.sock──▶ server (tiny_http) ──▶ routes ──▶ a page ──▶ Response
//! ```
//!
//! Rules of the room: it writes nothing itself; it asks `archive`, `settings` and `fetch`. Every page is a [`routes::Route`]
//! with the access it asks for, so that rights are checked in one place before a page is made. A page gets a [`Context`]
//! (who asks, in which language, for what) and gives a [`Response`] or a [`WebError`]. Markup is escaped by `maud`; header
//! values go through one check. What comes from a mail is shown by the room `mail` alone.
//!
//! - `gate`: the network's side; `server`: the archive's side of the same socket
//! - `request`, `response`, `error`: what comes in and goes out
//! - `routes`: the table of all pages, `session`: who is logged in, `context`: what a page knows
//! - `multipart`: files that a form brings
//! - `entry`: setup, login, logout, password; `dms`: WebDMS; `compile`: compilations; `admin`: WebAdmin; `api`: all of it for programs
//! - `trouble`: the one page of a box that cannot open its archive
//! - `layout`: what all pages share, `happening`: what stands in the journal, `show`: dates, numbers and sizes, `charts`: pictures of numbers, `qr`: QR codes, `texts`: every word in German and English, `assets`: style, script, pictures

pub mod admin;
pub mod api;
pub mod assets;
pub mod charts;
pub mod compile;
pub mod context;
pub mod dms;
pub mod entry;
pub mod error;
pub mod gate;
pub mod happening;
pub mod layout;
pub mod multipart;
mod qr;
pub mod request;
pub mod response;
pub mod routes;
pub mod server;
pub mod session;
pub mod show;
pub mod texts;
pub mod trouble;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use context::{Context, Person};
pub use error::WebError;
pub use request::Request;
pub use response::Response;

use crate::appliance::link::Link;
use crate::archive::Archive;
use crate::archive::growth::Marks;
use crate::fetch::Fetcher;
use crate::search::Index;
use crate::settings::succession;
use crate::verification::Verifier;
use session::{Attempts, Sessions};

/// What all pages work with.
pub struct Web {
    pub archive: Arc<Archive>,
    /// The index of words.
    pub index: Arc<Index>,
    pub fetcher: Arc<Fetcher>,
    pub sessions: Sessions,
    pub attempts: Attempts,
    /// Those of programs at tokens: one that asks with an ended token keeps nobody at its address from logging in.
    pub token_attempts: Attempts,
    /// Asked for by the setup page until the first user is there.
    pub setup_code: String,
    people: Mutex<()>,
    settings: Arc<Mutex<()>>,
    /// Connection tests of definitions.
    pub tests: Arc<admin::test::Tests>,
    pub sign_ins: Arc<admin::sign_ins::SignIns>,
    pub lists: admin::assistant::list::Lists,
    pub opened: dms::access::Opened,
    /// Mails on their way back into mailboxes.
    pub restores: Arc<dms::restore::Restores>,
    /// Verifications of the whole archive that are under way.
    pub verifier: Arc<Verifier>,
    /// What retention is asked for.
    pub retention: Arc<crate::retention::Board>,
    /// Where the archive stood in the past.
    pub marks: Marks,
    pub token_uses: api::Uses,
    /// A checkpoint that a person asked for.
    pub signing: Arc<admin::proof::Signing>,
    /// When this process began, Unix seconds.
    pub started: i64,
    /// The box around this process, where there is one.
    pub link: Option<Arc<Link>>,
}

impl Web {
    /// Asks what pages have begun in threads of their own to end.
    pub fn end(&self) {
        self.tests.end();
        self.restores.end();
        self.verifier.end();
        self.signing.end();
    }

    pub fn new(archive: Arc<Archive>, fetcher: Arc<Fetcher>, link: Option<Arc<Link>>) -> std::io::Result<Self> {
        let settings = Arc::default();
        Ok(Self {
            index: Arc::new(Index::new(archive.paths().search.clone())),
            archive,
            fetcher,
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            token_attempts: Attempts::default(),
            setup_code: session::setup_code()?,
            people: Mutex::new(()),
            tests: Arc::new(admin::test::Tests::new(Arc::clone(&settings))),
            settings,
            sign_ins: Arc::default(),
            lists: admin::assistant::list::Lists::default(),
            opened: dms::access::Opened::default(),
            restores: Arc::default(),
            verifier: Arc::new(Verifier::new(link.clone())),
            retention: Arc::default(),
            marks: Marks::default(),
            token_uses: api::Uses::default(),
            signing: Arc::default(),
            started: crate::clock::now(),
            link,
        })
    }

    /// One change of users at a time, each read anew in its turn: what one takes away, another does not give back, and there
    /// is one first administrator and always a last one.
    pub fn people(&self) -> MutexGuard<'_, ()> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what users and groups read of mailboxes that were first seen after a switch, where there are some.
    pub fn settle_rights(&self) -> crate::settings::Result<()> {
        if succession::is_due(&self.archive)? {
            let _turn = self.people();
            succession::settle(&self.archive)?;
        }
        Ok(())
    }

    /// The same for definitions and for what holds for the whole archive: what is changed is read anew in its turn, so that
    /// nothing that was changed meanwhile is put back.
    pub fn settings(&self) -> MutexGuard<'_, ()> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the sender of a request is somebody who is logged in, or a program with a token; asked by the gate before it takes a long body.
    pub fn may_upload(&self, head: &gate::Head) -> bool {
        let cookie = head.field("cookie").and_then(|cookies| request::cookie(cookies, session::COOKIE));
        cookie.is_some_and(|cookie| self.sessions.find(cookie).is_some())
            || api::is_known(self, head.field("authorization"))
    }
}
