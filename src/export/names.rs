//! What documents are called in an export: date, number, and title or file name. The number keeps every name apart from
//! all others, in whatever way a system compares names.

use jiff::civil::Date;

use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::limits::{EXPORT_NAME_BYTES, EXPORT_NAME_CHARS};
use crate::mail::file_name::{ending, safe};

/// `2026-11-21_8441_Offerte Dachsanierung.eml`, `2026-11-21_8442_plan.pdf`.
pub fn of(number: Number, document: &Document, date: Date) -> String {
    let metadata = &document.metadata;
    let (stem, ending) = if metadata.is_mail() {
        // A title such as `1. Mahnung v2.1` has no ending to be kept.
        (safe(&metadata.title), Some("eml".to_owned()))
    } else {
        let name = safe(&metadata.media_name);
        match ending(&name).and_then(|ending| Some((name.strip_suffix(ending)?.strip_suffix('.')?, ending))) {
            Some((stem, ending)) if !stem.is_empty() => (stem.to_owned(), Some(ending.to_owned())),
            _ => (name, None),
        }
    };
    let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let begin = format!("{date}_{number}");
    let room = EXPORT_NAME_BYTES.saturating_sub(begin.len() + 1 + ending.len());
    let stem = cut(stem.trim(), room);
    if stem.is_empty() { begin + &ending } else { format!("{begin}_{stem}{ending}") }
}

fn cut(text: &str, bytes: usize) -> &str {
    let end = text.char_indices().nth(EXPORT_NAME_CHARS).map_or(text.len(), |(place, _)| place);
    text[..text.floor_char_boundary(end.min(bytes))].trim_end_matches(['.', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::commit::{KIND_FILE, KIND_MAIL, Metadata};
    use crate::hash::Sha256;

    fn name(kind: u8, text: &str) -> String {
        let metadata = Metadata { kind, title: text.into(), media_name: text.into(), ..Metadata::default() };
        let document =
            Document { sha256: Sha256::default(), size: 0, pack: 1, offset: None, metadata, time: 0, record: None };
        of(7, &document, jiff::civil::date(2026, 11, 21))
    }

    #[test]
    fn names_are_dated_and_harmless_and_keep_their_ending() {
        for (text, mail, file) in [
            ("Offerte", "_Offerte.eml", "_Offerte"),
            ("plan.pdf", "_plan.pdf.eml", "_plan.pdf"),
            ("../../etc/passwd", "_passwd.eml", "_passwd"),
            ("CON", "__CON.eml", "__CON"),
            ("", ".eml", ""),
            ("...", ".eml", ""),
            ("a/b: \"c\"?", "_b_ _c__.eml", "_b_ _c__"),
            ("rech\u{202e}fdp.exe", "_rechfdp.exe.eml", "_rechfdp.exe"),
            ("🎉 Fest", "_🎉 Fest.eml", "_🎉 Fest"),
        ] {
            assert!(name(KIND_MAIL, text).ends_with(mail), "{text:?}: {}", name(KIND_MAIL, text));
            assert_eq!(name(KIND_FILE, text), format!("2026-11-21_7{file}"), "{text:?}");
        }
        for long in ["x".repeat(300), "ü".repeat(300), "🎉".repeat(300)] {
            for (kind, text, ending) in [(KIND_MAIL, long.clone(), ".eml"), (KIND_FILE, format!("{long}.pdf"), ".pdf")]
            {
                let name = name(kind, &text);
                assert!(name.len() <= EXPORT_NAME_BYTES && name.ends_with(ending), "{name}");
            }
        }
        // What is too long for an ending is none.
        for text in [format!("a.{}", "🎉".repeat(100)), format!("{}.{}", "🎉".repeat(50), "x".repeat(60))] {
            let name = name(KIND_FILE, &text);
            assert!(name.len() <= EXPORT_NAME_BYTES, "{} bytes: {name}", name.len());
        }
    }
}
