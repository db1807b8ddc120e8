//! What holds for a document: the longest of its terms, and its holds.

use std::collections::HashMap;

use crate::archive::commit::{FolderNumber, Number, Occurrence};
use crate::archive::rows::Document;
use crate::archive::view::View;
use crate::settings::Result;
use crate::settings::holds::{self, Hold};
use crate::settings::retention::{self, Remembered, Retention, Rule, Term, counted_from};
use crate::settings::users::MailboxId;

/// Time between two readings of the clock while one message is archived, with much room: seconds.
const MARGIN: i64 = 86_400;

/// Terms and holds as they are at a moment.
pub struct Terms {
    pub set: Retention,
    folders: HashMap<FolderNumber, Place>,
    mailboxes: HashMap<FolderNumber, MailboxId>,
    holds: Vec<Hold>,
    shortest: Term,
}

struct Place {
    term: Term,
    rule: Option<Rule>,
}

/// By what a document has its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Default,
    Rule(Rule),
    /// Its own one.
    Own,
}

/// When the longest term of a document is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The first second in which it is, Unix; `None`: never.
    pub over: Option<i64>,
    pub term: Term,
    pub why: Why,
}

impl End {
    pub fn is_over(&self, now: i64) -> bool {
        self.over.is_some_and(|over| now >= over)
    }

    fn later(self, other: Self) -> Self {
        let is_later = match (self.over, other.over) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(own), Some(other)) => other > own,
        };
        if is_later { other } else { self }
    }
}

impl Terms {
    /// As they are set.
    pub fn read(view: &View) -> Result<Self> {
        Self::of(view, Retention::of(view)?, &retention::remembered(view)?)
    }

    /// As they would be; of what folders were called before only this is known.
    pub fn of(view: &View, set: Retention, remembered: &Remembered) -> Result<Self> {
        let (mut folders, mut mailboxes) = (HashMap::new(), HashMap::new());
        for row in view.folders()? {
            let folder = row.folder;
            let rule = set.rule(&folder);
            let by_name = rule.map_or(set.term, |rule| rule.term);
            let term = by_name.longer(remembered.get(&folder.number).copied().unwrap_or(by_name));
            folders.insert(folder.number, Place { term, rule: rule.cloned() });
            mailboxes.insert(folder.number, MailboxId { definition: folder.definition, mailbox: folder.mailbox });
        }
        Ok(Self { shortest: set.shortest(), holds: holds::in_force(view)?, set, folders, mailboxes })
    }

    /// Whether any folder, or whatever has no rule, is kept for a shorter time than by `old`.
    pub fn are_shorter_than(&self, old: &Self) -> bool {
        let is_shorter = |(number, place): (&FolderNumber, &Place)| {
            old.folders.get(number).is_some_and(|before| place.term.length() < before.term.length())
        };
        self.set.term.length() < old.set.term.length() || self.folders.iter().any(is_shorter)
    }

    /// How many folders have their term by this rule.
    pub fn folders_of(&self, rule: &Rule) -> usize {
        self.folders.values().filter(|place| place.rule.as_ref() == Some(rule)).count()
    }

    /// Whether a document may be over by now, as far as its own row tells: almost none is, and this looks at no other table.
    ///
    /// A document has an occurrence of the commit that brought it. If the server said when it received that, `time` is no later than
    /// that; if not, `archived` is no later than when it was seen, but for the time between two looks at the clock. So the earlier
    /// one of both is no later than what the first term is counted from, and no term is shorter than the shortest. What the mail says of itself may
    /// be in `time`: earlier, it only makes us look; later, `archived` is taken.
    pub fn may_be_over(&self, document: &Document, now: i64) -> bool {
        let from = document.time.min(document.metadata.archived).saturating_sub(MARGIN);
        // A time that no calendar has tells nothing.
        self.shortest.months().is_some() && self.shortest.over(from).is_none_or(|over| now >= over)
    }

    /// When the longest of its terms is over.
    pub fn end(&self, view: &View, number: Number, document: &Document) -> Result<End> {
        self.end_of(view, number, document, &view.occurrences(number)?)
    }

    fn end_of(&self, view: &View, number: Number, document: &Document, seen: &[Occurrence]) -> Result<End> {
        // One without a place is of a damaged archive; its own row is all there is.
        let mut last = document.metadata.archived;
        let by_default = |from| End { over: self.set.term.over(from), term: self.set.term, why: Why::Default };
        let mut end = None;
        for seen in seen {
            let from = counted_from(seen.received, seen.seen);
            last = if end.is_none() { from } else { last.max(from) };
            let next = match self.folders.get(&seen.folder) {
                Some(place) => {
                    let why = place.rule.clone().map_or(Why::Default, Why::Rule);
                    End { over: place.term.over(from), term: place.term, why }
                }
                // Whatever its folder is, it may have to be kept.
                None => End { over: None, term: Term::Forever, why: Why::Default },
            };
            end = Some(end.map_or(next.clone(), |end: End| end.later(next)));
        }
        let end = end.unwrap_or_else(|| by_default(last));
        Ok(match retention::own_term(view, number)? {
            Some(own) => end.later(End { over: own.over(last), term: own, why: Why::Own }),
            None => end,
        })
    }

    /// Holds that a document is under.
    pub fn holds(&self, view: &View, number: Number) -> Result<Vec<&Hold>> {
        if self.holds.is_empty() {
            return Ok(Vec::new());
        }
        let seen = view.occurrences(number)?;
        Ok(self.holds.iter().filter(|hold| hold.holds(number, &seen, &self.mailboxes)).collect())
    }

    /// Whether its term is over; holds aside.
    pub fn are_over(&self, view: &View, number: Number, document: &Document, now: i64) -> Result<bool> {
        Ok(self.may_be_over(document, now) && self.end(view, number, document)?.is_over(now))
    }
}
