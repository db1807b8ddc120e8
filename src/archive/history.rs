//! The history as a text, made from the log alone (docs/format.md, part 7): which documents began and ended and what was
//! noted in the journal, one line each. Whoever has it finds the hash of a mail in it, by any tool.
//!
//! Invariants: the same commits give the same bytes in every later release, also when documents were erased since; nothing
//! of the contents or header fields of a mail stands in it, and nothing that somebody wrote freely.

use std::io::{self, Write};

use super::commit::{Commit, Ending, Event, Happening};
use super::error::Result;
use super::keys::Keys;
use super::log::{self, Finding, ReadCommit, Start, Visitor};
use super::pack::Depth;
use super::record::ArchiveId;
use super::rows::Position;
use super::start::Paths;
use crate::clock;
use crate::hash::Sha256;
use crate::pulse::{Cancelled, Pulse};

/// From here on, the first second of the year 9999, a time is written as a number.
const NO_DATE: i64 = 253_370_764_800;

/// A commit up to which something is known, and where it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// 0: before the first commit.
    pub sequence: u64,
    pub link: Sha256,
    pub pack: u32,
    /// Byte behind its link; 0 where that is not remembered, and the pack is looked through for it.
    pub end: u64,
}

/// Which archive is read.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    pub paths: &'a Paths,
    pub archive: ArchiveId,
    pub keys: &'a Keys,
}

/// Calls `each` with every commit behind `from` up to commit `until`, which was acknowledged. What is missing or damaged in
/// between is passed over: `verify` is what tells of it. Constant memory; beats with every commit and every MiB.
pub fn walk(
    of: Of<'_>,
    from: Mark,
    until: u64,
    pulse: &Pulse,
    each: &mut dyn FnMut(&ReadCommit) -> Result<()>,
) -> Result<()> {
    let position = Position {
        archive: of.archive,
        sequence: from.sequence,
        commit: from.link,
        pack: from.pack,
        end: from.end,
        ..Position::default()
    };
    let start = Start { archive: of.archive, keys: of.keys, position, known: until, depth: Depth::Headers };
    let mut walk = Walk { from: from.sequence, until, pulse, each, is_cancelled: false };
    if from.sequence < until {
        log::walk(&of.paths.packs, start, &mut walk)?;
    }
    if walk.is_cancelled { Err(Cancelled.into()) } else { Ok(()) }
}

struct Walk<'a> {
    from: u64,
    until: u64,
    pulse: &'a Pulse,
    each: &'a mut dyn FnMut(&ReadCommit) -> Result<()>,
    is_cancelled: bool,
}

impl Visitor for Walk<'_> {
    fn commit(&mut self, read: &ReadCommit) -> Result<bool> {
        self.progress(0);
        let sequence = read.commit.sequence;
        if self.is_cancelled || sequence > self.until {
            return Ok(false);
        }
        if sequence > self.from {
            (self.each)(read)?;
        }
        Ok(sequence < self.until)
    }

    fn finding(&mut self, _: Finding) {}

    fn progress(&mut self, _: u64) {
        self.is_cancelled |= self.pulse.go_on().is_err();
    }
}

/// Writes the lines of one commit.
pub fn write(commit: &Commit, link: &Sha256, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "commit {} {} {link}", commit.sequence, time(commit.time))?;
    for new in &commit.documents {
        writeln!(out, "document {} {} {}", new.number, new.sha256, new.size)?;
    }
    for variant in &commit.variants {
        writeln!(out, "variant {} {} {}", variant.document, variant.sha256, variant.size)?;
    }
    for tombstone in &commit.tombstones {
        let why = match tombstone.why {
            Ending::Term => "term",
            Ending::Erased => "erased",
        };
        writeln!(out, "ended {} {why}", tombstone.number)?;
    }
    for block in &commit.blocks {
        writeln!(out, "{} {}", if block.is_blocked { "blocked" } else { "unblocked" }, block.number)?;
    }
    for Event { time: at, who, what } in &commit.journal {
        writeln!(out, "event {} {} {}{}", time(*at), quoted(who), what.word(), details(what))?;
    }
    Ok(())
}

/// A moment, Unix seconds: RFC 3339 in UTC, or `@` and the seconds where the year has no four digits that everybody reads.
fn time(seconds: i64) -> String {
    if (0..NO_DATE).contains(&seconds) { clock::rfc3339(seconds) } else { format!("@{seconds}") }
}

/// A name as a string of JSON, on one line and with nothing that a terminal would obey.
fn quoted(name: &str) -> String {
    let mut out = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Words that follow the first one, each with a space before it. What people write freely is not among them: the name that
/// was given at a refused login, the reason of an erasure.
fn details(what: &Happening) -> String {
    match what {
        Happening::SettingChanged(name)
        | Happening::RunAsked(name)
        | Happening::HoldSet(name)
        | Happening::HoldLifted(name) => format!(" {}", quoted(name)),
        Happening::Exported(low, high, count) | Happening::Deleted(low, high, count) => {
            format!(" {low} {high} {count}")
        }
        Happening::ExportedSome(numbers) => {
            numbers.iter().fold(String::new(), |all, number| all + &format!(" {number}"))
        }
        Happening::FieldsChanged(number, names) => {
            names.iter().fold(format!(" {number}"), |line, name| format!("{line} {}", quoted(name)))
        }
        Happening::Downloaded(number, part, file) => {
            [*part, *file].iter().flatten().fold(format!(" {number}"), |line, place| format!("{line} {place}"))
        }
        Happening::Erased(number, asked) => format!(" {number} {}", quoted(asked)),
        Happening::Restored(number, definition, mailbox) => {
            format!(" {number} {} {}", quoted(definition), quoted(mailbox))
        }
        Happening::Opened(number)
        | Happening::Published(number)
        | Happening::Withdrawn(number)
        | Happening::Uploaded(number)
        | Happening::OpenedByLink(number)
        | Happening::Blocked(number)
        | Happening::Unblocked(number)
        | Happening::ErasureAsked(number, _)
        | Happening::ErasureRefused(number)
        | Happening::Verified(number)
        | Happening::ProofExported(number)
        | Happening::Signed(number) => format!(" {number}"),
        Happening::LoggedIn
        | Happening::LoginRefused(_)
        | Happening::LoggedOut
        | Happening::RestartAsked
        | Happening::PowerOffAsked
        | Happening::ResumeAsked
        | Happening::KeyShown
        | Happening::Recovered => String::new(),
    }
}

/// The words of all kinds of events, in the order of their numbers. Frozen.
pub const WORDS: [&str; 31] = [
    "setting-changed",
    "exported",
    "opened",
    "fields-changed",
    "published",
    "withdrawn",
    "uploaded",
    "downloaded",
    "logged-in",
    "login-refused",
    "logged-out",
    "opened-by-link",
    "run-asked",
    "restart-asked",
    "power-off-asked",
    "resume-asked",
    "blocked",
    "unblocked",
    "erasure-asked",
    "erasure-refused",
    "erased",
    "deleted",
    "hold-set",
    "hold-lifted",
    "exported-some",
    "restored",
    "verified",
    "proof-exported",
    "checkpoint-signed",
    "key-shown",
    "recovered",
];

impl Happening {
    /// Its number in the log, and in [`WORDS`].
    pub fn kind(&self) -> usize {
        match self {
            Self::SettingChanged(_) => 0,
            Self::Exported(..) => 1,
            Self::Opened(_) => 2,
            Self::FieldsChanged(..) => 3,
            Self::Published(_) => 4,
            Self::Withdrawn(_) => 5,
            Self::Uploaded(_) => 6,
            Self::Downloaded(..) => 7,
            Self::LoggedIn => 8,
            Self::LoginRefused(_) => 9,
            Self::LoggedOut => 10,
            Self::OpenedByLink(_) => 11,
            Self::RunAsked(_) => 12,
            Self::RestartAsked => 13,
            Self::PowerOffAsked => 14,
            Self::ResumeAsked => 15,
            Self::Blocked(_) => 16,
            Self::Unblocked(_) => 17,
            Self::ErasureAsked(..) => 18,
            Self::ErasureRefused(_) => 19,
            Self::Erased(..) => 20,
            Self::Deleted(..) => 21,
            Self::HoldSet(_) => 22,
            Self::HoldLifted(_) => 23,
            Self::ExportedSome(_) => 24,
            Self::Restored(..) => 25,
            Self::Verified(_) => 26,
            Self::ProofExported(_) => 27,
            Self::Signed(_) => 28,
            Self::KeyShown => 29,
            Self::Recovered => 30,
        }
    }

    /// Its frozen English word.
    pub fn word(&self) -> &'static str {
        WORDS[self.kind()]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::commit::{Block, NewDocument, Tombstone, Variant};
    use super::*;

    /// One of each kind, in their order.
    pub(crate) fn one_of_each() -> Vec<Happening> {
        use Happening as H;
        let all = vec![
            H::SettingChanged("user/anna".into()),
            H::Exported(1, 9, 8),
            H::Opened(7),
            H::FieldsChanged(7, vec!["Kunde".into(), "note".into()]),
            H::Published(7),
            H::Withdrawn(7),
            H::Uploaded(7),
            H::Downloaded(7, Some(2), Some(1)),
            H::LoggedIn,
            H::LoginRefused("geheim".into()),
            H::LoggedOut,
            H::OpenedByLink(7),
            H::RunAsked("office".into()),
            H::RestartAsked,
            H::PowerOffAsked,
            H::ResumeAsked,
            H::Blocked(7),
            H::Unblocked(7),
            H::ErasureAsked(7, "privat".into()),
            H::ErasureRefused(7),
            H::Erased(7, "beat".into()),
            H::Deleted(1, 9, 8),
            H::HoldSet("Prozess".into()),
            H::HoldLifted("Prozess".into()),
            H::ExportedSome(vec![1, 3]),
            H::Restored(7, "office".into(), "anna@example.ch".into()),
            H::Verified(0),
            H::ProofExported(12),
            H::Signed(12),
            H::KeyShown,
            H::Recovered,
        ];
        assert!(all.iter().map(Happening::kind).eq(0..WORDS.len()));
        all
    }

    /// A commit with all that a history tells.
    pub(crate) fn full() -> Commit {
        let event = |(place, what): (i64, _)| Event { time: 1_700_000_000 + place, who: "Jürg \"J\"\n".into(), what };
        Commit {
            sequence: 12,
            time: 1_700_000_100,
            documents: vec![NewDocument { number: 7, sha256: Sha256::of(b"abc"), size: 3, message: 0, document: 1 }],
            variants: vec![Variant { document: 7, sha256: Sha256::of(b"abd"), size: 3, message: 2 }],
            tombstones: [(5, Ending::Term), (6, Ending::Erased)]
                .map(|(number, why)| Tombstone { number, why, records: Vec::new(), parts: Vec::new() })
                .into(),
            blocks: [true, false].map(|is_blocked| Block { number: 4, is_blocked }).into(),
            journal: (0..).zip(one_of_each()).map(event).collect(),
            ..Commit::default()
        }
    }

    pub(crate) fn text() -> String {
        let mut text = Vec::new();
        write(&full(), &Sha256::of(b"link"), &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    /// The history of docs/format.md, part 7.
    #[test]
    fn the_text_is_frozen() {
        let format = include_str!("../../docs/format.md");
        let indented: String = text().lines().fold(String::new(), |all, line| format!("{all}    {line}\n"));
        assert!(format.contains(&indented), "{indented}");
        assert!(!indented.contains("geheim") && !indented.contains("privat"));
    }

    #[test]
    fn the_numbers_are_those_of_the_log() {
        for (kind, what) in (0..).zip(one_of_each()) {
            let bytes = minicbor::to_vec(&what).unwrap();
            let mut decoder = minicbor::Decoder::new(&bytes);
            decoder.array().unwrap();
            assert_eq!(decoder.u8().unwrap(), kind, "{what:?}");
        }
    }

    #[test]
    fn no_name_makes_a_line_of_its_own() {
        for (name, expected) in [
            ("", "\"\""),
            ("a\nevent", "\"a\\u000aevent\""),
            ("\u{1b}[31m\u{9b}\u{7f}", "\"\\u001b[31m\\u009b\\u007f\""),
            ("\u{202e}\u{2028}\"\\", "\"\\u202e\\u2028\\\"\\\\\""),
            ("Zoë 🎉", "\"Zoë 🎉\""),
        ] {
            assert_eq!(quoted(name), expected);
            assert_eq!(serde_json::from_str::<String>(expected).unwrap(), name);
        }
        assert_eq!(time(-1), "@-1");
        assert_eq!(time(NO_DATE), "@253370764800");
        assert_eq!(time(NO_DATE - 1), "9998-12-31T23:59:59Z");
    }
}
