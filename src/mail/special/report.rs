//! Delivery reports and read receipts: groups of fields (RFC 3464, RFC 8098).

use crate::ingest::defect::Defects;
use crate::ingest::fields::{Line, fields};
use crate::ingest::text::{clean, decode, unfold};
use crate::limits::{FIELD_CHARS, MAIL_ROWS, MAIL_SMALL_PART};

use super::super::outline::Field;

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Fields of the message as a whole.
    pub message: Vec<Field>,
    /// Fields of each recipient: `Final-Recipient`, `Action`, `Status`, `Diagnostic-Code`.
    pub recipients: Vec<Vec<Field>>,
}

impl Report {
    /// The value of a field of a group, without the type before it (`rfc822;`).
    pub fn value<'a>(group: &'a [Field], name: &str) -> Option<&'a str> {
        let field = group.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        let typed = field.value.split_once(';').filter(|(kind, _)| !kind.contains(' '));
        Some(typed.map_or(field.value.as_str(), |(_, value)| value.trim()))
    }
}

/// Reads the decoded body of a report; at most [`MAIL_SMALL_PART`] bytes and [`MAIL_ROWS`] fields and recipients.
pub fn read(body: &[u8]) -> Report {
    let body = &body[..body.len().min(MAIL_SMALL_PART)];
    let mut groups: Vec<Vec<Field>> = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    let mut count = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n').chain([&b"\n"[..]]) {
        if line.trim_ascii().is_empty() {
            let group = read_group(&body[begin..at], &mut count);
            if !group.is_empty() && groups.len() <= MAIL_ROWS {
                groups.push(group);
            }
            begin = (at + line.len()).min(body.len());
        }
        at = (at + line.len()).min(body.len());
    }
    let mut groups = groups.into_iter();
    let first = groups.next().unwrap_or_default();
    // A report that leaves out what is said of the whole message.
    if Report::value(&first, "Action").is_some() {
        return Report { message: Vec::new(), recipients: std::iter::once(first).chain(groups).collect() };
    }
    Report { message: first, recipients: groups.collect() }
}

fn read_group(bytes: &[u8], count: &mut usize) -> Vec<Field> {
    let mut group = Vec::new();
    for line in fields(bytes) {
        let Line::Field { name, value } = line else { continue };
        if *count == MAIL_ROWS {
            break;
        }
        *count += 1;
        group.push(Field {
            name: clean(&String::from_utf8_lossy(name), FIELD_CHARS),
            value: clean(&decode(&unfold(value), &mut Defects::new()), FIELD_CHARS),
        });
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report() {
        let body = "Reporting-MTA: dns; mx.a.ch\r\nArrival-Date: x\r\n\r\nFinal-Recipient: rfc822; b@b.ch\r\n\
            Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n User unknown\r\n\r\n\r\n\
            Final-Recipient: rfc822;c@b.ch\nAction: delayed";
        let report = read(body.as_bytes());
        assert_eq!(Report::value(&report.message, "reporting-mta"), Some("mx.a.ch"));
        assert_eq!(report.recipients.len(), 2);
        assert_eq!(Report::value(&report.recipients[0], "Diagnostic-Code"), Some("550 5.1.1 User unknown"));
        assert_eq!(Report::value(&report.recipients[1], "Action"), Some("delayed"));
        assert_eq!(read(b""), Report::default());
    }
}
