//! Promise: a message whose attachments are taken out of it comes back bit for bit, whatever it is made of, and a plan that does
//! not fit it is an error.

use std::collections::HashMap;
use std::io::{self, Write};

use archivista::archive::split::{Ends, Joiner, Plan, Reference, Sink, Splitter};
use archivista::hash::Sha256;
use archivista::limits::{SPLIT_PART, SPLIT_PARTS, SPLIT_PLAN};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::support::{corpus, mails};

#[derive(Debug, Default, PartialEq)]
struct Pieces {
    skeleton: Vec<u8>,
    parts: HashMap<Sha256, Vec<u8>>,
    open: Vec<u8>,
}

impl Sink for &mut Pieces {
    fn skeleton(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.skeleton.extend_from_slice(bytes);
        Ok(())
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open.extend_from_slice(bytes);
        Ok(())
    }

    fn end_part(&mut self, sha256: Sha256, len: u64) -> io::Result<()> {
        let part = std::mem::take(&mut self.open);
        assert!(Sha256::of(&part) == sha256 && part.len() as u64 == len && part.len() >= SPLIT_PART);
        self.parts.insert(sha256, part);
        Ok(())
    }
}

fn split(mut mail: &[u8], sizes: &[usize]) -> (Pieces, Plan) {
    let mut pieces = Pieces::default();
    let mut splitter = Splitter::new(&mut pieces);
    for &size in sizes.iter().cycle() {
        if mail.is_empty() {
            break;
        }
        let (piece, rest) = mail.split_at(size.min(mail.len()));
        splitter.write_all(piece).unwrap();
        mail = rest;
    }
    let (_, plan) = splitter.finish().unwrap();
    assert!(pieces.open.is_empty());
    (pieces, plan)
}

fn join(pieces: &Pieces, plan: &Plan, size: usize, by: usize) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    let parts = |reference: &Reference, out: &mut dyn Write| {
        let part = pieces.parts.get(&reference.sha256).ok_or(io::ErrorKind::NotFound)?;
        part.chunks(by).try_for_each(|piece| out.write_all(piece))
    };
    let mut joiner = Joiner::new(plan.clone(), size as u64, parts, &mut raw);
    let done = pieces.skeleton.chunks(by).try_for_each(|piece| joiner.write_all(piece)).and_then(|()| joiner.finish());
    assert!(raw.len() <= size);
    done.map(|()| raw)
}

/// Splits, stores the plan, joins; what came out of the splitter.
fn there_and_back(mail: &[u8]) -> (Pieces, Plan) {
    let (pieces, plan) = split(mail, &[usize::MAX]);
    let stored = plan.encode();
    assert!(stored.len() <= SPLIT_PLAN);
    assert_eq!(Plan::decode(&stored).unwrap(), plan);
    for by in [5, 1000, usize::MAX] {
        assert!(join(&pieces, &plan, mail.len(), by).unwrap() == mail, "by {by}");
    }
    assert!(!plan.parts.is_empty() || pieces.skeleton == mail);
    (pieces, plan)
}

/// Bytes that look random; the same ones for the same seed.
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Base64 of `bytes`, so many letters in a line, without a line end behind the last one.
fn lines(bytes: &[u8], width: usize, end: &str) -> String {
    let letters = STANDARD.encode(bytes);
    let lines: Vec<&str> = letters.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(end)
}

fn attachment(text: &str, end: &str) -> Vec<u8> {
    let lines = ["--x", "Content-Type: a/b", "Content-Transfer-Encoding: base64", "", text, "--x--", ""];
    lines.join(end).into_bytes()
}

#[test]
fn attachments_of_every_length_and_width_are_parts() {
    let lengths = [4096, 4097, 4098, 24_575, 24_576, 24_577, 24_579, 98_304, 100_000];
    for (length, end) in lengths.into_iter().flat_map(|length| [(length, "\r\n"), (length, "\n")]) {
        let bytes = noise(1, length);
        for width in [4, 60, 64, 72, 76, 80, 996, 4096, 1_000_000] {
            let mail = attachment(&lines(&bytes, width, end), end);
            let (pieces, plan) = there_and_back(&mail);
            assert!(pieces.skeleton == attachment("", end), "{length} in {width}");
            assert_eq!(pieces.parts.get(&Sha256::of(&bytes)), Some(&bytes));
            let one = width >= 1_000_000 || length.div_ceil(3) * 4 <= width;
            let ends = if end == "\n" && !one { Ends::Lf } else { Ends::Crlf };
            let [part] = &plan.parts[..] else { panic!("{plan:?}") };
            assert_eq!((part.groups, part.ends), (if one { 0 } else { width as u64 / 4 }, ends), "{length} in {width}");
        }
    }
}

#[test]
fn what_is_short_or_not_canonical_stays_as_it_is() {
    let bytes = noise(2, 30_000);
    let text = lines(&bytes, 76, "\r\n");
    for mail in [
        Vec::new(),
        b"\r\n".to_vec(),
        noise(3, 100_000),
        attachment(&lines(&bytes[..4095], 76, "\r\n"), "\r\n"),
        // Groups across lines, blanks, quoting, the alphabet for addresses, a line end that is none.
        attachment(&lines(&bytes, 75, "\r\n"), "\r\n"),
        attachment(&text.replace("\r\n", " \r\n"), "\r\n"),
        attachment(&text.replace("\r\n", "\r\n "), "\r\n"),
        attachment(&format!("> {}", text.replace("\r\n", "\r\n> ")), "\r\n"),
        attachment(&text.replace("\r\n", "\r"), "\r\n"),
        attachment(&text.replace("\r\n", "\r\n\r\n"), "\r\n"),
        // Text in quoted-printable whose lines look padded.
        attachment(&format!("{}=\r\n", "abc".repeat(25)).repeat(1000), "\r\n"),
    ] {
        let (pieces, plan) = there_and_back(&mail);
        assert!(plan.parts.is_empty() && pieces.skeleton == mail);
    }
}

#[test]
fn equal_attachments_are_one_part_whatever_their_lines() {
    let bytes = noise(4, 50_000);
    let mut hashes = Vec::new();
    for (width, end) in [(76, "\r\n"), (72, "\n"), (64, "\r\n"), (60, "\n"), (400_000, "\r\n")] {
        let (pieces, plan) = there_and_back(&attachment(&lines(&bytes, width, end), end));
        assert_eq!(pieces.parts.len(), 1);
        hashes.extend(plan.parts.iter().map(|part| part.sha256));
    }
    assert_eq!(hashes, [Sha256::of(&bytes); 5]);
}

#[test]
fn several_parts_nested_twice_the_same_and_broken_off() {
    let (one, other) = (noise(5, 20_000), noise(6, 70_001));
    let inner = attachment(&lines(&other, 72, "\r\n"), "\r\n");
    let mail = [
        &b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\nContent-Type: message/rfc822\r\n\r\n"[..],
        &inner,
        b"\r\n--y\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        lines(&one, 76, "\r\n").as_bytes(),
        b"\r\n--y\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        lines(&one, 60, "\r\n").as_bytes(),
        b"\r\n--y\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        lines(&other, 76, "\r\n").as_bytes(),
    ]
    .concat();
    let (pieces, plan) = there_and_back(&mail);
    let hashes: Vec<Sha256> = plan.parts.iter().map(|part| part.sha256).collect();
    let (one, other) = (Sha256::of(&one), Sha256::of(&other));
    assert_eq!((hashes, pieces.parts.len()), (vec![other, one, one, other], 2));
    for end in (mail.len() - 200..mail.len()).chain([10, 1000, 20_000, 50_000, 100_000]) {
        there_and_back(&mail[..end]);
    }
}

#[test]
fn a_mail_of_very_many_parts_keeps_the_last_ones() {
    let text = format!("{}\r\n\r\n", lines(&noise(7, 4096), 76, "\r\n"));
    let mail = text.repeat(SPLIT_PARTS + 3);
    let (pieces, plan) = there_and_back(mail.as_bytes());
    assert_eq!((plan.parts.len(), pieces.parts.len()), (SPLIT_PARTS, 1));
    assert!(pieces.skeleton.len() > 3 * text.len());
}

#[test]
fn no_mail_can_hold_a_reference() {
    let (_, plan) = there_and_back(&attachment(&lines(&noise(8, 10_000), 76, "\r\n"), "\r\n"));
    let mail = [b"\r\n\r\n", &plan.encode()[..], b"\r\n"].concat();
    let (pieces, plan) = there_and_back(&mail);
    assert!(plan.parts.is_empty() && pieces.skeleton == mail);
}

#[test]
fn made_up_mails_and_real_ones_of_2002_come_back() {
    let mut found = 0;
    for mail in mails::sample(60).into_iter().chain(corpus::mails().into_iter().map(|mail| mail.bytes)) {
        let (pieces, plan) = split(&mail, &[8192]);
        assert!(join(&pieces, &plan, mail.len(), 8192).unwrap() == mail);
        found += plan.parts.len();
    }
    assert!(found > 40, "{found}");
}

#[test]
fn a_plan_that_does_not_fit_is_an_error() {
    let mail = attachment(&lines(&noise(9, 10_000), 76, "\r\n"), "\r\n");
    let (pieces, plan) = there_and_back(&mail);
    let sound = plan.parts[0];
    let wrong = [
        Reference { gap: sound.gap + 1000, ..sound },
        Reference { gap: u64::MAX, ..sound },
        Reference { len: sound.len - 1, ..sound },
        Reference { len: sound.len + 1, ..sound },
        Reference { len: sound.len - 30, ..sound },
        Reference { len: u64::MAX, ..sound },
        Reference { len: 0, ..sound },
        Reference { groups: 18, ..sound },
        Reference { groups: 0, ..sound },
        Reference { groups: u64::MAX, ..sound },
        Reference { ends: Ends::Lf, ..sound },
        Reference { sha256: Sha256::of(b"other"), ..sound },
    ];
    for part in wrong {
        join(&pieces, &Plan { parts: vec![part] }, mail.len(), 1000).expect_err(&format!("{part:?}"));
    }
    for parts in [vec![], vec![sound, sound], vec![sound, Reference { gap: 0, ..sound }]] {
        join(&pieces, &Plan { parts }, mail.len(), 1000).unwrap_err();
    }
    for size in [0, mail.len() - 1, mail.len() + 1, usize::MAX] {
        join(&pieces, &plan, size, 1000).unwrap_err();
    }
    let short = Pieces { skeleton: pieces.skeleton[1..].to_vec(), parts: pieces.parts, open: Vec::new() };
    join(&short, &plan, mail.len(), 1000).unwrap_err();
}

#[test]
fn a_part_without_end_ends() {
    let (pieces, plan) = there_and_back(&attachment(&lines(&noise(10, 10_000), 76, "\r\n"), "\r\n"));
    let mut raw = Vec::new();
    let endless = |_: &Reference, out: &mut dyn Write| -> io::Result<()> {
        loop {
            out.write_all(&[0; 1000])?;
        }
    };
    let mut joiner = Joiner::new(plan, 1_000_000, endless, &mut raw);
    assert_eq!(joiner.write_all(&pieces.skeleton).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert!(raw.len() < 20_000);
}

/// What goes wrong in an attachment on its way: where, how many bytes are gone, what stands there instead.
type Accident = (prop::sample::Index, usize, &'static str);

fn accident() -> impl Strategy<Value = Accident> {
    let odd = "||=|==|===|A|AA|AAA|AAAA|QQ==|\r|\n|\r\n|\r\r\n|\n\r| |\t|-|_|\0|é|\r\n\r\n|\r\n--x\r\n|\nQUJD\n|\r\nfooter\r\n";
    let odd: Vec<&str> = odd.split('|').collect();
    (any::<prop::sample::Index>(), 0usize..6, select(odd))
}

/// A part of a mail: its base64, sound or not.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![0usize..200, 4000usize..4200, 4096usize..30_000];
    let width = select(vec![4usize, 8, 57, 60, 64, 72, 73, 75, 76, 76, 76, 77, 80, 100, 300, 1000, 5464, 1_000_000]);
    let end = select(vec!["\r\n", "\r\n", "\r\n", "\n", "\n", "\r", " \n", "\r\r\n", "\n\n"]);
    let accidents = prop_oneof![Just(Vec::new()), vec(accident(), 0..5)];
    let behind =
        select(vec!["", "\r\n", "\n", "\r\n--x--\r\n", "\r\nfooter\r\n", "--x", "=", "QUJD", "\r\nQUJD\r\n", " "]);
    let before = select(vec![
        "",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "--x\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        "Best\n",
        "\r",
        "QUJD",
    ]);
    (any::<u32>(), length, width, end, any::<bool>(), accidents, before, behind).prop_map(
        |(seed, length, width, end, padded, accidents, before, behind)| {
            let text = lines(&noise(seed, length), width, end);
            let mut text = if padded { text.as_str() } else { text.trim_end_matches('=') }.as_bytes().to_vec();
            for (place, gone, odd) in accidents {
                let start = place.index(text.len() + 1);
                text.splice(start..text.len().min(start + gone), odd.bytes());
            }
            [before.as_bytes(), &text, behind.as_bytes()].concat()
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let number = || prop_oneof![0u64..100, Just(4096), any::<u64>()];
    let ends = select(vec![Ends::Crlf, Ends::Lf]);
    let reference = (number(), number(), number(), ends).prop_map(|(gap, len, groups, ends)| {
        let sha256 = Sha256::of(&noise(0, usize::try_from(len.min(4096)).unwrap()));
        Reference { gap, sha256, len, groups, ends }
    });
    vec(reference, 0..6).prop_map(|parts| Plan { parts })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn sound_and_broken_parts_come_back_in_any_pieces(parts in vec(part(), 1..4), sizes in vec(1usize..9000, 1..5)) {
        let mail = parts.concat();
        let found = there_and_back(&mail);
        prop_assert!(split(&mail, &sizes) == found);
        prop_assert!(split(&mail, &[1]) == found);
    }

    #[test]
    fn any_bytes_come_back(mail in vec(any::<u8>(), 0..3000), sizes in vec(1usize..500, 1..4)) {
        let found = there_and_back(&mail);
        prop_assert!(split(&mail, &sizes) == found);
    }

    #[test]
    fn any_letters_come_back(mail in "([A-Za-z0-9+/]{4}|[=\r\n -]){0,300}", times in 1usize..20, sizes in vec(1usize..500, 1..4)) {
        let mail = mail.repeat(times);
        let found = there_and_back(mail.as_bytes());
        prop_assert!(split(mail.as_bytes(), &sizes) == found);
    }

    #[test]
    fn no_plan_makes_it_panic_or_run_on(plan in plan(), skeleton in vec(any::<u8>(), 0..300), size in 0usize..20_000) {
        let lengths = (0..100).chain([4096]);
        let parts = lengths.map(|len| noise(0, len)).map(|part| (Sha256::of(&part), part)).collect();
        let pieces = Pieces { skeleton, parts, open: Vec::new() };
        if let Ok(raw) = join(&pieces, &plan, size, 50) {
            prop_assert_eq!(raw.len(), size);
        }
    }

    #[test]
    fn no_bytes_are_a_plan_that_panics(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(plan) = Plan::decode(&bytes) {
            prop_assert_eq!(Plan::decode(&plan.encode()).unwrap(), plan);
        }
    }
}
