//! One run of a definition: its accounts or its tenant, and their mailboxes, which a crew works side by side.

use std::collections::{HashMap, HashSet};

use super::FetchError;
use super::budget::Budget;
use super::crew::{Crew, Patience};
use super::progress::Watch;
use super::queue;
use super::tokens::Tokens;
use crate::archive::commit::Run;
use crate::archive::{Archive, ArchiveError};
use crate::ingest::Spool;
use crate::limits::{GRAPH_TIMEOUT, THROTTLED_IN_PLACE};
use crate::pulse::Pulse;
use crate::settings::o365::Which;
use crate::settings::{self, Definition, Module};
use crate::source::graph::GraphSource;
use crate::source::graph::tenant::is_guid;
use crate::source::imap::{self, ImapSource};
use crate::source::pace::Pace;
use crate::source::{MailSource, Mailbox, SourceError};

/// What a run is made of.
pub struct Job<'a> {
    pub archive: &'a Archive,
    pub tokens: &'a Tokens,
    pub budget: &'a Budget,
    pub definition: &'a Definition,
    /// Of the run: its mailboxes have children of it.
    pub pulse: &'a Pulse,
    /// All ids are to be compared with the ledger, whenever that was done last.
    pub reconcile: bool,
}

/// Whether it gives way: waits for others to end where a server takes few connections, and lets other mailboxes go first where
/// a server wants to be left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Waits,
    /// For what a person waits for.
    AtOnce,
}

/// What people call a place, and the place.
pub type Place<'a> = (String, Box<dyn MailSource + 'a>);

/// The places that a definition fetches from, each with the name that people give it: the accounts of an IMAP server, or a
/// tenant. Nothing is connected yet.
pub fn open<'a>(
    archive: &'a Archive,
    tokens: &'a Tokens,
    definition: &'a Definition,
    pulse: &Pulse,
    turn: Turn,
) -> Result<Vec<Place<'a>>, SourceError> {
    Ok(match &definition.module {
        Module::Imap(imap) => {
            let one = |account: &'a settings::Account| -> Place<'a> {
                let mut source = imap_source(imap, account, pulse);
                if turn == Turn::Waits {
                    source = source.in_turn();
                }
                if let Some(sign_in) = &account.sign_in {
                    let (definition, account) = (definition.name.as_str(), account.account.as_str());
                    source = source.with_tokens(Box::new(tokens.of(archive, definition, account, sign_in.app(imap))));
                }
                (account.account.clone(), Box::new(source))
            };
            imap.accounts.iter().map(one).collect()
        }
        Module::O365(o365) => {
            let pace = match turn {
                Turn::Waits => Pace { in_place: THROTTLED_IN_PLACE, ..Pace::default() },
                Turn::AtOnce => Pace::default(),
            };
            let source = GraphSource::with_patience(o365.tenant(), pulse.clone(), GRAPH_TIMEOUT, pace)?;
            vec![(o365.tenant.clone(), Box::new(source))]
        }
    })
}

fn imap_source<'a>(imap: &settings::Imap, account: &settings::Account, pulse: &Pulse) -> ImapSource<'a> {
    let auth = match (&account.password, &account.access_token_file) {
        _ if account.sign_in.is_some() => imap::Auth::Tokens,
        (_, Some(path)) => imap::Auth::TokenFile(path.clone()),
        (password, None) => {
            imap::Auth::Password(password.as_ref().map(|password| password.reveal().clone()).unwrap_or_default())
        }
    };
    let encryption = match imap.encryption {
        settings::Encryption::Tls => imap::Encryption::Tls,
        settings::Encryption::StartTls => imap::Encryption::StartTls,
        settings::Encryption::None => imap::Encryption::None,
    };
    let account = imap::Account {
        server: imap.server.clone(),
        port: imap.port,
        encryption,
        user: account.account.clone(),
        auth,
        ca_pem: imap.ca_pem.clone(),
    };
    ImapSource::new(account, pulse.clone())
}

/// Runs all mailboxes of a definition.
pub fn run(job: &Job<'_>, watch: &mut dyn Watch, run: &mut Run, troubles: &mut Vec<String>) {
    let mut tell = |watch: &mut dyn Watch, place: &str, error: &FetchError| {
        watch.trouble(place, error);
        troubles.push(format!("{place}: {error}"));
    };
    let Job { archive, definition, pulse, .. } = job;
    let spool = match Spool::new(archive.paths().spool.clone()) {
        Ok(spool) => spool,
        Err(error) => return tell(watch, &definition.name, &FetchError::Spool(error)),
    };
    let sources = match open(archive, job.tokens, definition, pulse, Turn::Waits) {
        Ok(sources) => sources,
        Err(error) => return tell(watch, &definition.name, &error.into()),
    };
    let mut tasks = Vec::new();
    for (label, mut source) in sources {
        let mailboxes = match source.mailboxes() {
            Ok(mailboxes) => match as_known(archive, definition, mailboxes) {
                Ok(mailboxes) => mailboxes,
                Err(error) => return tell(watch, &label, &error.into()),
            },
            Err(error) => {
                if !pulse.is_cancelled() {
                    tell(watch, &label, &error.into());
                }
                continue;
            }
        };
        tasks.extend(queue::tasks(mailboxes, source));
    }
    let crew = Crew {
        archive,
        spool: &spool,
        definition,
        budget: job.budget,
        pulse,
        reconcile: job.reconcile,
        // Users without a mailbox are no trouble where nobody named them: guests, disabled accounts without licence.
        all_of_tenant: matches!(&definition.module, Module::O365(o365) if o365.mailboxes == Which::All),
        patience: Patience::default(),
    };
    crew.work(tasks, watch, run, troubles);
}

/// Each mailbox under the identity by which its mail is archived already. Where the directory may not be asked, an address
/// stands in for the object id; when that changes, every message of the mailbox would be met as a new one.
fn as_known(archive: &Archive, definition: &Definition, mut all: Vec<Mailbox>) -> Result<Vec<Mailbox>, ArchiveError> {
    if !matches!(definition.module, Module::O365(_)) {
        return Ok(all);
    }
    let mut known: HashMap<String, HashSet<String>> = HashMap::new();
    for row in archive.view()?.folders()?.into_iter().filter(|row| row.folder.definition == definition.name) {
        known.entry(row.folder.mailbox_name.to_lowercase()).or_default().insert(row.folder.mailbox);
    }
    for mailbox in &mut all {
        let Some(ids) = known.get(&mailbox.name.to_lowercase()).filter(|ids| !ids.contains(&mailbox.id)) else {
            continue;
        };
        // Two object ids are two mailboxes, whatever their address: one was deleted and made anew.
        let same = ids.iter().find(|id| is_guid(id) != is_guid(&mailbox.id));
        if let Some(id) = same {
            mailbox.id.clone_from(id);
        }
    }
    Ok(all)
}
