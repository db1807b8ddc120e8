//! Journal reports of Exchange: a mail around a mail, whose text names those among whom the inner one went.
//!
//! A journal mailbox holds nothing else. What people look for is the inner mail, so the head of a report is that of the mail
//! within; the *envelope*, blind copies and the members of lists included, stands in the report's text alone. The form is
//! the one that Microsoft documents ("Journal reports"): a header field `X-MS-Journal-Report`, `multipart/mixed`, a part of
//! text with one `Label: value` a line, and the original as `message/rfc822`.

use std::panic::catch_unwind;

use mail_parser::MessageParser;

use super::address::addresses;
use super::defect::Defects;
use super::fields::{Line, fields};
use super::part::Part;
use super::text::clean;
use crate::limits::{ENVELOPE_CHARS, FIELD_CHARS, JOURNAL_TEXT};

/// Among whom a mail went, as its journal report says. Texts as those of [`super::Head`], recipients up to
/// [`ENVELOPE_CHARS`] characters; a recipient who was reached by a list or a forwarder has that one's address in
/// parentheses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    pub sender: String,
    /// The mailbox in whose name the sender wrote.
    pub on_behalf_of: String,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    /// Recipients of whom the report does not say how they were addressed.
    pub recipients: String,
}

/// What a line of a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Sender,
    OnBehalfOf,
    To,
    Cc,
    Bcc,
    Recipient,
    /// The inner mail says it itself.
    Other,
}

/// What servers and their translators call the lines, in lower case.
const LABELS: [(Label, &[&str]); 7] = [
    (Label::Sender, &["sender", "absender", "expéditeur", "mittente", "remitente", "afzender"]),
    (
        Label::OnBehalfOf,
        &["on-behalf-of", "on behalf of", "im auftrag von", "de la part de", "per conto di", "en nombre de", "namens"],
    ),
    (Label::To, &["to", "an", "à", "a", "para", "aan"]),
    (Label::Cc, &["cc", "kopie"]),
    (Label::Bcc, &["bcc", "blindkopie", "cci", "ccn", "cco"]),
    (Label::Recipient, &["recipient", "recipients", "empfänger", "destinataire", "destinatario", "ontvanger"]),
    (
        Label::Other,
        &[
            "subject",
            "betreff",
            "objet",
            "oggetto",
            "asunto",
            "onderwerp",
            "message-id",
            "message id",
            "nachrichten-id",
            "id du message",
            "id messaggio",
            "id. de mensaje",
            "bericht-id",
        ],
    ),
];

/// Whether this is the header of a journal report.
pub(super) fn is_report(header: &[u8]) -> bool {
    fields(header).any(|line| match line {
        Line::Field { name, .. } => name.eq_ignore_ascii_case(b"x-ms-journal-report"),
        Line::Broken => false,
    })
}

/// The envelope in the text of a report; `None` where no sender and no recipient can be made out.
///
/// In a language that is not known, the first line with an address names the sender, the others the recipients.
pub fn envelope(text: &str) -> Option<Envelope> {
    let mut envelope = Envelope::default();
    let mut last = None;
    for line in text.lines().map(str::trim) {
        let known = line.split_once(':').map(|(label, value)| (label_of(label), value.trim()));
        let (label, value) = match known {
            Some((Some(label), value)) => (label, value),
            // Not known, and in angle brackets: the Message-ID.
            Some((None, value)) if value.starts_with('<') && value.ends_with('>') => (Label::Other, value),
            Some((None, value)) if value.contains('@') && last.is_none() => (Label::Sender, value),
            Some((None, value)) if value.contains('@') => (Label::Recipient, value),
            // One more address of the line before.
            None if line.contains('@') => match last {
                Some(label) => (label, line),
                None => continue,
            },
            _ => continue,
        };
        last = Some(label);
        let (place, limit) = match label {
            Label::Sender => (&mut envelope.sender, FIELD_CHARS),
            Label::OnBehalfOf => (&mut envelope.on_behalf_of, FIELD_CHARS),
            Label::To => (&mut envelope.to, ENVELOPE_CHARS),
            Label::Cc => (&mut envelope.cc, ENVELOPE_CHARS),
            Label::Bcc => (&mut envelope.bcc, ENVELOPE_CHARS),
            Label::Recipient => (&mut envelope.recipients, ENVELOPE_CHARS),
            Label::Other => continue,
        };
        add(place, limit, value);
    }
    (envelope != Envelope::default()).then_some(envelope)
}

fn label_of(label: &str) -> Option<Label> {
    let label = label.trim().to_lowercase();
    LABELS.iter().find(|(_, names)| names.contains(&label.as_str())).map(|(label, _)| *label)
}

/// Adds an address to those that are there, unless that makes more than `limit` characters.
fn add(place: &mut String, limit: usize, value: &str) {
    // `beat@example.ch, Expanded: all@example.ch`: the word is another one in each language.
    let (who, through) = match value.rsplit_once(", ").map(|(who, rest)| (who, rest.split_once(':'))) {
        Some((who, Some((word, through)))) if !word.contains(['@', '<', '"']) => (who, through.trim()),
        _ => (value, ""),
    };
    let read = |text: &str| clean(&addresses(text.as_bytes(), &mut Defects::new()), FIELD_CHARS);
    let (who, through) = (read(who), read(through));
    let gap = if place.is_empty() { "" } else { ", " };
    let room = limit.saturating_sub(place.chars().count() + gap.len());
    if who.is_empty() || who.chars().count() > room {
        return;
    }
    place.push_str(gap);
    place.push_str(&who);
    let through = if through.is_empty() { through } else { format!(" ({through})") };
    if who.chars().count() + through.chars().count() <= room {
        place.push_str(&through);
    }
}

/// What a walk knows of the report that it walks over. Holds the text of the envelope, [`JOURNAL_TEXT`] bytes at most.
#[derive(Debug, Default)]
pub(super) struct Report {
    state: State,
    /// The mail within was met.
    has_original: bool,
}

#[derive(Debug, Default)]
enum State {
    /// A mail like any other.
    #[default]
    None,
    Announced,
    /// Header and body so far of the part that holds the envelope.
    Text(Vec<u8>),
    Read(Option<Envelope>),
}

impl Report {
    /// The message's own header says that it is one.
    pub fn announce(&mut self) {
        self.state = State::Announced;
    }

    /// A part begins: the first text among the report's own parts holds the envelope.
    pub fn part(&mut self, header: &[u8], part: &Part, depth: usize) {
        if matches!(self.state, State::Announced) && depth == 1 && part.media_type == "text/plain" {
            let mut text = header.to_vec();
            text.extend_from_slice(b"\r\n");
            self.state = State::Text(text);
        }
    }

    /// Whether the part that begins is the mail within.
    pub fn is_original(&mut self, part: &Part, depth: usize) -> bool {
        let is_report = !matches!(self.state, State::None);
        let is_original = is_report && !self.has_original && depth == 1 && part.is_message();
        self.has_original |= is_original;
        is_original
    }

    /// Bytes of a body.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let State::Text(text) = &mut self.state {
            let room = JOURNAL_TEXT.saturating_sub(text.len()).min(bytes.len());
            text.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
    }

    /// A body ended.
    pub fn end_of_part(&mut self) {
        if let State::Text(text) = &mut self.state {
            self.state = State::Read(envelope(&readable(text).unwrap_or_default()));
        }
    }

    pub fn finish(self) -> Option<Envelope> {
        match self.state {
            State::Read(envelope) => envelope,
            _ => None,
        }
    }
}

/// The text of a part.
fn readable(part: &[u8]) -> Option<String> {
    // Bytes of strangers may take the parser to places its authors did not think of.
    catch_unwind(|| MessageParser::default().parse(part)?.body_text(0).map(std::borrow::Cow::into_owned)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Defect, Walk};
    use super::*;

    const ORIGINAL: &str = "From: Anna <anna@example.ch>\r\nTo: Alle <alle@example.ch>\r\nSubject: Offerte\r\n\
        Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <1@example.ch>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nGuten Tag\r\n--in\r\n\
        Content-Type: application/pdf; name=offerte.pdf\r\nContent-Disposition: attachment\r\n\r\nx\r\n--in--\r\n";

    fn report(part: &str) -> String {
        format!(
            "From: <Postmaster@example.ch>\r\nTo: <journal@example.ch>\r\nSubject: Undeliverable\r\n\
             Date: Tue, 2 Jan 2024 09:00:00 +0100\r\nMessage-ID: <report@example.ch>\r\nX-MS-Journal-Report:\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"out\"\r\n\r\n--out\r\n{part}\r\n--out\r\n\
             Content-Type: message/rfc822\r\n\r\n{ORIGINAL}\r\n--out--\r\n"
        )
    }

    fn walk(mail: &str, pace: usize) -> super::super::Head {
        let mut walk = Walk::new();
        mail.as_bytes().chunks(pace).for_each(|bytes| walk.push(bytes));
        walk.finish()
    }

    /// Found by the fuzzer: further senders and what an address came through were counted nowhere.
    #[test]
    fn no_text_of_an_envelope_is_longer_than_it_may_be() {
        let through = "x".repeat(1990);
        for label in ["Sender", "On-Behalf-Of", "To", "Cc", "Bcc", "Recipient"] {
            let line = format!("{label}: a@example.ch, Expanded: {through}@example.ch\n");
            let Envelope { sender, on_behalf_of, to, cc, bcc, recipients } = envelope(&line.repeat(500)).unwrap();
            for (text, limit) in [(sender, FIELD_CHARS), (on_behalf_of, FIELD_CHARS)]
                .into_iter()
                .chain([to, cc, bcc, recipients].map(|text| (text, ENVELOPE_CHARS)))
            {
                let len = text.chars().count();
                assert!(len <= limit && (len == 0 || len + 2 + "a@example.ch".len() > limit), "{label}: {len}");
            }
        }
    }

    #[test]
    fn the_head_is_that_of_the_mail_within() {
        let text = "Content-Type: text/plain; charset=us-ascii\r\n\r\nSender: anna@example.ch\r\nSubject: Offerte\r\n\
            Message-Id: <1@example.ch>\r\nTo: beat@example.ch, Expanded: alle@example.ch\r\nBcc: chef@example.ch\r\n";
        let mail = report(text);
        for pace in [1, 7, mail.len()] {
            let head = walk(&mail, pace);
            assert_eq!((head.subject.as_str(), head.message_id.as_str()), ("Offerte", "1@example.ch"));
            assert_eq!((head.from.as_str(), head.to.as_str()), ("Anna <anna@example.ch>", "Alle <alle@example.ch>"));
            assert_eq!(head.date, Some(1_704_096_000));
            let names: Vec<_> = head.attachments.iter().map(|part| part.name.as_str()).collect();
            assert_eq!(names, ["offerte.pdf"]);
            assert_eq!(head.defects, [] as [Defect; 0]);
            let envelope = head.envelope.unwrap();
            assert_eq!((envelope.sender.as_str(), envelope.bcc.as_str()), ("anna@example.ch", "chef@example.ch"));
            assert_eq!(envelope.to, "beat@example.ch (alle@example.ch)");
        }
    }

    #[test]
    fn the_text_may_be_encoded() {
        let base64 = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            U2VuZGVyOiAiTcO8bGxlciwgVXJzIiA8dUBtLmNoPg0KQmNjOiBjQG0uY2gNCg==\r\n";
        let quoted = "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Sender: \"M=FCller, Urs\" <u@m.ch>\r\nBcc: c@=\r\nm.ch\r\n";
        for part in [base64, quoted] {
            let envelope = walk(&report(part), 5).envelope.unwrap();
            assert_eq!((envelope.sender.as_str(), envelope.bcc.as_str()), ("\"Müller, Urs\" <u@m.ch>", "c@m.ch"));
        }
    }

    #[test]
    fn what_only_looks_like_a_report_stays_what_it_is() {
        let text = "Content-Type: text/plain\r\n\r\nSender: anna@example.ch\r\n";
        let no_field = report(text).replace("X-MS-Journal-Report:", "X-Other:");
        assert_eq!((walk(&no_field, 99).subject.as_str(), walk(&no_field, 99).envelope), ("Undeliverable", None));
        let names = |mail: &str| walk(mail, 99).attachments.len();
        assert_eq!(names(&no_field), 2, "the mail within is an attachment");
        let no_text = report("Content-Type: text/html\r\n\r\n<b>Sender: a@b.ch</b>");
        assert_eq!((walk(&no_text, 99).subject.as_str(), walk(&no_text, 99).envelope), ("Offerte", None));
        // The field alone, and a report whose mail is missing.
        let plain = "X-MS-Journal-Report:\r\nSubject: x\r\nDate: 1 Jan 2020 0:00 Z\r\n\r\nSender: a@b.ch\r\n";
        assert_eq!((walk(plain, 99).subject.as_str(), walk(plain, 99).envelope), ("x", None));
        let alone = report(text).replace("message/rfc822", "text/html");
        assert_eq!(walk(&alone, 99).subject, "Undeliverable");
        assert_eq!(walk(&alone, 99).envelope.unwrap().sender, "anna@example.ch");
        // A second mail within is an attachment of the first one's report, not another original.
        let second = report(text).replace(
            "--out--",
            "--out\r\nContent-Type: message/rfc822\r\n\r\nSubject: Zweite\r\nDate: 1 Jan 2020 0:00 Z\r\n\r\n\r\n--out--",
        );
        assert_eq!((walk(&second, 99).subject.as_str(), names(&second)), ("Offerte", 2));
    }

    #[test]
    fn envelopes() {
        let all = "Sender: anna@example.ch\nOn-Behalf-Of: chef@example.ch\nSubject: An: wen?\n\
            Message-Id: <1@example.ch>\nTo: a@b.ch\nTo: c@d.ch, Expanded: alle@b.ch\nCc: \"Muster, Eva\" <e@b.ch>\n\
            Cc: f@b.ch, Forwarded: g@b.ch\nBcc: h@b.ch, i@b.ch\nRecipient: j@b.ch\n";
        assert_eq!(
            envelope(all),
            Some(Envelope {
                sender: "anna@example.ch".into(),
                on_behalf_of: "chef@example.ch".into(),
                to: "a@b.ch, c@d.ch (alle@b.ch)".into(),
                cc: "\"Muster, Eva\" <e@b.ch>, f@b.ch (g@b.ch)".into(),
                bcc: "h@b.ch, i@b.ch".into(),
                recipients: "j@b.ch".into(),
            })
        );
        for (text, sender, to, recipients) in [
            (
                "Absender: a@b.ch\nBetreff: x@y\nNachrichten-ID: <1@b.ch>\nAn: c@b.ch, Erweitert: l@b.ch",
                "a@b.ch",
                "c@b.ch (l@b.ch)",
                "",
            ),
            ("Expéditeur : a@b.ch\nObjet : x\nID du message : <1@b.ch>\nÀ : c@b.ch", "a@b.ch", "c@b.ch", ""),
            ("Mittente: a@b.ch\nOggetto: x\nDestinatario: c@b.ch\nd@b.ch", "a@b.ch", "", "c@b.ch, d@b.ch"),
            // Languages that nobody told us of.
            ("Nadawca: a@b.ch\nTemat: x\nIdentyfikator: <1@b.ch>\nOdbiorca: c@b.ch", "a@b.ch", "", "c@b.ch"),
            ("送信者: a@b.ch\n件名: x\n受信者: c@b.ch\n", "a@b.ch", "", "c@b.ch"),
        ] {
            let got = envelope(text).unwrap();
            assert_eq!(
                (got.sender.as_str(), got.to.as_str(), got.recipients.as_str()),
                (sender, to, recipients),
                "{text}"
            );
        }
        for none in ["", "Guten Tag", "Subject: a@b.ch", "x@y"] {
            assert_eq!(envelope(none), None, "{none}");
        }
    }

    #[test]
    fn a_hundred_thousand_recipients_are_kept_to_the_limit() {
        let many = "Bcc: somebody@example.ch\r\n".repeat(100_000);
        let envelope =
            walk(&report(&format!("Content-Type: text/plain\r\n\r\nSender: a@b.ch\r\n{many}")), 4096).envelope;
        let bcc = envelope.unwrap().bcc;
        assert!(bcc.len() <= ENVELOPE_CHARS + 10 && bcc.len() > ENVELOPE_CHARS / 2, "{}", bcc.len());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>(), label in prop::sample::select(vec!["To: ", "Sender:", "À : ", ""])) {
            envelope(&format!("{label}{text}"));
            walk(&report(&format!("{label}{text}")), 3);
        }
    }
}
