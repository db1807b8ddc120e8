//! Holds: documents that neither end nor are erased as long as a reason to keep them lasts, whatever their terms say.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use super::retention::{SURE, counted_from};
use super::users::MailboxId;
use super::{Result, find_json, list_json, open_json, to_json};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Event, FolderNumber, Happening, Number, Occurrence, Setting};
use crate::archive::view::View;
use crate::clock;
use crate::limits::HOLD_RANGES;

/// Keys of holds in the settings table.
const HOLD: &str = "hold/";
/// Characters of a hold's name and of its reason.
pub const NAME_CHARS: usize = 64;
pub const REASON_CHARS: usize = 1000;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Never used again.
    pub name: String,
    pub reason: String,
    /// Who set it, and when, Unix seconds.
    pub who: String,
    pub set: i64,
    pub what: Scope,
    #[serde(default)]
    pub lifted: Option<Lifted>,
}

/// Who lifted a hold, and when, Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    pub who: String,
    pub time: i64,
}

/// Which documents are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Lowest and highest number of each range.
    Numbers(Vec<(Number, Number)>),
    Places(Places),
}

/// Documents that lie, or were received, somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Places {
    /// `None`: all of them; empty: what people uploaded.
    pub definition: Option<String>,
    /// Identity of a mailbox of the definition; empty: all of them.
    pub mailbox: String,
    /// Days of receipt, both included, wherever in the world it was that day.
    #[serde(with = "day")]
    pub from: Option<Date>,
    #[serde(with = "day")]
    pub until: Option<Date>,
}

/// Days as `2026-11-21`.
mod day {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
    pub fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        match day {
            Some(day) => to.collect_str(day),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

impl Places {
    fn hold(&self, id: Option<&MailboxId>, seen: &Occurrence) -> bool {
        // Of a folder that is not known anything may be true.
        let is_here = id.is_none_or(|id| {
            self.definition.as_ref().is_none_or(|definition| *definition == id.definition)
                && (self.mailbox.is_empty() || self.mailbox == id.mailbox)
        });
        let time = counted_from(seen.received, seen.seen);
        let moment = |day: Date, offset: i8| {
            let zoned = day.to_zoned(TimeZone::fixed(Offset::constant(offset)));
            zoned.map(|zoned| zoned.timestamp().as_second())
        };
        let is_behind = self.from.is_none_or(|day| !moment(day, 14).is_ok_and(|begin| time < begin));
        let is_before = self.until.is_none_or(|day| {
            let after = day.tomorrow().map_err(|_| ()).and_then(|day| moment(day, -12).map_err(|_| ()));
            !after.is_ok_and(|end| time >= end)
        });
        is_here && is_behind && is_before
    }
}

impl Hold {
    pub fn is_in_force(&self) -> bool {
        self.lifted.is_none()
    }

    /// Whether it holds a document that was seen there.
    pub fn holds(&self, number: Number, seen: &[Occurrence], mailboxes: &HashMap<FolderNumber, MailboxId>) -> bool {
        self.is_in_force()
            && match &self.what {
                Scope::Numbers(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&number)),
                Scope::Places(places) => seen.iter().any(|seen| places.hold(mailboxes.get(&seen.folder), seen)),
            }
    }

    /// Whether a hold may be called so.
    pub fn is_name(name: &str) -> bool {
        super::groups::Group::is_name(name)
    }
}

/// Numbers as people write them, `7, 12 20-30`; `None` where something is no number, or where there are too many.
pub fn numbers(text: &str) -> Option<Vec<(Number, Number)>> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty());
    let range = |word: &str| {
        let (low, high) = word.split_once(['-', '–']).unwrap_or((word, word));
        let (low, high) = (low.parse().ok()?, high.parse().ok()?);
        (0 < low && low <= high).then_some((low, high))
    };
    let ranges: Option<Vec<_>> = words.map(range).collect();
    ranges.filter(|ranges| (1..=HOLD_RANGES).contains(&ranges.len()))
}

/// All of them, those in force first, the newest first.
pub fn holds(archive: &Archive) -> Result<Vec<Hold>> {
    let mut all: Vec<Hold> = list_json(archive, HOLD)?;
    all.sort_by(|a, b| (a.lifted.is_some(), b.set, &a.name).cmp(&(b.lifted.is_some(), a.set, &b.name)));
    Ok(all)
}

/// Those in force, as a view has them.
pub fn in_force(view: &View) -> Result<Vec<Hold>> {
    let mut all = Vec::new();
    for (key, json) in view.settings(HOLD)? {
        // One that cannot be read would let go of what it holds: an error is better.
        all.push(open_json::<Hold>(&key, &json)?);
    }
    all.retain(Hold::is_in_force);
    Ok(all)
}

pub fn hold(archive: &Archive, name: &str) -> Result<Option<Hold>> {
    find_json(archive, &key(name))
}

/// Sets a hold, whose name nobody used before. In a [`super::retention::turn`].
pub fn set(archive: &Archive, hold: &Hold) -> Result<()> {
    write(archive, hold, &hold.who, Happening::HoldSet(hold.name.clone()), Vec::new())
}

/// Lifts a hold. It stays in the list; what it held may be very much, so that a confirmation to end many documents ends too. In a
/// [`super::retention::turn`].
pub fn lift(archive: &Archive, hold: &Hold, who: &str) -> Result<()> {
    let lifted = Some(Lifted { who: who.into(), time: clock::now() });
    let others = vec![Setting { key: SURE.into(), value: None }];
    write(archive, &Hold { lifted, ..hold.clone() }, who, Happening::HoldLifted(hold.name.clone()), others)
}

fn write(archive: &Archive, hold: &Hold, who: &str, what: Happening, others: Vec<Setting>) -> Result<()> {
    let key = key(&hold.name);
    let value = Some(to_json(&key, hold)?);
    let settings = [vec![Setting { key, value }], others].concat();
    let event = Event { time: clock::now(), who: who.into(), what };
    Ok(archive.commit(Commit { settings, journal: vec![event], ..Commit::default() })?)
}

fn key(name: &str) -> String {
    format!("{HOLD}{}", name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(numbers("7, 12\n20-30;31"), Some(vec![(7, 7), (12, 12), (20, 30), (31, 31)]));
        for bad in ["", "x", "0", "9-8", "-3", "3-", "1,,x", &"1 ".repeat(HOLD_RANGES + 1)] {
            assert_eq!(numbers(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_are_days_wherever_somebody_is() {
        let places = Places {
            from: Some(jiff::civil::date(2024, 5, 2)),
            until: Some(jiff::civil::date(2024, 5, 3)),
            ..Places::default()
        };
        let at = |text: &str| {
            let received = text.parse::<jiff::Timestamp>().unwrap().as_second();
            Occurrence {
                document: 1,
                folder: 1,
                remote: Vec::new(),
                seen: 0,
                received: Some(received),
                flags: Vec::new(),
            }
        };
        for (time, is_held) in [
            ("2024-05-01T09:59:59Z", false),
            ("2024-05-01T10:00:00Z", true),
            ("2024-05-04T11:59:59Z", true),
            ("2024-05-04T12:00:00Z", false),
        ] {
            assert_eq!(places.hold(None, &at(time)), is_held, "{time}");
        }
    }
}
