//! Every word of the pages, in German (Swiss spelling) and English. One struct per part of the house and one value of it
//! per language: a text that is missing in one of them does not compile.

mod admin;
mod assistant;
mod definition;
mod dms;
mod entry;
mod fetching;
mod fields;
mod growth;
mod journal;
mod manage;
mod managing;
mod page;
mod proof;
mod public;
mod recovery;
mod retention;
mod rights;
mod system;
mod tokens;
mod trouble;
mod verification;

pub use admin::Admin;
pub use assistant::Assistant;
pub use definition::Definition;
pub use dms::Dms;
pub use entry::Entry;
pub use fetching::Fetching;
pub use fields::Fields;
pub use growth::Growth;
pub use journal::Journal;
pub use manage::Manage;
pub use managing::Managing;
pub use page::Page;
pub use proof::Proof;
pub use public::Public;
pub use recovery::Recovery;
pub use retention::Retention;
pub use rights::Rights;
pub use system::System;
pub use tokens::Tokens;
pub use trouble::Trouble;
pub use verification::Verification;

use crate::language::Lang;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// Code of the language (BCP 47).
    pub code: &'static str,
    pub page: Page,
    pub entry: Entry,
    pub admin: Admin,
    pub assistant: Assistant,
    pub definition: Definition,
    pub dms: Dms,
    pub fetching: Fetching,
    pub fields: Fields,
    pub managing: Managing,
    pub trouble: Trouble,
    pub system: System,
    pub growth: Growth,
    pub journal: Journal,
    pub proof: Proof,
    pub manage: Manage,
    pub tokens: Tokens,
    pub public: Public,
    pub recovery: Recovery,
    pub rights: Rights,
    pub verification: Verification,
    pub retention: Retention,
}

static DE: Texts = Texts {
    code: "de-CH",
    page: page::DE,
    entry: entry::DE,
    admin: admin::DE,
    assistant: assistant::DE,
    definition: definition::DE,
    dms: dms::DE,
    fetching: fetching::DE,
    fields: fields::DE,
    managing: managing::DE,
    trouble: trouble::DE,
    system: system::DE,
    growth: growth::DE,
    journal: journal::DE,
    proof: proof::DE,
    manage: manage::DE,
    tokens: tokens::DE,
    public: public::DE,
    recovery: recovery::DE,
    rights: rights::DE,
    verification: verification::DE,
    retention: retention::DE,
};
static EN: Texts = Texts {
    code: "en",
    page: page::EN,
    entry: entry::EN,
    admin: admin::EN,
    assistant: assistant::EN,
    definition: definition::EN,
    dms: dms::EN,
    fetching: fetching::EN,
    fields: fields::EN,
    managing: managing::EN,
    trouble: trouble::EN,
    system: system::EN,
    growth: growth::EN,
    journal: journal::EN,
    proof: proof::EN,
    manage: manage::EN,
    tokens: tokens::EN,
    public: public::EN,
    recovery: recovery::EN,
    rights: rights::EN,
    verification: verification::EN,
    retention: retention::EN,
};

pub fn of(lang: Lang) -> &'static Texts {
    match lang {
        Lang::De => &DE,
        Lang::En => &EN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{
        COMPILATION_DOCUMENTS, COMPILATION_TITLE, COMPILATIONS, COMPILATIONS_EACH, GROUP_MEMBERS, GROUPS, HOLD_RANGES,
        HOLDS, RETENTION_RULES, SCRUB_DAYS, TOKENS_EACH, VERIFICATIONS,
    };

    /// A sentence is no place for a limit of its own.
    #[test]
    fn sentences_name_the_limits_as_they_are() {
        for t in [&DE, &EN] {
            for (sentence, limit) in [
                (t.public.too_many, COMPILATIONS),
                (t.public.too_many, COMPILATIONS_EACH),
                (t.public.full, COMPILATION_DOCUMENTS),
                (t.public.title_wrong, COMPILATION_TITLE),
                (t.rights.too_many_groups, GROUPS),
                (t.rights.too_many_members, GROUP_MEMBERS),
                (t.tokens.too_many, TOKENS_EACH),
                (t.verification.intro, usize::try_from(SCRUB_DAYS).unwrap()),
                (t.verification.next_none, usize::try_from(SCRUB_DAYS).unwrap()),
                (t.verification.reports_help, VERIFICATIONS),
                (t.retention.too_many_rules, RETENTION_RULES),
                (t.retention.too_many_holds, HOLDS),
                (t.retention.numbers_wrong, HOLD_RANGES),
            ] {
                let has = sentence.split(|c: char| !c.is_ascii_digit()).any(|word| word == limit.to_string());
                assert!(has, "{limit}: {sentence}");
            }
        }
    }
}
