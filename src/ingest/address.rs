//! Address lists (RFC 5322, section 3.4), read leniently and in one pass.

use super::defect::Defects;
use super::text::{Words, clean, decode};
use crate::limits::FIELD_CHARS;

#[derive(Default)]
struct Mailbox {
    /// The display name as bytes, quotes and escapes taken off.
    name: Vec<u8>,
    comment: Vec<u8>,
    address: Vec<u8>,
    /// Whether the address has its `@`.
    at: bool,
}

/// The addresses of an unfolded field body as `Name <address>`, joined by `, `; groups are flattened (the name of a group
/// is no address). A name that could be taken for a list or an address of its own is put in quotes.
pub(super) fn addresses(bytes: &[u8], defects: &mut Defects) -> String {
    let words = Words::new(bytes);
    let last_semicolon = memchr::memrchr(b';', bytes).unwrap_or(0);
    let mut list = List::default();
    let mut mailbox = Mailbox::default();
    let mut quoted = false;
    let mut angle = false;
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        // A bracket that is never closed must not swallow the next address; but a source route has commas.
        let between = !angle || (mailbox.at && !mailbox.address.starts_with(b"@"));
        let group = !angle && mailbox.address.is_empty() && at <= last_semicolon;
        mailbox.at |= angle && byte == b'@';
        let target = if depth > 0 {
            &mut mailbox.comment
        } else if angle {
            &mut mailbox.address
        } else {
            &mut mailbox.name
        };
        match byte {
            b'\\' if quoted || depth > 0 => {
                if let Some(&escaped) = bytes.get(at) {
                    target.push(escaped);
                    at += 1;
                }
            }
            b'"' if depth == 0 => quoted = !quoted,
            _ if quoted => target.push(byte),
            b'(' if !angle => {
                if depth > 0 {
                    target.push(byte);
                }
                depth += 1;
            }
            b')' if depth > 0 => {
                depth -= 1;
                if depth > 0 {
                    target.push(byte);
                }
            }
            _ if depth > 0 => target.push(byte),
            b'<' => angle = true,
            b'>' => angle = false,
            b',' | b';' if between => {
                angle = false;
                if !list.push(&std::mem::take(&mut mailbox), defects) {
                    return list.text;
                }
            }
            // The name of a group; only where a group can end.
            b':' if group && !target.contains(&b'@') => {
                mailbox = Mailbox::default();
            }
            // Commas within an encoded word are wrong and common.
            b'=' if !angle => match words.at(at - 1) {
                Some(word) => {
                    target.extend_from_slice(&bytes[at - 1..word.end]);
                    at = word.end;
                }
                None => target.push(byte),
            },
            _ => target.push(byte),
        }
    }
    list.push(&mailbox, defects);
    list.text
}

#[derive(Default)]
struct List {
    text: String,
    chars: usize,
}

impl List {
    /// Appends one mailbox; false when the field is full.
    fn push(&mut self, mailbox: &Mailbox, defects: &mut Defects) -> bool {
        let text = mailbox.text(defects);
        if text.is_empty() {
            return true;
        }
        if !self.text.is_empty() {
            self.text.push_str(", ");
            self.chars += 2;
        }
        self.chars += text.chars().count();
        self.text.push_str(&text);
        self.chars < FIELD_CHARS
    }
}

impl Mailbox {
    fn text(&self, defects: &mut Defects) -> String {
        let name = clean(&decode(self.name.trim_ascii(), defects), FIELD_CHARS);
        let address: Vec<u8> = self.address.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        // RFC 5322, section 4.4: a source route before the address.
        let route =
            if address.starts_with(b"@") { memchr::memrchr(b':', &address).map_or(0, |colon| colon + 1) } else { 0 };
        let address = clean(&super::text::raw(&address[route..]), FIELD_CHARS);
        if !address.is_empty() {
            return if name.is_empty() || name == address { address } else { format!("{} <{address}>", quote(&name)) };
        }
        // RFC 822 put the name in a comment: `address (Name)`.
        let comment = clean(&decode(self.comment.trim_ascii(), defects), FIELD_CHARS);
        if name.contains('@') && !name.contains(' ') && !comment.is_empty() {
            return format!("{} <{name}>", quote(&comment));
        }
        if name.is_empty() { comment } else { name }
    }
}

fn quote(name: &str) -> String {
    if name.contains([',', ';', '<', '>', '"']) {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (field, expected) in [
            ("a@b.ch", "a@b.ch"),
            ("Anna Muster <a@b.ch>", "Anna Muster <a@b.ch>"),
            ("<a@b.ch>", "a@b.ch"),
            ("a@b.ch <a@b.ch>", "a@b.ch"),
            ("\"Muster, Anna\" <a@b.ch>", "\"Muster, Anna\" <a@b.ch>"),
            ("\"Anna \\\"A\\\" Muster\" <a@b.ch>", "\"Anna \\\"A\\\" Muster\" <a@b.ch>"),
            ("a@b.ch (Anna (Änni) Muster)", "Anna (Änni) Muster <a@b.ch>"),
            ("Anna (home) <a@b.ch>", "Anna <a@b.ch>"),
            ("a@b.ch, c@d.ch ,, e@f.ch", "a@b.ch, c@d.ch, e@f.ch"),
            ("undisclosed-recipients:;", ""),
            ("Friends: Anna <a@b.ch>, c@d.ch; e@f.ch", "Anna <a@b.ch>, c@d.ch, e@f.ch"),
            ("Re: Anna <a@b.ch>", "Re: Anna <a@b.ch>"),
            ("=?utf-8?Q?M=C3=BCller,_Urs?= <u@m.ch>", "\"Müller, Urs\" <u@m.ch>"),
            // An encoded list must not become a list.
            ("=?utf-8?Q?Boss_<boss@x>=2C_Eve?= <eve@evil>", "\"Boss <boss@x>, Eve\" <eve@evil>"),
            ("Foo <a@b.ch, Bar <c@d.ch>", "Foo <a@b.ch>, Bar <c@d.ch>"),
            ("Foo <@relay,@two:a@b.ch>", "Foo <a@b.ch>"),
            ("MAILER-DAEMON", "MAILER-DAEMON"),
            ("Outlook; a@b.ch; c@d.ch", "Outlook, a@b.ch, c@d.ch"),
            ("\"open <a@b.ch>, c@d.ch", "open <a@b.ch>, c@d.ch"),
            ("((a)", "(a)"),
            ("", ""),
        ] {
            assert_eq!(addresses(field.as_bytes(), &mut Defects::new()), expected, "{field}");
        }
    }

    #[test]
    fn a_very_long_list_ends_early() {
        let field = "a@b.ch, ".repeat(1_000_000);
        let text = addresses(field.as_bytes(), &mut Defects::new());
        assert!((FIELD_CHARS..FIELD_CHARS + 10).contains(&text.len()), "{}", text.len());
    }
}
