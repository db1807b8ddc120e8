//! Mails without files: any number, the same in every run, each with its own text. A tenth has an attachment, a tenth was
//! sent by the owner of the mailbox.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::chance::{hash, mix};
use crate::date;

const WORDS: [&str; 24] = [
    "Auftrag",
    "Rechnung",
    "Sitzung",
    "Protokoll",
    "Lieferung",
    "Angebot",
    "Termin",
    "Vertrag",
    "meeting",
    "invoice",
    "delivery",
    "archive",
    "question",
    "answer",
    "project",
    "Zürich",
    "Genève",
    "März",
    "Grüsse",
    "contract",
    "budget",
    "Ordner",
    "Beilage",
    "report",
];

/// The address of a generated user.
pub fn address(user: u32) -> String {
    format!("user{user:04}@example.org")
}

/// The folder that a generated mail lies in.
pub fn folder(number: u32) -> &'static [&'static str] {
    match number % 10 {
        0 => &["Sent Items"],
        1 | 2 => &["Projects"],
        3 => &["Inbox", "Newsletters"],
        _ => &["Inbox"],
    }
}

/// When it was received: one mail every 47 minutes, from 2020 on.
pub fn received(number: u32) -> i64 {
    1_577_836_800 + i64::from(number) * 2_820
}

/// The mail itself, with CRLF, as Exchange gives it.
pub fn mail(seed: u64, user: u32, number: u32) -> Vec<u8> {
    let state = hash(&[&seed.to_le_bytes(), &user.to_le_bytes(), &number.to_le_bytes()]);
    let (owner, other) = (address(user), format!("{}@example.net", pick(mix(state)).to_lowercase()));
    let other: String = other.chars().filter(char::is_ascii).collect();
    let (from, to) = if number.is_multiple_of(10) { (owner, other) } else { (other, owner) };
    let subject = BASE64_STANDARD.encode(format!("{} {} {number}", pick(state), pick(mix(state ^ 1))));
    let date = date::http(received(number)).replace("GMT", "+0000");
    let mut mail = format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: =?utf-8?B?{subject}?=\r\nDate: {date}\r\n\
         Message-ID: <{state:016x}.{user}.{number}@example.net>\r\nMIME-Version: 1.0\r\n"
    );
    let text = text(state);
    if state.is_multiple_of(10) {
        let boundary = format!("_000_{state:016x}_");
        mail += &format!(
            "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
             Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n--{boundary}\r\n\
             Content-Type: application/octet-stream; name=\"{number}.bin\"\r\n\
             Content-Disposition: attachment; filename=\"{number}.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        );
        let length = 10_000 + usize::try_from(mix(state ^ 2) % 150_000).unwrap_or(0);
        let mut word = state;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            word = mix(word);
            word.to_le_bytes()
        })
        .flatten()
        .take(length)
        .collect();
        for line in BASE64_STANDARD.encode(bytes).as_bytes().chunks(76) {
            mail.extend(line.iter().map(|byte| char::from(*byte)));
            mail += "\r\n";
        }
        mail += &format!("--{boundary}--\r\n");
    } else if state % 50 == 7 {
        // Clear-signed, as far as anybody looks who does not check the signature.
        mail += &format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n--b\r\n\
             Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n{}\r\n--b--\r\n",
            BASE64_STANDARD.encode(state.to_le_bytes())
        );
    } else {
        mail += &format!(
            "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
        );
    }
    mail.into_bytes()
}

fn text(state: u64) -> String {
    let mut text = String::new();
    let mut word = state;
    for count in 1..=(40 + state % 400) {
        word = mix(word);
        text += pick(word);
        text += if count % 12 == 0 { ".\r\n" } else { " " };
    }
    text
}

fn pick(number: u64) -> &'static str {
    WORDS[usize::try_from(number % WORDS.len() as u64).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mail_is_its_own_and_comes_out_the_same_again() {
        assert_eq!(mail(1, 2, 3), mail(1, 2, 3));
        assert_ne!(mail(1, 2, 3), mail(1, 2, 4));
        assert_ne!(mail(1, 2, 3), mail(1, 3, 3));
        assert!(mail_parser::MessageParser::new().parse(&mail(1, 2, 3)).unwrap().subject().unwrap().ends_with(" 3"));
    }
}
