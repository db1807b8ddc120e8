//! Mails of one short text, no two of them equal.

use crate::chance::Chance;
use crate::letter::time;
use crate::pipe::Mail;
use crate::words::{self, address};

const PEOPLE: usize = 200;
/// 1 January 2020; a mail each two minutes.
const BEGIN: i64 = 1_577_836_800;

/// The mails from this number on.
pub fn mails(from: u64) -> impl Iterator<Item = Mail> {
    (from..).map(mail)
}

fn mail(number: u64) -> Mail {
    let mut chance = Chance::of(number);
    let mut person = || u16::try_from(chance.below(PEOPLE)).unwrap_or(0);
    let (from, to) = (person(), person());
    let subject = words::title(&mut chance);
    let len = chance.within(100, 1200);
    let text = words::prose(&mut chance, len).replace('\n', "\r\n");
    let date = time(BEGIN + i64::try_from(number).unwrap_or(0) * 120);
    let (sender, recipient) = (address(from), address(to));
    let mail = format!(
        "Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n\
         Received: from mx1.muster.example by store.muster.example with ESMTPS id {:012X}; {date}\r\n\
         Message-ID: <{number}.{:08x}@muster.example>\r\nDate: {date}\r\nFrom: Person {from} <{sender}>\r\n\
         To: Person {to} <{recipient}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}",
        chance.next() >> 16,
        chance.next() >> 32,
    );
    Mail { mailbox: to, bytes: mail.into_bytes() }
}
