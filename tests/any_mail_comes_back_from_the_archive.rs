//! Promise: whatever a mail is made of, the archive gives it back bit for bit, knows it again, and finds itself whole.
//!
//! Mails are made by chance, in nested parts: attachments in lines of every length, sound and broken, around the size from
//! which they are stored on their own, equal ones in several mails; each kind of line end and all of them mixed; lines
//! without end. What the splitter does by itself is shown in `a_split_message_comes_back_byte_for_byte.rs`.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::archivista::Archivista;
use crate::support::random::Random;
use crate::support::small;
use archivista::archive::commit::Outcome;
use archivista::limits::SPLIT_PART;

/// Lengths around the smallest part that is stored on its own.
const BORDER: Range<usize> = SPLIT_PART - 4..SPLIT_PART + 5;

/// What is wrong with the end of an attachment.
#[derive(Clone, Copy, Debug)]
enum Padding {
    Sound,
    Missing,
    TooMuch,
    /// The last letter says more than its byte.
    Bits,
    InTheMiddle,
}

/// A header and a body, lines ended by CRLF.
fn part(media_type: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("Content-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn base64(seed: u64, len: usize, width: usize, padding: Padding) -> Vec<u8> {
    let mut letters = STANDARD.encode(Random::seeded(seed).bytes(len));
    match padding {
        Padding::Sound => {}
        Padding::Missing => letters.truncate(letters.trim_end_matches('=').len()),
        Padding::TooMuch => letters.push_str("=="),
        Padding::Bits => letters.push_str("QR=="),
        Padding::InTheMiddle => letters.insert_str(letters.len() / 8 * 4, "QQ=="),
    }
    letters.as_bytes().chunks(width).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

fn attachment() -> impl Strategy<Value = Vec<u8>> {
    // Few seeds and lengths, so that the same bytes come again in other lines and other mails.
    let len = prop_oneof![0usize..100, BORDER, select(vec![20_000usize, 24_576, 60_001]), Just(270_000usize)];
    let width = prop_oneof![Just(76usize), 1usize..=100, select(vec![500usize, 998, 4096, 1_000_000])];
    let padding = select(vec![
        Padding::Sound,
        Padding::Sound,
        Padding::Missing,
        Padding::TooMuch,
        Padding::Bits,
        Padding::InTheMiddle,
    ]);
    (0u64..4, len, width, padding).prop_map(|(seed, len, width, padding)| {
        part("application/pdf; name=\"a.pdf\"", "base64", &base64(seed, len, width, padding))
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let lines = "[a-zé =.-]{0,90}(\r\n|\r\n\r\n|\n|\r|\r\r\n)";
    let body = vec(lines, 0..20).prop_map(|lines| lines.concat().into_bytes());
    let long = (1usize..300_000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]);
    prop_oneof![4 => body, 1 => long].prop_map(|body| part("text/plain; charset=utf-8", "8bit", &body))
}

fn multipart(parts: &[Vec<u8>], boundary: &str, is_closed: bool) -> Vec<u8> {
    let begin = format!("--{boundary}\r\n");
    let mut body: Vec<u8> = parts.iter().flat_map(|part| [begin.as_bytes(), part, b"\r\n"].concat()).collect();
    if is_closed {
        body.extend(format!("--{boundary}--\r\n").into_bytes());
    }
    part(&format!("multipart/mixed; boundary=\"{boundary}\""), "7bit", &body)
}

fn tree() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => attachment(), 1 => text()].prop_recursive(4, 12, 4, |inner| {
        let boundary = select(vec!["b", "b1", "=_x", "QUJD"]);
        let several = (vec(inner.clone(), 0..4), boundary, any::<bool>())
            .prop_map(|(parts, boundary, is_closed)| multipart(&parts, boundary, is_closed));
        prop_oneof![3 => several, 1 => inner.prop_map(|mail| part("message/rfc822", "7bit", &mail))]
    })
}

/// Which line ends a mail has.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Crlf,
    Lf,
    Mixed(u64),
}

impl Ends {
    fn of(self, mail: &[u8]) -> Vec<u8> {
        let mut random = Random::seeded(if let Self::Mixed(seed) = self { seed } else { 0 });
        let mut out = Vec::with_capacity(mail.len());
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            let is_lf = match self {
                Self::Crlf => false,
                Self::Lf => true,
                // Few others among many.
                Self::Mixed(_) => random.below(30) == 0,
            };
            match line.strip_suffix(b"\r\n") {
                Some(text) if is_lf => out.extend([text, b"\n"].concat()),
                _ => out.extend_from_slice(line),
            }
        }
        out
    }
}

fn mail() -> impl Strategy<Value = Vec<u8>> {
    let ends = prop_oneof![2 => Just(Ends::Crlf), 1 => Just(Ends::Lf), 1 => any::<u64>().prop_map(Ends::Mixed)];
    let head = select(vec!["Subject: x\r\nFrom: a@example.ch\r\nMIME-Version: 1.0\r\n", "", "no header\r\n", "\r\n"]);
    let cut = prop_oneof![3 => Just(0usize), 1 => 1usize..200];
    (head, tree(), ends, cut).prop_map(|(head, tree, ends, cut)| {
        let mut mail = ends.of(&[head.as_bytes(), &tree].concat());
        mail.truncate(mail.len().saturating_sub(cut));
        mail
    })
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn generated_mails_are_archived_read_recognised_and_proved(mails in vec(mail(), 1..25)) {
        let archivista = Archivista::new();
        let archive = small::open(&archivista.data());
        let outcomes = small::put(&archive, "anna", (1..).zip(mails.iter().cloned()).collect());
        prop_assert_eq!(outcomes.len(), mails.len());
        for (outcome, mail) in outcomes.iter().zip(&mails) {
            let mut read = Vec::new();
            archive.read(outcome.document().unwrap(), &mut read).unwrap();
            prop_assert!(read == *mail);
        }
        drop(archive);
        archivista.verify();

        let archive = small::open(&archivista.data());
        let again = small::put(&archive, "anna", (100..).zip(mails.iter().cloned()).collect());
        for (first, again) in outcomes.iter().zip(&again) {
            prop_assert_eq!(again, &Outcome::Same(first.document().unwrap()));
        }
        drop(archive);
        archivista.verify();
    }
}
