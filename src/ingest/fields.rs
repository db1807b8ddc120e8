//! The header of a message: its fields, and what the catalog takes from them.

use super::Head;
use super::address::addresses;
use super::date::date;
use super::defect::{Defect, Defects};
use super::text::{clean, decode, raw, unfold};
use crate::limits::FIELD_CHARS;

/// A line of a header, or what is left of one.
pub(crate) enum Line<'a> {
    /// A field with its continuation lines; the body still folded.
    Field {
        name: &'a [u8],
        value: &'a [u8],
    },
    Broken,
}

/// The fields of a header in their order (RFC 5322, section 2.2). The line `From ` of an mbox before them is no field.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = header.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(header);
    if rest.starts_with(b"From ") || rest.starts_with(b">From ") {
        rest = &rest[line_end(rest)..];
    }
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = line_end(rest);
        while matches!(rest.get(end), Some(b' ' | b'\t')) {
            end += line_end(&rest[end..]);
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        let colon = memchr::memchr(b':', field);
        Some(match colon.map(|colon| (field[..colon].trim_ascii_end(), &field[colon + 1..])) {
            Some((name, value)) if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) => {
                Line::Field { name, value }
            }
            _ => Line::Broken,
        })
    })
}

fn line_end(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)
}

/// Reads the header of a message into `head`. Where a field stands several times the first one counts, except for
/// recipients, which are all kept. `cut` says that `header` is only the beginning of the header.
pub(crate) fn read(header: &[u8], cut: bool, head: &mut Head, defects: &mut Defects) {
    let mut first: [Option<Vec<u8>>; 6] = Default::default();
    let mut any = false;
    let mut last_broken = false;
    let mut broken = false;
    for line in fields(header) {
        broken |= last_broken;
        last_broken = false;
        let Line::Field { name, value } = line else {
            last_broken = true;
            continue;
        };
        any = true;
        let names: [&[u8]; 6] = [b"subject", b"from", b"to", b"cc", b"date", b"message-id"];
        let Some(index) = names.iter().position(|known| name.eq_ignore_ascii_case(known)) else { continue };
        match &mut first[index] {
            None => first[index] = Some(unfold(value)),
            Some(earlier) => {
                defects.insert(Defect::DuplicateField);
                if matches!(index, 2 | 3) {
                    earlier.push(b',');
                    earlier.extend(unfold(value));
                }
            }
        }
    }
    // The last line of a header that was cut is not whole.
    if !any {
        defects.insert(Defect::NoHeader);
    } else if broken || (last_broken && !cut) {
        defects.insert(Defect::BrokenHeaderLine);
    }
    // Cut within a character is no fault of the sender.
    if std::str::from_utf8(header).is_err_and(|error| !cut || error.error_len().is_some()) {
        defects.insert(Defect::EightBitHeader);
    }
    let [subject, from, to, cc, sent, message_id] = first.map(Option::unwrap_or_default);
    head.subject = clean(&decode(&subject, defects), FIELD_CHARS);
    head.from = clean(&addresses(&from, defects), FIELD_CHARS);
    head.to = clean(&addresses(&to, defects), FIELD_CHARS);
    head.cc = clean(&addresses(&cc, defects), FIELD_CHARS);
    head.date = date(&raw(&sent));
    head.message_id = clean(&raw(id(&message_id)), FIELD_CHARS);
    if head.date.is_none() {
        defects.insert(Defect::Date);
    }
}

/// What stands between angle brackets, else the whole field.
fn id(value: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'<', value) else { return value };
    let inner = &value[open + 1..];
    &inner[..memchr::memchr(b'>', inner).unwrap_or(inner.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(header: &str) -> (Head, Vec<Defect>) {
        let mut head = Head::default();
        let mut defects = Defects::new();
        read(header.as_bytes(), false, &mut head, &mut defects);
        (head, defects.into_iter().collect())
    }

    #[test]
    fn fields_are_unfolded_and_trimmed() {
        let (head, defects) = head("sUbJect :\r\n a\r\n\tb\r\nMESSAGE-ID:\n <x@y>\nDate: 1 Jan 2020 0:00 Z\n");
        assert_eq!((head.subject.as_str(), head.message_id.as_str()), ("a b", "x@y"));
        assert_eq!((head.date, defects), (Some(1_577_836_800), vec![]));
    }

    #[test]
    fn the_first_subject_counts_and_every_recipient() {
        let (head, defects) = head("Subject: a\nSubject: b\nTo: a@b\nTo: c@d\nDate: 1 Jan 2020 0:00 Z\n");
        assert_eq!((head.subject.as_str(), head.to.as_str()), ("a", "a@b, c@d"));
        assert_eq!(defects, [Defect::DuplicateField]);
    }

    #[test]
    fn broken_lines_cost_only_themselves() {
        let (head, defects) = head("From x@y Mon\n lost\nno field\n lost too\nbad name: x\n: x\nSubject: a\n");
        assert_eq!(head.subject, "a");
        assert_eq!(defects, [Defect::BrokenHeaderLine, Defect::Date]);
    }
}
