//! What of a query could not be understood, said to people.

use crate::language::Lang;
use crate::limits::BEGINNING_CHARS;

/// What could not be understood; the rest of the query counts all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A field without a value, as it was written.
    NoValue(String),
    /// A field that wants a day, and what was written.
    NoDay(String),
    /// One that wants a size.
    NoSize(String),
    /// `has:` of something else.
    NoThing(String),
    /// `or` with nothing before or behind it.
    NoAlternative,
    /// A beginning of so few letters.
    TooShort(String),
    /// Quotation marks that nobody closed.
    Open,
    /// More than is looked at.
    TooLong,
}

impl Hint {
    /// One sentence for people.
    pub fn sentence(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::NoValue(word), Lang::En) => {
                format!("{word} what? For example from:meier or subject:\"last offer\"")
            }
            (Self::NoValue(word), Lang::De) => {
                format!("{word} was? Zum Beispiel from:meier oder subject:\"letzte Offerte\"")
            }
            (Self::NoDay(text), Lang::En) => format!("{text:?} is no day: write 2026-11-21 or 21.11.2026"),
            (Self::NoDay(text), Lang::De) => format!("«{text}» ist kein Tag: schreiben Sie 21.11.2026 oder 2026-11-21"),
            (Self::NoSize(text), Lang::En) => format!("{text:?} is no size: write 500k, 2M or 1G"),
            (Self::NoSize(text), Lang::De) => format!("«{text}» ist keine Grösse: schreiben Sie 500k, 2M oder 1G"),
            (Self::NoThing(text), Lang::En) => format!("has:{text} is not known: write has:attachment"),
            (Self::NoThing(text), Lang::De) => format!("has:{text} ist nicht bekannt: schreiben Sie hat:anhang"),
            (Self::NoAlternative, Lang::En) => "or stands between two things: offer or invoice".into(),
            (Self::NoAlternative, Lang::De) => "oder steht zwischen zwei Dingen: Offerte oder Rechnung".into(),
            (Self::TooShort(text), Lang::En) => {
                format!("{text} is too short a beginning: write at least {BEGINNING_CHARS} letters before the *")
            }
            (Self::TooShort(text), Lang::De) => {
                format!(
                    "{text} ist ein zu kurzer Anfang: schreiben Sie mindestens {BEGINNING_CHARS} Buchstaben vor den *"
                )
            }
            (Self::Open, Lang::En) => "A quotation mark has no partner; everything after it was taken as one.".into(),
            (Self::Open, Lang::De) => {
                "Ein Anführungszeichen hat keinen Partner; alles dahinter gilt als ein Ausdruck.".into()
            }
            (Self::TooLong, Lang::En) => "This is too much at a time; only the beginning was looked for.".into(),
            (Self::TooLong, Lang::De) => "Das ist zu viel auf einmal; gesucht wurde nur der Anfang.".into(),
        }
    }
}
