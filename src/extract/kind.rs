//! What a file is: told by its bytes, then by its media type and name.

use memchr::memmem;

use super::About;
use crate::limits::EXTRACT_HEAD;

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Html,
    Pdf,
    /// Office files too: what is in it tells which.
    Zip,
    /// `winmail.dat`.
    Tnef,
    Message,
    /// S/MIME.
    Cms,
    Encrypted,
    /// All others.
    None,
}

/// Compound files: office files before 2007, and the envelope of newer ones that have a password.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const TNEF: &[u8] = b"\x78\x9f\x3e\x22";
/// Bytes before which a PDF may begin.
const PDF_BEGINS: usize = 1024;
/// Endings of office files that are ZIP files, so that a compound file of this name is an encrypted one.
const ZIPPED: [&str; 15] = [
    "docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xltx", "xltm", "xlsb", "pptx", "pptm", "potx", "potm", "ppsx",
    "ppsm",
];
const TEXTS: [&str; 24] = [
    "txt", "text", "log", "md", "csv", "tsv", "json", "xml", "xsd", "yaml", "yml", "toml", "ini", "cfg", "conf", "ics",
    "vcf", "sql", "tex", "diff", "patch", "srt", "eml", "asc",
];

impl Kind {
    /// `head` are the first [`EXTRACT_HEAD`] bytes, or all.
    pub fn of(head: &[u8], about: &About<'_>) -> Self {
        let media_type = about.media_type;
        let ending = about.name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
        let ends = |endings: &[&str]| endings.contains(&ending.as_str());
        match head {
            _ if head.starts_with(b"%PDF-") => return Self::Pdf,
            _ if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") => return Self::Zip,
            _ if head.starts_with(TNEF) => return Self::Tnef,
            _ if head.starts_with(COMPOUND) => {
                let zipped = ends(&ZIPPED) || media_type.starts_with("application/vnd.openxmlformats-");
                return if zipped { Self::Encrypted } else { Self::None };
            }
            _ if head.starts_with(b"-----BEGIN PGP MESSAGE-----") => return Self::Encrypted,
            _ if head.starts_with(b"{\\rtf") || head.starts_with(b"%!PS") => return Self::None,
            _ => {}
        }
        if ends(&["pdf"]) || media_type == "application/pdf" {
            let found = memmem::find(&head[..head.len().min(PDF_BEGINS)], b"%PDF-").is_some();
            return if found { Self::Pdf } else { Self::None };
        }
        match media_type {
            "message/rfc822" | "message/global" => return Self::Message,
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => return Self::Cms,
            "application/pgp-encrypted" => return Self::Encrypted,
            "application/pgp-signature" => return Self::None,
            _ if ends(&["p7m"]) => return Self::Cms,
            _ => {}
        }
        let says_text = media_type.starts_with("text/")
            || media_type.ends_with("+xml")
            || ["application/json", "application/xml", "application/ics", "application/csv"].contains(&media_type)
            || ends(&TEXTS);
        if !is_text(head, says_text) {
            return Self::None;
        }
        if ends(&["eml", "mht", "mhtml"]) {
            return Self::Message;
        }
        let html = ["text/html", "application/xhtml+xml", "image/svg+xml"].contains(&media_type)
            || ends(&["html", "htm", "xhtml", "svg"])
            || begins_html(head);
        if html { Self::Html } else { Self::Text }
    }

    /// Whether it has to be taken apart: then the child reads it.
    pub fn is_container(self) -> bool {
        matches!(self, Self::Pdf | Self::Zip | Self::Tnef | Self::Message | Self::Cms)
    }
}

/// Whether these bytes can be text. Where nobody says so they have to be UTF-8, without a control character.
fn is_text(head: &[u8], says_text: bool) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return says_text || head.len().is_multiple_of(2);
    }
    let odd = head.iter().filter(|byte| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(byte)).count();
    if says_text {
        return !head.contains(&0) && odd * 20 <= head.len();
    }
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The end of what was looked at may cut a character.
        Err(error) => error.error_len().is_none() && head.len() == EXTRACT_HEAD,
    };
    valid && odd == 0
}

fn begins_html(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |word: &[u8]| head.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    begins(b"<!doctype html") || begins(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_first_then_what_is_said() {
        for (head, media_type, name, expected) in [
            (&b"%PDF-1.7"[..], "image/png", "a.png", Kind::Pdf),
            (b"\n%PDF-1.7", "application/octet-stream", "a.PDF", Kind::Pdf),
            (b"no pdf", "application/pdf", "a.pdf", Kind::None),
            (b"PK\x03\x04", "text/plain", "a.txt", Kind::Zip),
            (b"\x78\x9f\x3e\x22", "", "winmail.dat", Kind::Tnef),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "", "a.docx", Kind::Encrypted),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", "a.doc", Kind::None),
            (b"Subject: x", "message/rfc822", "", Kind::Message),
            (b"Subject: x", "application/octet-stream", "a.eml", Kind::Message),
            (b"caf\xe9", "text/plain", "", Kind::Text),
            (b"caf\xe9", "application/octet-stream", "a", Kind::None),
            (b"caf\xc3\xa9", "application/octet-stream", "a", Kind::Text),
            (b"a\0b", "text/plain", "a.txt", Kind::None),
            (b"\xff\xfea\0", "text/plain", "", Kind::Text),
            (b"\x89PNG\r\n\x1a\n\0\0\0", "image/png", "", Kind::None),
            (b"\xef\xbb\xbf <!DOCTYPE HTML>", "", "", Kind::Html),
            (b"x", "text/html", "", Kind::Html),
            (b"{\\rtf1", "text/rtf", "", Kind::None),
            (b"\x30\x80", "application/pkcs7-mime", "smime.p7m", Kind::Cms),
            (b"", "", "", Kind::Text),
        ] {
            assert_eq!(Kind::of(head, &About { media_type, charset: "", name }), expected, "{media_type} {name}");
        }
    }
}
