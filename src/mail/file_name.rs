//! File names of strangers, as they may be shown and offered for saving.

use crate::ingest::text::clean;
use crate::limits::MAIL_NAME_CHARS;

use super::part_header::Part;

/// Characters of an ending that is kept when a name is shortened.
const ENDING: usize = 12;
/// Names that Windows takes for devices.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "COM", "LPT"];
/// Endings for parts without a name.
const ENDINGS: [(&str, &str); 22] = [
    ("application/pdf", "pdf"),
    ("application/pkcs7-mime", "p7m"),
    ("application/pkcs7-signature", "p7s"),
    ("application/x-pkcs7-mime", "p7m"),
    ("application/x-pkcs7-signature", "p7s"),
    ("application/pgp-encrypted", "asc"),
    ("application/pgp-signature", "asc"),
    ("application/ms-tnef", "dat"),
    ("application/zip", "zip"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tif"),
    ("image/webp", "webp"),
    ("message/delivery-status", "txt"),
    ("message/global", "eml"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/vcard", "vcf"),
];

/// A file name for a part: its own made [`safe`], else one from its number and media type.
pub fn of(part: &Part) -> String {
    let name = safe(&part.name);
    if !name.is_empty() {
        return name;
    }
    let ending =
        ENDINGS.iter().find(|(media_type, _)| *media_type == part.media_type).map_or("bin", |(_, ending)| ending);
    format!("{}.{ending}", part.number)
}

/// A name that is one file in any folder of any system: no path, no character that changes the direction of writing, no
/// device, at most [`MAIL_NAME_CHARS`] characters with its ending kept. Empty where nothing is left.
pub fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim_matches(['.', ' ']).is_empty()).unwrap_or_default();
    let plain: String = clean(last, usize::MAX)
        .chars()
        .map(|char| if matches!(char, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { char })
        .collect();
    let plain = plain.trim_start_matches(['.', ' ', '~']).trim_end_matches(['.', ' ']);
    let stem = plain.split('.').next().unwrap_or_default().trim_end();
    let base = stem.trim_end_matches(|char: char| char.is_ascii_digit());
    let device = DEVICES.iter().any(|device| base.eq_ignore_ascii_case(device)) && stem.len() - base.len() <= 1;
    let name = if device { format!("_{plain}") } else { plain.to_owned() };
    shorten(&name)
}

/// The ending of a name, without its dot: few characters, else it is none.
pub fn ending(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, ending)| ending).filter(|ending| ending.chars().count() <= ENDING)
}

fn shorten(name: &str) -> String {
    let count = name.chars().count();
    if count <= MAIL_NAME_CHARS {
        return name.to_owned();
    }
    let tail = ending(name).map_or_else(|| "…".to_owned(), |ending| format!("….{ending}"));
    let head: String = name.chars().take(MAIL_NAME_CHARS - tail.chars().count()).collect();
    head.trim_end().to_owned() + &tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_harmless_file() {
        for (name, expected) in [
            ("Rechnung März.pdf", "Rechnung März.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\x.doc", "x.doc"),
            ("a/..", "a"),
            ("../..", ""),
            ("...", ""),
            (".htaccess", "htaccess"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("COM1.txt", "_COM1.txt"),
            ("COM12.txt", "COM12.txt"),
            ("Contact.txt", "Contact.txt"),
            ("a\r\nSet-Cookie: x", "a Set-Cookie_ x"),
            ("rech\u{202e}fdp.exe", "rechfdp.exe"),
            ("a\"b<c>.txt", "a_b_c_.txt"),
            ("x. . ", "x"),
        ] {
            assert_eq!(safe(name), expected, "{name:?}");
        }
        let long = safe(&format!("{}.pdf", "ä".repeat(5000)));
        assert_eq!(long.chars().count(), MAIL_NAME_CHARS);
        assert!(long.ends_with("ä….pdf"));
        assert_eq!(safe(&"x".repeat(5000)).chars().count(), MAIL_NAME_CHARS);
    }

    #[test]
    fn parts_without_a_name_get_one() {
        let part = Part { number: 3, media_type: "message/rfc822".into(), ..Part::default() };
        assert_eq!(of(&part), "3.eml");
    }
}
