//! One mailbox in one run: its folders, one after the other. Trouble in one of them is told and does not stop the rest.

use std::time::Duration;

use super::FetchError;
use super::budget::Budget;
use super::folder::FolderJob;
use super::progress::{At, Watch};
use super::queue::Tried;
use super::variants::Variants;
use crate::archive::Archive;
use crate::archive::commit::Run;
use crate::ingest::Spool;
use crate::pulse::Pulse;
use crate::settings::{AfterArchiving, Definition};
use crate::source::graph::{MAIL_WRITE, Trouble};
use crate::source::{Folder, MailSource, Mailbox, Retry, Role, SourceError};

/// How often a folder is begun again after the connection broke without any progress.
const TRIES: u32 = 3;
/// Pause before a folder is begun again, once more so long at each try.
const PAUSE: Duration = Duration::from_millis(300);
/// Folders that may fail one after the other before the mailbox is given up for this run.
const BAD_FOLDERS: u32 = 5;

/// One mailbox that is worked.
pub struct MailboxJob<'a> {
    pub archive: &'a Archive,
    pub spool: &'a Spool,
    pub definition: &'a Definition,
    pub budget: &'a Budget,
    pub pulse: &'a Pulse,
    pub mailbox: &'a Mailbox,
    /// All ids are to be compared with the ledger, whenever that was done last.
    pub reconcile: bool,
    pub at: At,
    pub tried: &'a mut Tried,
    pub watch: &'a mut dyn Watch,
    /// What this mailbox brought.
    pub run: &'a mut Run,
}

impl MailboxJob<'_> {
    /// Brings the mailbox to its end; trouble in single folders is told.
    pub fn run(&mut self, source: &mut dyn MailSource) -> Result<(), FetchError> {
        let folders = source.folders(self.mailbox)?;
        let is_first = !std::mem::replace(&mut self.tried.told_missing, true);
        for wanted in self.definition.folders.iter().filter(|_| is_first) {
            // A level that only groups other folders holds no mail.
            if !folders.iter().any(|folder| folder.selectable && folder.is_named(wanted)) {
                let error = SourceError::NoFolder { name: wanted.clone() };
                self.watch.trouble(&self.mailbox.name, &error.into());
            }
        }
        let variants = match &self.definition.succeeds {
            Some(before) if self.has_unread(&folders)? => Some(Variants::of(self.archive, before, self.mailbox)?),
            _ => None,
        };
        let mut bad = 0;
        self.at.folders = folders.iter().filter(|folder| is_wanted(self.definition, folder)).count() as u64;
        for folder in folders.iter().filter(|folder| is_wanted(self.definition, folder)) {
            self.at.folder += 1;
            if self.tried.folders.contains(&folder.id) {
                continue;
            }
            match self.folder(source, folder, &folders, variants.as_ref()) {
                Ok(()) => bad = 0,
                // Archiving goes on where nothing may be changed; said once.
                Err(error) if may_only_read(&error) => {
                    if !std::mem::replace(&mut self.tried.told_read_only, true) {
                        self.watch.trouble(&self.mailbox.name, &error);
                    }
                }
                Err(error) if error.is_ours() || is_whole_mailbox(&error) => return Err(error),
                Err(error) => {
                    // One folder does not keep the others; where one after the other fails, it is not the folders.
                    bad += 1;
                    if bad >= BAD_FOLDERS {
                        return Err(error);
                    }
                    self.watch.trouble(&format!("{} {}", self.mailbox.name, folder.name), &error);
                }
            }
            self.tried.folders.insert(folder.id.clone());
        }
        Ok(())
    }

    /// Whether a folder was never read to its end: only then can there be mail that the definition before archived.
    fn has_unread(&self, folders: &[Folder]) -> Result<bool, FetchError> {
        let view = self.archive.view()?;
        for folder in folders.iter().filter(|folder| is_wanted(self.definition, folder)) {
            let number = view.folder_number(&self.definition.name, &self.mailbox.id, &folder.id)?;
            let cursor = number.map(|number| view.cursor(number)).transpose()?.flatten();
            if cursor.is_none_or(|cursor| cursor.reconciled.is_none()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// One folder; begun again after a broken connection as long as that brings something.
    fn folder(
        &mut self,
        source: &mut dyn MailSource,
        folder: &Folder,
        all: &[Folder],
        variants: Option<&Variants>,
    ) -> Result<(), FetchError> {
        let mut tries = 0;
        loop {
            let before = self.run.seen;
            let mut job = FolderJob {
                archive: self.archive,
                spool: self.spool,
                definition: self.definition,
                budget: self.budget,
                mailbox: self.mailbox,
                folder,
                all,
                reconcile: self.reconcile,
                at: self.at,
                variants,
                run: self.run,
                watch: self.watch,
            };
            let Err(error) = job.run(source) else { return Ok(()) };
            tries = if self.run.seen > before { 1 } else { tries + 1 };
            let may = matches!(&error, FetchError::Source(error) if error.retry() == Retry::Now);
            if !may || tries >= TRIES {
                return Err(error);
            }
            self.pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            std::thread::sleep(PAUSE * tries);
        }
    }
}

/// Whether mail may be archived, but not moved or deleted.
fn may_only_read(error: &FetchError) -> bool {
    let FetchError::Source(SourceError::Graph(Trouble::ConsentMissing { permission, .. })) = error else {
        return false;
    };
    *permission == MAIL_WRITE
}

/// Whether the next folder would meet the same: the login fails, the server asks for rest, or we do not know it.
fn is_whole_mailbox(error: &FetchError) -> bool {
    let FetchError::Source(error) = error else { return false };
    !matches!(
        error,
        SourceError::NoFolder { .. }
            | SourceError::Refused { .. }
            | SourceError::Unsupported { .. }
            | SourceError::Lost { .. }
            | SourceError::Silent { .. }
            | SourceError::Protocol { .. }
            // The folders were listed: what is refused now is refused of this one.
            | SourceError::Graph(
                Trouble::ServerTrouble { .. }
                    | Trouble::Refused { .. }
                    | Trouble::AccessPolicy { .. }
                    | Trouble::OtherHost { .. }
            )
    )
}

/// Whether a definition archives this folder.
pub fn is_wanted(definition: &Definition, folder: &Folder) -> bool {
    let is_excluded = |folder: &Folder| definition.exclude_folders.iter().any(|name| folder.is_named(name));
    if !folder.selectable || is_excluded(folder) {
        return false;
    }
    if definition.folders.is_empty() {
        !matches!(folder.role, Role::Drafts | Role::Outbox | Role::Junk | Role::Recoverable)
            && !is_view(definition, folder, is_excluded)
    } else {
        definition.folders.iter().any(|name| folder.is_named(name))
    }
}

/// Whether all that lies in this folder comes by another one, so that nothing is downloaded twice. Where mail is moved or
/// deleted after archiving, that is done in each folder, so each is read.
fn is_view(definition: &Definition, folder: &Folder, is_excluded: impl Fn(&Folder) -> bool) -> bool {
    let all = folder.shown_in.clone().map(|name| Folder { name, role: Role::All, ..folder.clone() });
    definition.after == AfterArchiving::Leave && all.is_some_and(|all| !is_excluded(&all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{self, Module};

    fn definition(folders: &[&str], exclude: &[&str], after: AfterArchiving) -> Definition {
        let (server, encryption) = (String::new(), settings::Encryption::Tls);
        let imap = settings::Imap { server, port: 993, encryption, accounts: Vec::new(), ca_pem: None };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (folders, exclude_folders) = (names(folders), names(exclude));
        Definition { folders, exclude_folders, after, ..Definition::plain("", Module::Imap(imap)) }
    }

    #[test]
    fn what_gmail_shows_under_many_labels_is_fetched_once() {
        let all = "[Gmail]/Alle Nachrichten";
        let folder = |name: &str, role, shown_in: Option<&str>| Folder {
            name: name.to_owned(),
            separator: Some('/'),
            role,
            selectable: true,
            shown_in: shown_in.map(str::to_owned),
            ..Folder::default()
        };
        let folders = [
            folder("INBOX", Role::Inbox, Some(all)),
            folder("Kunden", Role::Other, Some(all)),
            folder(all, Role::All, None),
            folder("[Gmail]/Papierkorb", Role::Trash, None),
            folder("[Gmail]/Spam", Role::Junk, None),
        ];
        let leave = AfterArchiving::Leave;
        for (definition, want) in [
            (definition(&[], &[], leave.clone()), &[2, 3][..]),
            (definition(&["Kunden", "inbox"], &[], leave.clone()), &[0, 1]),
            (definition(&[], &[all], leave.clone()), &[0, 1, 3]),
            (definition(&[], &["Kunden"], leave), &[2, 3]),
            (definition(&[], &[], AfterArchiving::Delete), &[0, 1, 2, 3]),
        ] {
            let wanted: Vec<_> = (0..folders.len()).filter(|at| is_wanted(&definition, &folders[*at])).collect();
            assert_eq!(wanted, want, "{definition:?}");
        }
    }

    #[test]
    fn what_one_folder_is_refused_keeps_no_other_from_its_turn() {
        let said = || "x".to_owned();
        let cases = [
            (Trouble::ServerTrouble { said: said() }, false),
            (Trouble::Refused { said: said() }, false),
            (Trouble::AccessPolicy { mailbox: said(), said: said() }, false),
            (Trouble::OtherHost { host: said() }, false),
            (Trouble::Throttled { said: said(), seconds: 1 }, true),
            (Trouble::TokenRefused { said: said() }, true),
            (Trouble::NotInTheCloud { mailbox: said(), said: said() }, true),
        ];
        for (trouble, want) in cases {
            assert_eq!(is_whole_mailbox(&SourceError::from(trouble.clone()).into()), want, "{trouble:?}");
        }
    }
}
