//! Mails to be searched: German and English words by Zipf's law, over ten years, and the questions that people would ask.

use crate::chance::Chance;
use crate::letter::time;
use crate::pipe::Mail;
use crate::words::address;

const PEOPLE: usize = 200;
/// Different words of each language.
const VOCABULARY: f64 = 200_000.0;
/// 1 January 2016; ten years of seconds are behind it.
const BEGIN: i64 = 1_451_606_400;
const TEN_YEARS: usize = 315_360_000;

const GERMAN: [&str; 40] = [
    "an", "auf", "be", "ber", "chen", "den", "ein", "er", "fer", "fol", "ge", "grü", "gut", "hal", "hei", "kei", "ko",
    "kun", "la", "lie", "mä", "men", "mit", "mö", "nah", "nung", "of", "rech", "schaf", "schrei", "sen", "stel", "tag",
    "ter", "tig", "um", "un", "ver", "wei", "zü",
];
const ENGLISH: [&str; 40] = [
    "a", "able", "ac", "ad", "age", "al", "ance", "ate", "back", "com", "con", "de", "dis", "ed", "ence", "ful",
    "ment", "in", "ing", "ion", "ity", "less", "light", "ly", "man", "ness", "o", "out", "over", "per", "port", "pre",
    "pro", "re", "ship", "sub", "ten", "ter", "un", "work",
];

/// The word of a rank, 0 the most frequent: the rarer, the longer.
fn word(syllables: &[&str], rank: u64) -> String {
    let mut chance = Chance::of(
        rank.wrapping_mul(0x2545_f491_4f6c_dd1d)
            ^ syllables.len() as u64
            ^ u64::from(syllables[0].as_bytes()[1 % syllables[0].len()]),
    );
    let count = 1 + usize::from(rank > 20) + usize::from(rank > 800) + usize::from(rank > 20_000);
    (0..count).map(|_| syllables[chance.below(syllables.len())]).collect()
}

/// A rank by Zipf's law (exponent 1).
fn rank(chance: &mut Chance) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "more digits than that make no difference")]
    let share = (chance.next() >> 11) as f64 / (1u64 << 53) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies within the vocabulary")]
    let rank = (share * VOCABULARY.ln()).exp() as u64;
    rank - 1
}

fn language(chance: &mut Chance) -> &'static [&'static str] {
    if chance.percent(60) { &GERMAN } else { &ENGLISH }
}

fn words(chance: &mut Chance, syllables: &[&str], count: usize) -> Vec<String> {
    (0..count)
        .map(|_| match chance.below(50) {
            0 => chance.below(100_000).to_string(),
            _ => word(syllables, rank(chance)),
        })
        .collect()
}

/// The mails from this number on.
pub fn mails(from: u64) -> impl Iterator<Item = Mail> {
    (from..).map(mail)
}

struct Letter {
    from: u16,
    to: u16,
    date: i64,
    subject: Vec<String>,
    text: Vec<String>,
}

fn letter(number: u64) -> Letter {
    let mut chance = Chance::of(number ^ 0x5ea5_c4e5);
    let mut person = || u16::try_from(chance.below(PEOPLE)).unwrap_or(0);
    let (from, to) = (person(), person());
    let syllables = language(&mut chance);
    let date = BEGIN + i64::try_from(chance.below(TEN_YEARS)).unwrap_or(0);
    let title = chance.within(2, 7);
    let subject = words(&mut chance, syllables, title);
    let count = 20 + chance.rather_low(600);
    let text = words(&mut chance, syllables, count);
    Letter { from, to, date, subject, text }
}

fn mail(number: u64) -> Mail {
    let Letter { from, to, date, subject, text } = letter(number);
    let date = time(date);
    let (sender, recipient) = (address(from), address(to));
    let subject = subject.join(" ");
    let mut mail = format!(
        "Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\nMessage-ID: <{number}@muster.example>\r\nDate: {date}\r\n\
         From: Person {from} <{sender}>\r\nTo: Person {to} <{recipient}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    );
    for line in text.chunks(12) {
        mail.push_str(&line.join(" "));
        mail.push_str("\r\n");
    }
    Mail { mailbox: to, bytes: mail.into_bytes() }
}

/// Questions about the first `mails` of them: the same question in our language and in notmuch's, with a tab between.
pub fn queries(mails: u64) -> impl Iterator<Item = String> {
    (0..).map(move |number| query(number, mails))
}

fn query(number: u64, mails: u64) -> String {
    let mut chance = Chance::of(number.wrapping_mul(0x9e37) ^ 0x0a5c_ed01);
    // What somebody looks for stands in some mail.
    let about = letter(chance.next() % mails.max(1));
    let pick = |chance: &mut Chance| about.text[chance.below(about.text.len())].clone();
    let (one, other) = (pick(&mut chance), pick(&mut chance));
    let both = |text: String| format!("{text}\t{text}");
    match chance.below(100) {
        0..30 => both(one),
        30..50 => format!("{one} {other}\t{one} and {other}"),
        50..65 => {
            let at = chance.below(about.text.len() - 1);
            both(format!("\"{} {}\"", about.text[at], about.text[at + 1]))
        }
        65..75 => {
            let beginning: String = one.chars().take(4).collect();
            if beginning.chars().count() < 4 { both(one) } else { both(format!("{beginning}*")) }
        }
        75..85 => format!("from:{0} {one}\tfrom:{0} and {one}", address(about.from)),
        85..90 => format!("subject:{0}\tsubject:{0}", about.subject[0]),
        90..95 => format!("{one} -{other}\t{one} and not {other}"),
        _ => format!("{one} or {other}\t{one} or {other}"),
    }
}
