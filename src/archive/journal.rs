//! What the journal says: who did what, and when. Part of a commit (docs/format.md, part 3).
//!
//! Invariant: a line names numbers and what people set, never contents of a document, so that deleting one can be complete.

use minicbor::{Decode, Encode};

use super::commit::Number;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Event {
    /// Unix seconds.
    #[n(0)]
    pub time: i64,
    /// A user, `console`, or the archive itself.
    #[n(1)]
    pub who: String,
    #[n(2)]
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Happening {
    #[n(0)]
    SettingChanged(#[n(0)] String),
    /// From number to number, and how many.
    #[n(1)]
    Exported(#[n(0)] Number, #[n(1)] Number, #[n(2)] u64),
    /// Looked at.
    #[n(2)]
    Opened(#[n(0)] Number),
    /// Fields or note changed: which, by name.
    #[n(3)]
    FieldsChanged(#[n(0)] Number, #[n(1)] Vec<String>),
    #[n(4)]
    Published(#[n(0)] Number),
    #[n(5)]
    Withdrawn(#[n(0)] Number),
    #[n(6)]
    Uploaded(#[n(0)] Number),
    /// The whole file, or this part of the mail, or this file within that part. Numbers and no names, so that a deletion can be
    /// complete.
    #[n(7)]
    Downloaded(#[n(0)] Number, #[n(1)] Option<u32>, #[n(2)] Option<u32>),
    #[n(8)]
    LoggedIn,
    /// A login that was refused; the name as it was given.
    #[n(9)]
    LoginRefused(#[n(0)] String),
    #[n(10)]
    LoggedOut,
    /// Found by its access link.
    #[n(11)]
    OpenedByLink(#[n(0)] Number),
    /// A run that a person asked for.
    #[n(12)]
    RunAsked(#[n(0)] String),
    /// The box was to start again.
    #[n(13)]
    RestartAsked,
    #[n(14)]
    PowerOffAsked,
    /// Fetching was to go on after the watchdog had started the box too often.
    #[n(15)]
    ResumeAsked,
    /// Kept from all but those who read everything.
    #[n(16)]
    Blocked(#[n(0)] Number),
    #[n(17)]
    Unblocked(#[n(0)] Number),
    /// A person asked for it to be erased before its term, for this reason; another one has to agree.
    #[n(18)]
    ErasureAsked(#[n(0)] Number, #[n(1)] String),
    /// Another person did not agree, or who asked took it back.
    #[n(19)]
    ErasureRefused(#[n(0)] Number),
    /// A second person agreed: erased. The first one is named.
    #[n(20)]
    Erased(#[n(0)] Number, #[n(1)] String),
    /// Documents whose term was over were deleted: lowest and highest number, and how many.
    #[n(21)]
    Deleted(#[n(0)] Number, #[n(1)] Number, #[n(2)] u64),
    /// A hold of this name was set, or changed.
    #[n(22)]
    HoldSet(#[n(0)] String),
    #[n(23)]
    HoldLifted(#[n(0)] String),
    /// Handed out together with others: these.
    #[n(24)]
    ExportedSome(#[n(0)] Vec<Number>),
    /// Played back into a mailbox: of which definition, and its identity.
    #[n(25)]
    Restored(#[n(0)] Number, #[n(1)] String, #[n(2)] String),
    /// The whole archive was verified, with so many findings.
    #[n(26)]
    Verified(#[n(0)] u64),
    /// The proof was handed out: up to this checkpoint.
    #[n(27)]
    ProofExported(#[n(0)] u64),
    /// This checkpoint was signed.
    #[n(28)]
    Signed(#[n(0)] u64),
    /// The recovery sheet was shown.
    #[n(29)]
    KeyShown,
    /// The archive key came from a recovery sheet.
    #[n(30)]
    Recovered,
}

impl Happening {
    /// Whether it happened to this document.
    pub fn names(&self, document: Number) -> bool {
        match self {
            Self::Exported(first, last, _) | Self::Deleted(first, last, _) => (*first..=*last).contains(&document),
            Self::Opened(number)
            | Self::FieldsChanged(number, _)
            | Self::Published(number)
            | Self::Withdrawn(number)
            | Self::Uploaded(number)
            | Self::Downloaded(number, ..)
            | Self::Blocked(number)
            | Self::Unblocked(number)
            | Self::ErasureAsked(number, _)
            | Self::ErasureRefused(number)
            | Self::Erased(number, _)
            | Self::Restored(number, ..)
            | Self::OpenedByLink(number) => *number == document,
            Self::ExportedSome(numbers) => numbers.contains(&document),
            _ => false,
        }
    }
}
