//! Play back: archived mails return to the mailboxes that they came from.
//!
//! Invariants: the bytes were read back from the archive and their hash was right before a server gets one of them; what
//! was played back stands in the journal; nothing is booked in the ledger: when the mail is met again it is recognised by
//! its bytes, as any other one. One that fails keeps no other from its turn, unless its mailbox cannot be reached at all.

use std::io::Write;
use std::sync::Arc;

use super::job::{self, Turn};
use super::tokens::Tokens;
use crate::archive::commit::{Happening, Number};
use crate::archive::{Archive, ArchiveError};
use crate::ingest::Spool;
use crate::language::Lang;
use crate::limits::GRAPH_PLAY_BACK;
use crate::pulse::Pulse;
use crate::settings::{self, Definition, Module};
use crate::source::graph::Trouble;
use crate::source::{Arrival, MailSource, Mailbox, SourceError};

/// One mail, and where it goes.
#[derive(Clone, Debug)]
pub struct Item {
    pub number: Number,
    /// Name of the definition that archived it.
    pub definition: String,
    pub mailbox: Mailbox,
    /// Where it was, as people call it.
    pub folder: String,
    /// What the server said of it.
    pub arrival: Arrival,
}

/// Why a mail was not played back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("there is no definition {0} any more")]
    NoDefinition(String),
    #[error("definition {definition} has no account {account} any more")]
    NoAccount { definition: String, account: String },
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    #[error("the spool: {0}")]
    Spool(#[from] std::io::Error),
    /// For Microsoft Graph; nothing was sent.
    #[error("it has {size} bytes, and Microsoft Graph takes {most}")]
    TooLarge { size: u64, most: u64 },
    #[error("the mailbox is full: {said}")]
    Full { said: String },
    #[error("the server does not take it in {folder:?}: {said}")]
    Refused { folder: String, said: String },
    #[error(transparent)]
    Source(SourceError),
}

impl RestoreError {
    fn of(error: SourceError, folder: &str) -> Self {
        let said = match &error {
            SourceError::Refused { said, .. } | SourceError::Graph(Trouble::Refused { said }) => said.clone(),
            _ => return Self::Source(error),
        };
        let lower = said.to_lowercase();
        // RFC 9208, Graph's own code; some servers have words only.
        if ["[overquota]", "errorquotaexceeded", "quota exceeded", "over quota", "mailbox is full", "mailbox full"]
            .iter()
            .any(|word| lower.contains(word))
        {
            return Self::Full { said };
        }
        Self::Refused { folder: folder.into(), said }
    }

    /// Whether the next mail of the same mailbox would meet the same.
    fn is_of_mailbox(&self) -> bool {
        match self {
            Self::Archive(_) | Self::Spool(_) | Self::TooLarge { .. } | Self::Refused { .. } => false,
            // A message at which a server hangs up is one; the next one has a connection of its own.
            Self::Source(error) => !matches!(
                error,
                SourceError::NoFolder { .. }
                    | SourceError::Unsupported { .. }
                    | SourceError::Lost { .. }
                    | SourceError::Silent { .. }
            ),
            Self::NoDefinition(_) | Self::NoAccount { .. } | Self::Full { .. } => true,
        }
    }

    /// What is wrong, where, and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        let (de, en) = match self {
            Self::NoDefinition(name) => (
                format!("Die Definition «{name}», die diese Mail archiviert hat, gibt es nicht mehr. Laden Sie die Mail herunter und legen Sie sie im Mailprogramm ab."),
                format!("The definition \"{name}\" that archived this mail is not there any more. Download the mail and put it into your mail program."),
            ),
            Self::NoAccount { definition, account } => (
                format!("In der Definition «{definition}» gibt es das Konto {account} nicht mehr. Tragen Sie es unter Mail-Archivierung wieder ein, oder laden Sie die Mail herunter."),
                format!("The definition \"{definition}\" has no account {account} any more. Enter it again under Mail archiving, or download the mail."),
            ),
            Self::Archive(error) => (
                format!("Die Mail lässt sich nicht aus dem Archiv lesen ({error}). Nichts wurde zurückgespielt; melden Sie das der Verwaltung."),
                format!("The mail cannot be read from the archive ({error}). Nothing was played back; tell your administrator."),
            ),
            Self::Spool(error) => (
                format!("Die Mail konnte nicht bereitgelegt werden ({error}). Prüfen Sie den freien Platz der Box."),
                format!("The mail could not be laid out ({error}). Check the free space of the box."),
            ),
            Self::TooLarge { size, most } => (
                format!("Die Mail hat {size} Bytes, Microsoft Graph nimmt höchstens {most}. Laden Sie die Mail herunter und ziehen Sie sie in Outlook in den Ordner."),
                format!("The mail has {size} bytes, Microsoft Graph takes at most {most}. Download the mail and drag it into the folder in Outlook."),
            ),
            Self::Full { said } => (
                format!("Das Postfach ist voll («{said}»). Schaffen Sie dort Platz oder erhöhen Sie beim Anbieter die Grenze, und spielen Sie die Mail noch einmal zurück."),
                format!("The mailbox is full (\"{said}\"). Make room in it or raise its limit at the provider, and play the mail back once more."),
            ),
            Self::Refused { folder, said } => (
                format!("Der Mail-Server nimmt die Mail im Ordner «{folder}» nicht an («{said}»). Prüfen Sie in der Definition das Feld «Nachricht zurückspielen nach» und beim Anbieter die Rechte des Kontos."),
                format!("The mail server does not take the mail in the folder \"{folder}\" (\"{said}\"). Check the field \"Play back messages to\" of the definition, and the rights of the account at the provider."),
            ),
            Self::Source(SourceError::Lost { .. } | SourceError::Silent { .. }) => (
                "Die Verbindung zum Mail-Server brach ab. Sehen Sie im Postfach nach, ob die Mail angekommen ist, und spielen Sie sie sonst noch einmal zurück.".into(),
                "The connection to the mail server was lost. Look in the mailbox whether the mail has arrived, and play it back once more if not.".into(),
            ),
            Self::Source(error) => return error.sentence(lang),
        };
        match lang {
            Lang::De => de,
            Lang::En => en,
        }
    }
}

/// Hears of a mail, by its place among those that were asked for: the folder where it lies now, or why not.
pub type Report<'a> = dyn FnMut(usize, Result<String, Arc<RestoreError>>) + 'a;

/// Plays the mails back, one after the other, on one connection for each mailbox. `report` hears of each of
/// them once.
pub fn run(archive: &Archive, tokens: &Tokens, items: &[Item], who: &str, pulse: &Pulse, report: &mut Report<'_>) {
    let mut is_done = vec![false; items.len()];
    for first in 0..items.len() {
        if is_done[first] {
            continue;
        }
        let place = (&items[first].definition, &items[first].mailbox.id);
        let same: Vec<usize> =
            (first..items.len()).filter(|at| (&items[*at].definition, &items[*at].mailbox.id) == place).collect();
        for at in &same {
            is_done[*at] = true;
        }
        let definition = settings::definition(archive, &items[first].definition);
        // One connection, opened when it is needed.
        let mut source = None;
        let mut one = |item: &Item| -> Result<String, RestoreError> {
            let Ok(definition) = &definition else { return Err(RestoreError::NoDefinition(item.definition.clone())) };
            let source = match &mut source {
                Some(source) => source,
                none => none.insert(open(archive, tokens, definition, item, pulse)?),
            };
            one(archive, item, definition, source.as_mut(), who)
        };
        one_mailbox(items, &same, &mut one, report);
    }
}

fn one_mailbox(
    items: &[Item],
    places: &[usize],
    one: &mut dyn FnMut(&Item) -> Result<String, RestoreError>,
    report: &mut Report<'_>,
) {
    for (turn, at) in places.iter().enumerate() {
        let result = one(&items[*at]).map_err(Arc::new);
        // The others would wait for the same to happen again.
        let rest = if result.as_ref().is_err_and(|error| error.is_of_mailbox()) { &places[turn + 1..] } else { &[] };
        for at in rest {
            report(*at, result.clone());
        }
        let is_over = !rest.is_empty();
        report(*at, result);
        if is_over {
            break;
        }
    }
}

/// A connection to the mailbox of a mail.
fn open<'a>(
    archive: &'a Archive,
    tokens: &'a Tokens,
    definition: &'a Definition,
    item: &Item,
    pulse: &Pulse,
) -> Result<Box<dyn MailSource + 'a>, RestoreError> {
    let places = job::open(archive, tokens, definition, pulse, Turn::AtOnce).map_err(RestoreError::Source)?;
    let is_ours = |label: &str| matches!(definition.module, Module::O365(_)) || label == item.mailbox.id;
    let source = places.into_iter().find(|(label, _)| is_ours(label)).map(|(_, source)| source);
    let gone = || RestoreError::NoAccount { definition: item.definition.clone(), account: item.mailbox.name.clone() };
    source.ok_or_else(gone)
}

fn one(
    archive: &Archive,
    item: &Item,
    definition: &Definition,
    source: &mut dyn MailSource,
    who: &str,
) -> Result<String, RestoreError> {
    let size = archive.view()?.document(item.number)?.ok_or(ArchiveError::NoDocument { number: item.number })?.size;
    if matches!(definition.module, Module::O365(_)) && size > GRAPH_PLAY_BACK {
        return Err(RestoreError::TooLarge { size, most: GRAPH_PLAY_BACK });
    }
    let spool = Spool::new(archive.paths().spool.clone())?;
    spool.keep_reserve(size)?;
    let mut file = spool.file();
    archive.read(item.number, &mut file)?;
    file.flush()?;
    let folder = definition.play_back_to(&item.folder).to_owned();
    let len = file.len();
    source
        .play_back(&item.mailbox, &folder, &mut file.reader()?, len, Some(&item.arrival))
        .map_err(|error| RestoreError::of(error, &folder))?;
    archive.journal(who, Happening::Restored(item.number, item.definition.clone(), item.mailbox.id.clone()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_mailbox_and_a_refused_folder_are_told_apart() {
        let refused = |said: &str| SourceError::Refused { command: "APPEND".into(), said: said.into() };
        for said in ["[OVERQUOTA] no", "Quota exceeded (mailbox for user is full)", "ErrorQuotaExceeded: x"] {
            assert!(matches!(RestoreError::of(refused(said), "A"), RestoreError::Full { .. }), "{said}");
        }
        let graph = Trouble::Refused { said: "ErrorQuotaExceeded: The mailbox is full".into() };
        assert!(matches!(RestoreError::of(graph.into(), "A"), RestoreError::Full { .. }));
        assert!(matches!(RestoreError::of(refused("[NOPERM] no"), "A"), RestoreError::Refused { .. }));
        let lost = SourceError::Lost { detail: String::new() };
        assert!(matches!(RestoreError::of(lost, "A"), RestoreError::Source(_)));
    }

    #[test]
    fn every_sentence_says_what_to_do() {
        let said = || "x".to_owned();
        let errors = [
            RestoreError::NoDefinition(said()),
            RestoreError::NoAccount { definition: said(), account: said() },
            RestoreError::Archive(ArchiveError::NoDocument { number: 7 }),
            RestoreError::Spool(std::io::ErrorKind::StorageFull.into()),
            RestoreError::TooLarge { size: 4, most: 3 },
            RestoreError::Full { said: said() },
            RestoreError::Refused { folder: said(), said: said() },
            RestoreError::Source(SourceError::Silent { seconds: 60 }),
        ];
        for error in errors {
            for lang in [Lang::De, Lang::En] {
                let text = error.sentence(lang);
                assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "{text}");
                assert!(!text.contains('ß'), "{text}");
            }
        }
    }
}
