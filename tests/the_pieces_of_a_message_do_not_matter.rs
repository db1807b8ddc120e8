//! Promise: a message is read the same however the network cuts it, and no bytes at all make the reader fail.

use archivista::ingest::{Head, Walk};
use archivista::limits;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn read(mail: &[u8]) -> Head {
    let mut walk = Walk::new();
    walk.push(mail);
    walk.finish()
}

fn read_in_pieces(mut mail: &[u8], sizes: &[usize]) -> Head {
    let mut walk = Walk::new();
    for &size in sizes.iter().cycle() {
        if mail.is_empty() {
            break;
        }
        let (piece, rest) = mail.split_at(size.min(mail.len()));
        walk.push(piece);
        mail = rest;
    }
    walk.finish()
}

/// What messages are made of, in any order.
fn mime() -> impl Strategy<Value = Vec<u8>> {
    let fragments: Vec<&[u8]> = vec![
        b"\r\n",
        b"\n",
        b"\r\n\r\n",
        b"\r",
        b"\r\r\n",
        b"\0",
        b" ",
        b"\t",
        b"-",
        b"--",
        b"--x",
        b"--x\r\n",
        b"--x--\r\n",
        b"--y\r\n",
        b"--y--",
        b"--xy\r\n",
        b"Subject: ",
        b"From: ",
        b"To: ",
        b"Date: 3 Jun 2002 12:00 Z\r\n",
        b"Message-ID: <a@b>\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: multipart/digest; boundary=\"y\"\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n",
        b"Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        b"Content-Disposition: attachment; filename*0*=utf-8''%C3;",
        b" filename*1*=%A4.pdf",
        b"name=\"a b\"",
        b"Content-Transfer-Encoding: base64\r\n\r\n",
        b"QUJD",
        b"=?utf-8?Q?=C3?=",
        b"=?utf-8?B?pA==?=",
        b"=?iso-2022-jp?B?GyRCJEYkOSRIGyhC?=",
        b"=?",
        b"?=",
        b"<",
        b">",
        b"a@b.ch",
        b",",
        b";",
        b":",
        b"(",
        b")",
        b"\"",
        b"\\",
        b"\xc3",
        b"\xa4",
        b"\xe9",
        b"\xf0\x9f\x93",
        b"\x1b$B",
        b"From x\n",
        b"A line of text that is longer.\r\n",
    ];
    vec(select(fragments), 0..60).prop_map(|fragments| fragments.concat())
}

fn assert_bounded(head: &Head) -> Result<(), TestCaseError> {
    let names = head.attachments.iter().map(|attachment| &attachment.name);
    for text in [&head.subject, &head.from, &head.to, &head.cc, &head.message_id].into_iter().chain(names) {
        prop_assert!(text.chars().count() <= limits::FIELD_CHARS);
        prop_assert!(!text.chars().any(char::is_control));
        prop_assert!(!text.starts_with(' ') && !text.ends_with(' '));
    }
    prop_assert!(head.defects.is_sorted_by(|a, b| a < b));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pieces_do_not_matter(mail in mime(), sizes in vec(1usize..40, 1..6)) {
        let head = read(&mail);
        assert_bounded(&head)?;
        prop_assert_eq!(&read_in_pieces(&mail, &sizes), &head);
        prop_assert_eq!(&read_in_pieces(&mail, &[1]), &head);
    }

    #[test]
    fn any_bytes_are_read(mail in vec(any::<u8>(), 0..2000), sizes in vec(1usize..500, 1..4)) {
        let head = read(&mail);
        assert_bounded(&head)?;
        prop_assert_eq!(read_in_pieces(&mail, &sizes), head);
    }
}

/// Lines around the longest that can be a boundary line, and headers around their limit.
#[test]
fn pieces_do_not_matter_at_the_limits() {
    let mut mails = Vec::new();
    for length in [990, 998, 999, 1000, 1001, 1002, 1010] {
        for blanks in [0, 1, 5, 50] {
            let boundary = "b".repeat(length);
            let line = format!("--{boundary}{}", " ".repeat(blanks));
            mails.push(format!(
                "Content-Type: multipart/mixed; boundary={boundary}\n\n{line}\nContent-Type: a/b; name=1\n\n{line}--\n"
            ));
        }
    }
    for length in [limits::HEAD - 20, limits::HEAD - 12, limits::HEAD - 11, limits::HEAD - 10, limits::HEAD] {
        mails.push(format!("Subject: ä{}\n\nbody", "é".repeat(length / 2)));
        mails.push(format!("Subject: a\n{}\n\nbody", "X: y\n".repeat(length / 5)));
    }
    let mut named = 0;
    for mail in mails {
        let head = read(mail.as_bytes());
        named += head.attachments.len();
        for size in [1, 7, 64, 1006, 4096] {
            assert_eq!(read_in_pieces(mail.as_bytes(), &[size]), head, "{} by {size}", mail.len());
        }
    }
    assert!(named > 0);
}
