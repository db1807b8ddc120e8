//! Why the text of a file is missing, said to people and to machines.

use crate::language::Lang;

/// Why a file, or a part of it, was not read. It is archived byte for byte all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unread {
    /// A kind of file that has no text, or none that is read here.
    Kind,
    /// Encrypted, or protected by a password.
    Encrypted,
    /// Cut off or damaged, or not what it says.
    Broken,
    /// Longer than what is read ([`crate::limits::EXTRACT_FILE`]), or it takes more memory than it may.
    TooLarge,
    /// It takes longer than it may ([`crate::limits::EXTRACT_TIME`]).
    TooSlow,
    /// Messages within messages, deeper than is followed ([`crate::limits::EXTRACT_DEPTH`]).
    TooDeep,
    /// A PDF without text, or whose fonts do not say what they show.
    NoText,
    /// Whoever read it came to a bad end: a fault of this program, or an attack.
    Crashed,
    /// Nobody could be started who reads it. The file is to be tried again.
    NotTried,
}

impl Unread {
    /// The number under which the reason is stored, 1 to 255. Numbers are never reused.
    pub fn code(self) -> u8 {
        match self {
            Self::Kind => 1,
            Self::Encrypted => 2,
            Self::Broken => 3,
            Self::TooLarge => 4,
            Self::TooSlow => 5,
            Self::TooDeep => 6,
            Self::NoText => 7,
            Self::Crashed => 8,
            Self::NotTried => 9,
        }
    }

    /// The reason with this [`Unread::code`]; none for a number of a later release.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Kind,
            2 => Self::Encrypted,
            3 => Self::Broken,
            4 => Self::TooLarge,
            5 => Self::TooSlow,
            6 => Self::TooDeep,
            7 => Self::NoText,
            8 => Self::Crashed,
            9 => Self::NotTried,
            _ => return None,
        })
    }

    /// A stable name for machines, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Encrypted => "encrypted",
            Self::Broken => "broken",
            Self::TooLarge => "too-large",
            Self::TooSlow => "too-slow",
            Self::TooDeep => "too-deep",
            Self::NoText => "no-text",
            Self::Crashed => "crashed",
            Self::NotTried => "not-tried",
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
            Self::Kind => "Files of this kind are not searched; only their names are.",
            Self::Encrypted => "The file is encrypted or protected by a password; its text cannot be searched.",
            Self::Broken => "The file is damaged or incomplete; not all of its text could be read.",
            Self::TooLarge => "The file is too large; not all of its text could be read.",
            Self::TooSlow => "Reading the file took too long; not all of its text can be searched.",
            Self::TooDeep => "Messages are nested too deeply in the file; the innermost were not read.",
            Self::NoText => {
                "The file has no text that can be searched; it may consist of pictures, as a scanner makes them."
            }
            Self::Crashed => {
                "Reading the file failed; it may be damaged or made to do harm. Not all of its text can be searched."
            }
            Self::NotTried => "The file could not be read yet; it will be tried again.",
        }
    }

    fn german(self) -> &'static str {
        match self {
            Self::Kind => "Dateien dieser Art werden nicht durchsucht, nur ihre Namen.",
            Self::Encrypted => {
                "Die Datei ist verschlüsselt oder mit einem Passwort geschützt; ihr Text lässt sich nicht durchsuchen."
            }
            Self::Broken => "Die Datei ist beschädigt oder unvollständig; ihr Text liess sich nicht ganz lesen.",
            Self::TooLarge => "Die Datei ist zu gross; ihr Text liess sich nicht ganz lesen.",
            Self::TooSlow => "Das Lesen der Datei dauerte zu lange; ihr Text lässt sich nicht ganz durchsuchen.",
            Self::TooDeep => "In der Datei sind Nachrichten zu tief verschachtelt; die innersten wurden nicht gelesen.",
            Self::NoText => {
                "Die Datei hat keinen Text, der sich durchsuchen lässt; vielleicht besteht sie aus Bildern, wie ein Scanner sie macht."
            }
            Self::Crashed => {
                "Das Lesen der Datei ist gescheitert; sie ist vielleicht beschädigt oder soll Schaden anrichten. Ihr Text lässt sich nicht ganz durchsuchen."
            }
            Self::NotTried => "Die Datei konnte noch nicht gelesen werden; es wird noch einmal versucht.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_names_one_reason_with_two_sentences() {
        let known: Vec<Unread> = (0..=u8::MAX).filter_map(Unread::from_code).collect();
        assert_eq!(known.len(), 9);
        let mut seen = HashSet::new();
        for unread in known {
            assert_eq!(Unread::from_code(unread.code()), Some(unread));
            assert!(seen.insert(unread.name()));
            for lang in [Lang::De, Lang::En] {
                let sentence = unread.sentence(lang);
                assert!(sentence.ends_with('.') && !sentence.contains('ß'), "{sentence}");
                assert!(seen.insert(sentence), "twice: {sentence}");
            }
        }
    }
}
