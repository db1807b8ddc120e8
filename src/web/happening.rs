//! Events of the journal in the words of whoever reads them: the one place for all pages and the API.

use super::Context;
use super::dms::fields::called;
use super::texts::Texts;
use crate::archive::commit::Happening;
use crate::settings::document_fields::DocumentFields;
use crate::settings::users::User;

/// In whose words, and what is told: a field that somebody does not see has no name.
pub struct Teller<'a> {
    pub t: &'static Texts,
    pub fields: &'a DocumentFields,
    pub user: Option<&'a User>,
}

impl<'a> Teller<'a> {
    pub fn of(context: &'a Context<'_>) -> Self {
        Self { t: context.t, fields: &context.fields, user: context.person.as_ref().map(|person| &person.user) }
    }

    /// What happened, without the numbers of documents.
    pub fn what(&self, what: &Happening) -> String {
        let t = &self.t.journal;
        let word = t.kinds[what.kind()];
        match what {
            Happening::SettingChanged(more)
            | Happening::LoginRefused(more)
            | Happening::RunAsked(more)
            | Happening::HoldSet(more)
            | Happening::HoldLifted(more)
            | Happening::ErasureAsked(_, more) => format!("{word}: {more}"),
            Happening::FieldsChanged(_, names) => {
                let seen = names.iter().filter(|name| self.fields.sees(self.user, name));
                format!("{word}: {}", seen.map(|name| called(self.t, name)).collect::<Vec<_>>().join(", "))
            }
            Happening::Downloaded(_, Some(part), file) => {
                let file = file.map(|file| format!(".{file}")).unwrap_or_default();
                format!("{word}: {} {part}{file}", self.t.dms.part)
            }
            Happening::Restored(_, definition, mailbox) => format!("{word}: {definition}, {mailbox}"),
            Happening::Erased(_, asked) => format!("{word}: {} {asked}", t.asked_by),
            Happening::Verified(findings) => format!("{word}: {}", (t.findings)(*findings)),
            Happening::ProofExported(number) | Happening::Signed(number) => format!("{word}: {number}"),
            _ => word.to_owned(),
        }
    }
}

/// Numbers of the documents to which it happened, or empty.
pub fn documents(what: &Happening) -> String {
    match what {
        Happening::Exported(low, high, count) | Happening::Deleted(low, high, count) if low != high => {
            format!("{low}–{high} ({count})")
        }
        Happening::ExportedSome(numbers) => numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
        Happening::Exported(number, ..)
        | Happening::Deleted(number, ..)
        | Happening::Opened(number)
        | Happening::FieldsChanged(number, _)
        | Happening::Published(number)
        | Happening::Withdrawn(number)
        | Happening::Uploaded(number)
        | Happening::Downloaded(number, ..)
        | Happening::OpenedByLink(number)
        | Happening::Blocked(number)
        | Happening::Unblocked(number)
        | Happening::ErasureAsked(number, _)
        | Happening::ErasureRefused(number)
        | Happening::Erased(number, _)
        | Happening::Restored(number, ..) => number.to_string(),
        _ => String::new(),
    }
}
