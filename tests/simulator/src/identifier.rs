//! The ids of folders, messages and attachments. They are long, opaque and told apart by upper and lower case, as in
//! Exchange: two messages of a mailbox may have ids that differ in case only.
//!
//! Graph docs: 'Obtain immutable identifiers for Outlook resources': a usual id changes with every move, an immutable id
//! stays for as long as the item is in the mailbox; folders have one id for good.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const USUAL: &str = "AAMkAG";
const IMMUTABLE: &str = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A";
const FOLDER: &str = "AQMkAG";

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Folder(usize),
    /// A message, by its number and by how often it has moved.
    Usual(usize, u64),
    Immutable(usize),
    /// Something in another mailbox.
    Elsewhere,
}

/// The part of every id that names the mailbox.
pub fn mailbox_tag(object_id: &str) -> String {
    let first = crate::chance::hash(&[object_id.as_bytes()]);
    digits(first, 8) + &digits(crate::chance::mix(first), 8)
}

pub fn folder(tag: &str, number: usize) -> String {
    format!("{FOLDER}{tag}LgAAA{}EMAAAA", digits(number as u64, 3))
}

pub fn usual(tag: &str, number: usize, moves: u64) -> String {
    format!("{USUAL}{tag}BGAAAAAA{}{}AAA=", digits(moves, 3), digits(number as u64, 5))
}

pub fn immutable(tag: &str, number: usize) -> String {
    format!("{IMMUTABLE}{tag}{}AA=", digits(number as u64, 5))
}

pub fn attachment(message: &str, number: usize) -> String {
    format!("{}BEgAQA{}=", message.trim_end_matches('='), digits(number as u64, 3))
}

/// The number in an attachment's id, if it belongs to this message.
pub fn attachment_number(message: &str, id: &str) -> Option<usize> {
    let rest = id.strip_prefix(message.trim_end_matches('='))?.strip_prefix("BEgAQA")?.strip_suffix('=')?;
    usize::try_from(number(rest)?).ok()
}

/// Reads an id. `None` where it was not made here (`ErrorInvalidIdMalformed`).
pub fn parse(tag: &str, id: &str) -> Option<Named> {
    let (of, named) = if let Some(rest) = id.strip_prefix(IMMUTABLE) {
        let (of, rest) = rest.split_at_checked(16)?;
        let rest = rest.strip_suffix("AA=").filter(|rest| rest.len() == 5)?;
        (of, Named::Immutable(usize::try_from(number(rest)?).ok()?))
    } else if let Some(rest) = id.strip_prefix(USUAL) {
        let (of, rest) = rest.split_at_checked(16)?;
        let rest = rest.strip_prefix("BGAAAAAA")?.strip_suffix("AAA=").filter(|rest| rest.len() == 8)?;
        let (moves, serial) = rest.split_at_checked(3)?;
        (of, Named::Usual(usize::try_from(number(serial)?).ok()?, number(moves)?))
    } else {
        let (of, rest) = id.strip_prefix(FOLDER)?.split_at_checked(16)?;
        let rest = rest.strip_prefix("LgAAA")?.strip_suffix("EMAAAA").filter(|rest| rest.len() == 3)?;
        (of, Named::Folder(usize::try_from(number(rest)?).ok()?))
    };
    Some(if of == tag { named } else { Named::Elsewhere })
}

fn digits(number: u64, count: u32) -> String {
    (0..count)
        .rev()
        .map(|place| char::from(DIGITS[usize::try_from((number >> (6 * place)) & 63).unwrap_or(0)]))
        .collect()
}

fn number(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |sum, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        sum.checked_mul(64)?.checked_add(digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        let (tag, other) = (mailbox_tag("one"), mailbox_tag("two"));
        assert_eq!(parse(&tag, &folder(&tag, 70)), Some(Named::Folder(70)));
        assert_eq!(parse(&tag, &usual(&tag, 70_000, 3)), Some(Named::Usual(70_000, 3)));
        assert_eq!(parse(&tag, &immutable(&tag, 5)), Some(Named::Immutable(5)));
        assert_eq!(parse(&tag, &usual(&other, 5, 0)), Some(Named::Elsewhere));
        assert_eq!(parse(&tag, &usual(&tag, 5, 0).to_lowercase()), None);
        assert_eq!(parse(&tag, "AAMkAG"), None);
        let message = immutable(&tag, 5);
        assert_eq!(attachment_number(&message, &attachment(&message, 2)), Some(2));
    }

    #[test]
    fn two_ids_may_differ_in_case_only() {
        let tag = mailbox_tag("one");
        assert_ne!(immutable(&tag, 0), immutable(&tag, 26));
        assert!(immutable(&tag, 0).eq_ignore_ascii_case(&immutable(&tag, 26)));
    }
}
