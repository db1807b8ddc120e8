//! Microsoft 365: the mailboxes of one tenant, over Microsoft Graph v1.0 with application permissions.
//!
//! The files, from the socket up:
//!
//! - [`tenant`]: where to log in, as which application, what to read
//! - `pipe`: ureq over our own sockets; `client`: requests, answers, repetitions
//! - `token`, `assertion`: who we are; `throttle`: how fast we may go
//! - `errors`, [`trouble`]: what a refusal means, and what a person clicks to mend it
//! - `paths`, `listing`: addresses, pages
//! - `users`, `folders`, `delta`, `fetch`, `rebuild`, `after`, `play_back`, `check`: what a [`MailSource`] can do
//!
//! Rules of the room: ids are immutable ids, opaque and case-sensitive; the server's links are followed as they are and never
//! to another host; JSON is read from bounded bytes and what is not needed of it is ignored; archiving only reads.

mod after;
mod assertion;
mod check;
pub(super) mod client;
mod delta;
pub(super) mod errors;
mod fetch;
mod folders;
mod listing;
mod mime;
pub mod mistake;
mod paths;
mod pipe;
mod play_back;
mod rebuild;
pub mod tenant;
mod throttle;
mod token;
pub mod trouble;
mod users;

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

pub use super::pace::Pace;
pub use client::MAIL_WRITE;
pub use tenant::{Cloud, Credential, Mailboxes, NUMBER_OF_MAILS, Tenant};
pub use trouble::Trouble;

use super::{
    After, Arrival, Cursor, Done, Folder, MailSource, Mailbox, Page, RemoteId, Result, Sink, SourceError, Step,
};
use crate::limits::{GRAPH_PER_MAILBOX, GRAPH_SEEN, GRAPH_TIMEOUT};
use crate::pulse::Pulse;
use client::Client;

/// A tenant as a place where mail comes from. Lanes of it share token, gates and connections.
pub struct GraphSource {
    client: Arc<Client>,
    /// Items in each folder when it was last listed, by folder id.
    totals: HashMap<String, u64>,
    /// Of the pages that were listed since messages were last fetched. Lanes that are made after their listing know them too.
    seen: Arc<Seen>,
    is_used: bool,
}

/// What is remembered of a message from its listing until its bytes come: when it was received, and whether it is a draft.
type Seen = HashMap<RemoteId, (Option<i64>, bool)>;

impl GraphSource {
    /// A source that beats `pulse` and ends at its next beat when that is cancelled. Nothing is connected yet. Fails where
    /// the definition itself cannot work, such as with a CA file that holds no certificate.
    pub fn new(tenant: Tenant, pulse: Pulse) -> Result<Self> {
        Self::with_patience(tenant, pulse, GRAPH_TIMEOUT, Pace::default())
    }

    /// The same with another patience: how long the server may stay silent, and how its trouble is waited out.
    pub fn with_patience(tenant: Tenant, pulse: Pulse, patience: Duration, pace: Pace) -> Result<Self> {
        tenant.check().map_err(|mistake| SourceError::Unsupported { what: mistake.to_string() })?;
        let client = Arc::new(Client::new(tenant, pulse, patience, pace)?);
        Ok(Self { client, totals: HashMap::new(), seen: Arc::default(), is_used: false })
    }

    /// The connection test for one mailbox.
    pub fn check_mailbox(&self, name: &str, report: &mut dyn FnMut(Step)) {
        check::check(&self.client, &|| Ok(vec![name.to_owned()]), report);
    }
}

impl MailSource for GraphSource {
    fn check(&mut self, report: &mut dyn FnMut(Step)) {
        let client = &self.client;
        let names = || match &client.tenant.mailboxes {
            Mailboxes::These(names) => Ok(names.clone()),
            Mailboxes::All => Ok(users::list(client)?.into_iter().map(|mailbox| mailbox.name).collect()),
        };
        check::check(client, &names, report);
    }

    fn mailboxes(&mut self) -> Result<Vec<Mailbox>> {
        users::list(&self.client)
    }

    fn folders(&mut self, mailbox: &Mailbox) -> Result<Vec<Folder>> {
        let (folders, totals) = folders::list(&self.client, mailbox)?;
        self.totals = totals;
        Ok(folders)
    }

    /// `dates` costs nothing here: they are always listed.
    fn changes(&mut self, mailbox: &Mailbox, folder: &Folder, cursor: Option<&Cursor>, _dates: bool) -> Result<Page> {
        let page = delta::changes(&self.client, mailbox, folder, cursor, self.totals.get(&folder.id).copied())?;
        self.totals.insert(folder.id.clone(), page.total);
        if std::mem::take(&mut self.is_used) || self.seen.len() > GRAPH_SEEN {
            self.seen = Arc::default();
        }
        let seen = page.listed.iter().map(|listed| (listed.id.clone(), (listed.received, listed.draft)));
        Arc::make_mut(&mut self.seen).extend(seen);
        Ok(page)
    }

    fn fetch(&mut self, mailbox: &Mailbox, _folder: &Folder, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()> {
        self.is_used = true;
        fetch::fetch(&self.client, &self.seen, mailbox, ids, sink)
    }

    fn list_ids(
        &mut self,
        mailbox: &Mailbox,
        folder: &Folder,
        each: &mut dyn FnMut(RemoteId) -> Result<()>,
    ) -> Result<u64> {
        delta::list_ids(&self.client, mailbox, folder, each)
    }

    fn after(&mut self, mailbox: &Mailbox, folder: &Folder, ids: &[RemoteId], action: &After) -> Result<Vec<Done>> {
        after::after(&self.client, mailbox, folder, ids, action)
    }

    fn play_back(
        &mut self,
        mailbox: &Mailbox,
        folder: &str,
        raw: &mut dyn Read,
        len: u64,
        _arrival: Option<&Arrival>,
    ) -> Result<()> {
        play_back::play_back(&self.client, mailbox, folder, raw, len)
    }

    fn ids_span_folders(&self) -> bool {
        true
    }

    fn lanes(&self) -> usize {
        GRAPH_PER_MAILBOX
    }

    fn another_lane(&self) -> Option<Box<dyn MailSource>> {
        let (client, seen) = (self.client.clone(), self.seen.clone());
        Some(Box::new(Self { client, totals: HashMap::new(), seen, is_used: false }))
    }
}
