//! What can be wrong with a message, said to people and to machines.

use std::collections::BTreeSet;

use crate::language::Lang;

/// Something in a message that could not be read as it should be. The message is archived byte for byte all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// No header field at all.
    NoHeader,
    /// The header does not end in an empty line.
    NoBlankLine,
    /// The header is longer than what is read ([`crate::limits::HEAD`], 64 KiB for a part's).
    HeaderTooLong,
    /// A line of the header is neither a field nor its continuation.
    BrokenHeaderLine,
    /// NUL bytes.
    Nul,
    /// Bytes over 127 in the header that are not UTF-8 (RFC 6532).
    EightBitHeader,
    /// A character set that is not known or does not fit its text.
    Charset,
    /// Carriage returns that stand alone, or both kinds of line end in one message.
    BareLineEnd,
    /// More nested parts than are followed ([`crate::limits::NESTING`]).
    TooDeep,
    /// More attachments than are remembered ([`crate::limits::PARTS`]).
    TooManyParts,
    /// A multipart without a boundary, or whose boundary never comes.
    NoBoundary,
    /// A multipart that never ends.
    NoFinalBoundary,
    /// A transfer encoding that is not known, or base64 that is not base64 (its first 4 KiB are looked at).
    Encoding,
    /// No usable date.
    Date,
    /// An empty message: nothing but white space.
    Empty,
    /// A field that may stand once in a header (RFC 5322, section 3.6) stands there several times.
    DuplicateField,
    /// The server could not give the message itself; it was put together from what the server could give.
    Reconstructed,
}

/// The defects found so far: sorted, each once.
pub(crate) type Defects = BTreeSet<Defect>;

impl Defect {
    /// The number under which the defect is stored. Numbers are never reused.
    pub fn code(self) -> u8 {
        match self {
            Self::NoHeader => 1,
            Self::NoBlankLine => 2,
            Self::HeaderTooLong => 3,
            Self::BrokenHeaderLine => 4,
            Self::Nul => 5,
            Self::EightBitHeader => 6,
            Self::Charset => 7,
            Self::BareLineEnd => 8,
            Self::TooDeep => 9,
            Self::TooManyParts => 10,
            Self::NoBoundary => 11,
            Self::NoFinalBoundary => 12,
            Self::Encoding => 13,
            Self::Date => 14,
            Self::Empty => 15,
            Self::DuplicateField => 16,
            Self::Reconstructed => 17,
        }
    }

    /// The defect with this [`Defect::code`]; none for a number of a later release.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::NoHeader,
            2 => Self::NoBlankLine,
            3 => Self::HeaderTooLong,
            4 => Self::BrokenHeaderLine,
            5 => Self::Nul,
            6 => Self::EightBitHeader,
            7 => Self::Charset,
            8 => Self::BareLineEnd,
            9 => Self::TooDeep,
            10 => Self::TooManyParts,
            11 => Self::NoBoundary,
            12 => Self::NoFinalBoundary,
            13 => Self::Encoding,
            14 => Self::Date,
            15 => Self::Empty,
            16 => Self::DuplicateField,
            17 => Self::Reconstructed,
            _ => return None,
        })
    }

    /// A stable name for machines, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoHeader => "no-header",
            Self::NoBlankLine => "no-blank-line",
            Self::HeaderTooLong => "header-too-long",
            Self::BrokenHeaderLine => "broken-header-line",
            Self::Nul => "nul",
            Self::EightBitHeader => "eight-bit-header",
            Self::Charset => "charset",
            Self::BareLineEnd => "bare-line-end",
            Self::TooDeep => "too-deep",
            Self::TooManyParts => "too-many-parts",
            Self::NoBoundary => "no-boundary",
            Self::NoFinalBoundary => "no-final-boundary",
            Self::Encoding => "encoding",
            Self::Date => "date",
            Self::Empty => "empty",
            Self::DuplicateField => "duplicate-field",
            Self::Reconstructed => "reconstructed",
        }
    }

    /// One sentence for people.
    pub fn sentence(self, lang: Lang) -> &'static str {
        match lang {
            Lang::De => self.german(),
            Lang::En => self.english(),
        }
    }

    fn english(self) -> &'static str {
        match self {
            Self::NoHeader => "The message has no header.",
            Self::NoBlankLine => "The message ends within its header.",
            Self::HeaderTooLong => "A header is very long; only its beginning was read.",
            Self::BrokenHeaderLine => "A line of a header is neither a field nor the continuation of one.",
            Self::Nul => "The message contains NUL bytes.",
            Self::EightBitHeader => {
                "The header contains characters of an unknown character set; they were read as Windows-1252."
            }
            Self::Charset => {
                "A character set is unknown or does not fit the text; some characters may be shown wrongly."
            }
            Self::BareLineEnd => "The line ends of the message are not uniform.",
            Self::TooDeep => "Parts are nested too deeply; the innermost were not looked at.",
            Self::TooManyParts => "The message has very many attachments; only the first are listed.",
            Self::NoBoundary => "The parts of the message cannot be told apart, because their boundary is missing.",
            Self::NoFinalBoundary => "The last boundary is missing; the message may be incomplete.",
            Self::Encoding => "An attachment or text is encoded in an unknown or faulty way.",
            Self::Date => "The message has no usable date.",
            Self::Empty => "The message is empty.",
            Self::DuplicateField => {
                "A header field stands several times in the message; programs may show different ones."
            }
            Self::Reconstructed => {
                "The server could not give the message itself; it was put together from its fields and attachments."
            }
        }
    }

    fn german(self) -> &'static str {
        match self {
            Self::NoHeader => "Die Nachricht hat keinen Kopf.",
            Self::NoBlankLine => "Die Nachricht endet mitten in ihrem Kopf.",
            Self::HeaderTooLong => "Ein Kopf ist sehr lang; nur sein Anfang wurde gelesen.",
            Self::BrokenHeaderLine => "Eine Zeile eines Kopfs ist weder ein Feld noch dessen Fortsetzung.",
            Self::Nul => "Die Nachricht enthält NUL-Bytes.",
            Self::EightBitHeader => {
                "Der Kopf enthält Zeichen eines unbekannten Zeichensatzes; sie wurden als Windows-1252 gelesen."
            }
            Self::Charset => {
                "Ein Zeichensatz ist unbekannt oder passt nicht zum Text; einzelne Zeichen können falsch erscheinen."
            }
            Self::BareLineEnd => "Die Zeilenenden der Nachricht sind nicht einheitlich.",
            Self::TooDeep => "Teile sind zu tief verschachtelt; die innersten wurden nicht angesehen.",
            Self::TooManyParts => "Die Nachricht hat sehr viele Anhänge; nur die ersten sind aufgeführt.",
            Self::NoBoundary => "Die Teile der Nachricht lassen sich nicht trennen, weil ihre Grenze fehlt.",
            Self::NoFinalBoundary => "Die letzte Grenze fehlt; die Nachricht ist vielleicht unvollständig.",
            Self::Encoding => "Ein Anhang oder Text ist auf unbekannte oder fehlerhafte Weise codiert.",
            Self::Date => "Die Nachricht hat kein brauchbares Datum.",
            Self::Empty => "Die Nachricht ist leer.",
            Self::DuplicateField => {
                "Ein Feld des Kopfs kommt mehrfach vor; Programme zeigen vielleicht verschiedene davon."
            }
            Self::Reconstructed => {
                "Der Server konnte die Nachricht selbst nicht geben; sie wurde aus Feldern und Anhängen zusammengesetzt."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_names_one_defect() {
        let known: Vec<Defect> = (0..=u8::MAX).filter_map(Defect::from_code).collect();
        assert_eq!(known.len(), 17);
        for defect in &known {
            assert_eq!(Defect::from_code(defect.code()), Some(*defect));
        }
        let names: HashSet<_> = known.iter().map(|defect| defect.name()).collect();
        assert_eq!(names.len(), known.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase())));
    }

    #[test]
    fn sentences_differ_and_are_swiss() {
        let mut seen = HashSet::new();
        for defect in (0..=u8::MAX).filter_map(Defect::from_code) {
            for lang in [Lang::De, Lang::En] {
                let sentence = defect.sentence(lang);
                assert!(sentence.ends_with('.') && !sentence.contains('ß'), "{sentence}");
                assert!(seen.insert(sentence), "twice: {sentence}");
            }
        }
    }
}
