//! A mail that one person wrote, and the copy of it that each recipient has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::attachment::Attachment;
use crate::chance::Chance;
use crate::words::{address, quoted_printable};

/// How many letters a line of base64 has, and how many mails in a hundred.
const WIDTHS: [(usize, usize); 4] = [(76, 85), (72, 8), (64, 3), (60, 4)];
/// Copies in a hundred that a gateway on the way has written anew, with lines of its own.
const REWRITTEN: usize = 5;

pub struct Letter {
    pub id: u64,
    pub from: u16,
    pub to: Vec<u16>,
    pub subject: String,
    pub text: String,
    pub attachments: Vec<Attachment>,
    /// Unix seconds.
    pub sent: i64,
    /// The letter that it answers.
    pub answers: Option<u64>,
}

impl Letter {
    /// As it lies in the mailbox of one of its recipients.
    pub fn copy(&self, recipient: u16) -> Vec<u8> {
        let mut way = Chance::of(self.id ^ (u64::from(recipient) << 40));
        let is_rewritten = way.percent(REWRITTEN);
        let width = width(&mut if is_rewritten { way.clone() } else { Chance::of(self.id) });
        let mut mail = self.received(recipient, &mut way).into_bytes();
        mail.extend(self.header().into_bytes());
        let texts = self.texts();
        if self.attachments.is_empty() {
            mail.extend(texts.into_bytes());
            return mail;
        }
        let boundary = format!("----=_Part_{:016x}", self.id);
        mail.extend(
            format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{texts}")
                .into_bytes(),
        );
        for attachment in &self.attachments {
            let (name, media_type) = (attachment.name(), attachment.media_type());
            let head = format!(
                "--{boundary}\r\nContent-Type: {media_type}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
            );
            mail.extend(head.into_bytes());
            lines(&attachment.bytes(), width, &mut mail);
        }
        mail.extend(format!("--{boundary}--\r\n").into_bytes());
        mail
    }

    fn received(&self, recipient: u16, way: &mut Chance) -> String {
        let (from, to) = (address(self.from), address(recipient));
        let arrived = time(self.sent + i64::try_from(way.within(1, 90)).unwrap_or(1));
        format!(
            "Return-Path: <{from}>\r\nDelivered-To: {to}\r\n\
             Received: from mx1.muster.example (mx1.muster.example [192.0.2.{}])\r\n\
             \tby store.muster.example (Postfix) with ESMTPS id {:012X}\r\n\tfor <{to}>; {arrived}\r\n",
            way.within(2, 250),
            way.next() >> 16,
        )
    }

    fn header(&self) -> String {
        let to: Vec<String> = self.to.iter().map(|person| format!("Person {person} <{}>", address(*person))).collect();
        let mut header = format!(
            "Message-ID: <{:016x}@muster.example>\r\nDate: {}\r\nFrom: Person {} <{}>\r\nTo: {}\r\nSubject: {}\r\n\
             MIME-Version: 1.0\r\n",
            self.id,
            time(self.sent),
            self.from,
            address(self.from),
            to.join(",\r\n "),
            encoded(&self.subject),
        );
        if let Some(before) = self.answers {
            header.push_str(&format!(
                "In-Reply-To: <{before:016x}@muster.example>\r\nReferences: <{before:016x}@muster.example>\r\n"
            ));
        }
        header
    }

    /// Header and body of the text, as plain text and as HTML.
    fn texts(&self) -> String {
        let boundary = format!("----=_Text_{:016x}", self.id);
        let mut html = String::from("<html><head><meta charset=\"utf-8\"></head><body>\n");
        self.text.lines().for_each(|line| html.push_str(&format!("<p class=\"MsoNormal\">{line}</p>\n")));
        html.push_str("</body></html>\n");
        let part = |media_type: &str, text: &str| {
            let text = quoted_printable(text);
            format!(
                "--{boundary}\r\nContent-Type: {media_type}; charset=utf-8\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n"
            )
        };
        let (plain, html) = (part("text/plain", &self.text), part("text/html", &html));
        format!("Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n{plain}{html}--{boundary}--\r\n")
    }
}

fn width(chance: &mut Chance) -> usize {
    let mut of_hundred = chance.below(100);
    for (width, share) in WIDTHS {
        if of_hundred < share {
            return width;
        }
        of_hundred -= share;
    }
    WIDTHS[0].0
}

fn lines(bytes: &[u8], width: usize, out: &mut Vec<u8>) {
    let letters = STANDARD.encode(bytes);
    out.reserve(letters.len() + letters.len() / 30);
    for line in letters.as_bytes().chunks(width) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
}

/// RFC 2047, in words of a length that it allows.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_string();
    }
    let letters: Vec<char> = text.chars().collect();
    let words = letters.chunks(12).map(|some| STANDARD.encode(some.iter().collect::<String>()));
    words.map(|word| format!("=?utf-8?B?{word}?=")).collect::<Vec<_>>().join("\r\n ")
}

/// RFC 5322.
pub fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
