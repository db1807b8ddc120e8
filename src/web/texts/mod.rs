//! Every word of the pages, in German (Swiss spelling) and English. One struct per part of the house and one value of it
//! per language: a text that is missing in one of them does not compile.

mod entry;
mod page;

pub use entry::Entry;
pub use page::Page;

use crate::language::Lang;

/// All texts of one language.
pub struct Texts {
    /// Code of the language (BCP 47).
    pub code: &'static str,
    pub page: Page,
    pub entry: Entry,
}

static DE: Texts = Texts { code: "de-CH", page: page::DE, entry: entry::DE };
static EN: Texts = Texts { code: "en", page: page::EN, entry: entry::EN };

pub fn of(lang: Lang) -> &'static Texts {
    match lang {
        Lang::De => &DE,
        Lang::En => &EN,
    }
}
