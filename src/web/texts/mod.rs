//! Every word of the pages, in German (Swiss spelling) and English. One struct per part of the house and one value of it
//! per language: a text that is missing in one of them does not compile.

mod admin;
mod definition;
mod dms;
mod entry;
mod managing;
mod page;

pub use admin::Admin;
pub use definition::Definition;
pub use dms::Dms;
pub use entry::Entry;
pub use managing::Managing;
pub use page::Page;

use crate::language::Lang;

/// All texts of one language.
pub struct Texts {
    /// Code of the language (BCP 47).
    pub code: &'static str,
    pub page: Page,
    pub entry: Entry,
    pub admin: Admin,
    pub definition: Definition,
    pub dms: Dms,
    pub managing: Managing,
}

static DE: Texts = Texts {
    code: "de-CH",
    page: page::DE,
    entry: entry::DE,
    admin: admin::DE,
    definition: definition::DE,
    dms: dms::DE,
    managing: managing::DE,
};
static EN: Texts = Texts {
    code: "en",
    page: page::EN,
    entry: entry::EN,
    admin: admin::EN,
    definition: definition::EN,
    dms: dms::EN,
    managing: managing::EN,
};

pub fn of(lang: Lang) -> &'static Texts {
    match lang {
        Lang::De => &DE,
        Lang::En => &EN,
    }
}
