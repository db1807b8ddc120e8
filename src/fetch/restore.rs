//! Play back: archived mails return to the mailboxes that they came from.
//!
//! Invariants: the bytes were read back from the archive and their hash was right before a server gets one of them; what
//! was played back stands in the journal; nothing is booked in the ledger: when the mail is met again it is recognised by
//! its bytes, as any other one. One that fails keeps no other from its turn, unless its mailbox cannot be reached at all, or
//! several fail one after the other. What is said of a mail never promises another try: nothing is played back by itself.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::job::{self, Turn};
use super::tokens::Tokens;
use crate::archive::commit::{Happening, Number};
use crate::archive::{Archive, ArchiveError};
use crate::ingest::Spool;
use crate::language::Lang;
use crate::limits::{GRAPH_PLAY_BACK, RESTORE_FAILURES};
use crate::pulse::Pulse;
use crate::settings::{self, Definition, Module, SettingsError};
use crate::source::graph::Trouble;
use crate::source::sign_in::Trouble as SignInTrouble;
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
    #[error("definition {definition} cannot be read: {error}")]
    Settings { definition: String, error: SettingsError },
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
    /// It lies in the mailbox, and the journal does not say so: the archive takes nothing more.
    #[error("played back into {folder:?}, but not noted: {error}")]
    NotNoted { folder: String, error: ArchiveError },
    /// Nothing was sent: what happened to others before, or to the run, ended it.
    #[error("not tried, as playing back was broken off before")]
    NotTried,
    #[error("a fault of the program")]
    Broken,
}

impl RestoreError {
    fn of(error: SourceError, folder: &str) -> Self {
        let said = match &error {
            SourceError::Refused { said, .. }
            | SourceError::Graph(Trouble::Refused { said } | Trouble::Unsure { said }) => said.clone(),
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
        match error {
            SourceError::Graph(Trouble::Unsure { .. }) => Self::Source(error),
            _ => Self::Refused { folder: folder.into(), said },
        }
    }

    /// Whether the mail lies in the mailbox all the same.
    pub fn is_back(&self) -> bool {
        matches!(self, Self::NotNoted { .. })
    }

    /// Whether the next mail of the same mailbox would meet the same.
    fn is_of_mailbox(&self) -> bool {
        match self {
            Self::Archive(_)
            | Self::Spool(_)
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::NotNoted { .. }
            | Self::NotTried
            | Self::Broken => false,
            // A message at which a server hangs up, stumbles or says nonsense is one; the next one has a connection of its own.
            Self::Source(error) => !matches!(
                error,
                SourceError::NoFolder { .. }
                    | SourceError::Unsupported { .. }
                    | SourceError::Lost { .. }
                    | SourceError::Silent { .. }
                    | SourceError::Protocol { .. }
                    | SourceError::Cancelled
                    | SourceError::Graph(Trouble::ServerTrouble { .. } | Trouble::Unsure { .. })
            ),
            Self::NoDefinition(_) | Self::Settings { .. } | Self::NoAccount { .. } | Self::Full { .. } => true,
        }
    }

    /// Whether the server was in the middle of something, so that several of the kind are enough.
    fn is_of_server(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Broken)
    }

    /// What is wrong, where, and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        let (de, en) = match self {
            Self::NoDefinition(name) => (
                format!("Die Definition «{name}», die diese Mail archiviert hat, gibt es nicht mehr. Laden Sie die Mail herunter und legen Sie sie im Mailprogramm ab."),
                format!("The definition \"{name}\" that archived this mail is not there any more. Download the mail and put it into your mail program."),
            ),
            Self::Settings { definition, error } => (
                format!("Die Definition «{definition}» lässt sich nicht lesen ({error}). Nichts wurde zurückgespielt; melden Sie das der Verwaltung."),
                format!("The definition \"{definition}\" cannot be read ({error}). Nothing was played back; tell your administrator."),
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
            Self::Source(
                SourceError::Lost { .. }
                | SourceError::Silent { .. }
                | SourceError::Protocol { .. }
                | SourceError::Cancelled,
            ) => (
                "Die Verbindung zum Mail-Server brach ab. Sehen Sie im Postfach nach, ob die Mail angekommen ist, und spielen Sie sie sonst noch einmal zurück.".into(),
                "The connection to the mail server was lost. Look in the mailbox whether the mail has arrived, and play it back once more if not.".into(),
            ),
            Self::Source(SourceError::Graph(Trouble::Unsure { said })) => (
                format!("Microsoft 365 ist gestört («{said}»). Sehen Sie im Postfach nach, ob die Mail angekommen ist, und spielen Sie sie sonst noch einmal zurück."),
                format!("Microsoft 365 has trouble (\"{said}\"). Look in the mailbox whether the mail has arrived, and play it back once more if not."),
            ),
            Self::Source(
                SourceError::Busy { said, .. }
                | SourceError::Graph(Trouble::Throttled { said, .. } | Trouble::ServerTrouble { said })
                | SourceError::SignIn(SignInTrouble::ServerTrouble { said } | SignInTrouble::NotStored { said }),
            ) => (
                format!("Der Mail-Server nimmt gerade nichts an («{said}»). Nichts wurde zurückgespielt; spielen Sie die Mail in einigen Minuten noch einmal zurück."),
                format!("The mail server takes nothing just now (\"{said}\"). Nothing was played back; play the mail back once more in some minutes."),
            ),
            Self::NotNoted { folder, error } => (
                format!("Die Mail liegt wieder im Postfach, Ordner «{folder}»; im Protokoll liess es sich nicht festhalten ({error}). Wiederholen Sie es nicht, und melden Sie das der Verwaltung."),
                format!("The mail lies in the mailbox again, folder \"{folder}\"; it could not be noted in the journal ({error}). Do not repeat it, and tell your administrator."),
            ),
            Self::NotTried => (
                "Das Zurückspielen wurde vorher abgebrochen. Diese Mail wurde nicht gesandt; spielen Sie sie später noch einmal zurück.".into(),
                "Playing back was broken off before. This mail was not sent; play it back once more later.".into(),
            ),
            Self::Broken => (
                "An dieser Mail ist das Programm gescheitert. Sehen Sie im Postfach nach, ob sie angekommen ist, und melden Sie uns den Fehler.".into(),
                "The program failed at this mail. Look in the mailbox whether it has arrived, and report the fault to us.".into(),
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

/// Plays the mails back, one after the other, on one connection for each mailbox, until `pulse` is cancelled. `report` hears of
/// each of them once.
pub fn run(archive: &Archive, tokens: &Tokens, items: &[Item], who: &str, pulse: &Pulse, report: &mut Report<'_>) {
    let mut is_done = vec![false; items.len()];
    let mut is_over = false;
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
        let definition = match settings::definition(archive, &items[first].definition) {
            Ok(definition) => definition,
            Err(error) => {
                let definition = items[first].definition.clone();
                let error = Arc::new(match error {
                    SettingsError::NoDefinition { .. } => RestoreError::NoDefinition(definition),
                    error => RestoreError::Settings { definition, error },
                });
                for at in &same {
                    report(*at, Err(error.clone()));
                }
                continue;
            }
        };
        // One connection, opened when it is needed.
        let mut source = None;
        let mut one = |item: &Item| -> Result<String, RestoreError> {
            // Taken out: after trouble the next mail has a connection of its own.
            let mut open = match source.take() {
                Some(source) => source,
                None => open(archive, tokens, &definition, item, pulse)?,
            };
            let result = one(archive, item, &definition, open.as_mut(), who);
            if !matches!(result, Err(RestoreError::Source(_))) {
                source = Some(open);
            }
            result
        };
        let mut one = |item: &Item| -> Result<String, RestoreError> {
            if is_over || pulse.go_on().is_err() {
                return Err(RestoreError::NotTried);
            }
            let result = catch_unwind(AssertUnwindSafe(|| one(item))).unwrap_or(Err(RestoreError::Broken));
            is_over = matches!(result, Err(RestoreError::NotNoted { .. }));
            result
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
    let mut failures = 0;
    for (turn, at) in places.iter().enumerate() {
        let result = one(&items[*at]).map_err(Arc::new);
        failures = if result.as_ref().is_err_and(|error| error.is_of_server()) { failures + 1 } else { 0 };
        let rest = &places[turn + 1..];
        let why = match &result {
            // The others would wait for the same to happen again.
            Err(error) if error.is_of_mailbox() => Some(error.clone()),
            Err(_) if failures >= RESTORE_FAILURES => Some(Arc::new(RestoreError::NotTried)),
            _ => None,
        };
        report(*at, result);
        if let Some(why) = why {
            for at in rest {
                report(*at, Err(why.clone()));
            }
            return;
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
    let restored = Happening::Restored(item.number, item.definition.clone(), item.mailbox.id.clone());
    match archive.journal(who, restored) {
        Ok(()) => Ok(folder),
        Err(error) => Err(RestoreError::NotNoted { folder, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::RemoteId;

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
            RestoreError::Settings { definition: said(), error: SettingsError::Wrong { place: said(), what: said() } },
            RestoreError::Source(SourceError::Silent { seconds: 60 }),
            RestoreError::Source(SourceError::Protocol { detail: said() }),
            RestoreError::Source(SourceError::Busy { said: said(), crowded: false }),
            RestoreError::Source(SourceError::Cancelled),
            RestoreError::Source(Trouble::Throttled { said: said(), seconds: 9 }.into()),
            RestoreError::Source(Trouble::ServerTrouble { said: said() }.into()),
            RestoreError::Source(Trouble::Unsure { said: said() }.into()),
            RestoreError::Source(SignInTrouble::NotStored { said: said() }.into()),
            RestoreError::NotNoted { folder: said(), error: ArchiveError::NoDocument { number: 7 } },
            RestoreError::NotTried,
            RestoreError::Broken,
        ];
        for error in errors {
            for lang in [Lang::De, Lang::En] {
                let text = error.sentence(lang);
                assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "{text}");
                assert!(!text.contains('ß'), "{text}");
                for promise in ["von selbst", "versucht es", "by itself", "tries again"] {
                    assert!(!text.contains(promise), "nobody tries again: {text}");
                }
            }
        }
    }

    fn item(number: Number) -> Item {
        Item {
            number,
            definition: "büro".into(),
            mailbox: Mailbox { id: "a".into(), name: "a".into() },
            folder: "INBOX".into(),
            arrival: Arrival { id: RemoteId(Vec::new()), received: None, flags: Vec::new(), reconstructed: false },
        }
    }

    /// What becomes of mails of one mailbox whose tries end so.
    fn told(mut tries: Vec<Result<(), RestoreError>>, mails: u64) -> Vec<String> {
        let items: Vec<Item> = (1..=mails).map(item).collect();
        let places: Vec<usize> = (0..items.len()).collect();
        let mut told = vec![String::new(); items.len()];
        let mut one = |_: &Item| tries.remove(0).map(|()| "INBOX".to_owned());
        one_mailbox(&items, &places, &mut one, &mut |at, result| {
            assert!(told[at].is_empty(), "{at} twice");
            told[at] = result.map_or_else(|error| format!("{error:?}"), |_| "back".into());
        });
        let word = |text: &String| text.split([' ', '(']).next().unwrap_or_default().to_owned();
        told.iter().map(word).collect()
    }

    #[test]
    fn one_mail_that_fails_keeps_no_other_from_its_turn() {
        let trouble = || Err(RestoreError::Source(Trouble::ServerTrouble { said: "x".into() }.into()));
        assert_eq!(told(vec![Ok(()), trouble(), Ok(())], 3), ["back", "Source", "back"]);
        let nonsense = || Err(RestoreError::Source(SourceError::Protocol { detail: "x".into() }));
        let tries = vec![nonsense(), nonsense(), Ok(()), nonsense(), trouble(), trouble()];
        assert_eq!(told(tries, 7), ["Source", "Source", "back", "Source", "Source", "Source", "NotTried"]);
        // What the whole mailbox has is met once.
        assert_eq!(told(vec![Err(RestoreError::Full { said: "x".into() })], 3), ["Full", "Full", "Full"]);
    }
}
