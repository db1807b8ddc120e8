//! The reader of MIME: no panic, every text bounded and printable, and the same whatever pieces the message comes in.

use archivista::ingest::{Head, Walk};
use archivista::limits::{ENVELOPE_CHARS, FIELD_CHARS, PARTS};

use crate::{recipe, seeds};

/// Somewhat more than what is read of a header.
const LONGEST: usize = 300 * 1024;
/// Characters of the name and of the type of an attachment.
const NAME_CHARS: usize = 255;

pub fn run(input: &[u8]) {
    let message = recipe::message(input, LONGEST);
    let head = read(&message, usize::MAX);
    check(&head);
    let by = recipe::pieces(input, &message);
    assert_eq!(head, read(&message, by), "in pieces of {by}");
}

fn read(message: &[u8], by: usize) -> Head {
    let mut walk = Walk::new();
    message.chunks(by).for_each(|piece| walk.push(piece));
    walk.finish()
}

fn check(head: &Head) {
    for field in [&head.subject, &head.from, &head.to, &head.cc, &head.message_id] {
        is_text(field, FIELD_CHARS);
    }
    assert!(head.attachments.len() <= PARTS);
    for attachment in &head.attachments {
        is_text(&attachment.name, NAME_CHARS);
        is_text(&attachment.media_type, NAME_CHARS);
    }
    if let Some(envelope) = &head.envelope {
        is_text(&envelope.sender, FIELD_CHARS);
        is_text(&envelope.on_behalf_of, FIELD_CHARS);
        for field in [&envelope.to, &envelope.cc, &envelope.bcc, &envelope.recipients] {
            is_text(field, ENVELOPE_CHARS);
        }
    }
    assert!(head.defects.windows(2).all(|two| two[0] < two[1]), "{:?}", head.defects);
}

fn is_text(text: &str, most: usize) {
    assert!(text.chars().count() <= most, "{} characters", text.chars().count());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = seeds::mails(16 * 1024).iter().map(|mail| recipe::raw(mail)).collect();
    let nested = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let part = b"--b\r\nContent-Type: a/b; name=x\r\n\r\nx\r\n";
    let report = b"X-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSender: a@x.ch\r\n\
        Recipient: b@x.ch, Expanded: list@x.ch\r\nOn-Behalf-Of: c@x.ch\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@x.ch\r\n";
    let words =
        b"Subject: =?utf-8?q?Gr=C3=BCsse?= =?iso-8859-1?b?R3L8c3Nl?=\r\nTo: \"A, B\" <a@x.ch>, g: b@x.ch, c@x.ch;\r\n\
        Content-Disposition: attachment; filename*0*=utf-8''%C3%BC; filename*1=x\r\n";
    inputs.extend([
        recipe::steps(&[(1, 40, nested)]),
        recipe::steps(&[(0, 0, nested), (2, 20, part), (0, 0, b"--b--\r\n")]),
        recipe::steps(&[(0, 0, report), (2, 0, b"To: b@x.ch\r\n"), (0, 0, b"\r\nx\r\n--b--\r\n")]),
        recipe::steps(&[(1, 100, words), (0, 0, b"\r\n")]),
        recipe::steps(&[(0, 0, b"Subject: "), (2, 255, b"12345678901234567890")]),
    ]);
    inputs
}
